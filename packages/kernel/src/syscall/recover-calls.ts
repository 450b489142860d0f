/**
 * At a start: what the last life left in the journal. A row that is open was being carried out: what may be repeated is left to whoever makes the call again
 * with its key, or carried out again if it was approved; of all others nobody knows the outcome, and that is what is recorded. A row that has its outcome
 * gets its entry of the audit if that is missing. Nothing here carries out anything that may have had an effect only once.
 */
import type { Audit, AuditEntry } from '../audit/audit.ts';
import type { BreachParts } from '../ledger/answer-breach.ts';
import type { WorkspaceStore } from '../store/store.ts';
import type { ApprovalRow } from '../store/tables/approval-table.ts';
import type { CallRow, UnfinishedCallState } from '../store/tables/call-table.ts';
import { isEnded, isKept, writeAnswer } from './answer.ts';
import { finish } from './finished-calls.ts';
import type { Recovered } from './gate.ts';
import { type Ending, entryOf, type JournalRecord, readRecord } from './journal-record.ts';
import { KEPT_MS } from './limits.ts';
import { recordResult } from './record-result.ts';
import { outcomeUnknown } from './redact-answer.ts';

export type RecoverParts = {
  readonly store: WorkspaceStore;
  readonly budget: BreachParts;
  readonly search: Audit['search'];
  readonly append: (entry: AuditEntry) => Promise<unknown>;
  readonly isUnderWay: (callId: string) => boolean;
};

const STEP = 200;

export async function recoverCalls(parts: RecoverParts, carryOut: (callId: string) => void): Promise<Recovered> {
  const { unknown, audited } = await closeOpen(parts, carryOut);
  return { unknown, audited, approved: await resumeAsked(parts, carryOut) };
}

async function closeOpen(parts: RecoverParts, carryOut: (callId: string) => void): Promise<Omit<Recovered, 'approved'>> {
  const sum = { unknown: 0, audited: 0 };
  for (const row of await rowsIn(parts, 'open')) {
    if (parts.isUnderWay(row.id)) continue;
    if (isEnded(row)) sum.audited += await auditEnded(parts, row);
    else if (row.effect !== 'once' && row.approvalId !== undefined) carryOut(row.id);
    else if (!(await mayBeRepeated(parts, row))) {
      await closeUnknown(parts, row);
      sum.unknown += 1;
    }
  }
  return sum;
}

/** Returns how many entries were missing. */
async function auditEnded(parts: RecoverParts, row: CallRow): Promise<number> {
  const record = readRecord(row.record);
  const isMissing = record.ending !== undefined && !(await isAudited(parts, row));
  if (isMissing) await parts.append(entryOf(naming(parts, row), record, record.ending));
  await parts.store.write((transaction) => finish(transaction, [{ callId: row.id, tier: record.tier, isKept: isKept(row) }]));
  return isMissing ? 1 : 0;
}

/** Whoever made it has its key, and time to make it again. */
async function mayBeRepeated({ store }: RecoverParts, { effect, idempotencyKey, openedAt, createdAt }: CallRow): Promise<boolean> {
  if (effect === 'once' || idempotencyKey === undefined) return false;
  return await store.read(({ now }) => now - (openedAt ?? createdAt) < KEPT_MS);
}

/** The budget counts what was set aside as used: it may have been. */
async function closeUnknown(parts: RecoverParts, row: CallRow): Promise<void> {
  const record = readRecord(row.record);
  const error = outcomeUnknown(row.capability, row.effect);
  const ending: Ending = { outcome: 'unknown', error: { type: error.type, message: error.message }, durationMs: 0 };
  const { id: callId, pid, capability, approvalId, reservationId } = row;
  const answer = { callId, capability, tier: record.tier, kind: 'failed', error, durationMs: 0, approvalId } as const;
  if (!(await isAudited(parts, row))) await parts.append(entryOf(naming(parts, row), record, ending));
  const end = { callId, pid, capability, approvalId, reservationId, usage: {}, taint: [], record, ending };
  await parts.store.write((transaction) => {
    recordResult(transaction, parts.budget, { ...end, answer: isKept(row) ? writeAnswer(answer) : undefined });
    finish(transaction, [{ callId, tier: record.tier, isKept: isKept(row) }]);
  });
}

async function resumeAsked(parts: RecoverParts, carryOut: (callId: string) => void): Promise<number> {
  let count = 0;
  for (const row of await rowsIn(parts, 'asked')) {
    const { approvalId } = row;
    const approval = approvalId === undefined ? undefined : await parts.store.read(({ approvals }) => approvals.find(approvalId));
    if (approval === undefined) continue;
    await auditQuestion(parts, row, approval);
    if (approval.state !== 'approved') continue;
    carryOut(row.id);
    count += 1;
  }
  return count;
}

/** That it was asked, and that it was approved, before it is carried out. */
async function auditQuestion(parts: RecoverParts, row: CallRow, approval: ApprovalRow): Promise<void> {
  const record: JournalRecord = readRecord(row.record);
  const { entries } = await parts.search({ workspace: parts.store.id, approvalId: approval.id, limit: 1_000 });
  const base = entryOf(naming(parts, row), record, { outcome: 'pending', durationMs: 0 });
  if (!entries.some(({ kind }) => kind === 'question')) await parts.append({ ...base, kind: 'question' });
  if (approval.state !== 'approved') return;
  if (entries.some(({ kind, details }) => kind === 'answer' && details?.['state'] === 'approved')) return;
  await parts.append({
    ...base,
    kind: 'answer',
    actor: { kind: 'system' },
    outcome: 'success',
    details: { state: approval.state, call_hash: approval.callHash, votes: approval.votes.map(({ approver, at }) => ({ approver, at })) },
  });
}

async function isAudited({ store, search }: RecoverParts, { id }: CallRow): Promise<boolean> {
  const { entries } = await search({ workspace: store.id, callId: id, kind: 'syscall', limit: 1 });
  return entries.length > 0;
}

function naming({ store }: RecoverParts, { id: callId, pid, capability, approvalId }: CallRow) {
  return { workspace: store.id, pid, callId, capability, approvalId };
}

/** All of them at once, because they go while they are looked at; there are no more than were under way or may be asked about. */
async function rowsIn({ store }: RecoverParts, state: UnfinishedCallState): Promise<readonly CallRow[]> {
  const rows: CallRow[] = [];
  for (;;) {
    const step = await store.read(({ calls }) => calls.inState(state, STEP, rows.at(-1)?.id));
    rows.push(...step);
    if (step.length < STEP) return rows;
  }
}
