import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { Client, Refusal } from './client.ts';
import { shareDaemon } from './daemon.ts';
import { proves } from './proves.ts';

const daemon = shareDaemon();

type Params = Readonly<Record<string, unknown>>;

async function create(os: Client): Promise<number> {
  return (await os.call('kernel.agent.create', { name: 'a', template: 't' })).pid;
}

function base64(content: string | Uint8Array): string {
  return Buffer.from(content).toString('base64');
}

async function write(os: Client, pid: number, path: string, content: string | Uint8Array, more: Params = {}): Promise<void> {
  await os.call('kernel.fs.write', { pid, path, content: base64(content), ...more });
}

async function read(os: Client, path: string): Promise<string> {
  return Buffer.from((await os.call('kernel.fs.read', { path })).content, 'base64').toString();
}

proves('file:write', async () => {
  const os = await daemon.workspace();
  const [owner, other] = [await create(os), await create(os)];
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  const path = '/memory/1/all bytes ä';
  const writtenAt = daemon.now;
  expect(await os.call('kernel.fs.write', { pid: owner, path, content: base64(bytes), metadata: { n: 1 } })).toEqual({
    path,
    size: 256,
    owner_pid: owner,
    mode: 'rw',
    version: 1,
  });
  const stat = {
    path,
    owner_pid: owner,
    size: 256,
    mode: 'rw',
    metadata: { n: 1 },
    version: 1,
    hash: createHash('sha256').update(bytes).digest('hex'),
    created_at: writtenAt,
    updated_at: writtenAt,
    accessed_at: null,
  };
  expect(await os.call('kernel.fs.stat', { path })).toEqual(stat);
  expect(await os.call('kernel.fs.read', { path })).toEqual({ ...stat, content: base64(bytes) });
  await daemon.pass(1);
  await write(os, other, path, 'new');
  expect(await os.call('kernel.fs.stat', { path })).toMatchObject({
    owner_pid: owner,
    size: 3,
    metadata: {},
    created_at: writtenAt,
    updated_at: writtenAt + 1,
  });
  expect(await read(os, path)).toBe('new');
});

proves('file:write', 'reading is noted, to the minute', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  await write(os, pid, '/a', 'x');
  const readAt = daemon.now;
  for (const seconds of [0, 59, 2]) {
    await daemon.pass(seconds);
    await read(os, '/a');
    // It is written behind the reader's back, and before whatever is written next.
    await write(os, pid, '/b', 'x');
    expect((await os.call('kernel.fs.stat', { path: '/a' })).accessed_at).toBe(seconds === 2 ? daemon.now : readAt);
  }
});

proves('file:write', 'odd paths are refused, and every second spelling of one', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  const paths = [
    '',
    'a',
    'a/b',
    '/a\0',
    '/a\nb',
    '/../x',
    '/a/../b',
    '/a/..',
    `/${'x'.repeat(2_000)}`,
    '/',
    '/a/',
    '//a',
    '/a//b',
    '/./a',
    '/a/.',
  ];
  for (const path of paths) {
    const refusal: Refusal = {
      code: -32163,
      data: { path: path.length > 200 ? `${path.slice(0, 200)}…` : path, fault: 'path_invalid' },
    };
    expect(await os.refused('kernel.fs.write', { pid, path, content: '' }), JSON.stringify(path)).toEqual(refusal);
    expect(await os.refused('kernel.fs.read', { path })).toEqual(refusal);
  }
  expect((await os.call('kernel.fs.list')).total).toBe(0);
  await write(os, pid, `/${'x'.repeat(1_023)}`, '');
  await write(os, pid, '/...', '');
});

proves('file:write', 'only a new file if that is asked for, and nothing while it is read-only', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  const refused = (params: Params) => os.refused('kernel.fs.write', { pid, path: '/a', content: base64('two'), ...params });
  await write(os, pid, '/a', 'one', { if_absent: true, mode: 'ro' });
  expect(await refused({ if_absent: true })).toEqual({ code: -32162, data: { path: '/a', fault: 'file_exists' } });
  expect(await refused({})).toEqual({ code: -32164, data: { path: '/a', fault: 'file_read_only' } });
  expect(await read(os, '/a')).toBe('one');
  expect(await os.call('kernel.fs.set_mode', { path: '/a', mode: 'rw' })).toEqual({ path: '/a', mode: 'rw' });
  await write(os, pid, '/a', 'two');
  expect(await read(os, '/a')).toBe('two');
  expect(await os.refused('kernel.fs.set_mode', { path: '/b', mode: 'ro' })).toEqual({
    code: -32161,
    data: { path: '/b', fault: 'file_not_found' },
  });
  expect(await refused({ mode: 'r' })).toEqual({ code: -32602, data: { field: 'mode', fault: 'invalid_argument' } });
});

proves('file:write', 'content is base 64, and has a largest size', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  for (const content of ['a', 'ab', 'a===', 'Zm9v\n', 'Zm9_', 'Zg=', undefined, 5]) {
    const refusal = await os.refused('kernel.fs.write', { pid, path: '/a', content });
    expect(refusal, `${content}`).toEqual({ code: -32602, data: { field: 'content', fault: 'invalid_argument' } });
  }
  expect(await os.refused('kernel.fs.write', { pid: 99, path: '/a', content: '' })).toEqual({
    code: -32102,
    data: { pid: 99, fault: 'unknown_pid' },
  });
  expect((await os.refused('kernel.fs.write', { pid, path: '/a', content: base64(Buffer.alloc(16 * 2 ** 20 + 1)) })).code).toBe(-32009);
  await write(os, pid, '/a', Buffer.alloc(16 * 2 ** 20));
  expect((await os.call('kernel.fs.stat', { path: '/a' })).size).toBe(16 * 2 ** 20);
});

proves('file:write', 'files are listed by path, of one owner and one prefix, letter by letter', async () => {
  const os = await daemon.workspace();
  const [one, other] = [await create(os), await create(os)];
  for (const [pid, path] of [
    [one, '/s/100%/a'],
    [one, '/s/1000/a'],
    [other, '/S/a'],
    [other, '/s/100%'],
  ] as const)
    await write(os, pid, path, path);
  const list = async (params: Params) => {
    const { entries, total } = await os.call('kernel.fs.list', params);
    return [entries.map(({ path }) => path), total];
  };
  expect(await list({})).toEqual([['/S/a', '/s/100%', '/s/100%/a', '/s/1000/a'], 4]);
  expect(await list({ prefix: '/s/100%' })).toEqual([['/s/100%', '/s/100%/a'], 2]);
  expect(await list({ prefix: '/s/', owner_pid: one, limit: 1 })).toEqual([['/s/100%/a'], 2]);
});

proves('file:write', 'what is deleted is gone, once; and all that a process owns can be', async () => {
  const os = await daemon.workspace();
  const [one, other] = [await create(os), await create(os)];
  await write(os, one, '/a', 'x', { mode: 'ro' });
  await write(os, one, '/b', 'x');
  await write(os, other, '/b', 'y');
  await write(os, other, '/c', 'x');
  expect(await os.call('kernel.fs.exists', { path: '/a' })).toEqual({ path: '/a', exists: true });
  expect(await os.call('kernel.fs.delete', { path: '/a' })).toEqual({ path: '/a', removed: true });
  expect(await os.call('kernel.fs.delete', { path: '/a' })).toEqual({ path: '/a', removed: false });
  expect(await os.call('kernel.fs.exists', { path: '/a' })).toEqual({ path: '/a', exists: false });
  for (const method of ['kernel.fs.read', 'kernel.fs.stat']) {
    expect(await os.refused(method, { path: '/a' })).toEqual({ code: -32161, data: { path: '/a', fault: 'file_not_found' } });
  }
  expect(await os.call('kernel.fs.gc_orphaned', { pid: one })).toEqual({ pid: one, removed: 1 });
  expect((await os.call('kernel.fs.list')).entries.map(({ path }) => path)).toEqual(['/c']);
});

proves('file:quota', async () => {
  const os = await daemon.workspace();
  const [poor, rich, free] = [await create(os), await create(os), await create(os)];
  await os.call('kernel.ledger.create', { pid: poor, grants: { fs_w_bytes: 100 } });
  await os.call('kernel.ledger.create', { pid: rich, grants: { fs_w_bytes: 1_000 } });
  const used = async (pid: number) => (await os.call('kernel.ledger.get', { pid })).entries.map((entry) => entry.used);
  expect(await os.refused('kernel.fs.write', { pid: poor, path: '/a', content: base64('x'.repeat(200)) })).toEqual({
    code: -32165,
    data: { pid: poor, dim: 'fs_w_bytes', used: 0, hard_limit: 100, fault: 'quota_exceeded' },
  });
  expect([await os.call('kernel.fs.exists', { path: '/a' }), await used(poor)]).toEqual([{ path: '/a', exists: false }, [0]]);
  await write(os, poor, '/a', 'x'.repeat(100));
  await write(os, rich, '/b', 'x'.repeat(100));
  await write(os, rich, '/b', 'y'.repeat(200));
  await write(os, free, '/c', 'x'.repeat(100_000));
  expect([await used(poor), await used(rich), await used(free)]).toEqual([[100], [300], []]);
});
