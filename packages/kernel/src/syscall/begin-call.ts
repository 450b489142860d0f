/**
 * The first transaction of a call, in the order of its steps. Nothing is written before everything is known to be in order, except what budgets and
 * counters lose and the row itself; so a call that is refused leaves nothing but its entry of the audit.
 */
import { Fault, type WorkspaceId } from '@warren/protocol';
import type { BreachParts } from '../ledger/answer-breach.ts';
import type { Decision, Policy } from '../policy/policy.ts';
import { isStopped } from '../process/pause-agent.ts';
import type { ReadTransaction, Transaction } from '../store/store.ts';
import type { CallRow } from '../store/tables/call-table.ts';
import type { ProcessRow } from '../store/tables/process-table.ts';
import { labelsOf } from '../taint/process-labels.ts';
import { isEnded } from './answer.ts';
import { askPeople } from './ask-people.ts';
import { type GateError, gateError } from './call-error.ts';
import type { CallError } from './capability.ts';
import { checkGrants } from './check-grants.ts';
import { countCall } from './count-call.ts';
import { decideCall } from './decide-call.ts';
import type { JournalRecord } from './journal-record.ts';
import { type NewCall, recordAgain, recordIntent } from './record-intent.ts';
import { type KeptRefusal, recordRefusal } from './record-refusal.ts';
import { checkBudget, reserveBudget } from './reserve-budget.ts';
import { isSameCall } from './review-call.ts';

export type BeginCall = NewCall & {
  readonly workspace: WorkspaceId;
  readonly policy: Policy;
  /** Labels the request names. */
  readonly taint: readonly string[];
  readonly askedHash: string | undefined;
  readonly deadlineMs: number;
  /** An error as it leaves. Pure. */
  readonly clean: (error: GateError) => CallError;
  /** Set when a row of this call exists and is to be carried out: because it was approved, or once more. */
  readonly again?: { readonly row: CallRow; readonly isApproved: boolean } | undefined;
};

export type Begun =
  /** It may be carried out, and is on disk as such. */
  | { readonly kind: 'open'; readonly record: JournalRecord; readonly decision: Decision; readonly reservationId: number | undefined }
  | { readonly kind: 'asked'; readonly record: JournalRecord; readonly approvalId: string; readonly expiresAt: number }
  /** Its key is known, or somebody else began it meanwhile. */
  | { readonly kind: 'known'; readonly row: CallRow }
  | { readonly kind: 'refused'; readonly error: GateError; readonly record: JournalRecord; readonly kept?: KeptRefusal | undefined };

export function beginCall(transaction: Transaction, budget: BreachParts, call: BeginCall): Begun {
  const process = requireLive(transaction, call.pid);
  const known = call.again === undefined ? findKnown(transaction, call) : findChanged(transaction, call.again.row);
  const suspended = isStopped(transaction, process) ? suspendedError(call, process) : undefined;
  if (known !== undefined && (suspended === undefined || known.state !== 'open' || isEnded(known))) return { kind: 'known', row: known };

  const agent = process.agent ?? '';
  const taint = taintOf(transaction, call);
  const { capability, facts, recorded, recordedFacts, inputHash } = call.valid;
  const recordWith = (decision: Decision | undefined): JournalRecord => ({
    agent,
    tier: decision?.tier ?? capability.defaultTier,
    rule: decision?.rule,
    exception: decision?.exception,
    policy: call.policy.version,
    input: recorded,
    inputHash,
    askedHash: call.askedHash,
    facts: recordedFacts,
    taint,
    reasoning: call.reasoning,
    via: call.via,
    deadlineMs: call.deadlineMs,
    counters: countedLater(decision),
  });
  if (suspended !== undefined) return { kind: 'refused', error: suspended, record: recordWith(undefined) };

  const isApproved = call.again?.isApproved ?? false;
  const decided = decideCall(transaction, call.policy, call.valid, { pid: call.pid, agent, taint }, isApproved);
  const record = recordWith(decided.decision);
  if (decided.kind === 'refused') return refuse(transaction, call, record, decided.error);

  // People are not asked for what would be refused then: whether it could be carried out is known before they are.
  const missing = checkGrants(transaction, call.pid, capability.name, facts);
  if (missing !== undefined) return refuse(transaction, call, record, missing);
  if (decided.kind === 'ask') {
    if (call.again !== undefined) return { kind: 'refused', error: askedNow(call), record };
    const spent = checkBudget(transaction, call.pid, capability.name, facts.estimate);
    if (spent !== undefined) return { kind: 'refused', error: spent, record };
    const asked = askPeople(transaction, call, record, decided.decision);
    if (asked.kind === 'refused') return { kind: 'refused', error: asked.error, record };
    return { kind: 'asked', record, approvalId: asked.approval.id, expiresAt: asked.approval.expiresAt };
  }

  const budgeted = reserveBudget(transaction, budget, call.pid, capability.name, facts.estimate);
  if (budgeted.kind === 'refused') return { kind: 'refused', error: budgeted.error, record };
  countCall(transaction, decided.decision.counters);
  if (call.again === undefined) recordIntent(transaction, call, record, budgeted.reservationId);
  else recordAgain(transaction, call.again.row, record, budgeted.reservationId);
  return { kind: 'open', record, decision: decided.decision, reservationId: budgeted.reservationId };
}

/** With a key, what was decided about this call for good is its first answer and is kept; what time mends is not. */
function refuse(transaction: Transaction, call: BeginCall, record: JournalRecord, error: GateError): Begun {
  const isKept = call.idempotencyKey !== undefined && call.again === undefined && error.type !== 'RateLimited';
  return { kind: 'refused', error, record, kept: isKept ? recordRefusal(transaction, call, record, call.clean(error)) : undefined };
}

/** Throws `unknown_pid` and `conflict`. */
export function requireLive({ processes }: ReadTransaction, pid: number): ProcessRow {
  const process = processes.find(pid);
  if (process === undefined)
    throw new Fault('unknown_pid', `Cannot make a call as process ${pid}: it does not exist`, { details: { pid } });
  if (process.state === 'DEAD')
    throw new Fault('conflict', `Cannot make a call as process ${pid}: it is DEAD`, { details: { pid, state: 'DEAD' } });
  return process;
}

/** Throws `conflict` when the key was used for another call. */
function findKnown({ calls }: Transaction, { pid, idempotencyKey, valid, askedHash }: BeginCall): CallRow | undefined {
  if (idempotencyKey === undefined) return undefined;
  const row = calls.findByKey(pid, idempotencyKey);
  if (row === undefined || isSameCall(row, valid, askedHash)) return row;
  throw new Fault('conflict', `Cannot make the call: its key was used for another call, ${row.id}`, {
    details: { field: 'idempotency_key', call_id: row.id },
  });
}

/** Each attempt is one: who read a row that somebody else has begun or ended since does nothing. */
function findChanged({ calls }: Transaction, row: CallRow): CallRow | undefined {
  const now = calls.find(row.id);
  return now === undefined || now.state !== row.state || now.attempts !== row.attempts || isEnded(now) ? (now ?? row) : undefined;
}

function taintOf(transaction: ReadTransaction, { pid, taint }: BeginCall): readonly string[] {
  const carried = labelsOf(transaction, pid);
  return carried.length === 0 ? taint : [...new Set([...carried, ...taint])];
}

function countedLater(decision: Decision | undefined): JournalRecord['counters'] {
  const later = decision?.counters.filter(({ what }) => what !== 'calls') ?? [];
  return later.length === 0 ? undefined : later;
}

/** It was begun by a life that ended, and by now people have to be asked: they would be asked about something that may have happened. */
function askedNow({ valid }: BeginCall): GateError {
  const { name } = valid.capability;
  return gateError('OutcomeUnknown', {
    message: `Cannot carry out ${name} once more: it was under way when Warren stopped, and by now people have to be asked about it`,
    agentMessage: `Warren stopped while ${name} was under way, and by now it needs approval. Look whether it happened; if it did not, call with another key.`,
    recovery: [{ action: 'check_effect', description: 'Look whether it happened; call with another key if it did not' }],
    context: { capability: name, effect: 'unknown' },
  });
}

function suspendedError({ pid, valid }: BeginCall, { state, agent }: ProcessRow): GateError {
  const { name } = valid.capability;
  const why = state === 'SUSPENDED' ? 'it is SUSPENDED' : `agent ${JSON.stringify(agent)} is paused`;
  return gateError('ProcessSuspended', {
    message: `Cannot call ${name} as process ${pid}: ${why}`,
    agentMessage: 'You are suspended: an operator or a spent budget stopped you. Nothing was done. Call again when you are told to go on.',
    recovery: [{ action: 'wait', description: 'Wait until you are continued' }],
    retryable: true,
    context: { capability: name, state, paused: state !== 'SUSPENDED' },
  });
}
