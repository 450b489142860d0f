/** Calls of capabilities, on the wire. */
import { z } from 'zod';
import { optional } from '../value/absent.ts';
import { jsonObject } from '../value/json-object.ts';
import { listOf } from '../value/list.ts';
import { int, milliseconds, seconds } from '../value/number.ts';
import { prose, word } from '../value/text.ts';

export const tier = z.enum(['autonomous', 'notify', 'approval_required', 'blocked']);

export const recoveryStep = z.object({
  action: word,
  description: prose,
  capability: word.optional(),
  input: jsonObject.optional(),
});

export const callError = z.object({
  type: word,
  message: prose,
  /** For the model. */
  agent_message: prose,
  recovery: listOf(recoveryStep),
  retryable: z.boolean(),
  retry_after_ms: int.nullable(),
  context: jsonObject.nullable(),
});

/** The answer to a call. What went wrong in carrying it out is an answer too, not an error of the protocol. */
export const callAnswer = z.object({
  call_id: word,
  capability: word,
  state: z.enum(['done', 'pending', 'failed']),
  tier: tier.nullable(),
  /** Of `done`. */
  output: jsonObject.nullable(),
  taint: listOf(word),
  /** Of `failed`. */
  error: callError.nullable(),
  /** Of whoever was or is asked. */
  approval_id: word.nullable(),
  /** Of `pending`: until when somebody can decide. */
  expires_at: seconds.nullable(),
  duration_ms: int.nullable(),
});

/** What to call, as parameters. */
export const callParams = {
  capability: word,
  input: jsonObject,
  idempotency_key: optional(word),
  reasoning: optional(prose),
  taint: optional(z.array(word).max(32)),
  on_ask: optional(z.enum(['wait', 'return'])),
  wait_ms: optional(milliseconds(86_400_000)),
  deadline_ms: optional(milliseconds(86_400_000)),
  /** Over a WebSocket: notifications `call.progress` with it say how far the call is. */
  progress_token: optional(z.union([z.string().max(128), int])),
};

export type CallAnswer = z.output<typeof callAnswer>;
