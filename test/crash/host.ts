/**
 * A host that uses sandboxes without rest, to be killed: several workers that each start one, run and write in it, end it, and begin again. Started by the
 * crash tests with STATE (a directory of its own), MARK (in the environment of every command), SEED and, to do without cgroups, `none`.
 *
 * Told `probe` it proves that it still works, told `stop` it ends its sandboxes and leaves.
 */
import { mkdirSync } from 'node:fs';
import { isFault } from '@warren/protocol';
import type { Sandboxes, SandboxSpec } from '@warren/sandbox';
import { openTestSandboxes } from '@warren/sandbox/testing';
import { randomFrom } from './random.ts';

const [state = '', mark = '', seed = '0', cgroups] = process.argv.slice(2);
const WORKERS = 3;
/** What a caller is told when the launcher or a pid 1 was killed. Anything else is a defect. */
const EXPECTED = ['sandbox_gone'] as const;

const stopping = new AbortController();
const sandboxes = await openTestSandboxes(cgroups === 'none' ? { cgroups } : {});
const workers = Array.from({ length: WORKERS }, (_, index) => work(sandboxes, index));

process.on('message', (message) => {
  if (message === 'probe') void answer('probe', probe());
  if (message === 'stop') void answer('stop', stop());
});
process.send?.('ready');

async function work(backend: Sandboxes, worker: number): Promise<void> {
  const random = randomFrom(Number(seed) * WORKERS + worker);
  for (let round = 0; !stopping.signal.aborted; round++) {
    try {
      await useOne(backend, specOf(worker, round, random), random);
    } catch (error) {
      if (!EXPECTED.some((code) => isFault(error, code))) throw error;
    }
  }
}

function specOf(worker: number, round: number, random: (below: number) => number): SandboxSpec {
  const env = { MARK: mark };
  const kind = (['none', 'writable', 'overlay'] as const)[random(3)];
  if (kind === 'none' || kind === undefined) return { env };
  const directory = `${state}/${worker}-${round}`;
  const layer = `${directory}-layer`;
  for (const path of [directory, layer]) mkdirSync(path);
  return { env, workspace: kind === 'overlay' ? { kind, directory, layer } : { kind, directory } };
}

async function useOne(backend: Sandboxes, spec: SandboxSpec, random: (below: number) => number): Promise<void> {
  await using sandbox = await backend.start(spec);
  const place = spec.workspace === undefined ? '/tmp' : '/workspace';
  const left = sandbox.exec(['sh', '-c', "trap '' TERM; setsid sleep 1000 & sleep 1000"]);
  left.exit.catch(() => {}); // Ended with its sandbox, or lost with it.
  for (let step = random(5); step > 0; step--) {
    const steps = [
      () => sandbox.run(['true']),
      () => sandbox.run(['sh', '-c', 'head -c 300000 /dev/zero']),
      () => sandbox.writeFile(`${place}/file`, Buffer.alloc(random(300_000))),
      () => sandbox.run(['sh', '-c', 'i=0; while [ $i -lt 20 ]; do (sleep 1000 &); i=$((i+1)); done']),
      () => sandbox.pause().then(() => sandbox.resume()),
      () => sandbox.list('/usr/bin'),
    ];
    await steps[random(steps.length)]?.();
  }
}

/** A launcher may have been killed a moment ago: then the start that is told so is followed by one that works. */
async function probe(): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await using sandbox = await sandboxes.start({ env: { MARK: mark } });
      const { exit } = await sandbox.run(['true']);
      if (exit.kind !== 'exited' || exit.code !== 0) throw new Error(`true ended so: ${JSON.stringify(exit)}`);
      return;
    } catch (error) {
      if (tries > 5 || !isFault(error, 'sandbox_gone')) throw error;
    }
  }
}

async function stop(): Promise<void> {
  stopping.abort();
  await Promise.all(workers);
  await sandboxes[Symbol.asyncDispose]();
}

async function answer(question: string, work: Promise<void>): Promise<void> {
  const said = await work.then(
    () => `${question}: done`,
    (error: unknown) => `${question}: ${error instanceof Error ? error.stack : String(error)}`,
  );
  process.send?.(said);
  if (question === 'stop') process.disconnect();
}
