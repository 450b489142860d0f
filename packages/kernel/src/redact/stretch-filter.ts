/**
 * Which short stretches of bytes needles have, in any place: what stands before and after an escape is asked for first. No is certain, and yes is one in thirty without reason.
 */
import type { Needle } from './secret-needles.ts';

const LENGTH_MAX = 6;
const BITS_PER_STRETCH = 32;
const BITS_LOG_MIN = 14;
const BITS_LOG_MAX = 24;

export class StretchFilter {
  /** Of a needle that is interrupted anywhere, so many bytes to one side or the other, with one across, are there. */
  readonly length: number;
  readonly #bits: Uint32Array;
  readonly #shift: number;

  constructor(needles: readonly Needle[], shortest: number) {
    this.length = Math.max(3, Math.min(LENGTH_MAX, (shortest + 1) >> 1));
    const count = needles.reduce((sum, { bytes }) => sum + bytes.length, 1);
    const log = Math.min(BITS_LOG_MAX, Math.max(BITS_LOG_MIN, Math.ceil(Math.log2(count * BITS_PER_STRETCH))));
    this.#bits = new Uint32Array(2 ** (log - 5));
    this.#shift = 32 - log;
    for (const { bytes } of needles)
      for (let at = 0; at + this.length <= bytes.length; at++) {
        const bit = this.#bitAt(bytes, at);
        this.#bits[bit >>> 5] = (this.#bits[bit >>> 5] as number) | (1 << (bit & 31)); // Within the table, whatever the bytes.
      }
  }

  mayHold(bytes: Uint8Array, at: number): boolean {
    const bit = this.#bitAt(bytes, at);
    return (((this.#bits[bit >>> 5] as number) >>> (bit & 31)) & 1) !== 0; // As above.
  }

  /** Without regard to case, as some needles are. */
  #bitAt(bytes: Uint8Array, at: number): number {
    let hash = 0;
    for (let index = 0; index < this.length; index++)
      hash = Math.imul(hash ^ ((bytes[at + index] as number) | 0x20), 0x01000193) + 0x9e3779b9; // Within the bytes.
    hash ^= hash >>> 15;
    return Math.imul(hash, 0x85ebca6b) >>> this.#shift;
  }
}
