/** A workspace goes to another machine in a file: all of it or nothing, and nothing for who does not know the passphrase. */
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openKernel } from '@warren/kernel';
import { exportWorkspace, type FileSecret, importWorkspace, openPlatform, openStream, sealStream } from '@warren/platform';
import { parseWorkspaceId } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { findWord, plant } from './plant.ts';

const ACME = parseWorkspaceId('acme');
const COPY = parseWorkspaceId('copy');
const WORD = 'Xyzzy42Plugh';
const KEY: FileSecret = { kind: 'key', key: Buffer.alloc(32, 7) };
const LEFT_OUT = { withSecrets: false };
const NEVER = new AbortController().signal;

async function open(directory: string) {
  const stack = new AsyncDisposableStack();
  const kernel = stack.use(await openKernel({ directory }));
  const openSandboxes = () => Promise.reject(new Error('There are none here'));
  const platform = stack.use(await openPlatform({ kernel, directory, isWatching: false, openSandboxes }));
  const { memories, vault } = platform;
  const parts = { kernel, memories, vault, secrets: platform.secrets, directory, now: () => 1 };
  return { kernel, platform, parts, directory, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function toBytes(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(content));
}

async function* inPieces(bytes: Buffer, size = 10_007): AsyncGenerator<Buffer, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function bring(
  on: Awaited<ReturnType<typeof open>>,
  file: Buffer,
  secret: FileSecret = KEY,
  as: typeof ACME | undefined = undefined,
) {
  return (await importWorkspace(on.parts, openStream(secret, inPieces(file)), { as, withSecrets: true }, parseWorkspaceId)).id;
}

describe('an exported workspace', () => {
  it('is the same on another machine, rows, memories, files, modes and links', async () => {
    await using from = await TemporaryDirectory.create();
    await using to = await TemporaryDirectory.create();
    await using a = await open(from.path);
    await a.kernel.workspaces.create(ACME, { weight: 3 });
    await plant(a.kernel, a.platform, from.path, ACME, WORD);
    const files = join(from.path, 'workspaces', ACME, 'files');
    writeFileSync(join(files, 'run.sh'), 'true');
    chmodSync(join(files, 'run.sh'), 0o751);
    writeFileSync(join(files, 'large'), Buffer.alloc(3_000_000, 5));
    const file = await toBytes(sealStream(KEY, exportWorkspace(a.parts, ACME, LEFT_OUT, NEVER)));
    expect(file.includes(WORD)).toBe(false);
    await using b = await open(to.path);
    expect(await bring(b, file)).toBe(ACME);
    expect(await bring(b, file, KEY, COPY)).toBe(COPY);
    expect((await b.kernel.workspaces.get(COPY)).settings.weight).toBe(3);
    for (const id of [ACME, COPY]) {
      const [there, here] = [a.kernel.workspace(ACME), b.kernel.workspace(id)];
      expect((await here.processes.list()).total).toBe((await there.processes.list()).total);
      expect(await here.events.newest({ kind: 'note', limit: 5 })).toEqual(await there.events.newest({ kind: 'note', limit: 5 }));
      expect(Buffer.from((await here.files.read('/blob/large')).content).toString()).toBe(WORD.repeat(100_000));
      expect((await b.platform.memories.use(id, (memory) => memory.search(WORD))).length).toBeGreaterThan(0);
      const brought = join(to.path, 'workspaces', id, 'files');
      expect([lstatSync(join(brought, 'run.sh')).mode & 0o777, readlinkSync(join(brought, 'link'))]).toEqual([0o751, '/etc']);
      expect(readFileSync(join(brought, 'large')).length).toBe(3_000_000);
      expect(readFileSync(join(to.path, 'workspaces', id, 'sessions', 'one.jsonl'), 'utf8')).toContain(WORD);
      expect(existsSync(join(to.path, 'policies', 'workspaces', id, 'workspace.yaml'))).toBe(true);
      expect((await here.secrets.list()).length).toBe(0);
      const { pid } = await here.processes.create({ name: 'new', template: 't' });
      expect(pid).toBe((await there.processes.list()).total + 1);
    }
    expect(await b.kernel.store.check()).toEqual([]);
    expect((await b.kernel.tokens.list(COPY)).length).toBe(0);
    await expect(bring(b, file)).rejects.toMatchObject({ code: 'already_exists' });
  });

  it('that is changed, cut off or locked with something else leaves nothing behind', async () => {
    await using from = await TemporaryDirectory.create();
    await using to = await TemporaryDirectory.create();
    await using a = await open(from.path);
    await a.kernel.workspaces.create(ACME);
    await plant(a.kernel, a.platform, from.path, ACME, WORD);
    const file = await toBytes(sealStream(KEY, exportWorkspace(a.parts, ACME, LEFT_OUT, NEVER)));
    await using b = await open(to.path);
    const piece = 65_536 + 16;
    const cuts = [0, 10, 60, 100, piece, 57 + piece, 57 + piece * 2, file.length - piece, file.length - 17, file.length - 1].filter(
      (at) => at < file.length,
    );
    const flipped = Buffer.from(file);
    flipped[Math.floor(file.length / 2)] = (flipped[Math.floor(file.length / 2)] ?? 0) ^ 1;
    const swapped = Buffer.concat([
      file.subarray(0, 57),
      file.subarray(57 + piece, 57 + piece * 2),
      file.subarray(57, 57 + piece),
      file.subarray(57 + piece * 2),
    ]);
    for (const bad of [
      ...cuts.map((at) => file.subarray(0, at)),
      flipped,
      swapped,
      Buffer.concat([file, Buffer.alloc(1)]),
      Buffer.concat([file, file]),
    ]) {
      await expect(bring(b, bad)).rejects.toMatchObject({ code: expect.stringMatching(/^(invalid_argument|permission_denied)$/) });
    }
    await expect(bring(b, file, { kind: 'key', key: Buffer.alloc(32, 8) })).rejects.toMatchObject({ code: 'permission_denied' });
    await expect(bring(b, file, { kind: 'passphrase', passphrase: 'x' })).rejects.toMatchObject({ code: 'permission_denied' });
    expect((await b.kernel.workspaces.list()).map(({ id }) => id)).toEqual(['default']);
    expect(findWord(to.path, WORD)).toEqual([]);
    expect(await bring(b, file)).toBe(ACME);
  });

  it('that somebody wrote who knows the key is held to its bounds', async () => {
    await using to = await TemporaryDirectory.create();
    await using b = await open(to.path);
    const outside = to.join('outside');
    mkdirSync(outside);
    const head = { format: 1, workspace: 'acme', schema: b.kernel.store.schemaVersion, settings: {}, exportedAt: 1 };
    const record = (kind: number, content: unknown): Buffer => {
      const payload = Buffer.from(JSON.stringify(content));
      const start = Buffer.alloc(5);
      start.writeUInt32BE(payload.length, 0);
      start.writeUInt8(kind, 4);
      return Buffer.concat([start, payload]);
    };
    const entry = (path: string, more: object = {}) => record(3, { area: 'files', path, kind: 'file', mode: 0o600, ...more });
    const whole = (...middle: Buffer[]) => [record(0, head), ...middle, record(5, { records: middle.length + 1 })];
    expect(await bring(b, await toBytes(sealStream(KEY, inPieces(Buffer.concat(whole())))), KEY, COPY)).toBe(COPY); // It is the rest that is refused.
    await b.kernel.workspaces.delete(COPY);
    const events = (rows: unknown, columns = ['id']) => record(1, { table: 'events', columns, rows });
    const hostile: Record<string, Buffer[]> = {
      'a path that leads out': whole(entry('../../../outside/x')),
      'an absolute path': whole(entry('/etc/x')),
      'an empty segment': whole(entry('a//b')),
      'a dot': whole(entry('./a')),
      'a NUL': whole(entry('a\0b')),
      'a directory that is not there': whole(entry('a/b')),
      'a file through a link': whole(entry('a', { kind: 'link', target: outside }), entry('a/x')),
      'the same file twice': whole(entry('a'), entry('a')),
      'a mode with setuid': whole(entry('a', { mode: 0o4755 })),
      'a session elsewhere': whole(entry('../x.jsonl', { area: 'sessions' })),
      'a policy that is none': whole(entry('system.yaml', { area: 'policies' })),
      'a piece of no file': whole(record(4, 'x')),
      'rows of another table': whole(record(1, { table: 'tokens', columns: ['id'], rows: [['x']] })),
      'rows of the workspaces': whole(record(1, { table: 'workspaces', columns: ['id'], rows: [['evil']] })),
      'other columns': whole(events([[1]], ['id); DROP TABLE events; --'])),
      'an unknown record': whole(record(9, {})),
      'no end': [record(0, head)],
      'an end that counts wrongly': [record(0, head), record(5, { records: 7 })],
      'something after its end': [...whole(), record(5, { records: 2 })],
      'a huge claim': [record(0, head), Buffer.from([0x7f, 0xff, 0xff, 0xff, 1])],
      'another version': [record(0, { ...head, schema: 1 })],
      'another format': [record(0, { ...head, format: 2 })],
      'a hostile name': [record(0, { ...head, workspace: '../x' })],
      'settings out of bounds': [record(0, { ...head, settings: { weight: -1 } })],
    };
    for (const [name, records] of Object.entries(hostile)) {
      const file = await toBytes(sealStream(KEY, inPieces(Buffer.concat(records))));
      await expect(bring(b, file), name).rejects.toMatchObject({ code: expect.stringMatching(/^(invalid_argument|schema_mismatch)$/) });
    }
    expect(readdirSync(outside)).toEqual([]);
    expect((await b.kernel.workspaces.list()).map(({ id }) => id)).toEqual(['default']);
    expect(existsSync(to.join('workspaces', 'acme'))).toBe(false);
  });
});
