/** What happens to entries that wait, or that wait again. */
import { Fault } from '@warren/protocol';
import type { Change, ProcessChanges } from '../process/process-changes.ts';
import type { Transaction } from '../store/store.ts';
import type { ProcessRow, ProcessState } from '../store/tables/process-table.ts';
import type { QueueRow } from '../store/tables/queue-table.ts';
import { queueNextRun, requireRoom } from './enqueue-entry.ts';
import { invalidField } from './entry.ts';
import type { EntryParts } from './entry-parts.ts';
import { accessOf, findLane, settleLane, settleNewcomer } from './lane.ts';
import { rankOf } from './rank.ts';

export function cancelEntry(transaction: Transaction, { onStop }: Pick<EntryParts, 'onStop'>, row: QueueRow): QueueRow {
  const cancelled: QueueRow = { ...row, state: 'cancelled', completedAt: transaction.now };
  leaveQueue(transaction, cancelled);
  const causationId = transaction.events.append({ pid: row.pid, kind: 'kernel.queue.cancelled', payload: { sched_id: row.id } });
  onStop(transaction, cancelled, causationId);
  return cancelled;
}

/** Its deadline passed. */
export function expireEntry(transaction: Transaction, { onStop }: Pick<EntryParts, 'onStop'>, row: QueueRow): void {
  const expired: QueueRow = { ...row, state: 'expired', completedAt: transaction.now };
  const state = leaveQueue(transaction, expired);
  const causationId = transaction.events.append({ pid: row.pid, kind: 'kernel.queue.expired', payload: { sched_id: row.id } });
  queueNextRun(transaction, expired, state, causationId);
  onStop(transaction, expired, causationId);
}

/** A dead letter begins anew. A series has gone on without it. Throws what enqueueing throws, and `queue_illegal_transition`. */
export function requeueDeadLetter(transaction: Transaction, changes: ProcessChanges, row: QueueRow): QueueRow {
  const { pid, dedupeKey, deadline } = row;
  const { state } = changes.require(transaction, pid);
  if (state === 'DEAD') throw invalidField('pid', `process ${pid} has ended`);
  if (deadline !== undefined && deadline <= transaction.now) throw invalidField('deadline', 'it has passed');
  const same = dedupeKey === undefined ? undefined : transaction.queue.findLive(pid, dedupeKey);
  if (same !== undefined) {
    throw new Fault('queue_illegal_transition', `Cannot retry queue entry ${row.id}: entry ${same.id} with its key is ${same.state}`, {
      details: { sched_id: row.id, prev_state: row.state, op: 'retry' },
    });
  }
  const lane = findLane(transaction, pid);
  requireRoom(transaction, lane);
  const { now } = transaction;
  const rank = rankOf(row.priority, now, row.createdAt);
  const begun = { worker: undefined, dispatchedAt: undefined, completedAt: undefined, exitKind: undefined, attempts: 0, cron: undefined };
  const again: QueueRow = { ...row, ...begun, state: 'queued', isDue: true, runnableAt: now, rank };
  transaction.queue.requeue(again, row.state);
  settleNewcomer(transaction, lane, state, again);
  transaction.events.append({ pid, kind: 'kernel.queue.requeued', payload: { sched_id: row.id } });
  return again;
}

/** A process stopped or goes on: what waits for it follows. */
export function followMove(transaction: Transaction, { after }: Pick<Change, 'after'>): void {
  const lane = transaction.queue.lane(after.pid);
  if (lane !== undefined && accessOf(after.state, lane) !== lane.access) settleLane(transaction, lane, after.state);
}

/** A process ended: nothing of it waits any more. What runs may still be completed; it is not repeated. */
export function followEnd(transaction: Transaction, { pid }: ProcessRow, causationId: number): void {
  const lane = transaction.queue.lane(pid);
  if (lane === undefined) return;
  transaction.queue.deleteLane(pid);
  const count = transaction.queue.cancelWaiting(pid);
  if (count > 0)
    transaction.events.append({ pid, kind: 'kernel.queue.cancelled', payload: { count, reason: 'process_ended' }, causationId });
}

/** Whether somebody has an entry of this process under a lease. */
export function isLeased(transaction: Transaction, pid: number): boolean {
  return findLane(transaction, pid).dispatched > 0;
}

/** Returns the state of the process. */
function leaveQueue(transaction: Transaction, row: QueueRow): ProcessState {
  transaction.queue.finish(row, 'queued');
  const state = transaction.processes.find(row.pid)?.state ?? 'DEAD';
  const lane = findLane(transaction, row.pid);
  settleLane(transaction, { ...lane, queued: lane.queued - 1 }, state);
  return state;
}
