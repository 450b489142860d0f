/** What the clock on the wall shows. */
export type LocalTime = {
  /** From Sunday, 0. */
  readonly day: number;
  /** Since midnight. */
  readonly minute: number;
};

const MINUTE_MS = 60_000;
const DATE_MAX_MS = 8.64e15;
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const ZONES_MAX = 1_000;
const zones = new Map<string, (at: number) => LocalTime | undefined>();

/**
 * Tells the time in a zone. A look into the tables of zones takes microseconds, so the last minute that was asked for is remembered: it depends on nothing but zone
 * and minute. Throws a RangeError when there is no such zone.
 */
export function localTimes(zone: string): (at: number) => LocalTime | undefined {
  const known = zones.get(zone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
  });
  let lastMinute = Number.NaN;
  let last: LocalTime | undefined;
  const localTime = (at: number): LocalTime | undefined => {
    if (!(Math.abs(at) <= DATE_MAX_MS)) return undefined;
    const minute = Math.floor(at / MINUTE_MS);
    if (minute !== lastMinute) {
      last = read(format, minute * MINUTE_MS);
      lastMinute = minute;
    }
    return last;
  };
  if (zones.size < ZONES_MAX) zones.set(zone, localTime);
  return localTime;
}

function read(format: Intl.DateTimeFormat, at: number): LocalTime {
  const text = format.format(at); // As `Sat 14:05` or `Sat, 14:05`: the day first, the time at the end.
  return { day: DAYS.indexOf(text.slice(0, 3)), minute: Number(text.slice(-5, -3)) * 60 + Number(text.slice(-2)) };
}
