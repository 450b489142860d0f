/**
 * Wakes runs that wait for calls of the gate when those are over. The gate knows no runs: what it commits is heard of here, and a start looks at every run that waits, so
 * one whose call ended in the moment of a crash is woken too. Remembers only which calls are waited for.
 */
import type { WorkspaceId } from '@warren/protocol';
import type { EntryParts } from '../schedule/entry-parts.ts';
import type { ReadTransaction, Store, Transaction } from '../store/store.ts';
import type { EventRecord } from '../store/tables/event-table.ts';
import { awaitedCalls, wakeRun } from './run-changes.ts';

/** Runs looked at in one transaction. */
const STEP = 500;

export type CallWatchParts = {
  readonly store: Store;
  readonly entries: EntryParts;
  readonly isCallOver: (transaction: ReadTransaction, callId: string) => boolean;
};

export type CallWatch = {
  /** Looks at what waits there. Called with each workspace there is at a start; what comes later makes itself heard. */
  watch(id: WorkspaceId): Promise<void>;
  /** The workspace is gone. */
  forget(id: WorkspaceId): void;
  close(): Promise<void>;
};

export function openCallWatch(parts: CallWatchParts): CallWatch {
  return new Watch(parts);
}

class Watch implements CallWatch {
  readonly #parts: CallWatchParts;
  /** Which run waits for a call. */
  readonly #awaited = new Map<WorkspaceId, Map<string, number>>();
  /** Runs to be looked at. What cannot be written is tried again after the next commit. */
  readonly #due = new Map<WorkspaceId, Set<number>>();
  readonly #listening: Disposable;
  #work: Promise<void> = Promise.resolve();
  #isWorking = false;
  #isClosed = false;

  constructor(parts: CallWatchParts) {
    this.#parts = parts;
    this.#listening = parts.store.onCommit((id, events) => this.#hear(id, events));
  }

  async watch(id: WorkspaceId): Promise<void> {
    const mine = this.#parts.store.workspace(id);
    for (let before: number | undefined; ; ) {
      const rows = await mine.read(({ runs }) => runs.list({ state: 'waiting' }, STEP, before));
      for (const row of rows) {
        const calls = awaitedCalls(row);
        if (calls.length === 0) continue;
        this.#await(id, row.id, calls);
        await mine.write((transaction) => this.#look(transaction, row.id));
      }
      before = rows.at(-1)?.id;
      if (rows.length < STEP) return;
    }
  }

  forget(id: WorkspaceId): void {
    this.#awaited.delete(id);
    this.#due.delete(id);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#listening[Symbol.dispose]();
    await this.#work;
  }

  #hear(id: WorkspaceId, events: readonly EventRecord[]): void {
    for (const { kind, payload } of events) {
      if (kind === 'kernel.run.waiting') this.#await(id, Number(payload['run']), awaitedCalls({ waitsFor: payload }));
      else if (kind === 'kernel.call.ended' || (kind === 'kernel.approval.decided' && payload['state'] !== 'approved'))
        this.#over(id, String(payload['call_id']));
    }
    if (this.#due.size > 0 && !this.#isWorking) this.#begin();
  }

  #await(id: WorkspaceId, run: number, calls: readonly string[]): void {
    if (calls.length === 0) return;
    const known = this.#awaited.get(id) ?? new Map<string, number>();
    this.#awaited.set(id, known);
    for (const call of calls) known.set(call, run);
  }

  #over(id: WorkspaceId, callId: string): void {
    const known = this.#awaited.get(id);
    const run = known?.get(callId);
    if (known === undefined || run === undefined) return;
    known.delete(callId);
    if (known.size === 0) this.#awaited.delete(id);
    this.#due.set(id, (this.#due.get(id) ?? new Set()).add(run));
  }

  #begin(): void {
    if (this.#isClosed) return;
    this.#isWorking = true;
    this.#work = this.#wakeDue()
      .catch(() => {}) // The store is closed or in trouble: the next commit tries again, and a start looks everywhere.
      .finally(() => {
        this.#isWorking = false;
      });
  }

  async #wakeDue(): Promise<void> {
    for (const [id, runs] of this.#due) {
      const mine = this.#parts.store.workspace(id);
      for (const run of runs) {
        await mine.write((transaction) => this.#look(transaction, run));
        runs.delete(run);
      }
      if (runs.size === 0) this.#due.delete(id);
    }
  }

  #look(transaction: Transaction, id: number): void {
    const { entries, isCallOver } = this.#parts;
    const row = transaction.runs.find(id);
    if (row !== undefined && awaitedCalls(row).some((each) => isCallOver(transaction, each))) wakeRun(transaction, entries, row);
  }
}
