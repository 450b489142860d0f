/**
 * At a start: what people and time decided and the audit does not say, because Warren died between the two. Of a call whose row is unfinished the question, its
 * votes and its end are compared with the entries there are; of standing rules, that they were made and revoked. Warren writes these entries in its own name
 * and says whose decision the store holds.
 */
import type { Audit, AuditEntry, RecordedEntry } from '../audit/audit.ts';
import type { JsonObject } from '../internal/json.ts';
import type { BreachParts } from '../ledger/answer-breach.ts';
import type { WorkspaceStore } from '../store/store.ts';
import type { AllowRuleRow, ApprovalRow } from '../store/tables/approval-table.ts';
import type { CallRow } from '../store/tables/call-table.ts';
import { entryOf, readRecord } from './journal-record.ts';

export type RecoverParts = {
  readonly store: WorkspaceStore;
  readonly budget: BreachParts;
  readonly search: Audit['search'];
  readonly append: (entry: AuditEntry) => Promise<unknown>;
  readonly isUnderWay: (callId: string) => boolean;
};

const RULES_MAX = 1_000;
/** Clocks of store and audit are read one after the other. */
const SLACK_MS = 60_000;

/** Returns how many entries were missing. */
export async function recoverDecisions(parts: RecoverParts, row: CallRow): Promise<number> {
  const { approvalId } = row;
  const approval = approvalId === undefined ? undefined : await parts.store.read(({ approvals }) => approvals.find(approvalId));
  if (approval === undefined) return 0;
  const { entries } = await parts.search({ workspace: parts.store.id, approvalId: approval.id, limit: 1_000 });
  const missing = [...missingQuestion(parts, row, entries), ...missingAnswers(parts, row, approval, entries)];
  for (const entry of missing) await parts.append(entry);
  return missing.length;
}

function missingQuestion(parts: RecoverParts, row: CallRow, entries: readonly RecordedEntry[]): readonly AuditEntry[] {
  if (entries.some(({ kind }) => kind === 'question')) return [];
  const entry = entryOf(naming(parts, row), readRecord(row.record), { outcome: 'pending', durationMs: 0 });
  return [{ ...entry, kind: 'question', durationMs: undefined }];
}

function missingAnswers(
  parts: RecoverParts,
  row: CallRow,
  approval: ApprovalRow,
  entries: readonly RecordedEntry[],
): readonly AuditEntry[] {
  const answers = entries.filter(({ kind }) => kind === 'answer');
  const { id: approvalId, state, callHash, capability, callId, editedInput, reason, votes } = approval;
  const about = { kind: 'answer', workspace: parts.store.id, actor: { kind: 'system' }, action: capability, callId, approvalId } as const;
  const isThere = (ofState: string, by: string | undefined): boolean =>
    answers.some(({ actor, details }) => {
      const name = 'name' in actor ? actor.name : details?.['by'];
      return details?.['state'] === ofState && (by === undefined || (name === by && details['call_hash'] === callHash));
    });
  const missing: AuditEntry[] = [];
  for (const [index, { approver: by, note }] of votes.entries()) {
    const isLast = index === votes.length - 1 && wasApproved(state, votes.length, approval);
    const ofState = isLast ? 'approved' : 'pending';
    if (isThere(ofState, by)) continue;
    const details = { state: ofState, by, votes: index + 1, call_hash: callHash, ...(note !== undefined && { note }), recovered: true };
    missing.push({ ...about, outcome: isLast ? 'success' : 'pending', input: editedInput, details });
  }
  if (state === 'pending' || state === 'approved' || isThere(state, undefined)) return missing;
  const by = readRecord(row.record).decided?.by;
  const details = { state, ...(typeof by === 'string' && { by }), ...(reason !== undefined && { note: reason }), recovered: true };
  return [...missing, { ...about, outcome: 'denied', details }];
}

/** What was approved may have been withdrawn afterwards, when its process ended. */
function wasApproved(state: ApprovalRow['state'], votes: number, { terms }: ApprovalRow): boolean {
  return state === 'approved' || votes >= Number(terms['quorum'] ?? 1);
}

/** Returns how many entries were missing. Rules from before the audit's first entry had theirs, which were purged. */
export async function recoverRules(parts: RecoverParts): Promise<number> {
  const rules = await parts.store.read(({ approvals }) => approvals.rules(RULES_MAX));
  if (rules.length === 0) return 0;
  const [first] = (await parts.search({ limit: 1 })).entries;
  const since = first?.at ?? 0;
  const made = rules.filter(({ createdAt }) => createdAt >= since);
  const revoked = rules.filter(({ revokedAt = -1 }) => revokedAt >= since);
  const missing = [
    ...(await unsaid(parts, 'approval.allow_always', made, ({ createdAt }) => createdAt, sayMade)),
    ...(await unsaid(parts, 'approval.revoke_rule', revoked, ({ revokedAt = 0 }) => revokedAt, sayRevoked)),
  ];
  for (const entry of missing) await parts.append(entry);
  return missing.length;
}

async function unsaid(
  { store, search }: RecoverParts,
  action: string,
  rules: readonly AllowRuleRow[],
  timeOf: (rule: AllowRuleRow) => number,
  say: (rule: AllowRuleRow) => JsonObject,
): Promise<readonly AuditEntry[]> {
  const left = new Map(rules.map((rule) => [rule.id, rule]));
  const from = rules.reduce((earliest, rule) => Math.min(earliest, timeOf(rule)), Number.MAX_SAFE_INTEGER) - SLACK_MS;
  for (let cursor: number | undefined; left.size > 0; ) {
    const { entries, next } = await search({ workspace: store.id, kind: 'operator', action, from, cursor, limit: 1_000 });
    for (const { details } of entries) left.delete(String(details?.['rule_id']));
    if (next === undefined) break;
    cursor = next;
  }
  const about = { kind: 'operator', workspace: store.id, actor: { kind: 'system' }, action, outcome: 'success' } as const;
  return Array.from(left.values(), (rule) => ({
    ...about,
    approvalId: rule.approvalId,
    details: { rule_id: rule.id, ...say(rule), recovered: true },
  }));
}

function sayMade({ agent, capability, createdBy: by, createdAt, expiresAt }: AllowRuleRow): JsonObject {
  return { agent, capability, by, for_ms: expiresAt - createdAt };
}

function sayRevoked({ revokedBy }: AllowRuleRow): JsonObject {
  return { was_in_force: true, ...(revokedBy !== undefined && { by: revokedBy }) };
}

export function naming({ store }: Pick<RecoverParts, 'store'>, { id: callId, pid, capability, approvalId }: CallRow) {
  return { workspace: store.id, pid, callId, capability, approvalId };
}
