/** One vote, inside a transaction: who may cast it, what it changes, and whether it was the last. */
import { isDeepStrictEqual } from 'node:util';
import { Fault } from '@warren/protocol';
import type { Transaction } from '../store/store.ts';
import type { ApprovalRow } from '../store/tables/approval-table.ts';
import { readAlways, termsOf, writeAlways, writeRule, writeTerms } from './approval-row.ts';
import type { AlwaysAllow, Approver } from './approvals.ts';
import { escalateAt } from './ask.ts';
import { decide } from './decide.ts';
import type { Edited } from './desk.ts';

/** Expired is a value, because that it expired is written down and what throws writes nothing. */
export type Voted = { readonly kind: 'counted' | 'decided' | 'expired'; readonly row: ApprovalRow };

export type Ballot = {
  readonly by: Approver;
  readonly note?: string | undefined;
  readonly edited?: Edited | undefined;
  readonly always?: AlwaysAllow | undefined;
  /** Of what the voter has read. */
  readonly callHash?: string | undefined;
};

export function voteFor(transaction: Transaction, id: string, ballot: Ballot): Voted {
  const row = requireRead(requirePending(transaction, id), ballot.callHash);
  if (row.expiresAt <= transaction.now) return { kind: 'expired', row: decide(transaction, row, { state: 'expired' }) };
  const { by, note, edited, always } = ballot;
  requireAsked(row, by);
  if (edited === undefined) requireFirst(row, by);
  const { now, approvals, calls, events } = transaction;
  const replaced = edited === undefined ? {} : replace(transaction, row, edited);
  const asked = { ...row, ...replaced };
  // Whoever puts other arguments in their place has to be one of those who are asked about these.
  if (edited !== undefined) requireAsked(asked, by);
  const vote = { approver: by.name, at: now, note, ...(always !== undefined && { always: writeAlways(always) }) };
  const votes = [...(edited === undefined ? row.votes : []), vote];
  approvals.update(id, { votes, ...replaced });
  if (edited !== undefined) calls.update(row.callId, { input: edited.input });
  const { quorum } = termsOf(asked);
  const payload = {
    approval_id: id,
    call_id: row.callId,
    by: by.name,
    votes: votes.length,
    quorum,
    is_edited: edited !== undefined,
  };
  events.append({ pid: row.pid, kind: 'kernel.approval.voted', payload });
  const voted = { ...asked, votes };
  if (votes.length < quorum) return { kind: 'counted', row: voted };
  return { kind: 'decided', row: decide(transaction, voted, { state: 'approved', by: by.name, reason: note }) };
}

/** The question is now about other arguments, and put to those who are asked about such: never to fewer people than it was. */
function replace(transaction: Transaction, row: ApprovalRow, { redacted, callHash, check }: Edited): Partial<ApprovalRow> {
  const reasked = check(transaction);
  const edited = { editedInput: redacted, callHash };
  if (reasked === undefined) return edited;
  const terms = { ...reasked.terms, quorum: Math.max(reasked.terms.quorum, termsOf(row).quorum) };
  const rule = reasked.rule === undefined ? undefined : writeRule(reasked.rule);
  return {
    ...edited,
    rule,
    terms: writeTerms(terms),
    escalateAt: escalateAt(transaction.now, row.expiresAt, terms),
    escalatedAt: undefined,
  };
}

export function voteAgainst(transaction: Transaction, id: string, { by, note, callHash }: Omit<Ballot, 'edited' | 'always'>): Voted {
  return end(transaction, id, { by, note, callHash, state: 'rejected' });
}

export function takeBack(transaction: Transaction, id: string, { by, note }: Pick<Ballot, 'by' | 'note'>): Voted {
  return end(transaction, id, { by, note, state: 'cancelled' });
}

type Against = Omit<Ballot, 'edited' | 'always'> & { readonly state: 'rejected' | 'cancelled' };

function end(transaction: Transaction, id: string, { by, note, callHash, state }: Against): Voted {
  const row = requireRead(requirePending(transaction, id), callHash);
  if (row.expiresAt <= transaction.now) return { kind: 'expired', row: decide(transaction, row, { state: 'expired' }) };
  requireAsked(row, by);
  return { kind: 'decided', row: decide(transaction, row, { state, by: by.name, reason: note }) };
}

/** What everybody who said yes would allow from now on. Throws `permission_denied` when somebody did not say it. */
export function agreedAlways({ id, votes }: ApprovalRow): AlwaysAllow {
  const said = votes.map(({ always }) => (always === undefined ? undefined : readAlways(always)));
  const [first] = said;
  const against = votes.find((_, index) => !isDeepStrictEqual(said[index]?.scope, first?.scope) || said[index] === undefined);
  if (first === undefined || against !== undefined) {
    throw new Fault(
      'permission_denied',
      `Cannot allow always with ${id}: ${against?.approver ?? 'nobody'} said yes to this call only, and all of those it needs have to say "always" of the same scope`,
      { details: { field: 'always' } },
    );
  }
  return { scope: first.scope, forMs: Math.min(...said.map((each) => each?.forMs ?? 0)) };
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

/** Somebody may have edited the arguments since: a vote is for what was read. */
function requireRead(row: ApprovalRow, callHash: string | undefined): ApprovalRow {
  if (callHash === undefined || callHash === row.callHash) return row;
  throw new Fault('conflict', `Cannot decide approval ${row.id}: its arguments are others than those that were read`, {
    details: { state: row.state, call_hash: row.callHash },
  });
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
