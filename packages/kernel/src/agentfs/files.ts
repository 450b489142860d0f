/**
 * AgentFS as the rest of Warren sees it: one tree of named, versioned bodies per workspace. `/memory`, `/checkpoint`, `/skill`, `/task`,
 * `/blob`, `/shared`, `/scratch` and `/conversations` are customs; any absolute path is a name. There are no directories: a prefix finds
 * what is below it.
 */
import type { JsonObject } from '../internal/json.ts';
import type { FileMode } from '../store/tables/file-table.ts';

export type FileStat = {
  readonly path: string;
  /** Who created it; the same for as long as it exists. */
  readonly owner: number;
  readonly size: number;
  /** `ro` for a version that is past: it cannot be written. */
  readonly mode: FileMode;
  readonly metadata: JsonObject;
  /** 1, 2, 3 … Deletions count, and a file created again goes on counting for as long as its history is kept. */
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
  /** Empty for a deletion. */
  readonly hash: string;
  readonly writtenAt: number;
  /** Undefined: deleted by no process. */
  readonly writer: number | undefined;
  readonly isDeletion: boolean;
};

export type WriteFile = {
  readonly path: string;
  /** Default `rw`. */
  readonly mode?: FileMode | undefined;
  /** Replaces what was there; default none. */
  readonly metadata?: JsonObject | undefined;
  /** Fault `file_exists` if there is one. */
  readonly ifAbsent?: boolean | undefined;
  /** Fault `conflict` unless the file is at this version; 0: absent. */
  readonly expectedVersion?: number | undefined;
};

/** A body to be read once. It is there until it is read to the end, the loop over it is left, or it is disposed of. */
export type FileBody = AsyncDisposable & { readonly stat: FileStat; readonly content: AsyncIterable<Uint8Array> };

export interface Files {
  /**
   * The whole body, at once (up to 16 MiB) or as a stream (up to 1 GiB; the source is asked for more only when what it gave is on disk);
   * nothing is seen before all of it is there. Bytes written are charged to the writer's `fs_w_bytes`. When `signal` fires before all of it
   * has arrived nothing is written. Faults: `unknown_pid`, `permission_denied`, `path_invalid`, `invalid_payload`, `file_exists`, `conflict`
   * (details `path`, `version`), `file_read_only`, `quota_exceeded` (of the writer, or dim `workspace_bytes`), `too_large`, `busy` (too many
   * streams), `storage_full`, `aborted`. What a stream throws is thrown.
   */
  write(pid: number, file: WriteFile, content: Uint8Array | AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<FileStat>;
  /** Faults: `file_not_found`, `path_invalid`, `too_large` (use `open`), `busy`. */
  read(
    path: string,
    options?: { readonly version?: number | undefined },
  ): Promise<{ readonly stat: FileStat; readonly content: Uint8Array }>;
  /** The body in pieces. It stays readable while others write, delete and purge. Faults: `file_not_found`, `path_invalid`, `busy`. */
  open(path: string, options?: { readonly version?: number | undefined }): Promise<FileBody>;
  stat(path: string): Promise<FileStat>;
  find(path: string): Promise<FileStat | undefined>;
  /** By path, in the order of code points; the prefix is literal and its case counts. */
  list(
    filter?: { readonly prefix?: string | undefined; readonly owner?: number | undefined },
    page?: { readonly limit?: number; readonly offset?: number },
  ): Promise<{ readonly files: readonly FileStat[]; readonly total: number }>;
  /**
   * False when there was none. Its history stays until it is purged. A `ro` file can be deleted: the mode guards the body. Faults:
   * `path_invalid`, `conflict`; with a writer `unknown_pid`, `permission_denied`.
   */
  delete(path: string, options?: { readonly writer?: number | undefined; readonly expectedVersion?: number | undefined }): Promise<boolean>;
  setMode(path: string, mode: FileMode): Promise<FileStat>;
  /** Newest first, the current one included. */
  history(path: string, limit?: number): Promise<readonly FileVersion[]>;
  /** Writes an earlier body, with its metadata, as a new version; a deleted file is its owner's again. Faults: as `write`, `file_not_found`. */
  restore(pid: number, path: string, version: number): Promise<FileStat>;
  /** Deletes what this process owns. */
  deleteOwned(pid: number): Promise<number>;
  /** Deletes past versions but the newest `keep` (default none), and gives their bytes back. The file itself stays. Returns how many. */
  purgeHistory(path: string, keep?: number): Promise<number>;
}
