import { chmodSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it, vi } from 'vitest';
import { diskUsage, watchDisk } from './disk-watch.ts';

const MIB = 1_048_576;
const measure = (path: string, bytesMax = Number.POSITIVE_INFINITY): Promise<number> => diskUsage(path, bytesMax, () => false);

describe('diskUsage', () => {
  it('counts what is on disk, however deep', async () => {
    await using directory = await TemporaryDirectory.create();
    expect(await measure(directory.path)).toBe(0);
    mkdirSync(directory.join('a/b/c'), { recursive: true });
    writeFileSync(directory.join('a/b/c/file'), Buffer.alloc(MIB));
    writeFileSync(directory.join('file'), Buffer.alloc(MIB));
    const bytes = await measure(directory.path);
    expect(bytes).toBeGreaterThanOrEqual(2 * MIB);
    expect(bytes).toBeLessThan(2 * MIB + 100_000);
  });

  it('counts an entry even when it takes no block: names are not free either', async () => {
    await using directory = await TemporaryDirectory.create();
    for (let index = 0; index < 100; index++) writeFileSync(directory.join(`${index}`), '');
    expect(await measure(directory.path)).toBeGreaterThan(0);
  });

  it('counts a hole as nothing', async () => {
    await using directory = await TemporaryDirectory.create();
    writeFileSync(directory.join('sparse'), '');
    truncateSync(directory.join('sparse'), 1_024 * MIB);
    expect(await measure(directory.path)).toBeLessThan(MIB);
  });

  it('follows no link', async () => {
    await using directory = await TemporaryDirectory.create();
    symlinkSync('/usr', directory.join('usr'));
    symlinkSync('.', directory.join('itself'));
    expect(await measure(directory.path)).toBeLessThan(MIB);
  });

  it('stops as soon as it is certain, and when nobody asks any more', async () => {
    expect(await measure('/usr', MIB)).toBeGreaterThan(MIB);
    expect(await diskUsage('/usr', Number.POSITIVE_INFINITY, () => true)).toBe(0);
  });

  it('takes what goes away meanwhile, or is not there, for nothing', async () => {
    expect(await measure('/no/such/directory')).toBe(0);
    await using directory = await TemporaryDirectory.create();
    mkdirSync(directory.join('closed'));
    chmodSync(directory.join('closed'), 0);
    expect(await measure(directory.path)).toBeGreaterThanOrEqual(0);
    chmodSync(directory.join('closed'), 0o700);
    for (let index = 0; index < 200; index++) writeFileSync(directory.join(`${index}`), '');
    const measuring = measure(directory.path);
    rmSync(directory.path, { recursive: true });
    await expect(measuring).resolves.toBeGreaterThanOrEqual(0);
    mkdirSync(directory.path);
  });
});

describe('watchDisk', () => {
  it('says once that there is too much, with how much there is', async () => {
    await using directory = await TemporaryDirectory.create();
    const { promise, resolve } = Promise.withResolvers<number>();
    const exceed = vi.fn(resolve);
    using _watch = watchDisk(directory.path, MIB, exceed);
    writeFileSync(directory.join('file'), Buffer.alloc(2 * MIB));
    expect(await promise).toBeGreaterThan(MIB);
    expect(exceed).toHaveBeenCalledTimes(1);
  });

  it('says nothing after it was disposed', async () => {
    await using directory = await TemporaryDirectory.create();
    await using other = await TemporaryDirectory.create();
    const exceed = vi.fn();
    const watch = watchDisk(directory.path, 1, exceed);
    writeFileSync(directory.join('file'), 'too much');
    watch[Symbol.dispose]();
    watch[Symbol.dispose]();
    const { promise, resolve } = Promise.withResolvers<number>();
    using _later = watchDisk(other.path, 1, resolve); // Looks after the first one would have.
    writeFileSync(other.join('file'), 'too much');
    await promise;
    expect(exceed).not.toHaveBeenCalled();
  });
});
