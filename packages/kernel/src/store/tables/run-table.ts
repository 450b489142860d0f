import type { JsonObject } from '../../internal/json.ts';

/** How a run can end. `stopped`: somebody asked for it, or its process was ended. `blocked`: it waits for something that will not come. */
export const RUN_OUTCOMES = [
  'completed',
  'stopped',
  'max_turns',
  'timeout',
  'budget',
  'model_error',
  'blocked',
  'looping',
  'failed',
] as const;
export type RunOutcome = (typeof RUN_OUTCOMES)[number];

/** `task` is the first of each run, `end` the last of one that has ended. */
export const STEP_KINDS = ['task', 'model', 'call', 'message', 'note', 'summary', 'end'] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/** `queued`: is to go on. `running`: somebody has it under a lease. `waiting`: for something or somebody, and costs a row. */
export const RUN_STATES = ['queued', 'running', 'waiting', 'ended'] as const;
export type RunState = (typeof RUN_STATES)[number];

export type RunRow = {
  readonly id: number;
  readonly pid: number;
  readonly agent: string | undefined;
  /** The run that started it. */
  readonly parent: number | undefined;
  readonly session: string | undefined;
  readonly title: string;
  readonly priority: number;
  /** The entry of the queue with which it goes on: it waits there or runs. Undefined when there is none. */
  readonly entry: number | undefined;
  readonly waitsFor: JsonObject | undefined;
  readonly outcome: RunOutcome | undefined;
  /** How many there are: the next has this number. */
  readonly steps: number;
  /** Of their bodies. */
  readonly bytes: number;
  readonly tokens: number;
  readonly costMicro: number;
  readonly createdAt: number;
  /** When it was first gone on with. */
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
};

export type RunStep = {
  readonly run: number;
  readonly seq: number;
  readonly kind: StepKind;
  readonly at: number;
  readonly body: JsonObject;
};

/** `json` is the text of its body: whoever hands it in has made it already, to see how long it is. */
export type NewRunStep = { readonly kind: StepKind; readonly json: string };

export type RunFilter = {
  readonly state?: RunState | undefined;
  readonly agent?: string | undefined;
  readonly parent?: number | undefined;
  readonly session?: string | undefined;
};

export interface RunTableReads {
  find(id: number): RunRow | undefined;
  /** The one of this process that has not ended. */
  findLive(pid: number): RunRow | undefined;
  /** The newest first, those before `beforeId`. */
  list(filter: RunFilter, limit: number, beforeId?: number): readonly RunRow[];
  step(run: number, seq: number): RunStep | undefined;
  /** In order, after `after`; fewer than asked for when they are large, but at least one if there is one. */
  steps(run: number, after: number, limit: number): readonly RunStep[];
  /** Whether there is a step of this kind after `after`. */
  hasStep(run: number, kind: StepKind, after: number): boolean;
  /** Of runs that have ended: the longest ended first. */
  ended(limit: number): readonly { readonly id: number; readonly endedAt: number; readonly steps: number }[];
  countEnded(): number;
}

export interface RunTable extends RunTableReads {
  /** Without steps. Ids ascend and are never given again. Throws when the process has one that has not ended. */
  insert(row: Omit<RunRow, 'id' | 'steps' | 'bytes' | 'tokens' | 'costMicro' | 'createdAt' | 'startedAt' | 'outcome' | 'endedAt'>): number;
  /** Adds these steps behind the last, and to what it used. Returns the row after it. Throws when there is none. */
  append(row: RunRow, steps: readonly NewRunStep[], used?: { readonly tokens: number; readonly costMicro: number }): RunRow;
  /** With what it goes on, what it waits for, when it began and how it ended. Throws when there is none. */
  update(row: RunRow): void;
  /** Deletes its last steps, at most `limit`, and then itself. Returns how many steps are left; undefined when it is gone. */
  shrink(id: number, limit: number): number | undefined;
}
