/** Standing answers: what would have to be approved is done, and told. They come from the people who were asked, end by themselves, and can be taken back. */
import { Fault } from '@warren/protocol';
import { checkPayload } from '../internal/payload.ts';
import type { Allowance, Condition } from '../policy/policy.ts';
import type { ReadTransaction, Transaction } from '../store/store.ts';
import type { ApprovalRow } from '../store/tables/approval-table.ts';
import { toAllowRule, writeScope } from './approval-row.ts';
import type { AllowRule, AlwaysAllow } from './approvals.ts';

const FOR_MS_MAX = 31_536_000_000;
/** In force in one workspace. */
const RULES_MAX = 1_000;

/** Throws `invalid_argument`. */
export function checkAlways({ scope, forMs }: AlwaysAllow): AlwaysAllow {
  if (!Number.isSafeInteger(forMs) || forMs < 1 || forMs > FOR_MS_MAX) {
    throw new Fault('invalid_argument', `Cannot allow always for ${String(forMs)} ms: it is no whole number from 1 to ${FOR_MS_MAX}`, {
      details: { field: 'always.for_ms' },
    });
  }
  switch (scope.kind) {
    case 'exact':
    case 'capability':
      return { scope, forMs };
    case 'when': {
      const when = checkPayload(scope.when, 'always.when', 'invalid_argument') as Condition; // Policy reads nothing it does not know.
      if (Object.keys(when).length > 0) return { scope: { kind: 'when', when }, forMs };
      throw new Fault('invalid_argument', 'Cannot allow always: the condition is empty', { details: { field: 'always.when' } });
    }
    default:
      scope satisfies never;
      throw new Fault('invalid_argument', 'Cannot allow always: the scope is none of exact, capability, when', {
        details: { field: 'always.scope' },
      });
  }
}

export type NewRule = { readonly id: string; readonly always: AlwaysAllow; readonly by: string; readonly inputHash: string };

export function createRule(transaction: Transaction, { agent, capability, id: approvalId, pid }: ApprovalRow, rule: NewRule): void {
  const { now, approvals, events } = transaction;
  if (approvals.rulesInForce(now).length >= RULES_MAX) {
    throw new Fault('busy', `Cannot allow always: ${RULES_MAX} rules are in force, the limit is ${RULES_MAX}`);
  }
  const { scope, forMs } = rule.always;
  const when = writeScope(scope.kind === 'exact' ? { inputHash: rule.inputHash } : scope.kind === 'when' ? { when: scope.when } : {});
  const expiresAt = now + forMs;
  const made = { id: rule.id, agent, capability, when, createdAt: now, createdBy: rule.by, approvalId, expiresAt };
  approvals.insertRule({ ...made, revokedAt: undefined, revokedBy: undefined });
  const payload = { rule_id: rule.id, agent, capability, scope: scope.kind, expires_at: expiresAt, by: rule.by, approval_id: approvalId };
  events.append({ pid, kind: 'kernel.approval.rule_created', payload });
}

/** Whether it was in force. */
export function revokeRule(transaction: Transaction, id: string, by: string): boolean {
  const { now, approvals, events } = transaction;
  const row = approvals.findRule(id);
  if (row === undefined) throw new Fault('not_found', `Cannot revoke rule ${id.slice(0, 40)}: it does not exist`);
  if (row.revokedAt !== undefined || row.expiresAt <= now) return false;
  approvals.revokeRule(id, now, by);
  events.append({
    pid: undefined,
    kind: 'kernel.approval.rule_revoked',
    payload: { rule_id: id, agent: row.agent, capability: row.capability, by },
  });
  return true;
}

export function listRules({ now, approvals }: ReadTransaction, all: boolean): readonly AllowRule[] {
  return (all ? approvals.rules(RULES_MAX) : approvals.rulesInForce(now)).map(toAllowRule);
}

/** Those that speak of a call with these arguments. */
export function allowancesFor(
  { now, approvals }: ReadTransaction,
  agent: string,
  capability: string,
  inputHash: string,
): readonly Allowance[] {
  return approvals
    .rulesInForce(now, agent)
    .map(toAllowRule)
    .filter((rule) => rule.capability === capability && (rule.inputHash === undefined || rule.inputHash === inputHash));
}
