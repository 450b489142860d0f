/** One vote, inside a transaction: who may cast it, what it changes, and whether it was the last. */
import { Fault } from '@warren/protocol';
import type { Transaction } from '../store/store.ts';
import type { ApprovalRow } from '../store/tables/approval-table.ts';
import { termsOf } from './approval-row.ts';
import type { Approver } from './approvals.ts';
import { decide } from './decide.ts';
import type { Edited } from './desk.ts';

/** Expired is a value, because that it expired is written down and what throws writes nothing. */
export type Voted = { readonly kind: 'counted' | 'decided' | 'expired'; readonly row: ApprovalRow };

export type Ballot = { readonly by: Approver; readonly note?: string | undefined; readonly edited?: Edited | undefined };

export function voteFor(transaction: Transaction, id: string, { by, note, edited }: Ballot): Voted {
  const row = requirePending(transaction, id);
  if (row.expiresAt <= transaction.now) return { kind: 'expired', row: decide(transaction, row, { state: 'expired' }) };
  requireAsked(row, by);
  if (edited === undefined) requireFirst(row, by);
  edited?.check(transaction);
  const { now, approvals, calls, events } = transaction;
  const votes = [...(edited === undefined ? row.votes : []), { approver: by.name, at: now, note }];
  const replaced = edited === undefined ? {} : { editedInput: edited.redacted, callHash: edited.callHash };
  approvals.update(id, { votes, ...replaced });
  if (edited !== undefined) calls.update(row.callId, { input: edited.input });
  const { quorum } = termsOf(row);
  const payload = {
    approval_id: id,
    call_id: row.callId,
    by: by.name,
    votes: votes.length,
    quorum,
    is_edited: edited !== undefined,
  };
  events.append({ pid: row.pid, kind: 'kernel.approval.voted', payload });
  const voted = { ...row, votes, ...replaced };
  if (votes.length < quorum) return { kind: 'counted', row: voted };
  return { kind: 'decided', row: decide(transaction, voted, { state: 'approved', by: by.name, reason: note }) };
}

export function voteAgainst(transaction: Transaction, id: string, by: Approver, reason: string | undefined): Voted {
  const row = requirePending(transaction, id);
  if (row.expiresAt <= transaction.now) return { kind: 'expired', row: decide(transaction, row, { state: 'expired' }) };
  requireAsked(row, by);
  return { kind: 'decided', row: decide(transaction, row, { state: 'rejected', by: by.name, reason }) };
}

export function requireApproval(row: ApprovalRow | undefined, id: string): ApprovalRow {
  if (row !== undefined) return row;
  throw new Fault('not_found', `Cannot find approval ${id.slice(0, 40)}: it does not exist`, { details: { approval: id.slice(0, 40) } });
}

export function requirePending({ approvals }: Transaction, id: string): ApprovalRow {
  const row = requireApproval(approvals.find(id), id);
  if (row.state === 'pending') return row;
  throw decidedAlready(row);
}

/** It waits for a decision, or for what was approved to become possible. */
export function requireUnbegun(transaction: Transaction, id: string): ApprovalRow {
  const row = requireApproval(transaction.approvals.find(id), id);
  if (row.state === 'approved' && transaction.calls.find(row.callId)?.state === 'asked') return row;
  return requirePending(transaction, id);
}

export function decidedAlready({ id, state, decidedAt }: ApprovalRow): Fault {
  return new Fault('conflict', `Cannot decide approval ${id}: it is ${state} already`, {
    details: { state, decided_at: decidedAt ?? null },
  });
}

function requireAsked(row: ApprovalRow, by: Approver): void {
  const { approvers, escalate } = termsOf(row);
  if (by.isOperator || approvers.length === 0) return;
  const asked = [...approvers, ...(row.escalatedAt === undefined ? [] : (escalate?.to ?? []))];
  if (by.groups.some((group) => asked.includes(group))) return;
  throw new Fault(
    'permission_denied',
    `Cannot decide approval ${row.id}: it is put to ${asked.join(', ')}, and ${by.name} is none of them`,
  );
}

function requireFirst(row: ApprovalRow, by: Approver): void {
  if (!row.votes.some(({ approver }) => approver === by.name)) return;
  throw new Fault('permission_denied', `Cannot approve ${row.id} once more: ${by.name} has voted already`);
}
