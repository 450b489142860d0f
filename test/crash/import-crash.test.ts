/** An import that is killed at any step has happened as a whole, its secrets with it, or left nothing. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openKernel } from '@warren/kernel';
import { exportWorkspace, openPlatform, sealStream } from '@warren/platform';
import { parseWorkspaceId } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { findWord } from '../workspace/plant.ts';

const ACME = parseWorkspaceId('acme');
/** In names, which are open, so that rows of it are found. */
const WORD = 'Xyzzy42Plugh';
const VALUE = 'Frotz77Qwerty';
const SECRETS = 6;
const HOST = join(import.meta.dirname, 'import-host.ts');
/** Killed at this many of the steps, evenly spread, the first and the last among them. */
const KILLS = 8;
const REQUEST = { kind: 'skill', skill: 'deploy' } as const;

async function open(directory: string) {
  const stack = new AsyncDisposableStack();
  const kernel = stack.use(await openKernel({ directory }));
  const openSandboxes = () => Promise.reject(new Error('There are none here'));
  const platform = stack.use(await openPlatform({ kernel, directory, isWatching: false, openSandboxes }));
  return { kernel, platform, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function run(directory: string, file: string, step: number) {
  return spawnSync(process.execPath, ['--conditions=warren-source', HOST, directory, file, `${step}`], { encoding: 'utf8' });
}

async function writeExport(directory: string, path: string): Promise<void> {
  await using on = await open(directory);
  const { kernel, platform } = on;
  await kernel.workspaces.create(ACME);
  for (let index = 0; index < SECRETS; index++)
    await platform.secrets(ACME).set(`${WORD}/${index}`, VALUE, { bindings: { skills: ['deploy'] } });
  const { pid } = await kernel.workspace(ACME).processes.create({ name: WORD, template: 't' });
  await kernel.workspace(ACME).events.append({ pid, kind: 'note', payload: { word: WORD } });
  await platform.memories.use(ACME, (memory) => memory.store([{ text: `${WORD} is remembered` }]));
  const parts = { kernel, memories: platform.memories, secrets: platform.secrets, directory, now: () => 1 };
  const content = exportWorkspace(parts, ACME, { withSecrets: true }, new AbortController().signal);
  writeFileSync(path, Buffer.concat(await Array.fromAsync(sealStream({ kind: 'key', key: Buffer.alloc(32, 7) }, content))));
}

it('killed at any step, an import is whole with its secrets, or nothing of it is there', { timeout: 600_000 }, async () => {
  await using from = await TemporaryDirectory.create();
  await using made = await TemporaryDirectory.create();
  const file = from.join('acme.warren');
  await writeExport(from.join('state'), file);
  {
    await using on = await open(made.path);
    await on.platform.vault.unlock();
  }
  await using whole = await TemporaryDirectory.create();
  cpSync(made.path, whole.path, { recursive: true });
  const ended = run(whole.path, file, 0);
  expect(ended.stderr).toBe('');
  const steps = Number(ended.stdout);
  expect(steps).toBeGreaterThan(KILLS);
  const outcomes = { whole: 0, none: 0 };
  for (let kill = 0; kill < KILLS; kill++) {
    const step = 1 + Math.round((kill * (steps - 1)) / (KILLS - 1));
    await using directory = await TemporaryDirectory.create();
    cpSync(made.path, directory.path, { recursive: true });
    expect(run(directory.path, file, step).signal).toBe('SIGKILL');
    await using on = await open(directory.path);
    const mine = on.kernel.workspace(ACME);
    if ((await on.kernel.workspaces.list()).some(({ id }) => id === ACME)) {
      outcomes.whole++;
      const secrets = on.platform.secrets(ACME);
      for (let index = 0; index < SECRETS; index++) {
        using value = await secrets.use(`${WORD}/${index}`, REQUEST);
        expect(Buffer.from(value?.bytes ?? []).toString()).toBe(VALUE);
      }
      expect((await mine.events.newest({ kind: 'note' })).length).toBe(1);
      expect((await on.platform.memories.use(ACME, (memory) => memory.search(WORD))).length).toBe(1);
    } else {
      outcomes.none++;
      expect(existsSync(directory.join('workspaces', ACME)), `killed at step ${step} of ${steps}`).toBe(false);
      expect(findWord(directory.path, WORD), `killed at step ${step} of ${steps}`).toEqual([]);
      await on.kernel.workspaces.create(ACME);
      expect([await mine.secrets.list(), await mine.secrets.dataKeys()]).toEqual([[], []]);
    }
    expect(findWord(directory.path, VALUE)).toEqual([]);
    expect(await on.kernel.store.check()).toEqual([]);
  }
  expect(Math.min(outcomes.whole, outcomes.none)).toBeGreaterThan(0);
});
