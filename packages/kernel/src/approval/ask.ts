import type { AskTerms, RuleRef } from '../policy/policy.ts';
import type { Transaction } from '../store/store.ts';
import type { ApprovalRow } from '../store/tables/approval-table.ts';
import { writeRule, writeTerms } from './approval-row.ts';

export type Question = Pick<ApprovalRow, 'id' | 'callId' | 'pid' | 'agent' | 'capability' | 'callHash' | 'input' | 'reasoning'> & {
  readonly rule: RuleRef | undefined;
  readonly terms: AskTerms;
};

/** Questions of one workspace that wait for a decision, of one process, and of one agent in all its processes: more are refused. */
export const PENDING_MAX = 10_000;
export const PENDING_OF_PROCESS_MAX = 100;
export const PENDING_OF_AGENT_MAX = 100;

const EXPIRES_MS_MIN = 1_000;
const EXPIRES_MS_MAX = 31_536_000_000;

/** Why no more may be asked. */
export type Crowded = { readonly whose: 'process' | 'agent' | 'workspace'; readonly pending: number; readonly limit: number };

/** Undefined when one more may be asked. */
export function findCrowd({ approvals }: Transaction, pid: number, agent: string): Crowded | undefined {
  const ofProcess = { whose: 'process', pending: approvals.countPending(pid), limit: PENDING_OF_PROCESS_MAX } as const;
  // Processes that run for no agent have nothing in common.
  const ofAgent = {
    whose: 'agent',
    pending: agent === '' ? 0 : approvals.countPendingOfAgent(agent),
    limit: PENDING_OF_AGENT_MAX,
  } as const;
  const ofAll = { whose: 'workspace', pending: approvals.countPending(), limit: PENDING_MAX } as const;
  return [ofProcess, ofAgent, ofAll].find(({ pending, limit }) => pending >= limit);
}

/** When others are asked too, if that is before it expires. */
export function escalateAt(now: number, expiresAt: number, { escalate }: AskTerms): number | undefined {
  return escalate !== undefined && now + escalate.afterMs < expiresAt ? now + escalate.afterMs : undefined;
}

/** Puts the question: a row, and the event by which people hear of it. */
export function ask(transaction: Transaction, { rule, terms, ...question }: Question): ApprovalRow {
  const { now, approvals, events } = transaction;
  const expiresAt = now + Math.min(EXPIRES_MS_MAX, Math.max(EXPIRES_MS_MIN, terms.expiresMs));
  const row: ApprovalRow = {
    ...question,
    state: 'pending',
    rule: rule === undefined ? undefined : writeRule(rule),
    terms: writeTerms(terms),
    createdAt: now,
    expiresAt,
    escalateAt: escalateAt(now, expiresAt, terms),
    escalatedAt: undefined,
    decidedAt: undefined,
    reason: undefined,
    editedInput: undefined,
    votes: [],
  };
  approvals.insert(row);
  const { id, callId, pid, agent, capability } = row;
  const payload = {
    approval_id: id,
    call_id: callId,
    agent,
    capability,
    expires_at: expiresAt,
    quorum: terms.quorum,
    approvers: terms.approvers,
  };
  events.append({ pid, kind: 'kernel.approval.requested', payload });
  return row;
}
