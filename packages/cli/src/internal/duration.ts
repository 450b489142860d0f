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

/** Milliseconds as a person reads them: `90 s` is `1m 30s`, `1500` is `1.5s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.round(durationMs)}ms`;
  if (durationMs < 60_000) return `${Number((durationMs / 1_000).toFixed(1))}s`;
  const units: readonly (readonly [string, number])[] = [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1_000]]; // biome-ignore format: a table
  const first = units.findIndex(([, unitMs]) => durationMs >= unitMs);
  let rest = durationMs;
  const parts: string[] = [];
  for (const [unit, unitMs] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / unitMs);
    rest -= count * unitMs;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.join(' ');
}
