import { appendFileSync, cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { openAudit, openAuditIndex, openKernel, verifyAudit, verifyInclusion } from '@warren/kernel';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { openPlatform } from '../open-platform.ts';
import { noteOfflineAction } from './offline-actions.ts';

const ENTRY = { kind: 'system', workspace: 'default', actor: { kind: 'system' }, action: 'test', outcome: 'success' } as const;
const FILES = ['audit', 'audit.key'] as const;
const DAY_MS = 86_400_000;

/** Starts, does something, stops. */
async function live<T>(
  directory: TemporaryDirectory,
  during: (platform: Awaited<ReturnType<typeof openPlatform>>) => Promise<T>,
): Promise<T> {
  await using kernel = await openKernel({ directory: directory.path });
  await using platform = await openPlatform({
    ...{ kernel, directory: directory.path, isWatching: false, version: '1.2.3' },
    openSandboxes: () => Promise.reject(new Error('There are none here')),
  });
  return await during(platform);
}

async function actionsOf(directory: TemporaryDirectory): Promise<readonly string[]> {
  return await live(directory, async ({ audit }) => (await audit.search({})).entries.map(({ action }) => action));
}

describe('the audit of a state directory', () => {
  it('says that Warren started and stopped, and goes on', async () => {
    await using directory = await TemporaryDirectory.create();
    await live(directory, async () => {});
    expect(await actionsOf(directory)).toEqual(['daemon.started', 'daemon.stopped', 'daemon.started']);
  });

  it.each([
    ['its files', ['audit']],
    ['its files and its key', FILES],
  ])('is not begun anew when %s are gone, also when an empty directory stands there', async (_, names) => {
    await using directory = await TemporaryDirectory.create();
    await live(directory, async () => {});
    for (const name of names) rmSync(directory.join(name), { recursive: true });
    for (const isEmptyThere of [false, true]) {
      if (isEmptyThere) mkdirSync(directory.join('audit'), { recursive: true });
      await expect(live(directory, async () => {})).rejects.toMatchObject({
        code: 'store_failed',
        message: `Cannot open the audit: there was one, and its files are not in ${directory.join('audit')}`,
        details: { audit: 'missing' },
      });
    }
  });

  it('is not exchanged for another, nor for an earlier state of itself', async () => {
    await using directory = await TemporaryDirectory.create();
    await using other = await TemporaryDirectory.create();
    await live(directory, async () => {});
    cpSync(directory.join('audit'), other.join('earlier'), { recursive: true });
    await live(directory, async () => {});
    await live(other, async () => {});
    cpSync(directory.join('audit'), other.join('kept'), { recursive: true });
    rmSync(directory.join('audit'), { recursive: true });
    cpSync(other.join('earlier'), directory.join('audit'), { recursive: true });
    const refused = (why: RegExp) => ({ code: 'store_failed', message: expect.stringMatching(why), details: { audit: 'replaced' } });
    await expect(live(directory, async () => {})).rejects.toMatchObject(refused(/is not the one .*: it has 2 entries, and had 4$/));
    rmSync(directory.join('audit'), { recursive: true });
    for (const name of FILES) cpSync(other.join(name), directory.join(name), { recursive: true, force: true });
    await expect(live(directory, async () => {})).rejects.toMatchObject(
      refused(/it is signed by key [0-9a-f]{16}, that of this .* by [0-9a-f]{16}$/),
    );
  });

  it('is begun anew when somebody said that it is meant, and says so first', async () => {
    await using directory = await TemporaryDirectory.create();
    await live(directory, async () => {});
    for (const name of FILES) renameSync(directory.join(name), directory.join(`${name}.old`));
    noteOfflineAction(directory.path, 'audit.restart', { reason: 'the disk was lost' }, { at: 0, by: 'ann' });
    const [first] = await live(directory, async ({ audit }) => (await audit.search({})).entries);
    expect(first).toMatchObject({
      ...{ kind: 'operator', actor: { kind: 'operator', name: 'ann' }, action: 'audit.restart' },
      details: { at: '1970-01-01T00:00:00.000Z', reason: 'the disk was lost' },
    });
    expect(await actionsOf(directory)).toHaveLength(4); // Told once.
    expect(existsSync(directory.join('offline-actions.jsonl'))).toBe(false);
  });

  it('goes on beginning where a crash cut that off', async () => {
    await using directory = await TemporaryDirectory.create();
    await using other = await TemporaryDirectory.create();
    await live(other, async () => {});
    // The key is made, the log not yet: nothing was ever recorded with it.
    renameSync(other.join('audit.key'), directory.join('audit.key.new'));
    expect(await actionsOf(directory)).toEqual(['daemon.started']);
    // The log is begun, the key not yet in its place.
    renameSync(directory.join('audit.key'), directory.join('audit.key.new'));
    expect(await actionsOf(directory)).toHaveLength(3);
  });

  it('takes what was done meanwhile, also what is no such line', async () => {
    await using directory = await TemporaryDirectory.create();
    await live(directory, async () => {});
    noteOfflineAction(directory.path, 'capability.install', { pack: 'jira' }, { at: 1_000, by: 'ann' });
    appendFileSync(directory.join('offline-actions.jsonl'), 'null\n{"action":1}\n{half');
    expect((await actionsOf(directory)).slice(2)).toEqual([
      'capability.install',
      ...['offline.unreadable', 'offline.unreadable', 'offline.unreadable'],
      'daemon.started',
    ]);
  });

  it('loses entries that are past their time, and no proof of them', async () => {
    await using directory = await TemporaryDirectory.create();
    const longAgo = Date.now() - 200 * DAY_MS;
    let now = longAgo;
    const parts = { directory: directory.join('audit'), keyFile: directory.join('audit.key'), clock: { now: () => now } };
    const old = await openAudit({ ...parts, openIndex: openAuditIndex });
    for (let number = 0; number < 10; number += 1) await old.append(ENTRY);
    now += DAY_MS;
    await old.append(ENTRY);
    const anchors = [old.head()];
    await old.close();
    await live(directory, async ({ audit }) => {
      await audit.purge(0); // After the one that a start begins with.
      await expect(audit.get(3)).rejects.toMatchObject({ code: 'not_found', message: expect.stringContaining('purged') });
      expect(verifyInclusion(await audit.proveInclusion(3), audit.publicKey)).toBe(true);
      const report = await verifyAudit({ directory: directory.join('audit'), publicKey: audit.publicKey, anchors });
      expect(report).toMatchObject({ entries: 12, purged: 11, problems: [] });
    });
  });

  it('ends operations that a crash cut off', async () => {
    await using directory = await TemporaryDirectory.create();
    const begun = {
      ...ENTRY,
      kind: 'operator',
      action: 'agent.start',
      callId: 'operation_1',
      outcome: 'begun',
      details: { from: 0 },
    } as const;
    await live(directory, async ({ audit }) => await audit.append(begun));
    const { entries } = await live(directory, async ({ audit }) => await audit.search({ callId: 'operation_1' }));
    expect(entries.map(({ outcome }) => outcome)).toEqual(['begun', 'unknown']);
  });
});

describe('what is in force', () => {
  it('is in the audit at each start, with what changed while Warren did not run', async () => {
    await using directory = await TemporaryDirectory.create();
    await live(directory, async () => {});
    mkdirSync(directory.join('policies'), { recursive: true });
    writeFileSync(directory.join('policies/system.yaml'), 'default: notify');
    writeFileSync(directory.join('config.yaml'), 'audit: { retention: 30d }');
    const { entries } = await live(directory, async ({ audit }) => await audit.search({ action: 'daemon.started' }));
    const hash = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect(entries.map(({ details }) => details)).toMatchObject([
      { version: '1.2.3', changed: { policies: { before: null, after: hash }, packs: {}, config: { before: null, after: hash } } },
      { changed: { policies: { before: hash, after: hash }, config: { before: hash, after: hash } } },
    ]);
    expect(entries[1]?.details?.['changed']).not.toHaveProperty('packs');
  });

  it('is recorded before it changes, and a mistake once', async () => {
    await using directory = await TemporaryDirectory.create();
    await live(directory, async ({ audit, policies, capabilities }) => {
      const before = policies.status().version;
      const write = async (text: string) => {
        writeFileSync(directory.join('policies/system.yaml'), text);
        return await policies.reload();
      };
      const after = (await write('default: notify')).version;
      for (let turn = 0; turn < 2; turn += 1) await write('rules: [{ tier: nonsense }]');
      mkdirSync(directory.join('capabilities/broken'), { recursive: true });
      await capabilities.reload();
      const { entries } = await audit.search({ cursor: 0 });
      expect(entries).toMatchObject([
        { kind: 'policy', action: 'daemon.policies', outcome: 'success', details: { before, after } },
        { kind: 'policy', action: 'daemon.policies', outcome: 'failure', error: { message: expect.stringMatching(/^system\.yaml:1: /) } },
        { kind: 'system', action: 'daemon.packs', details: { broken: ['broken'], content: { policies: after } } },
      ]);
    });
  });

  it('stays as it was when the change cannot be recorded', async () => {
    await using directory = await TemporaryDirectory.create();
    await live(directory, async ({ policies, audit }) => {
      const before = policies.status().version;
      writeFileSync(directory.join('policies/system.yaml'), 'default: autonomous');
      renameSync(directory.join('audit'), directory.join('away'));
      await expect(policies.reload()).rejects.toMatchObject({ code: 'store_failed' });
      expect(policies.status().version).toBe(before);
      renameSync(directory.join('away'), directory.join('audit'));
      await policies.reload();
      expect(policies.status().version).not.toBe(before);
      expect((await verifyAudit({ directory: directory.join('audit'), publicKey: audit.publicKey })).problems).toEqual([]);
    });
  });
});
