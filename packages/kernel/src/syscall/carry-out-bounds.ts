/** How long an approval holds, and what stands in the way of a call only for a time. */
import type { ApprovalRow } from '../store/tables/approval-table.ts';
import { type GateError, gateError } from './call-error.ts';
import type { CallError } from './capability.ts';

/** What was approved in the last moment still has this long to be carried out. */
const GRACE_MS = 60_000;
/** Before it is tried again when nobody can say when there is room. */
const HOLD_MS = 15_000;

/** It holds as long as it could have been given. */
export function isOver({ expiresAt, decidedAt }: ApprovalRow, now: number): boolean {
  return now >= Math.max(expiresAt, (decidedAt ?? 0) + GRACE_MS);
}

/** Undefined: it never will be carried out. Infinity: until its process may go on, which is heard of. */
export function triedAgainAfterMs({ type, retryAfterMs }: CallError): number | undefined {
  switch (type) {
    case 'ProcessSuspended':
      return Number.POSITIVE_INFINITY;
    case 'RateLimited':
      return retryAfterMs ?? HOLD_MS;
    case 'BudgetExceeded':
    case 'TooManyCalls':
    case 'Timeout':
      return HOLD_MS;
    default:
      return undefined;
  }
}

/** `why`: what stood in its way at last. */
export function approvalIsOver(capability: string, why: string | undefined): GateError {
  const because = why === undefined ? '' : `; what stood in its way at last: ${why}`;
  return gateError('ApprovalExpired', {
    message: `Cannot call ${capability}: it was approved, and could not be carried out before the approval was over${because}`,
    agentMessage: `This call of ${capability} was approved, but could not be carried out before the approval was over. Nothing was done. Ask again if it still matters.`,
    recovery: [{ action: 'retry', description: 'Make the call again, which asks again', capability }],
    retryable: true,
    context: { capability, ...(why !== undefined && { stood_in_the_way: why }) },
  });
}

export function changedSince(capability: string): GateError {
  return gateError('ApprovalExpired', {
    message: `Cannot call ${capability}: what it is has changed since people were asked about it`,
    agentMessage: `${capability} changed after people were asked about this call, so their approval does not hold for it. Nothing was done. Call again, which asks again.`,
    recovery: [{ action: 'retry', description: 'Make the call again', capability }],
    retryable: true,
    context: { capability, reason: 'capability_changed' },
  });
}
