/** When a cron entry runs next. */
import { Fault } from '@warren/protocol';
import { Cron } from 'croner';
import { checkWord } from '../internal/payload.ts';
import type { CronRow } from '../store/tables/queue-table.ts';

const PATTERN_BYTES_MAX = 256;
const ZONE_BYTES_MAX = 64;
/** Five to seven fields, or a name such as `@daily`. A date, which the parser would take too, is no pattern. */
const PATTERN = /^(?:@[a-z]+|[\w*?,/#+-]+(?: +[\w*?,/#+-]+){4,6})$/;

/** Checks what a caller asks for. Throws `queue_entry_invalid`. */
export function checkCron(cron: { readonly pattern: string; readonly zone?: string | undefined }): Pick<CronRow, 'pattern' | 'zone'> {
  if (typeof cron !== 'object' || cron === null) throw invalidCron('it is not an object');
  const pattern = checkWord(cron.pattern, 'cron', 'queue_entry_invalid', PATTERN_BYTES_MAX).trim();
  const zone = checkWord(cron.zone ?? 'UTC', 'cron', 'queue_entry_invalid', ZONE_BYTES_MAX);
  if (!PATTERN.test(pattern)) throw invalidCron('it is no pattern of five to seven fields');
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
  } catch {
    throw invalidCron('its time zone is unknown'); // That is all the error says.
  }
  try {
    new Cron(pattern, { timezone: zone });
  } catch (error) {
    throw invalidCron(reason(error));
  }
  return { pattern, zone };
}

/** The year 9000: near the end of what dates can say the calendar fails. */
const LAST_RUN_AT = 221_845_392_000_000;

/**
 * The first time after this one; undefined when there is none. A local time that a change of clocks leaves out runs right after the gap, one
 * that comes twice runs once; patterns that repeat within the day go by the time that passes.
 */
export function nextRun({ pattern, zone }: Pick<CronRow, 'pattern' | 'zone'>, after: number): number | undefined {
  if (after > LAST_RUN_AT) return undefined;
  return new Cron(pattern, { timezone: zone }).nextRun(new Date(after))?.getTime();
}

export function invalidCron(why: string): Fault {
  return new Fault('queue_entry_invalid', `Cannot use cron: ${why}`, { details: { field: 'cron' } });
}

/** As the parser says it, in the form of our messages. */
function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/^CronPattern: /, '').replace(/\.$/, '');
}
