/** Answers, and how the journal keeps them. */
import { toApproval } from '../approval/approval-row.ts';
import type { JsonObject } from '../internal/json.ts';
import type { ApprovalRow } from '../store/tables/approval-table.ts';
import type { CallRow } from '../store/tables/call-table.ts';
import { type GateError, gateError } from './call-error.ts';
import type { Answer } from './gate.ts';
import { readRecord } from './journal-record.ts';

/** Only calls with a key or an approval are asked about again. */
export function isKept(row: { readonly idempotencyKey: string | undefined; readonly approvalId: string | undefined }): boolean {
  return row.idempotencyKey !== undefined || row.approvalId !== undefined;
}

/** It has its outcome. A row stays `open` until its entry of the audit is on disk as well, so that a start finds what the audit may lack without looking far. */
export function isEnded(row: CallRow): boolean {
  return row.state === 'done' || row.ending !== undefined || readRecord(row.record).decided !== undefined;
}

export function writeAnswer(answer: Answer): JsonObject {
  return answer as unknown as JsonObject; // Made of JSON; what is undefined is not written.
}

/** Of a call that is done. One that people or time ended has no answer of its own: it follows from the question. */
export function answerOf(row: CallRow, approval: ApprovalRow | undefined): Answer | undefined {
  if (row.answer !== undefined) return { approvalId: undefined, ...row.answer } as unknown as Answer; // `writeAnswer` wrote it.
  if (approval === undefined || approval.state === 'pending' || approval.state === 'approved') return undefined;
  return {
    callId: row.id,
    capability: row.capability,
    tier: readRecord(row.record).tier,
    kind: 'failed',
    error: refusedByPeople(approval),
    durationMs: 0,
    approvalId: approval.id,
  };
}

function refusedByPeople(row: ApprovalRow): GateError {
  const { id, capability, reason, state } = toApproval(row);
  const why = reason === undefined ? '' : ` Reason: ${reason}.`;
  const context = { capability, request_id: id, state, ...(reason !== undefined && { reason }) };
  switch (state) {
    case 'rejected':
      return gateError('ApprovalRejected', {
        message: `Cannot call ${capability}: it was rejected${reason === undefined ? '' : `: ${reason}`}`,
        agentMessage: `The people who were asked rejected this call of ${capability}. Nothing was done.${why} Do not repeat it as it is.`,
        recovery: [
          { action: 'modify_and_retry', description: 'Change what the reason names and call again', capability },
          { action: 'contact_supervisor', description: 'Ask the person you work for how to go on' },
        ],
        context,
      });
    case 'expired':
      return gateError('ApprovalExpired', {
        message: `Cannot call ${capability}: nobody decided in time`,
        agentMessage: `This call of ${capability} needed approval and nobody decided in time. Nothing was done. Ask again if it still matters.`,
        recovery: [{ action: 'retry', description: 'Make the call again, which asks again', capability }],
        retryable: true,
        context,
      });
    default:
      return gateError('Cancelled', {
        message: `Cannot call ${capability}: its question was withdrawn${reason === undefined ? '' : `: ${reason}`}`,
        agentMessage: `This call of ${capability} was withdrawn before it was decided. Nothing was done.${why}`,
        context,
      });
  }
}
