/**
 * A call as an earlier system answers it: with what it gave, or with what went wrong; policy, people and rates are errors of JSON-RPC with numbers of
 * their own.
 */
import type { Answer } from '@warren/kernel';
import type { JsonObject } from '@warren/protocol';
import { RpcFault } from '../jsonrpc/rpc-fault.ts';
import { structuredError } from './structured-error.ts';

export const NUMBERS = {
  rate_limited: -32_000,
  policy_denied: -32_001,
  approval_pending: -32_002,
  authentication_failed: -32_003,
} as const;

export function toInvoked(answer: Answer): JsonObject {
  switch (answer.kind) {
    case 'done':
      return { success: true, data: answer.output };
    case 'pending': {
      const { capability, approvalId, callId } = answer;
      const details = { error_type: 'ApprovalPending', request_id: approvalId, capability, call_id: callId };
      throw new RpcFault(NUMBERS.approval_pending, 'conflict', `Cannot call ${capability} yet: a person has to approve it`, details);
    }
    case 'failed':
      return toFailed(answer);
    default:
      return answer satisfies never;
  }
}

function toFailed({ error }: Extract<Answer, { readonly kind: 'failed' }>): JsonObject {
  const { type, message, retryAfterMs, context = {} } = error;
  if (type === 'PolicyDenied') throw new RpcFault(NUMBERS.policy_denied, 'permission_denied', message, structuredError(error));
  if (type === 'RateLimited') {
    const seconds = Math.ceil((retryAfterMs ?? 0) / 1_000);
    const details = { retry_after_seconds: seconds, limit: context['limit'] ?? null, window: context['window_seconds'] ?? null };
    throw new RpcFault(NUMBERS.rate_limited, 'rate_limited', message, { ...structuredError(error), ...details });
  }
  return { success: false, error: structuredError(error) };
}
