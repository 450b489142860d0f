import { describe, expect, it } from 'vitest';
import { checkCron, nextRun } from './cron.ts';

/** The next runs after a time, each after the one before. */
function runs(pattern: string, zone: string, after: string, count: number): readonly string[] {
  const found: string[] = [];
  let last = Date.parse(after);
  while (found.length < count) {
    const next = nextRun({ pattern, zone }, last);
    if (next === undefined) break;
    found.push(new Date(next).toISOString().replace(':00.000Z', 'Z'));
    last = next;
  }
  return found;
}

describe('a cron pattern', () => {
  it('keeps the time of day on weekdays when the clocks change in spring and autumn', () => {
    expect(runs('0 9 * * 1-5', 'Europe/Berlin', '2026-03-26T12:00:00Z', 3)).toEqual([
      '2026-03-27T08:00Z', // Friday, still winter time.
      '2026-03-30T07:00Z',
      '2026-03-31T07:00Z',
    ]);
    expect(runs('0 9 * * MON-FRI', 'Europe/Berlin', '2026-10-22T12:00:00Z', 3)).toEqual([
      '2026-10-23T07:00Z', // Friday, still summer time.
      '2026-10-26T08:00Z',
      '2026-10-27T08:00Z',
    ]);
  });

  it('runs once where the clock leaves its time out, and once where it comes twice', () => {
    expect(runs('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2)).toEqual(['2026-03-29T01:00Z', '2026-03-30T00:30Z']);
    expect(runs('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2)).toEqual(['2026-10-25T00:30Z', '2026-10-26T01:30Z']);
  });

  it('goes by the time that passes when it repeats within the hour', () => {
    expect(runs('*/30 * * * *', 'Europe/Berlin', '2026-03-29T00:30:00Z', 3)).toEqual(['2026-03-29T01:00Z', '2026-03-29T01:30Z', '2026-03-29T02:00Z']); // biome-ignore format: one line
    expect(runs('0 * * * *', 'Europe/Berlin', '2026-10-24T23:30:00Z', 3)).toEqual(['2026-10-25T00:00Z', '2026-10-25T01:00Z', '2026-10-25T02:00Z']); // biome-ignore format: one line
  });

  it('waits for a leap year, and for zones that are no whole hours away', () => {
    expect(runs('0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z', 2)).toEqual(['2028-02-29T00:00Z', '2032-02-29T00:00Z']);
    expect(runs('@daily', 'Asia/Kathmandu', '2026-01-01T00:00:00Z', 1)).toEqual(['2026-01-01T18:15Z']);
  });

  it('comes to an end when its years do, and never begins when there is no such day', () => {
    expect(runs('0 0 0 1 1 * 2027-2028', 'UTC', '2026-06-01T00:00:00Z', 5)).toEqual(['2027-01-01T00:00Z', '2028-01-01T00:00Z']);
    expect(runs('0 0 31 2 *', 'UTC', '2026-01-01T00:00:00Z', 5)).toEqual([]);
  });

  it('runs strictly after the time it is asked for, to the millisecond', () => {
    expect(runs('0 9 * * *', 'UTC', '2026-01-01T08:59:59.999Z', 1)).toEqual(['2026-01-01T09:00Z']);
    expect(runs('0 9 * * *', 'UTC', '2026-01-01T09:00:00.000Z', 1)).toEqual(['2026-01-02T09:00Z']);
    expect(runs('0 9 * * *', 'UTC', '2026-01-01T09:00:00.001Z', 1)).toEqual(['2026-01-02T09:00Z']);
  });

  it.each([
    '* * * * *', '*/5 8-18 * * MON-FRI', '0 0 L * *', '0 0 15W * *', '0 0 * * MON#2', '@hourly', '30 0 0 * * *', '  0 9 * * * ', '0 0 12 ? * *',
  ])('may be %j', (pattern) => {
    expect(checkCron({ pattern })).toEqual({ pattern: pattern.trim(), zone: 'UTC' });
  }); // biome-ignore format: a table

  it.each([
    '', '* * * *', '* * * * * * * *', 'a b c d e', '60 * * * *', '* 24 * * *', '0 0 32 * *', '*/0 * * * *', '5-1 * * * *', '-1 * * * *',
    '2026-01-01T00:00:00', '2026-01-01 00:00:00', '@reboot', '@never', '__proto__', '* * * * *\n', `${'0,'.repeat(200)}0 * * * *`, '99999999999999999999 * * * *',
  ])('is refused when it is %j', (pattern) => {
    expect(() => checkCron({ pattern })).toThrow(expect.objectContaining({ code: 'queue_entry_invalid', details: { field: 'cron' } }));
  }); // biome-ignore format: a table

  it.each(['Mars/Base', '', 'Europe/Berlin; DROP', '\0', 'x'.repeat(65)])('is refused in the zone %j', (zone) => {
    expect(() => checkCron({ pattern: '* * * * *', zone })).toThrow(expect.objectContaining({ code: 'queue_entry_invalid' }));
  });

  it('is refused when it is no object or has no text', () => {
    for (const cron of [null, 5, '* * * * *', {}, { pattern: 5 }, { pattern: '* * * * *', zone: 5 }]) {
      expect(() => checkCron(cron as { pattern: string })).toThrow(expect.objectContaining({ code: 'queue_entry_invalid' })); // What an untyped caller may pass.
    }
  });
});
