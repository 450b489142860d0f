import { isUtf8 } from 'node:buffer';

/** What to look for: a value as it stands in texts, a needle for each way. */
export type KnownSecret = { readonly name: string; readonly value: string | Uint8Array };

export type Needle = {
  /** Lower case when the case does not matter. */
  readonly bytes: Uint8Array;
  /** Which of the secrets. */
  readonly secret: number;
  readonly isAnyCase: boolean;
};

/** In place of the number of a secret: what could not be looked through. */
export const COMPRESSED = -1;

export const SECRET_BYTES_MIN = 6;
/** A multiple of 3, so that all pieces of a value are aligned alike within base64. */
export const PIECE_BYTES_MAX = 63;
/** Hexadecimal has the longest. */
export const NEEDLE_BYTES_MAX = 2 * PIECE_BYTES_MAX;
/** A line of a value with several is looked for by itself from here on. */
const LINE_BYTES_MIN = 16;
/** Beyond this no more values are looked for: memory is about a hundred times as much. */
const VALUES_BYTES_MAX = 2_097_152;

export type Needles = {
  readonly needles: readonly Needle[];
  /** How many values there are needles of. */
  readonly count: number;
  /** How many there are none of, since all together are too long. */
  readonly skipped: number;
};

export function makeNeedles(secrets: readonly KnownSecret[]): Needles {
  const needles: Needle[] = [];
  const known = new Set<string>();
  let bytesLeft = VALUES_BYTES_MAX;
  let [count, skipped] = [0, 0];
  for (const [secret, { value }] of secrets.entries()) {
    const bytes = Buffer.from(value as string); // Or bytes, which it copies.
    if (bytes.byteLength > bytesLeft) skipped += 1;
    if (bytes.byteLength < SECRET_BYTES_MIN || bytes.byteLength > bytesLeft) continue;
    bytesLeft -= bytes.byteLength;
    count += 1;
    for (const piece of withAndWithoutSpace(bytes).flatMap(spellingsOf).flatMap(piecesOf)) {
      const key = piece.toString('latin1');
      if (known.has(key)) continue;
      known.add(key);
      for (const form of formsOf(piece)) needles.push({ ...form, secret });
    }
    bytes.fill(0);
  }
  return { needles, count, skipped };
}

/** White space at its ends is often a file's or an echo's, and what uses the value takes it off: then the rest stands in texts by itself. */
function withAndWithoutSpace(bytes: Buffer): readonly Buffer[] {
  const encoding = isUtf8(bytes) ? 'utf8' : 'latin1'; // Of what is no text each byte stays what it is.
  const trimmed = Buffer.from(bytes.toString(encoding).trim(), encoding);
  return trimmed.byteLength < bytes.byteLength && trimmed.byteLength >= SECRET_BYTES_MIN ? [bytes, trimmed] : [bytes];
}

/** Bytes that are no text reach texts as characters of the same number, or as what stands for what cannot be read; a space in a form is a plus. */
function spellingsOf(bytes: Buffer): readonly Buffer[] {
  const spellings = [Buffer.from(bytes)];
  const text = bytes.toString();
  if (bytes.some((byte) => byte >= 0x80)) {
    spellings.push(Buffer.from(bytes.toString('latin1')));
    const shown = Buffer.from(text);
    if (!shown.equals(bytes) && text.replaceAll('\ufffd', '').length >= SECRET_BYTES_MIN) spellings.push(shown);
  }
  if (bytes.includes(0x20)) spellings.push(Buffer.from(bytes.map((byte) => (byte === 0x20 ? 0x2b : byte))));
  return spellings;
}

/** A long value goes by pieces, of which the last overlaps the one before, and one with several lines also by its lines: they are printed with other ends, or indented. */
function piecesOf(bytes: Buffer): readonly Buffer[] {
  return bytes.includes(0x0a) ? [...cut(bytes), ...linesOf(bytes).flatMap(cut)] : cut(bytes);
}

function cut(bytes: Buffer): readonly Buffer[] {
  if (bytes.byteLength <= PIECE_BYTES_MAX) return [bytes];
  const pieces: Buffer[] = [];
  for (let at = 0; at + PIECE_BYTES_MAX <= bytes.byteLength; at += PIECE_BYTES_MAX) pieces.push(bytes.subarray(at, at + PIECE_BYTES_MAX));
  if (bytes.byteLength % PIECE_BYTES_MAX > 0) pieces.push(bytes.subarray(-PIECE_BYTES_MAX));
  return pieces;
}

/** Without those that frame keys: everybody's key has them. */
function linesOf(bytes: Buffer): readonly Buffer[] {
  return bytes
    .toString('latin1')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line.length >= LINE_BYTES_MIN && !/^-----(?:BEGIN|END) [^-]+-----$/.test(line))
    .map((line) => Buffer.from(line, 'latin1'));
}

function formsOf(piece: Buffer): readonly Omit<Needle, 'secret'>[] {
  const base64 = base64Cores(piece);
  const exact = [piece, ...base64, ...base64.map(urlSafe)].map((bytes) => ({ bytes, isAnyCase: false }));
  return [...distinct(exact), { bytes: Buffer.from(piece.toString('hex')), isAnyCase: true }];
}

/** A value within a longer one is encoded in three ways, by where it begins; of each, the characters that it alone decides. */
function base64Cores(bytes: Buffer): readonly Buffer[] {
  return [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    return Buffer.from(text.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6)));
  });
}

function urlSafe(base64: Buffer): Buffer {
  return Buffer.from(base64.toString('latin1').replaceAll('+', '-').replaceAll('/', '_'));
}

function distinct<T extends { readonly bytes: Buffer }>(forms: readonly T[]): readonly T[] {
  return forms.filter((form, index) => forms.findIndex(({ bytes }) => bytes.equals(form.bytes)) === index);
}
