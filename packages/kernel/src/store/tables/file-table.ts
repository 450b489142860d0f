/** Rows of files: the newest version of each, the versions before it, and the bodies they name. */
import type { JsonObject } from '../../internal/json.ts';

export const FILE_MODES = ['rw', 'ro'] as const;
export type FileMode = (typeof FILE_MODES)[number];

/** A body up to this size is small and kept in one piece; a larger one is kept in chunks of this size, the last one shorter. */
export const CHUNK_BYTES = 262_144;

/** Bodies from this size on are kept once. To find a smaller one by its hash would cost more than to keep it again. */
export const SHARED_BYTES_MIN = 4_096;

/** What a version holds: a body of the workspace. */
export type BodyRow = {
  readonly body: number;
  readonly size: number;
  /** SHA-256, hex. */
  readonly hash: string;
};

/** A file as it is. */
export type FileRow = BodyRow & {
  readonly path: string;
  readonly owner: number;
  readonly writer: number;
  readonly mode: FileMode;
  readonly version: number;
  readonly metadata: JsonObject;
  readonly createdAt: number;
  readonly writtenAt: number;
  readonly updatedAt: number;
  readonly accessedAt: number | undefined;
};

/** A version that is no longer the newest, or a deletion. */
export type PastVersionRow = {
  readonly path: string;
  readonly version: number;
  /** Whose file it was. */
  readonly owner: number;
  readonly writer: number | undefined;
  /** Undefined: the file was deleted. */
  readonly content: BodyRow | undefined;
  readonly metadata: JsonObject;
  readonly createdAt: number;
  readonly writtenAt: number;
  readonly supersededAt: number;
};

export type FileFilter = {
  /** Literal; its case counts. */
  readonly prefix?: string | undefined;
  readonly owner?: number | undefined;
};

export interface FileTableReads {
  find(path: string): FileRow | undefined;
  /** By path, in the order of code points. */
  list(filter: FileFilter, page: { readonly limit: number; readonly offset: number }): readonly FileRow[];
  count(filter: FileFilter): number;
  /** Newest versions, of one owner if one is given. */
  totals(owner?: number): { readonly count: number; readonly bytes: number };
  /** The number of the newest version that is past; 0 when there is none. */
  newestPast(path: string): number;
  findPast(path: string, version: number): PastVersionRow | undefined;
  /** Newest first. */
  listPast(path: string, limit: number): readonly PastVersionRow[];
  /** Paths after this one that have past versions, in order. */
  pathsWithPast(afterPath: string, limit: number): readonly string[];
  /** Bytes of all bodies that are named, each counted once. */
  usedBytes(): number;
  /** Finds bodies of `SHARED_BYTES_MIN` and more, of which there is one for each hash. */
  findBody(hash: string): BodyRow | undefined;
  /** Whether a version names it. */
  isNamed(body: number): boolean;
  /** The content of a small body. */
  readSmall(body: number): Uint8Array | undefined;
  /** A piece of a large one. */
  readChunk(body: number, seq: number): Uint8Array | undefined;
  /** Large bodies no version names, by number, larger than `after`. Those that were never named are not complete. */
  listUnnamed(after: number, limit: number): readonly { readonly body: number; readonly isComplete: boolean }[];
}

export interface FileTable extends FileTableReads {
  insert(row: FileRow): void;
  update(row: FileRow): void;
  remove(path: string): void;
  /** Of a file that is there, and only forwards. */
  setAccessedAt(path: string, at: number): void;

  insertPast(row: PastVersionRow): void;
  /** Deletes past versions up to and with this one, oldest first, at most `limit`, and lets go of their bodies. Returns how many. */
  deletePast(path: string, throughVersion: number, limit: number): number;
  /** The same for whatever was superseded before this time. */
  deletePastBefore(at: number, limit: number): number;

  /** A body in one piece, named once. */
  insertSmall(content: { readonly hash: string; readonly data: Uint8Array }): number;
  /** A body to be written in chunks, named by nothing. */
  insertLarge(): number;
  insertChunk(body: number, seq: number, data: Uint8Array): void;
  /** It is complete, and named once. */
  finishLarge(row: BodyRow): void;
  /** Named once more. */
  retain(body: number): void;
  /** Deletes the last chunks of an unnamed body, at most `limit`, and with the last of them the body. False: there is more. */
  deleteUnnamed(body: number, limit: number): boolean;
}
