/** `npm run simulate -- --schedules 100000 [--seed N]`: as many schedules as you have time for, on all processors. Exits 1 at the first that fails, and says its seed. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runSchedule } from './run-schedule.ts';

const REPORT_EVERY = 1_000;
const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '10000' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000_000}` },
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
    fork(import.meta.filename, ['--part', '--schedules', `${Math.min(each, schedules - part * each)}`, '--seed', `${seed + part * each}`], {
      execArgv: ['--conditions=warren-source'],
    }),
  );
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]));
  if (codes.some((code) => code !== 0)) process.exitCode = 1;
  else console.log(`simulate: all ${schedules} held`);
}

async function runPart(): Promise<void> {
  let [asked, deaths] = [0, 0];
  for (let done = 0; done < schedules; done++) {
    const result = await runSchedule(seed + done);
    asked += result.asked;
    deaths += result.deaths;
    if ((done + 1) % REPORT_EVERY === 0)
      console.log(`simulate: ${done + 1} schedules from seed ${seed}: ${asked} requests, ${deaths} deaths`);
  }
}
