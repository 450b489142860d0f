/** A deletion that is killed at any step is either not begun, or finished by the next start. */
import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { openKernel } from '@warren/kernel';
import { openPlatform } from '@warren/platform';
import { parseWorkspaceId } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { findWord, plant } from '../workspace/plant.ts';

const DOOMED = parseWorkspaceId('doomed');
const WORD = 'Xyzzy42Plugh';
const HOST = join(import.meta.dirname, 'delete-host.ts');
/** Killed at this many of the steps, evenly spread, the first and the last among them. */
const KILLS = 12;

async function open(directory: string) {
  const stack = new AsyncDisposableStack();
  const kernel = stack.use(await openKernel({ directory }));
  const openSandboxes = () => Promise.reject(new Error('There are none here'));
  const platform = stack.use(await openPlatform({ kernel, directory, isWatching: false, openSandboxes }));
  return { kernel, platform, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function run(directory: string, step: number) {
  return spawnSync(process.execPath, ['--conditions=warren-source', HOST, directory, `${step}`], { encoding: 'utf8' });
}

it('killed at any step, the next start finishes it, or finds the workspace as it was', { timeout: 240_000 }, async () => {
  await using made = await TemporaryDirectory.create();
  {
    await using on = await open(made.path);
    await on.kernel.workspaces.create(DOOMED);
    await plant(on.kernel, on.platform, made.path, DOOMED, WORD);
  }
  await using whole = await TemporaryDirectory.create();
  cpSync(made.path, whole.path, { recursive: true });
  const ended = run(whole.path, 0);
  expect(ended.stderr).toBe('');
  const steps = Number(ended.stdout);
  expect(steps).toBeGreaterThan(KILLS);
  let [finished, untouched] = [0, 0];
  for (let kill = 0; kill < KILLS; kill++) {
    const step = 1 + Math.round((kill * (steps - 1)) / (KILLS - 1));
    await using directory = await TemporaryDirectory.create();
    cpSync(made.path, directory.path, { recursive: true });
    expect(run(directory.path, step).signal).toBe('SIGKILL');
    {
      await using on = await open(directory.path);
      const isThere = (await on.kernel.workspaces.list()).some(({ id }) => id === DOOMED);
      if (isThere) {
        untouched++;
        expect((await on.kernel.workspace(DOOMED).events.newest({ kind: 'note' })).length).toBeGreaterThan(0);
        expect((await on.platform.memories.use(DOOMED, (memory) => memory.search(WORD))).length).toBeGreaterThan(0);
      } else {
        finished++;
        await on.kernel.workspaces.create(DOOMED);
        expect(await on.kernel.workspace(DOOMED).events.newest({})).toEqual([]);
        expect(findWord(directory.path, WORD), `killed at step ${step} of ${steps}`).toEqual([]);
      }
      expect(await on.kernel.store.check()).toEqual([]);
    }
  }
  expect(Math.min(finished, untouched)).toBeGreaterThan(0);
});
