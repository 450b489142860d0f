/** Scheduled work as the rest of Warren sees it. */
import type { WorkspaceId } from '@warren/protocol';
import type { JsonObject } from '../internal/json.ts';
import type { ExitKind } from '../store/tables/process-table.ts';
import type { QueueState } from '../store/tables/queue-table.ts';

export { QUEUE_STATES, type QueueState } from '../store/tables/queue-table.ts';

export type QueueEntry = {
  readonly id: number;
  readonly pid: number;
  readonly priority: number;
  readonly runnableAt: number;
  readonly deadline: number | undefined;
  readonly trigger: string;
  readonly payload: JsonObject;
  readonly state: QueueState;
  readonly worker: string | undefined;
  readonly createdAt: number;
  readonly dispatchedAt: number | undefined;
  readonly completedAt: number | undefined;
  readonly exitKind: ExitKind | undefined;
  /** Claims that count. A claim that was given back does not, and a dead letter that is queued again begins anew. */
  readonly attempts: number;
  readonly attemptsMax: number;
  readonly backoffMs: number;
  readonly leaseUntil: number | undefined;
  readonly error: string | undefined;
  readonly cron: { readonly pattern: string; readonly zone: string } | undefined;
};

export type Enqueue = {
  readonly pid: number;
  /** Larger first. Waiting a minute is worth one. */
  readonly priority?: number | undefined;
  readonly runnableAt?: number | undefined;
  readonly deadline?: number | undefined;
  readonly trigger?: string | undefined;
  readonly payload?: JsonObject | undefined;
  readonly attemptsMax?: number | undefined;
  /** Before the second attempt; doubles each time, up to an hour, with jitter. */
  readonly backoffMs?: number | undefined;
  /**
   * Runs again and again: when one is done, dead or expired the next is queued; cancelling one ends the series. Missed times run once. The
   * first is not before `runnableAt`. A `deadline` counts from there, and for each run anew. The zone's default is UTC.
   */
  readonly cron?: { readonly pattern: string; readonly zone?: string | undefined } | undefined;
  /** While an entry of the process with this key waits or runs, enqueueing another answers with that one. */
  readonly dedupeKey?: string | undefined;
};

export type ClaimOptions = {
  readonly worker: string;
  readonly limit?: number | undefined;
  readonly leaseMs?: number | undefined;
  /** Default true: entries of processes that spent their budget wait. */
  readonly isAdmissionChecked?: boolean | undefined;
  /** Default true: one entry of a process at a time, and claiming moves it from READY or WAITING to RUNNING. */
  readonly startsProcess?: boolean | undefined;
  /** Default false: all but the entries of runs. True: these alone, for whoever works them off. */
  readonly areRuns?: boolean | undefined;
  /** Only for tests and replays: another time than now. */
  readonly now?: number | undefined;
};

/** `fence` ascends with each claim of an entry and is never given again: only who holds the newest may speak for the entry. */
export type Claim = { readonly entry: QueueEntry; readonly fence: number; readonly leaseUntil: number };

export interface Queue {
  /** Faults: `unknown_pid`, `queue_entry_invalid` (field), `too_large`, `queue_admission_denied` (too many wait already). */
  enqueue(request: Enqueue): Promise<QueueEntry>;
  /**
   * Best first: priority with ageing, then id. At most as many as the workspace may run at once. With another `now` it looks at no more than
   * 10,000 entries. Faults: `queue_entry_invalid`.
   */
  claim(options: ClaimOptions): Promise<readonly Claim[]>;
  /** Prolongs the lease. `terminate` also when the process has ended. Faults: `lease_lost`, `queue_entry_not_found`, `queue_entry_invalid`. */
  heartbeat(
    id: number,
    fence: number,
    leaseMs?: number,
  ): Promise<{ readonly leaseUntil: number; readonly pendingSignal: 'interrupt' | 'terminate' | undefined }>;
  /**
   * Final. Without a fence whoever completes is believed. A process that the claim started goes to WAITING, or ends with this kind when
   * `endsProcess`. Faults: `queue_entry_not_found`, `queue_illegal_transition`, `lease_lost`.
   */
  complete(
    id: number,
    exitKind: ExitKind,
    options?: { readonly fence?: number | undefined; readonly endsProcess?: boolean | undefined; readonly detail?: JsonObject | undefined },
  ): Promise<{ readonly prevState: QueueState; readonly entry: QueueEntry }>;
  /** This attempt failed: again after a pause, or a dead letter. Faults: `queue_entry_not_found`, `lease_lost`. */
  fail(id: number, fence: number, error: string): Promise<QueueEntry>;
  /** Gives a claim back unused; the attempt does not count. Faults: as `fail`. */
  release(id: number, fence: number): Promise<QueueEntry>;
  /** Of what waits. Faults: `queue_entry_not_found`, `queue_illegal_transition`. */
  cancel(id: number): Promise<{ readonly prevState: QueueState; readonly entry: QueueEntry }>;
  /** Queues a dead letter again with fresh attempts. Faults: as `cancel`, and as `enqueue`. */
  retry(id: number): Promise<QueueEntry>;
  get(id: number): Promise<QueueEntry>;
  list(
    filter?: { readonly state?: QueueState | undefined; readonly pid?: number | undefined },
    page?: { readonly limit?: number; readonly offset?: number },
  ): Promise<{ readonly entries: readonly QueueEntry[]; readonly total: number }>;
  /** Marks queued entries whose deadline passed. The kernel does so by itself in time; this is for who wants it now. */
  expire(now?: number): Promise<number>;
}

export type ScheduledClaim = Claim & { readonly workspace: WorkspaceId };

export type ScheduledClaimOptions = Omit<ClaimOptions, 'now'> & {
  /** Default 0, at most an hour. */
  readonly waitMs?: number | undefined;
  /** Only from this one. */
  readonly workspace?: WorkspaceId | undefined;
};

/** Claims over all workspaces, each in its fair share, and waits for work without polling. */
export interface Scheduler {
  /**
   * Resolves as soon as there is something to claim, or with nothing after `waitMs`. When `signal` fires the wait ends with nothing; what
   * was being claimed is given back. Faults: `queue_entry_invalid`, `busy` (too many wait).
   */
  claim(options: ScheduledClaimOptions, signal?: AbortSignal): Promise<readonly ScheduledClaim[]>;
  /**
   * Does what time asks for: delayed entries become due, leases run out, deadlines pass. The scheduler's timer calls it; who stops the clock
   * calls it when the clock has moved.
   */
  tick(): Promise<void>;
}
