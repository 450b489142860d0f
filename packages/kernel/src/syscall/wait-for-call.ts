/** Who asks for the answer of a call that somebody made: what it came to, comes to, or waits for. */
import { Fault, type WorkspaceId } from '@warren/protocol';
import { answerOf, isEnded } from './answer.ts';
import type { CallJournal } from './call-journal.ts';
import type { Answer } from './gate.ts';
import { callNotFound } from './gate-faults.ts';
import type { GateShared } from './gate-parts.ts';
import { readRecord } from './journal-record.ts';
import { outcomeUnknown } from './redact-answer.ts';

export type WaitForCall = {
  readonly workspace: WorkspaceId;
  readonly callId: string;
  readonly waitMs: number;
  /** Whose call it has to be. */
  readonly pid: number | undefined;
  readonly signal: AbortSignal | undefined;
};

/** Throws `not_found`, `aborted`, `busy`, and `deadline` for a call that is still under way. */
export async function waitForCall(
  { store, underWay, waiters, life }: GateShared,
  journal: CallJournal,
  { workspace, callId, waitMs, pid, signal }: WaitForCall,
): Promise<Answer> {
  const endsAt = performance.now() + waitMs;
  for (;;) {
    const over = new AbortController();
    const leftMs = endsAt - performance.now();
    // It listens before it looks, so that nothing ends in between.
    const either = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
    const woken = leftMs > 0 ? waiters.wait(callId, leftMs, either) : undefined;
    woken?.catch(() => {}); // Heard of below, or abandoned.
    try {
      const { row, approval } = await store.workspace(workspace).read(({ calls, approvals }) => {
        const found = calls.find(callId);
        return { row: found, approval: found?.approvalId === undefined ? undefined : approvals.find(found.approvalId) };
      });
      if (row === undefined || (pid !== undefined && row.pid !== pid)) throw callNotFound(callId);
      const isUnderWay = underWay.find(workspace, callId) !== undefined;
      if (isEnded(row) && !isUnderWay) {
        await journal.repair(); // It may be what the audit lacks.
        const answer = answerOf(row, approval);
        if (answer === undefined) throw callNotFound(callId);
        if (!journal.isDeciding(callId)) return answer;
      }
      const isRepeated = approval?.state === 'approved' && row.effect !== 'once'; // A life that ended had begun it, and it is carried out again.
      if (row.state === 'open' && !isEnded(row) && !isUnderWay && !isRepeated) {
        const error = outcomeUnknown(row.capability, row.effect);
        return { callId, capability: row.capability, tier: readRecord(row.record).tier, kind: 'failed', error, durationMs: 0 };
      }
      if (woken !== undefined && !life.isClosed) await woken;
      else if (approval !== undefined) {
        const { id: approvalId, expiresAt } = approval;
        return { callId, capability: row.capability, tier: readRecord(row.record).tier, kind: 'pending', approvalId, expiresAt };
      } else throw new Fault('deadline', `Cannot wait any longer for call ${callId}: it is under way`, { details: { call_id: callId } });
    } finally {
      over.abort();
    }
  }
}
