/**
 * Takes values that are known out of whatever leaves, in the encodings in which they travel.
 *
 * The law: what comes out has no value that was handed in, as bytes or in any of these, whatever stands around it and however a stream is cut: base64 and base64url (by
 * whichever of the three alignments, wrapped to lines or not), hexadecimal (also with separators), percent, JSON, JavaScript and C escapes, HTML entities, quoted-printable, with colours of a terminal in between, of each also when
 * only some characters are written that way; gzip and zlib, also damaged as far as they can be read, and whatever follows; and two of these on top of each other. A value longer than a piece goes piece by piece, so a part of it does not pass either. Text that holds
 * none of it is not touched. At the ends of a text, where somebody may have cut it, three quarters of a value are enough.
 *
 * How: each value becomes needles (`secret-needles.ts`), and four bytes of each that few others have stand in a table (`gram-index.ts`). A text is looked at every few bytes only; where an escape begins, it is read as what it means (`find-secrets.ts`), and where they stand close together, all of them at once (`escaped-region.ts`). A stream holds back what may be
 * the beginning of a value; whoever waits for it is told all of it where its end cannot be one (`clear-end.ts`).
 * Time is linear in what is looked at, whatever it is.
 */
import { SecretFinder } from './find-secrets.ts';
import { joinRanges, type Range, sortRanges } from './ranges.ts';
import { createRedactStream, type RedactStream } from './redact-stream.ts';
import { COMPRESSED, type KnownSecret } from './secret-needles.ts';

export interface SecretRedactor {
  /** How many values it looks for. */
  readonly count: number;
  /** How many it does not look for, since those before them have 2 MiB together: memory is about a hundred times as much. */
  readonly skipped: number;
  text(text: string): string;
  bytes(bytes: Uint8Array): Uint8Array;
  /** For what comes in parts. */
  stream(): RedactStream;
}

const SCRATCH_BYTES = 16_384;

/** Values of fewer than 6 bytes are not looked for: they stand in ordinary text by chance. When several values overlap, the one given first is named. */
export function createSecretRedactor(secrets: readonly KnownSecret[]): SecretRedactor {
  const finder = new SecretFinder(secrets);
  const markers = secrets.map(({ name }) => Buffer.from(`[redacted:${name}]`));
  const compressed = Buffer.from('[redacted:compressed data that is too large to look through]');
  const marker = (secret: number): Buffer => (secret === COMPRESSED ? compressed : (markers[secret] ?? compressed));
  const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

  return {
    count: finder.count,
    skipped: finder.skipped,
    text(text) {
      if (text.length < finder.shortest) return text;
      const bytes = 3 * text.length <= SCRATCH_BYTES ? scratch.subarray(0, scratch.write(text)) : Buffer.from(text);
      const { ranges } = finder.find(bytes, { edges: true });
      return ranges.length === 0 ? text : replace(bytes, ranges, marker).toString();
    },
    bytes(bytes) {
      const { ranges } = finder.find(bytes, { edges: true });
      return ranges.length === 0 ? bytes : replace(bytes, ranges, marker);
    },
    stream: () => createRedactStream(finder, marker),
  };
}

function replace(bytes: Uint8Array, ranges: readonly Range[], marker: (secret: number) => Buffer): Buffer {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const { start, end, secret } of joinRanges(sortRanges(ranges), bytes)) {
    parts.push(bytes.subarray(at, start), marker(secret));
    at = end;
  }
  parts.push(bytes.subarray(at));
  return Buffer.concat(parts);
}
