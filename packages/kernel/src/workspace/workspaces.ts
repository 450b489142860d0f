/** Which workspaces there are. */
import type { WorkspaceId } from '@warren/protocol';
import type { RowBatch } from '../store/store.ts';
import type { SecretBatch } from '../store/tables/secret-table.ts';

export type WorkspaceSettings = {
  /** Its share of the scheduler, relative to the others. Default 1. */
  readonly weight: number;
  /** Entries it may have dispatched at once. */
  readonly runningMax: number;
  /** Bytes its files may hold, all versions together. */
  readonly fileBytesMax: number;
  /** Bytes of everything that it stores: files, memories, sessions, secrets. The kernel holds what it keeps itself to it; whoever keeps more asks. */
  readonly storedBytesMax: number;
  readonly retention: Retention;
};

/** What is deleted: whatever is older, and the oldest beyond the count. */
export type Retention = {
  readonly eventAgeMs: number;
  readonly eventsMax: number;
  readonly finishedEntryAgeMs: number;
  readonly finishedEntriesMax: number;
  readonly fileVersionsMax: number;
  /** Since a version was replaced or deleted. */
  readonly fileVersionAgeMs: number;
};

/** What is left out stays as it is. */
export type SettingsChange = Partial<Omit<WorkspaceSettings, 'retention'>> & { readonly retention?: Partial<Retention> };

export type WorkspaceRecord = { readonly id: WorkspaceId; readonly createdAt: number; readonly settings: WorkspaceSettings };

/**
 * Somebody who keeps something of workspaces outside of the kernel's rows, or does something for them. `stop` comes while everything is still there: from when it returns until its lease is disposed nothing is
 * begun for that workspace, and what was under way has ended. `wipe` comes when nobody can find the workspace any more; after a crash it comes again, and to somebody who has nothing left of it.
 */
export interface WorkspaceKeeper {
  stop(id: WorkspaceId): Promise<Disposable>;
  wipe(id: WorkspaceId): Promise<void>;
}

/** Of a workspace that nobody finds yet. */
export type ImportTarget = {
  rows(batch: RowBatch): Promise<void>;
  secrets(batch: SecretBatch): Promise<void>;
};

export interface Workspaces {
  /** Faults: `already_exists` (also one that differs in capitals alone: on many file systems they would be one), `conflict` (one of this id is being deleted), `invalid_argument`. */
  create(id: WorkspaceId, settings?: SettingsChange): Promise<WorkspaceRecord>;
  get(id: WorkspaceId): Promise<WorkspaceRecord>;
  list(): Promise<readonly WorkspaceRecord[]>;
  /** Those in which something happened: what a start looks after. Of ten thousand tenants most may be asleep. */
  used(): Promise<readonly WorkspaceId[]>;
  update(id: WorkspaceId, settings: SettingsChange): Promise<WorkspaceRecord>;
  /**
   * Ends what is under way there, destroys its keys, and then everything else of it, bytes included. When it returns nothing is left but metadata in the audit, and the id can be used again. Stopped in the
   * middle, by a crash or a fault, `finishDeletions` goes on. Faults: `not_found`, `invalid_argument` (`default`: Warren itself uses it), `busy` (somebody reads the store from outside).
   */
  delete(id: WorkspaceId): Promise<void>;
  /**
   * Makes a workspace of the rows that `fill` writes, and of what else it does meanwhile for those who keep something. Nobody finds it before `fill` is done; when that fails, or after a crash, everything of it is wiped. Faults: those of
   * `create`, and of `fill`.
   */
  import(id: WorkspaceId, settings: SettingsChange, fill: (into: ImportTarget) => Promise<void>): Promise<WorkspaceRecord>;
  /** Deletions that a crash cut off, to be called when those who keep something are known. Returns how many. */
  finishDeletions(): Promise<number>;
  /** Hears of deletions. Those who came last are stopped first. */
  keep(keeper: WorkspaceKeeper): Disposable;
}
