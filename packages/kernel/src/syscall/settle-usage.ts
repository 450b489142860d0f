/** Step 10: what was set aside is replaced by what was used. */
import type { BreachParts } from '../ledger/answer-breach.ts';
import { charge } from '../ledger/ledger-changes.ts';
import { closeReservation } from '../ledger/reservations.ts';
import type { Transaction } from '../store/store.ts';
import type { Usage } from './capability.ts';

export function settleUsage(
  transaction: Transaction,
  budget: BreachParts,
  pid: number,
  reservationId: number | undefined,
  usage: Usage,
): void {
  const amounts = Object.entries(usage).filter(([, amount]) => amount > 0);
  const closed = reservationId === undefined ? undefined : closeReservation(transaction, reservationId, Object.entries(usage));
  if (closed !== undefined) charge(transaction, pid, closed.used, budget, closed.eventId);
  else if (amounts.length > 0) charge(transaction, pid, amounts, budget);
}
