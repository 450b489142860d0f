import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OutputRing } from './output-ring.ts';

describe('OutputRing', () => {
  it('keeps the newest bytes of any stream, and knows where they were', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 20 }),
        fc.nat(200),
        fc.nat(50),
        (max, chunks, offset, bytesMax) => {
          const ring = new OutputRing(max);
          for (const chunk of chunks) ring.push(chunk);
          const all = Buffer.concat(chunks);
          const first = Math.max(0, all.length - max);
          expect([ring.totalBytes, ring.firstOffset]).toEqual([all.length, first]);
          const from = Math.max(first, offset);
          expect(Buffer.from(ring.read(offset, bytesMax))).toEqual(all.subarray(from, from + bytesMax));
        },
      ),
    );
  });
});
