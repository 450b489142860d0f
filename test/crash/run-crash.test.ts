/**
 * SIGKILL at whatever instruction: what was acknowledged of a run is in its journal, nothing stands there twice, and every run ends in the last life, which is let
 * live. `RUN_KILLS=200` for the long form.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openKernel, type RunStep } from '@warren/kernel';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { randomFrom } from './random.ts';

const KILLS = Number(process.env['RUN_KILLS'] ?? 4);
const SEED = Number(process.env['RUN_SEED'] ?? 1);

it(`runs that are killed ${KILLS} times lose and double no step`, { timeout: 120_000 + KILLS * 15_000 }, async ({ signal }) => {
  await using directory = await TemporaryDirectory.create();
  const random = randomFrom(SEED);
  for (let life = 0; life < KILLS; life++) await live(directory.path, life, random(400), signal);
  await live(directory.path, KILLS, undefined, signal);

  await using kernel = await openKernel({ directory: join(directory.path, 'state') });
  const { runs, processes, queue } = kernel.workspace(DEFAULT_WORKSPACE);
  const all = await runs.list({}, { limit: 1_000 });
  const journals = new Map(await Promise.all(all.map(async ({ id }): Promise<[number, readonly RunStep[]]> => [id, await runs.steps(id)])));
  const texts: string[] = [];
  for (const { id, pid, outcome, steps, tokens } of all) {
    const journal = journals.get(id) ?? [];
    const about = `run ${id}, seed ${SEED}`;
    expect(journal.map(({ seq }) => seq), about).toEqual(Array.from({ length: steps }, (_, seq) => seq)); // biome-ignore format: one line
    expect([journal[0]?.kind, journal.at(-1)?.kind, journal.filter(({ kind }) => kind === 'task' || kind === 'end').length], about).toEqual(['task', 'end', 2]); // biome-ignore format: one line
    expect(outcome, about).toMatch(/^(completed|stopped)$/);
    expect(tokens, about).toBe(journal.filter(({ kind }) => kind === 'model' || kind === 'call').length);
    expect((await processes.get(pid)).state, about).toBe('DEAD');
    texts.push(...journal.flatMap(({ body }) => (typeof body['text'] === 'string' ? [body['text']] : [])));
  }
  expect(new Set(texts).size, `seed ${SEED}`).toBe(texts.length);
  const parents = all.flatMap(({ parent }) => (parent === undefined ? [] : [parent]));
  expect(new Set(parents).size, `seed ${SEED}`).toBe(parents.length); // Nobody started two.
  expect((await queue.list({ state: 'queued' })).total).toBe(0);

  const lines = readFileSync(join(directory.path, 'acknowledged'), 'utf8').split('\n').filter(Boolean);
  for (const line of lines) {
    const [what, id, ...more] = line.split(' ');
    const run = all.find((each) => each.id === Number(id));
    const step = journals.get(Number(id))?.[Number(more[0])];
    if (what === 'step') expect([step?.kind, step?.body['text']], `${line}, seed ${SEED}`).toEqual(more.slice(1));
    else if (what === 'ended') expect(run?.outcome, `${line}, seed ${SEED}`).toBe(more[0]);
    else if (what === 'stopped')
      expect(run?.outcome, `${line}, seed ${SEED}`).toMatch(/^(completed|stopped)$/); // It may have been about to end.
    else expect(run, `${line}, seed ${SEED}`).toBeDefined();
  }
  expect(lines.length).toBeGreaterThan(100);
});

/** Until it is killed, or has nothing left to do; no longer than the test. */
async function live(directory: string, life: number, killedAfterMs: number | undefined, signal: AbortSignal): Promise<void> {
  const host = join(import.meta.dirname, 'run-host.ts');
  const isLast = killedAfterMs === undefined ? ['last'] : [];
  const child = spawn(process.execPath, ['--conditions=warren-source', host, directory, String(life), ...isLast], {
    ...{ stdio: ['ignore', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' },
  });
  child.on('error', () => {}); // The test has ended, and says why.
  let [said, wrong] = ['', ''];
  child.stderr.on('data', (data: Buffer) => {
    wrong += data.toString();
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ready = new Promise<void>((resolve) => child.stdout.on('data', (data: Buffer) => { said += data.toString(); resolve(); })); // biome-ignore format: one line
  await Promise.race([ready, exited]);
  if (killedAfterMs !== undefined) {
    await sleep(killedAfterMs); // When it dies is what is random here.
    child.kill('SIGKILL');
  }
  await exited;
  expect(wrong).toBe('');
  if (killedAfterMs === undefined) expect(said).toMatch(/done/);
}
