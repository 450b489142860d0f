import { setImmediate } from 'node:timers/promises';
import { type Kernel, openKernel } from '@warren/kernel';
import { DEFAULT_WORKSPACE, Fault, type WorkspaceId } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { createVault } from '../vault/create-vault.ts';
import type { Vault } from '../vault/vault.ts';
import { createWorkspaceRedactors, type SecretValues } from './workspace-redactors.ts';

const ACME = 'acme' as WorkspaceId; // Known to the fixture alone.
const OTHER = 'other' as WorkspaceId; // As above.
const LOCKED = new Fault('vault_locked', 'Cannot use the vault: it is locked');

class TestVault implements SecretValues {
  readonly kept = new Map<string, string>();
  readonly #listeners = new Set<(workspace: WorkspaceId | undefined) => void>();
  failure: Error | undefined;
  onRead = (): void => {};
  reads = 0;

  async *values(workspace: WorkspaceId) {
    this.reads += 1;
    const { failure } = this;
    this.onRead();
    await Promise.resolve();
    if (failure !== undefined) throw failure;
    if (workspace !== ACME) return;
    for (const [name, value] of this.kept) {
      const bytes = Buffer.from(value);
      yield { name, version: 1, bytes };
      bytes.fill(0);
    }
  }

  onChange(listener: (workspace: WorkspaceId | undefined) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  unlock(): void {
    this.failure = undefined;
    for (const listener of this.#listeners) listener(undefined);
  }

  set(name: string, value: string): void {
    this.kept.set(name, value);
    for (const listener of this.#listeners) listener(ACME);
  }
}

it('values of a workspace are taken out of its texts, and of no other', async () => {
  const vault = new TestVault();
  vault.set('database', 'a-long-password');
  using redactors = createWorkspaceRedactors(vault, () => {});
  const redact = redactors.of(ACME);
  await redactors.ready(ACME);
  await redactors.ready(OTHER);
  expect(redact('it is a-long-password')).toBe('it is [redacted:database]');
  expect(redactors.of(OTHER)('it is a-long-password')).toBe('it is a-long-password');
  expect(redactors.everywhere('it is a-long-password')).toBe('it is [redacted:database]');
  expect(redactors.ready(ACME)).toBeUndefined();
});

it('a value that is set meanwhile is looked for before anybody has it', async () => {
  const vault = new TestVault();
  using redactors = createWorkspaceRedactors(vault, () => {});
  await redactors.ready(ACME);
  vault.set('later', 'another-password');
  await redactors.require(ACME, 'later', 1);
  expect(redactors.of(ACME)('another-password')).toBe('[redacted:later]');
});

it('a vault that is locked holds up no call, and is asked again by each and before a value is used', async () => {
  const vault = new TestVault();
  vault.set('database', 'a-long-password');
  vault.failure = LOCKED;
  using redactors = createWorkspaceRedactors(vault, () => {});
  await redactors.ready(ACME);
  const reads = vault.reads;
  expect(redactors.ready(ACME)).toBeUndefined();
  await expect(redactors.require(ACME, 'database', 1)).rejects.toThrow('locked');
  expect(vault.reads).toBeGreaterThan(reads);
  vault.unlock();
  await redactors.ready(ACME);
  expect(redactors.of(ACME)('a-long-password')).toBe('[redacted:database]');
  expect(redactors.ready(ACME)).toBeUndefined();
});

it('values that could not be read are waited for by the next call', async () => {
  const vault = new TestVault();
  vault.set('database', 'a-long-password');
  vault.failure = new Error('The disk is away');
  using redactors = createWorkspaceRedactors(vault, () => {});
  await redactors.ready(ACME);
  vault.failure = undefined;
  await redactors.ready(ACME);
  expect(redactors.of(ACME)('a-long-password')).toBe('[redacted:database]');
});

it('a vault that is unlocked while it is found to be locked is read again', async () => {
  const vault = new TestVault();
  vault.set('database', 'a-long-password');
  vault.failure = LOCKED;
  using redactors = createWorkspaceRedactors(vault, () => {});
  const redact = redactors.of(ACME);
  vault.onRead = () => {
    vault.onRead = () => {};
    queueMicrotask(() => vault.unlock());
  };
  await redactors.ready(ACME);
  expect(redact('a-long-password')).toBe('[redacted:database]');
});

it('a value that could not be read again is looked for as before', async () => {
  const vault = new TestVault();
  vault.set('database', 'a-long-password');
  using redactors = createWorkspaceRedactors(vault, () => {});
  await redactors.ready(ACME);
  vault.failure = new Error('The disk is away');
  vault.set('later', 'another-password');
  await redactors.ready(ACME);
  expect(redactors.of(ACME)('a-long-password another-password')).toBe('[redacted:database] another-password');
  vault.failure = undefined;
  await redactors.ready(ACME);
  expect(redactors.of(ACME)('a-long-password another-password')).toBe('[redacted:database] [redacted:later]');
});

it('a call that is under way when the vault is unlocked answers no value', async () => {
  const vault = new TestVault();
  vault.set('database', 'a-long-password');
  vault.failure = LOCKED;
  using redactors = createWorkspaceRedactors(vault, () => {});
  const redact = redactors.of(ACME);
  await redactors.ready(ACME);
  expect(redact('a-long-password')).toBe('a-long-password');
  vault.unlock();
  await setImmediate(); // What a fixture reads is read by then.
  expect(redact('a-long-password')).toBe('[redacted:database]');
});

it('who has a redactor keeps what it knows, and hears of what is set, however many workspaces are used meanwhile', async () => {
  const vault = new TestVault();
  vault.set('database', 'a-long-password');
  using redactors = createWorkspaceRedactors(vault, () => {});
  const redact = redactors.of(ACME);
  await redactors.ready(ACME);
  for (let index = 0; index < 300; index++) await redactors.ready(`tenant-${index}` as WorkspaceId); // As above.
  expect(redact('a-long-password')).toBe('[redacted:database]');
  expect(redactors.everywhere('a-long-password')).toBe('[redacted:database]');
  vault.set('later', 'another-password');
  await redactors.require(ACME, 'later', 1);
  expect(redact('another-password')).toBe('[redacted:later]');
});

describe('with a vault', () => {
  it('that a passphrase unlocks, values are taken out from the next call on', async () => {
    await using t = await openTest();
    const before = t.vault();
    await before.secrets(DEFAULT_WORKSPACE).set('database', 'a-long-password');
    await before.changeKey({ passphrase: 'correct horse' });
    const vault = t.vault();
    using redactors = t.redactors(vault);
    await redactors.ready(DEFAULT_WORKSPACE);
    expect(redactors.of(DEFAULT_WORKSPACE)('a-long-password')).toBe('a-long-password');
    await vault.unlock('correct horse');
    await redactors.ready(DEFAULT_WORKSPACE);
    expect(redactors.of(DEFAULT_WORKSPACE)('a-long-password')).toBe('[redacted:database]');
    expect(redactors.ready(DEFAULT_WORKSPACE)).toBeUndefined();
  });

  it('a value that there is no room to look for is given to nobody, until there is', async () => {
    await using t = await openTest();
    const vault = t.vault();
    const secrets = vault.secrets(DEFAULT_WORKSPACE);
    const values = Array.from({ length: 33 }, (_, index) => `${index}:`.padEnd(65_536, `${index}-value `));
    for (const [index, value] of values.entries()) await secrets.set(nameOf(index), value, { bindings: { skills: ['one'] } });
    using redactors = t.redactors(vault);
    const use = (index: number) => secrets.use(nameOf(index), { kind: 'skill', skill: 'one' });
    const shown = (index: number) => redactors.of(DEFAULT_WORKSPACE)(values[index]?.slice(0, 200) ?? '');
    await redactors.ready(DEFAULT_WORKSPACE);
    expect(t.said).toEqual([
      expect.stringMatching(/^Workspace default keeps more values than .*: 1 of them are not taken out .*; 1 of those are current ones/),
    ]);
    await expect(use(32)).rejects.toMatchObject({ code: 'too_large', details: { secret: 'large-32' } });
    expect(shown(31)).toBe('[redacted:large-31]');
    using last = await use(31);
    expect(last?.version).toBe(1);
    await secrets.delete(nameOf(0));
    using first = await use(32);
    expect(first?.version).toBe(1);
    expect(shown(32)).toBe('[redacted:large-32]');
  });

  const nameOf = (index: number): string => `large-${String(index).padStart(2, '0')}`;

  async function openTest() {
    const directory = await TemporaryDirectory.create();
    const kernel: Kernel = await openKernel({ directory: directory.path });
    const said: string[] = [];
    const say = (message: string): void => void said.push(message);
    return {
      said,
      /** As a start of the daemon makes them. */
      vault: () =>
        createVault({
          ...{ kernel, directory: directory.path, environment: {}, now: () => 0, key: () => undefined, say: () => {} },
          argon2: { memoryKib: 8, passes: 1, parallelism: 1 }, // As little as it takes.
        }),
      redactors(vault: Vault) {
        const made = createWorkspaceRedactors(
          { values: (workspace) => vault.secrets(workspace).values(), onChange: (listener) => vault.onChange(listener) },
          say,
        );
        vault.guardUse((workspace, name, version) => made.require(workspace, name, version));
        return made;
      },
      async [Symbol.asyncDispose]() {
        await kernel.close();
        await directory[Symbol.asyncDispose]();
      },
    };
  }
});
