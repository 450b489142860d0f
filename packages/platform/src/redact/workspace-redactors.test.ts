import type { WorkspaceId } from '@warren/protocol';
import { expect, it } from 'vitest';
import { createWorkspaceRedactors, type SecretValues } from './workspace-redactors.ts';

const ACME = 'acme' as WorkspaceId; // Known to the fixture alone.
const OTHER = 'other' as WorkspaceId; // As above.

class TestVault implements SecretValues {
  readonly kept = new Map<string, string>();
  readonly #listeners = new Set<(workspace: WorkspaceId) => void>();
  isLocked = false;
  reads = 0;

  async *values(workspace: WorkspaceId) {
    this.reads += 1;
    if (this.isLocked) throw new Error('It is locked');
    if (workspace !== ACME) return;
    for (const [name, value] of this.kept) {
      const bytes = Buffer.from(value);
      yield { name, version: 1, bytes };
      bytes.fill(0);
    }
  }

  onChange(listener: (workspace: WorkspaceId) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
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

it('a vault that is locked holds up no call, and is read again before a value is used', async () => {
  const vault = new TestVault();
  vault.set('database', 'a-long-password');
  vault.isLocked = true;
  using redactors = createWorkspaceRedactors(vault, () => {});
  await redactors.ready(ACME);
  const reads = vault.reads;
  expect(redactors.ready(ACME)).toBeUndefined();
  expect(vault.reads).toBe(reads);
  await expect(redactors.require(ACME, 'database', 1)).rejects.toThrow('locked');
  vault.isLocked = false;
  await redactors.require(ACME, 'database', 1);
  expect(redactors.of(ACME)('a-long-password')).toBe('[redacted:database]');
});

it('says when values are too many to be looked for', async () => {
  const vault = new TestVault();
  const said: string[] = [];
  using redactors = createWorkspaceRedactors(vault, (message) => void said.push(message));
  for (let index = 0; index < 33; index++) vault.kept.set(`large-${index}`, `${index}:`.padEnd(65_536, `${index}-value `));
  await redactors.ready(ACME);
  expect(said).toEqual(['The values of workspace acme are longer than what is looked for: 1 of them are not taken out of answers']);
});
