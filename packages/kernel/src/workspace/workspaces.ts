/** Which workspaces there are. */
import type { WorkspaceId } from '@warren/protocol';

export type WorkspaceSettings = {
  /** Its share of the scheduler, relative to the others. Default 1. */
  readonly weight: number;
  /** Entries it may have dispatched at once. */
  readonly runningMax: number;
  /** Bytes its files may hold, all versions together. */
  readonly fileBytesMax: number;
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

export interface Workspaces {
  /** Faults: `already_exists`, `invalid_argument`. */
  create(id: WorkspaceId, settings?: SettingsChange): Promise<WorkspaceRecord>;
  get(id: WorkspaceId): Promise<WorkspaceRecord>;
  list(): Promise<readonly WorkspaceRecord[]>;
  update(id: WorkspaceId, settings: SettingsChange): Promise<WorkspaceRecord>;
}
