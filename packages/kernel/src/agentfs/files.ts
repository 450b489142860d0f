/** AgentFS as the rest of Warren sees it: one tree of named, versioned bodies per workspace. */
import type { JsonObject } from '../internal/json.ts';

export type FileMode = 'rw' | 'ro';

export type FileStat = {
  readonly path: string;
  readonly owner: number;
  readonly size: number;
  readonly mode: FileMode;
  readonly metadata: JsonObject;
  /** 1, 2, 3 … */
  readonly version: number;
  /** SHA-256 of the body, hex. */
  readonly hash: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Kept to the minute. */
  readonly accessedAt: number | undefined;
};

export type FileVersion = {
  readonly version: number;
  readonly size: number;
  readonly hash: string;
  readonly writtenAt: number;
  readonly writer: number;
  readonly isDeletion: boolean;
};

export type WriteFile = {
  readonly path: string;
  readonly mode?: FileMode | undefined;
  readonly metadata?: JsonObject | undefined;
  /** Fault `file_exists` if there is one. */
  readonly ifAbsent?: boolean | undefined;
  /** Fault `conflict` unless the file is at this version; 0: absent. */
  readonly expectedVersion?: number | undefined;
};

export interface Files {
  /**
   * The whole body, at once or as a stream; nothing is seen before all of it is there. Bytes written are charged to the writer's
   * `fs_w_bytes`. Faults: `unknown_pid`, `path_invalid`, `file_exists`, `file_read_only`, `conflict`, `quota_exceeded`, `too_large`, `storage_full`.
   */
  write(pid: number, file: WriteFile, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<FileStat>;
  /** Faults: `file_not_found`, `path_invalid`, `too_large` (use `open`). */
  read(
    path: string,
    options?: { readonly version?: number | undefined },
  ): Promise<{ readonly stat: FileStat; readonly content: Uint8Array }>;
  /** The body in pieces. It stays readable while others write. */
  open(
    path: string,
    options?: { readonly version?: number | undefined },
  ): Promise<{ readonly stat: FileStat; readonly content: AsyncIterable<Uint8Array> }>;
  stat(path: string): Promise<FileStat>;
  find(path: string): Promise<FileStat | undefined>;
  /** By path; the prefix is literal and its case counts. */
  list(
    filter?: { readonly prefix?: string | undefined; readonly owner?: number | undefined },
    page?: { readonly limit?: number; readonly offset?: number },
  ): Promise<{ readonly files: readonly FileStat[]; readonly total: number }>;
  /** False when there was none. Its history stays until it is purged. */
  delete(path: string, options?: { readonly writer?: number | undefined; readonly expectedVersion?: number | undefined }): Promise<boolean>;
  setMode(path: string, mode: FileMode): Promise<FileStat>;
  /** Newest first. */
  history(path: string, limit?: number): Promise<readonly FileVersion[]>;
  /** Writes an earlier body as a new version. */
  restore(pid: number, path: string, version: number): Promise<FileStat>;
  /** Deletes what this process owns. */
  deleteOwned(pid: number): Promise<number>;
}
