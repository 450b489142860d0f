/** `system.time`. */
import { CapabilityError, type HandlerResult } from '../../capability/handler.ts';

export function tellTime(now: number, timezone: string | undefined): HandlerResult {
  const utc = new Date(now).toISOString();
  const local = timezone === undefined ? null : localTime(now, timezone);
  return { output: { utc, unix_epoch: Math.floor(now / 1_000), unix_epoch_ms: now, local, timezone: timezone ?? 'UTC' } };
}

/** As `2026-01-05T09:30:00+01:00`. */
function localTime(now: number, timezone: string): string {
  const parts = new Map(
    formatter(timezone)
      .formatToParts(now)
      .map(({ type, value }) => [type, value]),
  );
  const get = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
  const offset = get('timeZoneName').replace('GMT', '').replace('\u2212', '-') || '+00:00';
  return `${get('year')}-${get('month')}-${get('day')}T${get('hour')}:${get('minute')}:${get('second')}${offset}`;
}

function formatter(timezone: string): Intl.DateTimeFormat {
  const digits = '2-digit';
  const date = { year: 'numeric', month: digits, day: digits, hour: digits, minute: digits, second: digits, hourCycle: 'h23' } as const;
  try {
    // Offsets as `+01:00` are no names of the IANA database, though this takes them.
    if (!/^[A-Za-z]/.test(timezone) || timezone.length > 64) throw new RangeError('no name');
    return new Intl.DateTimeFormat('en-US', { ...date, timeZone: timezone, timeZoneName: 'longOffset' });
  } catch (cause) {
    const shown = JSON.stringify(timezone.slice(0, 64));
    throw new CapabilityError('InvalidTimezone', `Cannot tell the time of ${shown}: the IANA database has no such zone`, { cause });
  }
}
