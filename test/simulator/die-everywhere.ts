/** A short schedule again and again, and each time the kernel dies a step later: at every point it reaches, in every way it can. */
import { runSchedule } from './run-schedule.ts';

const CALM = { step: 0, tear: 'none' } as const;
const POWER_FAILURES = ['none', 'cut', 'spoil'] as const;

/** Returns how often it died. Throws an error that names the seed and the step. */
export async function dieEverywhere(seed: number): Promise<number> {
  const { points } = await runSchedule(seed, { isShort: true, death: CALM });
  let deaths = 0;
  for (const [index, point] of points.entries()) {
    const tears = point === 'store.committed' ? POWER_FAILURES : POWER_FAILURES.slice(0, 1); // Only then there is something to tear.
    for (const tear of tears) {
      try {
        deaths += (await runSchedule(seed, { isShort: true, death: { step: index + 1, tear } })).deaths;
      } catch (error) {
        throw new Error(`Dead at step ${index + 1}, ${point}, ${tear}: ${error instanceof Error ? error.message : error}`, {
          cause: error,
        });
      }
    }
  }
  return deaths;
}
