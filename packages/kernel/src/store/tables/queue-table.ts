import type { JsonObject } from '../../internal/json.ts';
import type { ExitKind } from './process-table.ts';

/**
 * `queued` → `dispatched` (claimed, under a lease) → `completed`; or back to `queued` when it failed or its lease ran out, until its attempts
 * are used up: then `dead`, the dead letters, from where it can be queued again. `cancelled` and `expired` (its deadline passed) are final.
 */
export const QUEUE_STATES = ['queued', 'dispatched', 'completed', 'expired', 'cancelled', 'dead'] as const;
export type QueueState = (typeof QUEUE_STATES)[number];

/** `windowMs`: a run that did not start within this time is left out. */
export type CronRow = { readonly pattern: string; readonly zone: string; readonly windowMs: number | undefined };

/** Times are kernel milliseconds. */
export type QueueRow = {
  readonly id: number;
  readonly pid: number;
  readonly state: QueueState;
  /** Whether its time has come. Set in the steps that look at the clock, so that nothing else has to. */
  readonly isDue: boolean;
  readonly priority: number;
  readonly runnableAt: number;
  /** The smaller the sooner; then by id. Does not change while it waits. */
  readonly rank: number;
  readonly deadline: number | undefined;
  readonly trigger: string;
  readonly payload: JsonObject;
  readonly worker: string | undefined;
  /** Whether the claim made its process RUNNING and has it for itself. */
  readonly startsProcess: boolean;
  readonly createdAt: number;
  readonly dispatchedAt: number | undefined;
  readonly completedAt: number | undefined;
  readonly exitKind: ExitKind | undefined;
  /** How often it was claimed, ever. */
  readonly fence: number;
  readonly attempts: number;
  readonly attemptsMax: number;
  readonly backoffMs: number;
  readonly leaseUntil: number | undefined;
  readonly leaseMs: number | undefined;
  readonly error: string | undefined;
  readonly cron: CronRow | undefined;
  readonly dedupeKey: string | undefined;
};

/** What an entry begins with; the rest is as nobody has claimed it. */
export type NewQueueRow = Pick<
  QueueRow,
  | 'pid'
  | 'isDue'
  | 'priority'
  | 'runnableAt'
  | 'rank'
  | 'deadline'
  | 'trigger'
  | 'payload'
  | 'attemptsMax'
  | 'backoffMs'
  | 'cron'
  | 'dedupeKey'
>;

/** Who may claim from a lane: nobody, those that share the process, or also those that want it for themselves. */
export type LaneAccess = 'nobody' | 'sharers' | 'anybody';

/** The entries of one process that wait or run. */
export type LaneRow = {
  readonly pid: number;
  readonly queued: number;
  readonly dispatched: number;
  /** A claim has the process for itself. */
  readonly isTaken: boolean;
  /** Its budget allows work, as far as is known. */
  readonly isAdmitted: boolean;
  readonly access: LaneAccess;
  /** The best that may be claimed now: due, and `access` is not `nobody`. */
  readonly best: { readonly id: number; readonly rank: number; readonly isRun: boolean } | undefined;
};

/** What is needed to decide about an entry without reading all of it. */
export type WaitingRow = Pick<QueueRow, 'id' | 'pid' | 'rank' | 'runnableAt' | 'deadline'> & {
  /** Of a run, for whoever works these off. */
  readonly isRun: boolean;
};

/** The trigger of the entries of runs. Nobody else can enqueue one. */
export const RUN_TRIGGER = 'kernel.run';

export type QueueFilter = { readonly state?: QueueState | undefined; readonly pid?: number | undefined };

/** Which lanes a claim looks at. */
export type LaneChoice = {
  readonly isSharing: boolean;
  readonly isAdmissionChecked: boolean;
  /** Those whose best entry is of a run, or all others. */
  readonly areRuns: boolean;
};

/** The earliest of each, undefined when there is none; and what was not finished. */
export type NextDue = {
  readonly runnableAt: number | undefined;
  readonly deadline: number | undefined;
  readonly leaseUntil: number | undefined;
  /** The last pid that a readmission of all processes got to; undefined when none is under way. */
  readonly readmittedThrough: number | undefined;
};

export interface QueueTableReads {
  find(id: number): QueueRow | undefined;
  /** The entry of this process with this key that waits or runs. */
  findLive(pid: number, dedupeKey: string): QueueRow | undefined;
  /** By id, ascending. */
  list(filter: QueueFilter, page: { readonly limit: number; readonly offset: number }): readonly QueueRow[];
  count(filter: QueueFilter): number;
  totals(): Readonly<Record<QueueState, number>>;
  totalsOf(pid: number): Readonly<Record<QueueState, number>>;
  lane(pid: number): LaneRow | undefined;
  /** The lane whose best entry comes first. */
  bestLane(choice: LaneChoice): LaneRow | undefined;
  /** Those with something to claim, the lane whose best entry comes first first. */
  lanes(choice: LaneChoice, limit: number): readonly LaneRow[];
  /** Due entries of a process, best first. */
  waiting(pid: number, limit: number): readonly WaitingRow[];
  /** Queued entries that are not due but have a time up to this one, earliest first. */
  becomingDue(until: number, limit: number): readonly WaitingRow[];
  /** Queued entries with a deadline up to this time, earliest first. */
  pastDeadline(until: number, limit: number): readonly WaitingRow[];
  /** Dispatched entries with a lease up to this time, earliest first. */
  pastLease(until: number, limit: number): readonly WaitingRow[];
  nextDue(): NextDue;
  /** The same if any of it is up to this time. To ask in vain costs nothing. */
  dueBy(at: number): NextDue | undefined;
  /** Lanes after this pid that are not admitted, by pid. */
  notAdmitted(afterPid: number, limit: number): readonly LaneRow[];
  /** The longest finished first. */
  finished(limit: number): readonly { readonly id: number; readonly state: QueueState; readonly completedAt: number }[];
}

/** Moves take the row as it shall be, and write what the move may change. Each fails if the entry is not where it is moved from. */
export interface QueueTable extends QueueTableReads {
  /** Queued, created now. Ids ascend and are never given again. */
  insert(row: NewQueueRow): number;
  /** From queued. */
  dispatch(row: QueueRow): void;
  /** The lease. */
  prolong(row: QueueRow): void;
  /** How often it was claimed in vain, of one that is dispatched. */
  setAttempts(row: QueueRow): void;
  /** Back to queued. */
  requeue(row: QueueRow, from: QueueState): void;
  /** It is due. */
  promote(id: number): void;
  /** To a state in which it neither waits nor runs. */
  finish(row: QueueRow, from: QueueState): void;
  /** Cancels what waits of a process. Returns how many. */
  cancelWaiting(pid: number): number;
  /** Gives every lease its whole length again, from now. Returns how many. */
  renewLeases(): number;
  delete(id: number, from: QueueState): void;
  putLane(lane: LaneRow): void;
  deleteLane(pid: number): void;
  setReadmittedThrough(pid: number | undefined): void;
}
