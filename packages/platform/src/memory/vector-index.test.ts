import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { likenessOfVectors, packVector, VectorIndex } from './vector-index.ts';

const DIMENSIONS = 96;

/** Points around centres, as texts about the same things are. */
function clouds(count: number, random: () => number): readonly Float32Array[] {
  const normal = () => Math.sqrt(-2 * Math.log(random() || 1e-9)) * Math.cos(2 * Math.PI * random());
  const centres = Array.from({ length: 20 }, () => Float32Array.from({ length: DIMENSIONS }, normal));
  return Array.from({ length: count }, (_, index) => (centres[index % 20] as Float32Array).map((value) => value + 0.7 * normal())); // There are 20.
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('VectorIndex', () => {
  it('names nearly all of the ten that are really nearest', () => {
    const vectors = clouds(4_000, seeded(7)).map(packVector);
    const index = new VectorIndex(DIMENSIONS, 10);
    for (const [chunk, packed] of vectors.entries()) index.add(chunk, packed);
    let found = 0;
    for (let query = 0; query < 50; query++) {
      const packed = vectors[query] as Uint8Array; // There are more.
      const nearest = vectors
        .map((other, chunk) => ({ chunk, likeness: likenessOfVectors(packed, other) }))
        .sort((a, b) => b.likeness - a.likeness)
        .slice(0, 10);
      const named = new Set(index.candidates(packed, 200));
      found += nearest.filter(({ chunk }) => named.has(chunk)).length;
    }
    expect(found / 500).toBeGreaterThan(0.95);
  });

  it('knows what was added and removed, in any order', () => {
    const vectors = clouds(40, seeded(3)).map(packVector);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(39)), { maxLength: 200 }), (steps) => {
        const index = new VectorIndex(DIMENSIONS, 1);
        const model = new Set<number>();
        for (const [isAdded, chunk] of steps) {
          if (isAdded)
            index.add(chunk, vectors[chunk] as Uint8Array); // There are 40.
          else index.remove(chunk);
          if (isAdded) model.add(chunk);
          else model.delete(chunk);
        }
        expect(index.count).toBe(model.size);
        expect([...index.candidates(vectors[0] as Uint8Array, 100)].toSorted()).toEqual([...model].toSorted()); // As above.
        if (model.has(0)) expect(index.candidates(vectors[0] as Uint8Array, 1)).toEqual([0]); // As above.
      }),
    );
  });
});

describe('a packed vector', () => {
  /** Not so small that its square is nothing to what the test computes with. */
  const value = fc.float({ min: -10, max: 10, noNaN: true }).map((each) => (Math.abs(each) < 1e-6 ? 0 : each));

  it('is as near to others as it was', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 8, maxLength: 64 }), (pairs) => {
        const [a, b] = [Float32Array.from(pairs, ([x]) => x), Float32Array.from(pairs, ([, y]) => y)];
        const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, index) => sum + value * (y[index] ?? 0), 0);
        const lengths = Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b));
        const cosine = lengths > 0 ? Math.max(0, dot(a, b) / lengths) : 0;
        expect(Math.abs(likenessOfVectors(packVector(a), packVector(b)) - Math.min(1, cosine))).toBeLessThan(0.04);
      }),
    );
  });

  it('takes what is no number for nothing, and compares only what can be compared', () => {
    expect(likenessOfVectors(packVector(Float32Array.of(Number.NaN, 1)), packVector(Float32Array.of(0, 1)))).toBeCloseTo(1);
    expect(likenessOfVectors(packVector(Float32Array.of(1)), packVector(Float32Array.of(1, 0)))).toBe(0);
    expect(likenessOfVectors(packVector(new Float32Array(3)), packVector(new Float32Array(3)))).toBe(0);
  });
});
