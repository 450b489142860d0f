import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { createTestClock } from '../../test-support/open-test-kernel.ts';
import type { NewToken } from '../tables/token-table.ts';
import type { OpenStore } from './conformance.ts';

const MINE = DEFAULT_WORKSPACE;
const OTHER = 'other' as WorkspaceId; // Valid.

const token = (id: string, more: Partial<NewToken> = {}): NewToken => ({
  id,
  hash: `hash of ${id}`,
  pid: undefined,
  agent: undefined,
  person: undefined,
  role: undefined,
  label: '',
  owner: id,
  madeBy: undefined,
  groups: [],
  expiresAt: undefined,
  ...more,
});

const CODER = {
  name: 'coder',
  purpose: '',
  grants: { tools: [], paths: [], hosts: [], models: [], subAgents: false },
  budgets: {},
  program: undefined,
  state: 'active',
} as const;
const ANN = { name: 'ann', workspace: undefined, role: undefined, groups: [], passphrase: undefined, identity: undefined };

async function openWith(open: OpenStore) {
  const clock = createTestClock();
  const under = await open({ clock });
  await under.store.writeSystem(({ workspaces, now }) => workspaces.insert({ id: OTHER, createdAt: now, settings: {} }));
  return { clock, under, [Symbol.asyncDispose]: () => under[Symbol.asyncDispose]() };
}

export function testTokens(name: string, open: OpenStore): void {
  describe(`tokens in the store on ${name}`, () => {
    it('are found by their hash, with what they are of', async () => {
      await using on = await openWith(open);
      const { store } = on.under;
      await store.writeSystem(({ tokens }) => tokens.insert(token('a', { label: 'laptop' })));
      await store.workspace(MINE).write(({ tokens }) => tokens.insert(token('b')));
      const found = await store.readSystem(({ tokens }) => ['a', 'b', 'c'].map((id) => tokens.findValid(`hash of ${id}`)));
      expect(found.map((row) => [row?.id, row?.workspace, row?.label])).toEqual([
        ['a', undefined, 'laptop'],
        ['b', MINE, ''],
        [undefined, undefined, undefined],
      ]);
    });

    it('of one workspace are not there for another, and not for it to revoke', async () => {
      await using on = await openWith(open);
      const { store } = on.under;
      await store.writeSystem(({ tokens }) => tokens.insert(token('a')));
      await store.workspace(MINE).write(({ tokens }) => tokens.insert(token('b')));
      const seen = await store.workspace(OTHER).write(({ tokens }) => ({
        found: [tokens.find('a'), tokens.find('b'), tokens.findByHash('hash of a'), tokens.findValid('hash of b')],
        list: tokens.list(10),
        revoked: [tokens.revoke('a'), tokens.revoke('b')],
        count: tokens.count(),
      }));
      expect(seen).toEqual({ found: [undefined, undefined, undefined, undefined], list: [], revoked: [false, false], count: 0 });
      expect(await store.readSystem(({ tokens }) => tokens.list(10).map(({ id }) => id))).toEqual(['a', 'b']);
    });

    it('of a workspace are not for a transaction of the system to change', async () => {
      await using on = await openWith(open);
      const { store } = on.under;
      await store.workspace(MINE).write(({ tokens }) => tokens.insert(token('b')));
      expect(await store.writeSystem(({ tokens }) => [tokens.revoke('b'), tokens.count(), tokens.purgeEnded(10)])).toEqual([false, 0, 0]);
    });

    it('are not valid from the moment they expire', async () => {
      await using on = await openWith(open);
      const { store } = on.under;
      await store.workspace(MINE).write(({ tokens, now }) => tokens.insert(token('a', { expiresAt: now + 10 })));
      const isValid = () => store.readSystem(({ tokens }) => tokens.findValid('hash of a') !== undefined);
      on.clock.advance(9);
      expect(await isValid()).toBe(true);
      on.clock.advance(1);
      expect(await isValid()).toBe(false);
    });

    it('are revoked once', async () => {
      await using on = await openWith(open);
      const { store } = on.under;
      const mine = store.workspace(MINE);
      await mine.write(({ tokens }) => tokens.insert(token('a')));
      expect(await mine.write(({ tokens }) => [tokens.revoke('a'), tokens.revoke('a'), tokens.revoke('b')])).toEqual([true, false, false]);
      const after = await store.readSystem(({ tokens, now }) => [tokens.findValid('hash of a'), tokens.find('a')?.revokedAt === now]);
      expect(after).toEqual([undefined, true]);
    });

    it('of a person are moved to end later, never earlier, and no others are', async () => {
      await using on = await openWith(open);
      const { store } = on.under;
      await store.writeSystem(({ people }) => people.insert(ANN));
      const mine = store.workspace(MINE);
      await mine.write(({ tokens, now }) => {
        tokens.insert(token('a', { person: 'ann', expiresAt: now + 10 }));
        tokens.insert(token('b', { expiresAt: now + 10 }));
        tokens.insert(token('c', { person: 'ann' }));
        tokens.insert(token('d', { person: 'ann', expiresAt: now + 10 }));
        tokens.revoke('d');
      });
      const extend = (ms: number) => mine.write(({ tokens, now }) => ['a', 'b', 'c', 'd', 'e'].map((id) => tokens.extend(id, now + ms)));
      expect(await extend(20)).toEqual([true, false, false, false, false]);
      expect(await extend(20)).toEqual([false, false, false, false, false]);
      expect(await extend(15)).toEqual([false, false, false, false, false]);
      expect(await store.workspace(OTHER).write(({ tokens, now }) => tokens.extend('a', now + 30))).toBe(false);
      expect(await store.writeSystem(({ tokens, now }) => tokens.extend('a', now + 30))).toBe(false);
      on.clock.advance(19);
      expect(await store.readSystem(({ tokens }) => ['a', 'b'].map((id) => tokens.findValid(`hash of ${id}`)?.id))).toEqual([
        'a',
        undefined,
      ]);
    });

    it('are listed newest first, as many as asked for', async () => {
      await using on = await openWith(open);
      const mine = on.under.store.workspace(MINE);
      for (const id of ['a', 'b', 'c']) {
        await mine.write(({ tokens }) => tokens.insert(token(id)));
        on.clock.advance(1);
      }
      expect(await mine.read(({ tokens }) => tokens.list(2).map(({ id }) => id))).toEqual(['c', 'b']);
    });

    it('that ended are purged, oldest first, and no others', async () => {
      await using on = await openWith(open);
      const mine = on.under.store.workspace(MINE);
      await mine.write(({ tokens, now }) => {
        for (const id of ['a', 'b']) tokens.insert(token(id, { expiresAt: now + 1 }));
        for (const id of ['c', 'd']) tokens.insert(token(id));
        tokens.revoke('c');
      });
      on.clock.advance(1);
      const ids = () => mine.read(({ tokens }) => tokens.list(10).map(({ id }) => id));
      expect(await mine.write(({ tokens }) => tokens.purgeEnded(1))).toBe(1);
      expect(await ids()).toEqual(['b', 'c', 'd']);
      expect(await mine.write(({ tokens }) => tokens.purgeEnded(10))).toBe(2);
      expect(await ids()).toEqual(['d']);
    });

    it('of an agent are valid while there is such an agent and it is not revoked', async () => {
      await using on = await openWith(open);
      const { store } = on.under;
      const mine = store.workspace(MINE);
      const isValid = () => store.readSystem(({ tokens }) => tokens.findValid('hash of a')?.agent === 'coder');
      await mine.write(({ tokens }) => tokens.insert(token('a', { agent: 'coder' })));
      expect(await isValid()).toBe(false);
      await mine.write(({ agents }) => agents.insert(CODER));
      expect(await isValid()).toBe(true);
      await mine.write(({ agents }) => agents.update({ ...CODER, state: 'revoked' }));
      expect(await isValid()).toBe(false);
      await mine.write(({ agents }) => agents.update({ ...CODER, state: 'active' }));
      expect(await isValid()).toBe(true);
      await mine.write(({ agents }) => agents.delete('coder'));
      expect(await isValid()).toBe(false);
    });

    it('of an agent of the same name in another workspace are not its tokens', async () => {
      await using on = await openWith(open);
      const { store } = on.under;
      for (const id of [MINE, OTHER]) {
        await store.workspace(id).write(({ agents, tokens }) => {
          agents.insert(CODER);
          tokens.insert(token(id, { agent: 'coder' }));
        });
      }
      expect(await store.workspace(MINE).write(({ tokens }) => tokens.revokeOf({ agent: 'coder' }))).toBe(1);
      expect(await store.workspace(MINE).write(({ tokens }) => tokens.revokeOf({ agent: 'coder' }))).toBe(0);
      const valid = await store.readSystem(({ tokens }) => [MINE, OTHER].map((id) => tokens.findValid(`hash of ${id}`) !== undefined));
      expect(valid).toEqual([false, true]);
    });

    it('of a person go with the person, and are not valid while the person is disabled', async () => {
      await using on = await openWith(open);
      const { store } = on.under;
      const isValid = (id: string) => store.readSystem(({ tokens }) => tokens.findValid(`hash of ${id}`)?.person === 'ann');
      await store.writeSystem(({ people, tokens }) => {
        people.insert(ANN);
        tokens.insert(token('a', { person: 'ann' }));
      });
      await store.workspace(MINE).write(({ tokens }) => tokens.insert(token('b', { person: 'ann', role: 'viewer', owner: 'ann' })));
      expect([await isValid('a'), await isValid('b')]).toEqual([true, true]);
      expect(await store.readSystem(({ tokens }) => tokens.find('b'))).toMatchObject({ role: 'viewer', owner: 'ann' });
      await store.writeSystem(({ people, now }) => people.update({ ...ANN, disabledAt: now }));
      expect([await isValid('a'), await isValid('b')]).toEqual([false, false]);
      await store.writeSystem(({ people }) => people.update({ ...ANN, disabledAt: undefined }));
      expect(await store.writeSystem(({ tokens }) => tokens.revokeOf({ person: 'ann' }))).toBe(2);
      expect([await isValid('a'), await isValid('b')]).toEqual([false, false]);
      expect(await store.writeSystem(({ people, tokens }) => [people.delete('ann'), people.delete('ann'), tokens.find('b')])).toEqual([
        true,
        false,
        undefined,
      ]);
      await expect(store.writeSystem(({ tokens }) => tokens.insert(token('c', { person: 'ann' })))).rejects.toThrow();
    });

    it('cannot be of a process that never was, nor have a hash twice', async () => {
      await using on = await openWith(open);
      const mine = on.under.store.workspace(MINE);
      await expect(mine.write(({ tokens }) => tokens.insert(token('a', { pid: 7 })))).rejects.toThrow();
      await mine.write(({ tokens }) => tokens.insert(token('a')));
      await expect(mine.write(({ tokens }) => tokens.insert({ ...token('b'), hash: 'hash of a' }))).rejects.toThrow();
      expect(await mine.read(({ tokens }) => tokens.count())).toBe(1);
    });
  });
}
