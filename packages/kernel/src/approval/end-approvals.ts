import type { Transaction } from '../store/store.ts';
import type { ProcessRow } from '../store/tables/process-table.ts';
import { decide } from './decide.ts';

const STEP = 200;

/** What a process that ended had asked for is withdrawn, decided or not, unless it was begun. `eventId` is the event of its end. */
export function endApprovals(transaction: Transaction, { pid }: ProcessRow, eventId: number): void {
  const { approvals, calls } = transaction;
  for (let rows = calls.ofProcess(pid, ['asked'], STEP); rows.length > 0; rows = calls.ofProcess(pid, ['asked'], STEP)) {
    for (const { id, approvalId } of rows) {
      const approval = approvalId === undefined ? undefined : approvals.find(approvalId);
      if (approval === undefined) throw new Error(`Call ${id} is asked about, and its question is not there`);
      decide(transaction, approval, { state: 'cancelled', reason: 'the process ended', causationId: eventId });
    }
  }
}
