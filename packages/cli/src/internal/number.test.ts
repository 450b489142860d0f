import { isFault } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCount, parseNatural, parseShare } from './number.ts';

describe('parseCount', () => {
  it('reads whole numbers from 1 up', () => {
    expect([parseCount('1', '--pids'), parseCount('4096', '--pids')]).toEqual([1, 4096]);
  });

  it.each(['', '0', '-1', '1.5', '1e3', 'many', ' 1', '9'.repeat(16)])('refuses %j and names the flag', (text) => {
    expect(() => parseCount(text, '--pids')).toThrow('--pids');
  });
});

describe('parseNatural', () => {
  it('reads whole numbers from 0 up', () => {
    expect([parseNatural('0', '--since'), parseNatural('4096', '--since')]).toEqual([0, 4096]);
  });

  it.each(['', '-1', '1.5', '1e3', '9'.repeat(16)])('refuses %j and names the flag', (text) => {
    expect(() => parseNatural(text, '--since')).toThrow('--since');
  });
});

describe('parseShare', () => {
  it('reads shares of processor time', () => {
    expect([parseShare('0.5', '--cpus'), parseShare('2', '--cpus')]).toEqual([0.5, 2]);
  });

  it.each(['', '0', '0.0', '-1', '1e3', '.5', 'all', 'NaN', '1,5'])('refuses %j and names the flag', (text) => {
    expect(() => parseShare(text, '--cpus')).toThrow('--cpus');
  });
});

it('parsers of numbers give a number above zero or a fault, for every text', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.double().map(String), fc.integer().map(String)),
      fc.constantFrom(parseCount, parseShare),
      (text, parse) => {
        try {
          return parse(text, '--n') > 0;
        } catch (error) {
          return isFault(error, 'invalid_argument');
        }
      },
    ),
  );
});
