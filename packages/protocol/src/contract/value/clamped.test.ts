import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limit, offset } from './clamped.ts';

describe('limit', () => {
  it.each([
    [undefined, 100],
    [null, 100],
    [1, 1],
    [10_000, 10_000],
    [10_001, 10_000],
    [1e308, 10_000],
    [0, 1],
    [-5, 1],
    [-1e308, 1],
    [12.9, 12],
    [0.5, 1],
    ['50', 50],
    [' 7 ', 7],
    ['many', 100],
    ['', 100],
    ['9'.repeat(33), 100],
    [true, 100],
    [[5], 100],
    [{}, 100],
    [Number.NaN, 100],
    [Number.POSITIVE_INFINITY, 100],
  ])('takes %j for %j', (given, value) => {
    expect(limit.parse(given)).toBe(value);
  });

  it('takes whatever it is given for something within bounds', () => {
    fc.assert(
      fc.property(fc.anything(), (given) => {
        const value = limit.parse(given);
        expect(Number.isInteger(value) && value >= 1 && value <= 10_000).toBe(true);
      }),
    );
  });
});

describe('offset', () => {
  it.each([
    [undefined, 0],
    [-1, 0],
    [-0, 0],
    [5, 5],
    ['5', 5],
    [1e308, Number.MAX_SAFE_INTEGER],
    ['x', 0],
    [false, 0],
  ])('takes %j for %j', (given, value) => {
    expect(offset.parse(given)).toBe(value);
  });
});
