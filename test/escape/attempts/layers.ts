/** What a sandbox leaves in the layer of its workspace, as a trap for whoever reviews it and applies it to the host. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { applyRun, patchText, probeOpaque, RunStore, reviewRun, summarizeDiff } from '@warren/sandbox';
import { type Arena, refusalOf } from '../arena.ts';
import { host, type Theme } from '../attempt.ts';
import { POISON } from './poison.ts';

const RACE_FILES = 40;

export const LAYERS: Theme = {
  name: 'layers',
  attempts: [
    host('layer-link', 'have the host write through a link in the layer', ['layer_apply'], 'refused stayed inside', async (arena) => {
      const { mountDirectory } = arena.ground.canaries;
      const run = await makeRun(arena, `rm -r d && ln -s ${mountDirectory} d`);
      await apply(run);
      return lstatSync(join(run.directory, 'd')).isSymbolicLink() ? stayedInside(arena) : 'inconclusive no link';
    }),
    host(
      'layer-through-link',
      'have the host write through a link that stands where a directory was',
      ['layer_apply'],
      'refused conflict',
      async (arena) => {
        const run = await makeRun(arena, 'echo overwritten > d/public; echo new > d/new');
        await rename(join(run.directory, 'd'), join(run.directory, 'was-d'));
        await symlink(arena.ground.canaries.mountDirectory, join(run.directory, 'd'));
        const answer = await refusalOf(apply(run));
        return answer === 'succeeded' ? stayedInside(arena) : answer;
      },
    ),
    host(
      'layer-race',
      'have the host write while a directory and a link change places',
      ['layer_apply'],
      'refused stayed inside',
      async (arena) => {
        const run = await makeRun(arena, `for i in $(seq ${RACE_FILES}); do echo new > d/new-$i; done; echo overwritten > d/public`);
        await symlink(arena.ground.canaries.mountDirectory, join(run.directory, 'link'));
        await using _swapping = swapOnHost(arena, join(run.directory, 'd'), join(run.directory, 'link'));
        for (let tries = 0; tries < 5; tries++) await apply(run).catch(() => {});
        return stayedInside(arena);
      },
    ),
    host('layer-hook', 'have the host run a hook at its next git command', ['layer_apply'], 'refused attention', async (arena) => {
      const run = await makeRun(arena, 'mkdir -p .git/hooks && echo "exit 0" > .git/hooks/pre-commit && chmod 755 .git/hooks/pre-commit');
      const result = await applyRun(run.store, run.id, { probe: probeOpaque });
      if (existsSync(join(run.directory, '.git/hooks/pre-commit'))) return 'succeeded applied';
      return result.refused.some(({ reason }) => reason === 'attention') ? 'refused attention' : 'inconclusive not refused';
    }),
    host('layer-special', 'leave the host a pipe that whoever reads it waits for', ['layer_apply'], 'refused special', async (arena) => {
      const run = await makeRun(arena, 'mkfifo pipe && mkfifo d/pipe && rm a.txt && mkfifo a.txt');
      const result = await applyRun(run.store, run.id, { probe: probeOpaque, force: true });
      if (existsSync(join(run.directory, 'pipe'))) return 'succeeded applied';
      return result.refused.length > 0 && result.refused.every(({ reason }) => reason === 'special') ? 'refused special' : 'inconclusive';
    }),
    host('layer-poisoned', 'put terminal escapes into the diff', ['plain_words'], 'refused shown', async (arena) => {
      const run = await makeRun(arena, 'echo "$POISON" > a.txt; echo x > "$(echo "$POISON" | tr -d /)"', { POISON });
      const review = await reviewRun(run.store, run.id, { probe: probeOpaque });
      let shown = '';
      for await (const part of patchText(review)) shown += part;
      const count = (await summarizeDiff(review)).changes.length;
      if (count !== 2) return `inconclusive ${count} changes`;
      return /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(shown) ? `succeeded ${JSON.stringify(shown)}` : 'refused shown';
    }),
  ],
};

type Run = { readonly store: RunStore; readonly id: string; readonly directory: string };

/** A workspace with `a.txt` and `d/public`, and a finished run that did this to it. */
async function makeRun(arena: Arena, script: string, env: Readonly<Record<string, string>> = {}): Promise<Run> {
  const temporary = await arena.temporaryDirectory();
  const directory = join(temporary, 'workspace');
  await mkdir(join(directory, 'd'), { recursive: true });
  await writeFile(join(directory, 'a.txt'), 'a\n');
  await writeFile(join(directory, 'd/public'), 'public\n');
  const store = RunStore.open({ stateDirectory: join(temporary, 'state') });
  const held = await store.openRun({ command: ['sh', '-c', script], directory, profile: 'moderate' });
  {
    await using sandbox = await arena.start({ workspace: { kind: 'overlay', directory, layer: held.paths.layer } });
    await arena.run(sandbox, ['/bin/sh', '-ec', script], { env });
  }
  const { id } = await store.closeRun(held, { probe: probeOpaque });
  return { store, id, directory };
}

async function apply({ store, id }: Run): Promise<void> {
  await applyRun(store, id, { probe: probeOpaque, force: true });
}

function stayedInside(arena: Arena): string {
  const { canaries } = arena.ground;
  const harm = [...canaries.harm(), ...readdirSync(canaries.mountDirectory).filter((name) => name.startsWith('new'))];
  return harm.length === 0 ? 'refused stayed inside' : `succeeded ${harm.join(', ')}`;
}

/** What somebody with another way into the directory could do meanwhile. */
function swapOnHost(arena: Arena, one: string, other: string): AsyncDisposable {
  const swapping: ChildProcess = spawn(join(arena.ground.attackDirectory, 'attack'), ['--swap', one, other], { stdio: 'ignore' });
  return {
    async [Symbol.asyncDispose]() {
      const ended = once(swapping, 'exit');
      swapping.kill('SIGKILL');
      await ended;
    },
  };
}
