import { describe, expect, it } from 'vitest';
import type { OpenStore } from './conformance.ts';
import { HOSTILE_TEXT, openTwo } from './two-workspaces.ts';

const taint = (pid: number, label: string, since = 5) => ({ pid, label, since, callId: undefined });

export function testTaints(name: string, open: OpenStore): void {
  describe(`taints of the store on ${name}`, () => {
    it('are kept once, with when they came, also after a restart', async () => {
      await using on = await openTwo(open);
      const first = { ...taint(1, 'web'), callId: 'call_1' };
      expect(await on.mine.write(({ taints }) => [taints.add(first), taints.add(taint(1, 'web', 9)), taints.add(taint(1, 'mail'))])).toEqual([true, false, true]); // biome-ignore format: one line
      await on.under.reopen();
      expect(await on.mine.read(({ taints }) => taints.of(1))).toEqual([taint(1, 'mail'), first]);
    });

    it('are those of their workspace, and of their process, alone', async () => {
      await using on = await openTwo(open);
      await on.mine.write(({ taints }) => HOSTILE_TEXT.map((label) => taints.add(taint(1, label))));
      expect((await on.mine.read(({ taints }) => taints.of(1))).map(({ label }) => label)).toEqual(HOSTILE_TEXT.toSorted());
      expect(await on.other.write(({ taints }) => [taints.of(1), taints.clear(1)])).toEqual([[], 0]);
      expect(await on.mine.write(({ taints }) => [taints.of(2), taints.clear(2)])).toEqual([[], 0]);
      expect(await on.mine.write(({ taints }) => [taints.clear(1), taints.of(1), taints.add(taint(1, 'web'))])).toEqual([7, [], true]);
    });
  });
}
