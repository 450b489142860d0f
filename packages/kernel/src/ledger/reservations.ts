/**
 * Reservations inside a transaction. One is open until it is settled (its call is done, and what it used is charged) or released (its process
 * ended, or the kernel restarted without it). What was released can still be settled for a while: what was used was used.
 */
import { Fault } from '@warren/protocol';
import type { Transaction } from '../store/store.ts';
import type { Hold, LedgerRow } from '../store/tables/ledger-table.ts';
import type { ProcessRow } from '../store/tables/process-table.ts';
import { readAccount } from './account.ts';
import type { Amount } from './amounts.ts';
import type { Reserved } from './ledger.ts';
import { isOver, isPeak, wouldExceed } from './use.ts';

/** Open reservations of one process: calls it has under way. */
const OPEN_MAX = 1_000;
const RELEASED_KEPT_MS = 86_400_000;

/** Sets aside in every account at once, or says which is spent. */
export function reserve(transaction: Transaction, pid: number, amounts: readonly Amount[]): Reserved {
  requireRoom(transaction, pid);
  const { ledger } = transaction;
  const rows = ledger.rows(ledger.accountsOf(pid));
  const amountOf = new Map(amounts);
  const denying = rows.find(isOver) ?? rows.find((row) => isTooMuch(row, amountOf.get(row.dim) ?? 0));
  if (denying !== undefined) {
    const { account, dim, used, reserved, granted } = denying;
    return { kind: 'denied', account: readAccount(account), dim, used, reserved, granted };
  }
  const holds = rows.flatMap(({ account, dim }): readonly Hold[] => {
    const amount = amountOf.get(dim) ?? 0;
    return amount === 0 || isPeak(dim) ? [] : [{ account, dim, amount }];
  });
  for (const { account, dim, amount } of holds) ledger.addReserved(account, dim, amount);
  const id = ledger.insertReservation({ pid, createdAt: transaction.now, holds });
  const reserved = Object.fromEntries(amounts);
  transaction.events.append({ pid, kind: 'kernel.ledger.reserved', payload: { reservation: id, amounts: reserved } });
  return { kind: 'reserved', reservation: { id, pid, amounts: reserved } };
}

/** Nothing is never too much, also where a grant was lowered below what is set aside. */
function isTooMuch(row: LedgerRow, amount: number): boolean {
  return amount > 0 && wouldExceed(row, amount);
}

function requireRoom(transaction: Transaction, pid: number): void {
  const process = transaction.processes.find(pid);
  if (process === undefined) throw new Fault('unknown_pid', `Cannot reserve for process ${pid}: it does not exist`, { details: { pid } });
  if (process.state === 'DEAD') throw new Fault('conflict', `Cannot reserve for process ${pid}: it is DEAD`, { details: { pid } });
  const open = transaction.ledger.countOpenReservations(pid);
  if (open < OPEN_MAX) return;
  throw new Fault('busy', `Cannot reserve for process ${pid}: ${open} reservations are open, the limit is ${OPEN_MAX}`, {
    details: { pid, limit: OPEN_MAX },
  });
}

/** Gives back what it held and forgets it. Returns its process and the event; undefined when there is no such reservation (any more). */
export function closeReservation(
  transaction: Transaction,
  id: number,
  used: readonly Amount[],
): { readonly pid: number; readonly used: readonly Amount[]; readonly eventId: number } | undefined {
  const reservation = transaction.ledger.findReservation(id);
  if (reservation === undefined) return undefined;
  const { pid, holds, releasedAt } = reservation;
  if (releasedAt === undefined) giveBack(transaction, holds);
  transaction.ledger.deleteReservation(id);
  const all = withUnsaid(used, holds);
  const payload = { reservation: id, amounts: Object.fromEntries(all) };
  return { pid, used: all, eventId: transaction.events.append({ pid, kind: 'kernel.ledger.settled', payload }) };
}

/** What was set aside and is not mentioned counts as used: a slip of the pen must not be a way to spend for nothing. */
function withUnsaid(used: readonly Amount[], holds: readonly Hold[]): readonly Amount[] {
  const said = new Set(used.map(([dim]) => dim));
  const unsaid = new Map(holds.filter(({ dim }) => !said.has(dim)).map(({ dim, amount }) => [dim, amount] as const));
  return [...used, ...unsaid];
}

/** What a process that ended had reserved is given back. */
export function endReservations(transaction: Transaction, process: ProcessRow, eventId: number): void {
  releaseReservations(transaction, process.pid, eventId);
}

/** Gives back what the open reservations of a process hold. Returns how many there were. */
export function releaseReservations(transaction: Transaction, pid: number, causationId?: number): number {
  const { ledger, now } = transaction;
  const open = ledger.openReservations(pid);
  if (open.length === 0) return 0;
  for (const { id, holds } of open) {
    giveBack(transaction, holds);
    ledger.markReleased(id, now);
  }
  const payload = { reservations: open.map(({ id }) => id) };
  transaction.events.append({ pid, kind: 'kernel.ledger.released', payload, causationId });
  ledger.purgeReleased(now - RELEASED_KEPT_MS, 2 * open.length); // More than were added, so that they do not pile up.
  return open.length;
}

function giveBack({ ledger }: Transaction, holds: readonly Hold[]): void {
  for (const { account, dim, amount } of holds) ledger.addReserved(account, dim, -amount);
}
