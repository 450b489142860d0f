/**
 * Runs of agents as the rest of Warren sees them. A run is one task that a process works off, and its journal: whatever happened, step by step, from which it goes on
 * after a crash. While it is to go on it has an entry of the queue (trigger `run`, payload `{ run }`), with its leases, fences, retries and fair shares; while it waits
 * it is a row. Nothing here knows how an agent thinks.
 */
import type { JsonObject } from '../internal/json.ts';
import type { NewRunStep, RunFilter, RunOutcome, RunRow, RunState, RunStep, StepKind } from '../store/tables/run-table.ts';

export {
  RUN_OUTCOMES,
  RUN_STATES,
  type RunOutcome,
  type RunState,
  type RunStep,
  STEP_KINDS,
  type StepKind,
} from '../store/tables/run-table.ts';
export type { NewRunStep, RunFilter };

export type RunSummary = RunRow & { readonly state: RunState };
/** With what it was asked, and what came of it. */
export type RunRecord = RunSummary & { readonly task: JsonObject; readonly terms: JsonObject; readonly result: JsonObject | undefined };

export type CreateRun = {
  /** A process that has no other run. A process below that of a run makes this a child of that run. */
  readonly pid: number;
  readonly task: JsonObject;
  /** How it is to be done (models, limits, tools): for whoever works it off. With the task at most 1 MiB. */
  readonly terms?: JsonObject | undefined;
  /** For people, in lists. */
  readonly title?: string | undefined;
  readonly session?: string | undefined;
  /** Of its entries in the queue. */
  readonly priority?: number | undefined;
};

/** The claim under which somebody works a run off: whoever has lost it changes nothing any more. */
export type RunLease = { readonly entry: number; readonly fence: number };

/** `task` and `end` come from the run itself. At most 1 MiB each. */
export type Step = { readonly kind: Exclude<StepKind, 'task' | 'end'>; readonly body: JsonObject };

export type Used = { readonly tokens?: number | undefined; readonly costMicro?: number | undefined };

/** What a run waits for; a message wakes it in any case. Whoever is woken looks what has come. */
export type Park = {
  /** For people and for whoever goes on. At most 4 KiB. */
  readonly for: JsonObject;
  /** The newest step that was taken into account: a message after it has come already. */
  readonly after: number;
  /** Calls of the gate: one that is over is one that has come. At most 256. */
  readonly calls?: readonly string[] | undefined;
  /** Runs that it started: as above. */
  readonly runs?: readonly number[] | undefined;
  /** Kernel time. */
  readonly until?: number | undefined;
};

export interface Runs {
  /** Queued. Faults: `unknown_pid`, `conflict` (the process has ended or has a run), `invalid_payload`, `too_large`, `queue_admission_denied`. */
  create(request: CreateRun): Promise<RunRecord>;
  /** Faults: `not_found`. */
  get(id: number): Promise<RunRecord>;
  find(id: number): Promise<RunRecord | undefined>;
  /** The one that this process works off now. */
  current(pid: number): Promise<RunSummary | undefined>;
  /** The newest first, those before `before`; at most 1,000. */
  list(
    filter?: RunFilter,
    page?: { readonly limit?: number | undefined; readonly before?: number | undefined },
  ): Promise<readonly RunSummary[]>;
  /**
   * In order, without holes, those after `after`. At most `limit` (default 1,000, at most 10,000), and fewer when they are large: whoever wants all of them asks until
   * there are none. Faults: `not_found`.
   */
  steps(id: number, page?: { readonly after?: number | undefined; readonly limit?: number | undefined }): Promise<readonly RunStep[]>;
  /**
   * Adds steps, at most 256, and what was used, all or nothing. Returns the number of the first; the others follow. Faults: `lease_lost`, `not_found`, `invalid_payload`,
   * `too_large` (a step, or the journal: 100,000 steps, 256 MiB).
   */
  append(id: number, lease: RunLease, steps: readonly Step[], used?: Used): Promise<number>;
  /**
   * A message to it, from anybody; wakes it when it waits. Returns the number of its step. Messages have half of the journal. Faults: `not_found`, `conflict` (it has
   * ended), `invalid_payload`, `too_large`.
   */
  post(id: number, message: JsonObject): Promise<number>;
  /**
   * Gives the lease back and waits; what it waits for that has come already queues it again at once. `ended`: somebody asked it to stop meanwhile. Faults: `lease_lost`,
   * `not_found`, `invalid_payload`, `invalid_argument` (a run that it did not start), `too_large`.
   */
  park(id: number, lease: RunLease, park: Park): Promise<Exclude<RunState, 'running'>>;
  /** Queues a run that waits. False when it does not. Faults: `not_found`. */
  wake(id: number): Promise<boolean>;
  /**
   * Ends it with its process, and wakes the run that started it if that waits for it. Undefined: nothing ended, because a message came after the step `after`, and wants to be heard first. Faults:
   * `lease_lost`, `not_found`, `invalid_payload`, `too_large`.
   */
  end(
    id: number,
    lease: RunLease,
    outcome: RunOutcome,
    result: JsonObject,
    options?: { readonly after?: number | undefined },
  ): Promise<RunRecord | undefined>;
  /**
   * What is under way is asked to end (its process gets `terminate`, and a note says why); else it ends at once. Runs that it started end with it as the policies of their
   * processes say. Of one that has ended: nothing. Faults: `not_found`, `invalid_payload`.
   */
  stop(id: number, why: string): Promise<RunSummary>;
}
