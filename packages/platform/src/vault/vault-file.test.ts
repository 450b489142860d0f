import { readFileSync } from 'node:fs';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { readVaultFile, VAULT_FILE, type VaultFile, writeVaultFile } from './vault-file.ts';

const withRoots = (count: number): VaultFile => ({
  format: 1,
  unlock: { kind: 'passphrase', salt: Buffer.alloc(16, 1), argon2: { memory_kib: 8, passes: 1, parallelism: 1 } },
  roots: Array.from({ length: count }, (_, index) => ({ number: index + 1, wrapped: Buffer.alloc(60, index), created_at: index })),
});

it('is written only with as many root keys as it is read with', async () => {
  await using directory = await TemporaryDirectory.create();
  await writeVaultFile(directory.path, withRoots(1_000));
  expect((await readVaultFile(directory.path))?.roots).toHaveLength(1_000);
  const before = readFileSync(directory.join(VAULT_FILE), 'utf8');
  await expect(writeVaultFile(directory.path, withRoots(1_001))).rejects.toMatchObject({ code: 'store_failed' });
  expect(readFileSync(directory.join(VAULT_FILE), 'utf8')).toBe(before);
});
