/** `memory.*`: what the agents of a workspace remember, for the people who look after them. Agents themselves use the capabilities of these names. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { foundMemory, memory } from '../record/memory.ts';
import { MEMBER } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { optional } from '../value/absent.ts';
import { limit } from '../value/clamped.ts';
import { jsonObject } from '../value/json-object.ts';
import { list, listOf } from '../value/list.ts';
import { seconds, share } from '../value/number.ts';
import { question, word, writing } from '../value/text.ts';

const tags = optional(list(word, 32));
/** All of what is named. */
const filter = { tags, source: optional(word), session: optional(word) };

export const MEMORY_OPERATIONS = {
  'memory.store': operation({
    summary: 'Remembers a text; the same text is kept once',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.strictObject({
      text: writing,
      ...filter,
      importance: optional(share),
      pinned: optional(z.boolean()),
      expires_at: optional(seconds),
      metadata: optional(jsonObject),
    }),
    result: z.object({ memory_id: word, duplicate: z.boolean() }),
    faults: ['too_large', 'unavailable', ...ON_WRITE],
  }),
  'memory.search': operation({
    summary: 'Finds what was remembered by words and by meaning, the best first, with the reason of each place',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({
      query: question,
      ...filter,
      half_life_days: optional(z.number()),
      diversity: optional(share),
      min_score: optional(share),
      limit,
    }),
    result: z.object({ memories: listOf(foundMemory) }),
    faults: ['unavailable', ...ON_READ],
  }),
  'memory.get': operation({
    summary: 'Answers with what was remembered under an id',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({ memory_id: word }),
    result: memory,
    faults: ['unavailable', ...ON_READ],
  }),
  'memory.list': operation({
    summary: 'Lists what was remembered, the newest first, those before `before`',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({ ...filter, before: optional(word), limit }),
    result: z.object({ memories: listOf(memory), count: z.int() }),
    faults: ['unavailable', ...ON_READ],
  }),
  'memory.forget': operation({
    summary: 'Forgets for good: what was remembered under an id is overwritten',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.strictObject({ memory_id: word }),
    result: z.object({ forgotten: z.boolean() }),
    faults: ['unavailable', ...ON_WRITE],
  }),
};
