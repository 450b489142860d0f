/**
 * The gate: every action of every agent is one call of `Gate.call`, and takes the same steps in the same order:
 *
 *   resolve → validate → review → decide → ask → grants → budget → record intent → act → redact → settle → record result → answer
 *
 * Decision, grants, budget and intent are one transaction: nothing can change between them, and what they say is on disk before anything happens. A second
 * transaction settles and records; the entry of the audit is written at the same time. Nobody is answered before both are on disk.
 *
 * A call that has to be approved is recorded with its exact arguments and carried out once, by the gate, when enough people have approved; whoever made
 * it waits for it or asks later. So waiting holds nothing but a row. Grants and budgets are looked at before people are asked, too: nobody is asked about what
 * would be refused.
 */
import type { WorkspaceId } from '@warren/protocol';
import type { Approver } from '../approval/approvals.ts';
import type { JsonObject } from '../internal/json.ts';
import type { Decision, Tier } from '../policy/policy.ts';
import type { CallRow } from '../store/tables/call-table.ts';
import type { TaintRow } from '../store/tables/taint-table.ts';
import type { CallError } from './capability.ts';
import type { CallQuestion } from './explain-call.ts';
import type { Via } from './journal-record.ts';
import type { Permits } from './permits.ts';

export { GATE_ERRORS, type GateErrorType } from './gate-errors.ts';

export type CallRequest = {
  readonly pid: number;
  readonly capability: string;
  readonly input: JsonObject;
  /**
   * The same key of the same process means the same call: it is carried out once, and the first answer is given again. 1 to 128 characters. An answer is also
   * that policy blocks it, that a grant is missing or that people said no; what time mends (rate limits, budgets, turns, a suspended process) is none,
   * nor is a call that was not understood.
   */
  readonly idempotencyKey?: string | undefined;
  /** Why, in the agent's words; shown to whoever is asked. */
  readonly reasoning?: string | undefined;
  /** Labels of untrusted content the arguments derive from, besides those the process already carries. */
  readonly taint?: readonly string[] | undefined;
  /** When somebody has to be asked: `wait` for the outcome (until the deadline of the wait), or `return` at once. Default `return`. */
  readonly onAsk?: 'wait' | 'return' | undefined;
  /** How long to wait for an answer of a person with `wait`. */
  readonly waitMs?: number | undefined;
  /** How long it may take to carry out; at most what its definition allows. */
  readonly deadlineMs?: number | undefined;
  /** Who makes it in the name of the process, when that is not the process itself: the audit says so. */
  readonly via?: Via | undefined;
  readonly onProgress?: ((message: string, share: number | undefined) => void) | undefined;
};

export type Answer = { readonly callId: string; readonly capability: string; readonly tier: Tier | undefined } & (
  | {
      readonly kind: 'done';
      readonly output: JsonObject;
      readonly taint: readonly string[];
      readonly durationMs: number;
      readonly approvalId?: string | undefined;
    }
  /** Nobody has decided yet. Ask again with `Gate.result`. */
  | { readonly kind: 'pending'; readonly approvalId: string; readonly expiresAt: number }
  | { readonly kind: 'failed'; readonly error: CallError; readonly durationMs: number; readonly approvalId?: string | undefined }
);

export interface Gate extends AsyncDisposable {
  /**
   * Makes a call. What the caller can act on is an answer of kind `failed`; faults are for what is wrong with the request or with Warren:
   * `unknown_pid`, `conflict` (the process is DEAD; the key was used for another call), `storage_full`, `store_failed`, `busy`, `aborted`, `unavailable` (it closes).
   * When `signal` fires the call is cancelled; one that waits for approval goes on waiting without its caller.
   */
  call(workspace: WorkspaceId, request: CallRequest, signal?: AbortSignal): Promise<Answer>;
  /**
   * The answer to a call that was pending, or had a key; waits for it up to `waitMs`. With `pid` only calls of this process are found: who speaks for a
   * process hands in whose. Faults: `not_found`.
   */
  result(
    workspace: WorkspaceId,
    callId: string,
    options?: { readonly waitMs?: number | undefined; readonly pid?: number | undefined },
    signal?: AbortSignal,
  ): Promise<Answer>;
  /** Cancels what is under way or waits. Whether there was anything to cancel. `pid` as in `result`; `by` is who does it in the place of the process. */
  cancel(
    workspace: WorkspaceId,
    callId: string,
    options?: { readonly pid?: number | undefined; readonly by?: Approver | undefined },
  ): Promise<boolean>;
  /** What this process may call at all, with the tier a call without surprises would get. Blocked ones and those it holds no grant for are left out. */
  offered(workspace: WorkspaceId, pid: number): Promise<readonly Offer[]>;
  /** For what commands of a process ask for while they run. The caller owns it; `onChange` is called when what was decided may be decided otherwise now. */
  permits(workspace: WorkspaceId, pid: number, onChange: () => void): Permits;
  /** What would be decided about a call; nothing is carried out, counted or recorded. Faults: `not_found` (the capability), `invalid_argument` (its arguments). */
  explain(workspace: WorkspaceId, question: CallQuestion): Promise<Decision>;
  /** Calls that are under way or wait for approval, oldest first; at most 1,000. */
  unfinished(
    workspace: WorkspaceId,
    filter?: { readonly pid?: number | undefined; readonly limit?: number | undefined },
  ): Promise<readonly UnfinishedCall[]>;
  /** Labels of untrusted content that a process carries. Faults: `unknown_pid`. */
  taints(workspace: WorkspaceId, pid: number): Promise<readonly TaintRow[]>;
  /** Takes them off: somebody looked at what it was given. Returns how many. Faults: `unknown_pid`. */
  clearTaints(workspace: WorkspaceId, pid: number): Promise<number>;
  /**
   * Takes care of what the last life left: calls that were under way get an outcome or may be made again, and entries the audit lacks are written. Opening a
   * gate does this before anything else.
   */
  recover(): Promise<Recovered>;
  /** From here on what people approve is carried out, and first what they approved before. To be called when everything is there that implementations need. */
  begin(): Promise<void>;
  /** Refuses calls of this workspace from now on, stops those under way, and resolves when they have ended. Disposing the lease lets calls in again. */
  stopWorkspace(workspace: WorkspaceId): Promise<Disposable>;
  /** Calls under way. */
  readonly active: number;
  /**
   * Refuses more calls, lets go of who waits, lets calls under way end, and stops those that have not after `drainMs` (default 10 seconds): that is then their
   * outcome. Once more, with less, is sooner.
   */
  close(options?: { readonly drainMs?: number | undefined }): Promise<void>;
}

/** How many calls had an unknown outcome, and how many entries the audit lacked. */
export type Recovered = { readonly unknown: number; readonly audited: number };

export type UnfinishedCall = Pick<CallRow, 'id' | 'pid' | 'capability' | 'approvalId' | 'createdAt' | 'attempts'> & {
  readonly state: 'asked' | 'open';
};

export type Offer = { readonly name: string; readonly tier: Tier };
