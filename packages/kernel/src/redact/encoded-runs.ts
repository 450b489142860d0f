/** Stretches of a text that are something else, encoded: base64, hexadecimal, hexadecimal with separators. Each is decoded and told once, so time is linear. */
import { HEX_DIGITS } from './unescape.ts';

/** What was decoded, and where a part of it stands in the text. */
export type Decoded = {
  readonly bytes: Uint8Array;
  readonly length: number;
  /** The source of what stands from `start` to `end`. */
  readonly sourceOf: (start: number, end: number) => readonly [start: number, end: number];
};

/** As many digits as it takes to see what a run holds. */
const RUN_LENGTH_MIN = 12;
/** From here on a run is decoded whatever it looks like. */
const LONG_LENGTH = 512;
const PAIRS_MIN = 6;
/** Every run that matters has eight in a row at a multiple of this. */
const STEP = 8;

const BASE64_DIGITS = Int8Array.from({ length: 256 }, (_, byte) => {
  const index = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_'.indexOf(String.fromCharCode(byte));
  return index < 64 ? index : index - 2;
});
/** 1 for what may separate pairs of digits. */
const SEPARATORS = Uint8Array.from({ length: 256 }, (_, byte) => (' :-,.|_%\n'.includes(String.fromCharCode(byte)) ? 1 : 0));

/** How long a run has to be to hold so many bytes of which one is escaped: as it is, a value is found without decoding. */
export function runLengthFor(bytes: number): number {
  return Math.max(RUN_LENGTH_MIN, Math.ceil(((bytes + 1) * 4) / 3));
}

/** `lengthMin`: runs that are shorter are passed by. */
export function findRuns(bytes: Uint8Array, end: number, lengthMin: number, tell: (decoded: Decoded) => void): void {
  let done = 0;
  for (let at = 0; at + STEP <= end; at += STEP) {
    if (at < done) continue;
    if (isBase64(bytes, at)) done = Math.max(at, tellBase64(bytes, at, { done, end, lengthMin }, tell));
    else if (at + 6 <= end && hasPeriod(bytes, at)) done = Math.max(done, tellPairs(bytes, at, { done, end }, tell));
  }
}

/** Where a text may be cut so that its base64 can be read on: within a run not in the middle of four digits. */
export function cutBetweenQuads(bytes: Uint8Array, cut: number): number {
  let start = cut;
  while (start > 0 && digit64(bytes, start - 1) >= 0) start--;
  return cut - ((cut - start) % 4);
}

/** Pairs with separators repeat one byte every three: most of what is no pairs is seen by that. */
function hasPeriod(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === bytes[at + 3] || bytes[at + 1] === bytes[at + 4] || bytes[at + 2] === bytes[at + 5];
}

function isBase64(bytes: Uint8Array, at: number): boolean {
  if (digit64(bytes, at + 3) < 0 || digit64(bytes, at + 7) < 0) return false; // Where words of ordinary text most often end.
  for (let index = 0; index < STEP; index++) if (digit64(bytes, at + index) < 0) return false;
  return true;
}

/** The value of a digit of base64 or base64url, or less than 0. */
export function digit64(bytes: Uint8Array, at: number): number {
  return BASE64_DIGITS[bytes[at] as number] as number; // Within the bytes; there is one for each byte.
}

type Bounds = { readonly done: number; readonly end: number };

/** Returns where the run ends. Line ends within it are skipped; lines that are not of whole quads may also be runs of their own. */
function tellBase64(
  bytes: Uint8Array,
  at: number,
  { done, end, lengthMin }: Bounds & { readonly lengthMin: number },
  tell: (decoded: Decoded) => void,
): number {
  let start = at;
  while (start > done && digit64(bytes, start - 1) >= 0) start--;
  let stop = at + STEP;
  while (stop < end && digit64(bytes, stop) >= 0) stop++;
  if (stop - start < lengthMin && afterLineEnd(bytes, stop, end) === stop) return stop; // Most often it is a word.
  const lines: [start: number, stop: number][] = [];
  let count = 0;
  let isRagged = false;
  for (let from = start; ; from = stop) {
    while (stop < end && digit64(bytes, stop) >= 0) stop++;
    lines.push([from, stop]);
    count += stop - from;
    const next = afterLineEnd(bytes, stop, end);
    if (next === stop || next >= end || digit64(bytes, next) < 0) break;
    isRagged ||= count % 4 !== 0;
    stop = next;
  }
  if (count < lengthMin) return stop;
  const isWorthIt = count >= LONG_LENGTH || isTextEncoded(bytes, start);
  if (isWorthIt) tell(decodeBase64(bytes, start, stop, count));
  const glued = gzipWithin(bytes, start, stop);
  if (glued !== undefined) tell(decodeBase64(bytes, glued, stop, stop - glued));
  for (const [from, to] of lines) {
    if (to - from < lengthMin) continue;
    if (isRagged && (to - from >= LONG_LENGTH || isTextEncoded(bytes, from))) tell(decodeBase64(bytes, from, to, to - from));
    const isPrefixed = bytes[from] === 0x30 && ((bytes[from + 1] as number) | 0x20) === 0x78; // A line has more than two.
    const hexFrom = isPrefixed ? from + 2 : from;
    if (isHex(bytes, hexFrom, to)) tell(decodeHex(bytes, hexFrom, to));
  }
  // A hyphen is a digit of base64url.
  const hyphen = bytes.subarray(start, stop).indexOf(0x2d);
  for (let pairs = start + Math.max(0, hyphen - 2), told = start; hyphen >= 0 && pairs + 6 <= stop; pairs += STEP)
    if (pairs >= told) told = Math.max(told, tellPairs(bytes, pairs, { done: told, end: stop }, tell));
  return stop;
}

/** Of a short run: whether it begins as text does in base64, or something compressed. Names and paths do not. */
function isTextEncoded(bytes: Uint8Array, start: number): boolean {
  let high = 0;
  for (let at = start; at < start + 12; at += 4) {
    const bits = (digit64(bytes, at) << 18) | (digit64(bytes, at + 1) << 12) | (digit64(bytes, at + 2) << 6) | digit64(bytes, at + 3);
    if (at === start && (bits >> 16 === 0x1f || bits >> 16 === 0x78)) return true;
    for (let shift = 16; shift >= 0; shift -= 8) {
      const byte = (bits >> shift) & 0xff;
      if (byte >= 0x80) high++;
      else if (byte === 0x7f || (byte < 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) return false;
    }
  }
  return high <= 3;
}

/** As base64 of something compressed begins, behind what is no part of it. */
function gzipWithin(bytes: Uint8Array, start: number, stop: number): number | undefined {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, stop).indexOf('H4sI', start + 1, 'latin1');
  return at < 0 ? undefined : at;
}

function afterLineEnd(bytes: Uint8Array, at: number, end: number): number {
  let next = at;
  if (bytes[next] === 0x5c && bytes[next + 1] === 0x6e) return next + 2; // As in JSON.
  if (bytes[next] === 0x0d) next++;
  if (next >= end || bytes[next] !== 0x0a) return at;
  next++;
  while (next < end && (bytes[next] === 0x20 || bytes[next] === 0x09)) next++;
  return next;
}

/** The digits of a run, each once; what stands between them is no digit, but for the letter of an escaped line end. */
function* digitPlaces(bytes: Uint8Array, start: number, stop: number): Generator<number> {
  for (let at = start; at < stop; at++) {
    if (bytes[at] === 0x5c) at++;
    else if (digit64(bytes, at) >= 0) yield at;
  }
}

function decodeBase64(bytes: Uint8Array, start: number, stop: number, count: number): Decoded {
  const text = textOf(bytes, start, stop);
  const decoded = Buffer.from(text.includes('\\') ? text.replaceAll('\\n', '') : text, 'base64');
  return {
    bytes: decoded,
    length: decoded.byteLength,
    sourceOf(from, to) {
      const first = Math.floor(from / 3) * 4;
      const last = Math.min(count, Math.ceil(to / 3) * 4) - 1;
      if (count === stop - start) return [start + first, start + last + 1];
      let [index, sourceStart, sourceEnd] = [0, start, stop];
      for (const at of digitPlaces(bytes, start, stop)) {
        if (index === first) sourceStart = at;
        if (index === last) {
          sourceEnd = at + 1;
          break;
        }
        index++;
      }
      return [sourceStart, sourceEnd];
    },
  };
}

function textOf(bytes: Uint8Array, start: number, stop: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, stop - start).toString('latin1');
}

function isHex(bytes: Uint8Array, start: number, stop: number): boolean {
  for (let at = start; at < stop; at++) if ((HEX_DIGITS[bytes[at] as number] as number) < 0) return false; // As above.
  return true;
}

function pairAt(bytes: Uint8Array, at: number): number {
  const high = HEX_DIGITS[bytes[at] as number] as number; // As above.
  const low = HEX_DIGITS[bytes[at + 1] as number] as number;
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function decodeHex(bytes: Uint8Array, start: number, stop: number): Decoded {
  const decoded = Buffer.from(textOf(bytes, start, stop), 'hex');
  return { bytes: decoded, length: decoded.byteLength, sourceOf: (from, to) => [start + 2 * from, start + 2 * to] };
}

function decodePairs(bytes: Uint8Array, start: number, count: number): Decoded {
  const decoded = Buffer.alloc(count);
  for (let index = 0; index < count; index++) decoded[index] = pairAt(bytes, start + 3 * index);
  return { bytes: decoded, length: count, sourceOf: (from, to) => [start + 3 * from, start + 3 * to - 1] };
}

/** Pairs of digits with one and the same separator between them, as of `aa:bb:cc`. Returns where they end, or 0. */
function tellPairs(bytes: Uint8Array, at: number, { done, end }: Bounds, tell: (decoded: Decoded) => void): number {
  for (let offset = 0; offset < 3; offset++) {
    const first = at + offset;
    const separator = bytes[first] as number; // Six bytes are there.
    if (SEPARATORS[separator] !== 1 || bytes[first + 3] !== separator || pairAt(bytes, first + 1) < 0) continue;
    let start = first + 1;
    while (start - 3 >= Math.max(0, done - 2) && bytes[start - 1] === separator && pairAt(bytes, start - 3) >= 0) start -= 3;
    let count = Math.floor((first + 1 - start) / 3);
    while (start + 3 * count + 2 <= end && pairAt(bytes, start + 3 * count) >= 0) {
      count++;
      if (start + 3 * count > end || bytes[start + 3 * count - 1] !== separator) break;
    }
    if (count < PAIRS_MIN) return 0;
    tell(decodePairs(bytes, start, count));
    return start + 3 * count - 1;
  }
  return 0;
}
