/** How an attempt ends: done, failed, given back, or its lease ran out; and what becomes of the entry and of its process. */
import type { JsonObject } from '../internal/json.ts';
import type { Exit } from '../process/process-changes.ts';
import type { Transaction } from '../store/store.ts';
import type { ExitKind, ProcessRow, ProcessState } from '../store/tables/process-table.ts';
import type { QueueRow } from '../store/tables/queue-table.ts';
import { backoffAfter } from './backoff.ts';
import { queueNextRun } from './enqueue-entry.ts';
import { requireEntry } from './entry.ts';
import type { EntryParts } from './entry-parts.ts';
import { findLane, settleLane } from './lane.ts';
import { rankOf } from './rank.ts';

const ERROR_CHARACTERS_MAX = 4_096;
const NOBODYS = { worker: undefined, dispatchedAt: undefined, leaseUntil: undefined, leaseMs: undefined } as const;

export type Completion = { readonly exitKind: ExitKind; readonly endsProcess: boolean; readonly detail: JsonObject | undefined };

export function completeEntry(transaction: Transaction, parts: EntryParts, row: QueueRow, completion: Completion): QueueRow {
  const { exitKind, endsProcess, detail } = completion;
  const done: QueueRow = { ...row, state: 'completed', completedAt: transaction.now, exitKind, leaseUntil: undefined, leaseMs: undefined };
  transaction.queue.finish(done, row.state);
  const payload = { sched_id: row.id, fence: row.fence, exit_kind: exitKind, detail: detail ?? null };
  const causationId = transaction.events.append({ pid: row.pid, kind: 'kernel.queue.completed', payload });
  const exit = endsProcess ? { kind: exitKind, detail } : undefined;
  const state = leaveProcess(transaction, parts, row, { hasReturned: false, reason: 'queue:completed', causationId, exit });
  queueNextRun(transaction, done, state, causationId);
  parts.onStop(transaction, done, causationId);
  return done;
}

export function failEntry(transaction: Transaction, parts: EntryParts, row: QueueRow, error: string): QueueRow {
  const payload = { sched_id: row.id, fence: row.fence, error: shorten(error) };
  const causationId = transaction.events.append({ pid: row.pid, kind: 'kernel.queue.failed', payload });
  return endFailed(transaction, parts, row, { error: shorten(error), reason: 'queue:failed', causationId });
}

/** Nobody prolonged its lease: whoever had it is taken for gone. */
export function takeBackEntry(transaction: Transaction, parts: EntryParts, row: QueueRow): QueueRow {
  const payload = { sched_id: row.id, fence: row.fence, worker_id: row.worker ?? null };
  const causationId = transaction.events.append({ pid: row.pid, kind: 'kernel.queue.lease_expired', payload });
  return endFailed(transaction, parts, row, { error: 'the lease ran out', reason: 'queue:lease_expired', causationId });
}

export function releaseEntry(transaction: Transaction, parts: EntryParts, row: QueueRow): QueueRow {
  const causationId = transaction.events.append({
    pid: row.pid,
    kind: 'kernel.queue.released',
    payload: { sched_id: row.id, fence: row.fence },
  });
  const because = { reason: 'queue:released', causationId };
  const isDue = row.runnableAt <= transaction.now;
  return returnEntry(transaction, parts, row, { ...row, ...NOBODYS, state: 'queued', isDue, attempts: row.attempts - 1 }, because);
}

/** Whoever has it got on: what failed before counts no more, so that only what never gets on becomes a dead letter. */
export function creditEntry(transaction: Transaction, row: QueueRow): void {
  if (row.attempts <= 1) return;
  transaction.queue.setAttempts({ ...row, attempts: 1 });
  transaction.events.append({ pid: row.pid, kind: 'kernel.queue.progressed', payload: { sched_id: row.id, fence: row.fence } });
}

type Because = { readonly reason: string; readonly causationId: number };

/** Again after a pause, or a dead letter when this was its last attempt. */
function endFailed(
  transaction: Transaction,
  parts: EntryParts,
  row: QueueRow,
  { error, reason, causationId }: Because & { readonly error: string },
): QueueRow {
  const { now } = transaction;
  const { id, pid, attempts } = row;
  if (attempts >= row.attemptsMax) {
    const dead: QueueRow = {
      ...row,
      ...NOBODYS,
      worker: row.worker,
      dispatchedAt: row.dispatchedAt,
      state: 'dead',
      completedAt: now,
      error,
    };
    transaction.queue.finish(dead, row.state);
    const because = transaction.events.append({ pid, kind: 'kernel.queue.dead', payload: { sched_id: id, attempts, error }, causationId });
    const state = leaveProcess(transaction, parts, row, { hasReturned: false, reason, causationId: because });
    queueNextRun(transaction, dead, state, because);
    parts.onStop(transaction, dead, because);
    return dead;
  }
  const backoff = backoffAfter(row, attempts);
  const runnableAt = now + backoff;
  const rank = rankOf(row.priority, runnableAt, row.createdAt);
  const payload = { sched_id: id, attempts, backoff_ms: backoff };
  const because = transaction.events.append({ pid, kind: 'kernel.queue.retried', payload, causationId });
  const again: QueueRow = { ...row, ...NOBODYS, state: 'queued', isDue: backoff === 0, runnableAt, rank, error };
  return returnEntry(transaction, parts, row, again, { reason, causationId: because });
}

/** Back to the queue; or cancelled when the process has ended, or ends with this. */
function returnEntry(transaction: Transaction, parts: EntryParts, row: QueueRow, again: QueueRow, because: Because): QueueRow {
  transaction.queue.requeue(again, row.state);
  const state = leaveProcess(transaction, parts, row, { ...because, hasReturned: true });
  if (state !== 'DEAD') return again;
  const found = requireEntry(transaction, row.id);
  return found.state === 'queued' ? cancelOrphan(transaction, found, because.causationId) : found;
}

function cancelOrphan(transaction: Transaction, row: QueueRow, causationId: number): QueueRow {
  const cancelled: QueueRow = { ...row, state: 'cancelled', completedAt: transaction.now };
  transaction.queue.finish(cancelled, row.state);
  const payload = { sched_id: row.id, reason: 'process_ended' };
  transaction.events.append({ pid: row.pid, kind: 'kernel.queue.cancelled', payload, causationId });
  return cancelled;
}

type Leaving = Because & {
  /** Whether the entry waits again. */
  readonly hasReturned: boolean;
  /** The process ends with this. */
  readonly exit?: Exit | undefined;
};

/** A claim of this entry is over: its process waits, or ends if that is asked for. Returns the state it has then. */
function leaveProcess(transaction: Transaction, parts: EntryParts, row: QueueRow, leaving: Leaving): ProcessState {
  const { hasReturned, reason, causationId } = leaving;
  const process = transaction.processes.find(row.pid);
  if (process === undefined || process.state === 'DEAD') return 'DEAD'; // Its lane went with it.
  const before = findLane(transaction, row.pid);
  const isLast = row.startsProcess || before.dispatched === 1;
  const exit = leaving.exit ?? (isLast ? requestedExit(process) : undefined);
  if (exit !== undefined) return parts.changes.end(transaction, process, exit, { reason, causationId }).after.state;
  // First the move: as long as the lane is taken, it changes nothing there.
  const isToWait = row.startsProcess && process.state === 'RUNNING';
  const { state } = isToWait ? parts.changes.move(transaction, process, 'WAITING', { reason, causationId }).after : process;
  const isTaken = before.isTaken && !row.startsProcess;
  const queued = before.queued + (hasReturned ? 1 : 0);
  settleLane(transaction, { ...before, isTaken, queued, dispatched: before.dispatched - 1 }, state);
  return state;
}

/** Somebody asked the process to terminate while it ran. */
function requestedExit({ state, pendingSignal }: ProcessRow): Exit | undefined {
  return state === 'RUNNING' && pendingSignal === 'terminate' ? { kind: 'cancelled', detail: { signal: pendingSignal } } : undefined;
}

function shorten(error: string): string {
  return error.slice(0, ERROR_CHARACTERS_MAX).toWellFormed();
}
