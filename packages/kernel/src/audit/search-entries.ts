/** Searching: numbers come from the index, a stretch of the log at a time so that the loop goes on; what they say is read from the log. */
import { Fault } from '@warren/protocol';
import { clamp } from '../internal/page.ts';
import type { AuditQuery, RecordedEntry } from './audit.ts';
import type { AuditIndex } from './audit-index.ts';
import { type ReadEntriesParts, readEntries } from './read-entries.ts';

export const SEARCH_DEFAULT = 100;
export const SEARCH_MAX = 1_000;
/** Entries looked at in one go. */
const STRETCH = 20_000;
/** The same when calls are not asked for: they are nearly all there is, and the index passes over them. */
const STRETCH_WITHOUT_CALLS = 200_000;
/** Of the entries in one answer; the rest comes with the next. */
const ANSWER_BYTES_MAX = 4_194_304;

export type Found = {
  readonly entries: readonly RecordedEntry[];
  /** Everything between the cursor and this entry was looked at. */
  readonly through: number;
  readonly isComplete: boolean;
};

/** `size`: entries from there on are not looked at, as they cannot be read yet. */
export async function searchEntries(
  index: AuditIndex,
  parts: ReadEntriesParts & { readonly size: number },
  query: AuditQuery,
  signal?: AbortSignal,
): Promise<Found> {
  const { first, last, isNewestFirst } = boundsOf(index, parts.size, query);
  const limit = clamp(query.limit, SEARCH_DEFAULT, 1, SEARCH_MAX);
  const entries: RecordedEntry[] = [];
  let bytes = 0;
  let [low, high] = [first, last];
  const most = query.kind === undefined || query.kind === 'syscall' ? STRETCH : STRETCH_WITHOUT_CALLS;
  while (low <= high) {
    signal?.throwIfAborted();
    const stretch = isNewestFirst
      ? { first: Math.max(low, high - most + 1), last: high }
      : { first: low, last: Math.min(high, low + most - 1) };
    const wanted = limit - entries.length;
    const seqs = index.find({ ...filterOf(query), ...stretch, isNewestFirst, limit: wanted });
    for await (const found of readEntries(parts, seqs)) {
      if (found.entry !== undefined) entries.push(found.entry);
      bytes += found.bytes;
      if (entries.length >= limit || bytes >= ANSWER_BYTES_MAX) return { entries, through: found.seq, isComplete: false };
    }
    if (isNewestFirst) high = stretch.first - 1;
    else low = stretch.last + 1;
    await new Promise(setImmediate);
  }
  return { entries, through: isNewestFirst ? Math.min(first, last + 1) : Math.max(last, first - 1), isComplete: true };
}

function boundsOf(index: AuditIndex, size: number, { from, to, cursor, newest = false }: AuditQuery) {
  for (const [field, value] of Object.entries({ from, to, cursor })) {
    if (value !== undefined && !Number.isFinite(value)) {
      throw new Fault('invalid_argument', `Cannot search the audit: ${field} is no number`, { details: { field } });
    }
  }
  let first = from === undefined ? 0 : index.firstAt(Math.ceil(from));
  let last = Math.min(size, index.size(), to === undefined ? size : index.firstAt(Math.floor(to) + 1)) - 1;
  if (cursor !== undefined && newest) last = Math.min(last, Math.ceil(cursor) - 1);
  if (cursor !== undefined && !newest) first = Math.max(first, Math.floor(cursor) + 1);
  return { first, last, isNewestFirst: newest };
}

function filterOf({ workspace, agent, pid, action, kind, outcome, callId, approvalId }: AuditQuery) {
  return { workspace, agent, pid, action, kind, outcome, callId, approvalId };
}
