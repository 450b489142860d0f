import type { AlwaysAllow } from '@warren/kernel';
import { toCondition } from '@warren/platform';
import type { Params } from '@warren/protocol/contract';
import { approverOf } from './approver.ts';
import type { HandlersOf } from './handler.ts';
import { toAllowRule, toApproval } from './record/approval.ts';

export const APPROVAL_HANDLERS: HandlersOf<'approval.'> = {
  async 'approval.list'({ state, agent, pid, before, limit }, { mine }) {
    const { approvals, pending } = await mine.approvals.list({ state, agent, pid }, { limit, before });
    return { approvals: approvals.map(toApproval), pending };
  },

  async 'approval.get'({ approval_id, wait_ms = 0 }, { mine, waiting }) {
    return toApproval(wait_ms === 0 ? await mine.approvals.get(approval_id) : await mine.approvals.wait(approval_id, wait_ms, waiting()));
  },

  async 'approval.approve'({ approval_id, note, input, always, call_hash: callHash }, { mine, caller }) {
    const options = { note, input, always: readAlways(always), callHash };
    return toApproval(await mine.approvals.approve(approval_id, approverOf(caller), options));
  },

  async 'approval.reject'({ approval_id, reason, call_hash: callHash }, { mine, caller }) {
    return toApproval(await mine.approvals.reject(approval_id, approverOf(caller), { reason, callHash }));
  },

  async 'approval.cancel'({ approval_id, reason = 'withdrawn' }, { mine, caller }) {
    return toApproval(await mine.approvals.cancel(approval_id, approverOf(caller), reason));
  },

  async 'approval.list_rules'({ all }, { mine }) {
    return { rules: (await mine.approvals.listRules({ all })).map(toAllowRule) };
  },

  async 'approval.revoke_rule'({ rule_id }, { mine, caller }) {
    return { revoked: await mine.approvals.revokeRule(rule_id, approverOf(caller)) };
  },
};

function readAlways(always: Params<'approval.approve'>['always']): AlwaysAllow | undefined {
  if (always === undefined) return undefined;
  const { scope, when, for_ms: forMs } = always;
  return { forMs, scope: scope === 'when' ? { kind: 'when', when: toCondition(when ?? {}) } : { kind: scope } };
}
