/** What a gate is opened with, and what its parts share. */
import type { RandomSource, WorkspaceId } from '@warren/protocol';
import type { ApprovalOffice } from '../approval/open-approvals.ts';
import type { Waiters } from '../approval/waiters.ts';
import type { Audit } from '../audit/audit.ts';
import type { Clock } from '../internal/clock.ts';
import type { BreachParts } from '../ledger/answer-breach.ts';
import type { Policy } from '../policy/policy.ts';
import type { Store } from '../store/store.ts';
import type { CallRow } from '../store/tables/call-table.ts';
import type { AuditGuard } from './audit-guard.ts';
import type { CallsUnderWay } from './calls-under-way.ts';
import type { CapabilityTable } from './capability.ts';
import type { CallRequest } from './gate.ts';
import type { GateLife } from './gate-life.ts';
import type { Via } from './journal-record.ts';
import type { GateLimits } from './limits.ts';
import type { Redact } from './redact.ts';
import type { ReviewCall } from './review.ts';
import type { ValidCall } from './validate-input.ts';

/** What whoever opens a gate decides. */
export type GateOptions = {
  readonly capabilities: CapabilityTable;
  /** Asked once for each call; a policy never changes, so what changes meanwhile counts from the next call on. */
  readonly policyOf: (workspace: WorkspaceId) => Policy;
  readonly audit: Pick<Audit, 'append' | 'check' | 'search'>;
  /** Takes known secrets out of a text. Default: Warren's own tokens. */
  readonly redactorOf?: ((workspace: WorkspaceId) => Redact) | undefined;
  /** Who looks at calls before they are decided and hears what they came to. Default: nobody. */
  readonly review?: ReviewCall | undefined;
  /** Waited for before a call is looked at, when it returns something: what has to be known before anything is redacted. */
  readonly prepare?: ((workspace: WorkspaceId) => Promise<void> | undefined) | undefined;
  readonly limits?: Partial<GateLimits> | undefined;
  readonly random?: RandomSource | undefined;
  /** Called when an implementation has a defect, for a log: agents learn no more of it than that it is one. Must not throw. */
  readonly onDefect?: ((defect: CallDefect) => void) | undefined;
};

/** `defect`: what it threw, without secrets. */
export type CallDefect = {
  readonly call_id: string;
  readonly capability: string;
  readonly workspace: string;
  readonly pid: number;
  readonly defect: string;
};

/** What the kernel hands over. */
export type GateParts = GateOptions & {
  readonly store: Store;
  readonly clock: Clock;
  readonly budget: BreachParts;
  readonly office: ApprovalOffice;
  readonly workspaces: () => Promise<readonly WorkspaceId[]>;
};

/** One of each for all calls of a gate. */
export type GateShared = Omit<GateParts, 'limits' | 'redactorOf'> & {
  readonly limits: GateLimits;
  readonly redactorOf: (workspace: WorkspaceId) => Redact;
  readonly guard: AuditGuard;
  readonly underWay: CallsUnderWay;
  /** Those who wait for a call to end, or for people to decide about it. */
  readonly waiters: Waiters;
  readonly life: GateLife;
  /** Workspaces that are being deleted: nothing is begun there. */
  readonly stopped: Set<WorkspaceId>;
};

/** A call as far as it is understood. */
export type PreparedCall = {
  readonly workspace: WorkspaceId;
  readonly callId: string;
  readonly pid: number;
  readonly valid: ValidCall;
  /** Had before what has to be known was waited for, and held until it is answered: what it knows is not forgotten meanwhile. */
  readonly redact: Redact;
  readonly approvalId: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly reasoning: string | undefined;
  readonly taint: readonly string[];
  /** Of the call as it was asked for, where review made another one of it. */
  readonly askedHash: string | undefined;
  readonly deadlineMs: number;
  readonly via: Via | undefined;
  readonly onProgress: CallRequest['onProgress'];
  /** Set when a row of this call exists and is to be carried out: because it was approved, or once more. */
  readonly again: { readonly row: CallRow; readonly isApproved: boolean } | undefined;
};
