import type { Platform } from '@warren/platform';
import { viaOf } from '../caller/via-of.ts';
import { approverOf } from './approver.ts';
import { progressTo } from './call-progress.ts';
import type { HandlersOf } from './handler.ts';
import { toCallAnswer } from './record/call.ts';
import { toSeconds } from './time.ts';

export function createCallHandlers(platform: () => Platform): HandlersOf<'call.'> {
  return {
    async 'call.make'(params, { workspace, signal, waiting, caller }) {
      const { pid, capability, input, idempotency_key, reasoning, taint, on_ask, wait_ms, deadline_ms, progress_token } = params;
      const request = {
        ...{ pid, capability, input, reasoning, taint, idempotencyKey: idempotency_key },
        ...{ onAsk: on_ask, waitMs: wait_ms, deadlineMs: deadline_ms, via: viaOf(caller) },
        onProgress: progressTo(caller, progress_token),
      };
      // Its turn and its end have bounds of their own; what has none is how long people take. A gate that closes lets go of who waits for them.
      if (on_ask === 'wait') waiting();
      return toCallAnswer(await platform().gate.call(workspace, request, signal()));
    },

    async 'call.result'({ pid, call_id, wait_ms = 0 }, { workspace, signal, waiting }) {
      return toCallAnswer(await platform().gate.result(workspace, call_id, { waitMs: wait_ms, pid }, wait_ms > 0 ? waiting() : signal()));
    },

    async 'call.cancel'({ pid, call_id }, { workspace, caller }) {
      const { kind } = caller.principal;
      const by = kind === 'operator' || kind === 'member' ? approverOf(caller) : undefined;
      return { cancelled: await platform().gate.cancel(workspace, call_id, { pid, by }) };
    },

    async 'call.list'({ pid, limit }, { workspace }) {
      const calls = await platform().unfinishedCalls(workspace, { pid, limit });
      return {
        calls: calls.map(({ id, pid: of, capability, state, approvalId = null, createdAt, attempts }) => ({
          ...{ call_id: id, pid: of, capability, state, approval_id: approvalId, created_at: toSeconds(createdAt), attempts },
        })),
      };
    },
  };
}
