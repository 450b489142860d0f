import { mkdtempDisposableSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseWorkspaceId } from '@warren/protocol';
import { expect, it } from 'vitest';
import { createBackupKeys } from './backup-keys.ts';

const ONE = parseWorkspaceId('one');
const OTHER = parseWorkspaceId('other');

it('each workspace has a key of its own, the same after a restart, from a file that only its owner reads', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'warren-backup-key-'));
  const path = join(directory.path, 'backup.key');
  const keys = createBackupKeys(path);
  const [one, again, other] = await Promise.all([keys(ONE), createBackupKeys(path)(ONE), keys(OTHER)]);
  expect(one).toHaveLength(32);
  expect(again).toEqual(one);
  expect(other).not.toEqual(one);
  expect(readFileSync(path).equals(one)).toBe(false);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(directory.path)).toEqual(['backup.key']);
  expect(await createBackupKeys(path)(OTHER)).toEqual(other);
});

it('a key that was cut short is an error and is not replaced', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'warren-backup-key-'));
  const path = join(directory.path, 'backup.key');
  writeFileSync(path, 'short');
  await expect(createBackupKeys(path)(ONE)).rejects.toMatchObject({ code: 'store_failed', message: expect.stringContaining('damaged') });
  expect(readFileSync(path, 'utf8')).toBe('short');
  writeFileSync(path, new Uint8Array(32));
  expect(await createBackupKeys(path)(ONE)).toHaveLength(32);
});
