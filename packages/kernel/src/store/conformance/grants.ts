import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import type { GrantRow, GrantSet } from '../tables/grant-table.ts';
import type { OpenStore } from './conformance.ts';

const MINE = DEFAULT_WORKSPACE;
const OTHER = 'other' as WorkspaceId; // Valid.

const SOME: GrantSet = {
  tools: ['filesystem.*', 'ключ', "it's"],
  paths: [{ prefix: '/a b', mode: 'rw' }, { prefix: '/', mode: 'r' }],
  hosts: ['**.example.com:443', '[::1]'],
  models: ['claude-*'],
  subAgents: true,
}; // biome-ignore format: a table
const NONE: GrantSet = { tools: [], paths: [], hosts: [], models: [], subAgents: false };

const rowOf = (pid: number, parentGrantId?: number): Omit<GrantRow, 'grantId'> => ({
  ...SOME,
  pid,
  parentGrantId,
  createdAt: 1_800_000_000_000 + pid,
});

export function testGrants(name: string, open: OpenStore): void {
  describe(`grants of the store on ${name}`, () => {
    it('are found by pid as they were inserted, also after a restart', async () => {
      await using under = await open();
      const grantId = await under.store.workspace(MINE).write(({ grants }) => grants.insert(rowOf(7)));
      await under.reopen();
      const read = await under.store.workspace(MINE).read(({ grants }) => [grants.find(7), grants.find(8)]);
      expect(read).toEqual([{ ...rowOf(7), grantId }, undefined]);
    });

    it('are one for each process', async () => {
      await using under = await open();
      const mine = under.store.workspace(MINE);
      await mine.write(({ grants }) => grants.insert(rowOf(7)));
      await expect(mine.write(({ grants }) => grants.insert(rowOf(7)))).rejects.toThrow();
    });

    it('are updated in what they hold and in nothing else', async () => {
      await using under = await open();
      const mine = under.store.workspace(MINE);
      const grantId = await mine.write(({ grants }) => grants.insert(rowOf(7, 3)));
      await mine.write(({ grants }) => grants.update(7, NONE));
      expect(await mine.read(({ grants }) => grants.find(7))).toEqual({ ...rowOf(7, 3), ...NONE, grantId });
      await expect(mine.write(({ grants }) => grants.update(8, NONE))).rejects.toThrow();
    });

    it('know those directly below, by pid', async () => {
      await using under = await open();
      const mine = under.store.workspace(MINE);
      const [top, middle] = await mine.write(({ grants }) => {
        const first = grants.insert(rowOf(1));
        const second = grants.insert(rowOf(5, first));
        grants.insert(rowOf(3, first));
        grants.insert(rowOf(4, second));
        return [first, second];
      });
      const below = (grantId: number) => mine.read(({ grants }) => grants.children(grantId).map(({ pid }) => pid));
      expect(await below(top ?? 0)).toEqual([3, 5]);
      expect(await below(middle ?? 0)).toEqual([4]);
      expect(await below(999)).toEqual([]);
    });

    it('hand those below to the one above when they are deleted', async () => {
      await using under = await open();
      const mine = under.store.workspace(MINE);
      const parents = await mine.write(({ grants }) => {
        const first = grants.insert(rowOf(1));
        const second = grants.insert(rowOf(2, first));
        grants.insert(rowOf(3, second));
        grants.delete(2);
        const middle = grants.find(3)?.parentGrantId;
        grants.delete(1);
        return { first, middle, end: grants.find(3)?.parentGrantId, gone: [grants.find(1), grants.find(2)] };
      });
      expect(parents).toMatchObject({ middle: parents.first, end: undefined, gone: [undefined, undefined] });
      await expect(mine.write(({ grants }) => grants.delete(1))).rejects.toThrow();
    });

    it('never get an id a second time, also after the newest was deleted and a restart', async () => {
      await using under = await open();
      const insertAndDelete = () =>
        under.store.workspace(MINE).write(({ grants }) => {
          const id = grants.insert(rowOf(7));
          grants.delete(7);
          return id;
        });
      const first = await insertAndDelete();
      const second = await insertAndDelete();
      await under.reopen();
      const third = await insertAndDelete();
      expect(second).toBeGreaterThan(first);
      expect(third).toBeGreaterThan(second);
    });

    it('are of one workspace', async () => {
      await using under = await open();
      await under.store.writeSystem(({ workspaces, now }) => workspaces.insert({ id: OTHER, createdAt: now, settings: {} }));
      const [mine, other] = [under.store.workspace(MINE), under.store.workspace(OTHER)];
      const id = await mine.write(({ grants }) => grants.insert(rowOf(7)));
      expect(await other.read(({ grants }) => [grants.find(7), grants.children(id)])).toEqual([undefined, []]);
      await other.write(({ grants }) => {
        grants.insert({ ...rowOf(7), ...NONE });
        grants.delete(7);
      });
      expect(await mine.read(({ grants }) => grants.find(7))).toEqual({ ...rowOf(7), grantId: id });
    });
  });
}
