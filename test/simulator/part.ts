/**
 * A part of the kernel as the simulator sees it: what can be asked of it at random, what its events say happened, and what it holds now. The
 * model is the events told to plain maps; it knows nothing of tables, transactions or flushes.
 */
import type { EventRecord, Kernel, ProcessRecord, Summary, WorkspaceKernel } from '@warren/kernel';
import type { Random } from '@warren/kernel/testing';
import type { Notes } from './notes.ts';

export type Asking = {
  readonly mine: WorkspaceKernel;
  readonly kernel: Kernel;
  /** To be asked before the first `await`: several ask at once, and a seed shall repeat what each gets. */
  readonly random: Random;
  /** What those who ask remember, also after the kernel died. */
  readonly notes: Notes;
  /** Kernel time. */
  readonly now: number;
};

/** An event there must be when a request was answered: its kind, and whatever else is named here. */
export type Told = {
  readonly kind: string;
  readonly id?: number;
  readonly pid?: number | undefined;
  readonly payload?: Readonly<Record<string, unknown>>;
};

/** A random request. Resolves when it is answered, with what must have been recorded by then; a fault is an answer too, a death is not. */
export type Ask = (asking: Asking) => Promise<readonly Told[]>;

export interface Part {
  readonly name: string;
  /** How often it is asked, relative to the others. */
  readonly weight: number;
  readonly asks: readonly Ask[];
  /** What is asked in the beginning, so that there is something to ask about. */
  readonly opening?: readonly Ask[];
  /** A model that has heard of nothing. */
  createModel(known: Known): Model;
  /** What the kernel says it holds, in the same shape as the model's `state`. */
  observe(observing: Observing): Promise<unknown>;
  readonly lasts?: readonly Last[];
}

/** One of the last requests of a schedule, when nobody else asks: its answer follows from what is held alone. */
export type Last = {
  readonly what: string;
  readonly ask: (asking: Asking) => Promise<unknown>;
  /** Of the part's own model. */
  readonly expect: (model: Model, now: number) => unknown;
};

/** The limits of a workspace, the same from the beginning to the end of a schedule. */
export type Limits = {
  readonly runningMax: number;
  readonly fileVersionsMax: number;
  readonly finishedEntriesMax: number;
  readonly eventsMax: number;
};

/** What models know of others. They hear of each event after these. */
export type Known = {
  readonly processes: KnownProcesses;
  readonly ledger: KnownLedger;
  readonly limits: Limits;
  readonly notes: Notes;
};

export interface KnownProcesses extends Model {
  readonly all: ReadonlyMap<number, ProcessRecord>;
  /** Throws when it was never made. */
  get(pid: number): ProcessRecord;
  isAlive(pid: number): boolean;
  /** Itself, its parent, and so on. */
  line(pid: number): readonly ProcessRecord[];
}

export interface KnownLedger extends Model {
  /** Whether a process pays into an account that used more than it was granted. */
  isSpent(pid: number): boolean;
}

export type Moment = {
  readonly now: number;
  /** When the kernel started last. */
  readonly startedAt: number;
  /** Older events were purged. */
  readonly firstEventId: number;
};

export type Observing = Moment & {
  readonly mine: WorkspaceKernel;
  readonly kernel: Kernel;
  readonly notes: Notes;
  /** What every part would ask for. */
  readonly summary: Summary;
  readonly processes: readonly ProcessRecord[];
  /** Since its start the kernel met no trouble, and so has done what it does unasked. */
  readonly isUntroubled: boolean;
};

export interface Model {
  /** Takes one event. Throws when it tells of something that must not happen. */
  hear(event: EventRecord): void;
  /** Between two transactions. Throws when something holds that must not. */
  rest?(): void;
  /** After a start, before anybody asks for anything. As above. */
  start?(moment: Moment): void;
  state(moment: Moment): unknown;
}
