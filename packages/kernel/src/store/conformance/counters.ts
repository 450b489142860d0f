import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OpenStore } from './conformance.ts';
import { HOSTILE_TEXT, openTwo } from './two-workspaces.ts';

export function testCounters(name: string, open: OpenStore): void {
  describe(`counters of the store on ${name}`, () => {
    it('are the sums of the slices that began after a time, also after a restart', async () => {
      await using on = await openTwo(open);
      await on.mine.write(({ counters }) => {
        counters.add('k', 10, 1);
        counters.add('k', 10, 2);
        counters.add('k', 20, 0.5);
        counters.add('kk', 20, 100);
      });
      await on.under.reopen();
      expect(await on.mine.read(({ counters }) => [9, 10, 20].map((since) => counters.sum('k', since)))).toEqual([
        { amount: 3.5, oldestAt: 10 },
        { amount: 0.5, oldestAt: 20 },
        { amount: 0, oldestAt: undefined },
      ]);
    });

    it('are those of their workspace, and of their key, alone', async () => {
      await using on = await openTwo(open);
      await on.mine.write(({ counters }) => HOSTILE_TEXT.map((key, index) => counters.add(key, 1, index + 1)));
      expect(await on.mine.read(({ counters }) => HOSTILE_TEXT.map((key) => counters.sum(key, 0).amount))).toEqual([1, 2, 3, 4, 5, 6, 7]);
      const seen = await on.other.write(({ counters }) => [
        counters.sum('__proto__', 0).amount,
        counters.purge(Number.MAX_SAFE_INTEGER, 9),
      ]);
      expect(seen).toEqual([0, 0]);
    });

    it('lose the slices that no window needs any more, of all keys', async () => {
      await using on = await openTwo(open);
      const seen = await on.mine.write(({ counters }) => {
        for (const slice of [1, 2, 3]) for (const key of ['a', 'b']) counters.add(key, slice, 1, key === 'a' ? 10 : 20);
        counters.add('a', 1, 1, 5); // Needed for as long as whoever needs it longest.
        const left = () => [counters.sum('a', 0).amount, counters.sum('b', 0).amount];
        return [counters.purge(11, 9), counters.purge(13, 1), left(), counters.purge(13, 9), left(), counters.purge(99, 9), left()];
      });
      expect(seen).toEqual([0, 1, [2, 3], 1, [1, 3], 4, [0, 0]]);
    });

    it('count what a list of additions says', async () => {
      await using on = await openTwo(open);
      const addition = fc.record({ key: fc.constantFrom('a', 'b'), slice: fc.nat(5), amount: fc.nat(1_000_000) });
      let run = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(addition), fc.nat(6), async (additions, since) => {
          const prefix = `${run++}:`;
          const sum = await on.mine.write(({ counters }) => {
            for (const { key, slice, amount } of additions) counters.add(prefix + key, slice, amount);
            return counters.sum(`${prefix}a`, since);
          });
          const counted = additions.filter(({ key, slice }) => key === 'a' && slice > since);
          expect(sum.amount).toBe(counted.reduce((total, { amount }) => total + amount, 0));
          expect(sum.oldestAt).toBe(counted.length === 0 ? undefined : Math.min(...counted.map(({ slice }) => slice)));
        }),
        { numRuns: 50 },
      );
    });
  });
}
