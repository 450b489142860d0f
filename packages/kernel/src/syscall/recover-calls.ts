/**
 * At a start: what the last life left in the journal. A row that is open was being carried out: what may be repeated is left to whoever makes the call again
 * with its key, or, if it was approved, to the gate when it begins; of all others nobody knows the outcome, and that is what is recorded. A row that has its
 * outcome gets its entry of the audit if that is missing, and a question gets those of what was decided. Nothing here carries out anything.
 */
import type { CallRow } from '../store/tables/call-table.ts';
import { isEnded, isKept, writeAnswer } from './answer.ts';
import { finish } from './finished-calls.ts';
import type { Recovered } from './gate.ts';
import { type Ending, entryOf, readEnding, readRecord } from './journal-record.ts';
import { KEPT_MS } from './limits.ts';
import { recordResult } from './record-result.ts';
import { naming, type RecoverParts, recoverDecisions, recoverRules } from './recover-decisions.ts';
import { outcomeUnknown } from './redact-answer.ts';
import { rowsInState } from './rows-in-state.ts';

export async function recoverCalls(parts: RecoverParts): Promise<Recovered> {
  const sum = { unknown: 0, audited: 0 };
  for (const row of await rowsInState(parts.store, 'open')) {
    if (parts.isUnderWay(row.id)) continue;
    if (row.approvalId !== undefined) sum.audited += await recoverDecisions(parts, row);
    if (isEnded(row)) sum.audited += await closeEnded(parts, row);
    else if (!(await mayBeRepeated(parts, row))) {
      await closeUnknown(parts, row);
      sum.unknown += 1;
    }
  }
  for (const row of await rowsInState(parts.store, 'asked')) sum.audited += await recoverDecisions(parts, row);
  sum.audited += await recoverRules(parts);
  return sum;
}

/** Returns how many entries were missing. */
async function closeEnded(parts: RecoverParts, row: CallRow): Promise<number> {
  const record = readRecord(row.record);
  const ending = readEnding(row.ending);
  const isMissing = ending !== undefined && !(await isAudited(parts, row, ending));
  if (isMissing) await parts.append(entryOf(naming(parts, row), record, ending));
  await parts.store.write((transaction) => finish(transaction, [{ callId: row.id, tier: record.tier, isKept: isKept(row) }]));
  return isMissing ? 1 : 0;
}

/** It was approved, and the gate does; or whoever made it has its key, and time to make it again. */
async function mayBeRepeated({ store }: RecoverParts, row: CallRow): Promise<boolean> {
  const { pid, effect, idempotencyKey, approvalId, openedAt, createdAt } = row;
  if (effect === 'once') return false;
  return await store.read(({ now, processes, approvals }) => {
    const state = processes.find(pid)?.state;
    if (state === undefined || state === 'DEAD') return false;
    if (approvalId !== undefined) return approvals.find(approvalId)?.state === 'approved';
    return idempotencyKey !== undefined && now - (openedAt ?? createdAt) < KEPT_MS;
  });
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

/**
 * Whether the audit has the outcome: this one, or, without an ending, any. An attempt that was refused is none. It may have one of which the journal does not
 * know, because the entry is written at the same time as the row.
 */
async function isAudited({ store, search }: RecoverParts, { id }: CallRow, ending?: Ending): Promise<boolean> {
  const outcomes = ending === undefined ? (['success', 'failure', 'unknown'] as const) : [ending.outcome];
  for (const outcome of outcomes) {
    const { entries } = await search({ workspace: store.id, callId: id, kind: 'syscall', outcome, limit: 100 });
    if (entries.some(({ durationMs }) => ending === undefined || durationMs === undefined || durationMs === ending.durationMs)) return true;
  }
  return false;
}
