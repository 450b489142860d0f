/** Full and read-only disks. A small tmpfs is mounted for each test and taken away again. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TemporaryDirectory } from '@warren/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { applyRun } from './apply.ts';
import { LayerFixture, overlayProblem } from './test-support/layer-fixture.ts';
import type { Edit } from './test-support/overlay-helper.ts';
import { undoRun } from './undo.ts';

/** A file system of a megabyte. */
class SmallDisk implements AsyncDisposable {
  readonly #temporary: TemporaryDirectory;

  private constructor(temporary: TemporaryDirectory) {
    this.#temporary = temporary;
  }

  static async mount(): Promise<SmallDisk> {
    const temporary = await TemporaryDirectory.create();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'warren-test', temporary.path]);
    return new SmallDisk(temporary);
  }

  get path(): string {
    return this.#temporary.path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    execFileSync('umount', [this.path]);
    await this.#temporary[Symbol.asyncDispose]();
  }
}

const KILOBYTES_100 = 'x'.repeat(100_000);

describe('a full disk', () => {
  beforeEach(async ({ skip }) => {
    const problem = await overlayProblem();
    skip(problem !== undefined, problem ?? '');
    skip(process.geteuid?.() !== 0, 'needs root, to mount a small file system');
  });

  it('on the side of the host keeps what is applied and leaves the rest pending', async () => {
    await using disk = await SmallDisk.mount();
    await using fixture = await LayerFixture.create();
    const directory = join(disk.path, 'project');
    mkdirSync(directory);
    const old: readonly Edit[] = [0, 1, 2, 3, 4].map((number) => ['write', `old${number}`, KILOBYTES_100]);
    await fixture.build([...old, ['write', 'changed', 'old']], directory);
    const original = await fixture.snapshot(directory);
    const { id, merged } = await fixture.run(
      [['write', 'changed', 'new'], ...Array.from({ length: 7 }, (_, number): Edit => ['write', `new${number}`, KILOBYTES_100])],
      directory,
    );
    await expect(applyRun(fixture.store, id, { probe: fixture.probe })).rejects.toMatchObject({ code: 'storage_full' });
    const half = await fixture.snapshot(directory);
    for (const [path, state] of Object.entries(half)) expect([original[path], merged[path]], path).toContainEqual(state);
    expect(Object.keys(half).filter((path) => path.includes('warren'))).toEqual([]);
    expect(fixture.store.getRun(id).layer).toMatchObject({ state: 'pending', isUndoable: true });

    for (const number of [0, 1, 2, 3, 4]) rmSync(join(directory, `old${number}`));
    await applyRun(fixture.store, id, { probe: fixture.probe });
    expect(Object.keys(await fixture.snapshot(directory))).toEqual(Object.keys(merged).filter((path) => !path.startsWith('old')));
    await undoRun(fixture.store, id);
    expect(await fixture.snapshot(directory)).toEqual({ changed: original['changed'] });
  });

  it('on the side of the state stops before a change that could not be undone', async () => {
    await using disk = await SmallDisk.mount();
    await using fixture = await LayerFixture.create(disk.path);
    const old = Array.from({ length: 5 }, (_, number): Edit => ['write', `f${number}`, `${number}${KILOBYTES_100}`]);
    await fixture.build(old);
    const original = await fixture.snapshot();
    const { id, merged } = await fixture.run(old.map(([, path]) => ['remove', path] as const));
    const ballast = join(disk.path, 'ballast');
    writeFileSync(ballast, Buffer.alloc(750_000));
    await expect(applyRun(fixture.store, id, { probe: fixture.probe })).rejects.toMatchObject({ code: 'storage_full' });
    expect(await fixture.snapshot()).toEqual(original);
    rmSync(ballast);
    await applyRun(fixture.store, id, { probe: fixture.probe });
    expect(await fixture.snapshot()).toEqual(merged);
    await undoRun(fixture.store, id);
    expect(await fixture.snapshot()).toEqual(original);
  });

  it('to the last byte leaves no half line in the journal and no half record', async () => {
    await using disk = await SmallDisk.mount();
    await using fixture = await LayerFixture.create(disk.path);
    await fixture.build([['write', 'a', 'old']]);
    const original = await fixture.snapshot();
    // Enough for more than a page of journal.
    const added = Array.from({ length: 40 }, (_, number): Edit => ['write', `new${number}`, 'new']);
    const { id, merged } = await fixture.run([['write', 'a', 'new'], ...added]);
    const ballast = join(disk.path, 'ballast');
    fill(ballast);
    await expect(applyRun(fixture.store, id, { probe: fixture.probe })).rejects.toMatchObject({ code: 'storage_full' });
    expect(await fixture.snapshot()).toEqual(original);
    const onPause = (point: string): void => {
      if (point === 'prepared') fill(ballast);
    };
    rmSync(ballast);
    await expect(applyRun(fixture.store, id, { probe: fixture.probe, onPause })).rejects.toMatchObject({ code: 'storage_full' });
    expect(await fixture.snapshot()).toEqual(original);
    await expect(fixture.openRun()).rejects.toMatchObject({ code: 'storage_full' });
    rmSync(ballast);
    await applyRun(fixture.store, id, { probe: fixture.probe });
    expect(await fixture.snapshot()).toEqual(merged);
    await undoRun(fixture.store, id);
    expect(await fixture.snapshot()).toEqual(original);
  });
});

describe('a read-only file system', () => {
  it('is left as it is, and the apply goes through once it can be written', async ({ skip }) => {
    const problem = await overlayProblem();
    skip(problem !== undefined, problem ?? '');
    skip(process.geteuid?.() !== 0, 'needs root, to mount a small file system');
    await using disk = await SmallDisk.mount();
    await using fixture = await LayerFixture.create();
    await fixture.build([['write', 'a', 'old']], disk.path);
    const original = await fixture.snapshot(disk.path);
    const { id, merged } = await fixture.run(
      [
        ['write', 'a', 'new'],
        ['mkdir', 'd'],
      ],
      disk.path,
    );
    execFileSync('mount', ['-o', 'remount,ro', disk.path]);
    await expect(applyRun(fixture.store, id, { probe: fixture.probe })).rejects.toMatchObject({ code: 'permission_denied' });
    expect(await fixture.snapshot(disk.path)).toEqual(original);
    execFileSync('mount', ['-o', 'remount,rw', disk.path]);
    await applyRun(fixture.store, id, { probe: fixture.probe });
    expect(await fixture.snapshot(disk.path)).toEqual(merged);
  });
});

function fill(path: string): void {
  for (let size = 100_000; size >= 1; size = Math.floor(size / 10)) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: 'a' });
    } catch {
      // Full for this size.
    }
  }
}
