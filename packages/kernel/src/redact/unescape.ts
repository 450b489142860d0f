/** Escapes as what they mean. Each function of a syntax reads one at a place, puts what it means into a unit and returns its length, or 0 when there is none. */

const CONTROLS = 'nrtbfvae';
const CONTROL_BYTES = [10, 13, 9, 8, 12, 11, 7, 27];

export const PERCENT = 1;
export const BACKSLASH = 2;
export const ENTITY = 4;
export const QUOTED = 8;
/** What tells a terminal how to show the rest, and is not shown itself. */
export const COLOUR = 64;
export const EVERY_ESCAPE = PERCENT | BACKSLASH | ENTITY | QUOTED | COLOUR;
/** The end of a line within one long word means nothing. */
export const WRAP = 16;
/** The same, escaped as in JSON. */
export const ESCAPED_WRAP = 32;

/** Which syntaxes a byte may begin an escape of. */
export const ESCAPES = table({
  ...{ '%': PERCENT, '\\': BACKSLASH | ESCAPED_WRAP, '&': ENTITY, '=': QUOTED, '\u001b': COLOUR },
  ...{ '\n': WRAP, '\r': WRAP },
});
/** Longest of an escape for one byte. */
const ENTITY_LENGTH_MAX = 12;
const COLOUR_LENGTH_MAX = 24;
const BACKSLASH_LENGTH_MAX = 12;
const BLANKS_MAX = 64;
const NAMED: Readonly<Record<string, number>> = { amp: 38, lt: 60, gt: 62, quot: 34, apos: 39, nbsp: 160, sol: 47, plus: 43, equals: 61 };
/** What a backslash makes of the byte that follows it, when that is all of it: control characters, and what is no letter and no digit as itself. Less than 0 for the others. */
const AFTER_BACKSLASH = Int16Array.from({ length: 256 }, (_, byte) => {
  const control = CONTROLS.indexOf(String.fromCharCode(byte));
  if (control >= 0) return CONTROL_BYTES[control] as number; // There are as many.
  return byte >= 0x20 && byte < 0x7f && !isLetterOrDigit(byte) ? byte : -1;
});

/** What is read: bytes, and for each where its source ends. */
export type Unescaped = { readonly bytes: Uint8Array; readonly ends: Int32Array };

export class Unescaper {
  readonly #unit = new Uint8Array(4);
  #unitLength = 0;
  /** What was last read, when it is one byte, else -1. */
  byte = -1;
  /** Syntaxes other than those asked for of which an escape was met. */
  others = 0;

  /** Reads until `count` bytes are there; returns how many are. There has to be room for three more. */
  read(source: Uint8Array, from: number, end: number, syntaxes: number, into: Unescaped, count: number): number {
    let filled = 0;
    this.others = 0;
    for (let at = from; filled < count && at < end; ) {
      const byte = source[at] as number; // Before the end.
      const kind = ESCAPES[byte] as number; // There is one for each byte.
      if (kind !== 0) {
        const other = kind & EVERY_ESCAPE & ~syntaxes;
        if (other !== 0 && this.#readUnit(source, at, end, other) > 0) this.others |= other;
        const length = (kind & syntaxes) === 0 ? 0 : this.#readUnit(source, at, end, kind & syntaxes);
        if (length > 0) {
          at += length;
          const meant = this.byte;
          if (meant >= 0) {
            into.bytes[filled] = meant;
            into.ends[filled++] = at;
            // A backslash before an escape of another syntax stands for itself, or for nothing.
            const hidden = length === 2 ? (ESCAPES[meant] as number) & EVERY_ESCAPE & ~syntaxes : 0; // As above.
            if (hidden !== 0 && this.#readUnit(source, at - 1, end, hidden) > 0) this.others |= hidden;
            continue;
          }
          for (let index = 0; index < this.#unitLength; index++) {
            into.bytes[filled] = this.#unit[index] as number; // One of its bytes.
            into.ends[filled++] = at;
          }
          continue;
        }
      }
      at += 1;
      into.bytes[filled] = byte;
      into.ends[filled++] = at;
    }
    return filled;
  }

  /** Of which syntaxes there are escapes, also such as may go on after the end. */
  kindsIn(source: Uint8Array, from: number, end: number): number {
    let kinds = 0;
    for (let at = from; at < end; at++) {
      const kind = (ESCAPES[source[at] as number] as number) & (EVERY_ESCAPE | WRAP); // Before the end; there is one for each byte.
      if (kind !== 0 && this.mayBegin(source, at, end, kind)) kinds |= kind;
    }
    return kinds;
  }

  /** Whether an escape begins there, or one may that goes on after the end. */
  mayBegin(source: Uint8Array, at: number, end: number, kind: number): boolean {
    return kind === WRAP || at + longestOf(kind) > end || this.#readUnit(source, at, end, kind) > 0;
  }

  /** The length of the escape there, or 0. */
  lengthAt(source: Uint8Array, at: number, end: number, syntaxes: number): number {
    const kind = (ESCAPES[source[at] ?? 0] as number) & syntaxes; // As above.
    return kind === 0 ? 0 : this.#readUnit(source, at, end, kind);
  }

  #readUnit(source: Uint8Array, at: number, end: number, kind: number): number {
    this.#unitLength = 0;
    this.byte = -1;
    if (kind === PERCENT) return this.#percent(source, at, end);
    if (kind === QUOTED) return this.#quoted(source, at, end);
    if (kind === ENTITY) return this.#entity(source, at, end);
    if (kind === WRAP) return wrapLength(source, at, end);
    if (kind === COLOUR) return colourLength(source, at, end);
    if ((kind & ESCAPED_WRAP) !== 0) {
      const length = escapedWrapLength(source, at, end);
      if (length > 0 || kind === ESCAPED_WRAP) return length;
    }
    return this.#backslash(source, at, end);
  }

  #byteOf(byte: number, length: number): number {
    if (byte < 0) return 0;
    this.byte = byte;
    return length;
  }

  /** Two digits, or `u` and four. */
  #percent(source: Uint8Array, at: number, end: number): number {
    const byte = hexByte(source, at + 1, end);
    if (byte >= 0 || at + 6 > end || source[at + 1] !== 0x75) return this.#byteOf(byte, 3);
    const point = hexUnit(source, at + 2, end);
    return point < 0 ? 0 : this.#character(point, 6);
  }

  #quoted(source: Uint8Array, at: number, end: number): number {
    const byte = hexByte(source, at + 1, end);
    if (byte >= 0) return this.#byteOf(byte, 3);
    const next = skipBlanks(source, at + 1, end);
    const length = lineEndLength(source, next, end);
    return length === 0 ? 0 : next - at + length; // A soft break means nothing.
  }

  #backslash(source: Uint8Array, at: number, end: number): number {
    if (at + 1 >= end) return 0;
    const next = source[at + 1] as number; // Before the end.
    const short = AFTER_BACKSLASH[next] as number; // There is one for each byte.
    if (short >= 0) return this.#byteOf(short, 2);
    if (next === 0x75) return this.#unicode(source, at, end);
    if (next === 0x78) return this.#byteOf(hexByte(source, at + 2, end), 4);
    if (next === 0x55) return this.#longUnicode(source, at, end);
    if (next >= 0x30 && next <= 0x37) return this.#octal(source, at, end);
    const lineEnd = lineEndLength(source, at + 1, end);
    return lineEnd > 0 ? 1 + lineEnd : 0; // A line that goes on means nothing.
  }

  /** `\u0041`, two of them for one character, and `\u{41}`. */
  #unicode(source: Uint8Array, at: number, end: number): number {
    const first = hexUnit(source, at + 2, end);
    if (first < 0) return source[at + 2] === 0x7b ? this.#bracedUnicode(source, at, end) : 0;
    const isHigh = first >= 0xd800 && first < 0xdc00;
    if (isHigh && source[at + 6] === 0x5c && source[at + 7] === 0x75) {
      const second = hexUnit(source, at + 8, end);
      if (second >= 0xdc00 && second < 0xe000) return this.#character(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00), 12);
    }
    return this.#character(first, 6);
  }

  #bracedUnicode(source: Uint8Array, at: number, end: number): number {
    const limit = Math.min(end, at + BACKSLASH_LENGTH_MAX);
    let stop = at + 3;
    while (stop < limit && source[stop] !== 0x7d) stop++;
    const point = stop < limit ? pointOf(source, at + 3, stop, 16) : -1;
    return point < 0 ? 0 : this.#character(point, stop + 1 - at);
  }

  /** `\U00000041`. */
  #longUnicode(source: Uint8Array, at: number, end: number): number {
    const point = at + 10 > end ? -1 : pointOf(source, at + 2, at + 10, 16);
    return point < 0 ? 0 : this.#character(point, 10);
  }

  #octal(source: Uint8Array, at: number, end: number): number {
    let value = 0;
    let length = 1;
    for (; length < 4 && at + length < end; length++) {
      const digit = (source[at + length] as number) - 0x30; // Before the end.
      if (digit < 0 || digit > 7) break;
      value = value * 8 + digit;
    }
    return this.#byteOf(value & 0xff, length);
  }

  #entity(source: Uint8Array, at: number, end: number): number {
    const second = at + 1 < end ? (source[at + 1] as number) : 0; // Before the end.
    const isNumber = second === 0x23;
    if (!isNumber && !(second >= 0x61 && second <= 0x7a)) return 0;
    const limit = Math.min(end, at + ENTITY_LENGTH_MAX);
    let stop = at + 2;
    while (stop < limit && source[stop] !== 0x3b) stop++;
    if (stop >= limit) return 0;
    const length = stop + 1 - at;
    if (isNumber) {
      const isHex = ((source[at + 2] as number) | 0x20) === 0x78; // Before what ends it.
      const point = isHex ? pointOf(source, at + 3, stop, 16) : pointOf(source, at + 2, stop, 10);
      return point < 0 ? 0 : this.#character(point, length);
    }
    const name = String.fromCharCode(...source.subarray(at + 1, stop));
    const named = Object.hasOwn(NAMED, name) ? NAMED[name] : undefined;
    return named === undefined ? 0 : this.#character(named, length);
  }

  /** As UTF-8; half of a character as what stands for what cannot be read. */
  #character(point: number, length: number): number {
    if (point < 0x80) return this.#byteOf(point, length);
    const whole = point >= 0xd800 && point < 0xe000 ? 0xfffd : point;
    const more = whole < 0x800 ? 1 : whole < 0x10000 ? 2 : 3;
    this.#unit[0] = (0xff00 >> (more + 1)) | (whole >> (6 * more));
    for (let index = 1; index <= more; index++) this.#unit[index] = 0x80 | ((whole >> (6 * (more - index))) & 0x3f);
    this.#unitLength = more + 1;
    return length;
  }
}

function longestOf(kind: number): number {
  if ((kind & BACKSLASH) !== 0) return BACKSLASH_LENGTH_MAX;
  if (kind === COLOUR) return COLOUR_LENGTH_MAX;
  return kind === ENTITY ? ENTITY_LENGTH_MAX : kind === PERCENT ? 6 : 3;
}

/** A number in so many digits, or -1. */
function pointOf(source: Uint8Array, start: number, stop: number, base: number): number {
  if (start >= stop) return -1;
  let point = 0;
  for (let at = start; at < stop; at++) {
    const digit = hexDigit(source[at]);
    if (digit < 0 || digit >= base) return -1;
    point = point * base + digit;
  }
  return point <= 0x10ffff ? point : -1;
}

/** `ESC [`, parameters and a letter. */
function colourLength(source: Uint8Array, at: number, end: number): number {
  if (at + 3 > end || source[at + 1] !== 0x5b) return 0;
  const limit = Math.min(end, at + COLOUR_LENGTH_MAX);
  let stop = at + 2;
  while (stop < limit && (source[stop] as number) >= 0x20 && (source[stop] as number) < 0x40) stop++; // Before the end.
  const last = stop < limit ? (source[stop] as number) : 0;
  return last >= 0x40 && last < 0x7f ? stop + 1 - at : 0;
}

function hexDigit(byte: number | undefined): number {
  return byte === undefined ? -1 : (HEX_DIGITS[byte] as number); // There is one for each byte.
}

function hexByte(source: Uint8Array, at: number, end: number): number {
  if (at + 2 > end) return -1;
  const high = HEX_DIGITS[source[at] as number] as number; // Before the end; there is one for each byte.
  const low = HEX_DIGITS[source[at + 1] as number] as number;
  return (high | low) < 0 ? -1 : high * 16 + low;
}

function hexUnit(source: Uint8Array, at: number, end: number): number {
  const high = hexByte(source, at, end);
  const low = hexByte(source, at + 2, end);
  return high < 0 || low < 0 ? -1 : high * 256 + low;
}

function lineEndLength(source: Uint8Array, at: number, end: number): number {
  if (at >= end) return 0;
  if (source[at] === 0x0a) return 1;
  return source[at] === 0x0d && at + 1 < end && source[at + 1] === 0x0a ? 2 : 0;
}

function skipBlanks(source: Uint8Array, from: number, end: number): number {
  const limit = Math.min(end, from + BLANKS_MAX);
  let at = from;
  while (at < limit && (source[at] === 0x20 || source[at] === 0x09)) at++;
  return at;
}

/** With the indentation of the next line. */
function wrapLength(source: Uint8Array, at: number, end: number): number {
  const length = lineEndLength(source, at, end);
  return length === 0 ? 0 : skipBlanks(source, at + length, end) - at;
}

function escapedWrapLength(source: Uint8Array, at: number, end: number): number {
  const escaped = (from: number, letter: number): boolean => from + 1 < end && source[from] === 0x5c && source[from + 1] === letter;
  if (escaped(at, 0x6e)) return 2;
  return escaped(at, 0x72) && escaped(at + 2, 0x6e) ? 4 : 0;
}

function isLetterOrDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}

/** The value of each hexadecimal digit, and -1 for all else. */
export const HEX_DIGITS: Int8Array = Int8Array.from({ length: 256 }, (_, byte) => {
  const value = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? -1 : value;
});

function table(marks: Readonly<Record<string, number>>): Uint8Array {
  const result = new Uint8Array(256);
  for (const [character, mark] of Object.entries(marks)) result[character.charCodeAt(0)] = mark;
  return result;
}
