/** Kills apply and undo with SIGKILL at their pause points and at random moments. Nothing may be lost, torn or left lying around. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { applyRun } from './apply.ts';
import type { RunId } from './run-id.ts';
import { LayerFixture, overlayProblem } from './test-support/layer-fixture.ts';
import type { Edit, Snapshot } from './test-support/overlay-helper.ts';
import { undoRun } from './undo.ts';

const BEFORE: readonly Edit[] = [
  ['write', 'kept', 'kept'],
  ['write', 'changed', 'old'],
  ['write', 'mode', 'same', 0o644],
  ['write', 'gone', 'gone'],
  ['mkdir', 'emptied'],
  ['write', 'emptied/a', 'a'],
  ['mkdir', 'emptied/b'],
  ['write', 'emptied/b/c', 'c', 0o600],
  ['mkdir', 'becomes-file'],
  ['write', 'becomes-file/x', 'x'],
  ['write', 'becomes-directory', 'd'],
  ['symlink', 'link', '/etc'],
  ['mkdir', 'read-only'],
  ['write', 'read-only/file', 'old'],
  ['chmod', 'read-only', 0o555],
];

const RUN: readonly Edit[] = [
  ['write', 'changed', 'new'],
  ['chmod', 'mode', 0o755],
  ['remove', 'gone'],
  ['remove', 'emptied'],
  ['remove', 'becomes-file'],
  ['write', 'becomes-file', 'a file'],
  ['remove', 'becomes-directory'],
  ['mkdir', 'becomes-directory', 0o500],
  ['write', 'becomes-directory/y', 'y'],
  ['remove', 'link'],
  ['mkdir', 'link'],
  ['write', 'link/passwd', 'mine'],
  ['mkdir', 'new'],
  ['write', 'new/file', 'n'],
  ['symlink', 'new/link', '../kept'],
  ['write', 'read-only/file', 'new'],
  ['write', 'read-only/other', 'o'],
];

describe('apply and undo, killed', { timeout: 180_000 }, () => {
  beforeEach(async ({ skip }) => {
    const problem = await overlayProblem();
    skip(problem !== undefined, problem ?? '');
  });

  it.each([
    ['in the same file system', undefined, 1],
    ['with the state in another file system', '/dev/shm', 3],
  ])('leave each file old or new at every pause point, and apply or undo finishes (%s)', async (_, elsewhere, stride) => {
    await using fixture = await LayerFixture.create(elsewhere);
    for (let nth = 1; ; nth += stride) {
      const { directory, id, original, merged } = await prepare(fixture, nth);
      const isKilled = await crash(fixture, id, 'apply', nth);
      expectOldOrNew(await fixture.snapshot(directory), original, merged);
      // Every second time the way back is taken, also with an undo that is killed in turn.
      if (nth % 2 === 0) {
        await applyRun(fixture.store, id, { probe: fixture.probe });
        expect(await fixture.snapshot(directory)).toEqual(merged);
        await crash(fixture, id, 'undo', nth);
        expectOldOrNew(await fixture.snapshot(directory), original, merged);
      }
      if (fixture.store.getRun(id).layer.isUndoable) await undoRun(fixture.store, id);
      expect(await fixture.snapshot(directory)).toEqual(original);
      await applyRun(fixture.store, id, { probe: fixture.probe });
      expect(await fixture.snapshot(directory)).toEqual(merged);
      expect(fixture.store.getRun(id).layer.state).toBe('applied');
      if (!isKilled) return expect(nth).toBeGreaterThan(20);
    }
  });

  it('an undo that was killed can be followed by an apply', async () => {
    await using fixture = await LayerFixture.create();
    for (const nth of [2, 6, 10, 14, 18]) {
      const { directory, id, original, merged } = await prepare(fixture, nth);
      await applyRun(fixture.store, id, { probe: fixture.probe });
      expect(await crash(fixture, id, 'undo', nth)).toBe(true);
      await applyRun(fixture.store, id, { probe: fixture.probe });
      expect(await fixture.snapshot(directory)).toEqual(merged);
      await undoRun(fixture.store, id);
      expect(await fixture.snapshot(directory)).toEqual(original);
    }
  });

  it('leave each file old or new at random moments', async () => {
    await using fixture = await LayerFixture.create();
    const delaysMs = Array.from({ length: 8 }, () => Math.random() * 160);
    for (const [index, delayMs] of delaysMs.entries()) {
      const { directory, id, original, merged } = await prepare(fixture, index, manyFiles(400));
      const child = start(fixture, id, 'apply', 0);
      const ended = once(child, 'exit');
      await sleep(60 + delayMs);
      child.kill('SIGKILL');
      await ended;
      const context = `delays ${JSON.stringify(delaysMs)}, number ${index}`;
      expectOldOrNew(await fixture.snapshot(directory), original, merged, context);
      if (index % 2 === 0) await applyRun(fixture.store, id, { probe: fixture.probe });
      else if (fixture.store.getRun(id).layer.isUndoable) await undoRun(fixture.store, id);
      expect(await fixture.snapshot(directory), context).toEqual(index % 2 === 0 ? merged : original);
    }
  });
});

function manyFiles(count: number): readonly Edit[] {
  return Array.from({ length: count }, (_, index): Edit => ['write', `new-${index}`, `content ${index}`.repeat(100)]);
}

async function prepare(
  fixture: LayerFixture,
  nth: number,
  more: readonly Edit[] = [],
): Promise<{ directory: string; id: RunId; original: Snapshot; merged: Snapshot }> {
  const directory = fixture.join(`crash-${nth}`);
  mkdirSync(directory);
  await fixture.build(BEFORE, directory);
  const original = await fixture.snapshot(directory);
  const { id, merged } = await fixture.run([...RUN, ...more], directory);
  return { directory, id, original, merged };
}

function start(fixture: LayerFixture, id: RunId, action: 'apply' | 'undo', nth: number): ReturnType<typeof spawn> {
  const script = join(import.meta.dirname, 'test-support', 'crash-child.ts');
  const args = ['--conditions=warren-source', script, fixture.stateDirectory, id, action, `${nth}`];
  return spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
}

/** Whether it was killed; `false`: it got through before. */
async function crash(fixture: LayerFixture, id: RunId, action: 'apply' | 'undo', nth: number): Promise<boolean> {
  const [code, signal] = (await once(start(fixture, id, action, nth), 'exit')) as [number | null, string | null];
  if (signal === 'SIGKILL') return true;
  expect(code).toBe(0);
  return false;
}

/** Temporary files may be there until the next apply or undo. Where the kind changes, nothing may be there for a moment. */
function expectOldOrNew(now: Snapshot, original: Snapshot, merged: Snapshot, context = ''): void {
  for (const [path, [kind, , detail]] of Object.entries(now)) {
    if (/\.warren-\w{12}$/.test(path)) continue;
    const known = [original[path], merged[path]].filter((state) => state?.[0] === kind).map((state) => state?.[2]);
    expect(known, `${path} ${context}`).toContain(detail);
  }
  for (const path of Object.keys(original)) {
    const isReplaced = merged[path] === undefined || merged[path][0] !== original[path]?.[0];
    if (!isReplaced) expect(now[path], `${path} ${context}`).toBeDefined();
  }
}
