/** Ids of calls: they ascend with time, so that neighbours in time are neighbours on disk, and never repeat within one life of the gate. */
import { createId, type RandomSource } from '@warren/protocol';
import type { Clock } from '../internal/clock.ts';

const COUNTS = 2 ** 32;
const START_BYTES = 4;
/** Asked for at once: so many take hardly longer than four. */
const DRAWN_BYTES = 256 * START_BYTES;

export function createCallIds(clock: Clock, random: RandomSource): () => string {
  let lastMs = -1;
  let count = 0;
  const bytes = Buffer.alloc(10);
  const start = drawFrom(random);
  return () => {
    const now = Math.max(lastMs, clock.now());
    if (now === lastMs) count += 1;
    else count = start() >>> 1; // Half of the range is left to count in.
    lastMs = now;
    bytes.writeUIntBE(now, 0, 6);
    bytes.writeUInt32BE(count % COUNTS, 6);
    return createId('call', () => bytes);
  };
}

function drawFrom(random: RandomSource): () => number {
  let drawn = Buffer.alloc(0);
  return () => {
    if (drawn.length === 0) drawn = Buffer.from(random(DRAWN_BYTES));
    const number = drawn.readUInt32BE();
    drawn = drawn.subarray(START_BYTES);
    return number;
  };
}
