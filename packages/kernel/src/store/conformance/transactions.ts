import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import type { OpenStore } from './conformance.ts';

const MINE = DEFAULT_WORKSPACE;
const event = (kind: string) => ({ pid: undefined, kind, payload: {} });

export function testTransactions(name: string, open: OpenStore): void {
  describe(`transactions of the store on ${name}`, () => {
    it('keep what was acknowledged over a restart', async () => {
      await using under = await open();
      await under.store.workspace(MINE).write(({ events }) => events.append(event('a')));
      await under.reopen();
      expect(await under.store.workspace(MINE).read(({ events }) => events.newest({}, 10).map(({ kind }) => kind))).toEqual(['a']);
    });

    it('undo all of a body that throws after it wrote, and keep its neighbours', async () => {
      await using under = await open();
      const mine = under.store.workspace(MINE);
      const done = await Promise.allSettled([
        mine.write(({ events }) => events.append(event('a'))),
        mine.write(({ events }) => {
          events.append(event('b'));
          throw new Error('no');
        }),
        mine.write(({ events }) => events.append(event('c'))),
      ]);
      expect(done.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(await mine.read(({ events }) => events.newest({}, 10).map(({ id, kind }) => [id, kind]))).toEqual([[1, 'a'], [2, 'c']]); // biome-ignore format: one line
    });

    it('give each of many concurrent writers its own number', async () => {
      await using under = await open();
      const mine = under.store.workspace(MINE);
      const ids = await Promise.all(Array.from({ length: 500 }, () => mine.write(({ events }) => events.append(event('a')))));
      expect(ids).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
    });

    it('refuse a workspace that does not exist', async () => {
      await using under = await open();
      const nobody = under.store.workspace('nobody' as WorkspaceId); // Valid, and there is none.
      await expect(nobody.read(() => 1)).rejects.toMatchObject({ code: 'not_found' });
      await expect(nobody.write(() => 1)).rejects.toMatchObject({ code: 'not_found' });
    });

    it('tell listeners what was committed, in order, and nothing of what was undone', async () => {
      await using under = await open();
      const heard: string[] = [];
      under.store.onCommit((workspace, events) => heard.push(...events.map(({ kind }) => `${workspace}:${kind}`)));
      const mine = under.store.workspace(MINE);
      await Promise.allSettled([
        mine.write(({ events }) => events.append(event('a'))),
        mine.write(({ events }) => {
          events.append(event('b'));
          throw new Error('no');
        }),
      ]);
      expect(heard).toEqual(['default:a']);
    });

    it('refuse everything after closing, and close twice harmlessly', async () => {
      await using under = await open();
      const mine = under.store.workspace(MINE);
      const last = mine.write(({ events }) => events.append(event('a')));
      await under.store.close();
      await under.store.close();
      expect(await last).toBe(1);
      await expect(mine.read(() => 1)).rejects.toMatchObject({ code: 'aborted' });
      await expect(mine.write(() => 1)).rejects.toMatchObject({ code: 'aborted' });
    });
  });
}
