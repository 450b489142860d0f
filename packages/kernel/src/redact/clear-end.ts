/**
 * Whether a text that goes on can be cut at its end: nothing that stands there may be the beginning of a needle, of an escape, of something compressed, or of a run that is decoded as one. No is always safe, and the answer
 * where anything is unusual.
 */
import { digit64 } from './encoded-runs.ts';
import type { Needle } from './secret-needles.ts';
import type { StretchFilter } from './stretch-filter.ts';
import { ESCAPES, EVERY_ESCAPE, type Unescaper } from './unescape.ts';

/** So much of the end is looked at, and so much of that may belong to an escape that began before. */
const ESCAPE_BYTES_MAX = 256;
const ESCAPE_BYTES_CUT = 24;
const GZIP_HEADER_BYTES = 10;
const BITS_LOG = 20;
const LINE_FEED = 0x0a;

export class ClearEnd {
  readonly #stretches: StretchFilter;
  readonly #unescaper: Unescaper;
  readonly #tail = { bytes: Buffer.alloc(ESCAPE_BYTES_MAX + 4), ends: new Int32Array(ESCAPE_BYTES_MAX + 4) };
  /** Beginnings of needles, up to the length of a stretch, without regard to case. */
  readonly #beginnings = new Uint32Array(2 ** (BITS_LOG - 5));

  constructor(needles: readonly Needle[], stretches: StretchFilter, unescaper: Unescaper) {
    this.#stretches = stretches;
    this.#unescaper = unescaper;
    for (const { bytes } of needles)
      for (let length = 1; length <= stretches.length; length++) {
        const bit = beginningBit(bytes, 0, length);
        this.#beginnings[bit >>> 5] = (this.#beginnings[bit >>> 5] as number) | (1 << (bit & 31)); // Within the table.
      }
  }

  isClear(bytes: Uint8Array, end: number): boolean {
    return endsRun(bytes, end) && !mayBeCompressed(bytes, end) && !this.#endsInNeedle(bytes, end);
  }

  #endsInNeedle(bytes: Uint8Array, end: number): boolean {
    const { from, kinds } = this.#readTail(bytes, end);
    if (from < 0 || this.#endsPlainInNeedle(bytes, from, end)) return true;
    if (kinds === 0) return false;
    if ((kinds & (kinds - 1)) !== 0) return true; // Escapes of two syntaxes can be read in several ways.
    const length = this.#unescaper.read(bytes, from, end, kinds, this.#tail, end - from);
    let known = 0;
    while (from > 0 && known < length && (this.#tail.ends[known] as number) <= from + ESCAPE_BYTES_CUT) known++; // The first may be cut.
    return !endsRun(this.#tail.bytes, length) || this.#endsPlainInNeedle(this.#tail.bytes, known, length);
  }

  /** `from`: where it is known from; needles that reach there may have begun before. */
  #endsPlainInNeedle(bytes: Uint8Array, from: number, end: number): boolean {
    const { length } = this.#stretches;
    if (from > 0 && from > end - length) return true;
    for (let count = 1; count < length && count <= end; count++) if (this.#mayBegin(bytes, end - count, count)) return true;
    for (let at = end - length; at >= 0 && this.#stretches.mayHold(bytes, at); at--)
      if ((from > 0 && at === from) || this.#mayBegin(bytes, at, length)) return true;
    return false;
  }

  #mayBegin(bytes: Uint8Array, at: number, length: number): boolean {
    const bit = beginningBit(bytes, at, length);
    return (((this.#beginnings[bit >>> 5] as number) >>> (bit & 31)) & 1) !== 0; // As above.
  }

  /** From where on the end is one line, or -1 when an escape may go on after it; and syntaxes of which there are escapes. */
  #readTail(bytes: Uint8Array, end: number): { readonly from: number; readonly kinds: number } {
    let from = Math.max(0, end - ESCAPE_BYTES_MAX);
    let kinds = 0;
    for (let at = from; at < end; at++) {
      const kind = ESCAPES[bytes[at] as number] as number; // Before the end; there is one for each byte.
      const syntax = kind & EVERY_ESCAPE;
      if (syntax !== 0) {
        const length = this.#unescaper.lengthAt(bytes, at, end, syntax);
        const { byte } = this.#unescaper;
        if (length === 0 || byte < 0 || ESCAPES[byte] !== 0) return { from: -1, kinds };
        kinds |= syntax;
        at += length - 1;
      } else if (kind !== 0 && mayBeWrap(bytes, at, end)) from = at + 1;
    }
    return { from, kinds };
  }
}

/** Behind a line without anything, or behind what no run has. */
function endsRun(bytes: Uint8Array, end: number): boolean {
  let last = end;
  let lines = 0;
  while (last > 0 && (bytes[last - 1] === LINE_FEED || bytes[last - 1] === 0x0d)) if (bytes[--last] === LINE_FEED) lines += 1;
  if (lines > 1) return true;
  const byte = last > 0 ? (bytes[last - 1] as number) : 0x20; // Before the end.
  return '"\'{}[]()<>;!?*#$@~^`'.includes(String.fromCharCode(byte));
}

function mayBeCompressed(bytes: Uint8Array, end: number): boolean {
  if (bytes.subarray(Math.max(0, end - GZIP_HEADER_BYTES), end).includes(0x1f)) return true;
  return bytes.subarray(Math.max(0, end - 2), end).includes(0x78);
}

/** The end of a line behind a word, with a next line that is not empty. */
function mayBeWrap(bytes: Uint8Array, at: number, end: number): boolean {
  if (bytes[at] !== LINE_FEED) return false;
  const before = bytes[at - 1] === 0x0d ? at - 2 : at - 1;
  const isEmptyNext = at + 1 < end && (bytes[at + 1] === LINE_FEED || bytes[at + 1] === 0x0d);
  return !isEmptyNext && (before < 0 || digit64(bytes, before) >= 0 || bytes[before] === 0x2e);
}

function beginningBit(bytes: Uint8Array, at: number, length: number): number {
  let hash = length;
  for (let index = 0; index < length; index++) hash = Math.imul(hash ^ ((bytes[at + index] as number) | 0x20), 0x01000193) + 0x9e3779b9; // Within the bytes.
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x85ebca6b) >>> (32 - BITS_LOG);
}
