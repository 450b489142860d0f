/**
 * Needles by four bytes of theirs. A table of bits says where looking closer is worth it; what it says for each place is certain only when it says no.
 * Grams are compared without regard to case, needles with it or without, as they say.
 */
import type { Needle } from './secret-needles.ts';

export const GRAM_BYTES = 4;
/** A gram and the two bytes behind it: digits alone have too few grams to tell anything. */
export const WIDE_BYTES = 6;
export const CASE_BITS = 0x20202020;
const MULTIPLIER = 0x9e3779b1;
const SPREAD = 0x85ebca6b;
const BITS_LOG_MIN = 14;
const BITS_LOG_MAX = 23;
/** Bits of the table for each gram: one in so many says yes without reason. */
const BITS_PER_GRAM = 32;

/** At the end of a text that was cut, so much of a needle is enough: whoever has it can guess the rest. */
const CUT_SHARE = 0.75;

export type Tell = (start: number, end: number, secret: number) => void;

/** Of one needle, at which places its grams are kept. */
export type Places = (needle: Needle) => Iterable<number>;

export class GramIndex {
  readonly #needles: readonly Needle[];
  readonly #bits: Uint32Array;
  readonly #bitShift: number;
  /** Whether the table of bits is by two bytes more. */
  readonly #isWide: boolean;
  readonly #heads: Int32Array;
  readonly #headShift: number;
  readonly #next: Int32Array;
  readonly #grams: Int32Array;
  readonly #needleOf: Int32Array;
  readonly #offsets: Uint8Array;

  /** `isWide`: `nextIn` is asked, and there are two bytes behind every gram. */
  constructor(needles: readonly Needle[], places: Places, isWide = false) {
    const entries = needles.flatMap((needle, index) => [...places(needle)].map((offset) => ({ index, offset })));
    const bitsLog = Math.min(BITS_LOG_MAX, Math.max(BITS_LOG_MIN, Math.ceil(Math.log2(1 + entries.length * BITS_PER_GRAM))));
    const headsLog = Math.max(8, Math.ceil(Math.log2(1 + entries.length)));
    this.#needles = needles;
    this.#isWide = isWide;
    this.#bits = new Uint32Array(2 ** (bitsLog - 5));
    this.#bitShift = 32 - bitsLog;
    this.#heads = new Int32Array(2 ** headsLog).fill(-1);
    this.#headShift = 32 - headsLog;
    this.#next = new Int32Array(entries.length);
    this.#grams = new Int32Array(entries.length);
    this.#needleOf = new Int32Array(entries.length);
    this.#offsets = new Uint8Array(entries.length);
    for (const [entry, { index, offset }] of entries.entries()) this.#insert(entry, index, offset);
  }

  #insert(entry: number, index: number, offset: number): void {
    const bytes = this.#needles[index]?.bytes ?? NOTHING;
    const gram = gramAt(bytes, offset);
    const hash = Math.imul(gram, MULTIPLIER);
    const two = (bytes[offset + 4] ?? 0) | ((bytes[offset + 5] ?? 0) << 8) | 0x2020;
    const bit = (this.#isWide ? Math.imul(gram ^ Math.imul(two, SPREAD), MULTIPLIER) : hash) >>> this.#bitShift;
    this.#bits[bit >>> 5] = (this.#bits[bit >>> 5] ?? 0) | (1 << (bit & 31));
    const head = hash >>> this.#headShift;
    this.#next[entry] = this.#heads[head] ?? -1;
    this.#heads[head] = entry;
    this.#grams[entry] = gram;
    this.#needleOf[entry] = index;
    this.#offsets[entry] = offset;
  }

  /** Whether a needle may stand around a place, as far as can be seen from `from` to `end`. */
  mayStand(bytes: Uint8Array, at: number, from: number, end: number): boolean {
    const gram = gramAt(bytes, at);
    const hash = Math.imul(gram, MULTIPLIER);
    const bit = hash >>> this.#bitShift;
    if ((((this.#bits[bit >>> 5] as number) >>> (bit & 31)) & 1) === 0) return false; // Within the table, whatever the gram.
    let entry = this.#heads[hash >>> this.#headShift] as number; // As above.
    for (; entry >= 0; entry = this.#next[entry] as number) {
      if (this.#grams[entry] !== gram) continue;
      const needle = this.#needles[this.#needleOf[entry] as number] as Needle; // Of an entry that is there.
      const start = at - (this.#offsets[entry] as number);
      const seen = { start, at, from: Math.max(from, start), end: Math.min(end, start + needle.bytes.length) };
      if (stands(needle, bytes, seen)) return true;
    }
    return false;
  }

  /** The next place of every `stride` from `from` on where a gram may stand, or -1. This is where the time goes. */
  nextIn(view: DataView, from: number, end: number, stride: number): number {
    const bits = this.#bits;
    const shift = this.#bitShift;
    if (!this.#isWide) {
      for (let at = from; at <= end - GRAM_BYTES; at += stride) {
        const bit = Math.imul(view.getInt32(at, true) | CASE_BITS, MULTIPLIER) >>> shift;
        if ((((bits[bit >>> 5] as number) >>> (bit & 31)) & 1) !== 0) return at; // As above.
      }
      return -1;
    }
    for (let at = from; at <= end - WIDE_BYTES; at += stride) {
      const two = view.getUint16(at + GRAM_BYTES, true) | 0x2020;
      const bit = Math.imul((view.getInt32(at, true) | CASE_BITS) ^ Math.imul(two, SPREAD), MULTIPLIER) >>> shift;
      if ((((bits[bit >>> 5] as number) >>> (bit & 31)) & 1) !== 0) return at; // As above.
    }
    return -1;
  }

  /** Tells every needle that stands around a place, whole between `from` and `end`. */
  around(bytes: Uint8Array, at: number, from: number, end: number, tell: Tell): void {
    const gram = gramAt(bytes, at);
    let entry = this.#heads[Math.imul(gram, MULTIPLIER) >>> this.#headShift] as number; // Within the table.
    for (; entry >= 0; entry = this.#next[entry] as number) {
      if (this.#grams[entry] !== gram) continue;
      const needle = this.#needles[this.#needleOf[entry] as number] as Needle; // Of an entry that is there.
      const start = at - (this.#offsets[entry] as number);
      const stop = start + needle.bytes.length;
      if (start >= from && stop <= end && stands(needle, bytes, { start, at, from: start, end: stop })) tell(start, stop, needle.secret);
    }
  }

  /** Tells every needle that a text was cut within, when enough of it is left. */
  cut(bytes: Uint8Array, at: number, end: number, tell: Tell): void {
    const gram = gramAt(bytes, at);
    let entry = this.#heads[Math.imul(gram, MULTIPLIER) >>> this.#headShift] as number; // As above.
    for (; entry >= 0; entry = this.#next[entry] as number) {
      if (this.#grams[entry] !== gram) continue;
      const needle = this.#needles[this.#needleOf[entry] as number] as Needle; // As above.
      const start = at - (this.#offsets[entry] as number);
      const whole = needle.bytes.length;
      const [from, stop] = [Math.max(0, start), Math.min(end, start + whole)];
      const left = stop - from;
      if (left < whole && left >= CUT_SHARE * whole && stands(needle, bytes, { start, at, from, end: stop }))
        tell(from, stop, needle.secret);
    }
  }
}

type Around = { readonly start: number; readonly at: number; readonly from: number; readonly end: number };

/** From the gram on first: what needles share stands at their beginnings. */
function stands({ bytes: needle, isAnyCase }: Needle, bytes: Uint8Array, { start, at, from, end }: Around): boolean {
  const mask = isAnyCase ? 0x20 : 0;
  for (let place = at; place < end; place++) if (((bytes[place] as number) | mask) !== needle[place - start]) return false; // Within the bytes.
  for (let place = from; place < at; place++) if (((bytes[place] as number) | mask) !== needle[place - start]) return false; // As above.
  return true;
}

export function gramAt(bytes: Uint8Array, at: number): number {
  const gram =
    (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
  return gram | CASE_BITS;
}

const NOTHING = new Uint8Array(0);
