import type { Transaction } from '../store/store.ts';
import type { ProcessRow } from '../store/tables/process-table.ts';
import { PENDING_OF_PROCESS_MAX } from './ask.ts';
import { decide } from './decide.ts';

/** What a process that ended had asked for is withdrawn. `eventId` is the event of its end. */
export function endApprovals(transaction: Transaction, { pid }: ProcessRow, eventId: number): void {
  if (transaction.approvals.countPending(pid) === 0) return;
  for (const row of transaction.approvals.list({ state: 'pending', pid }, PENDING_OF_PROCESS_MAX)) {
    decide(transaction, row, { state: 'cancelled', reason: 'the process ended', causationId: eventId });
  }
}
