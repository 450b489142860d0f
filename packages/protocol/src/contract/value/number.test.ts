import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { int, looseInt, looseSeconds, milliseconds, seconds } from './number.ts';

describe('int', () => {
  it('accepts every whole number that a double holds exactly, and gives it back', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(int.parse(value)).toBe(value);
      }),
    );
  });

  it('takes -0 as 0', () => {
    expect(Object.is(int.parse(JSON.parse('-0')), 0)).toBe(true);
  });

  it.each([true, false, '5', 1.5, 2 ** 53, 2 ** 53 + 2, -(2 ** 53), 1e308, Number.NaN, Number.POSITIVE_INFINITY, null, undefined, [1], {}])(
    'refuses %j',
    (value) => {
      expect(int.safeParse(value).success).toBe(false);
    },
  );

  it('refuses 2**53 + 1, which JSON cannot say exactly', () => {
    expect(int.safeParse(JSON.parse('9007199254740993')).success).toBe(false);
  });
});

describe('looseInt', () => {
  it('takes a number and the text of it for the same', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(looseInt.parse(String(value))).toBe(looseInt.parse(value));
      }),
    );
  });

  it.each([
    ['5', 5],
    [' -7 ', -7],
    ['+3', 3],
    ['-0', 0],
    ['007', 7],
  ])('takes %j for %j', (text, value) => {
    expect(looseInt.parse(text)).toBe(value);
  });

  it.each(['', ' ', '5.5', '1e3', '0x10', 'abc', '9007199254740993', '１', true, false, null, [5]])('refuses %j', (value) => {
    expect(looseInt.safeParse(value).success).toBe(false);
  });
});

it('text that says a number is short', () => {
  expect([`${'0'.repeat(31)}5`, `${'0'.repeat(32)}5`].map((text) => looseInt.safeParse(text).success)).toEqual([true, false]);
  expect([`${'0'.repeat(63)}5`, `${'0'.repeat(64)}5`].map((text) => looseSeconds.safeParse(text).success)).toEqual([true, false]);
});

describe('seconds', () => {
  it('are exact as milliseconds at their bounds', () => {
    expect(Number.isSafeInteger(seconds.parse(8_640_000_000_000) * 1000)).toBe(true);
    expect(seconds.parse(-8_640_000_000_000)).toBeLessThan(0);
  });

  it.each([8_640_000_000_001, 1e308, -1e308, Number.NaN, Number.POSITIVE_INFINITY, '5', true, null])('refuse %j', (value) => {
    expect(seconds.safeParse(value).success).toBe(false);
  });
});

describe('looseSeconds', () => {
  it.each([
    ['5', 5],
    [' 1.5 ', 1.5],
    ['.5', 0.5],
    ['2.', 2],
    ['1e3', 1000],
    ['-1E-3', -0.001],
  ])('take %j for %j', (text, value) => {
    expect(looseSeconds.parse(text)).toBe(value);
  });

  it.each(['', '.', 'e5', '1e999', 'inf', 'NaN', 'Infinity', '0x1', '1_000', true, null, []])('refuse %j', (value) => {
    expect(looseSeconds.safeParse(value).success).toBe(false);
  });
});

describe('milliseconds', () => {
  it('are whole, not negative and bounded', () => {
    expect([0, 10].map((value) => milliseconds(10).safeParse(value).success)).toEqual([true, true]);
    expect([-1, 11, 0.5, '5', true].map((value) => milliseconds(10).safeParse(value).success)).toEqual([false, false, false, false, false]);
  });
});
