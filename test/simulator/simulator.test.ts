import { expect, it } from 'vitest';
import { dieEverywhere } from './die-everywhere.ts';
import { runSchedule } from './run-schedule.ts';

const SEED = Number(process.env['WARREN_SIMULATOR_SEED'] ?? 1);
const SCHEDULES = Number(process.env['WARREN_SIMULATOR_SCHEDULES'] ?? 300);

it(`the kernel loses and doubles nothing in ${SCHEDULES} schedules from seed ${SEED}`, { timeout: 600_000 }, async () => {
  let deaths = 0;
  for (let seed = SEED; seed < SEED + SCHEDULES; seed++) deaths += (await runSchedule(seed)).deaths;
  expect(deaths).toBeGreaterThan(SCHEDULES / 10);
});

it(`the kernel loses and doubles nothing wherever it dies in schedule ${SEED}`, { timeout: 600_000 }, async () => {
  expect(await dieEverywhere(SEED)).toBeGreaterThan(20);
});

it('a seed repeats its schedule', async () => {
  expect(await runSchedule(SEED)).toEqual(await runSchedule(SEED));
});
