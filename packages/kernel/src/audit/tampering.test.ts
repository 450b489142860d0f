/** WARREN_PROPERTY_RUNS tampers more often, WARREN_PROPERTY_SEED repeats. */
import { expect, it } from 'vitest';
import { runTamperings } from './test-support/tamper.ts';

const TAMPERINGS = Number(process.env['WARREN_PROPERTY_RUNS'] ?? 2_000);
const SEED = Number(process.env['WARREN_PROPERTY_SEED'] ?? 1);

it('verifying finds each tampering with a log of three days, one of them purged, and nothing in the untouched one', async () => {
  const begun = performance.now();
  const { count, kinds, missed, controls } = await runTamperings(TAMPERINGS, SEED);
  expect(missed).toEqual([]);
  expect(count).toBeGreaterThan(TAMPERINGS * 0.9);
  expect(kinds.size).toBe(19);
  expect(controls).toBe(Math.ceil(TAMPERINGS / 100));
  if (process.env['WARREN_PROPERTY_RUNS'] !== undefined)
    console.log({
      tamperings: count,
      kinds: kinds.size,
      controls,
      missed: missed.length,
      seed: SEED,
      ms: Math.round(performance.now() - begun),
    });
}, 36_000_000);
