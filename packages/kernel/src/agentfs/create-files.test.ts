import { createHash } from 'node:crypto';
import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import type { WorkspaceKernel } from '../kernel.ts';
import { openTestKernel, type TestKernel } from '../test-support/open-test-kernel.ts';
import { createFiles } from './create-files.ts';
import type { FileStat } from './files.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const sha = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

async function spawn(mine: WorkspaceKernel, name = 'a'): Promise<number> {
  return (await mine.processes.create({ name, template: 't' })).pid;
}

async function readText({ files }: WorkspaceKernel, path: string, version?: number): Promise<string> {
  return Buffer.from((await files.read(path, { version })).content).toString();
}

async function eventsOf({ events }: WorkspaceKernel): Promise<readonly (readonly unknown[])[]> {
  const all = await events.newest({ limit: 100 });
  return all.filter(({ kind }) => kind.startsWith('kernel.file.')).map(({ pid, kind, payload }) => [kind, pid, payload]);
}

function usedBytes({ kernel }: TestKernel): Promise<number> {
  return kernel.store.workspace(DEFAULT_WORKSPACE).read(({ files }) => files.usedBytes());
}

describe('a file', () => {
  it('is read back as it was written, every byte value of it', async () => {
    await using under = await openTestKernel();
    const { mine, clock } = under;
    const pid = await spawn(mine);
    const content = Uint8Array.from({ length: 256 }, (_, index) => index);
    const stat: FileStat = {
      path: '/blob/a',
      owner: pid,
      size: 256,
      mode: 'rw',
      metadata: { a: { b: [1, null] } },
      version: 1,
      hash: sha(content),
      createdAt: clock.now(),
      updatedAt: clock.now(),
      accessedAt: undefined,
    };
    expect(await mine.files.write(pid, { path: '/blob/a', metadata: { a: { b: [1, null] } } }, content)).toEqual(stat);
    expect(await mine.files.read('/blob/a')).toEqual({ stat, content });
    await under.reopen();
    const again = await under.mine.files.read('/blob/a');
    expect(again.content).toEqual(content);
    expect(again.stat).toEqual({ ...stat, accessedAt: clock.now() });
  });

  it('may be empty', async () => {
    await using under = await openTestKernel();
    const pid = await spawn(under.mine);
    await under.mine.files.write(pid, { path: '/a' }, new Uint8Array());
    const { stat, content } = await under.mine.files.read('/a');
    expect([stat.size, stat.hash, content.length]).toEqual([0, sha(new Uint8Array()), 0]);
    await under.mine.files.delete('/a');
    expect(await under.mine.files.purgeHistory('/a')).toBe(2);
  });

  it('is not changed by a caller that uses its buffer again', async () => {
    await using under = await openTestKernel();
    const pid = await spawn(under.mine);
    const buffer = Buffer.from('first');
    const writing = under.mine.files.write(pid, { path: '/a' }, buffer);
    buffer.write('other');
    await writing;
    expect(await readText(under.mine, '/a')).toBe('first');
  });

  it('keeps its owner and birth when others overwrite it, and takes their mode and metadata', async () => {
    await using under = await openTestKernel();
    const { mine, clock } = under;
    const [first, second] = [await spawn(mine), await spawn(mine)];
    await mine.files.write(first, { path: '/a', metadata: { x: 1 } }, bytes('one'));
    const bornAt = clock.now();
    clock.advance(1_000);
    expect(await mine.files.write(second, { path: '/a', mode: 'ro' }, bytes('two'))).toMatchObject({
      owner: first,
      version: 2,
      mode: 'ro',
      metadata: {},
      createdAt: bornAt,
      updatedAt: bornAt + 1_000,
    });
    expect((await mine.files.history('/a')).map(({ version, writer }) => [version, writer])).toEqual([[2, second], [1, first]]); // biome-ignore format: one line
  });

  it('is created only where there is none when that is asked for', async () => {
    await using under = await openTestKernel();
    const { mine } = under;
    const pid = await spawn(mine);
    await mine.files.write(pid, { path: '/a', ifAbsent: true }, bytes('one'));
    await expect(mine.files.write(pid, { path: '/a', ifAbsent: true }, bytes('two'))).rejects.toMatchObject({
      code: 'file_exists',
      details: { path: '/a' },
    });
    expect(await readText(mine, '/a')).toBe('one');
  });

  it('that is ro is not written until its mode is rw again', async () => {
    await using under = await openTestKernel();
    const { mine } = under;
    const pid = await spawn(mine);
    await mine.files.write(pid, { path: '/a', mode: 'ro' }, bytes('one'));
    await expect(mine.files.write(pid, { path: '/a' }, bytes('two'))).rejects.toMatchObject({
      code: 'file_read_only',
      details: { path: '/a' },
    });
    await expect(mine.files.restore(pid, '/a', 1)).rejects.toMatchObject({ code: 'file_read_only' });
    expect(await mine.files.setMode('/a', 'rw')).toMatchObject({ mode: 'rw', version: 1 });
    await mine.files.setMode('/a', 'rw');
    expect(await mine.files.write(pid, { path: '/a' }, bytes('two'))).toMatchObject({ version: 2 });
    expect((await eventsOf(mine)).filter(([kind]) => kind === 'kernel.file.mode_set')).toEqual([
      ['kernel.file.mode_set', undefined, { path: '/a', mode: 'rw' }],
    ]);
  });

  it('of another spelling is another file: nothing is normalised', async () => {
    await using under = await openTestKernel();
    const { mine } = under;
    const pid = await spawn(mine);
    const [composed, decomposed] = ['/caf\u00e9', '/cafe\u0301'];
    for (const path of [composed, decomposed, '/Caf\u00e9']) await mine.files.write(pid, { path }, bytes(path));
    expect((await mine.files.list()).files.map(({ path }) => path)).toEqual(['/Caf\u00e9', decomposed, composed]);
    expect(await readText(mine, decomposed)).toBe(decomposed);
  });

  it('is seen by its own workspace only', async () => {
    await using under = await openTestKernel();
    const other = 'other' as WorkspaceId; // Valid.
    await under.kernel.workspaces.create(other);
    const theirs = under.kernel.workspace(other);
    const content = new Uint8Array(10_000).fill(7);
    await under.mine.files.write(await spawn(under.mine), { path: '/a' }, content);
    expect(await theirs.files.find('/a')).toBeUndefined();
    expect(await theirs.files.write(await spawn(theirs), { path: '/a' }, content)).toMatchObject({ version: 1 });
    await under.mine.files.delete('/a');
    await under.mine.files.purgeHistory('/a');
    expect((await theirs.files.read('/a')).content).toEqual(content);
  });
});

describe('writing', () => {
  it('is refused to who is not there, and with what is not bytes, a mode or metadata', async () => {
    await using under = await openTestKernel();
    const { mine } = under;
    const pid = await spawn(mine);
    const deep = JSON.parse(`${'{"a":'.repeat(100)}1${'}'.repeat(100)}`);
    const write = (file: object, content: unknown = bytes('x'), writer = pid) => mine.files.write(writer, { path: '/a', ...file }, content as Uint8Array); // biome-ignore format: one line
    await expect(write({}, bytes('x'), 99)).rejects.toMatchObject({ code: 'unknown_pid', details: { pid: 99 } });
    await expect(write({}, bytes('x'), Number.NaN)).rejects.toMatchObject({ code: 'unknown_pid' });
    await expect(write({ path: '/a/../b' })).rejects.toMatchObject({ code: 'path_invalid', details: { path: '/a/../b' } });
    await expect(write({ mode: 'wx' })).rejects.toMatchObject({ code: 'invalid_payload', details: { field: 'mode' } });
    await expect(write({ metadata: [] })).rejects.toMatchObject({ code: 'invalid_payload', details: { field: 'metadata' } });
    await expect(write({ metadata: deep })).rejects.toMatchObject({ code: 'invalid_payload', details: { field: 'metadata' } });
    await expect(write({ metadata: { x: 'y'.repeat(70_000) } })).rejects.toMatchObject({ code: 'too_large' });
    await expect(write({}, 'text')).rejects.toMatchObject({ code: 'invalid_payload', details: { field: 'content' } });
    await expect(write({}, null)).rejects.toMatchObject({ code: 'invalid_payload', details: { field: 'content' } });
    await expect(write({}, new Uint8Array(16_777_217))).rejects.toMatchObject({ code: 'too_large', details: { path: '/a' } });
    await expect(mine.files.setMode('/a', 'x' as 'rw')).rejects.toMatchObject({ code: 'invalid_payload', details: { field: 'mode' } });
    expect(await mine.files.list()).toEqual({ files: [], total: 0 });
  });

  it('keeps hostile metadata as data', async () => {
    await using under = await openTestKernel();
    const metadata = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}');
    await under.mine.files.write(await spawn(under.mine), { path: '/a', metadata }, bytes('x'));
    expect(JSON.stringify((await under.mine.files.stat('/a')).metadata)).toBe(JSON.stringify(metadata));
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('compares and sets: at another version than expected nothing is written', async () => {
    await using under = await openTestKernel();
    const { mine } = under;
    const pid = await spawn(mine);
    const write = (expectedVersion: number, text: string) => mine.files.write(pid, { path: '/a', expectedVersion }, bytes(text));
    await expect(write(1, 'x')).rejects.toMatchObject({ code: 'conflict', details: { path: '/a', version: 0 } });
    expect(await write(0, 'one')).toMatchObject({ version: 1 });
    await expect(write(0, 'x')).rejects.toMatchObject({ code: 'conflict', details: { path: '/a', version: 1 } });
    expect(await write(1, 'two')).toMatchObject({ version: 2 });
    await expect(mine.files.delete('/a', { expectedVersion: 1 })).rejects.toMatchObject({ code: 'conflict' });
    expect(await mine.files.delete('/a', { expectedVersion: 2 })).toBe(true);
    await expect(mine.files.delete('/a', { expectedVersion: 3 })).rejects.toMatchObject({ code: 'conflict', details: { version: 0 } });
  });

  it('of many at once that expect the same version succeeds for one', async () => {
    await using under = await openTestKernel();
    const { mine } = under;
    const pid = await spawn(mine);
    const writes = Array.from({ length: 50 }, (_, index) => mine.files.write(pid, { path: '/a', expectedVersion: 0 }, bytes(`${index}`)));
    const done = await Promise.allSettled(writes);
    expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await mine.files.history('/a')).toHaveLength(1);
  });

  it('loses no increment of many writers that try again after a conflict', async () => {
    await using under = await openTestKernel();
    const { mine } = under;
    const pid = await spawn(mine);
    await mine.files.write(pid, { path: '/n' }, bytes('0'));
    const increment = async (): Promise<void> => {
      for (;;) {
        const { stat, content } = await mine.files.read('/n');
        const next = bytes(`${Number(Buffer.from(content).toString()) + 1}`);
        const written = await mine.files.write(pid, { path: '/n', expectedVersion: stat.version }, next).catch(({ code }) => code);
        if (written !== 'conflict') return;
      }
    };
    await Promise.all(Array.from({ length: 20 }, increment));
    expect(await readText(mine, '/n')).toBe('20');
  });

  it('says so in the log, in the transaction that did it', async () => {
    await using under = await openTestKernel();
    const { mine } = under;
    const pid = await spawn(mine);
    await mine.files.write(pid, { path: '/a' }, bytes('one'));
    await mine.files.write(pid, { path: '/a' }, bytes('other'));
    await mine.files.restore(pid, '/a', 1);
    await mine.files.delete('/a', { writer: pid });
    await mine.files.purgeHistory('/a', 1);
    const [one, other] = [sha(bytes('one')), sha(bytes('other'))];
    expect(await eventsOf(mine)).toEqual([
      ['kernel.file.written', pid, { path: '/a', version: 1, size: 3, hash: one, mode: 'rw' }],
      ['kernel.file.written', pid, { path: '/a', version: 2, size: 5, hash: other, mode: 'rw' }],
      ['kernel.file.restored', pid, { path: '/a', version: 3, restored_version: 1, size: 3, hash: one, mode: 'rw' }],
      ['kernel.file.deleted', pid, { path: '/a', version: 4 }],
      ['kernel.file.purged', undefined, { path: '/a', versions: 3 }],
    ]);
  });

  it('asks who may, for writing, deleting and restoring', async () => {
    await using under = await openTestKernel();
    const [reader, writer] = [await spawn(under.mine), await spawn(under.mine)];
    const { files } = createFiles({
      store: under.kernel.store.workspace(DEFAULT_WORKSPACE),
      limits: async () => ({ bytesMax: 1_000, versionsMax: 10 }),
      mayWrite: (_, pid, path) => pid === writer && path.startsWith('/w/'),
      wouldExceed: () => undefined,
      chargeInside: () => {},
    });
    await files.write(writer, { path: '/w/a' }, bytes('x'));
    const denied = { code: 'permission_denied', details: { pid: reader, path: '/w/a' } };
    await expect(files.write(reader, { path: '/w/a' }, bytes('x'))).rejects.toMatchObject(denied);
    await expect(files.delete('/w/a', { writer: reader })).rejects.toMatchObject(denied);
    await expect(files.restore(reader, '/w/a', 1)).rejects.toMatchObject(denied);
    await expect(files.write(writer, { path: '/x' }, bytes('x'))).rejects.toMatchObject({ code: 'permission_denied' });
    expect(await files.delete('/w/a')).toBe(true);
  });
});

describe('the bytes a process writes', () => {
  it('are free for who has no budget', async () => {
    await using under = await openTestKernel();
    const pid = await spawn(under.mine);
    await under.mine.files.write(pid, { path: '/a' }, new Uint8Array(100_000));
    expect(await under.mine.ledger.list({ kind: 'process', pid })).toEqual([]);
  });

  it('are charged to its budget', async () => {
    await using under = await openTestKernel();
    const { mine } = under;
    const pid = await spawn(mine);
    await mine.ledger.create({ kind: 'process', pid }, { fs_w_bytes: 1_000 });
    await mine.files.write(pid, { path: '/a' }, new Uint8Array(100));
    await mine.files.write(pid, { path: '/a' }, new Uint8Array(200));
    expect(await mine.ledger.list({ kind: 'process', pid })).toMatchObject([{ used: 300 }]);
    await mine.files.restore(pid, '/a', 1);
    expect(await mine.ledger.list({ kind: 'process', pid })).toMatchObject([{ used: 400 }]);
  });

  it('beyond it are not written, and not charged', async () => {
    await using under = await openTestKernel();
    const { mine } = under;
    const pid = await spawn(mine);
    await mine.ledger.create({ kind: 'process', pid }, { fs_w_bytes: 100 });
    const fault = { code: 'quota_exceeded', details: { pid, dim: 'fs_w_bytes', used: 0, hard_limit: 100 } };
    await expect(mine.files.write(pid, { path: '/a' }, new Uint8Array(200))).rejects.toMatchObject(fault);
    expect(await mine.files.find('/a')).toBeUndefined();
    expect(await mine.ledger.list({ kind: 'process', pid })).toMatchObject([{ used: 0 }]);
    await mine.files.write(pid, { path: '/a' }, new Uint8Array(100));
  });
});

describe('the bytes of a workspace', () => {
  it('have a limit, which counts what is there once and gives back what went', async () => {
    await using under = await openTestKernel();
    const { mine, kernel } = under;
    await kernel.workspaces.update(DEFAULT_WORKSPACE, { fileBytesMax: 10_000 });
    const pid = await spawn(mine);
    const content = new Uint8Array(6_000).fill(1);
    await mine.files.write(pid, { path: '/a' }, content);
    await mine.files.write(pid, { path: '/b' }, content);
    expect(await usedBytes(under)).toBe(6_000);
    const fault = { code: 'quota_exceeded', details: { pid, dim: 'workspace_bytes', used: 6_000, hard_limit: 10_000 } };
    await expect(mine.files.write(pid, { path: '/c' }, new Uint8Array(4_001))).rejects.toMatchObject(fault);
    await mine.files.write(pid, { path: '/c' }, new Uint8Array(4_000));
    await mine.files.delete('/a');
    await mine.files.delete('/b');
    await expect(mine.files.write(pid, { path: '/d' }, bytes('x'))).rejects.toMatchObject({ code: 'quota_exceeded' });
    await mine.files.purgeHistory('/a');
    await mine.files.purgeHistory('/b');
    expect(await usedBytes(under)).toBe(4_000);
    await mine.files.write(pid, { path: '/d' }, bytes('x'));
  });

  it('follow a change of the limit at once', async () => {
    await using under = await openTestKernel();
    const pid = await spawn(under.mine);
    await under.mine.files.write(pid, { path: '/a' }, bytes('12345'));
    await under.kernel.workspaces.update(DEFAULT_WORKSPACE, { fileBytesMax: 5 });
    await expect(under.mine.files.write(pid, { path: '/b' }, bytes('x'))).rejects.toMatchObject({ code: 'quota_exceeded' });
  });
});

describe('deleting', () => {
  it('says whether there was something, and leaves the history', async () => {
    await using under = await openTestKernel();
    const { mine } = under;
    const pid = await spawn(mine);
    expect(await mine.files.delete('/a')).toBe(false);
    await mine.files.write(pid, { path: '/a', mode: 'ro' }, bytes('one'));
    expect(await mine.files.delete('/a')).toBe(true);
    expect(await mine.files.delete('/a')).toBe(false);
    await expect(mine.files.read('/a')).rejects.toMatchObject({ code: 'file_not_found', details: { path: '/a' } });
    await expect(mine.files.stat('/a')).rejects.toMatchObject({ code: 'file_not_found' });
    await expect(mine.files.setMode('/a', 'rw')).rejects.toMatchObject({ code: 'file_not_found' });
    expect((await mine.files.history('/a')).map(({ version, isDeletion, size }) => [version, isDeletion, size])).toEqual([[2, true, 0], [1, false, 3]]); // biome-ignore format: one line
    expect(await readText(mine, '/a', 1)).toBe('one');
    await expect(mine.files.read('/a', { version: 2 })).rejects.toMatchObject({ code: 'file_not_found' });
  });

  it('makes room for a file of another owner, whose versions go on counting', async () => {
    await using under = await openTestKernel();
    const { mine } = under;
    const [first, second] = [await spawn(mine), await spawn(mine)];
    await mine.files.write(first, { path: '/a' }, bytes('one'));
    await mine.files.delete('/a');
    expect(await mine.files.write(second, { path: '/a' }, bytes('two'))).toMatchObject({ owner: second, version: 3 });
  });

  it('what a process owns leaves what others own, however much it is', async () => {
    await using under = await openTestKernel({ isRehearsing: false });
    const { mine } = under;
    const [first, second] = [await spawn(mine), await spawn(mine)];
    await mine.files.write(second, { path: '/theirs' }, bytes('x'));
    await Promise.all(
      Array.from({ length: 450 }, (_, index) =>
        mine.files.write(first, { path: `/mine/${index}`, mode: index % 2 ? 'ro' : 'rw' }, bytes('x')),
      ),
    );
    await mine.files.write(second, { path: '/mine/8' }, bytes('overwritten, and still of the first'));
    expect(await mine.files.deleteOwned(first)).toBe(450);
    expect((await mine.files.list()).files.map(({ path }) => path)).toEqual(['/theirs']);
    expect(await mine.files.deleteOwned(first)).toBe(0);
    expect(await mine.files.deleteOwned(99)).toBe(0);
  });
});

describe('the history of a file', () => {
  it('gives back any version it has, as it was', async () => {
    await using under = await openTestKernel();
    const { mine, clock } = under;
    const pid = await spawn(mine);
    const startedAt = clock.now();
    for (const text of ['one', 'two', 'three']) {
      await mine.files.write(pid, { path: '/a', metadata: { text } }, bytes(text));
      clock.advance(10);
    }
    expect((await mine.files.read('/a', { version: 2 })).stat).toEqual({
      ...{ path: '/a', owner: pid, size: 3, mode: 'ro', metadata: { text: 'two' }, version: 2, hash: sha(bytes('two')) },
      ...{ createdAt: startedAt, updatedAt: startedAt + 10, accessedAt: undefined },
    });
    expect(await readText(mine, '/a', 3)).toBe('three');
    expect((await mine.files.history('/a', 2)).map(({ version }) => version)).toEqual([3, 2]);
    expect(await mine.files.history('/nothing')).toEqual([]);
    for (const version of [0, 4, -1, 1.5, Number.NaN]) {
      await expect(mine.files.read('/a', { version })).rejects.toMatchObject({ code: 'file_not_found' });
    }
  });

  it('is not rewritten by restoring: the old body becomes a new version', async () => {
    await using under = await openTestKernel();
    const { mine } = under;
    const [first, second] = [await spawn(mine), await spawn(mine)];
    await mine.files.write(first, { path: '/a', metadata: { n: 1 } }, bytes('one'));
    await mine.files.write(first, { path: '/a' }, bytes('two'));
    expect(await mine.files.restore(second, '/a', 1)).toMatchObject({
      version: 3,
      owner: first,
      metadata: { n: 1 },
      hash: sha(bytes('one')),
    });
    expect(await readText(mine, '/a')).toBe('one');
    expect((await mine.files.history('/a')).map(({ version, writer }) => [version, writer])).toEqual([[3, second], [2, first], [1, first]]); // biome-ignore format: one line
    await expect(mine.files.restore(second, '/a', 9)).rejects.toMatchObject({
      code: 'file_not_found',
      details: { path: '/a', version: 9 },
    });
  });

  it('brings a deleted file back to its owner', async () => {
    await using under = await openTestKernel();
    const { mine } = under;
    const [first, second] = [await spawn(mine), await spawn(mine)];
    await mine.files.write(first, { path: '/a' }, bytes('one'));
    await mine.files.delete('/a');
    expect(await mine.files.restore(second, '/a', 1)).toMatchObject({ version: 3, owner: first, mode: 'rw' });
    await expect(mine.files.restore(second, '/a', 2)).rejects.toMatchObject({ code: 'file_not_found' });
  });

  it('has at most as many versions as the workspace keeps, deletions included', async () => {
    await using under = await openTestKernel();
    const { mine, kernel } = under;
    const { retention } = (await kernel.workspaces.get(DEFAULT_WORKSPACE)).settings;
    await kernel.workspaces.update(DEFAULT_WORKSPACE, { retention: { ...retention, fileVersionsMax: 3 } });
    const pid = await spawn(mine);
    for (let index = 1; index <= 5; index++) await mine.files.write(pid, { path: '/a' }, bytes(`${index}`));
    expect((await mine.files.history('/a')).map(({ version }) => version)).toEqual([5, 4, 3]);
    expect(await usedBytes(under)).toBe(3);
    await mine.files.delete('/a');
    expect((await mine.files.history('/a')).map(({ version }) => version)).toEqual([6, 5, 4]);
  });

  it('is purged down to what shall be kept, never the file itself', async () => {
    await using under = await openTestKernel();
    const { mine } = under;
    const pid = await spawn(mine);
    for (let index = 1; index <= 5; index++) await mine.files.write(pid, { path: '/a' }, bytes(`${index}`));
    expect(await mine.files.purgeHistory('/a', 2)).toBe(2);
    expect((await mine.files.history('/a')).map(({ version }) => version)).toEqual([5, 4, 3]);
    expect(await mine.files.purgeHistory('/a')).toBe(2);
    expect(await mine.files.purgeHistory('/a')).toBe(0);
    expect(await readText(mine, '/a')).toBe('5');
    expect(await usedBytes(under)).toBe(1);
  });
});

describe('listing', () => {
  it('finds by literal prefix and owner, in order, in pages, and counts all', async () => {
    await using under = await openTestKernel();
    const { mine } = under;
    const [first, second] = [await spawn(mine), await spawn(mine)];
    for (const path of ['/agents/100%/x', '/agents/100x/y', '/Agents/z', '/agents/1_0'])
      await mine.files.write(first, { path }, bytes('x'));
    await mine.files.write(second, { path: '/agents/9' }, bytes('x'));
    const list = async (...args: Parameters<typeof mine.files.list>) => {
      const { files, total } = await mine.files.list(...args);
      return [files.map(({ path }) => path), total];
    };
    expect(await list({ prefix: '/agents/100%' })).toEqual([['/agents/100%/x'], 1]);
    expect(await list({ prefix: '/agents/1_' })).toEqual([['/agents/1_0'], 1]);
    expect(await list({ prefix: '/agents/', owner: second })).toEqual([['/agents/9'], 1]);
    expect(await list({}, { limit: 2, offset: 1 })).toEqual([['/agents/100%/x', '/agents/100x/y'], 5]);
    expect(await list({ prefix: '/A' })).toEqual([['/Agents/z'], 1]);
    expect(await list({ owner: 99 })).toEqual([[], 0]);
    await expect(list({ prefix: '/\0' })).rejects.toMatchObject({ code: 'path_invalid' });
  });
});

describe('the time a file was read', () => {
  it('is kept to the minute, after the reader has its answer', async () => {
    await using under = await openTestKernel();
    const { mine, clock } = under;
    const pid = await spawn(mine);
    await mine.files.write(pid, { path: '/a' }, bytes('x'));
    const accessedAt = async () => {
      await spawn(mine); // What was written before this is on disk after it.
      return (await mine.files.stat('/a')).accessedAt;
    };
    expect(await accessedAt()).toBeUndefined();
    const firstAt = clock.now();
    await Promise.all([mine.files.read('/a'), mine.files.read('/a')]);
    expect(await accessedAt()).toBe(firstAt);
    clock.advance(59_999);
    await mine.files.read('/a');
    expect(await accessedAt()).toBe(firstAt);
    clock.advance(1);
    await mine.files.open('/a');
    expect(await accessedAt()).toBe(clock.now());
    expect((await mine.files.stat('/a')).updatedAt).toBe(firstAt);
  });

  it('does not keep a reader from a store that takes no writes', async () => {
    await using under = await openTestKernel();
    await under.mine.files.write(await spawn(under.mine), { path: '/a' }, bytes('x'));
    await under.reopen({ isReadOnly: true });
    expect(await readText(under.mine, '/a')).toBe('x');
    expect(await readText(under.mine, '/a')).toBe('x');
  });
});
