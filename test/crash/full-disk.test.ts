import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';

/** The mounts are in a namespace that ends with the process, so nothing is left whatever becomes of it. */
const IN_SMALL_FILE_SYSTEMS = `
  mount -t tmpfs -o size=400k,mode=0755 warren-test "$2" &&
  mount -t tmpfs -o nr_inodes=1,mode=0755 warren-test "$3" &&
  exec "$4" --conditions=warren-source "$5" "$1" "$2" "$3"`;

it('a full disk under a layer fails what writes, by name, and nothing else', { timeout: 60_000 }, async ({ skip }) => {
  skip(process.getuid?.() !== 0, 'only root may mount small file systems');
  await using directory = await TemporaryDirectory.create();
  const places = ['workspace', 'room', 'entries'].map((name) => directory.join(name));
  for (const place of places) mkdirSync(place);
  writeFileSync(directory.join('workspace', 'lower'), 'lower\n');
  const { stdout } = await promisify(execFile)('unshare', [
    ...['--mount', '--propagation', 'private', 'sh', '-c', IN_SMALL_FILE_SYSTEMS, 'sh'],
    ...places,
    process.execPath,
    join(import.meta.dirname, 'full-disk-host.ts'),
  ]);
  expect(stdout).toBe('full disk: done\n');
});

it('a full disk under the state of tenants fails what writes, by its fault, and loses nothing that was answered', {
  timeout: 120_000,
}, async ({ skip }) => {
  skip(process.getuid?.() !== 0, 'only root may mount small file systems');
  await using directory = await TemporaryDirectory.create();
  const [room, elsewhere] = [directory.join('room'), directory.join('elsewhere')];
  for (const place of [room, elsewhere]) mkdirSync(place);
  const script = 'mount -t tmpfs -o size=24m,mode=0755 warren-test "$1" && exec "$3" --conditions=warren-source "$4" "$1" "$2"';
  const { stdout } = await promisify(execFile)('unshare', [
    ...['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', room, elsewhere],
    ...[process.execPath, join(import.meta.dirname, 'full-state-host.ts')],
  ]);
  expect(stdout).toBe('full state: done\n');
});
