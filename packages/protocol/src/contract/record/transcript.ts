/** Transcripts of conversations, on the wire. */
import { z } from 'zod';
import { optional } from '../value/absent.ts';
import { jsonObject } from '../value/json-object.ts';
import { seconds } from '../value/number.ts';
import { word, writing } from '../value/text.ts';

const role = z.enum(['system', 'user', 'assistant', 'tool']);

export const transcriptEntry = z.object({
  entry_id: word,
  /** The entry before it; null for the first. */
  parent_id: word.nullable(),
  at: seconds,
  type: z.enum(['message', 'summary', 'title', 'model', 'note']),
  /** Of a message. */
  role: role.nullable(),
  /** What it says, as text. */
  text: z.string(),
  /** As it is kept. */
  body: jsonObject,
});

export const transcriptInfo = z.object({
  session: word,
  title: word.nullable(),
  agent: word.nullable(),
  created_at: seconds,
  updated_at: seconds,
  size_bytes: z.int(),
  /** What it was forked from. */
  origin: z.object({ session: word, entry_id: word }).nullable(),
});

export const transcriptMatch = z.object({ session: word, entry_id: word, at: seconds, snippet: z.string() });

const PARTS_MAX = 1_000;
/** Text, one thing, or several: in the shape that models of all makers are spoken to in. */
const content = z.union([writing, jsonObject, z.array(jsonObject).max(PARTS_MAX)]);

/** What may be said by whoever keeps a conversation. */
export const newTranscriptEntry = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('message'), role, content, meta: optional(jsonObject) }),
  z.strictObject({ type: z.literal('summary'), text: writing, first_id: optional(word) }),
  z.strictObject({ type: z.literal('title'), title: word }),
  z.strictObject({ type: z.literal('model'), provider: word, model: word }),
  z.strictObject({ type: z.literal('note'), kind: word, data: jsonObject }),
]);

export type TranscriptEntry = z.output<typeof transcriptEntry>;
export type TranscriptInfo = z.output<typeof transcriptInfo>;
export type TranscriptMatch = z.output<typeof transcriptMatch>;
export type NewTranscriptEntry = z.output<typeof newTranscriptEntry>;
