/** How an entry comes into the queue. */
import { Fault } from '@warren/protocol';
import type { ProcessChanges } from '../process/process-changes.ts';
import type { Transaction } from '../store/store.ts';
import type { ProcessState } from '../store/tables/process-table.ts';
import type { CronRow, LaneRow, NewQueueRow, QueueRow } from '../store/tables/queue-table.ts';
import type { CheckedEnqueue } from './check-request.ts';
import { invalidCron, nextRun } from './cron.ts';
import { invalidField } from './entry.ts';
import { findLane, settleNewcomer } from './lane.ts';
import { rankOf } from './rank.ts';

/** Entries that may wait for one process, and in one workspace. */
const QUEUED_OF_PROCESS_MAX = 10_000;
const QUEUED_MAX = 1_000_000;

/**
 * The entry, or the one that waits or runs under its key. One that is owed is queued however much waits: whoever owes it holds it to a bound of his own.
 * Throws `unknown_pid`, `queue_entry_invalid`, `queue_admission_denied`.
 */
export function enqueueEntry(
  transaction: Transaction,
  changes: ProcessChanges,
  request: CheckedEnqueue,
  { isOwed = false }: { readonly isOwed?: boolean } = {},
): QueueRow {
  const { pid, dedupeKey } = request;
  const { state } = changes.require(transaction, pid);
  if (state === 'DEAD') throw invalidField('pid', `process ${pid} has ended`);
  const same = dedupeKey === undefined ? undefined : transaction.queue.findLive(pid, dedupeKey);
  if (same !== undefined) return same;
  const lane = findLane(transaction, pid);
  if (!isOwed) requireRoom(transaction, lane);
  return insertEntry(transaction, { ...request, ...timesOf(request, transaction.now) }, lane, state);
}

/** Throws `queue_admission_denied` when too much waits already. */
export function requireRoom(transaction: Transaction, { pid, queued }: LaneRow): void {
  if (queued >= QUEUED_OF_PROCESS_MAX) throw full(pid, `${queued} entries of process ${pid} wait, the limit is ${QUEUED_OF_PROCESS_MAX}`);
  const all = transaction.queue.totals().queued;
  if (all >= QUEUED_MAX) throw full(pid, `${all} entries of the workspace wait, the limit is ${QUEUED_MAX}`);
}

/** Queues the next run of a series, if there is one and the process is there to do it. */
export function queueNextRun(transaction: Transaction, row: QueueRow, state: ProcessState, causationId: number): void {
  if (row.cron === undefined || state === 'DEAD') return;
  const runnableAt = nextRun(row.cron, Math.max(transaction.now, row.runnableAt));
  if (runnableAt === undefined) return;
  insertEntry(
    transaction,
    { ...row, runnableAt, deadline: deadlineOf(runnableAt, row.cron) },
    findLane(transaction, row.pid),
    state,
    causationId,
  );
}

type Times = Pick<NewQueueRow, 'runnableAt' | 'deadline' | 'cron'>;

function timesOf({ runnableAt, deadline, cron }: CheckedEnqueue, now: number): Times {
  const from = runnableAt ?? now;
  if (deadline !== undefined && deadline < from) throw invalidField('deadline', 'it has passed');
  if (cron === undefined) return { runnableAt: from, deadline, cron };
  const first = nextRun(cron, Math.max(now, from) - 1); // A run at that very time is one.
  if (first === undefined) throw invalidCron('there is no time it runs at');
  const series = { ...cron, windowMs: deadline === undefined ? undefined : deadline - from };
  return { runnableAt: first, deadline: deadlineOf(first, series), cron: series };
}

function deadlineOf(runnableAt: number, { windowMs }: CronRow): number | undefined {
  return windowMs === undefined ? undefined : runnableAt + windowMs;
}

function insertEntry(
  transaction: Transaction,
  entry: Omit<NewQueueRow, 'isDue' | 'rank'>,
  lane: LaneRow,
  state: ProcessState,
  causationId?: number,
): QueueRow {
  const { now } = transaction;
  const { pid, runnableAt, priority, trigger } = entry;
  const isDue = runnableAt <= now;
  const complete: NewQueueRow = { ...entry, isDue, rank: rankOf(priority, runnableAt, now) };
  const id = transaction.queue.insert(complete);
  const payload = {
    ...{ sched_id: id, priority, trigger, delay_ms: Math.max(0, runnableAt - now), runnable_at: runnableAt },
    ...{ deadline: entry.deadline ?? null, attempts_max: entry.attemptsMax, cron: entry.cron?.pattern ?? null },
    dedupe_key: entry.dedupeKey ?? null,
  };
  transaction.events.append({ pid, kind: 'kernel.queue.enqueued', payload, causationId });
  settleNewcomer(transaction, lane, state, { ...complete, id });
  return { ...complete, ...UNCLAIMED, id, state: 'queued', createdAt: now };
}

const UNCLAIMED = {
  worker: undefined,
  startsProcess: false,
  dispatchedAt: undefined,
  completedAt: undefined,
  exitKind: undefined,
  fence: 0,
  attempts: 0,
  leaseUntil: undefined,
  leaseMs: undefined,
  error: undefined,
} as const satisfies Partial<QueueRow>;

function full(pid: number, why: string): Fault {
  return new Fault('queue_admission_denied', `Cannot enqueue for process ${pid}: ${why}`, { details: { pid, dim: 'queued' } });
}
