import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { openKernel } from '@warren/kernel';
import { isFault, parseWorkspaceId, type WorkspaceId } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { openPlatform } from '../open-platform.ts';
import { StoredBytes, type StoredParts } from './stored-bytes.ts';

const ACME = parseWorkspaceId('acme');
const NONE: StoredParts = { files: 0, memories: 0, sessions: 0, storedFiles: 0, secrets: 0 };
const FULL = { code: 'quota_exceeded', details: { dim: 'stored_bytes', fix: 'warren workspace quota acme stored_bytes_max=NUMBER' } };

function openTest(max = 1_000) {
  let parts = NONE;
  let elapsed = 0;
  let tookMs = 0;
  const counts: number[] = [];
  const room = new StoredBytes({
    async count(_: WorkspaceId, signal: AbortSignal) {
      signal.throwIfAborted();
      counts.push(elapsed);
      elapsed += tookMs;
      return parts;
    },
    maxOf: async () => max,
    elapsedMs: () => elapsed,
  });
  return {
    ...{ room, counts },
    stored(next: Partial<StoredParts>) {
      parts = { ...NONE, ...next };
    },
    takes(ms: number) {
      tookMs = ms;
    },
    advance(ms: number) {
      elapsed += ms;
    },
    [Symbol.asyncDispose]: () => room[Symbol.asyncDispose](),
  };
}

describe('what a workspace stores', () => {
  it('is counted once and added up, until there is no room', async () => {
    await using t = openTest();
    t.stored({ files: 600, memories: 300 });
    await t.room.require(ACME, 60);
    await t.room.require(ACME, 40);
    await expect(t.room.require(ACME, 1)).rejects.toMatchObject(FULL);
    await t.room.require(ACME, 0);
    expect(t.counts).toEqual([0]);
  });

  it('is said by what most of it is in, with what there is and may be', async () => {
    await using t = openTest();
    t.stored({ memories: 700, secrets: 400 });
    const fault = await t.room.require(ACME, 5).catch((error: unknown) => error);
    expect(isFault(fault, 'quota_exceeded') && fault.message).toBe(
      'Cannot store 5 bytes in workspace "acme": 1100 are stored, 700 of them in memories, and stored_bytes_max is 1000',
    );
    expect(fault).toMatchObject({ details: { used: 1_100, hard_limit: 1_000, largest: 'memories' } });
  });

  it('does not become more than it may by many who store at once', async () => {
    await using t = openTest();
    const done = await Promise.allSettled(Array.from({ length: 200 }, () => t.room.require(ACME, 10)));
    expect(done.filter(({ status }) => status === 'fulfilled').length).toBe(100);
    expect(t.counts.length).toBe(1);
  });

  it('is counted again before anybody is refused, and not for each who is', async () => {
    await using t = openTest();
    t.stored({ files: 1_000 });
    await expect(t.room.require(ACME, 1)).rejects.toMatchObject(FULL);
    t.stored({});
    await expect(t.room.require(ACME, 1)).rejects.toMatchObject(FULL); // It was counted just now.
    t.advance(1_000);
    await t.room.require(ACME, 1);
    expect(t.counts.length).toBe(2);
  });

  it('is counted again beside the work, sooner when nobody knows how much is written', async () => {
    await using t = openTest();
    await t.room.require(ACME, 1);
    t.advance(30_000);
    await t.room.require(ACME, 1);
    expect(t.counts.length).toBe(1);
    t.advance(30_000);
    await t.room.require(ACME, 1, { isOpenEnded: true });
    expect(t.counts.length).toBe(2);
    t.stored({ files: 5_000 });
    t.advance(1_000);
    await t.room.require(ACME, 1); // It does not wait for the count that this begins.
    expect(t.counts.length).toBe(3);
    await expect(t.room.require(ACME, 1)).rejects.toMatchObject(FULL);
  });

  it('takes a twentieth of the time to count at most', async () => {
    await using t = openTest();
    t.takes(10_000);
    t.stored({ files: 2_000 });
    for (let second = 0; second < 1_000; second++) {
      await t.room.require(ACME, 1, { isOpenEnded: true }).catch(() => {});
      t.advance(1_000);
    }
    expect(t.counts.length).toBeGreaterThan(4);
    const gaps = t.counts.slice(1).map((at, index) => at - (t.counts[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(200_000);
  });

  it('stops being counted when it is disposed', async () => {
    const t = openTest();
    await t[Symbol.asyncDispose]();
    await expect(t.room.require(ACME, 1)).rejects.toMatchObject({ code: 'aborted' });
  });
});

async function openFull() {
  const directory = await TemporaryDirectory.create();
  const stack = new AsyncDisposableStack();
  stack.use(directory);
  const kernel = stack.use(await openKernel({ directory: directory.path }));
  const openSandboxes = () => Promise.reject(new Error('There are none here'));
  const platform = stack.use(await openPlatform({ kernel, directory: directory.path, isWatching: false, openSandboxes }));
  await kernel.workspaces.create(ACME);
  const session = await platform.sessions.use(ACME, (sessions) => sessions.create('chat'));
  await platform.memories.use(ACME, (memory) => memory.store([{ text: 'before' }]));
  await platform.secrets(ACME).set('before', 'value');
  const grants = { tools: ['*'], paths: [{ prefix: '/workspace', mode: 'rw' as const }], hosts: [], models: [], subAgents: false };
  const { pid } = await platform.agents.start(ACME, { agent: 'ada', grants, budgets: {} });
  await kernel.workspaces.update(ACME, { storedBytesMax: 1 });
  const call = (capability: string, input: Parameters<typeof platform.gate.call>[1]['input']) =>
    platform.gate.call(ACME, { pid, capability, input });
  return { directory, kernel, platform, session, pid, call, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe('a workspace that is full', () => {
  it('takes no more memories, sessions and secrets, and lets what there is be read and deleted', async () => {
    await using on = await openFull();
    const { platform, kernel } = on;
    await expect(platform.memories.use(ACME, (memory) => memory.store([{ text: 'one more' }]))).rejects.toMatchObject(FULL);
    await expect(platform.sessions.use(ACME, (sessions) => sessions.create('another'))).rejects.toMatchObject(FULL);
    await expect(
      platform.sessions.use(ACME, async (sessions) => (await sessions.open('chat')).append([{ type: 'title', title: 'x' }])),
    ).rejects.toMatchObject(FULL);
    await expect(platform.secrets(ACME).set('another', 'value')).rejects.toMatchObject(FULL);
    await expect(platform.secrets(ACME).set('before', 'another')).rejects.toMatchObject(FULL);
    await expect(kernel.workspace(ACME).files.write(on.pid, { path: '/a' }, Buffer.alloc(9_000))).rejects.toMatchObject({
      code: 'quota_exceeded',
    });
    const found = await platform.memories.use(ACME, (memory) => memory.search('before'));
    expect(await platform.memories.use(ACME, (memory) => memory.forget(found[0]?.entry.id ?? ''))).toBe(true);
    await platform.secrets(ACME).revoke('before');
    await platform.secrets(ACME).delete('before');
    await platform.sessions.use(ACME, (sessions) => sessions.delete('chat'));
    await kernel.workspaces.update(ACME, { storedBytesMax: 10_000_000 });
    await platform.memories.use(ACME, (memory) => memory.store([{ text: 'one more' }]));
  });

  it('tells agents so, before anything is begun for them', async () => {
    await using on = await openFull();
    for (const [capability, input] of Object.entries({
      'memory.store': { text: 'one more' },
      'process.run': { command: 'true' },
    })) {
      const answer = await on.call(capability, input);
      expect([capability, answer]).toMatchObject([
        capability,
        { kind: 'failed', error: { type: capability === 'memory.store' ? 'QuotaExceeded' : 'DiskFull' } },
      ]);
      expect(JSON.stringify(answer)).toContain('stored_bytes_max is 1');
      expect(JSON.stringify(answer)).not.toContain(on.directory.path);
    }
  });

  it('is one by what it really stores: a file of holes fills nothing', async () => {
    await using on = await openFull();
    const files = on.directory.join('workspaces', ACME, 'files');
    mkdirSync(files, { recursive: true });
    writeFileSync(`${files}/holes`, '');
    truncateSync(`${files}/holes`, 1_000_000_000_000);
    await on.kernel.workspaces.update(ACME, { storedBytesMax: 100_000_000 });
    await on.platform.memories.use(ACME, (memory) => memory.store([{ text: 'one more' }]));
    const usage = await on.platform.usageOf(ACME, new AbortController().signal);
    expect(usage.storedBytes).toBeLessThan(10_000_000);
    expect(usage.storedBytes).toBe(usage.files.bytes + usage.memories.bytes + usage.sessions.bytes + usage.storedFiles.bytes + 28 + 5);
  });
});
