import { deflateRawSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inflate } from './inflate.ts';

const RUNS = Number(process.env['WARREN_PROPERTY_RUNS'] ?? 30);
const { WARREN_PROPERTY_SEED: GIVEN = '1' } = process.env;
/** The same questions each time, unless others are asked for: all there are take minutes to look through. */
const SEED = GIVEN === 'random' ? {} : { seed: Number(GIVEN) };
const WORK_MAX = 10_000_000;

const texts = fc
  .tuple(fc.array(fc.oneof(fc.string({ maxLength: 300 }), fc.constantFrom('again and again ', 'ab')), { maxLength: 400 }), fc.nat(9))
  .map(([parts, level]) => ({ plain: Buffer.from(parts.join('')), level }));
const strategies = fc.nat(4);

describe('inflate', () => {
  it('reads whatever was deflated, and knows where it ends', () => {
    fc.assert(
      fc.property(texts, strategies, fc.uint8Array({ maxLength: 20 }), ({ plain, level }, strategy, after) => {
        const deflated = deflateRawSync(plain, { level, strategy });
        const read = inflate(Buffer.concat([deflated, after]), 0, deflated.byteLength + after.byteLength, WORK_MAX);
        expect(read).toMatchObject({ kind: 'whole', end: deflated.byteLength });
        expect(plain.equals(read.plain)).toBe(true);
      }),
      { numRuns: RUNS, ...SEED },
    );
    const large = Buffer.from(Array.from({ length: 400_000 }, (_, index) => (Math.imul(index, index) >>> 9) & 63));
    expect(Buffer.from(inflate(deflateRawSync(large), 0, 1e9, WORK_MAX).plain).equals(large)).toBe(true);
  });

  it('tells what stands before the end of what is there', () => {
    fc.assert(
      fc.property(texts, fc.nat(), ({ plain, level }, roll) => {
        const deflated = deflateRawSync(plain, { level });
        const length = roll % deflated.byteLength;
        const read = inflate(deflated, 0, length, WORK_MAX);
        expect(read).toMatchObject({ kind: 'cut', end: length });
        expect(plain.subarray(0, read.plain.byteLength).equals(read.plain)).toBe(true);
      }),
      { numRuns: RUNS, ...SEED },
    );
  });

  it('tells what stands before a break', () => {
    const text = Buffer.from('said once, in words that all differ: 0123456789');
    const deflated = deflateRawSync(text, { finishFlush: 2 }); // It goes on after them.
    expect(inflate(Buffer.concat([deflated, Buffer.from([0x07])]), 0, deflated.byteLength + 1, WORK_MAX)).toMatchObject({
      kind: 'broken',
      plain: new Uint8Array(text),
    });
  });

  it('ends whatever it is given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const { end } = inflate(bytes, 0, bytes.byteLength, 100_000);
        expect(end).toBeLessThanOrEqual(bytes.byteLength);
      }),
      { numRuns: RUNS * 10, ...SEED },
    );
  });

  it('does no more work than it may', () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const { kind, plain, work } = inflate(bomb, 10, bomb.byteLength, 1_000_000);
    expect(kind).toBe('too_large');
    expect(plain.byteLength).toBeLessThanOrEqual(1_000_000);
    expect(work).toBeLessThanOrEqual(1_500_000);
  });
});
