/** Deleting a workspace, seen from outside: its bytes are gone, whoever looks, and what comes after it under its name is another. */
import { existsSync } from 'node:fs';
import { openKernel, verifyAudit } from '@warren/kernel';
import { openPlatform } from '@warren/platform';
import { parseWorkspaceId } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { findWord, plant } from './plant.ts';

const DOOMED = parseWorkspaceId('Doomed_1');
const KEPT = parseWorkspaceId('kept');
const WORD = 'Xyzzy42Plugh';
const OTHER_WORD = 'Qwerty77Frotz';

async function open(directory: string, more: { readonly rewrittenBytesMax?: number } = {}) {
  const stack = new AsyncDisposableStack();
  const kernel = stack.use(await openKernel({ directory, ...more }));
  const openSandboxes = () => Promise.reject(new Error('There are none here'));
  const platform = stack.use(await openPlatform({ kernel, directory, isWatching: false, openSandboxes }));
  return { kernel, platform, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe('a workspace that is deleted', () => {
  it('leaves none of its bytes in the state directory, and those of others stay', async () => {
    await using directory = await TemporaryDirectory.create();
    {
      await using on = await open(directory.path);
      for (const [id, word] of [
        [DOOMED, WORD],
        [KEPT, OTHER_WORD],
      ] as const) {
        // biome-ignore format: a table
        await on.kernel.workspaces.create(id);
        await plant(on.kernel, on.platform, directory.path, id, word);
      }
      expect(findWord(directory.path, WORD).length).toBeGreaterThan(5);
      await on.kernel.workspaces.delete(DOOMED);
      expect(findWord(directory.path, WORD)).toEqual([]);
      expect(findWord(directory.path, OTHER_WORD).length).toBeGreaterThan(5);
      expect(existsSync(directory.join('workspaces', DOOMED))).toBe(false);
      expect((await on.kernel.workspaces.list()).map(({ id }) => id)).toEqual(['default', KEPT]);
      expect(await on.kernel.store.check()).toEqual([]);
      const { entries } = await on.platform.audit.search({ workspace: DOOMED });
      expect(entries.map(({ action, outcome, input, details }) => [action, outcome, input, details])).toEqual(
        expect.arrayContaining([['alerts.send', 'success', undefined, { content: 'destroyed' }]]),
      );
      const { entries: kept } = await on.platform.audit.search({ workspace: KEPT, action: 'alerts.send' });
      expect(kept[0]).toMatchObject({ input: { message: `${OTHER_WORD} in a call` }, details: { reasoning: OTHER_WORD } });
    }
    expect(findWord(directory.path, WORD)).toEqual([]);
    await using again = await open(directory.path);
    const report = await verifyAudit({ directory: directory.join('audit'), publicKey: again.platform.audit.publicKey });
    expect(report.problems).toEqual([]);
  });

  it('leaves none of its bytes in a store too large to be written anew while others work, once that was opened again', async () => {
    await using directory = await TemporaryDirectory.create();
    {
      await using on = await open(directory.path, { rewrittenBytesMax: 0 });
      for (const [id, word] of [
        [DOOMED, WORD],
        [KEPT, OTHER_WORD],
      ] as const) {
        // biome-ignore format: a table
        await on.kernel.workspaces.create(id);
        await plant(on.kernel, on.platform, directory.path, id, word);
      }
      await on.kernel.workspaces.delete(DOOMED);
      // What may be left is in gaps between rows that are there.
      expect(findWord(directory.path, WORD).filter((path) => path !== directory.join('kernel.db'))).toEqual([]);
      expect(existsSync(directory.join('kernel.db-rewrite'))).toBe(true);
      await on.kernel.workspaces.create(DOOMED);
    }
    await using again = await open(directory.path, { rewrittenBytesMax: 0 });
    expect(findWord(directory.path, WORD)).toEqual([]);
    expect(existsSync(directory.join('kernel.db-rewrite'))).toBe(false);
    expect(findWord(directory.path, OTHER_WORD).length).toBeGreaterThan(5);
    expect(await again.kernel.store.check()).toEqual([]);
    expect((await again.kernel.workspaces.list()).map(({ id }) => id)).toEqual([DOOMED, 'default', KEPT]);
  });

  it('can be made again, and what is made sees nothing of it', async () => {
    await using directory = await TemporaryDirectory.create();
    await using on = await open(directory.path);
    const { kernel, platform } = on;
    await kernel.workspaces.create(DOOMED, { weight: 7 });
    await plant(kernel, platform, directory.path, DOOMED, WORD);
    await kernel.workspaces.delete(DOOMED);
    await expect(kernel.workspace(DOOMED).processes.list()).rejects.toMatchObject({ code: 'not_found' });
    await expect(platform.gate.call(DOOMED, { pid: 1, capability: 'git.status', input: {} })).rejects.toMatchObject({ code: 'not_found' });
    const made = await kernel.workspaces.create(DOOMED);
    expect(made.settings.weight).toBe(1);
    const mine = kernel.workspace(DOOMED);
    expect((await mine.processes.list()).total).toBe(0);
    expect(await mine.events.newest({})).toEqual([]);
    expect(await mine.agents.list()).toEqual([]);
    expect(await mine.secrets.dataKeys()).toEqual([]);
    expect(await platform.memories.use(DOOMED, (memory) => memory.count())).toBe(0);
    expect(platform.policies.status(DOOMED).problems).toEqual([]);
    const grants = { tools: ['*'], paths: [], hosts: [], models: [], subAgents: false };
    const { pid } = await platform.agents.start(DOOMED, { agent: 'ada', grants, budgets: {} });
    expect(pid).toBe(1);
    // The policy of the earlier one blocked it.
    expect(await platform.gate.call(DOOMED, { pid, capability: 'alerts.send', input: { message: 'new', severity: 'info' } })).toMatchObject(
      { kind: 'done' },
    );
    expect(
      await platform.gate.explain(DOOMED, {
        agent: 'ada',
        capability: 'git.status',
        input: { path: '/workspace' },
        taint: [],
        at: undefined,
      }),
    ).not.toMatchObject({ tier: 'blocked' });
    const { entries } = await platform.audit.search({ workspace: DOOMED, newest: true, limit: 1 });
    expect(entries[0]?.input).toMatchObject({ message: 'new' });
  });

  it('ends who follows it, and lets nobody be made of its name meanwhile', async () => {
    await using directory = await TemporaryDirectory.create();
    await using on = await open(directory.path);
    await on.kernel.workspaces.create(DOOMED);
    const mine = on.kernel.workspace(DOOMED);
    const following = mine.events.subscribe({}, new AbortController().signal)[Symbol.asyncIterator]().next();
    const refused = expect(following).rejects.toMatchObject({ code: 'not_found' });
    await mine.processes.list(); // The follower has looked by now, and waits.
    const deleting = on.kernel.workspaces.delete(DOOMED);
    const twice = on.kernel.workspaces.delete(DOOMED);
    await Promise.all([deleting, twice, refused]);
    await expect(on.kernel.workspaces.delete(DOOMED)).rejects.toMatchObject({ code: 'not_found' });
    await expect(on.kernel.workspaces.delete(parseWorkspaceId('default'))).rejects.toMatchObject({ code: 'invalid_argument' });
  });
});
