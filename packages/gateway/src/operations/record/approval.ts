import type { AllowRule, AlwaysAllow, Approval } from '@warren/kernel';
import type { JsonObject } from '@warren/protocol';
import type { AllowRuleRecord, ApprovalRecord } from '@warren/protocol/contract';
import { toSeconds, toSecondsOrNull } from '../time.ts';
import { toAskTerms, toRuleReference } from './rule.ts';

export function toApproval(approval: Approval): ApprovalRecord {
  const {
    id,
    state,
    callId,
    pid,
    agent,
    capability,
    input,
    callHash,
    rule,
    reasoning = null,
    terms,
    votes,
    reason = null,
    editedInput = null,
    isInputWhole: input_is_whole,
  } = approval;
  return {
    approval_id: id,
    ...{
      state,
      call_id: callId,
      pid,
      agent,
      capability,
      input,
      input_is_whole,
      call_hash: callHash,
      reasoning,
      reason,
      edited_input: editedInput,
    },
    rule: rule === undefined ? null : toRuleReference(rule),
    terms: toAskTerms(terms),
    created_at: toSeconds(approval.createdAt),
    expires_at: toSeconds(approval.expiresAt),
    escalated_at: toSecondsOrNull(approval.escalatedAt),
    decided_at: toSecondsOrNull(approval.decidedAt),
    votes: votes.map(({ approver, at, note = null, always }) => ({ approver, at: toSeconds(at), note, always: toAlways(always) })),
  };
}

function toAlways(always: AlwaysAllow | undefined): ApprovalRecord['votes'][number]['always'] {
  if (always === undefined) return null;
  const { scope, forMs } = always;
  return { scope: scope.kind, when: scope.kind === 'when' ? (scope.when as unknown as JsonObject) : null, for_ms: forMs }; // Conditions are JSON.
}

export function toAllowRule(rule: AllowRule): AllowRuleRecord {
  const { id, agent, capability, when, createdBy, approvalId = null, inputHash } = rule;
  return {
    rule_id: id,
    ...{ agent, capability, created_by: createdBy, approval_id: approvalId },
    when: when === undefined ? (inputHash === undefined ? null : { input_sha256: inputHash }) : (when as unknown as JsonObject), // Conditions are JSON.
    created_at: toSeconds(rule.createdAt),
    expires_at: toSeconds(rule.expiresAt),
    revoked_at: toSecondsOrNull(rule.revokedAt),
  };
}
