import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { type Kernel, openKernel } from '@warren/kernel';
import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAllSecrets } from './all-secrets.ts';
import { openRootKeys, type RootKeyParts } from './root-keys.ts';
import type { KeySource } from './unlock-key.ts';
import { VAULT_FILE } from './vault-file.ts';

const OTHER = 'other' as WorkspaceId; // Valid.
const RIGHT = { kind: 'passphrase', passphrase: 'correct horse' } as const;
/** As little as Argon2 takes: what it costs to guess is not what is tested. */
const CHEAP = { memoryKib: 8, passes: 1, parallelism: 1 } as const;
const REQUEST = { kind: 'request', capability: 'network.credentialed_request', host: 'api.example.com', port: 443 } as const;
const BOUND = { bindings: { hosts: ['api.example.com'], capabilities: ['network.credentialed_request'] } } as const;
const VALUE = 'sk-live-0123456789abcdef';

type Vault = Awaited<ReturnType<typeof openVault>>;

/** What is there when it is unlocked. */
async function openVault({ kernel, source, ...parts }: RootKeyParts & { readonly kernel: Kernel; readonly source: KeySource }) {
  const roots = await openRootKeys(source, parts);
  return { ...createAllSecrets({ kernel, roots: async () => roots, now: parts.now }), changeSource: roots.changeSource };
}

async function openTestVault(source: KeySource = RIGHT) {
  const directory = mkdtempSync(join(tmpdir(), 'warren-vault-'));
  let kernel = await openKernel({ directory });
  await kernel.workspaces.create(OTHER);
  const open = (by: KeySource = source): Promise<Vault> =>
    openVault({ kernel, source: by, directory, environment: {}, now: Date.now, argon2: CHEAP });
  return {
    directory,
    open,
    mine: async () => (await open()).secrets(DEFAULT_WORKSPACE),
    kernel: () => kernel,
    /** Changes the store as somebody would who can write to it. */
    async tamper(sql: string) {
      await kernel.close();
      const database = new DatabaseSync(join(directory, 'kernel.db'));
      database.exec(sql);
      database.close();
      kernel = await openKernel({ directory });
    },
    async [Symbol.asyncDispose]() {
      await kernel.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function read(
  vault: Vault,
  name: string,
  workspace: WorkspaceId = DEFAULT_WORKSPACE,
  use: Parameters<ReturnType<Vault['secrets']>['use']>[1] = REQUEST,
) {
  using value = await vault.secrets(workspace).use(name, use);
  return value === undefined ? undefined : Buffer.from(value.bytes).toString();
}

describe('a vault', () => {
  it('gives a value back, for what it is bound to, also after it was opened again', async () => {
    await using t = await openTestVault();
    await (await t.mine()).set('github', VALUE, BOUND);
    expect(await read(await t.open(), 'github')).toBe(VALUE);
  });

  it('keeps any bytes under any name, and no two of them mixed up', async () => {
    await using t = await openTestVault();
    const vault = await t.open();
    const secrets = vault.secrets(DEFAULT_WORKSPACE);
    const name = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,40}(\/[A-Za-z0-9_-]{1,10})?$/).filter((text) => !/(^|\/)(\.|\.\.|__proto__|constructor|prototype)(\/|$)/.test(text)); // biome-ignore format: one line
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(name, fc.uint8Array({ minLength: 1, maxLength: 300 })), {
          selector: ([key]) => key,
          minLength: 1,
          maxLength: 8,
        }),
        async (kept) => {
          for (const [key, value] of kept) await secrets.set(key, value, BOUND);
          for (const [key, value] of kept) {
            using found = await secrets.use(key, REQUEST);
            expect(Buffer.from(found?.bytes ?? [])).toEqual(Buffer.from(value));
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it.each([
    '',
    '.',
    '..',
    '../x',
    'a/../b',
    'a//b',
    '/a',
    'a/',
    '__proto__',
    'a/__proto__',
    'constructor',
    'a b',
    'café',
    'a\0b',
    'a\n',
    'x'.repeat(257),
  ])('refuses %j as a name', async (name) => {
    await using t = await openTestVault();
    await expect((await t.mine()).set(name, VALUE)).rejects.toMatchObject({ code: 'invalid_argument', details: { field: 'name' } });
  });

  it('takes names that objects have for names like any other', async () => {
    await using t = await openTestVault();
    const secrets = await t.mine();
    for (const name of ['toString', 'hasOwnProperty']) {
      await expect(secrets.get(name)).rejects.toMatchObject({ code: 'not_found' });
      await secrets.set(name, VALUE, BOUND);
      expect(await read(await t.open(), name)).toBe(VALUE);
    }
  });

  it.each([
    ['value', '', {}],
    ['value', 'x'.repeat(65_537), {}],
    ['value', '\ud800', {}],
    ['hosts', VALUE, { bindings: { hosts: ['*'] } }],
    ['hosts', VALUE, { bindings: { hosts: ['*:443'] } }],
    ['hosts', VALUE, { bindings: { hosts: ['**.com'] } }],
    ['hosts', VALUE, { bindings: { hosts: ['not a host'] } }],
    ['capabilities', VALUE, { bindings: { capabilities: ['a b\0'] } }],
    ['skills', VALUE, { bindings: { skills: ['../x'] } }],
    ['purpose', VALUE, { purpose: '\x1b[2J' }],
  ])('says that the %s is unfit, and keeps nothing', async (field, value, terms) => {
    await using t = await openTestVault();
    const secrets = await t.mine();
    await expect(secrets.set('a', value, terms)).rejects.toMatchObject({ code: 'invalid_argument', details: { field } });
    expect(await secrets.list()).toEqual([]);
  });

  it('gives nothing to what a secret is not bound to, as if there were none', async () => {
    await using t = await openTestVault();
    const vault = await t.open();
    const secrets = vault.secrets(DEFAULT_WORKSPACE);
    await secrets.set('unbound', VALUE);
    await secrets.set('bound', VALUE, BOUND);
    await secrets.set('skill/KEY', VALUE, { bindings: { skills: ['issues'] } });
    await secrets.set('host-only', VALUE, { bindings: { hosts: ['api.example.com'] } });
    const answers = await Promise.all([
      read(vault, 'unbound'),
      read(vault, 'host-only'),
      read(vault, 'nothing'),
      read(vault, 'bound', DEFAULT_WORKSPACE, { ...REQUEST, host: 'api.example.com.evil.net' }),
      read(vault, 'bound', DEFAULT_WORKSPACE, { ...REQUEST, host: 'evil.net' }),
      read(vault, 'bound', DEFAULT_WORKSPACE, { ...REQUEST, capability: 'network.fetch' }),
      read(vault, 'bound', DEFAULT_WORKSPACE, { kind: 'skill', skill: 'issues' }),
      read(vault, 'skill/KEY', DEFAULT_WORKSPACE, { kind: 'skill', skill: 'other' }),
      read(vault, 'bound', OTHER),
    ]);
    expect(answers).toEqual(answers.map(() => undefined));
    expect(await read(vault, 'skill/KEY', DEFAULT_WORKSPACE, { kind: 'skill', skill: 'issues' })).toBe(VALUE);
  });

  it('wipes a value when its use ends', async () => {
    await using t = await openTestVault();
    const secrets = await t.mine();
    await secrets.set('a', VALUE, BOUND);
    const value = await secrets.use('a', REQUEST);
    value?.[Symbol.dispose]();
    expect(Buffer.from(value?.bytes ?? [1])).toEqual(Buffer.alloc(VALUE.length));
  });

  it('changes what a secret is bound to by what is said, and leaves the rest', async () => {
    await using t = await openTestVault();
    const secrets = await t.mine();
    await secrets.set('a', VALUE, BOUND);
    const bindings = async (terms: Parameters<typeof secrets.change>[1]) => (await secrets.change('a', terms)).bindings;
    const { capabilities } = BOUND.bindings;
    expect(await bindings({ bindings: { hosts: ['b.example.com'] } })).toEqual({ hosts: ['b.example.com'], capabilities, skills: [] });
    expect(await bindings({ bind: { hosts: ['A.example.com.'], skills: ['x'] } })).toMatchObject({
      hosts: ['a.example.com', 'b.example.com'],
      skills: ['x'],
    });
    expect(await bindings({ unbind: { hosts: ['B.example.com'], skills: ['x'] } })).toEqual({
      hosts: ['a.example.com'],
      capabilities,
      skills: [],
    });
    await expect(bindings({ bind: { hosts: ['*'] } })).rejects.toMatchObject({ code: 'invalid_argument', details: { field: 'hosts' } });
    expect((await secrets.set('a', 'new')).bindings).toEqual({ hosts: ['a.example.com'], capabilities, skills: [] });
    await secrets.change('a', { unbind: { hosts: ['a.example.com'] } });
    expect(await read(await t.open(), 'a')).toBeUndefined();
  });

  it('gives every value that is kept to who takes values out of texts, and says when there are others', async () => {
    await using t = await openTestVault();
    const vault = await t.open();
    const secrets = vault.secrets(DEFAULT_WORKSPACE);
    const changed: (string | undefined)[] = [];
    using _listening = vault.onChange((workspace) => changed.push(workspace));
    await secrets.set('a', 'one');
    await secrets.set('a', 'two');
    await secrets.set('b', 'three');
    await secrets.revoke('b');
    const found: string[] = [];
    for await (const { name, version, bytes } of secrets.values()) found.push(`${name} ${version} ${Buffer.from(bytes)}`);
    expect(found).toEqual(['a 2 two', 'a 1 one', 'b 1 three']);
    await secrets.delete('a');
    expect(changed).toEqual(Array(4).fill(DEFAULT_WORKSPACE));
    await t.tamper(`UPDATE secret_versions SET sealed = zeroblob(40)`);
    for await (const each of (await t.mine()).values()) expect.unreachable(each.name);
  });

  it('keeps versions, ten besides the one in use, and rolls back to one', async () => {
    await using t = await openTestVault();
    const vault = await t.open();
    const secrets = vault.secrets(DEFAULT_WORKSPACE);
    for (let version = 1; version <= 13; version++) await secrets.set('a', `value ${version}`, BOUND);
    await expect(secrets.rollback('a', 2)).rejects.toMatchObject({ code: 'not_found' });
    expect((await secrets.rollback('a', 5)).version).toBe(14);
    expect(await read(vault, 'a')).toBe('value 5');
  });

  it('gives nothing that is revoked until it is restored, also when it is set meanwhile', async () => {
    await using t = await openTestVault();
    const vault = await t.open();
    const secrets = vault.secrets(DEFAULT_WORKSPACE);
    await secrets.set('a', VALUE, BOUND);
    await secrets.revoke('a');
    await secrets.set('a', 'new');
    expect(await read(vault, 'a')).toBeUndefined();
    await secrets.restore('a');
    expect(await read(vault, 'a')).toBe('new');
  });

  it('loses no change when many are made at once', async () => {
    await using t = await openTestVault();
    const secrets = await t.mine();
    await secrets.set('a', VALUE, BOUND);
    await Promise.all(['one', 'two', 'three', 'four', 'five'].map((value) => secrets.set('a', value)));
    expect(await secrets.get('a')).toMatchObject({ version: 6, bindings: { hosts: ['api.example.com'] } });
  });

  it('has no value in any file, before and after everything that can be done with it', async () => {
    await using t = await openTestVault();
    const vault = await t.open();
    const secrets = vault.secrets(DEFAULT_WORKSPACE);
    await secrets.set('a', VALUE, BOUND);
    await secrets.set('a', `${VALUE}-2`);
    await secrets.change('a', { purpose: 'x', bindings: { hosts: ['other.example.com'] } });
    await secrets.rotateKey();
    await vault.rotateRoot();
    await vault.changeSource({ kind: 'passphrase', passphrase: 'another' });
    for (const file of ['kernel.db', 'kernel.db-wal', VAULT_FILE]) {
      const bytes = readFileSync(join(t.directory, file));
      for (const hidden of [VALUE, Buffer.from(VALUE).toString('base64').slice(0, -4), RIGHT.passphrase, 'another'])
        expect([file, hidden, bytes.includes(hidden)]).toEqual([file, hidden, false]);
    }
  });
});

describe('what unlocks a vault', () => {
  it('is told from what does not, whatever is wrong with it', async () => {
    await using t = await openTestVault();
    await (await t.mine()).set('a', VALUE, BOUND);
    const file = join(t.directory, 'key');
    writeFileSync(file, Buffer.alloc(32, 7), { mode: 0o600 });
    for (const [source, why] of [
      [{ kind: 'passphrase', passphrase: 'wrong' }, /the passphrase is not the one/],
      [{ kind: 'file', path: file }, /locked with a passphrase, not with a file/],
    ] as const)
      await expect(t.open(source)).rejects.toMatchObject({ code: 'permission_denied', message: expect.stringMatching(why) });
    expect(await read(await t.open(), 'a')).toBe(VALUE);
  });

  it('is the same passphrase however its characters are composed', async () => {
    await using t = await openTestVault({ kind: 'passphrase', passphrase: 'caf\u00e9' });
    await (await t.mine()).set('a', VALUE, BOUND);
    expect(await read(await t.open({ kind: 'passphrase', passphrase: 'cafe\u0301' }), 'a')).toBe(VALUE);
  });

  it('can be a file, a credential of systemd, or what a command prints', async () => {
    await using t = await openTestVault();
    const path = join(t.directory, 'unlock.key');
    writeFileSync(path, Buffer.alloc(40, 3), { mode: 0o600 });
    const parts = { kernel: t.kernel(), directory: t.directory, now: Date.now, argon2: CHEAP };
    const asked: unknown[] = [];
    const runCommand = async (argv: readonly string[]) => {
      asked.push(argv);
      return Buffer.alloc(40, 3);
    };
    const environment = { CREDENTIALS_DIRECTORY: t.directory };
    const vault = await openVault({ ...parts, environment, source: { kind: 'file', path } });
    await vault.secrets(DEFAULT_WORKSPACE).set('a', VALUE, BOUND);
    for (const source of [
      { kind: 'systemd', name: 'unlock.key' },
      { kind: 'command', argv: ['/bin/key', '--print'] },
    ] as const) {
      await vault.changeSource({ kind: 'file', path });
      expect(await read(await openVault({ ...parts, environment, runCommand, source }), 'a')).toBe(VALUE);
    }
    expect(asked).toEqual([['/bin/key', '--print']]);
  });

  it.each([
    [{ kind: 'file', path: '/nowhere/key' }, 'unavailable', /nowhere.*ENOENT/],
    [{ kind: 'systemd', name: 'key' }, 'unavailable', /CREDENTIALS_DIRECTORY/],
    [{ kind: 'command', argv: ['x'] }, 'unavailable', /no program can be started/],
    [{ kind: 'passphrase', passphrase: '' }, 'invalid_argument', /0 characters/],
  ] as const)('that is not to be had is said: %j', async (source, code, why) => {
    await using t = await openTestVault();
    await expect(t.open(source)).rejects.toMatchObject({ code, message: expect.stringMatching(why) });
  });

  it.each([0o644, 0o640, 0o620, 0o602, 0o660] as const)('is no file that others may read or change: mode %o', async (mode) => {
    await using t = await openTestVault();
    const path = join(t.directory, 'open.key');
    writeFileSync(path, Buffer.alloc(32, 3));
    chmodSync(path, mode);
    const opened = t.open({ kind: 'file', path });
    if (mode === 0o640)
      await expect(opened).resolves.toBeDefined(); // For a group that an operator chose.
    else await expect(opened).rejects.toMatchObject({ code: 'unavailable', message: expect.stringMatching(/others may read.*chmod 600/) });
  });

  it('has enough bytes that nobody guesses them', async () => {
    await using t = await openTestVault();
    const path = join(t.directory, 'short.key');
    writeFileSync(path, 'hunter2', { mode: 0o600 });
    await expect(t.open({ kind: 'file', path })).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringMatching(/7 bytes/),
    });
  });

  it.each(['../../etc/passwd', '..', '.', 'a/b', 'a\0b', ''])('is no credential by the name %j', async (name) => {
    await using t = await openTestVault();
    const open = openVault({ kernel: t.kernel(), directory: t.directory, now: Date.now, argon2: CHEAP, source: { kind: 'systemd', name }, environment: { CREDENTIALS_DIRECTORY: t.directory } }); // biome-ignore format: one line
    await expect(open).rejects.toMatchObject({ code: 'unavailable', message: expect.stringMatching(/no name of a credential/) });
  });

  it('is changed in one step: the old one opens nothing from then on', async () => {
    await using t = await openTestVault();
    const vault = await t.open();
    await vault.secrets(DEFAULT_WORKSPACE).set('a', VALUE, BOUND);
    const next = { kind: 'passphrase', passphrase: 'next' } as const;
    await vault.changeSource(next);
    await expect(t.open()).rejects.toMatchObject({ code: 'permission_denied' });
    expect(await read(await t.open(next), 'a')).toBe(VALUE);
    expect(await read(vault, 'a')).toBe(VALUE);
  });
});

describe('a store that was tampered with', () => {
  it.each([
    [
      'a value moved to another name',
      `UPDATE secret_versions SET sealed = (SELECT sealed FROM secret_versions WHERE name = 'b' AND ws = 1) WHERE name = 'a'`,
    ],
    [
      'an older version in the place of the newest',
      `UPDATE secret_versions SET sealed = (SELECT sealed FROM secret_versions o WHERE o.name = 'a' AND o.version = 1) WHERE name = 'a' AND version = 2`,
    ],
    [
      'a flipped bit',
      `UPDATE secret_versions SET sealed = CAST(substr(sealed, 1, 30) || CASE substr(sealed, 31, 1) WHEN x'00' THEN x'01' ELSE x'00' END || substr(sealed, 32) AS BLOB) WHERE name = 'a'`,
    ],
    ['a value cut short', `UPDATE secret_versions SET sealed = substr(sealed, 1, 20) WHERE name = 'a'`],
    [
      'a host it was never bound to',
      `UPDATE secrets SET bindings = '{"hosts":["evil.example.net"],"capabilities":["network.credentialed_request"],"skills":[]}' WHERE name = 'a'`,
    ],
  ])('is noticed: %s', async (_, sql) => {
    await using t = await openTestVault();
    const secrets = await t.mine();
    await secrets.set('a', VALUE, BOUND);
    await secrets.set('a', `${VALUE}2`);
    await secrets.set('b', 'of b', BOUND);
    await t.tamper(`PRAGMA foreign_keys = OFF; ${sql}`);
    const use = { ...REQUEST, host: sql.includes('evil') ? 'evil.example.net' : REQUEST.host };
    await expect(read(await t.open(), 'a', DEFAULT_WORKSPACE, use)).rejects.toMatchObject({ code: 'store_failed' });
  });

  it('does not carry a secret or a key into another workspace', async () => {
    await using t = await openTestVault();
    const vault = await t.open();
    await vault.secrets(DEFAULT_WORKSPACE).set('a', VALUE, BOUND);
    await vault.secrets(OTHER).set('a', 'of the other', BOUND);
    const [mine, other] = ['default', 'other'].map((id) => `(SELECT ws FROM workspaces WHERE id = '${id}')`);
    await t.tamper(`UPDATE secret_versions SET sealed = (SELECT sealed FROM secret_versions WHERE ws = ${mine}) WHERE ws = ${other}`);
    await expect(read(await t.open(), 'a', OTHER)).rejects.toMatchObject({ code: 'store_failed' });
    await t.tamper(`UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE ws = ${mine}) WHERE ws = ${other}`);
    await expect(read(await t.open(), 'a', OTHER)).rejects.toMatchObject({ code: 'store_failed' });
    expect(await read(await t.open(), 'a')).toBe(VALUE);
  });

  it.each(['', '{', '[]', '{"format":1}', '{"format":2}', 'x'.repeat(2_000_000)])(
    'has a file of the vault that is never replaced: %#',
    async (text) => {
      await using t = await openTestVault();
      await t.open();
      const path = join(t.directory, VAULT_FILE);
      writeFileSync(path, text);
      await expect(t.open()).rejects.toMatchObject({ code: 'store_failed' });
      expect(readFileSync(path, 'utf8')).toBe(text);
    },
  );
});

describe('keys are replaced', () => {
  it('in a workspace while its secrets are used, and none of the old ones is left', async () => {
    await using t = await openTestVault();
    const vault = await t.open();
    const secrets = vault.secrets(DEFAULT_WORKSPACE);
    for (let index = 0; index < 20; index++) await secrets.set(`s${index}`, `${VALUE}${index}`, BOUND);
    const before = await t.kernel().workspace(DEFAULT_WORKSPACE).secrets.dataKeys();
    let isRotated = false;
    const rotated = secrets.rotateKey().finally(() => {
      isRotated = true;
    });
    while (!isRotated) {
      for (let index = 0; index < 20; index++) expect(await read(vault, `s${index}`)).toBe(`${VALUE}${index}`);
      await setImmediate(); // Or what is awaited would never come to pass.
    }
    expect(await rotated).toBe(20);
    const after = await t.kernel().workspace(DEFAULT_WORKSPACE).secrets.dataKeys();
    expect([before.map(({ number }) => number), after.map(({ number }) => number)]).toEqual([[1], [2]]);
    expect(await read(await t.open(), 's19')).toBe(`${VALUE}19`);
  });

  it('of the vault while secrets are used and made, in every workspace', async () => {
    await using t = await openTestVault();
    const vault = await t.open();
    await vault.secrets(DEFAULT_WORKSPACE).set('a', VALUE, BOUND);
    await Promise.all([vault.rotateRoot(), vault.secrets(OTHER).set('b', VALUE, BOUND), vault.secrets(DEFAULT_WORKSPACE).rotateKey()]);
    const again = await t.open();
    expect(await Promise.all([read(again, 'a'), read(again, 'b', OTHER)])).toEqual([VALUE, VALUE]);
    expect((JSON.parse(readFileSync(join(t.directory, VAULT_FILE), 'utf8')) as { roots: unknown[] }).roots).toHaveLength(1);
  });
});
