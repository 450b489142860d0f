/** What comes in parts: a value may begin in one and end in another, so the last of what came is held back until it is clear. */
import { cutBetweenQuads } from './encoded-runs.ts';
import type { SecretFinder } from './find-secrets.ts';
import { joinRanges, type Range, sortRanges } from './ranges.ts';
import { COMPRESSED, PIECE_BYTES_MAX } from './secret-needles.ts';

export interface RedactStream {
  /** What can be told by now. */
  push(chunk: Uint8Array): Uint8Array;
  /** Whatever came, when none of it can be the beginning of a value: for whoever waits for it while nothing more comes. */
  flush(): Uint8Array;
  /** The rest; nothing can be pushed any more. */
  end(): Uint8Array;
}

/** Of a piece in the longest of encodings, one on top of another. */
const HELD_BYTES = 40 * (PIECE_BYTES_MAX + 1);
/** So much comes together before it is looked at again. */
const STEP_BYTES = 1_024;
/** Of something compressed: what is longer is taken out. */
const COMPRESSED_BYTES_MAX = 1_048_576;

export function createRedactStream(finder: SecretFinder, marker: (secret: number) => Uint8Array): RedactStream {
  const waiting: Uint8Array[] = [];
  let held: Uint8Array = new Uint8Array(0);
  let length = 0;
  let lookAt = HELD_BYTES + STEP_BYTES;
  /** Ranges that reach into what is held. */
  let known: readonly Range[] = [];
  let isLost = false;

  const release = (isLast: boolean, isWaitedFor = false): Uint8Array => {
    if (isLost) return NOTHING;
    held = Buffer.concat([held, ...waiting.splice(0)]);
    const { ranges, openAt } = finder.find(held, { edges: isLast });
    const all = joinRanges(sortRanges([...known, ...ranges]), held);
    const clear = Math.min(openAt ?? Number.POSITIVE_INFINITY, held.byteLength - HELD_BYTES);
    const isWhole = isLast || (isWaitedFor && openAt === undefined && finder.isClearAt(held, held.byteLength));
    const cut = isWhole ? held.byteLength : cutBetweenQuads(held, Math.max(0, clear));
    const parts: Uint8Array[] = [];
    let at = 0;
    for (const { start, end, secret, isTold } of all) {
      if (start >= cut) break;
      parts.push(held.subarray(at, Math.max(at, start)));
      if (isTold !== true) parts.push(marker(secret));
      at = Math.max(at, Math.min(end, cut));
    }
    parts.push(held.subarray(at, Math.max(at, cut)));
    known = all
      .filter(({ end }) => end > cut)
      .map(({ start, end, secret, isTold }) => ({
        start: Math.max(0, start - cut),
        end: end - cut,
        secret,
        isTold: isTold === true || start < cut,
      }));
    held = held.subarray(cut);
    length = held.byteLength;
    lookAt = Math.max(HELD_BYTES + STEP_BYTES, length + Math.max(STEP_BYTES, length >> 1));
    if (!isLast && length > COMPRESSED_BYTES_MAX) {
      isLost = true;
      held = NOTHING;
      parts.push(marker(COMPRESSED));
    }
    return Buffer.concat(parts);
  };

  return {
    push(chunk) {
      if (isLost || chunk.byteLength === 0) return NOTHING;
      waiting.push(Uint8Array.from(chunk)); // It may be used again by whoever gave it.
      length += chunk.byteLength;
      return length < lookAt ? NOTHING : release(false);
    },
    flush: () => (waiting.length === 0 ? NOTHING : release(false, true)),
    end: () => release(true),
  };
}

const NOTHING = new Uint8Array(0);
