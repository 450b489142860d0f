/** Budgets: each operation one transaction, with its event and whatever follows from it. */
import { Fault } from '@warren/protocol';
import { clamp, PAGE_DEFAULT, PAGE_MAX } from '../internal/page.ts';
import type { ReadTransaction, Transaction, WorkspaceStore } from '../store/store.ts';
import type { LedgerRow } from '../store/tables/ledger-table.ts';
import { accountKey, pidOf, processKey, requirePid, requireProcess } from './account.ts';
import {
  type Amount,
  checkAmount,
  checkAmounts,
  checkDimension,
  checkGrant,
  checkGrants,
  checkPolicy,
  checkWarnAt,
  DIMENSIONS_MAX,
  tooMany,
} from './amounts.ts';
import { answerChange, type BreachParts } from './answer-breach.ts';
import type { Charged, Ledger, LedgerEntry } from './ledger.ts';
import { charge, chargeRows, toCharge, toEntry } from './ledger-changes.ts';
import { closeReservation, reserve } from './reservations.ts';
import { wouldExceed, wouldUse } from './use.ts';

const WARN_AT_DEFAULT = 0.8;

export type LedgerParts = BreachParts & { readonly store: WorkspaceStore };

export function createLedger({ store, ...parts }: LedgerParts): Ledger {
  return {
    async create(account, grants, { warnAt = WARN_AT_DEFAULT, onBreach = 'suspend' } = {}) {
      const key = accountKey(account);
      const terms = { warnAt: checkWarnAt(warnAt), onBreach: checkPolicy(onBreach) };
      const checked = checkGrants(grants);
      return await store.write((transaction) => {
        requireProcess(transaction, account);
        return insert(transaction, key, checked, terms);
      });
    },

    async charge(pid, dim, amount) {
      const amounts: readonly Amount[] = [[checkDimension(dim), checkAmount(amount)]];
      return await store.write((transaction) => chargeOwn(transaction, pid, amounts, parts));
    },

    async record(pid, amounts) {
      const checked = checkAmounts(amounts, 'amounts');
      return await store.write((transaction) => {
        requirePid(transaction, pid);
        return charge(transaction, pid, checked, parts);
      });
    },

    async reserve(pid, amounts) {
      const checked = checkAmounts(amounts, 'amounts');
      return await store.write((transaction) => reserve(transaction, pid, checked));
    },

    async settle(reservationId, used) {
      const checked = checkAmounts(used, 'used');
      return await store.write((transaction) => {
        const closed = closeReservation(transaction, reservationId, checked);
        if (closed === undefined) return false;
        charge(transaction, closed.pid, closed.used, parts, closed.eventId);
        return true;
      });
    },

    async check(pid, dim, amount) {
      checkDimension(dim);
      checkAmount(amount);
      return await store.read((transaction) => {
        const row = require(transaction, processKey(pid), dim);
        const { used, reserved, granted } = row;
        return { used, reserved, granted, wouldUse: wouldUse(row, amount), wouldExceed: wouldExceed(row, amount) };
      });
    },

    async list(account) {
      const key = accountKey(account);
      return await store.read(({ ledger }) => ledger.rows([key]).map(toEntry));
    },

    listBreached: (limit) => store.read(({ ledger }) => ledger.breached(clamp(limit, PAGE_DEFAULT, 1, PAGE_MAX)).map(toEntry)),

    async refund(account, dim, amount) {
      const key = accountKey(account);
      checkDimension(dim);
      checkAmount(amount);
      return await store.write((transaction) => refund(transaction, require(transaction, key, dim), amount, parts));
    },

    async updateGrant(account, dim, granted) {
      const key = accountKey(account);
      checkDimension(dim);
      checkGrant(granted);
      return await store.write((transaction) => setGranted(transaction, require(transaction, key, dim), granted, parts));
    },
  };
}

function insert(
  transaction: Transaction,
  account: string,
  grants: readonly Amount[],
  terms: Pick<LedgerRow, 'warnAt' | 'onBreach'>,
): readonly LedgerEntry[] {
  const existing = transaction.ledger.rows([account]);
  const taken = grants.find(([dim]) => existing.some((row) => row.dim === dim));
  if (taken !== undefined) throw exists(account, taken[0]);
  if (existing.length + grants.length > DIMENSIONS_MAX) throw tooMany('grants', existing.length + grants.length);
  const rows = grants.map(([dim, granted]): LedgerRow => ({ account, dim, used: 0, reserved: 0, granted, ...terms }));
  for (const row of rows) transaction.ledger.insert(row);
  const payload = { account, grants: Object.fromEntries(grants), warn_at: terms.warnAt, on_breach: terms.onBreach };
  transaction.events.append({ pid: pidOf(account), kind: 'kernel.ledger.created', payload });
  return rows.map(toEntry);
}

/** Counts wherever there is a budget for it; the answer is about the process's own, or the nearest. */
function chargeOwn(transaction: Transaction, pid: number, amounts: readonly Amount[], parts: BreachParts): Charged {
  const { ledger } = transaction;
  const dim = amounts[0]?.[0] ?? '';
  const rows = ledger.rows(ledger.accountsOf(pid), dim);
  if (rows.length === 0) throw notFound(processKey(pid), dim);
  const [nearest] = chargeRows(transaction, pid, rows, amounts, parts);
  if (nearest === undefined) throw new Error(`No charge for process ${pid}`);
  return toCharge(nearest).charged;
}

function refund(transaction: Transaction, before: LedgerRow, amount: number, parts: BreachParts): LedgerEntry {
  const { account, dim, used, granted } = before;
  if (amount > used) {
    throw new Fault('ledger_refund_invalid', `Cannot refund ${amount} ${dim} to ${account}: ${used} are used`, {
      details: { ...naming(account, dim), used, refund: amount },
    });
  }
  const after = { ...before, used: used - amount };
  if (amount === 0) return toEntry(after);
  transaction.ledger.setUsed(account, dim, after.used);
  const payload = { account, dim, amount, used: after.used, granted };
  const eventId = transaction.events.append({ pid: pidOf(account), kind: 'kernel.ledger.refunded', payload });
  answerChange(transaction, { before, after }, parts, { eventId, pid: undefined });
  return toEntry(after);
}

/** A lower limit may be a breach, a higher one the end of it. */
function setGranted(transaction: Transaction, before: LedgerRow, granted: number, parts: BreachParts): LedgerEntry {
  const { account, dim, used } = before;
  const after = { ...before, granted };
  if (granted === before.granted) return toEntry(after);
  transaction.ledger.setGranted(account, dim, granted);
  const payload = { account, dim, granted, prev_granted: before.granted, used };
  const eventId = transaction.events.append({ pid: pidOf(account), kind: 'kernel.ledger.granted', payload });
  answerChange(transaction, { before, after }, parts, { eventId, pid: undefined });
  return toEntry(after);
}

function require({ ledger }: ReadTransaction, account: string, dim: string): LedgerRow {
  const row = ledger.find(account, dim);
  if (row === undefined) throw notFound(account, dim);
  return row;
}

function notFound(account: string, dim: string): Fault {
  return new Fault('ledger_not_found', `Cannot find a budget of ${account} for ${dim}: there is none`, { details: naming(account, dim) });
}

function exists(account: string, dim: string): Fault {
  return new Fault('ledger_exists', `Cannot create a budget of ${account} for ${dim}: there is one`, { details: naming(account, dim) });
}

function naming(account: string, dim: string): { readonly account: string; readonly dim: string; readonly pid?: number } {
  const pid = pidOf(account);
  return pid === undefined ? { account, dim } : { account, dim, pid };
}
