import type { WorkspaceId } from '@warren/protocol';
import type { JsonObject } from '../../internal/json.ts';

export type WorkspaceRow = { readonly id: WorkspaceId; readonly createdAt: number; readonly settings: JsonObject };

export interface WorkspaceTableReads {
  find(id: WorkspaceId): WorkspaceRow | undefined;
  /** By id. */
  list(): readonly WorkspaceRow[];
}

export interface WorkspaceTable extends WorkspaceTableReads {
  insert(row: WorkspaceRow): void;
  update(row: WorkspaceRow): void;
}
