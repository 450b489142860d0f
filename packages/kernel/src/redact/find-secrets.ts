/** Where known secrets stand in bytes, in whichever encoding. */
import { ClearEnd } from './clear-end.ts';
import { type Decoded, findRuns, runLengthFor } from './encoded-runs.ts';
import { CLOSE_BYTES, CLOSE_COUNT, readEscapedRegion } from './escaped-region.ts';
import { CASE_BITS, GRAM_BYTES, GramIndex, gramAt, type Tell, WIDE_BYTES } from './gram-index.ts';
import { Inflater, type MemberPart } from './inflate-member.ts';
import { type Range, RangeList } from './ranges.ts';
import { COMPRESSED, type KnownSecret, makeNeedles, NEEDLE_BYTES_MAX, type Needle } from './secret-needles.ts';
import { StretchFilter } from './stretch-filter.ts';
import { BACKSLASH, COLOUR, ENTITY, ESCAPED_WRAP, ESCAPES, EVERY_ESCAPE, PERCENT, QUOTED, Unescaper, WRAP } from './unescape.ts';

const STRIDE_MAX = 8;
/** Needles this long have room for wide grams. */
const WIDE_FROM = 9;
/** Of what was compressed, in one text, in bytes written. */
const INFLATE_WORK_MAX = 67_108_864;
/** Decoded twice, and what is compressed within that. */
const DEPTH_MAX = 2;

/** What a byte may begin. */
const ESCAPE = 1;
const LINE_END = 2;
const MEMBER = 4;
const BEGINNINGS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === 0x0a) return LINE_END;
  if (byte === 0x1f || byte === 0x78) return MEMBER;
  return ((ESCAPES[byte] as number) & EVERY_ESCAPE) === 0 ? 0 : ESCAPE; // There is one for each byte.
});

/** A place where an escape begins: what stands before, as it is, and what stands from there on, as it is meant. */
const BEFORE = NEEDLE_BYTES_MAX;
const AFTER = NEEDLE_BYTES_MAX;
/** So many of the latter decide whether to look closer. */
const GLANCE = 2 * GRAM_BYTES - 1;
/** The longest stretch without its last byte. */
const LENGTH_BEFORE = 5;
/** Of what means one byte in its second reading. */
const LONGEST = 16;
const SYNTAXES = [PERCENT, BACKSLASH, ENTITY, QUOTED, COLOUR];

export class SecretFinder {
  readonly count: number;
  readonly skipped: number;
  /** Of all needles, in bytes. */
  readonly shortest: number;
  readonly #stride: number;
  readonly #runLengthMin: number;
  /** Grams of one window of each needle: every `stride` bytes of a text is enough to find one. */
  readonly #inText: GramIndex;
  /** Grams from one end of each needle to the other: one stands wherever a needle is interrupted. */
  readonly #anywhere: GramIndex;
  readonly #stretches: StretchFilter;
  /** 1 for each two bytes that follow on each other in a needle. */
  readonly #pairs = new Uint8Array(65_536);
  readonly #unescaper = new Unescaper();
  readonly #clearEnd: ClearEnd;
  readonly #joint = Buffer.alloc(BEFORE + AFTER + 4);
  readonly #jointEnds = new Int32Array(AFTER + 4);
  readonly #once = { bytes: Buffer.alloc(LONGEST * AFTER), ends: new Int32Array(LONGEST * AFTER) };
  #glanced = 0;
  readonly #after: { readonly bytes: Uint8Array; readonly ends: Int32Array };

  constructor(secrets: readonly KnownSecret[]) {
    const { needles, count, skipped } = makeNeedles(secrets);
    this.count = count;
    this.skipped = skipped;
    this.shortest = needles.reduce((least, { bytes }) => Math.min(least, bytes.length), Number.POSITIVE_INFINITY);
    this.#runLengthMin = runLengthFor(this.shortest);
    const width = this.shortest >= WIDE_FROM ? WIDE_BYTES : GRAM_BYTES;
    this.#stride = Math.max(1, Math.min(STRIDE_MAX, this.shortest - width + 1));
    this.#inText = new GramIndex(needles, chooseWindows(needles, this.#stride, width), width === WIDE_BYTES);
    this.#anywhere = new GramIndex(needles, throughout);
    this.#stretches = new StretchFilter(needles, this.shortest);
    this.#clearEnd = new ClearEnd(needles, this.#stretches, this.#unescaper);
    for (const needle of needles) markPairs(this.#pairs, needle);
    this.#after = { bytes: this.#joint.subarray(BEFORE), ends: this.#jointEnds };
  }

  /** `edges`: whether the bytes begin or end where somebody may have cut them. */
  find(bytes: Uint8Array, { edges }: { readonly edges: boolean }): Found {
    const found: Finding = { ranges: new RangeList(), openAt: undefined };
    if (this.count > 0) {
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength); // The same bytes, of the one kind that all else is.
      const inflater = new Inflater(INFLATE_WORK_MAX);
      this.#search(buffer, buffer.byteLength, { found, inflater, depth: 0, joined: new Set() });
      if (edges) this.#lookAtEdges(buffer, found.ranges);
    }
    return { ranges: found.ranges.all, openAt: found.openAt };
  }

  /** Whether nothing that goes on behind the end can be a secret that began before it. */
  isClearAt(bytes: Uint8Array, end: number): boolean {
    return this.count === 0 || this.#clearEnd.isClear(bytes, end);
  }

  #search(bytes: Uint8Array, end: number, search: Search): void {
    const { ranges } = search.found;
    const tell = (start: number, stop: number, secret: number): void => ranges.add(start, stop, secret);
    const view = new DataView(bytes.buffer, bytes.byteOffset, end);
    for (let at = 0; ; at += this.#stride) {
      at = this.#inText.nextIn(view, at, end, this.#stride);
      if (at < 0) break;
      this.#inText.around(bytes, at, 0, end, tell);
    }
    let [closeCount, lastEscapeAt, readTo] = [0, 0, 0];
    for (let at = nextBeginning(bytes, 0, end); at < end; at = nextBeginning(bytes, at + 1, end)) {
      const beginning = BEGINNINGS[bytes[at] as number]; // Before the end.
      if (beginning === ESCAPE) {
        if (at < readTo || !this.#lookAtEscape(bytes, at, end, tell)) continue;
        closeCount = at - lastEscapeAt > CLOSE_BYTES ? 0 : closeCount + 1;
        lastEscapeAt = at;
        if (closeCount >= CLOSE_COUNT && search.depth < DEPTH_MAX) readTo = this.#searchEscaped(bytes, at, end, search);
      } else if (beginning === LINE_END) this.#lookAtLineEnd(bytes, at, end, tell);
      else if (!search.joined.has(at)) at = this.#lookAtMember(bytes, at, end, search);
    }
    if (search.depth < DEPTH_MAX) findRuns(bytes, end, this.#runLengthMin, (decoded) => this.#searchRun(decoded, end, search));
  }

  #lookAtEdges(bytes: Uint8Array, ranges: RangeList): void {
    const end = bytes.byteLength;
    const look = (at: number): void => {
      if (at >= 0 && at + GRAM_BYTES <= end) this.#anywhere.cut(bytes, at, end, (start, stop, secret) => ranges.add(start, stop, secret));
    };
    for (let index = 0; index < GRAM_BYTES; index++) look(index);
    for (let index = 0; index < GRAM_BYTES; index++) look(end - GRAM_BYTES - index);
  }

  /** Returns up to where escapes have been read. */
  #searchEscaped(bytes: Uint8Array, at: number, end: number, search: Search): number {
    const { readings, next } = readEscapedRegion(this.#unescaper, bytes, at, end, BEFORE);
    for (const reading of readings) this.#searchRun(reading, end, search);
    return next;
  }

  #searchRun({ bytes, length, sourceOf }: Decoded, end: number, { found, inflater, depth }: Search): void {
    const inside: Finding = { ranges: new RangeList(), openAt: undefined };
    this.#search(bytes, length, { found: inside, inflater, depth: depth + 1, joined: new Set() });
    for (const { start, end: stop, secret } of inside.ranges.all) found.ranges.add(...sourceOf(start, stop), secret);
    const isLast = inside.openAt !== undefined && sourceOf(length - 1, length)[1] + 4 >= end;
    if (isLast && inside.openAt !== undefined) found.openAt ??= sourceOf(inside.openAt, inside.openAt + 1)[0];
  }

  /** Members that hold a secret go as a whole. Returns where to look on: also within them, since what was read may only look like one. */
  #lookAtMember(bytes: Uint8Array, at: number, end: number, { found, inflater, depth, joined }: Search): number {
    const member = depth > DEPTH_MAX ? undefined : inflater.read(bytes, at, end);
    if (member === undefined) return at;
    if (member.kind === 'too_large') {
      found.ranges.add(at, end, COMPRESSED);
      return end;
    }
    const { plain, parts, isCut } = member;
    for (const { start } of parts) joined.add(start);
    if (isCut) found.openAt ??= at;
    if (plain.byteLength >= this.shortest) {
      const inside: Finding = { ranges: new RangeList(), openAt: undefined };
      this.#search(plain, plain.byteLength, { found: inside, inflater, depth: depth + 1, joined: new Set() });
      for (const { start, end: stop, secret } of inside.ranges.all) found.ranges.add(...membersAt(parts, start, stop), secret);
    }
    return at;
  }

  /**
   * Of a needle that is written with escapes, the first of them: before it everything stands as it is. What follows at a glance says whether one may stand here, read as what its own syntax means, and, where
   * there are other escapes or escapes within what was read, as these mean too. False when there is none.
   */
  #lookAtEscape(bytes: Uint8Array, at: number, end: number, tell: Tell): boolean {
    const own = (ESCAPES[bytes[at] as number] as number) & EVERY_ESCAPE; // There is one for each byte.
    const length = this.#unescaper.lengthAt(bytes, at, end, own);
    if (length === 0) {
      if (this.#isInterrupted(bytes, at, end, own) && this.#isWorthIt(bytes, at, end, own)) this.#lookInEveryWay(bytes, at, end, own, tell);
      return false;
    }
    if (bytes[at - 1] === 0x0d && this.#unescaper.byte === 0x0a) this.#lookAtHalfEscapedLineEnd(bytes, at - 1, end, own, tell);
    else if (!this.#mayBeWithin(bytes, at, at + length, end)) return true;
    if (this.#isPlainAround(bytes, at, at + length, end)) return true;
    const isWrap = own === BACKSLASH && isWithinWord(bytes, at - 1) && this.#unescaper.lengthAt(bytes, at, end, ESCAPED_WRAP) > 0;
    if (isWrap && this.#glance(bytes, at, end, { first: ESCAPED_WRAP, second: 0 }))
      this.#lookCloser(bytes, at, end, { first: ESCAPED_WRAP, second: 0 }, tell);
    if (this.#isWorthIt(bytes, at, end, own)) this.#lookInEveryWay(bytes, at, end, own, tell);
    return true;
  }

  #lookInEveryWay(bytes: Uint8Array, at: number, end: number, own: number, tell: Tell): void {
    for (const reading of this.#readingsOf(bytes, at, end, own)) this.#lookCloser(bytes, at, end, reading, tell);
  }

  /** Whether it is none only because a part of it is written with an escape itself. */
  #isInterrupted(bytes: Uint8Array, at: number, end: number, own: number): boolean {
    const next = at + 1 < end ? (bytes[at + 1] as number) : 0; // Before the end.
    const isLong = own === BACKSLASH ? (next | 0x20) === 0x75 || next === 0x78 : own === ENTITY && next === 0x23;
    const limit = Math.min(end, at + (isLong ? 12 : 3));
    for (let place = at + 1; place < limit; place++) {
      const kind = (ESCAPES[bytes[place] as number] as number) & EVERY_ESCAPE & ~own; // As above; there is one for each byte.
      if (kind !== 0) return this.#unescaper.lengthAt(bytes, place, end, kind) > 0;
    }
    return false;
  }

  /** Some write a line feed as an escape and leave the carriage return before it as it is. */
  #lookAtHalfEscapedLineEnd(bytes: Uint8Array, at: number, end: number, own: number, tell: Tell): void {
    const reading = { first: own, second: WRAP };
    if (isWithinWord(bytes, at - 1) && this.#glance(bytes, at, end, reading)) this.#lookCloser(bytes, at, end, reading, tell);
  }

  /** Most often nothing else is escaped close by: then it takes no reading to see that no needle stands here. */
  #isPlainAround(bytes: Uint8Array, at: number, next: number, end: number): boolean {
    const { byte } = this.#unescaper;
    const { length } = this.#stretches;
    if (byte < 0 || ESCAPES[byte] !== 0 || at < length || next + GLANCE > end) return false;
    for (let index = 0; index < GLANCE; index++) if (ESCAPES[bytes[next + index] as number] !== 0) return false; // So many are there.
    for (let index = 1; index < length; index++) {
      this.#joint[BEFORE - index] = bytes[at - index] as number; // As above.
      this.#joint[BEFORE + index] = bytes[next + index - 1] as number;
    }
    this.#joint[BEFORE] = byte;
    return !this.#stretches.mayHold(this.#joint, BEFORE) && !this.#stretches.mayHold(this.#joint, BEFORE - length + 1);
  }

  /** The cheapest of questions: whether any needle has what was just read next to what stands before it or after it. What is not one byte, or may be an escape itself, may be anywhere. */
  #mayBeWithin(bytes: Uint8Array, at: number, next: number, end: number): boolean {
    const byte = this.#unescaper.byte;
    if (bytes[at] === 0x1b && at > 0 && next < end)
      return ESCAPES[bytes[next] as number] !== 0 || this.#pairs[((bytes[at - 1] as number) << 8) | (bytes[next] as number)] === 1; // They are there.
    if (byte < 0) return true;
    if (at > 0 && this.#pairs[((bytes[at - 1] as number) << 8) | byte] === 1) return true; // Not before the beginning.
    const after = next < end ? (bytes[next] as number) : 0;
    if (byte === 0x0a) return isWithinWord(bytes, at - 1) && (isWithinWord(bytes, next) || ESCAPES[after] !== 0 || after === 0x20);
    return ESCAPES[byte] !== 0 || ESCAPES[after] !== 0 || this.#pairs[(byte << 8) | after] === 1;
  }

  #isWorthIt(bytes: Uint8Array, at: number, end: number, own: number): boolean {
    if (this.#glance(bytes, at, end, { first: own, second: 0 })) return true;
    const { others } = this.#unescaper;
    const within = this.#unescaper.kindsIn(this.#joint, BEFORE, BEFORE + this.#glanced);
    if (others === 0 && within === 0) return false;
    if (others !== 0 && this.#glance(bytes, at, end, { first: EVERY_ESCAPE, second: 0 })) return true;
    if (secondsOf(within).some((second) => this.#glance(bytes, at, end, { first: own, second }))) return true;
    return SYNTAXES.some((each) => (others & each) !== 0 && this.#glance(bytes, at, end, { first: each, second: EVERY_ESCAPE }));
  }

  /** All ways to read what stands here that may differ. */
  #readingsOf(bytes: Uint8Array, at: number, end: number, own: number): readonly Reading[] {
    const filled = this.#read(bytes, at, end, { first: own, second: 0 }, AFTER);
    const { others } = this.#unescaper;
    const within = this.#unescaper.kindsIn(this.#joint, BEFORE, BEFORE + filled) | others;
    const firsts = others === 0 ? [own] : [own, EVERY_ESCAPE, ...SYNTAXES.filter((each) => (others & each) !== 0)];
    return firsts.flatMap((first) => [0, ...secondsOf(within | (others === 0 ? 0 : own))].map((second) => ({ first, second })));
  }

  #lookAtLineEnd(bytes: Uint8Array, at: number, end: number, tell: Tell): void {
    const start = bytes[at - 1] === 0x0d ? at - 1 : at;
    if (!isWithinWord(bytes, start - 1)) return;
    const next = start + this.#unescaper.lengthAt(bytes, start, end, WRAP);
    if (next >= end || !(isWithinWord(bytes, next) || bytes[next] === 0x26)) return;
    let isWorthIt = this.#glance(bytes, start, end, { first: WRAP, second: 0 });
    const { others } = this.#unescaper;
    isWorthIt ||= SYNTAXES.some((each) => (others & each) !== 0 && this.#glance(bytes, start, end, { first: each, second: WRAP }));
    if (isWorthIt)
      for (const first of [WRAP, ...SYNTAXES]) this.#lookCloser(bytes, start, end, { first, second: first === WRAP ? 0 : WRAP }, tell);
  }

  /** Whether a needle may be interrupted here. */
  #glance(bytes: Uint8Array, at: number, end: number, reading: Reading): boolean {
    const { length } = this.#stretches;
    const before = Math.min(at, GRAM_BYTES);
    for (let index = 1; index <= LENGTH_BEFORE && index <= at; index++) this.#joint[BEFORE - index] = bytes[at - index] as number; // Not before the beginning.
    this.#glanced = this.#read(bytes, at, end, reading, GLANCE);
    const isBehind = at >= length - 1 && this.#glanced > 0 && this.#stretches.mayHold(this.#joint, BEFORE - length + 1);
    const isAhead = this.#glanced >= length && this.#stretches.mayHold(this.#joint, BEFORE);
    if (!isBehind && !isAhead) return false;
    const [from, stop] = [BEFORE - before, BEFORE + Math.min(GLANCE, this.#glanced)];
    for (let place = from; place + GRAM_BYTES <= stop; place++) if (this.#anywhere.mayStand(this.#joint, place, from, stop)) return true;
    return false;
  }

  #lookCloser(bytes: Uint8Array, at: number, end: number, reading: Reading, tell: Tell): void {
    const before = Math.min(at, BEFORE);
    const from = BEFORE - before;
    this.#joint.set(bytes.subarray(at - before, at), from);
    const stop = BEFORE + this.#read(bytes, at, end, reading, AFTER);
    const source = (place: number): number => (place <= BEFORE ? at + place - BEFORE : (this.#jointEnds[place - BEFORE - 1] as number)); // Within what was read.
    for (let place = Math.max(from, BEFORE - GRAM_BYTES); place <= Math.min(stop, BEFORE + GLANCE) - GRAM_BYTES; place++)
      this.#anywhere.around(this.#joint, place, from, stop, (start, needleEnd, secret) => tell(source(start), source(needleEnd), secret));
  }

  /** Into what stands after the joint. */
  #read(bytes: Uint8Array, at: number, end: number, { first, second }: Reading, count: number): number {
    if (second === 0) return this.#unescaper.read(bytes, at, end, first, this.#after, count);
    const once = this.#unescaper.read(bytes, at, end, first, this.#once, Math.min(LONGEST * count, this.#once.bytes.length - 4));
    const filled = this.#unescaper.read(this.#once.bytes, 0, once, second, this.#after, count);
    for (let index = 0; index < filled; index++) this.#jointEnds[index] = this.#once.ends[(this.#jointEnds[index] as number) - 1] as number; // Each ends behind one that was read.
    return filled;
  }
}

/** In no order, and they may overlap. `openAt`: where something compressed begins that goes on after the end. */
export type Found = { readonly ranges: readonly Range[]; readonly openAt: number | undefined };

type Finding = { readonly ranges: RangeList; openAt: number | undefined };
type Search = {
  readonly found: Finding;
  readonly inflater: Inflater;
  readonly depth: number;
  /** Where members begin that were read together with those before them. */
  readonly joined: Set<number>;
};
/** Syntaxes, and those in which what was read is read once more, if any. */
type Reading = { readonly first: number; readonly second: number };

/** Each of some kinds, and all of them. */
function secondsOf(kinds: number): readonly number[] {
  const each = [...SYNTAXES, WRAP].filter((kind) => (kinds & kind) !== 0);
  return each.length > 1 ? [...each, kinds & EVERY_ESCAPE] : each;
}

/** Of what they hold, from `start` to `end`. */
function membersAt(parts: readonly MemberPart[], start: number, end: number): readonly [start: number, end: number] {
  const first = parts.findLast(({ plainStart }) => plainStart <= start) ?? parts[0];
  const last = parts.findLast(({ plainStart }) => plainStart < end) ?? first;
  return [first?.start ?? 0, last?.end ?? 0];
}

function nextBeginning(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  for (; at + 4 <= end; at += 4) {
    const any =
      (BEGINNINGS[bytes[at] as number] as number) | // Four are there, and there is a mark for each byte.
      (BEGINNINGS[bytes[at + 1] as number] as number) |
      (BEGINNINGS[bytes[at + 2] as number] as number) |
      (BEGINNINGS[bytes[at + 3] as number] as number);
    if (any !== 0) break;
  }
  while (at < end && BEGINNINGS[bytes[at] as number] === 0) at++;
  return at;
}

/** Letters, digits and what else base64 has. */
function isWithinWord(bytes: Uint8Array, at: number): boolean {
  const byte = bytes[at];
  if (byte === undefined) return false;
  if ((byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x2f && byte <= 0x39)) return true;
  return byte === 0x2b || byte === 0x2d || byte === 0x5f;
}

/** Of each needle the window whose grams the fewest others have: many keys begin alike. */
function chooseWindows(needles: readonly Needle[], stride: number, width: number): (needle: Needle) => readonly number[] {
  const counts = new Uint16Array(2 ** 18);
  const slotOf = (gram: number): number => Math.imul(gram | CASE_BITS, 0x9e3779b1) >>> 14;
  for (const { bytes } of needles)
    for (let at = 0; at + GRAM_BYTES <= bytes.length; at++) {
      const slot = slotOf(gramAt(bytes, at));
      counts[slot] = Math.min(65_535, (counts[slot] as number) + 1); // A slot of the table.
    }
  return ({ bytes }) => {
    let [best, bestSum] = [0, Number.POSITIVE_INFINITY];
    for (let from = 0; from + stride + width - 1 <= bytes.length; from++) {
      let sum = 0;
      for (let at = from; at < from + stride; at++) sum += counts[slotOf(gramAt(bytes, at))] as number; // As above.
      if (sum < bestSum) [best, bestSum] = [from, sum];
    }
    return Array.from({ length: stride }, (_, index) => best + index);
  };
}

function markPairs(pairs: Uint8Array, { bytes, isAnyCase }: Needle): void {
  const cases = isAnyCase ? [bytes, Buffer.from(Buffer.from(bytes).toString('latin1').toUpperCase(), 'latin1')] : [bytes];
  for (const each of cases) for (let at = 1; at < each.length; at++) pairs[((each[at - 1] as number) << 8) | (each[at] as number)] = 1; // Before the end.
}

function throughout({ bytes }: Needle): readonly number[] {
  const places = Array.from({ length: Math.ceil((bytes.length - GRAM_BYTES) / GRAM_BYTES) }, (_, index) => index * GRAM_BYTES);
  return [...places, bytes.length - GRAM_BYTES];
}
