import type { Answer, CallError } from '@warren/kernel';
import type { CallAnswer } from '@warren/protocol/contract';
import { toSeconds } from '../time.ts';

export function toCallAnswer(answer: Answer): CallAnswer {
  const { callId, capability, tier = null } = answer;
  const nothing = { output: null, taint: [], error: null, approval_id: null, expires_at: null, duration_ms: null };
  const common = { ...nothing, call_id: callId, capability, tier, state: answer.kind } as const;
  switch (answer.kind) {
    case 'done': {
      const { output, taint, durationMs, approvalId = null } = answer;
      return { ...common, output, taint, approval_id: approvalId, duration_ms: Math.round(durationMs) };
    }
    case 'pending':
      return { ...common, approval_id: answer.approvalId, expires_at: toSeconds(answer.expiresAt) };
    case 'failed':
      return {
        ...common,
        error: toCallError(answer.error),
        approval_id: answer.approvalId ?? null,
        duration_ms: Math.round(answer.durationMs),
      };
    default:
      return answer satisfies never;
  }
}

export function toCallError({
  type,
  message,
  agentMessage,
  recovery,
  retryable,
  retryAfterMs,
  context,
}: CallError): NonNullable<CallAnswer['error']> {
  const steps = recovery.map(({ action, description, capability, input }) => ({
    action,
    description,
    ...(capability === undefined ? {} : { capability }),
    ...(input === undefined ? {} : { input }),
  }));
  const retry = retryAfterMs === undefined ? null : Math.ceil(retryAfterMs);
  return { type, message, agent_message: agentMessage, recovery: steps, retryable, retry_after_ms: retry, context: context ?? null };
}
