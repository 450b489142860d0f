import { heldBytes } from '@warren/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkQueue } from './chunk-queue.ts';

const piece = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 20 }),
  fc
    .tuple(fc.integer({ min: 1, max: 40_000 }), fc.integer({ min: 0, max: 255 }))
    .map(([length, byte]) => new Uint8Array(length).fill(byte)),
);

describe('ChunkQueue', () => {
  it('gives back what was put in, in order, however it is taken', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.constant('shift' as const)), { maxLength: 60 }), (steps) => {
        const queue = new ChunkQueue();
        const put: Uint8Array[] = [];
        const got: Uint8Array[] = [];
        for (const step of steps) {
          if (step === 'shift') {
            const chunk = queue.shift();
            if (chunk !== undefined) got.push(chunk);
          } else {
            queue.push(step);
            put.push(step);
          }
          expect(queue.bytes).toBe(bytes(put) - bytes(got));
        }
        got.push(queue.takeAll());
        expect(Buffer.concat(got).equals(Buffer.concat(put))).toBe(true);
        expect(queue.bytes).toBe(0);
        expect(queue.shift()).toBeUndefined();
      }),
    );
  });

  it('holds many small pieces in little memory, and lets go of what they came in', () => {
    const queue = new ChunkQueue();
    const before = heldBytes();
    const chunk = Buffer.alloc(65_536);
    for (let count = 0; count < 262_144; count++) queue.push(chunk.subarray(count % 65_536, (count % 65_536) + 1));
    expect(heldBytes() - before).toBeLessThan(1_048_576);
    let chunks = 0;
    while (queue.shift() !== undefined) chunks++;
    expect(chunks).toBeLessThan(20);
  });

  it('copies small pieces, so that they do not keep a large chunk alive', () => {
    const queue = new ChunkQueue();
    const chunk = Buffer.alloc(65_536, 'a');
    queue.push(chunk.subarray(0, 10));
    queue.push(chunk.subarray(10, 20));
    chunk.fill('b');
    expect(Buffer.from(queue.takeAll()).toString()).toBe('a'.repeat(20));
  });

  it('is empty after it was cleared, and says how much it dropped', () => {
    const queue = new ChunkQueue();
    queue.push(new Uint8Array(10));
    queue.push(new Uint8Array(20_000));
    queue.push(new Uint8Array(5));
    expect(queue.clear()).toBe(20_015);
    expect([queue.bytes, queue.shift(), queue.takeAll().length]).toEqual([0, undefined, 0]);
    queue.push(new Uint8Array(3));
    expect(queue.takeAll()).toHaveLength(3);
  });
});

function bytes(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}
