import type { ReadTransaction, Transaction } from '../store/store.ts';
import type { ApprovalRow } from '../store/tables/approval-table.ts';
import { termsOf } from './approval-row.ts';
import { decide } from './decide.ts';

/** Does what is due: a question whose time is over expires, one that nobody decided is put to others too. Whether there may be more. */
export function sweepApprovals(transaction: Transaction, limit: number): boolean {
  const { now, approvals } = transaction;
  const due = approvals.due(now, limit);
  for (const row of due) {
    if (row.expiresAt <= now) decide(transaction, row, { state: 'expired' });
    else escalate(transaction, row);
  }
  return due.length === limit;
}

export function nextSweepAt({ approvals }: ReadTransaction): number | undefined {
  return approvals.nextDue();
}

function escalate({ now, approvals, events }: Transaction, row: ApprovalRow): void {
  approvals.update(row.id, { escalateAt: undefined, escalatedAt: now });
  const payload = {
    approval_id: row.id,
    call_id: row.callId,
    agent: row.agent,
    capability: row.capability,
    to: termsOf(row).escalate?.to ?? [],
  };
  events.append({ pid: row.pid, kind: 'kernel.approval.escalated', payload });
}
