/**
 * A part of a text in which escapes stand close together, read as a whole: once in each syntax that there is, and once in all of them. One by one each would be read on from, for it may be the first of a secret.
 */
import type { Decoded } from './encoded-runs.ts';
import { ESCAPES, EVERY_ESCAPE, type Unescaper } from './unescape.ts';

/** So many, each so close to the one before, are worth it. */
export const CLOSE_BYTES = 6;
export const CLOSE_COUNT = 24;

const LENGTH_MAX = 16_384;
/** Behind it: as much as a needle may go on for in two encodings, or, where no escape follows, as it is. */
const ESCAPED_BEHIND = 4_096;
const PLAIN_BEHIND = 192;

export type EscapedRegion = {
  readonly readings: readonly Decoded[];
  /** Escapes before it have been read. */
  readonly next: number;
};

/** `before`: how many bytes before the first escape belong to it. */
export function readEscapedRegion(unescaper: Unescaper, bytes: Uint8Array, at: number, end: number, before: number): EscapedRegion {
  let kinds = 0;
  let next = at;
  let stop = at;
  const limit = Math.min(end, at + LENGTH_MAX + ESCAPED_BEHIND);
  while (stop < limit && stop - next < PLAIN_BEHIND) {
    const kind = (ESCAPES[bytes[stop] as number] as number) & EVERY_ESCAPE; // Before the end; there is one for each byte.
    const length = kind === 0 ? 0 : unescaper.lengthAt(bytes, stop, end, kind);
    if (length > 0) kinds |= kind;
    stop += Math.max(1, length);
    if (length > 0) next = stop;
  }
  stop = Math.min(stop, end);
  const start = Math.max(0, at - before);
  const each = [...bitsOf(kinds)];
  const readings = (each.length > 1 ? [...each, kinds] : each).map((syntaxes) => read(unescaper, bytes, start, stop, syntaxes));
  return { readings, next: stop === end ? next : Math.min(next, at + LENGTH_MAX) };
}

function read(unescaper: Unescaper, source: Uint8Array, from: number, to: number, syntaxes: number): Decoded {
  const bytes = Buffer.allocUnsafe(to - from + 4);
  const ends = new Int32Array(to - from + 4);
  const length = unescaper.read(source, from, to, syntaxes, { bytes, ends }, to - from);
  return {
    bytes,
    length,
    sourceOf: (start, end) => [start === 0 ? from : (ends[start - 1] as number), ends[end - 1] as number], // Within what was read.
  };
}

function* bitsOf(kinds: number): Generator<number> {
  for (let bit = 1; bit <= kinds; bit <<= 1) if ((kinds & bit) !== 0) yield bit;
}
