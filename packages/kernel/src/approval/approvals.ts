/**
 * Approvals: pending questions to people, each bound to the exact call it asks for. A question is a row: waiting costs nothing and survives restarts. The
 * first decision wins; whoever decides later is told what was decided (`conflict`).
 */
import type { JsonObject } from '../internal/json.ts';
import type { AskTerms, Condition, RuleRef } from '../policy/policy.ts';
import type { ApprovalState } from '../store/tables/approval-table.ts';

export type { ApprovalState };

/** A person or program that decides. */
export type Approver = {
  /** Whoever it is, not with which token: a name has one vote. */
  readonly name: string;
  readonly groups: readonly string[];
  /** May decide whatever group is asked. */
  readonly isOperator: boolean;
};

export type Approval = {
  readonly id: string;
  readonly state: ApprovalState;
  readonly callId: string;
  readonly pid: number;
  readonly agent: string;
  readonly capability: string;
  /** The arguments, redacted for people to read. Long ones are shortened in lists, and once they are kept no more. */
  readonly input: JsonObject;
  /** Whether what would be carried out (`editedInput`, else `input`) is all there. */
  readonly isInputWhole: boolean;
  /** SHA-256 over capability, process and exact arguments (those to be carried out, if they were edited), in hexadecimal. */
  readonly callHash: string;
  readonly rule: RuleRef | undefined;
  /** The agent's own words. */
  readonly reasoning: string | undefined;
  readonly terms: AskTerms;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly escalatedAt: number | undefined;
  readonly decidedAt: number | undefined;
  readonly votes: readonly Vote[];
  /** Why it was rejected, cancelled, or what the approver noted. */
  readonly reason: string | undefined;
  /** What an approver made of the arguments, redacted; undefined when they are those of the call. */
  readonly editedInput: JsonObject | undefined;
};

export type Vote = {
  readonly approver: string;
  readonly at: number;
  readonly note: string | undefined;
  /** What this approver would allow from now on. */
  readonly always: AlwaysAllow | undefined;
};

/** What to allow from now on without asking. */
export type AlwaysAllow = {
  /** Which calls: `exact` the same arguments, `capability` all of this capability by this agent, or those a condition holds for. */
  readonly scope: { readonly kind: 'exact' } | { readonly kind: 'capability' } | { readonly kind: 'when'; readonly when: Condition };
  /** From now; at most a year. */
  readonly forMs: number;
};

export type AllowRule = {
  readonly id: string;
  readonly agent: string;
  readonly capability: string;
  readonly when: Condition | undefined;
  /** Only calls with exactly these arguments: their SHA-256, in hexadecimal. */
  readonly inputHash: string | undefined;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly approvalId: string | undefined;
  readonly expiresAt: number;
  readonly revokedAt: number | undefined;
};

export interface Approvals {
  /** With its arguments in all their length, as long as they are kept. */
  get(id: string): Promise<Approval>;
  /** Newest first. */
  list(
    filter?: { readonly state?: ApprovalState | undefined; readonly agent?: string | undefined; readonly pid?: number | undefined },
    page?: { readonly limit?: number | undefined; readonly before?: string | undefined },
  ): Promise<{ readonly approvals: readonly Approval[]; readonly pending: number }>;
  /**
   * One vote for. With the last that is needed the call is carried out. `input` replaces the arguments, which is recorded; it starts the votes anew, with this
   * one, on the terms that hold for the new arguments. `always` takes effect when everybody who says yes says it, of the same scope, for the shortest of the
   * times. `callHash` is that of what was read. Faults: `not_found`, `conflict` (decided or edited already; details: `state`, `decided_at`), `permission_denied`
   * (not asked, about these arguments; voted already; `always`, and others did not say it), `invalid_argument` (edited arguments that are not valid or are
   * blocked), `unavailable` (no gate is open to carry it out and to record it), and those of an audit that cannot be written, before anything is decided.
   */
  approve(
    id: string,
    by: Approver,
    options?: {
      readonly note?: string | undefined;
      readonly input?: JsonObject | undefined;
      readonly always?: AlwaysAllow | undefined;
      readonly callHash?: string | undefined;
    },
  ): Promise<Approval>;
  /** One vote against ends it. Faults: as `approve`. */
  reject(
    id: string,
    by: Approver,
    options?: { readonly reason?: string | undefined; readonly callHash?: string | undefined },
  ): Promise<Approval>;
  /** One of those who are asked takes the question off the table. Faults: as `reject`. */
  cancel(id: string, by: Approver, reason: string): Promise<Approval>;
  /** The call is no longer wanted, by its process or, for it, by somebody else, asked or not; also one that was approved and is not begun. Faults: `not_found`, `conflict`, `unavailable`. */
  withdraw(id: string, by: Approver | undefined, reason: string): Promise<Approval>;
  /** Resolves when it is decided, expired or cancelled, or after `waitMs`, with what it is then, as `get`. */
  wait(id: string, waitMs: number, signal?: AbortSignal): Promise<Approval>;
  /** Newest first; those in force, or all. */
  listRules(options?: { readonly all?: boolean | undefined }): Promise<readonly AllowRule[]>;
  /** Faults: `not_found`. Whether it was in force. */
  revokeRule(id: string, by: Approver): Promise<boolean>;
  /** Escalates and expires what is due now. A timer does so by itself. */
  tick(): Promise<void>;
}
