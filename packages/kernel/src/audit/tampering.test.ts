import { expect, it } from 'vitest';
import { runTamperings } from './test-support/tamper.ts';

it('verifying finds each of 2,000 tamperings with a log of three days, one of them purged, and nothing in the untouched one (seed 1)', async () => {
  const { count, kinds, missed, controls } = await runTamperings(2_000, 1);
  expect(missed).toEqual([]);
  expect(count).toBeGreaterThan(1_800);
  expect(kinds.size).toBe(19);
  expect(controls).toBe(20);
}, 600_000);
