/** Definitions of capabilities, on the wire. */
import { z } from 'zod';
import { jsonObject } from '../value/json-object.ts';
import { listOf } from '../value/list.ts';
import { int } from '../value/number.ts';
import { prose, word } from '../value/text.ts';
import { recoveryStep, tier } from './call.ts';

export const capabilityEffect = z.enum(['read', 'idempotent', 'once']);

export const capabilitySummary = z.object({
  name: word,
  version: word,
  category: word,
  purpose: prose,
  /** The tier when no policy says anything; for a process the one it would get. */
  tier,
  effect: capabilityEffect,
  tags: listOf(word),
  /** Whose pack it is from; null for Warren's own. */
  pack: word.nullable(),
});

export const capabilityDescription = capabilitySummary.extend({
  when_to_use: prose,
  when_not_to_use: prose.nullable(),
  input_schema: jsonObject,
  output_schema: jsonObject,
  side_effects: listOf(z.object({ description: prose, reversible: z.boolean() })),
  common_patterns: listOf(z.object({ description: prose, steps: listOf(prose) })),
  errors: listOf(
    z.object({ type: word, description: prose, retryable: z.boolean(), retry_after_ms: int.nullable(), recovery: listOf(recoveryStep) }),
  ),
  deadline_ms: z.object({ default: int, max: int }),
  concurrency: int,
  taints: listOf(word),
  uses: listOf(word),
});

export type CapabilitySummary = z.output<typeof capabilitySummary>;
export type CapabilityDescription = z.output<typeof capabilityDescription>;
