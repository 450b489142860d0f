import { parseWorkspaceId, type WorkspaceId } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairShare } from './fair-share.ts';

const [A, B, C] = ['a', 'b', 'c'].map(parseWorkspaceId) as [WorkspaceId, WorkspaceId, WorkspaceId]; // Three in, three out.

/** Who is served in turn, one claim at a time. */
function serve(shares: FairShare, ids: readonly WorkspaceId[], count: number): Map<WorkspaceId, number> {
  const served = new Map<WorkspaceId, number>(ids.map((id) => [id, 0]));
  for (let turn = 0; turn < count; turn++) for (const [id, got] of shares.divide(ids, 1)) served.set(id, (served.get(id) ?? 0) + got);
  return served;
}

describe('fair shares', () => {
  it('are equal between equals, whoever asks first', () => {
    expect([...serve(new FairShare(), [A, B, C], 300).values()]).toEqual([100, 100, 100]);
  });

  it('are as the weights, to within one claim, at any moment', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 6 }),
        fc.integer({ min: 1, max: 500 }),
        (weights, count) => {
          const shares = new FairShare();
          const ids = weights.map((_, index) => parseWorkspaceId(`w${index}`));
          for (const [index, id] of ids.entries()) shares.setWeight(id, weights[index] ?? 1);
          const served = serve(shares, ids, count);
          const normalized = ids.map((id, index) => (served.get(id) ?? 0) / (weights[index] ?? 1));
          expect(Math.max(...normalized) - Math.min(...normalized)).toBeLessThanOrEqual(1 + Math.max(...weights.map((each) => 1 / each)));
        },
      ),
    );
  });

  it('of a large claim are divided too, completely', () => {
    const shares = new FairShare();
    shares.setWeight(A, 3);
    expect(Object.fromEntries(shares.divide([A, B], 1_000))).toEqual({ a: 744, b: 256 });
    expect(Object.fromEntries(new FairShare().divide([A], 1_000))).toEqual({ a: 1_000 });
    expect(new FairShare().divide([], 5).size).toBe(0);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 1, max: 10 }), (limit, count) => {
        const ids = Array.from({ length: count }, (_, index) => parseWorkspaceId(`w${index}`));
        const counts = [...new FairShare().divide(ids, limit).values()];
        expect(counts.reduce((sum, each) => sum + each, 0)).toBe(limit);
      }),
    );
  });

  it('are not saved up by who had nothing to do', () => {
    const shares = new FairShare();
    serve(shares, [A], 1_000);
    expect([...serve(shares, [A, B], 10).values()]).toEqual([5, 5]);
  });

  it('that were not taken are given back', () => {
    const shares = new FairShare();
    for (let turn = 0; turn < 100; turn++) for (const [id, got] of shares.divide([A, B], 2)) if (id === B) shares.giveBack(id, got);
    expect(serve(shares, [A, B], 1).get(B)).toBe(1);
  });
});
