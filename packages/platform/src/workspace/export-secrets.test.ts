/** Secrets go along when a workspace goes to another machine: in the file and in the store there, sealed; nobody learns a key of here, and nobody who writes such a file gets in what could not be set. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openKernel } from '@warren/kernel';
import { parseWorkspaceId, type WorkspaceId } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { openPlatform } from '../open-platform.ts';
import { aboutDataKey } from '../vault/about.ts';
import { openRootKeys } from '../vault/root-keys.ts';
import { unseal } from '../vault/seal.ts';
import type { SecretUse } from '../vault/secrets.ts';
import { exportWorkspace } from './export-workspace.ts';
import { importWorkspace } from './import-workspace.ts';
import { type FileSecret, openStream, sealStream } from './sealed-stream.ts';
import { KIND } from './workspace-records.ts';

const ACME = parseWorkspaceId('acme');
const COPY = parseWorkspaceId('copy');
const KEY: FileSecret = { kind: 'key', key: Buffer.alloc(32, 7) };
const NEVER = new AbortController().signal;
const VALUE = 'sk-live-Zq83LmPxw0Vt';
const REQUEST = { kind: 'request', capability: 'network.credentialed_request', host: 'api.example.com', port: 443 } as const;
const SKILL = { kind: 'skill', skill: 'deploy' } as const;
const BYTES = Buffer.from([0, 255, 10, 13, 200, 1]);

async function open(directory: string) {
  const stack = new AsyncDisposableStack();
  const kernel = stack.use(await openKernel({ directory }));
  const openSandboxes = () => Promise.reject(new Error('There are none here'));
  const platform = stack.use(await openPlatform({ kernel, directory, isWatching: false, openSandboxes }));
  const parts = { kernel, memories: platform.memories, vault: platform.vault, secrets: platform.secrets, directory, now: () => 1 };
  return { kernel, platform, parts, directory, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
type Opened = Awaited<ReturnType<typeof open>>;

async function plantSecrets({ kernel, platform }: Opened): Promise<void> {
  await kernel.workspaces.create(ACME);
  const secrets = platform.secrets(ACME);
  const bindings = {
    hosts: ['api.example.com', '**.b.example.com:8443'],
    capabilities: ['network.credentialed_request'],
    skills: ['deploy'],
  };
  for (let version = 1; version <= 13; version++)
    await secrets.set('ci/deploy', `${VALUE}-${version}`, { bindings, type: 'api_key', purpose: 'for CI' });
  await secrets.set('bytes', BYTES, { bindings: { skills: ['deploy'] } });
  await secrets.set('gone', `${VALUE}-gone`, { bindings });
  await secrets.revoke('gone');
}

async function toBytes(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of content) pieces.push(Buffer.from(piece)); // They are wiped.
  return Buffer.concat(pieces);
}

async function* inPieces(bytes: Buffer, size = 10_007): AsyncGenerator<Buffer, void> {
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size));
}

const write = (on: Opened, withSecrets = true, id = ACME) =>
  toBytes(sealStream(KEY, exportWorkspace(on.parts, id, { withSecrets }, NEVER)));
const bring = (on: Opened, file: Buffer, { as = undefined as WorkspaceId | undefined, withSecrets = true, key = KEY } = {}) =>
  importWorkspace(on.parts, openStream(key, inPieces(file)), { as, withSecrets }, parseWorkspaceId);

async function read({ platform }: Opened, id: WorkspaceId, name: string, use: SecretUse = REQUEST): Promise<string | undefined> {
  using value = await platform.secrets(id).use(name, use);
  return value === undefined ? undefined : Buffer.from(value.bytes).toString('latin1');
}

/** The bytes of every file below. */
function everything(directory: string): Buffer {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Buffer.concat(files.map((entry) => readFileSync(join(entry.parentPath, entry.name))));
}

function includesValue(bytes: Buffer): boolean {
  return ['utf8', 'base64', 'base64url', 'hex'].some((encoding) =>
    bytes.includes(
      Buffer.from(VALUE)
        .toString(encoding as 'hex')
        .slice(0, 24),
    ),
  ); // Each is an encoding.
}

const namesOf = async ({ kernel }: Opened) => (await kernel.workspaces.list()).map(({ id }) => id);

describe('secrets of an exported workspace', () => {
  it('can be used on another machine for what they were bound to, with their versions, and of a workspace of another name', async () => {
    await using from = await TemporaryDirectory.create();
    await using to = await TemporaryDirectory.create();
    await using a = await open(from.path);
    await plantSecrets(a);
    const file = await write(a);
    expect(includesValue(file)).toBe(false);
    const before = await Promise.all(['bytes', 'ci/deploy', 'gone'].map((name) => a.platform.secrets(ACME).get(name)));
    {
      await using b = await open(to.path);
      expect(await bring(b, file, { as: COPY })).toEqual({ id: COPY, secrets: 3, secretsLeftOut: 0 });
      expect(await bring(b, file)).toMatchObject({ id: ACME, secrets: 3 });
    }
    await using b = await open(to.path);
    for (const id of [COPY, ACME]) {
      const mine = b.platform.secrets(id);
      const after = await Promise.all(['bytes', 'ci/deploy', 'gone'].map((name) => mine.get(name)));
      expect(after).toEqual(before.map((each) => ({ ...each, revision: 1 })));
      expect(after[1]?.versions.map(({ version }) => version)).toEqual([13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
      expect(await read(b, id, 'ci/deploy')).toBe(`${VALUE}-13`);
      expect(await read(b, id, 'ci/deploy', { ...REQUEST, host: 'evil.example.net' })).toBeUndefined();
      expect(await read(b, id, 'bytes', SKILL)).toBe(BYTES.toString('latin1'));
      expect(await read(b, id, 'bytes')).toBeUndefined();
      expect(await read(b, id, 'gone')).toBeUndefined();
      await mine.restore('gone');
      expect(await read(b, id, 'gone')).toBe(`${VALUE}-gone`);
      expect((await mine.rollback('ci/deploy', 5)).version).toBe(14);
      expect(await read(b, id, 'ci/deploy')).toBe(`${VALUE}-5`);
      await mine.rotateKey();
    }
    await b.platform.vault.rotateRoot();
    expect(await read(b, COPY, 'ci/deploy')).toBe(`${VALUE}-5`);
    expect(includesValue(everything(to.path))).toBe(false);
    expect(await b.kernel.store.check()).toEqual([]);
    await b.kernel.workspaces.delete(COPY);
    expect(await read(b, ACME, 'ci/deploy')).toBe(`${VALUE}-5`);
  });

  it('tell no key of the vault they come from, to who opens the file either', async () => {
    await using from = await TemporaryDirectory.create();
    await using a = await open(from.path);
    await plantSecrets(a);
    const content = await toBytes(openStream(KEY, inPieces(await write(a))));
    expect(content.includes(VALUE)).toBe(true); // It is what the file seals.
    const [row] = await a.kernel.workspace(ACME).secrets.dataKeys();
    const roots = await openRootKeys(
      { kind: 'file', path: from.join('vault.key') },
      { directory: from.path, now: Date.now, environment: {} },
    );
    const root = roots.find(row?.root ?? 0);
    const dataKey = root === undefined || row === undefined ? undefined : unseal(root, row.wrapped, aboutDataKey(ACME, row.number));
    expect(dataKey?.length).toBe(32);
    const sealed = (await a.kernel.workspace(ACME).secrets.find('ci/deploy'))?.versions ?? [];
    const keys = [dataKey, root?.export(), row?.wrapped, readFileSync(from.join('vault.key')), ...sealed.map((each) => each.sealed)];
    for (const key of keys) {
      const bytes = Buffer.from(key ?? []);
      expect(bytes.length).toBeGreaterThan(31);
      for (const encoding of ['latin1', 'base64', 'hex'] as const)
        expect(content.includes(bytes.toString(encoding).slice(0, 30), encoding === 'latin1' ? 'latin1' : 'utf8')).toBe(false);
    }
  });

  it('stay behind when asked to, on either side, and the vault is not touched then', async () => {
    await using from = await TemporaryDirectory.create();
    await using to = await TemporaryDirectory.create();
    await using a = await open(from.path);
    await plantSecrets(a);
    await using b = await open(to.path);
    const content = await toBytes(openStream(KEY, inPieces(await write(a, false))));
    expect(content.includes(VALUE)).toBe(false);
    expect(await bring(b, await write(a, false))).toEqual({ id: ACME, secrets: 0, secretsLeftOut: 0 });
    expect(await bring(b, await write(a), { as: COPY, withSecrets: false })).toEqual({ id: COPY, secrets: 0, secretsLeftOut: 3 });
    for (const id of [ACME, COPY]) {
      expect(await b.platform.secrets(id).list()).toEqual([]);
      expect(await b.kernel.workspace(id).secrets.dataKeys()).toEqual([]);
    }
    expect((await b.platform.vault.status()).state).toBe('absent');
  });

  it('are neither written nor brought while the vault is locked, and nothing is made then', async () => {
    await using from = await TemporaryDirectory.create();
    await using to = await TemporaryDirectory.create();
    let file: Buffer;
    {
      await using a = await open(from.path);
      await plantSecrets(a);
      file = await write(a);
      await a.platform.vault.changeKey({ passphrase: 'correct horse' });
    }
    await using a = await open(from.path);
    await expect(write(a)).rejects.toMatchObject({ code: 'vault_locked' });
    await a.platform.vault.unlock('correct horse');
    expect(includesValue(await toBytes(openStream(KEY, inPieces(await write(a)))))).toBe(true);
    {
      await using b = await open(to.path);
      await b.platform.vault.unlock();
      await b.platform.vault.changeKey({ passphrase: 'battery staple' });
    }
    await using b = await open(to.path);
    await expect(bring(b, file)).rejects.toMatchObject({ code: 'vault_locked' });
    expect(await namesOf(b)).toEqual(['default']);
    await b.platform.vault.unlock('battery staple');
    await bring(b, file);
    expect(await read(b, ACME, 'ci/deploy')).toBe(`${VALUE}-13`);
  });

  it('leave nothing behind when the file was changed, cut off, or is opened with something else', async () => {
    await using from = await TemporaryDirectory.create();
    await using to = await TemporaryDirectory.create();
    await using a = await open(from.path);
    await plantSecrets(a);
    for (let index = 0; index < 40; index++) await a.platform.secrets(ACME).set(`large${index}`, `${VALUE}${'x'.repeat(8_000)}`);
    const file = await write(a);
    await using b = await open(to.path);
    await b.platform.vault.unlock();
    const piece = 65_536 + 16;
    const flip = (at: number): Buffer => {
      const changed = Buffer.from(file);
      changed[at] = (changed[at] ?? 0) ^ 1;
      return changed;
    };
    const cuts = [57 + piece, 57 + piece * 2, file.length - piece, file.length - 17, file.length - 1].map((at) => file.subarray(0, at));
    const flips = [20, 60, 57 + piece + 5, 57 + piece * 3, file.length - 1].map(flip);
    for (const bad of [...cuts, ...flips, Buffer.concat([file, file])])
      await expect(bring(b, bad)).rejects.toMatchObject({ code: expect.stringMatching(/^(invalid_argument|permission_denied)$/) });
    await expect(bring(b, file, { key: { kind: 'key', key: Buffer.alloc(32, 8) } })).rejects.toMatchObject({ code: 'permission_denied' });
    expect(await namesOf(b)).toEqual(['default']);
    const bytes = everything(to.path);
    expect([includesValue(bytes), bytes.includes('ci/deploy'), bytes.includes('large0')]).toEqual([false, false, false]);
    expect((await bring(b, file)).secrets).toBe(43);
  });

  it('make the export fail when one is damaged, with its name', async () => {
    await using from = await TemporaryDirectory.create();
    await using a = await open(from.path);
    await plantSecrets(a);
    const { sealed, record } = { sealed: a.kernel.workspace(ACME).secrets, record: await a.platform.secrets(ACME).get('bytes') };
    const versions = [{ version: 1, dataKey: 1, sealed: Buffer.alloc(60), createdAt: 1 }];
    await sealed.put({ ...record, versions }, record.revision, 'changed');
    await expect(write(a)).rejects.toMatchObject({ code: 'store_failed', details: { secret: 'bytes' } });
  });

  it('that somebody wrote who knows the key are held to what could be set', async () => {
    await using to = await TemporaryDirectory.create();
    await using b = await open(to.path);
    const record = (kind: number, ...parts: (Buffer | object)[]): Buffer => {
      const payload = Buffer.concat(parts.map((part) => (Buffer.isBuffer(part) ? part : Buffer.from(JSON.stringify(part)))));
      const start = Buffer.alloc(5);
      start.writeUInt32BE(payload.length, 0);
      start.writeUInt8(kind, 4);
      return Buffer.concat([start, payload]);
    };
    const head = { format: 1, workspace: ACME, schema: b.kernel.store.schemaVersion, settings: {}, exportedAt: 1 };
    const file = async (middle: readonly Buffer[], more: object = { secrets: true }): Promise<Buffer> => {
      const all = [record(KIND.head, { ...head, ...more }), ...middle, record(KIND.end, { records: middle.length + 1 })];
      return await toBytes(sealStream(KEY, inPieces(Buffer.concat(all))));
    };
    const good = {
      name: 'a',
      type: 'api_key',
      purpose: 'p',
      bindings: { hosts: ['api.example.com'], capabilities: ['mail.send'], skills: [] },
      ...{ version: 2, createdAt: 1, updatedAt: 2 },
      versions: [
        { version: 2, createdAt: 2, bytes: 3 },
        { version: 1, createdAt: 1, bytes: 2 },
      ],
    };
    const secret = (said: object, bytes = Buffer.from('abcde'), claim?: number): Buffer => {
      const text = Buffer.from(JSON.stringify({ ...good, ...said }));
      const length = Buffer.alloc(4);
      length.writeUInt32BE(claim ?? text.length, 0);
      return record(KIND.secret, length, text, bytes);
    };
    const of = (...sizes: readonly (readonly [number, number])[]) => ({
      version: sizes[0]?.[0] ?? 1,
      versions: sizes.map(([version, bytes]) => ({ version, createdAt: 1, bytes })),
    });
    const many = Array.from({ length: 12 }, (_, index) => [12 - index, 1] as const);
    const hostile: Record<string, readonly Buffer[]> = {
      'a name that leads out': [secret({ name: '../x' })],
      'a name that objects have': [secret({ name: '__proto__' })],
      'every host': [secret({ bindings: { ...good.bindings, hosts: ['*'] } })],
      'a whole domain of names': [secret({ bindings: { ...good.bindings, hosts: ['**.com'] } })],
      'a list too many': [secret({ bindings: { ...good.bindings, others: ['x'] } })],
      'more hosts than may be': [
        secret({ bindings: { ...good.bindings, hosts: Array.from({ length: 101 }, (_, each) => `h${each}.example.com`) } }),
      ],
      'a type that there is not': [secret({ type: 'root' })],
      'a purpose that moves the terminal': [secret({ purpose: '\u001b[2J' })],
      'versions in another order': [secret(of([1, 2], [2, 3]))],
      'a version twice': [secret(of([2, 2], [2, 3]))],
      'another version in use': [secret({ version: 1 })],
      'no version': [secret({ versions: [] }, Buffer.alloc(0))],
      'more versions than are kept': [secret(of(...many), Buffer.alloc(12, 65))],
      'a time that is none': [secret({ createdAt: 1.5 })],
      'a time before all': [secret({ createdAt: -1 })],
      'a value of nothing': [secret(of([2, 5], [1, 0]))],
      'a value too large': [secret(of([1, 65_537]), Buffer.alloc(65_537, 65))],
      'fewer bytes than it claims': [secret({}, Buffer.from('abc'))],
      'more bytes than it claims': [secret({}, Buffer.from('abcdef'))],
      'a length past its end': [secret({}, Buffer.from('abcde'), 4_000_000_000)],
      'no JSON': [secret({}, Buffer.from('abcde'), 3)],
      'nothing at all': [record(KIND.secret, Buffer.alloc(0))],
      'the same secret twice': [secret({}), secret({})],
      'rows of secrets': [record(KIND.rows, { table: 'secrets', columns: ['name'], rows: [['x']] })],
      'rows of keys': [record(KIND.rows, { table: 'data_keys', columns: ['number'], rows: [[1]] })],
    };
    for (const [name, middle] of Object.entries(hostile)) {
      await expect(bring(b, await file(middle)), name).rejects.toMatchObject({ code: 'invalid_argument' });
      await expect(b.kernel.workspaces.get(ACME), name).rejects.toMatchObject({ code: 'not_found' });
    }
    await expect(bring(b, await file([secret({})], {}))).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(await bring(b, await file([secret({})]))).toMatchObject({ secrets: 1 });
    expect(await read(b, ACME, 'a', { kind: 'request', capability: 'mail.send', host: 'api.example.com', port: 443 })).toBe('abc');
  });

  it('are not asked for by a file of an earlier version, which has none', async () => {
    await using from = await TemporaryDirectory.create();
    await using to = await TemporaryDirectory.create();
    await using a = await open(from.path);
    await a.kernel.workspaces.create(ACME);
    const content = await toBytes(openStream(KEY, inPieces(await write(a))));
    expect(content.includes('"secrets":')).toBe(false); // As versions before this one wrote them.
    await using b = await open(to.path);
    expect(await bring(b, await write(a))).toEqual({ id: ACME, secrets: 0, secretsLeftOut: 0 });
    expect((await b.platform.vault.status()).state).toBe('absent');
  });
});
