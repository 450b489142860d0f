/**
 * Group commit: callers that write at about the same time share one transaction, and so one flush.
 *
 * A group is whatever was asked for until the loop has read all its sockets (`setImmediate`), so a lone caller waits for nobody and a busy
 * daemon flushes once for all. Bodies run one after the other. One that throws before it wrote anything is simply left out. One that throws
 * after it wrote undoes the whole group; the others run again, now each in a savepoint, which is slower and rare. This is allowed because
 * bodies are functions of what they read.
 */
import { Fault, type WorkspaceId } from '@warren/protocol';
import { type FaultPoints, PlayedCrash } from '../../internal/fault-points.ts';
import type { EventRecord } from '../tables/event-table.ts';
import { type Database, storeFault } from './database.ts';

/** Bodies in one group, and how long they may keep the loop: the rest comes with the next flush. */
const GROUP_MAX = 2_000;
const GROUP_MS_MAX = 25;
/** Writes that wait; more are refused. */
const WAITING_MAX = 100_000;

/** What one transaction produced besides its result. */
export type Written = { readonly workspace: WorkspaceId; readonly events: readonly EventRecord[]; readonly bytes: number };

export type GroupCommitParts = {
  readonly database: Database;
  readonly faults: FaultPoints;
  /** Called after each commit, before the callers hear of it. */
  readonly onCommit: (written: readonly Written[]) => void;
  /** Called after anything was undone: what is remembered of the database is no longer true. */
  readonly onUndo: () => void;
  /** Runs each body twice and compares, to hold bodies to being functions of what they read. For tests. */
  readonly isRehearsing: boolean;
};

/** A body, and where its events are collected. */
export type Work = { readonly run: () => { readonly value: unknown; readonly written: Written | undefined } };

type Waiting = Work & { readonly resolve: (value: unknown) => void; readonly reject: (error: unknown) => void };
type Outcome = {
  readonly waiting: Waiting;
  readonly value?: unknown;
  readonly written?: Written | undefined;
  readonly error?: unknown;
  readonly isFailed: boolean;
};

export class GroupCommit {
  readonly #parts: GroupCommitParts;
  #waiting: Waiting[] = [];
  #isScheduled = false;
  /** Why nothing is accepted any more. */
  #end: Error | undefined;
  readonly #idle: (() => void)[] = [];

  constructor(parts: GroupCommitParts) {
    this.#parts = parts;
  }

  /** Resolves with the value of the body when it is on disk. */
  submit(work: Work): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) return reject(this.#end);
      if (this.#waiting.length >= WAITING_MAX) {
        return reject(new Fault('busy', `Cannot write: ${this.#waiting.length} writes wait, the limit is ${WAITING_MAX}`));
      }
      this.#waiting.push({ run: work.run, resolve, reject });
      this.#schedule();
    });
  }

  /** Refuses more; resolves when everything accepted is done. */
  async end(reason: Error): Promise<void> {
    this.#end ??= reason;
    if (this.#waiting.length > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#flush();
      if (this.#waiting.length > 0) this.#schedule();
      else for (const resolve of this.#idle.splice(0)) resolve();
    });
  }

  #flush(): void {
    let outcomes: readonly Outcome[];
    const group = this.#waiting.length > GROUP_MAX ? this.#waiting.splice(0, GROUP_MAX) : this.#waiting.splice(0);
    try {
      const first = this.#attempt(group, false);
      outcomes = first ?? this.#attempt(group, true) ?? [];
    } catch (error) {
      this.#fail(group, error);
      return;
    }
    for (const { waiting, isFailed, value, error } of outcomes) {
      if (isFailed) waiting.reject(error);
      else waiting.resolve(value);
    }
  }

  /** Everything of the group is undone, and its callers hear why. */
  #fail(group: readonly Waiting[], error: unknown): void {
    if (error instanceof PlayedCrash) {
      this.#end = error;
      for (const waiting of [...group, ...this.#waiting.splice(0)]) waiting.reject(error);
      return;
    }
    this.#undo();
    const fault = storeFault(error, 'write');
    for (const waiting of group) waiting.reject(fault);
  }

  /** Runs and commits the group. Undefined when it has to run again with savepoints. */
  #attempt(group: Waiting[], hasSavepoints: boolean): readonly Outcome[] | undefined {
    const { database, faults, onCommit } = this.#parts;
    faults.reach('store.begin');
    database.execute('BEGIN IMMEDIATE');
    database.isWriting = true;
    const outcomes: Outcome[] = [];
    const startedMs = performance.now();
    for (const [index, waiting] of group.entries()) {
      if (index > 0 && performance.now() - startedMs > GROUP_MS_MAX) {
        this.#waiting.unshift(...group.splice(index)); // They come first in the next group.
        break;
      }
      faults.reach('store.body');
      const outcome = hasSavepoints || this.#parts.isRehearsing ? this.#runInSavepoint(waiting) : this.#run(waiting);
      if (outcome === undefined) {
        this.#undo();
        return undefined;
      }
      outcomes.push(outcome);
    }
    faults.reach('store.commit');
    database.isWriting = false;
    database.execute('COMMIT');
    onCommit(outcomes.flatMap(({ written }) => (written === undefined ? [] : [written])));
    faults.reach('store.committed');
    return outcomes;
  }

  /** Undefined: it failed after it wrote, so the group cannot be committed. */
  #run(waiting: Waiting): Outcome | undefined {
    const before = this.#parts.database.writes;
    try {
      return { waiting, isFailed: false, ...waiting.run() };
    } catch (error) {
      if (isFatal(error)) throw error;
      return this.#parts.database.writes === before ? { waiting, isFailed: true, error } : undefined;
    }
  }

  #runInSavepoint(waiting: Waiting): Outcome {
    const { database, isRehearsing } = this.#parts;
    database.execute('SAVEPOINT body');
    try {
      if (isRehearsing) {
        const rehearsal = serialize(waiting.run());
        this.#undoToSavepoint();
        const done = waiting.run();
        if (serialize(done) !== rehearsal) throw new Error('A transaction body gave another result when it ran again');
        database.execute('RELEASE body');
        return { waiting, isFailed: false, ...done };
      }
      const done = waiting.run();
      database.execute('RELEASE body');
      return { waiting, isFailed: false, ...done };
    } catch (error) {
      if (isFatal(error)) throw error;
      this.#undoToSavepoint();
      database.execute('RELEASE body');
      return { waiting, isFailed: true, error };
    }
  }

  #undoToSavepoint(): void {
    this.#parts.database.execute('ROLLBACK TO body');
    this.#parts.onUndo();
  }

  #undo(): void {
    const { database, onUndo } = this.#parts;
    database.isWriting = false;
    if (database.connection.isOpen && database.connection.isTransaction) database.execute('ROLLBACK');
    onUndo();
  }
}

/** Not the body's own failure: the disk, the file or the process failed, and with it the whole group. */
function isFatal(error: unknown): boolean {
  return error instanceof PlayedCrash || storeFault(error, 'write') !== error;
}

function serialize(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (inner instanceof Uint8Array ? Buffer.from(inner).toString('base64') : inner)) ?? '';
}
