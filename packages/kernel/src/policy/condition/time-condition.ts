import type { TimeCondition } from '../policy.ts';
import type { CompiledCondition } from './compiled-condition.ts';
import { type LocalTime, localTimes } from './local-time.ts';
import { truthOf, UNKNOWN } from './truth.ts';

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const DAY_MINUTES = 1_440;

export function compileTime({ zone = 'UTC', days, from, to }: TimeCondition): CompiledCondition {
  const localTime = localTimes(zone);
  const window = { from: from === undefined ? 0 : minutesOf(from), to: to === undefined ? DAY_MINUTES : minutesOf(to) };
  const isDay = DAYS.map((day) => days === undefined || days.includes(day));
  return ({ request }) => {
    const time = localTime(request.at);
    if (time === undefined) return UNKNOWN;
    const began = dayItBegan(time, window);
    return truthOf(began !== undefined && isDay[began] === true);
  };
}

/** On which day the window that is open now began; undefined when none is. It is the clock on the wall that counts, also on the days it is set. */
function dayItBegan({ day, minute }: LocalTime, { from, to }: { readonly from: number; readonly to: number }): number | undefined {
  if (from < to) return minute >= from && minute < to ? day : undefined;
  if (minute >= from) return day;
  return minute < to ? (day + 6) % 7 : undefined;
}

/** Of `HH:MM`. */
function minutesOf(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
}
