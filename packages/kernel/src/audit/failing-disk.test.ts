import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DAY_MS, openTestAudit, testEntry } from './test-support/open-test-audit.ts';
import { verifyAudit } from './verify-audit.ts';

describe('a full disk', () => {
  it('refuses entries, acknowledges none of them, and takes new ones when there is room', async ({ skip }) => {
    skip(process.getuid?.() !== 0, 'only root may mount small file systems');
    using disk = smallDisk(1_048_576);
    await using on = await openTestAudit({ directory: join(disk.path, 'audit') });
    await on.audit.append(testEntry(0));
    const filler = join(disk.path, 'filler');
    for (let round = 0; round < 3; round += 1) {
      if (round === 2) on.clock.advance(DAY_MS); // The group would begin a file.
      const size = on.audit.head().size;
      fill(filler);
      const settled = await Promise.allSettled(Array.from({ length: 200 }, (_, number) => on.audit.append(large(number))));
      const refused = settled.filter((one) => one.status === 'rejected');
      expect(refused.length).toBe(200);
      for (const { reason } of refused) expect(reason).toMatchObject({ code: 'storage_full' });
      expect(on.audit.head().size).toBe(size);
      rmSync(filler);
      expect((await on.audit.append(testEntry(1))).seq).toBe(size);
      expect(await verifyAudit(on)).toMatchObject({ entries: size + 1, problems: [] });
    }
    await on.reopen();
    expect(on.audit.head().size).toBe(4);
    expect((await on.audit.search({})).entries.length).toBe(4);
  });
});

describe('a directory that is taken away', () => {
  it('refuses entries until it is back', async () => {
    await using on = await openTestAudit();
    await on.audit.append(testEntry(0));
    const elsewhere = `${on.directory}-elsewhere`;
    on.audit.check();
    renameSync(on.directory, elsewhere);
    expect(() => on.audit.check()).toThrow(expect.objectContaining({ code: 'store_failed' }));
    await expect(on.audit.append(testEntry(1))).rejects.toMatchObject({ code: 'store_failed' });
    mkdirSync(on.directory);
    await expect(on.audit.append(testEntry(1))).rejects.toMatchObject({ code: 'store_failed' });
    rmSync(on.directory, { recursive: true });
    renameSync(elsewhere, on.directory);
    on.audit.check();
    expect((await on.audit.append(testEntry(2))).seq).toBe(1);
    expect(await verifyAudit(on)).toMatchObject({ entries: 2, problems: [] });
  });

  it('answers no question about entries until it is back, and says why', async () => {
    await using on = await openTestAudit();
    for (let number = 0; number < 3; number += 1) await on.audit.append(testEntry(number));
    renameSync(on.directory, `${on.directory}.away`);
    const gone = expect.objectContaining({ code: 'store_failed', message: expect.stringMatching(/^Cannot read the audit: /) });
    await expect(on.audit.search({})).rejects.toEqual(gone);
    await expect(on.audit.get(1)).rejects.toEqual(gone);
    await expect(on.audit.follow({}, new AbortController().signal)[Symbol.asyncIterator]().next()).rejects.toEqual(gone);
    renameSync(`${on.directory}.away`, on.directory);
    expect((await on.audit.search({})).entries).toHaveLength(3);
  });

  it('for good refuses all entries', async () => {
    await using on = await openTestAudit();
    await on.audit.append(testEntry(0));
    rmSync(on.directory, { recursive: true });
    for (let turn = 0; turn < 3; turn += 1) await expect(on.audit.append(testEntry(1))).rejects.toMatchObject({ code: 'store_failed' });
    on.clock.advance(DAY_MS);
    await expect(on.audit.append(testEntry(1))).rejects.toMatchObject({ code: 'store_failed' });
    expect(on.audit.head().size).toBe(1);
  });

  it('before the first entry refuses it', async () => {
    await using on = await openTestAudit();
    on.audit.check();
    rmSync(on.directory, { recursive: true });
    expect(() => on.audit.check()).toThrow(expect.objectContaining({ code: 'store_failed' }));
    await expect(on.audit.append(testEntry(0))).rejects.toMatchObject({ code: 'store_failed' });
  });
});

describe('a file that is changed under the running audit', () => {
  it.each([
    [
      'replaced',
      (path: string) => {
        rmSync(path);
        writeFileSync(path, '');
      },
    ],
    ['cut', (path: string) => truncateSync(path, 10)],
    ['longer', (path: string) => writeFileSync(path, Buffer.alloc(10_000), { flag: 'a' })],
  ])('by being %s acknowledges nothing', async (kind, change) => {
    await using on = await openTestAudit();
    await on.audit.append(testEntry(0));
    change(join(on.directory, '2027-01-15.0000.log'));
    await expect(on.audit.append(testEntry(1))).rejects.toMatchObject({ code: 'store_failed' });
    if (kind === 'longer')
      expect((await on.audit.append(testEntry(2))).seq).toBe(1); // What was too much is cut off.
    else await expect(on.audit.append(testEntry(2))).rejects.toMatchObject({ code: 'store_failed' });
  });
});

function large(number: number) {
  return testEntry(number, { details: { text: 'x'.repeat(8_000) } });
}

/** A memory disk of this size; unmounted and removed with the block. */
function smallDisk(bytes: number): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'warren-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'warren-test', path], { encoding: 'utf8' });
  if (mounted.status !== 0) throw new Error(`Cannot mount a small disk: ${mounted.stderr}`);
  return {
    path,
    [Symbol.dispose]() {
      spawnSync('umount', ['--lazy', path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Until nothing fits. */
function fill(path: string): void {
  for (let bytes = 65_536; bytes >= 1; bytes = Math.floor(bytes / 4)) {
    for (;;) {
      try {
        writeFileSync(path, Buffer.alloc(bytes), { flag: 'a' });
      } catch {
        break; // Full at this size.
      }
    }
  }
}
