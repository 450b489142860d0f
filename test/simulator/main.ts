/**
 * `npm run simulate -- --schedules 100000 [--seed N]`: as many schedules as you have time for, on all processors. With `--everywhere` they are
 * short, and each runs once for every point at which the kernel can die. Exits 1 at the first that fails, and says its seed.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { dieEverywhere } from './die-everywhere.ts';
import { runSchedule } from './run-schedule.ts';

const REPORT_EVERY = 1_000;
const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '10000' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000_000}` },
    everywhere: { type: 'boolean', default: false },
    part: { type: 'boolean', default: false },
  },
});
const schedules = Number(values.schedules);
const seed = Number(values.seed);

if (values.part || schedules === 1) await runPart();
else await divide();

async function divide(): Promise<void> {
  const parts = availableParallelism();
  console.log(`simulate: ${schedules} schedules from seed ${seed}`);
  const each = Math.ceil(schedules / parts);
  const children = Array.from({ length: parts }, (_, part) =>
    fork(import.meta.filename, argumentsOf(Math.min(each, schedules - part * each), seed + part * each), {
      execArgv: ['--conditions=warren-source'],
    }),
  );
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]));
  if (codes.some((code) => code !== 0)) process.exitCode = 1;
  else console.log(`simulate: all ${schedules} held`);
}

function argumentsOf(count: number, from: number): readonly string[] {
  return ['--part', '--schedules', `${count}`, '--seed', `${from}`, ...(values.everywhere ? ['--everywhere'] : [])];
}

async function runPart(): Promise<void> {
  let [asked, deaths] = [0, 0];
  for (let done = 0; done < schedules; done++) {
    if (values.everywhere) deaths += await dieEverywhere(seed + done);
    else {
      const result = await runSchedule(seed + done);
      asked += result.asked;
      deaths += result.deaths;
    }
    if ((done + 1) % REPORT_EVERY === 0)
      console.log(`simulate: ${done + 1} schedules from seed ${seed}: ${asked} requests, ${deaths} deaths`);
  }
}
