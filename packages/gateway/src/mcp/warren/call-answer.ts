/** What came of a call, as the result of a tool. */
import type { Answer, CallError } from '@warren/kernel';
import type { JsonObject } from '@warren/protocol';
import { toCallError } from '../../operations/record/call.ts';
import { CALL_RESULT } from '../../tools/call-result-tool.ts';
import { fitResult } from './fit-result.ts';
import { approveCommand } from './held-call.ts';

/** `readsOn`: whether the call takes `offset` and `limit`. */
export function toToolResult(answer: Answer, readsOn: boolean): JsonObject {
  switch (answer.kind) {
    case 'done': {
      const { output, text, note } = fitResult(answer.output, readsOn);
      return {
        content: [...(note === undefined ? [] : [{ type: 'text', text: note }]), { type: 'text', text }],
        structuredContent: output,
        _meta: { ...metaOf(answer), ...(answer.taint.length > 0 && { 'warren/taint': answer.taint }) },
      };
    }
    case 'failed':
      return failedResult(answer.error, answer);
    case 'pending':
      return failedResult(stillPending(answer), answer);
    default:
      return answer satisfies never;
  }
}

function failedResult(error: CallError, answer: Answer): JsonObject {
  const shown = toCallError(error) as unknown as JsonObject; // Made of JSON.
  return { content: [{ type: 'text', text: JSON.stringify(shown) }], isError: true, _meta: metaOf(answer) };
}

function metaOf({ callId, tier }: Answer): JsonObject {
  return { 'warren/callId': callId, ...(tier !== undefined && { 'warren/tier': tier }) };
}

function stillPending(pending: Extract<Answer, { readonly kind: 'pending' }>): CallError {
  const { capability, callId, approvalId, expiresAt } = pending;
  const approve = approveCommand(pending);
  const until = new Date(expiresAt).toISOString();
  return {
    type: 'ApprovalPending',
    message: `Cannot call ${capability} yet: a person has to approve it, until ${until}: ${approve}`,
    agentMessage:
      `This call of ${capability} waits for a person to approve it (until ${until}). It runs once they do; do not make it again. ` +
      `Ask for its result with ${CALL_RESULT}, or go on with something else.`,
    recovery: [
      { action: 'wait_for_approval', description: `Call ${CALL_RESULT} with this call_id`, input: { call_id: callId } },
      { action: 'tell_supervisor', description: `Tell the person you work for that they can approve it with: ${approve}` },
    ],
    retryable: false,
    context: { capability, call_id: callId, request_id: approvalId, expires_at: until, approve },
  };
}
