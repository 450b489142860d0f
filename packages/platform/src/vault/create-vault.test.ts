import { chmodSync, existsSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { openKernel } from '@warren/kernel';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { createVault } from './create-vault.ts';
import type { VaultKeyConfig } from './vault-key-config.ts';

/** As little as Argon2 takes. */
const CHEAP = { memoryKib: 8, passes: 1, parallelism: 1 } as const;
const LOCKED = { code: 'vault_locked', details: { fix: expect.stringMatching(/^warren vault (unlock|status)/) } };

async function openTest() {
  const directory = await TemporaryDirectory.create();
  const kernel = await openKernel({ directory: directory.path });
  const said: string[] = [];
  let now = 0;
  let key: VaultKeyConfig | undefined;
  return {
    ...{ directory, kernel, said },
    advance(ms: number) {
      now += ms;
    },
    configure(next: VaultKeyConfig | undefined) {
      key = next;
    },
    /** As a start of the daemon makes it. */
    vault: (environment: Readonly<Record<string, string>> = {}) =>
      createVault({
        ...{ kernel, directory: directory.path, environment, argon2: CHEAP },
        now: () => now,
        key: () => key,
        say: (message) => said.push(message),
        runCommand: async (argv) => Buffer.from(argv.join(' ').padEnd(32)),
      }),
    async [Symbol.asyncDispose]() {
      await kernel.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

const set = (vault: ReturnType<typeof createVault>) => vault.secrets(DEFAULT_WORKSPACE).set('a', 'the value');

describe('a vault that nobody configured', () => {
  it('is made with its first secret, under a key file that only we may read, and is open after each start', async () => {
    await using t = await openTest();
    const vault = t.vault();
    expect(await vault.status()).toEqual({ state: 'absent', key: undefined, isKeyBeside: true, reason: undefined });
    expect(await vault.secrets(DEFAULT_WORKSPACE).list()).toEqual([]);
    expect(existsSync(t.directory.join('vault.json'))).toBe(false);
    await set(vault);
    expect([statSync(t.directory.join('vault.key')).mode & 0o777, statSync(t.directory.join('vault.json')).mode & 0o777]).toEqual([
      0o600, 0o600,
    ]);
    expect(await t.vault().status()).toEqual({ state: 'unlocked', key: 'file', isKeyBeside: true, reason: undefined });
    await set(t.vault());
    expect(t.said).toEqual([]);
  });

  it('does not make another key when its own is gone, and says once what is wrong', async () => {
    await using t = await openTest();
    await set(t.vault());
    renameSync(t.directory.join('vault.key'), t.directory.join('elsewhere'));
    const vault = t.vault();
    const failed = await set(vault).catch((error: unknown) => error);
    expect(failed).toMatchObject(LOCKED);
    expect(String((failed as Error).message)).not.toContain(t.directory.path);
    await expect(set(vault)).rejects.toMatchObject(LOCKED);
    expect(await vault.status()).toMatchObject({ state: 'locked', key: 'file', reason: expect.stringContaining('ENOENT') });
    t.advance(10_000);
    await expect(set(vault)).rejects.toMatchObject(LOCKED);
    expect(t.said).toEqual([expect.stringContaining('vault.key')]);
    expect(existsSync(t.directory.join('vault.key'))).toBe(false);
    expect(await vault.secrets(DEFAULT_WORKSPACE).get('a')).toMatchObject({ name: 'a', versions: [{ version: 1 }] });
    renameSync(t.directory.join('elsewhere'), t.directory.join('vault.key'));
    expect(await vault.unlock()).toMatchObject({ state: 'unlocked' });
    await set(vault);
  });

  it.each([
    ['damaged', (text: string) => text.replace(/"wrapped":"./, (found) => `${found.slice(0, -1)}${found.endsWith('A') ? 'B' : 'A'}`)],
    ['cut short', (text: string) => text.slice(0, 100)],
    ['empty', () => ''],
  ])('is told to be damaged, and not to have another key, when its file is %s', async (_, damage) => {
    await using t = await openTest();
    await set(t.vault());
    const path = t.directory.join('vault.json');
    const damaged = damage(readFileSync(path, 'utf8'));
    writeFileSync(path, damaged);
    await expect(set(t.vault())).rejects.toMatchObject({ code: 'store_failed', details: { vault: 'damaged' } });
    await expect(t.vault().unlock('whatever')).rejects.toMatchObject({ code: 'store_failed' });
    expect(readFileSync(path, 'utf8')).toBe(damaged);
  });

  it('is not made anew when its file is gone and there are secrets', async () => {
    await using t = await openTest();
    await set(t.vault());
    rmSync(t.directory.join('vault.json'));
    for (const act of [() => set(t.vault()), () => t.vault().unlock('another')])
      await expect(act()).rejects.toMatchObject({ code: 'store_failed', details: { vault: 'gone' } });
    expect(existsSync(t.directory.join('vault.json'))).toBe(false);
  });
});

describe('a vault with a passphrase', () => {
  it('waits for somebody to give it after each start, and tells a wrong one', async () => {
    await using t = await openTest();
    const first = t.vault();
    await set(first);
    expect(await first.changeKey({ passphrase: 'correct horse' })).toMatchObject({
      state: 'unlocked',
      key: 'passphrase',
      isKeyBeside: false,
    });
    const vault = t.vault();
    await vault.tellIfLocked();
    await expect(set(vault)).rejects.toMatchObject(LOCKED);
    expect(t.said).toEqual([expect.stringMatching(/somebody unlocks it.*nothing that needs a secret is done/)]);
    expect(await vault.status()).toMatchObject({ state: 'locked', key: 'passphrase' });
    await expect(vault.unlock('wrong')).rejects.toMatchObject({ code: 'permission_denied', details: { vault: 'wrong_key' } });
    expect(await vault.unlock('correct horse')).toMatchObject({ state: 'unlocked' });
    await set(vault);
    await expect(vault.changeKey({ passphrase: 'next' })).rejects.toMatchObject({
      code: 'permission_denied',
      details: { field: 'current' },
    });
    await expect(vault.changeKey({ passphrase: 'next', current: 'wrong' })).rejects.toMatchObject({ code: 'permission_denied' });
    await vault.changeKey({ passphrase: 'next', current: 'correct horse' });
    await expect(t.vault().unlock('correct horse')).rejects.toMatchObject({ code: 'permission_denied' });
    await vault.changeKey({ current: 'next' });
    await set(t.vault());
  });

  it('says once that all values can be read, whatever unlocked it', async () => {
    await using t = await openTest();
    await set(t.vault());
    const told: unknown[] = [];
    const byKey = t.vault();
    using _byKey = byKey.onChange((workspace) => told.push(workspace));
    for (const _ of [1, 2]) await byKey.status();
    expect(told).toEqual([undefined]);
    await byKey.changeKey({ passphrase: 'correct horse' });
    const byPassphrase = t.vault();
    using _byPassphrase = byPassphrase.onChange((workspace) => told.push(workspace));
    await expect(byPassphrase.unlock('wrong')).rejects.toMatchObject({ code: 'permission_denied' });
    await byPassphrase.status();
    expect(told).toEqual([undefined]);
    for (const _ of [1, 2]) await byPassphrase.unlock('correct horse');
    expect(told).toEqual([undefined, undefined]);
  });

  it('lets secrets be revoked, restored and deleted while it is locked, and nothing that needs a value', async () => {
    await using t = await openTest();
    const first = t.vault();
    await set(first);
    await first.secrets(DEFAULT_WORKSPACE).set('b', 'another', { bindings: { skills: ['one'] } });
    await first.changeKey({ passphrase: 'correct horse' });
    const sealedAs = async () => (await t.kernel.workspace(DEFAULT_WORKSPACE).secrets.find('b'))?.versions;
    const before = await sealedAs();
    const secrets = t.vault().secrets(DEFAULT_WORKSPACE);
    expect((await secrets.revoke('b')).revokedAt).toBeDefined();
    expect((await secrets.restore('b')).revokedAt).toBeUndefined();
    expect((await secrets.change('b', { purpose: 'for CI', bind: { skills: ['one'] } })).purpose).toBe('for CI');
    await expect(secrets.change('b', { bind: { skills: ['two'] } })).rejects.toMatchObject(LOCKED);
    await expect(secrets.change('b', { type: 'password' })).rejects.toMatchObject(LOCKED);
    await expect(secrets.rotateKey()).rejects.toMatchObject(LOCKED);
    expect(await sealedAs()).toEqual(before);
    await secrets.delete('a');
    await expect(secrets.delete('a')).rejects.toMatchObject({ code: 'not_found' });
    await first.secrets(DEFAULT_WORKSPACE).rotateKey();
    using value = await first.secrets(DEFAULT_WORKSPACE).use('b', { kind: 'skill', skill: 'one' });
    expect(Buffer.from(value?.bytes ?? []).toString()).toBe('another');
    expect((await sealedAs())?.[0]?.dataKey).toBe(2);
  });

  it('is made by the first who gives one', async () => {
    await using t = await openTest();
    t.configure({ kind: 'passphrase' });
    const vault = t.vault();
    await expect(set(vault)).rejects.toMatchObject(LOCKED);
    const both = await Promise.allSettled([vault.unlock('one'), vault.unlock('two')]);
    expect(both).toMatchObject([{ status: 'fulfilled' }, { status: 'rejected', reason: { code: 'permission_denied' } }]);
    expect(await vault.unlock('one')).toMatchObject({ state: 'unlocked' });
    await expect(t.vault().unlock('two')).rejects.toMatchObject({ code: 'permission_denied' });
    await expect(vault.changeKey({ current: 'one' })).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('takes it from a variable, a file or a descriptor, without the line end', async () => {
    await using t = await openTest();
    const file = t.directory.join('passphrase');
    writeFileSync(file, 'correct horse\n', { mode: 0o600 });
    t.configure({ kind: 'passphrase', file });
    await set(t.vault());
    t.configure({ kind: 'passphrase', env: 'WARREN_VAULT' });
    await set(t.vault({ WARREN_VAULT: 'correct horse' }));
    await expect(set(t.vault())).rejects.toMatchObject(LOCKED);
    await expect(set(t.vault({ WARREN_VAULT: 'wrong' }))).rejects.toMatchObject(LOCKED);
    const descriptor = openSync(file, 'r');
    t.configure({ kind: 'passphrase', descriptor });
    const vault = t.vault();
    await set(vault);
    t.configure({ kind: 'passphrase', descriptor: 4_000 });
    await expect(set(t.vault())).rejects.toMatchObject(LOCKED);
    t.configure({ kind: 'passphrase', file: t.directory.join('gone') });
    await expect(set(t.vault())).rejects.toMatchObject(LOCKED);
    expect(t.said.join('\n')).not.toContain('correct horse');
  });

  it('refuses one where the configuration names another key', async () => {
    await using t = await openTest();
    t.configure({ kind: 'command', argv: ['key'] });
    await expect(t.vault().unlock('mine')).rejects.toMatchObject({ code: 'invalid_argument' });
    await set(t.vault());
    t.configure({ kind: 'command', argv: ['other'] });
    await expect(set(t.vault())).rejects.toMatchObject(LOCKED);
    t.configure(undefined);
    const vault = t.vault();
    await expect(set(vault)).rejects.toMatchObject(LOCKED);
    expect((await vault.status()).reason).toMatch(/locked with a command/);
  });
});

it('a key that others may read is not used', async () => {
  await using t = await openTest();
  await set(t.vault());
  chmodSync(t.directory.join('vault.key'), 0o644);
  const vault = t.vault();
  await expect(set(vault)).rejects.toMatchObject(LOCKED);
  expect((await vault.status()).reason).toMatch(/chmod 600/);
});
