/** Approvals and standing rules as rows and as the rest of Warren sees them. Rows are written by this folder only, so their JSON has the shape it was given. */
import type { JsonObject } from '../internal/json.ts';
import { isShortened } from '../internal/shorten-json.ts';
import type { AskTerms, Condition, RuleRef } from '../policy/policy.ts';
import type { AllowRuleRow, ApprovalRow } from '../store/tables/approval-table.ts';
import type { AllowRule, AlwaysAllow, Approval } from './approvals.ts';

/** `whole`: the arguments in all their length, of the call as it would be carried out. */
export function toApproval(row: ApprovalRow, whole?: JsonObject): Approval {
  const { id, state, callId, pid, agent, capability, input, callHash, reasoning, createdAt, expiresAt, escalatedAt, decidedAt } = row;
  return {
    id,
    state,
    callId,
    pid,
    agent,
    capability,
    input: row.editedInput === undefined ? (whole ?? input) : input,
    isInputWhole: whole !== undefined || !isShortened(row.editedInput ?? input),
    callHash,
    rule: row.rule === undefined ? undefined : readRule(row.rule),
    reasoning,
    terms: termsOf(row),
    createdAt,
    expiresAt,
    escalatedAt,
    decidedAt,
    votes: row.votes.map(({ always, ...vote }) => ({ ...vote, always: always === undefined ? undefined : readAlways(always) })),
    reason: row.reason,
    editedInput: row.editedInput === undefined ? undefined : (whole ?? row.editedInput),
  };
}

export function termsOf({ terms }: ApprovalRow): AskTerms {
  return terms as unknown as AskTerms; // `writeTerms` wrote it.
}

export function writeTerms({ quorum, approvers, expiresMs, escalate }: AskTerms): JsonObject {
  return { quorum, approvers, expiresMs, ...(escalate !== undefined && { escalate }) };
}

export function readRule(rule: JsonObject): RuleRef {
  return { reason: undefined, ...rule } as RuleRef; // `writeRule` wrote it.
}

export function writeRule({ layer, file, line, rule, reason }: RuleRef): JsonObject {
  return { layer, file, line, rule, ...(reason !== undefined && { reason }) };
}

export function readAlways(always: JsonObject): AlwaysAllow {
  return always as unknown as AlwaysAllow; // `writeAlways` wrote it.
}

export function writeAlways({ scope, forMs }: AlwaysAllow): JsonObject {
  return { scope: scope.kind === 'when' ? { kind: 'when', when: scope.when as JsonObject } : { kind: scope.kind }, forMs }; // It was parsed, so it is JSON.
}

/** In the column of the condition: a rule for the same arguments keeps their hash instead of one. */
const EXACT = 'exact_input_hash';

export function writeScope(scope: {
  readonly when?: Condition | undefined;
  readonly inputHash?: string | undefined;
}): JsonObject | undefined {
  if (scope.inputHash !== undefined) return { [EXACT]: scope.inputHash };
  return scope.when as JsonObject | undefined; // It was parsed, so it is JSON.
}

export function toAllowRule(row: AllowRuleRow): AllowRule {
  const { id, agent, capability, createdAt, createdBy, approvalId, expiresAt, revokedAt } = row;
  const exact = row.when?.[EXACT];
  const scope =
    typeof exact === 'string' ? { when: undefined, inputHash: exact } : { when: row.when as Condition | undefined, inputHash: undefined };
  return { id, agent, capability, ...scope, createdAt, createdBy, approvalId, expiresAt, revokedAt };
}
