/** What callers ask of the queue, checked once. */
import { checkPayload, checkWord } from '../internal/payload.ts';
import { type CronRow, type NewQueueRow, RUN_TRIGGER } from '../store/tables/queue-table.ts';
import { checkCron } from './cron.ts';
import { invalidField } from './entry.ts';
import type { ClaimOptions, Enqueue } from './queue.ts';

const PRIORITY_MAX = 1_000_000;
/** The last millisecond a date can name. */
const TIME_MAX = 8_640_000_000_000_000;
const ATTEMPTS_DEFAULT = 5;
const ATTEMPTS_MAX = 1_000;
const BACKOFF_MS_DEFAULT = 1_000;
const BACKOFF_MS_MAX = 3_600_000;
const CLAIMS_MAX = 1_000;
const LEASE_MS_DEFAULT = 30_000;
const LEASE_MS_MIN = 1_000;
const LEASE_MS_MAX = 86_400_000;

export type CheckedEnqueue = Omit<NewQueueRow, 'isDue' | 'rank' | 'runnableAt' | 'cron'> & {
  readonly runnableAt: number | undefined;
  readonly cron: Pick<CronRow, 'pattern' | 'zone'> | undefined;
};

export function checkEnqueue(request: Enqueue): CheckedEnqueue {
  const { pid, priority = 0, runnableAt, deadline, trigger = 'manual', payload = {}, cron, dedupeKey } = request;
  checkInteger(pid, 'pid', 0, Number.MAX_SAFE_INTEGER);
  checkInteger(priority, 'priority', -PRIORITY_MAX, PRIORITY_MAX);
  if (runnableAt !== undefined) checkInteger(runnableAt, 'runnable_at', 0, TIME_MAX);
  if (deadline !== undefined) checkInteger(deadline, 'deadline', 0, TIME_MAX);
  if (deadline !== undefined && deadline < (runnableAt ?? 0)) throw invalidField('deadline', 'it is before runnable_at');
  return {
    pid,
    priority,
    runnableAt,
    deadline,
    trigger: checkTrigger(trigger),
    payload: checkPayload(payload, 'payload', 'queue_entry_invalid'),
    attemptsMax: checkInteger(request.attemptsMax ?? ATTEMPTS_DEFAULT, 'attempts_max', 1, ATTEMPTS_MAX),
    backoffMs: checkInteger(request.backoffMs ?? BACKOFF_MS_DEFAULT, 'backoff_ms', 0, BACKOFF_MS_MAX),
    cron: cron === undefined ? undefined : checkCron(cron),
    dedupeKey: dedupeKey === undefined ? undefined : checkWord(dedupeKey, 'dedupe_key', 'queue_entry_invalid'),
  };
}

function checkTrigger(trigger: string): string {
  if (checkWord(trigger, 'trigger', 'queue_entry_invalid') !== RUN_TRIGGER) return trigger;
  throw invalidField('trigger', `${RUN_TRIGGER} is for runs`);
}

export type CheckedClaim = {
  readonly worker: string;
  readonly limit: number;
  readonly leaseMs: number;
  readonly isAdmissionChecked: boolean;
  readonly startsProcess: boolean;
  readonly areRuns: boolean;
  readonly now: number | undefined;
};

export function checkClaim({
  worker,
  limit = 1,
  leaseMs,
  isAdmissionChecked = true,
  startsProcess = true,
  areRuns = false,
  now,
}: ClaimOptions): CheckedClaim {
  checkWord(worker, 'worker_id', 'queue_entry_invalid');
  checkInteger(limit, 'max_n', 1, Number.MAX_SAFE_INTEGER);
  if (now !== undefined) checkInteger(now, 'now', 0, TIME_MAX);
  return { worker, limit: Math.min(limit, CLAIMS_MAX), leaseMs: checkLease(leaseMs), isAdmissionChecked, startsProcess, areRuns, now };
}

export function checkLease(leaseMs = LEASE_MS_DEFAULT): number {
  return checkInteger(leaseMs, 'lease_ms', LEASE_MS_MIN, LEASE_MS_MAX);
}

/** Throws `queue_entry_invalid`. */
export function checkInteger(value: number, field: string, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw invalidField(field, `it is not a whole number from ${least} to ${most}`);
}
