import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { createTestClock } from '../../test-support/open-test-kernel.ts';
import type { OpenStore } from './conformance.ts';

const MINE = DEFAULT_WORKSPACE;
const OTHER = 'other' as WorkspaceId; // Valid.
const agent = (name: string) =>
  ({
    name,
    purpose: 'writes ключ',
    grants: { tools: ['a.*'], paths: [{ prefix: '/workspace', mode: 'rw' }], hosts: [], models: [], subAgents: true },
    budgets: { tool_calls: 7 },
    program: { kind: 'loop', model: 'ключ' },
    state: 'active',
  }) as const;

async function openWith(open: OpenStore) {
  const clock = createTestClock();
  const under = await open({ clock });
  await under.store.writeSystem(({ workspaces, now }) => workspaces.insert({ id: OTHER, createdAt: now, settings: {} }));
  return { clock, store: under.store, [Symbol.asyncDispose]: () => under[Symbol.asyncDispose]() };
}

export function testAgents(name: string, open: OpenStore): void {
  describe(`agents in the store on ${name}`, () => {
    it('are kept whole, with when they were made and changed', async () => {
      await using on = await openWith(open);
      const mine = on.store.workspace(MINE);
      const createdAt = on.clock.now();
      await mine.write(({ agents }) => agents.insert(agent('coder')));
      expect((await mine.read(({ agents }) => agents.find('coder')))?.program).toEqual(agent('coder').program);
      on.clock.advance(5);
      await mine.write(({ agents }) => agents.update({ ...agent('coder'), purpose: '', program: undefined, state: 'revoked' }));
      expect(await mine.read(({ agents }) => agents.find('coder'))).toEqual({
        ...agent('coder'),
        purpose: '',
        program: undefined,
        state: 'revoked',
        createdAt,
        updatedAt: createdAt + 5,
      });
    });

    it('are listed by name, behind a name, and of one workspace only', async () => {
      await using on = await openWith(open);
      const mine = on.store.workspace(MINE);
      await mine.write(({ agents }) => {
        for (const each of ['b', 'a', 'c']) agents.insert(agent(each));
      });
      await on.store.workspace(OTHER).write(({ agents }) => agents.insert(agent('a')));
      expect(await mine.read(({ agents }) => [agents.list(2), agents.list(9, 'a')].map((list) => list.map((each) => each.name)))).toEqual([
        ['a', 'b'],
        ['b', 'c'],
      ]);
      expect(await mine.read(({ agents }) => agents.count())).toBe(3);
      expect(await mine.write(({ agents }) => [agents.delete('a'), agents.delete('a')])).toEqual([true, false]);
      expect(await on.store.workspace(OTHER).read(({ agents }) => agents.find('a')?.name)).toBe('a');
    });

    it('cannot be twice, nor changed when there is none', async () => {
      await using on = await openWith(open);
      const mine = on.store.workspace(MINE);
      await mine.write(({ agents }) => agents.insert(agent('coder')));
      await expect(mine.write(({ agents }) => agents.insert(agent('coder')))).rejects.toThrow();
      await expect(mine.write(({ agents }) => agents.update(agent('another')))).rejects.toThrow();
    });
  });
}
