/** Lists of patterns of one kind: what a process holds is the union. */
import { Fault } from '@warren/protocol';
import type { PatternKind } from './pattern-kind.ts';

const ENTRIES_MAX = 256;
/** Of the list as JSON. */
const BYTES_MAX = 32_768;
/** Characters of what was given that an error repeats. */
const SHOWN_MAX = 80;
/** Common parts of two lists that are looked at. */
const PARTS_MAX = 2 * ENTRIES_MAX;

/** What a caller gave, in canonical form and without repeats, in the order given. Throws `grant_invalid` with the field. */
export function parsePatterns<Value, Pattern>(kind: PatternKind<Value, Pattern>, entries: unknown): readonly Value[] {
  if (!Array.isArray(entries)) throw invalid(kind, 'it is no list');
  if (entries.length > ENTRIES_MAX) throw invalid(kind, `it has ${entries.length} entries, the limit is ${ENTRIES_MAX}`);
  const values = new Map<string, Value>();
  for (const entry of entries) addOnce(values, kind.write(parseOne(kind, entry)));
  const bytes = bytesOf([...values.values()]);
  if (bytes > BYTES_MAX) throw invalid(kind, `it has ${bytes} bytes, the limit is ${BYTES_MAX}`);
  return [...values.values()];
}

/** Whether everything in `inner` is in `outer`. */
export function coversList<Value, Pattern>(kind: PatternKind<Value, Pattern>, outer: readonly Value[], inner: readonly Value[]): boolean {
  const patterns = outer.map(kind.read);
  return inner.every((value) => coversOne(kind, patterns, kind.read(value)));
}

/** Whether one of the patterns has what is asked for. */
export function hasOne<Value, Pattern>(kind: PatternKind<Value, Pattern>, held: readonly Value[], asked: Pattern | undefined): boolean {
  return asked !== undefined && held.some((value) => kind.covers(kind.read(value), asked));
}

/**
 * All that is in both lists. A list that is within the other stays as it is written. Where the result would be longer than a list may be,
 * its end is left out: taking away must not fail because of what there is to take from.
 */
export function meetLists<Value, Pattern>(kind: PatternKind<Value, Pattern>, a: readonly Value[], b: readonly Value[]): readonly Value[] {
  if (coversList(kind, b, a)) return a;
  if (coversList(kind, a, b)) return b;
  return cut(withoutCovered(kind, commonParts(kind, a.map(kind.read), b.map(kind.read))));
}

function parseOne<Value, Pattern>(kind: PatternKind<Value, Pattern>, entry: unknown): Pattern {
  const pattern = kind.parse(entry);
  if (pattern === undefined) throw invalid(kind, `${show(entry)} is not ${kind.shape}`);
  return pattern;
}

function coversOne<Value, Pattern>(kind: PatternKind<Value, Pattern>, outer: readonly Pattern[], inner: Pattern): boolean {
  return outer.some((each) => kind.covers(each, inner));
}

function commonParts<Value, Pattern>(kind: PatternKind<Value, Pattern>, a: readonly Pattern[], b: readonly Pattern[]): readonly Value[] {
  const parts = new Map<string, Value>();
  for (const one of a) {
    for (const other of b) {
      const part = kind.meet(one, other);
      if (part !== undefined) addOnce(parts, kind.write(part));
      if (parts.size === PARTS_MAX) return [...parts.values()];
    }
  }
  return [...parts.values()];
}

function addOnce<Value>(values: Map<string, Value>, value: Value): void {
  const key = JSON.stringify(value);
  if (!values.has(key)) values.set(key, value);
}

function withoutCovered<Value, Pattern>(kind: PatternKind<Value, Pattern>, values: readonly Value[]): readonly Value[] {
  const patterns = values.map(kind.read);
  return values.filter((_, index) => {
    const pattern = patterns[index];
    return pattern !== undefined && !patterns.some((other, at) => at !== index && kind.covers(other, pattern));
  });
}

function cut<Value>(values: readonly Value[]): readonly Value[] {
  const kept: Value[] = [];
  let bytes = 2;
  for (const value of values.slice(0, ENTRIES_MAX)) {
    bytes += bytesOf(value) + 1;
    if (bytes > BYTES_MAX) break;
    kept.push(value);
  }
  return kept;
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** As it was given, or as much of it as fits in a line. */
function show(entry: unknown): string {
  if (typeof entry === 'string') return JSON.stringify(entry.length > SHOWN_MAX ? `${entry.slice(0, SHOWN_MAX)}…` : entry);
  if (typeof entry !== 'object' || entry === null) return `an entry of type ${typeof entry}`;
  const fields = Object.entries(entry).slice(0, 4);
  const shown = fields.map(([name, value]) => `${name.slice(0, 16)} ${typeof value === 'string' ? show(value) : typeof value}`);
  return shown.length === 0 ? 'an entry without fields' : `the entry with ${shown.join(', ')}`;
}

function invalid<Value, Pattern>({ field }: PatternKind<Value, Pattern>, why: string): Fault {
  return new Fault('grant_invalid', `Cannot use ${field}: ${why}`, { details: { field } });
}
