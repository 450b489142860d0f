/**
 * Random trees, changed at random through real overlays. A failure prints its seed and case; `WARREN_PROPERTY_SEED=<seed>` repeats it,
 * `WARREN_PROPERTY_SHRINK=1` looks for the smallest case, `WARREN_PROPERTY_RUNS=<n>` looks longer.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { isFault } from '@warren/protocol';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { applyRun } from './apply.ts';
import { patchBytes } from './diff.ts';
import { summarizeDiff } from './diff-summary.ts';
import { reviewRun } from './review.ts';
import { LayerFixture, overlayProblem } from './test-support/layer-fixture.ts';
import type { Edit, Snapshot } from './test-support/overlay-helper.ts';
import { randomEdits, randomTree } from './test-support/random-edits.ts';
import { undoRun } from './undo.ts';

const RUNS = Number(process.env['WARREN_PROPERTY_RUNS'] ?? 30);
const TIMEOUT_MS = 120_000;

describe('a layer made through a real overlay', { timeout: TIMEOUT_MS }, () => {
  beforeEach(async ({ skip }) => {
    const problem = await overlayProblem();
    skip(problem !== undefined, problem ?? '');
  });

  it('makes the host what the run saw when applied, what it was when undone, and again', async () => {
    await using fixture = await LayerFixture.create();
    await check(randomTree(), randomEdits(), async (first, edits) => {
      const directory = await fresh(fixture, first);
      const original = await fixture.snapshot(directory);
      const { id, merged } = await fixture.run(edits, directory);
      await applyRun(fixture.store, id, { probe: fixture.probe });
      expect(await fixture.snapshot(directory)).toEqual(merged);
      expect((await reviewRun(fixture.store, id, { probe: fixture.probe })).changes).toEqual([]);
      if (fixture.store.getRun(id).layer.isUndoable) await undoRun(fixture.store, id);
      expect(await fixture.snapshot(directory)).toEqual(original);
      await applyRun(fixture.store, id, { probe: fixture.probe });
      expect(await fixture.snapshot(directory)).toEqual(merged);
    });
  });

  it('can be applied path by path, and undone at any point', async () => {
    await using fixture = await LayerFixture.create();
    await check(randomTree(), randomEdits(), async (first, edits) => {
      const directory = await fresh(fixture, first);
      const original = await fixture.snapshot(directory);
      const { id, merged } = await fixture.run(edits, directory);
      for (;;) {
        const { changes } = await summarizeDiff(await reviewRun(fixture.store, id, { probe: fixture.probe }));
        // From the end, so that new directories have to come along. A name that is no UTF-8 cannot be said; its directory can.
        const path = changes
          .toReversed()
          .map((change) => change.path)
          .find((one) => one !== '.' && !one.includes('\ufffd'));
        if (path === undefined) break;
        await applyRun(fixture.store, id, { probe: fixture.probe, paths: [path] });
      }
      await applyRun(fixture.store, id, { probe: fixture.probe });
      expect(await fixture.snapshot(directory)).toEqual(merged);
      if (fixture.store.getRun(id).layer.isUndoable) await undoRun(fixture.store, id);
      expect(await fixture.snapshot(directory)).toEqual(original);
    });
  });

  it('never overwrites what the host changed unasked, and undo brings back what force overwrote', async () => {
    await using fixture = await LayerFixture.create();
    const trees = fc.tuple(randomTree(), randomEdits({ editsMax: 6 }));
    await check(trees, randomEdits(), async ([first, hostEdits], edits) => {
      const directory = await fresh(fixture, first);
      const { id } = await fixture.run(edits, directory);
      await fixture.build(hostEdits, directory);
      const edited = await fixture.snapshot(directory);
      for (const force of [false, true]) {
        const error = await applyRun(fixture.store, id, { probe: fixture.probe, force }).catch((caught: unknown) => caught);
        if (isFault(error, 'conflict')) expect(await fixture.snapshot(directory)).toEqual(edited);
        else if (error instanceof Error) throw error;
        if (fixture.store.getRun(id).layer.isUndoable) await undoRun(fixture.store, id);
        expect(await fixture.snapshot(directory)).toEqual(edited);
      }
    });
  });

  it('has a patch that git applies to a copy of the host', async () => {
    await using fixture = await LayerFixture.create();
    await check(randomTree({ isTextOnly: true }), randomEdits({ isTextOnly: true }), async (first, edits) => {
      const directory = await fresh(fixture, first);
      const { id, merged } = await fixture.run(edits, directory);
      const patch = await collect(patchBytes(await reviewRun(fixture.store, id, { probe: fixture.probe })));
      await gitApply(fixture, directory, patch);
      expect(asGitSees(await fixture.snapshot(directory))).toEqual(asGitSees(merged));
    });
  });
});

async function check<First>(
  first: fc.Arbitrary<First>,
  edits: fc.Arbitrary<Edit[]>,
  holds: (first: First, edits: Edit[]) => Promise<void>,
): Promise<void> {
  const seed = process.env['WARREN_PROPERTY_SEED'];
  await fc.assert(fc.asyncProperty(first, edits, holds), {
    numRuns: RUNS,
    endOnFailure: process.env['WARREN_PROPERTY_SHRINK'] === undefined,
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  });
}

let count = 0;

/** A new directory of the host. */
async function fresh(fixture: LayerFixture, edits: readonly Edit[]): Promise<string> {
  count += 1;
  const directory = fixture.join(`project-${count}`);
  rmSync(fixture.join(`project-${count - 1}`), { recursive: true, force: true });
  mkdirSync(directory);
  await fixture.build(edits, directory);
  return directory;
}

async function collect(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part);
  return Buffer.concat(all);
}

async function gitApply(fixture: LayerFixture, directory: string, patch: Buffer): Promise<void> {
  if (!patch.includes('diff --git')) return;
  await writeFile(fixture.join('patch'), patch);
  // Git knows no empty directories, and does not clear one away for a file of the same name.
  await promisify(execFile)('find', [directory, '-mindepth', '1', '-type', 'd', '-empty', '-delete']);
  await promisify(execFile)('git', ['apply', '--whitespace=nowarn', fixture.join('patch')], { cwd: directory }).catch((error: Error) => {
    throw new Error(`${error.message}\n${JSON.stringify(patch.toString('latin1'))}`);
  });
}

/** Git knows files and links, and of modes only whether the owner may execute. */
function asGitSees(snapshot: Snapshot): unknown {
  const seen = Object.entries(snapshot).filter(([, [kind]]) => kind !== 'directory');
  return Object.fromEntries(seen.map(([path, [kind, mode, detail]]) => [path, [kind, (mode & 0o100) !== 0, detail]]));
}
