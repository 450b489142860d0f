/**
 * What happens to runs inside a transaction: rows, steps and their events together. Runs follow what becomes of their process and of their entry, whoever did it, so a
 * run that has not ended always has a process that lives, and either an entry that waits or runs, or something that it waits for.
 */
import { Fault } from '@warren/protocol';
import type { JsonObject } from '../internal/json.ts';
import type { Exit } from '../process/process-changes.ts';
import { cancelEntry } from '../schedule/change-waiting.ts';
import { enqueueEntry } from '../schedule/enqueue-entry.ts';
import type { EntryParts } from '../schedule/entry-parts.ts';
import type { ReadTransaction, Transaction } from '../store/store.ts';
import type { ProcessRow } from '../store/tables/process-table.ts';
import { type QueueRow, RUN_TRIGGER } from '../store/tables/queue-table.ts';
import type { NewRunStep, RunOutcome, RunRow, RunState } from '../store/tables/run-table.ts';

/** So often it may be claimed without getting a step further. */
const ATTEMPTS_MAX = 5;
const BACKOFF_MS = 1_000;

export function requireRun(transaction: ReadTransaction, id: number): RunRow {
  const row = typeof id === 'number' && Number.isSafeInteger(id) ? transaction.runs.find(id) : undefined;
  if (row === undefined)
    throw new Fault('not_found', `Cannot find run ${String(id).slice(0, 40)}: it does not exist`, { details: { run: id } });
  return row;
}

/** It is told by its entry, which others move. */
export function stateOf({ queue }: ReadTransaction, { endedAt, entry, waitsFor }: RunRow): RunState {
  if (endedAt !== undefined) return 'ended';
  if (entry === undefined) return 'waiting';
  const found = queue.find(entry);
  if (found?.state === 'dispatched') return 'running';
  return waitsFor !== undefined && found?.isDue !== true ? 'waiting' : 'queued';
}

export function appendSteps(
  transaction: Transaction,
  row: RunRow,
  steps: readonly NewRunStep[],
  {
    tokens = 0,
    costMicro = 0,
    causationId,
  }: { readonly tokens?: number; readonly costMicro?: number; readonly causationId?: number | undefined } = {},
): RunRow {
  const after = transaction.runs.append(row, steps, { tokens, costMicro });
  for (const [index, { kind }] of steps.entries()) {
    const used = index === steps.length - 1 && tokens + costMicro > 0 ? { tokens, cost_micro: costMicro } : {};
    const payload = { run: row.id, seq: row.steps + index, kind, ...used };
    transaction.events.append({ pid: row.pid, kind: 'kernel.run.stepped', payload, causationId });
  }
  return after;
}

/** An entry of its own, with which it goes on at that time. The bound is that of runs, so no queue is too full for it. */
export function enqueueRun(
  transaction: Transaction,
  { changes }: EntryParts,
  { id, pid, priority }: RunRow,
  runnableAt?: number,
): QueueRow {
  const request = {
    pid,
    priority,
    runnableAt,
    deadline: undefined,
    trigger: RUN_TRIGGER,
    payload: { run: id },
    cron: undefined,
    dedupeKey: undefined,
  };
  return enqueueEntry(transaction, changes, { ...request, attemptsMax: ATTEMPTS_MAX, backoffMs: BACKOFF_MS }, { isOwed: true });
}

/** False when it does not wait. */
export function wakeRun(transaction: Transaction, parts: EntryParts, row: RunRow, causationId?: number): boolean {
  if (stateOf(transaction, row) !== 'waiting') return false;
  const alarm = row.entry === undefined ? undefined : transaction.queue.find(row.entry);
  const { id: entry } = enqueueRun(transaction, parts, row);
  transaction.runs.update({ ...row, entry, waitsFor: undefined });
  transaction.events.append({ pid: row.pid, kind: 'kernel.run.queued', payload: { run: row.id, sched_id: entry }, causationId });
  if (alarm !== undefined) cancelEntry(transaction, parts, alarm);
  return true;
}

export type RunEnd = { readonly outcome: RunOutcome; readonly result: JsonObject; readonly causationId?: number | undefined };

/** The run and nothing else: its process and its entry are for the caller. */
export function endRun(transaction: Transaction, parts: EntryParts, before: RunRow, { outcome, result, causationId }: RunEnd): RunRow {
  const row = appendSteps(transaction, before, [{ kind: 'end', json: JSON.stringify({ outcome, result }) }], { causationId });
  const ended: RunRow = { ...row, entry: undefined, waitsFor: undefined, outcome, endedAt: transaction.now };
  transaction.runs.update(ended);
  const payload = { run: row.id, outcome, steps: row.steps, tokens: row.tokens, cost_micro: row.costMicro, parent: row.parent ?? null };
  const eventId = transaction.events.append({ pid: row.pid, kind: 'kernel.run.ended', payload, causationId });
  const parent = row.parent === undefined ? undefined : transaction.runs.find(row.parent);
  if (parent !== undefined && isAwaited(parent, row.id)) wakeRun(transaction, parts, parent, eventId);
  return ended;
}

/** With its process, which ends for the same reason. */
export function endWithProcess(transaction: Transaction, parts: EntryParts, row: RunRow, end: RunEnd, exit: Exit): void {
  endRun(transaction, parts, row, end);
  const process = transaction.processes.find(row.pid);
  if (process === undefined || process.state === 'DEAD') return;
  parts.changes.end(transaction, process, exit, { reason: `run:${end.outcome}`, causationId: end.causationId });
}

/** The calls of the gate it waits for. */
export function awaitedCalls({ waitsFor }: Pick<RunRow, 'waitsFor'>): readonly string[] {
  return (waitsFor?.['calls'] ?? []) as readonly string[]; // `checkPark` made it.
}

function isAwaited({ waitsFor }: RunRow, run: number): boolean {
  return ((waitsFor?.['runs'] ?? []) as readonly number[]).includes(run); // As above.
}

/** A process ended, whatever ended it, and with it what it worked off. */
export function followProcessEnd(transaction: Transaction, parts: EntryParts, process: ProcessRow, causationId: number): void {
  const row = transaction.runs.findLive(process.pid);
  if (row === undefined) return;
  const { exitKind, exitDetail, stateReason } = process;
  const result = { reason: stateReason ?? null, exit_kind: exitKind ?? null, exit_detail: exitDetail ?? null };
  endRun(transaction, parts, row, { outcome: outcomeOf(process), result, causationId });
}

function outcomeOf({ exitKind, exitDetail }: ProcessRow): RunOutcome {
  switch (exitKind) {
    case 'completed':
      return 'completed';
    case 'cancelled':
    case undefined:
      return 'stopped';
    case 'failed':
      return exitDetail?.['reason'] === 'budget' ? 'budget' : 'failed';
    case 'crashed':
      return 'failed';
    default:
      return exitKind satisfies never;
  }
}

/** Somebody ended its entry without saying that it waits or has ended: nobody would go on with it. */
export function followEntry(transaction: Transaction, parts: EntryParts, entry: QueueRow, causationId: number): void {
  if (entry.trigger !== RUN_TRIGGER) return;
  const row = transaction.runs.findLive(entry.pid);
  if (row?.entry !== entry.id) return;
  const result = { reason: `queue:${entry.state}`, exit_kind: entry.exitKind ?? null, error: entry.error ?? null };
  const isStopped = entry.state === 'cancelled' || entry.exitKind === 'cancelled';
  const outcome = isStopped ? 'stopped' : entry.state === 'expired' ? 'timeout' : 'failed';
  const exit = { kind: isStopped ? 'cancelled' : 'failed', detail: { run: row.id, ...result } } as const;
  endWithProcess(transaction, parts, row, { outcome, result, causationId }, exit);
}
