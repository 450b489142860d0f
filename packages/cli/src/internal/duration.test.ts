import { isFault } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDuration, parseLongDuration } from './duration.ts';

describe('parseDuration', () => {
  it.each([
    ['1500ms', 1_500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['0.5s', 500],
    ['1h30m', 5_400_000],
    ['1m1s1ms', 61_001],
    ['2d', 172_800_000],
  ])('reads %s', (text, durationMs) => {
    expect(parseDuration(text, '--timeout')).toBe(durationMs);
  });

  it.each(['', '30', 's', '-1s', '+1s', '1 s', '1S', '1w', '1e3s', 'Infinity', '30s ', 'none', '1.s', '1ms2'])(
    'refuses %j and names the flag',
    (text) => {
      expect(() => parseDuration(text, '--timeout')).toThrow(
        expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining('--timeout') }),
      );
    },
  );

  it('refuses nothing and for ever', () => {
    expect(() => parseDuration('0s', '--timeout')).toThrow('more than zero');
    expect(() => parseDuration('0.1ms', '--timeout')).toThrow('more than zero');
    expect(() => parseDuration('25d', '--timeout')).toThrow('less than 24 days');
  });

  it('has a longer brother, for what no timer waits for', () => {
    expect(parseLongDuration('90d', '--expires')).toBe(90 * 86_400_000);
    expect(() => parseLongDuration('3651d', '--expires')).toThrow('less than 10 years');
  });

  it('gives milliseconds that a timer can count, or a fault, for every text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^([0-9.]{1,5}(ms|s|m|h|d)){1,3}$/)), (text) => {
        try {
          const durationMs = parseDuration(text, '--timeout');
          return Number.isSafeInteger(durationMs) && durationMs > 0 && durationMs < 2 ** 31;
        } catch (error) {
          return isFault(error, 'invalid_argument');
        }
      }),
    );
  });

  it('reads a hostile length in no time', () => {
    const startedAt = performance.now();
    expect(() => parseDuration(`${'1ms'.repeat(100_000)}x`, '--timeout')).toThrow();
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});
