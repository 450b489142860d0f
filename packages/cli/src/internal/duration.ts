import { Fault } from '@warren/protocol';
import { safeText } from './safe-text.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(?:\d{1,12}(?:\.\d{1,6})?(?:ms|[smhd]))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|[smhd])/g;
/** Timers of Node count in 31 bits. */
const DURATION_MS_MAX = 2 ** 31 - 1;

const LONG_DURATION_MS_MAX = 3_650 * 86_400_000;

/** `30s`, `5m`, `1500ms`, `1h30m` → milliseconds. A number alone is refused: it means seconds to some tools and milliseconds to others. Throws `invalid_argument`. */
export function parseDuration(text: string, name: string): number {
  return parse(text, name, { mostMs: DURATION_MS_MAX, most: '24 days' });
}

/** As `parseDuration`, for what no timer waits for. */
export function parseLongDuration(text: string, name: string): number {
  return parse(text, name, { mostMs: LONG_DURATION_MS_MAX, most: '10 years' });
}

function parse(text: string, name: string, { mostMs, most }: { readonly mostMs: number; readonly most: string }): number {
  const refuse = (why: string): never => {
    throw new Fault('invalid_argument', `Cannot use "${safeText(text)}" for ${name}: ${why}`, { details: { option: name } });
  };
  if (!DURATION.test(text)) return refuse('a duration is a number and a unit, as in 1500ms, 30s, 5m or 1h30m');
  let sum = 0;
  for (const [, number = '', unit = ''] of text.matchAll(PART)) sum += Number(number) * (UNITS[unit] ?? Number.NaN);
  const durationMs = Math.round(sum);
  if (durationMs < 1) return refuse('it must be more than zero');
  if (durationMs > mostMs) return refuse(`it must be less than ${most}`);
  return durationMs;
}
