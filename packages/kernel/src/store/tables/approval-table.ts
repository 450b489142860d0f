import type { JsonObject } from '../../internal/json.ts';

export const APPROVAL_STATES = ['pending', 'approved', 'rejected', 'expired', 'cancelled'] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

export type ApprovalRow = {
  /** `approval_` and 16 characters. */
  readonly id: string;
  readonly state: ApprovalState;
  readonly callId: string;
  readonly pid: number;
  readonly agent: string;
  readonly capability: string;
  readonly callHash: string;
  /** For people to read. */
  readonly input: JsonObject;
  readonly rule: JsonObject | undefined;
  readonly reasoning: string | undefined;
  readonly terms: JsonObject;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** When others are to be asked too, if nobody has decided by then; undefined when done or never. */
  readonly escalateAt: number | undefined;
  readonly escalatedAt: number | undefined;
  /** When it was approved, rejected, cancelled or expired: there exactly when it is not pending. */
  readonly decidedAt: number | undefined;
  readonly reason: string | undefined;
  readonly editedInput: JsonObject | undefined;
  readonly votes: readonly VoteRow[];
};

export type VoteRow = {
  readonly approver: string;
  readonly at: number;
  readonly note: string | undefined;
  /** What this approver would allow from now on. */
  readonly always?: JsonObject;
};

/** A standing answer: these calls are not asked about. */
export type AllowRuleRow = {
  readonly id: string;
  readonly agent: string;
  readonly capability: string;
  readonly when: JsonObject | undefined;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly approvalId: string | undefined;
  readonly expiresAt: number;
  readonly revokedAt: number | undefined;
  readonly revokedBy: string | undefined;
};

export interface ApprovalTableReads {
  find(id: string): ApprovalRow | undefined;
  /** Newest first, and by id where the time is equal. Nothing when `beforeId` is gone. */
  list(
    filter: { readonly state?: ApprovalState | undefined; readonly agent?: string | undefined; readonly pid?: number | undefined },
    limit: number,
    beforeId?: string,
  ): readonly ApprovalRow[];
  countPending(pid?: number): number;
  /** Over all its processes. */
  countPendingOfAgent(agent: string): number;
  /** Pending ones whose time is over, or that are to be escalated, at this time. */
  due(at: number, limit: number): readonly ApprovalRow[];
  /** When the next is. */
  nextDue(): number | undefined;
  findRule(id: string): AllowRuleRow | undefined;
  /** In force at this time, of one agent, or of all; newest first, at most 10,000. */
  rulesInForce(at: number, agent?: string): readonly AllowRuleRow[];
  /** Newest first. Nothing when `beforeId` is gone. */
  rules(limit: number, beforeId?: string): readonly AllowRuleRow[];
}

export interface ApprovalTable extends ApprovalTableReads {
  insert(row: ApprovalRow): void;
  /** What is not mentioned stays; undefined clears. Throws when there is no such row. */
  update(id: string, change: Partial<Omit<ApprovalRow, 'id' | 'callId' | 'pid' | 'createdAt'>>): void;
  /** Deletes what was decided before this time, at most `limit`. Returns how many. */
  purgeDecided(before: number, limit: number): number;
  insertRule(row: AllowRuleRow): void;
  /** Throws when there is none, or it is revoked. */
  revokeRule(id: string, at: number, by: string): void;
  /** Deletes rules that were revoked or expired before this time, at most `limit`. Returns how many. */
  purgeRules(before: number, limit: number): number;
}
