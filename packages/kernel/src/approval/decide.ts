/**
 * The end of a question, inside a transaction. Whatever ends it but approval ends its call with it: the row of the call says so and stays until the
 * entry of the audit is on disk, so that a start finds what the audit lacks.
 */
import type { Transaction } from '../store/store.ts';
import type { ApprovalRow, ApprovalState } from '../store/tables/approval-table.ts';

export type Ending = {
  readonly state: Exclude<ApprovalState, 'pending'>;
  /** Absent: nobody did, it happened. */
  readonly by?: string | undefined;
  readonly reason?: string | undefined;
  readonly causationId?: number | undefined;
};

export function decide(transaction: Transaction, row: ApprovalRow, { state, by, reason, causationId }: Ending): ApprovalRow {
  const { now, approvals, calls, events } = transaction;
  const ended = { state, decidedAt: now, escalateAt: undefined, reason };
  approvals.update(row.id, ended);
  if (state !== 'approved') {
    const record = { ...calls.find(row.callId)?.record, decided: { state, by: by ?? null } };
    calls.update(row.callId, { state: 'open', input: undefined, record });
  }
  const payload = {
    approval_id: row.id,
    call_id: row.callId,
    agent: row.agent,
    capability: row.capability,
    state,
    by: by ?? null,
    reason: reason ?? null,
  };
  events.append({ pid: row.pid, kind: 'kernel.approval.decided', payload, causationId });
  return { ...row, ...ended };
}
