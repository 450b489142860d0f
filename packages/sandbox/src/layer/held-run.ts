import { isFault } from '@warren/protocol';
import { writeAtomically } from './internal/write-atomically.ts';
import type { RunLock } from './run-lock.ts';
import { type RunPaths, runPaths } from './run-paths.ts';
import { type LayerRecord, type RunRecord, recordToText } from './run-record.ts';

/** What becomes of a record. */
export type RecordChanges = Partial<Omit<RunRecord, 'id' | 'layer'>> & { readonly layer?: Partial<LayerRecord> };

/** A run that nobody else can use until this is disposed. */
export class HeldRun implements Disposable {
  readonly paths: RunPaths;
  readonly #lock: RunLock;
  #record: RunRecord;

  constructor(directory: string, record: RunRecord, lock: RunLock) {
    this.paths = runPaths(directory);
    this.#record = record;
    this.#lock = lock;
  }

  get record(): RunRecord {
    return this.#record;
  }

  /** Writes the record before anything relies on it. Throws `storage_full`. */
  save(changes: RecordChanges): void {
    const record = { ...this.#record, ...changes, layer: { ...this.#record.layer, ...changes.layer } };
    writeAtomically(this.paths.record, recordToText(record));
    this.#record = record;
  }

  /** As `save`, when something already fails and that is what matters. */
  trySave(changes: RecordChanges): void {
    try {
      this.save(changes);
    } catch (error) {
      if (!isFault(error)) throw error; // A fault here leaves the record as it was, which is still true enough to go on from.
    }
  }

  /** Gives the run free. Idempotent. */
  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }
}
