import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffAfter } from './backoff.ts';

const HOUR_MS = 3_600_000;
const ids = fc.integer({ min: 1, max: 2 ** 40 });

describe('the backoff of an entry', () => {
  it('doubles with each attempt, give or take a tenth, up to an hour', () => {
    fc.assert(
      fc.property(ids, fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 0, max: HOUR_MS }), (id, attempt, backoffMs) => {
        const doubled = Math.min(HOUR_MS, backoffMs * 2 ** (attempt - 1));
        const backoff = backoffAfter({ id, backoffMs }, attempt);
        expect(Number.isSafeInteger(backoff)).toBe(true);
        expect(backoff).toBeGreaterThanOrEqual(Math.floor(doubled * 0.9));
        expect(backoff).toBeLessThanOrEqual(Math.min(HOUR_MS, Math.ceil(doubled * 1.1)));
      }),
    );
  });

  it('is the same for the same entry and attempt, and scattered between entries', () => {
    const backoffs = Array.from({ length: 100 }, (_, id) => backoffAfter({ id, backoffMs: 100_000 }, 1));
    expect(Array.from({ length: 100 }, (_, id) => backoffAfter({ id, backoffMs: 100_000 }, 1))).toEqual(backoffs);
    expect(new Set(backoffs).size).toBeGreaterThan(90);
    expect(Math.min(...backoffs)).toBeLessThan(93_000);
    expect(Math.max(...backoffs)).toBeGreaterThan(107_000);
  });

  it('is nothing when nothing was asked for', () => {
    expect(backoffAfter({ id: 7, backoffMs: 0 }, 5)).toBe(0);
  });
});
