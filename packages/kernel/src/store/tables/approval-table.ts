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
  readonly decidedAt: number | undefined;
  readonly reason: string | undefined;
  readonly editedInput: JsonObject | undefined;
  readonly votes: readonly { readonly approver: string; readonly at: number; readonly note: string | undefined }[];
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
  /** Newest first. */
  list(
    filter: { readonly state?: ApprovalState | undefined; readonly agent?: string | undefined; readonly pid?: number | undefined },
    limit: number,
    beforeId?: string,
  ): readonly ApprovalRow[];
  countPending(pid?: number): number;
  /** Pending ones whose time is over, or that are to be escalated, at this time. */
  due(at: number, limit: number): readonly ApprovalRow[];
  /** When the next is. */
  nextDue(): number | undefined;
  findRule(id: string): AllowRuleRow | undefined;
  /** In force at this time, of one agent, or of all; newest first. */
  rulesInForce(at: number, agent?: string): readonly AllowRuleRow[];
  /** Newest first. */
  rules(limit: number): readonly AllowRuleRow[];
}

export interface ApprovalTable extends ApprovalTableReads {
  insert(row: ApprovalRow): void;
  update(id: string, change: Partial<Omit<ApprovalRow, 'id' | 'callId' | 'pid' | 'createdAt'>>): void;
  /** Deletes what was decided before this time, at most `limit`. Returns how many. */
  purgeDecided(before: number, limit: number): number;
  insertRule(row: AllowRuleRow): void;
  revokeRule(id: string, at: number, by: string): void;
}
