import type { WorkspaceId } from '@warren/protocol';
import type { JsonObject } from '../../internal/json.ts';

export type WorkspaceRow = { readonly id: WorkspaceId; readonly createdAt: number; readonly settings: JsonObject };

export interface WorkspaceTableReads {
  find(id: WorkspaceId): WorkspaceRow | undefined;
  /** By id. */
  list(): readonly WorkspaceRow[];
  /** Those in which something happened that a start or a purge may have to look after, by id. */
  used(): readonly WorkspaceId[];
  /** An id that differs from this one in nothing but capitals. */
  findAlike(id: WorkspaceId): WorkspaceId | undefined;
  /** Ids of those whose deletion has begun and is not done, each once. */
  retired(): readonly WorkspaceId[];
}

export interface WorkspaceTable extends WorkspaceTableReads {
  insert(row: WorkspaceRow): void;
  update(row: WorkspaceRow): void;
  /** The beginning of its end: from here on nobody finds it. Its keys, its tokens and its people go at once, its other rows with `Store.eraseRetired`. */
  retire(id: WorkspaceId): void;
  /** The other way: a retired one is there from now on. */
  adopt(row: WorkspaceRow): void;
}
