/** Disks that are full, read-only or damaged under the store: a typed fault, nothing acknowledged is lost, and it goes on when it can. */
import { execFile } from 'node:child_process';
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openKernel } from '@warren/kernel';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';

/** The mount is in a namespace that ends with the process. */
const ON_A_SMALL_DISK = 'mount -t tmpfs -o size=3m,mode=0700 warren-test "$1" && exec "$2" --conditions=warren-source "$3" "$1"';

describe('the store', () => {
  it('survives a disk that fills up and is emptied again', { timeout: 60_000 }, async ({ skip }) => {
    skip(process.getuid?.() !== 0, 'only root may mount a small file system');
    await using directory = await TemporaryDirectory.create();
    const { stdout } = await promisify(execFile)('unshare', [
      ...['--mount', '--propagation', 'private', 'sh', '-c', ON_A_SMALL_DISK, 'sh', directory.path],
      ...[process.execPath, join(import.meta.dirname, 'full-disk-host.ts')],
    ]);
    expect(stdout).toBe('full disk: done\n');
  });

  it('says which page is damaged and keeps running', async () => {
    await using directory = await TemporaryDirectory.create();
    await fill(directory.path);
    const path = join(directory.path, 'kernel.db');
    damage(path, Math.floor(statSync(path).size / 8_192) * 4_096);
    await using kernel = await openKernel({ directory: directory.path });
    expect(await kernel.store.check()).not.toEqual([]);
    const mine = kernel.workspace(DEFAULT_WORKSPACE);
    const looks = await Promise.allSettled(Array.from({ length: 60 }, (_, index) => mine.events.tail({ since: index * 100, limit: 100 })));
    const codes = new Set(looks.flatMap((look) => (look.status === 'rejected' ? [look.reason.code] : [])));
    expect([...codes].every((code) => code === 'store_failed')).toBe(true);
    expect((await kernel.workspaces.list()).length).toBe(1);
  });
});

async function fill(directory: string): Promise<void> {
  await using kernel = await openKernel({ directory });
  const mine = kernel.workspace(DEFAULT_WORKSPACE);
  const { pid } = await mine.processes.create({ name: 'a', template: 't' });
  await Promise.all(Array.from({ length: 6_000 }, () => mine.events.append({ pid, kind: 'x', payload: { text: 'x'.repeat(100) } })));
}

function damage(path: string, offset: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(4_096, 0xa5), 0, 4_096, offset);
  closeSync(file);
}
