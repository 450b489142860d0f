/**
 * The ledger inside a transaction: what other parts use of it in theirs, and what the public operations of `create-ledger.ts` are made of.
 *
 * A budget is a row for an account (a process, an agent, the workspace) and a dimension. A process pays into every account of its chain:
 * its own, those of its ancestors, of the agents they run for, and of the workspace. Three things hold. What was used is recorded, also
 * beyond a limit. What is promised (`reserve`) never exceeds a limit, however many ask at once. And who pays into an account that used
 * more than it was granted does not go on: crossing the limit stops what runs in the transaction of the charge, and nothing more is
 * promised or admitted until somebody adds to the budget.
 */
import type { ReadTransaction, Transaction } from '../store/store.ts';
import type { LedgerRow } from '../store/tables/ledger-table.ts';
import { readAccount } from './account.ts';
import type { Amount } from './amounts.ts';
import { answerChange, type BreachParts, findBreached, isFirstBreach, isWarning, type RowChange } from './answer-breach.ts';
import type { Account, Charged, LedgerEntry } from './ledger.ts';
import { addUse, isOver, wouldExceed } from './use.ts';

export type AccountCharge = { readonly account: Account; readonly charged: Charged };

/** What other parts use of the ledger. Amounts are trusted: the kernel measured them. */
export interface LedgerChanges {
  /** An account of the process that used more than it was granted: its work is not admitted. */
  findBreach(transaction: ReadTransaction, pid: number): { readonly account: Account; readonly dim: string } | undefined;
  /** The first account of the process that has too little left for this. */
  wouldExceed(transaction: ReadTransaction, pid: number, dim: string, amount: number): LedgerEntry | undefined;
  /** Records use in every account of the process that has the dimension, and does what follows. */
  chargeInside(
    transaction: Transaction,
    pid: number,
    amounts: Readonly<Record<string, number>>,
    causationId?: number,
  ): readonly AccountCharge[];
}

export function createLedgerChanges(parts: BreachParts): LedgerChanges {
  return {
    findBreach(transaction, pid) {
      const row = findBreached(transaction, pid);
      return row === undefined ? undefined : { account: readAccount(row.account), dim: row.dim };
    },

    wouldExceed(transaction, pid, dim, amount) {
      const { ledger } = transaction;
      const row = ledger.rows(ledger.accountsOf(pid), dim).find((each) => wouldExceed(each, amount));
      return row === undefined ? undefined : toEntry(row);
    },

    chargeInside: (transaction, pid, amounts, causationId) => charge(transaction, pid, Object.entries(amounts), parts, causationId),
  };
}

export function charge(
  transaction: Transaction,
  pid: number,
  amounts: readonly Amount[],
  parts: BreachParts,
  causationId?: number,
): readonly AccountCharge[] {
  if (amounts.length === 0) return [];
  const { ledger } = transaction;
  const onlyDim = amounts.length === 1 ? amounts[0]?.[0] : undefined;
  return chargeRows(transaction, pid, ledger.rows(ledger.accountsOf(pid), onlyDim), amounts, parts, causationId).map(toCharge);
}

/** All rows are written before anything follows from them: what follows may change rows too. */
export function chargeRows(
  transaction: Transaction,
  pid: number,
  rows: readonly LedgerRow[],
  amounts: readonly Amount[],
  parts: BreachParts,
  causationId?: number,
): readonly Use[] {
  const uses: Use[] = [];
  for (const before of rows) {
    const amount = amountOf(amounts, before.dim);
    if (amount !== undefined) uses.push({ before, after: { ...before, used: addUse(before.dim, before.used, amount) }, amount });
  }
  const changed = uses.filter(({ before, after }) => before.used !== after.used);
  if (changed.length > 0) {
    for (const { after } of changed) transaction.ledger.setUsed(after.account, after.dim, after.used);
    const payload = { entries: changed.map(describe) };
    const eventId = transaction.events.append({ pid, kind: 'kernel.ledger.charged', payload, causationId });
    for (const change of changed) answerChange(transaction, change, parts, { eventId, pid });
  }
  return uses;
}

/** They are few. The last one counts, as in an object. */
function amountOf(amounts: readonly Amount[], dim: string): number | undefined {
  return amounts.findLast(([each]) => each === dim)?.[1];
}

/** What one row was charged. */
export type Use = RowChange & { readonly amount: number };

function describe({ after: { account, dim, used, granted }, amount }: Use) {
  return { account, dim, amount, used, granted };
}

export function toCharge(use: Use): AccountCharge {
  const { account, dim, used, granted } = use.after;
  return {
    account: readAccount(account),
    charged: {
      dim,
      amount: use.amount,
      used,
      granted,
      isOver: isOver(use.after),
      isWarning: isWarning(use),
      isFirstBreach: isFirstBreach(use),
    },
  };
}

export function toEntry(row: LedgerRow): LedgerEntry {
  return { ...row, account: readAccount(row.account) };
}
