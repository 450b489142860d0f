import type { JsonObject } from '../../internal/json.ts';

/** `asked`: waits for approval. `open`: carried out now, or was when somebody died. `done`: its answer is there. */
export const CALL_STATES = ['asked', 'open', 'done'] as const;
export type CallState = (typeof CALL_STATES)[number];
export type UnfinishedCallState = Exclude<CallState, 'done'>;

/** One call in the journal. */
export type CallRow = {
  /** `call_` and 16 characters; made before the transaction. */
  readonly id: string;
  readonly pid: number;
  readonly capability: string;
  readonly version: string;
  readonly effect: 'read' | 'idempotent' | 'once';
  readonly state: CallState;
  /** SHA-256 over process, capability and exact arguments. */
  readonly hash: string;
  readonly idempotencyKey: string | undefined;
  readonly approvalId: string | undefined;
  /** The exact arguments; only while `asked`, and for calls with a key while `open`. */
  readonly input: JsonObject | undefined;
  readonly createdAt: number;
  /** When it was begun the last time. */
  readonly openedAt: number | undefined;
  /** Times it was begun. */
  readonly attempts: number;
  readonly reservationId: number | undefined;
  readonly endedAt: number | undefined;
  /** What was decided: what the audit says or will say of it. */
  readonly record: JsonObject;
  /** How it ended, until the audit has it too. */
  readonly ending: JsonObject | undefined;
  /** The answer, for calls with a key or an approval once they are done. */
  readonly answer: JsonObject | undefined;
};

export interface CallTableReads {
  find(id: string): CallRow | undefined;
  findByKey(pid: number, key: string): CallRow | undefined;
  /** By creation, of all processes: looks at whatever is unfinished, and is for a start and for people. Nothing when `afterId` is gone. */
  inState(state: UnfinishedCallState, limit: number, afterId?: string): readonly CallRow[];
  /** By creation. */
  ofProcess(pid: number, states: readonly UnfinishedCallState[], limit: number): readonly CallRow[];
  countOf(pid: number, state: UnfinishedCallState): number;
}

export interface CallTable extends CallTableReads {
  /** Throws when the id is there already, or the process has a call with this key. */
  insert(row: CallRow): void;
  /** What is not mentioned stays; undefined clears. Throws when there is no such row. `endedAt` is there exactly when it is `done`. */
  update(id: string, change: Partial<Omit<CallRow, 'id' | 'pid' | 'capability' | 'createdAt'>>): void;
  /** Those that are not there are passed over. */
  delete(ids: readonly string[]): void;
  /** Deletes what was done before this time, the oldest first, at most `limit`. Returns how many. */
  purgeDone(before: number, limit: number): number;
}
