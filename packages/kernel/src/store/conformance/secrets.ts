import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { createTestClock } from '../../test-support/open-test-kernel.ts';
import type { SecretTable } from '../tables/secret-table.ts';
import type { OpenStore } from './conformance.ts';

const MINE = DEFAULT_WORKSPACE;
const OTHER = 'other' as WorkspaceId; // Valid.

const secret = (name: string): Parameters<SecretTable['put']>[0] => ({
  name,
  type: 'api_key',
  purpose: 'reads ключ',
  bindings: { hosts: ['api.example.com'], capabilities: ['network.*'], skills: [] },
  version: 1,
  revision: 1,
  revokedAt: undefined,
});
const version = (number: number, dataKey = 1) => ({
  ...{ version: number, dataKey, createdAt: number },
  sealed: Uint8Array.of(0, number, 255),
});

async function openWith(open: OpenStore) {
  const clock = createTestClock();
  const under = await open({ clock });
  await under.store.writeSystem(({ workspaces, now }) => workspaces.insert({ id: OTHER, createdAt: now, settings: {} }));
  const mine = under.store.workspace(MINE);
  await mine.write(({ secrets }) => secrets.insertDataKey({ number: 1, root: 7, wrapped: Uint8Array.of(9) }));
  return { clock, mine, other: under.store.workspace(OTHER), [Symbol.asyncDispose]: () => under[Symbol.asyncDispose]() };
}

export function testSecrets(name: string, open: OpenStore): void {
  describe(`sealed secrets in the store on ${name}`, () => {
    it('are kept whole, bytes for bytes, with when they were made and changed', async () => {
      await using on = await openWith(open);
      const createdAt = on.clock.now();
      await on.mine.write(({ secrets }) => {
        secrets.put(secret('github'));
        secrets.replaceVersions('github', [version(1)]);
      });
      on.clock.advance(5);
      await on.mine.write(({ secrets }) => {
        secrets.put({ ...secret('github'), version: 2, revision: 2, revokedAt: 3 });
        secrets.replaceVersions('github', [version(1), version(2)]);
      });
      const read = await on.mine.read(({ secrets }) => [
        secrets.find('github'),
        secrets.versions('github'),
        secrets.findVersion('github', 1),
      ]);
      const { revokedAt: _, ...rest } = secret('github');
      expect(read).toEqual([
        { ...rest, version: 2, revision: 2, revokedAt: 3, createdAt, updatedAt: createdAt + 5 },
        [version(2), version(1)],
        version(1),
      ]);
    });

    it('are listed by name, behind a name, and of one workspace only', async () => {
      await using on = await openWith(open);
      await on.mine.write(({ secrets }) => {
        for (const each of ['b', 'a', 'c']) secrets.put(secret(each));
      });
      await on.other.write(({ secrets }) => secrets.put(secret('a')));
      const names = await on.mine.read(({ secrets }) =>
        [secrets.list(2), secrets.list(9, 'a')].map((list) => list.map((each) => each.name)),
      );
      expect(names).toEqual([
        ['a', 'b'],
        ['b', 'c'],
      ]);
      expect(await on.mine.read(({ secrets }) => secrets.count())).toBe(3);
      expect(await on.mine.write(({ secrets }) => [secrets.delete('a'), secrets.delete('a')])).toEqual([true, false]);
      expect(await on.other.read(({ secrets }) => [secrets.find('a')?.name, secrets.dataKeys()])).toEqual(['a', []]);
    });

    it('go with all their versions, and a data key is known to be used as long as one is sealed under it', async () => {
      await using on = await openWith(open);
      await on.mine.write(({ secrets }) => {
        secrets.put(secret('github'));
        secrets.replaceVersions('github', [version(1)]);
      });
      expect(await on.mine.read(({ secrets }) => secrets.isInUse(1))).toBe(true);
      await on.mine.write(({ secrets }) => secrets.delete('github'));
      expect(await on.mine.read(({ secrets }) => [secrets.isInUse(1), secrets.versions('github')])).toEqual([false, []]);
    });

    it('need the data key that they are sealed under', async () => {
      await using on = await openWith(open);
      const put = on.mine.write(({ secrets }) => {
        secrets.put(secret('github'));
        secrets.replaceVersions('github', [version(1, 2)]);
      });
      await expect(put).rejects.toThrow();
      expect(await on.mine.read(({ secrets }) => secrets.find('github'))).toBeUndefined();
    });

    it('have data keys that can be wrapped again and deleted', async () => {
      await using on = await openWith(open);
      const createdAt = on.clock.now();
      await on.mine.write(({ secrets }) => {
        secrets.insertDataKey({ number: 2, root: 7, wrapped: Uint8Array.of(8) });
        secrets.rewrapDataKey({ number: 1, root: 8, wrapped: Uint8Array.of(1, 2) });
      });
      expect(await on.mine.read(({ secrets }) => secrets.dataKeys())).toEqual([
        { number: 1, root: 8, wrapped: Uint8Array.of(1, 2), createdAt },
        { number: 2, root: 7, wrapped: Uint8Array.of(8), createdAt },
      ]);
      await on.mine.write(({ secrets }) => secrets.deleteDataKey(1));
      expect(await on.mine.read(({ secrets }) => secrets.dataKeys().map((key) => key.number))).toEqual([2]);
      await expect(
        on.mine.write(({ secrets }) => secrets.rewrapDataKey({ number: 9, root: 1, wrapped: Uint8Array.of(1) })),
      ).rejects.toThrow();
    });
  });
}
