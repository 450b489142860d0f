/** Step 6: budgets have room. What is known (the call itself) is charged, what is estimated is set aside, in every account at once. */
import { readAccount } from '../ledger/account.ts';
import type { Amount } from '../ledger/amounts.ts';
import type { BreachParts } from '../ledger/answer-breach.ts';
import type { Account } from '../ledger/ledger.ts';
import { chargeRows } from '../ledger/ledger-changes.ts';
import { reserve } from '../ledger/reservations.ts';
import { isOver, wouldExceed } from '../ledger/use.ts';
import type { Transaction } from '../store/store.ts';
import type { LedgerRow } from '../store/tables/ledger-table.ts';
import { type GateError, gateError } from './call-error.ts';

export type Budgeted =
  | { readonly kind: 'reserved'; readonly reservationId: number | undefined }
  | { readonly kind: 'refused'; readonly error: GateError };

const CALL: Amount = ['tool_calls', 1];

export function reserveBudget(
  transaction: Transaction,
  parts: BreachParts,
  pid: number,
  capability: string,
  estimate: Readonly<Record<string, number>>,
): Budgeted {
  const { ledger } = transaction;
  const rows = ledger.rows(ledger.accountsOf(pid));
  if (rows.length === 0) return { kind: 'reserved', reservationId: undefined };
  const spent = findSpent(rows, estimate);
  if (spent !== undefined) return { kind: 'refused', error: exceeded(capability, spent) };
  const amounts = Object.entries(estimate).filter(([dim, amount]) => dim !== CALL[0] && amount > 0 && rows.some((row) => row.dim === dim));
  let reservationId: number | undefined;
  if (amounts.length > 0) {
    const reserved = reserve(transaction, pid, amounts);
    if (reserved.kind === 'denied') throw new Error(`Cannot reserve what there is room for: ${reserved.dim}`);
    reservationId = reserved.reservation.id;
  }
  chargeRows(transaction, pid, rows, [CALL], parts);
  return { kind: 'reserved', reservationId };
}

/** Without changing anything: whether people are to be asked for something that there is no budget for. */
export function checkBudget(
  transaction: Transaction,
  pid: number,
  capability: string,
  estimate: Readonly<Record<string, number>>,
): GateError | undefined {
  const { ledger } = transaction;
  const spent = findSpent(ledger.rows(ledger.accountsOf(pid)), estimate);
  return spent === undefined ? undefined : exceeded(capability, spent);
}

function findSpent(rows: readonly LedgerRow[], estimate: Readonly<Record<string, number>>): LedgerRow | undefined {
  const wanted = (dim: string): number => (dim === CALL[0] ? CALL[1] : Object.hasOwn(estimate, dim) ? (estimate[dim] ?? 0) : 0);
  return rows.find(isOver) ?? rows.find((row) => wanted(row.dim) > 0 && wouldExceed(row, wanted(row.dim)));
}

function exceeded(capability: string, { account, dim, used, reserved, granted }: LedgerRow): GateError {
  const whose = describeAccount(readAccount(account));
  return gateError('BudgetExceeded', {
    message: `Cannot call ${capability}: ${whose} has used ${used} and reserved ${reserved} of ${granted} ${dim}`,
    agentMessage: `The budget of ${whose} for ${dim} is spent (${used} used, ${reserved} promised, ${granted} granted). Nothing was done. Finish with what you have, or ask for more ${dim}.`,
    recovery: [
      { action: 'check_usage', description: 'Read what is left of your budgets', capability: 'agent.session' },
      { action: 'request_budget', description: `Ask an operator for more ${dim} for ${whose}` },
    ],
    context: { capability, account: whose, dimension: dim, used, reserved, granted },
  });
}

function describeAccount(account: Account): string {
  switch (account.kind) {
    case 'process':
      return `process ${account.pid}`;
    case 'agent':
      return `agent ${account.agent}`;
    case 'workspace':
      return 'the workspace';
    default:
      account satisfies never;
      return 'an account';
  }
}
