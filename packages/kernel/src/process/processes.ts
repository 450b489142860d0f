/** The process table as the rest of Warren sees it. */
import type { JsonObject } from '../internal/json.ts';
import type { ExitKind, ParentEndPolicy, ProcessFilter, ProcessRow, ProcessSignal, ProcessState } from '../store/tables/process-table.ts';

/** A process and the id of its newest event (0 once that was purged). */
export type ProcessRecord = ProcessRow & { readonly lastEventId: number };

export type CreateProcess = {
  readonly name: string;
  readonly template: string;
  readonly parentPid?: number | undefined;
  readonly agent?: string | undefined;
  /** Default: `end`. */
  readonly onParentEnd?: ParentEndPolicy | undefined;
  readonly metadata?: JsonObject | undefined;
};

export type Moved = { readonly pid: number; readonly prevState: ProcessState; readonly state: ProcessState; readonly eventId: number };

export interface Processes {
  /** A new process in state READY. Faults: `unknown_pid` (the parent), `invalid_payload`. */
  create(request: CreateProcess): Promise<ProcessRecord>;
  get(pid: number): Promise<ProcessRecord>;
  find(pid: number): Promise<ProcessRecord | undefined>;
  /** By pid; `total` counts all that match. */
  list(
    filter?: ProcessFilter,
    page?: { readonly limit?: number; readonly offset?: number },
  ): Promise<{ readonly processes: readonly ProcessRecord[]; readonly total: number }>;
  /**
   * Moves a process to another state. A move to DEAD ends it without a kind of exit. With `expected` it only moves from that state.
   * Faults: `unknown_pid`, `illegal_transition`, `invalid_payload`.
   */
  transition(
    pid: number,
    target: ProcessState,
    options?: { readonly reason?: string | undefined; readonly expected?: ProcessState | undefined },
  ): Promise<Moved>;
  /**
   * Ends a process and, by the policy of each, its descendants. What it held is given back: names, mail, grants, queued work.
   * Faults: `unknown_pid`, `illegal_transition`.
   */
  end(pid: number, exitKind: ExitKind, exitDetail?: JsonObject): Promise<Moved>;
  /**
   * `stop` suspends (what runs is asked to pause), `continue` makes ready again, `interrupt` and `terminate` are handed to whoever runs the
   * process (a process that nobody runs is ended by `terminate`), `kill` ends at once. Faults: `unknown_pid`, `illegal_transition`.
   */
  signal(pid: number, signal: ProcessSignal): Promise<ProcessRecord>;
  /**
   * Stops all processes of an agent, those to come included, until it is resumed: none of them makes a call, and what they run is frozen. Whether it was not
   * before. Faults: `invalid_argument`.
   */
  pauseAgent(agent: string): Promise<boolean>;
  /** Whether it was paused. What was suspended for another reason stays so. */
  resumeAgent(agent: string): Promise<boolean>;
  isPaused(agent: string): Promise<boolean>;
  /** Whether it is suspended, or of an agent that is paused. Of one that does not exist: no. */
  isStopped(pid: number): Promise<boolean>;
  /** The process and all below it, parents before children. */
  tree(pid: number): Promise<readonly ProcessRecord[]>;
}

/**
 * What becomes of processes that ran or waited when the kernel went down. `resume`: who waits goes on waiting, whose work is leased goes on or is
 * taken back when the lease runs out, and who ran without a lease is suspended. `suspend` and `mark-dead` do that to all of them.
 */
export const RECOVERY_POLICIES = ['resume', 'suspend', 'mark-dead'] as const;
export type RecoveryPolicy = (typeof RECOVERY_POLICIES)[number];
