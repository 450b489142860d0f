/** Transcripts as text: one JSON object a line, the first of them says which session it is. A line that was cut off by a crash is at the end and has no newline. */
import { setImmediate } from 'node:timers/promises';
import { Fault, type JsonObject } from '@warren/protocol';
import { z } from 'zod';
import type { Damage, EntryBody, SessionEntry } from './sessions.ts';

const ENTRY_BYTES_MAX = 8_388_608;
const DEPTH_MAX = 64;
/** Read without a pause: others have their turn in between. */
const READ_AT_ONCE_BYTES = 1_048_576;
const id = z.string().min(1).max(128);
const text = z.string().max(ENTRY_BYTES_MAX);

const header = z.object({
  type: z.literal('session'),
  format: z.literal(1),
  id,
  created_at: z.int(),
  agent: z.string().max(256).optional(),
  origin: z.object({ session: id, entry: id }).optional(),
});
export type TranscriptHeader = z.output<typeof header>;

const body = z.discriminatedUnion('type', [
  z.object({ type: z.literal('message'), role: z.enum(['system', 'user', 'assistant', 'tool']), content: z.json(), meta: z.record(z.string(), z.json()).optional() }), // biome-ignore format: one line
  z.object({ type: z.literal('summary'), text, first: id.optional() }),
  z.object({ type: z.literal('tip'), entry: id }),
  z.object({ type: z.literal('title'), title: z.string().max(1_024) }),
  z.object({ type: z.literal('model'), provider: z.string().max(256), model: z.string().max(256) }),
  z.object({ type: z.literal('note'), kind: z.string().min(1).max(128), data: z.json() }),
]);
const place = z.object({ id, parent: id.optional(), at: z.int() });

export type Transcript = {
  readonly header: TranscriptHeader;
  readonly entries: readonly SessionEntry[];
  readonly damage: readonly Damage[];
  /** Bytes up to the last whole line. */
  readonly bytes: number;
};

/** Undefined when it does not begin as a transcript does. */
export async function readTranscript(content: Buffer): Promise<Transcript | undefined> {
  const bytes = content.lastIndexOf(10) + 1;
  const entries: SessionEntry[] = [];
  const damage: Damage[] = [];
  const known = new Set<string>();
  const begin = content.subarray(0, content.indexOf(10) + 1);
  const first = header.safeParse(parseJson(begin.toString()));
  if (!first.success) return undefined;
  let rested = 0;
  for (let line = 2, from = begin.byteLength; from < bytes; line++) {
    const end = content.indexOf(10, from);
    const read = end - from < ENTRY_BYTES_MAX ? readEntry(parseJson(content.toString('utf8', from, end)), known) : 'it is too long';
    if (typeof read === 'string') damage.push({ line, reason: read });
    else {
      known.add(read.id);
      entries.push(read);
    }
    from = end + 1;
    if (from - rested < READ_AT_ONCE_BYTES) continue;
    rested = from;
    await setImmediate();
  }
  return { header: first.data, entries, damage, bytes };
}

/** With its newline. Throws `invalid_argument` and `too_large`. */
export function writeEntry(entry: SessionEntry): Buffer {
  const { id: entryId, parent, at, ...rest } = entry;
  const parsed = depthOf(rest) > DEPTH_MAX ? undefined : body.safeParse(rest);
  if (parsed?.success !== true) {
    const issue = parsed?.error.issues[0];
    const why = issue === undefined ? `it is deeper than ${DEPTH_MAX}` : `${issue.path.join('.')}: ${issue.message}`;
    throw new Fault('invalid_argument', `Cannot append to the session: ${why}`, { details: { field: String(issue?.path[0] ?? 'entry') } });
  }
  const line = Buffer.from(`${JSON.stringify({ id: entryId, parent, at, ...parsed.data })}\n`);
  if (line.byteLength <= ENTRY_BYTES_MAX) return line;
  throw new Fault('too_large', `Cannot append to the session: an entry has ${line.byteLength} bytes, the limit is ${ENTRY_BYTES_MAX}`);
}

export function writeHeader(given: TranscriptHeader): Buffer {
  return Buffer.from(`${JSON.stringify(given)}\n`);
}

/** An entry, or what is wrong with it. */
function readEntry(value: unknown, known: ReadonlySet<string>): SessionEntry | string {
  if (value === undefined) return 'it is no JSON';
  if (depthOf(value) > DEPTH_MAX) return `it is deeper than ${DEPTH_MAX}`;
  const [at, what] = [place.safeParse(value), body.safeParse(value)];
  if (!at.success || !what.success) return 'it is no entry';
  if (known.has(at.data.id)) return `there is an entry ${at.data.id} before it`;
  const { parent } = at.data;
  if (parent !== undefined && !known.has(parent)) return `there is no entry ${parent} before it`;
  return { ...(what.data as EntryBody), id: at.data.id, parent, at: at.data.at }; // What the schema gives.
}

function parseJson(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined; // It was parsed.
  } catch {
    return undefined; // Whoever reads it is told that it is none.
  }
}

/** Of nested lists and objects; stops where it is enough. */
function depthOf(value: unknown): number {
  let depth = 0;
  for (let level: unknown[] = [value]; depth <= DEPTH_MAX; depth++) {
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []));
    if (level.length === 0) break;
  }
  return depth;
}
