/**
 * `transcript.*`: conversations that outlive processes, for whoever keeps or reads them. They are sessions; but `session.create` and `session.end` are methods of an earlier system
 * that begin and end a process, and `/api/session` is a person's sign-in, so these have a word of their own.
 */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { newTranscriptEntry, transcriptEntry, transcriptInfo, transcriptMatch } from '../record/transcript.ts';
import { MEMBER } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { optional, withDefault } from '../value/absent.ts';
import { limit, offset } from '../value/clamped.ts';
import { list, listOf } from '../value/list.ts';
import { seconds } from '../value/number.ts';
import { question, word, writing } from '../value/text.ts';

const ENTRIES_MAX = 1_000;

export const TRANSCRIPT_OPERATIONS = {
  'transcript.create': operation({
    summary: 'Begins a conversation',
    tier: 'experimental',
    effect: 'once',
    scope: MEMBER,
    params: z.strictObject({ session: word, agent: optional(word), title: optional(word) }),
    result: z.object({ session: word }),
    faults: ['already_exists', ...ON_WRITE],
  }),
  'transcript.append': operation({
    summary: 'Appends what was said, all of it or nothing; it is on disk when this answers',
    tier: 'experimental',
    effect: 'once',
    scope: MEMBER,
    params: z.strictObject({ session: word, entries: list(newTranscriptEntry, ENTRIES_MAX) }),
    result: z.object({ entry_ids: listOf(word) }),
    faults: ['too_large', 'unavailable', ...ON_WRITE],
  }),
  'transcript.list': operation({
    summary: 'Lists conversations, the one that was written to last first, those before `before`',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({ before: optional(seconds), limit }),
    result: z.object({ transcripts: listOf(transcriptInfo) }),
    faults: [...ON_READ],
  }),
  'transcript.get': operation({
    summary: 'Answers with the entries of a conversation: those on the way to its tip, what a model would be told, or all',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({ session: word, view: withDefault(z.enum(['path', 'context', 'all']), 'path'), offset, limit }),
    result: z.object({
      session: word,
      /** Null while nothing was said. */
      tip_id: word.nullable(),
      entries: listOf(transcriptEntry),
      /** Of the view. */
      count: z.int(),
      /** Where the next page begins; null: this is the last. */
      next: z.int().nullable(),
      /** Lines of its file that cannot be read, and are left out. */
      damage: listOf(z.object({ line: z.int(), reason: word })),
    }),
    faults: [...ON_READ],
  }),
  'transcript.search': operation({
    summary: 'Finds entries that have all the words, in the conversation that was written to last first',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({ query: question, limit }),
    result: z.object({ matches: listOf(transcriptMatch) }),
    faults: [...ON_READ],
  }),
  'transcript.branch': operation({
    summary: 'Goes on from an earlier entry; what came after it stays. With `as` in a new conversation that begins as this one was',
    tier: 'experimental',
    effect: 'once',
    scope: MEMBER,
    params: z.strictObject({ session: word, entry_id: word, as: optional(word) }),
    result: z.object({ session: word, tip_id: word }),
    faults: ['already_exists', 'unavailable', ...ON_WRITE],
  }),
  'transcript.compact': operation({
    summary: 'Has a summary stand for what came before `first_id`, or for everything; what was said is kept',
    tier: 'experimental',
    effect: 'once',
    scope: MEMBER,
    params: z.strictObject({ session: word, summary: writing, first_id: optional(word) }),
    result: z.object({ entry_id: word }),
    faults: ['too_large', 'unavailable', ...ON_WRITE],
  }),
  'transcript.export': operation({
    summary: 'Answers with a conversation as text (its file, or the way to its tip to be read), a million characters at a time',
    tier: 'experimental',
    effect: 'read',
    scope: MEMBER,
    params: z.strictObject({
      session: word,
      format: withDefault(z.enum(['markdown', 'html', 'jsonl']), 'markdown'),
      /** `next` of the piece before. What is said meanwhile is not in the document. */
      cursor: optional(word),
    }),
    result: z.object({
      session: word,
      format: z.enum(['markdown', 'html', 'jsonl']),
      text: z.string(),
      /** Null: this is the last piece. */
      next: word.nullable(),
    }),
    faults: [...ON_READ],
  }),
  'transcript.delete': operation({
    summary: 'Deletes a conversation for good',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.strictObject({ session: word }),
    result: z.object({ deleted: z.boolean() }),
    faults: [...ON_WRITE],
  }),
};
