import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { createTestClock } from '../../test-support/open-test-kernel.ts';
import type { OpenStore } from './conformance.ts';

const OPERATOR = { name: 'olga', workspace: undefined, role: undefined, groups: ['ops'], passphrase: '$argon2id$', identity: undefined };
const member = (name: string) =>
  ({
    name,
    workspace: DEFAULT_WORKSPACE,
    role: 'approver',
    groups: [],
    passphrase: undefined,
    identity: { issuer: 'https://id.example', subject: name },
  }) as const;

async function openWith(open: OpenStore) {
  const clock = createTestClock();
  const under = await open({ clock });
  return { clock, store: under.store, [Symbol.asyncDispose]: () => under[Symbol.asyncDispose]() };
}

export function testPeople(name: string, open: OpenStore): void {
  describe(`people in the store on ${name}`, () => {
    it('are kept whole, and found by name and by identity', async () => {
      await using on = await openWith(open);
      const at = on.clock.now();
      await on.store.writeSystem(({ people }) => {
        people.insert(OPERATOR);
        people.insert(member('ann'));
      });
      on.clock.advance(5);
      await on.store.writeSystem(({ people, now }) => people.update({ ...member('ann'), role: 'viewer', disabledAt: now }));
      const found = await on.store.readSystem(({ people }) => [
        people.find('olga'),
        people.findByIdentity('https://id.example', 'ann'),
        people.findByIdentity('https://id.example', 'olga'),
      ]);
      expect(found).toEqual([
        { ...OPERATOR, createdAt: at, updatedAt: at, disabledAt: undefined },
        { ...member('ann'), role: 'viewer', createdAt: at, updatedAt: at + 5, disabledAt: at + 5 },
        undefined,
      ]);
    });

    it('are listed by name, all or those of a workspace', async () => {
      await using on = await openWith(open);
      await on.store.writeSystem(({ people }) => {
        for (const each of [member('bob'), OPERATOR, member('ann')]) people.insert(each);
      });
      const names = await on.store.readSystem(({ people }) =>
        [people.list(9), people.list(1, DEFAULT_WORKSPACE)].map((list) => list.map((each) => each.name)),
      );
      expect(names).toEqual([['ann', 'bob', 'olga'], ['ann']]);
      expect(await on.store.readSystem(({ people }) => people.count())).toBe(3);
    });

    it('cannot share a name or an identity, nor be of a workspace that is not there', async () => {
      await using on = await openWith(open);
      await on.store.writeSystem(({ people }) => people.insert(member('ann')));
      await expect(on.store.writeSystem(({ people }) => people.insert(member('ann')))).rejects.toThrow();
      await expect(on.store.writeSystem(({ people }) => people.insert({ ...member('ann'), name: 'bob' }))).rejects.toThrow();
      const nowhere = { ...member('bob'), workspace: 'nowhere' as WorkspaceId }; // Valid, and there is none.
      await expect(on.store.writeSystem(({ people }) => people.insert(nowhere))).rejects.toMatchObject({ code: 'not_found' });
      expect(await on.store.readSystem(({ people }) => people.count())).toBe(1);
    });
  });
}
