import { describe, expect, it } from 'vitest';
import { formatDuration } from './format-duration.ts';

describe('formatDuration', () => {
  it.each([
    [0, '0ms'],
    [250, '250ms'],
    [1_500, '1.5s'],
    [59_000, '59s'],
    [90_000, '1m 30s'],
    [3_600_000, '1h'],
    [5_400_000, '1h 30m'],
    [93_600_000, '1d 2h'],
  ])('shows %i as %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });
});
