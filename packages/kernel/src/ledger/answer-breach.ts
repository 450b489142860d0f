/** What becomes of processes when a limit is crossed: in which way they stop, and how they go on. */
import type { ProcessChanges } from '../process/process-changes.ts';
import type { ReadTransaction, Transaction } from '../store/store.ts';
import { type LedgerRow, WORKSPACE_ACCOUNT } from '../store/tables/ledger-table.ts';
import type { ProcessRow } from '../store/tables/process-table.ts';
import { pidOf, processKey } from './account.ts';
import { isOver, isPastWarning } from './use.ts';

/** Somebody shall look again whether work of these processes may start: a budget of theirs is no longer breached. */
export type Readmit = (transaction: Transaction, pids: readonly number[] | 'all') => void;

export type BreachParts = { readonly changes: ProcessChanges; readonly readmit: Readmit };

/** A row of the ledger before and after something changed it. */
export type RowChange = { readonly before: LedgerRow; readonly after: LedgerRow };

/** How every reason begins that this file gives for a suspension. */
const REASON = 'budget:';

export function isFirstBreach({ before, after }: RowChange): boolean {
  return isOver(after) && !isOver(before);
}

export function isWarning({ before, after }: RowChange): boolean {
  return isPastWarning(after) && !isPastWarning(before);
}

/** What follows from a change of a row, caused by that event. `pid` is who used, if somebody did. */
export function answerChange(
  transaction: Transaction,
  { before, after }: RowChange,
  { changes, readmit }: BreachParts,
  { eventId, pid }: { readonly eventId: number; readonly pid: number | undefined },
): void {
  if (isWarning({ before, after })) appendCrossing(transaction, 'kernel.ledger.warned', after, pid, eventId);
  if (isFirstBreach({ before, after })) {
    const breachedId = appendCrossing(transaction, 'kernel.ledger.breached', after, pid, eventId);
    const payers = after.onBreach === 'deny' ? [] : transaction.ledger.payers(after.account);
    for (const payer of payers) stop(transaction, changes, after, payer.pid, breachedId);
  } else if (isOver(after) && pid !== undefined) {
    stop(transaction, changes, after, pid, eventId); // It was set going again although nothing was added.
  } else if (isOver(before) && !isOver(after)) {
    resume(transaction, { changes, readmit }, after.account, eventId);
  }
}

function appendCrossing(transaction: Transaction, kind: string, row: LedgerRow, pid: number | undefined, causationId: number): number {
  const { account, dim, used, granted, onBreach } = row;
  return transaction.events.append({
    pid: pidOf(account) ?? pid,
    kind,
    payload: { account, dim, used, granted, policy: onBreach },
    causationId,
  });
}

/** It may have ended meanwhile: with its parent, or because of another account. */
function stop(transaction: Transaction, changes: ProcessChanges, row: LedgerRow, pid: number, causationId: number): void {
  const process = row.onBreach === 'deny' ? undefined : transaction.processes.find(pid);
  if (process === undefined || process.state === 'DEAD') return;
  const { account, dim } = row;
  const because = { reason: `${REASON}${account}:${dim}`, causationId };
  if (row.onBreach === 'kill') {
    changes.end(transaction, process, { kind: 'failed', detail: { reason: 'budget', account, dim } }, because);
  } else if (process.state === 'RUNNING' || process.state === 'WAITING') {
    changes.move(transaction, process, 'SUSPENDED', because); // What is READY is not admitted.
  }
}

/** It and what is below it pay no longer into the accounts above it, and may have been stopped for one of those. */
export function followDetach(transaction: Transaction, parts: BreachParts, { pid }: ProcessRow, eventId: number): void {
  resume(transaction, parts, processKey(pid), eventId);
}

/**
 * Lets go on who was suspended for a budget, this or another, and pays into none that is breached still. One that several breaches concern was
 * suspended for the first of them and waits for the last.
 */
function resume(transaction: Transaction, { changes, readmit }: BreachParts, account: string, causationId: number): void {
  const payers = transaction.ledger.payers(account);
  for (const { pid, state, stateReason } of payers) {
    if (state !== 'SUSPENDED' || stateReason?.startsWith(REASON) !== true || findBreached(transaction, pid) !== undefined) continue;
    changes.move(transaction, changes.require(transaction, pid), 'READY', { reason: 'budget_restored', causationId });
  }
  readmit(transaction, account === WORKSPACE_ACCOUNT ? 'all' : payers.map(({ pid }) => pid));
}

/** A breached budget among those the process pays into. */
export function findBreached({ ledger }: ReadTransaction, pid: number): LedgerRow | undefined {
  return ledger.findBreached(ledger.accountsOf(pid));
}
