/** Entries as their callers see them, and what is wrong with them. */
import { Fault } from '@warren/protocol';
import type { ReadTransaction } from '../store/store.ts';
import type { QueueRow, QueueState } from '../store/tables/queue-table.ts';
import type { QueueEntry } from './queue.ts';

export function toEntry(row: QueueRow): QueueEntry {
  return {
    id: row.id,
    pid: row.pid,
    priority: row.priority,
    runnableAt: row.runnableAt,
    deadline: row.deadline,
    trigger: row.trigger,
    payload: row.payload,
    state: row.state,
    worker: row.worker,
    createdAt: row.createdAt,
    dispatchedAt: row.dispatchedAt,
    completedAt: row.completedAt,
    exitKind: row.exitKind,
    attempts: row.attempts,
    attemptsMax: row.attemptsMax,
    backoffMs: row.backoffMs,
    leaseUntil: row.leaseUntil,
    error: row.error,
    cron: row.cron === undefined ? undefined : { pattern: row.cron.pattern, zone: row.cron.zone },
  };
}

/** Throws `queue_entry_not_found`. */
export function requireEntry(transaction: ReadTransaction, id: number): QueueRow {
  // An untyped caller may pass any value, also one that no text can be made of.
  if (typeof id !== 'number') throw new Fault('queue_entry_not_found', 'Cannot find the queue entry: its id is no number');
  const row = Number.isSafeInteger(id) ? transaction.queue.find(id) : undefined;
  if (row === undefined)
    throw new Fault('queue_entry_not_found', `Cannot find queue entry ${id}: it does not exist`, { details: { sched_id: id } });
  return row;
}

/** An entry under this very claim. Throws `queue_entry_not_found`, `queue_entry_invalid`, `lease_lost`. */
export function requireHeld(transaction: ReadTransaction, id: number, fence: number): QueueRow {
  if (typeof fence !== 'number') throw invalidField('fence', 'it is no number');
  const row = requireEntry(transaction, id);
  if (row.state === 'dispatched' && row.fence === fence) return row;
  throw new Fault(
    'lease_lost',
    `Cannot use claim ${fence} of queue entry ${id}: the entry is ${row.state} and its newest claim is ${row.fence}`,
    { details: { sched_id: id, fence } },
  );
}

export function requireState(row: QueueRow, state: QueueState, op: 'complete' | 'cancel' | 'retry'): void {
  if (row.state === state) return;
  throw new Fault('queue_illegal_transition', `Cannot ${op} queue entry ${row.id}: it is ${row.state}, not ${state}`, {
    details: { sched_id: row.id, prev_state: row.state, op },
  });
}

export function invalidField(field: string, why: string): Fault {
  return new Fault('queue_entry_invalid', `Cannot use ${field}: ${why}`, { details: { field } });
}
