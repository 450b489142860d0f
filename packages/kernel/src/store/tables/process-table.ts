import type { JsonObject } from '../../internal/json.ts';

export const PROCESS_STATES = ['READY', 'RUNNING', 'WAITING', 'SUSPENDED', 'DEAD'] as const;
export type ProcessState = (typeof PROCESS_STATES)[number];

export const EXIT_KINDS = ['completed', 'cancelled', 'failed', 'crashed'] as const;
export type ExitKind = (typeof EXIT_KINDS)[number];

/** What happens to a process when its parent ends: it ends too, stays as it is, or becomes a process without a parent. */
export const PARENT_END_POLICIES = ['end', 'orphan', 'detach'] as const;
export type ParentEndPolicy = (typeof PARENT_END_POLICIES)[number];

export const SIGNALS = ['stop', 'continue', 'interrupt', 'terminate', 'kill'] as const;
export type ProcessSignal = (typeof SIGNALS)[number];

/** Times are kernel milliseconds. */
export type ProcessRow = {
  readonly pid: number;
  readonly parentPid: number | undefined;
  readonly name: string;
  readonly template: string;
  /** The agent this is a run of: a name in the workspace. Shares its ledger. */
  readonly agent: string | undefined;
  readonly state: ProcessState;
  readonly stateReason: string | undefined;
  readonly onParentEnd: ParentEndPolicy;
  /** Asked for and not yet answered by whoever runs the process. */
  readonly pendingSignal: 'interrupt' | 'terminate' | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly exitKind: ExitKind | undefined;
  readonly exitDetail: JsonObject | undefined;
  readonly metadata: JsonObject;
};

export type ProcessFilter = {
  readonly state?: ProcessState | undefined;
  readonly parentPid?: number | undefined;
  readonly agent?: string | undefined;
};

export interface ProcessTableReads {
  /** Whether there ever was one, DEAD or not. Rows are never deleted. */
  exists(pid: number): boolean;
  find(pid: number): ProcessRow | undefined;
  /** By pid, ascending. */
  list(filter: ProcessFilter, page: { readonly limit: number; readonly offset: number }): readonly ProcessRow[];
  count(filter: ProcessFilter): number;
  countByState(): Readonly<Record<ProcessState, number>>;
  /** Children that are not DEAD, by pid. */
  liveChildren(pid: number): readonly ProcessRow[];
  /** How many children are not DEAD; counts no further than `most`. */
  countLiveChildren(pid: number, most: number): number;
  /** RUNNING and WAITING with a larger pid, by pid. */
  interrupted(afterPid: number, limit: number): readonly ProcessRow[];
  /** Itself first, then its parent, up to the root; at most `DEPTH_MAX`. Empty when it does not exist. */
  ancestry(pid: number): readonly number[];
  /** The pid the next process gets. */
  nextPid(): number;
}

/** How deep a family of processes may be; creation refuses more. */
export const DEPTH_MAX = 32;

/** Live children of one process: they end with it, in one transaction. */
export const CHILDREN_MAX = 1_000;

export interface ProcessTable extends ProcessTableReads {
  /** Pids ascend and are never given again. */
  insert(row: Omit<ProcessRow, 'pid'>): number;
  update(row: ProcessRow): void;
  /** Only the state and what goes with a move: reason, pending signal, `updatedAt`, `startedAt`. Half the price, as no other index is touched. */
  updateState(row: ProcessRow): void;
}
