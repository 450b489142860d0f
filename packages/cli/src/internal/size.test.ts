import { isFault } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSize, parseSize } from './size.ts';

describe('parseSize', () => {
  it.each([
    ['512', 512],
    ['512b', 512],
    ['1k', 1024],
    ['64K', 65_536],
    ['512m', 536_870_912],
    ['512MB', 536_870_912],
    ['512 MiB', 536_870_912],
    ['1.5g', 1_610_612_736],
    ['2t', 2_199_023_255_552],
  ])('reads %s', (text, bytes) => {
    expect(parseSize(text, '--memory')).toBe(bytes);
  });

  it.each([
    '',
    ' ',
    'm',
    '-5',
    '-5m',
    '+5m',
    '5x',
    '5mm',
    '0x10',
    '1e3',
    'NaN',
    'Infinity',
    '5m ',
    ' 5m',
    '9999999999999t',
    '1.m',
    '.5m',
    '1'.repeat(1000),
  ])('refuses %j and names the flag', (text) => {
    expect(() => parseSize(text, '--memory')).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining('--memory') }),
    );
  });

  it.each(['0', '0m', '0.0g', '0.0001'])('refuses %s, which is nothing', (text) => {
    expect(() => parseSize(text, '--disk')).toThrow('more than zero');
  });

  it('gives a positive integer or a fault, for every text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{1,8}[kmgtibKMGTIB]{0,3}$/)), (text) => {
        try {
          const bytes = parseSize(text, '--memory');
          return Number.isSafeInteger(bytes) && bytes > 0;
        } catch (error) {
          return isFault(error, 'invalid_argument');
        }
      }),
    );
  });
});

describe('formatSize', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [1023, '1023 bytes'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [536_870_912, '512 MiB'],
    [2_147_483_648, '2 GiB'],
    [2 ** 50, '1024 TiB'],
  ])('shows %i as %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  it('shows every whole unit so that it reads back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1023 }), fc.constantFrom('k', 'm', 'g', 't'), (number, unit) => {
        const bytes = parseSize(`${number}${unit}`, 'x');
        expect(parseSize(formatSize(bytes), 'x')).toBe(bytes);
      }),
    );
  });
});
