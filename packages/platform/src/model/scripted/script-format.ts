/** What a script may say, as a schema. It is loaded when there is one to read. */
import type { JsonObject } from '@warren/protocol';
import { z } from 'zod';
import { duration } from '../../policy/policy-document.ts';
import { MODEL_FAILURES, type ModelFailureReason } from '../model-failure.ts';
import type { ScriptedTurn } from './scripted-turn.ts';

const TURNS_MAX = 10_000;
const CALLS_MAX = 64;
const TEXT_CHARACTERS_MAX = 4_194_304;

const text = z.string().max(TEXT_CHARACTERS_MAX);
const amount = z.int().min(0).max(1_000_000_000);
const count = amount.default(0);
const name = z.string().min(1).max(256);
const reasons = Object.keys(MODEL_FAILURES) as ModelFailureReason[]; // They are its keys.

const turn = z
  .strictObject({
    reasoning: text.optional(),
    text: text.optional(),
    calls: z
      .array(z.union([z.strictObject({ name, input: z.record(z.string(), z.json()) }), z.strictObject({ name, malformed: text })]))
      .max(CALLS_MAX)
      .optional(),
    finish: z.enum(['stop', 'length', 'tool_calls', 'refused', 'other']).optional(),
    usage: z
      .strictObject({
        ...{ input_tokens: count, cache_read_tokens: count, cache_write_tokens: count, output_tokens: count, reasoning_tokens: count },
      })
      .optional(),
    cost_micros: amount.optional(),
    /** Before the answer begins, and before each of its parts. */
    pause: duration.optional(),
    fault: z.enum(reasons).optional(),
    retry_after: duration.optional(),
  })
  .transform(
    ({
      reasoning,
      text: said,
      calls,
      finish,
      usage,
      cost_micros: costMicros,
      pause: pauseMs,
      fault,
      retry_after: retryAfterMs,
    }): ScriptedTurn => ({
      ...{ reasoning, text: said, finish, costMicros, pauseMs, fault, retryAfterMs },
      calls: calls?.map((call) => ('input' in call ? { name: call.name, input: call.input as JsonObject } : call)), // Its schema says so.
      usage: usage && {
        inputTokens: usage.input_tokens,
        cacheReadTokens: usage.cache_read_tokens,
        cacheWriteTokens: usage.cache_write_tokens,
        outputTokens: usage.output_tokens,
        reasoningTokens: usage.reasoning_tokens,
      },
    }),
  );

export const scriptFormat = z.strictObject({ turns: z.array(turn).min(1).max(TURNS_MAX) });
