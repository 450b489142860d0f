/** What agents remember, on the wire. */
import { z } from 'zod';
import { jsonObject } from '../value/json-object.ts';
import { listOf } from '../value/list.ts';
import { seconds, share } from '../value/number.ts';
import { prose, word, writing } from '../value/text.ts';

export const memory = z.object({
  memory_id: word,
  text: writing,
  tags: listOf(word),
  source: word,
  session: word.nullable(),
  importance: share,
  pinned: z.boolean(),
  metadata: jsonObject.nullable(),
  /** Of untrusted content it was made of. */
  labels: listOf(word),
  created_at: seconds,
  updated_at: seconds,
  expires_at: seconds.nullable(),
});

/** Why a result stands where it stands. */
export const ranking = z.object({
  text: share.nullable(),
  terms: listOf(word),
  vector: share.nullable(),
  age: z.number(),
  importance: z.number(),
});

export const foundMemory = z.object({ memory, score: share, snippet: prose, why: ranking });

export type MemoryRecord = z.output<typeof memory>;
export type FoundMemory = z.output<typeof foundMemory>;
