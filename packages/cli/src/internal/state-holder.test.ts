import { mkdir, writeFile } from 'node:fs/promises';
import { openKernel } from '@warren/kernel';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { findHolder, holdsLock, isRunning } from './state-holder.ts';

describe('findHolder', () => {
  it('finds whoever has the state directory open, as long as it is open', async () => {
    await using directory = await TemporaryDirectory.create();
    const kernel = await openKernel({ directory: directory.path });
    expect(findHolder(directory.path)).toBe(process.pid);
    await kernel.close();
    expect(findHolder(directory.path)).toBeUndefined();
  });

  it('does not believe a file that names a process, or one that names nothing', async () => {
    await using directory = await TemporaryDirectory.create();
    await writeFile(directory.join('kernel.lock'), '');
    for (const content of [`${process.pid}\n`, '1\n', '-1\n', '', 'x', '../1\n']) {
      await writeFile(directory.join('kernel.pid'), content);
      expect(findHolder(directory.path)).toBeUndefined();
    }
  });

  it('finds nobody where there is nothing', async () => {
    await using directory = await TemporaryDirectory.create();
    expect(findHolder(directory.join('none'))).toBeUndefined();
    await mkdir(directory.join('kernel.pid'));
    expect(findHolder(directory.path)).toBeUndefined();
  });
});

describe('holdsLock', () => {
  const LOCKS = `1: POSIX  ADVISORY  WRITE 2182 fe:00:9978577 1073741824 1073742335
1: -> POSIX  ADVISORY  WRITE 99 fe:00:9978577 1073741824 1073742335
2: FLOCK  ADVISORY  WRITE 77 fe:00:12 0 EOF
3: POSIX  ADVISORY  READ  66 fe:00:12 0 EOF
`;

  it.each([
    [2182, 9978577n, true],
    [2182, 12n, false],
    [99, 9978577n, false], // Waits for it.
    [77, 12n, false], // Another kind of lock.
    [66, 12n, false], // Only reads.
    [Number.NaN, 9978577n, false],
  ])('of process %i and inode %s: %s', (pid, inode, holds) => {
    expect(holdsLock(LOCKS, pid, inode)).toBe(holds);
  });

  it('of nothing', () => {
    expect(holdsLock('', 1, 1n)).toBe(false);
  });
});

it('isRunning tells the living from the others', () => {
  expect(isRunning(process.pid)).toBe(true);
  expect(isRunning(2 ** 22 + 1)).toBe(false);
});
