/** What the records of an exported workspace are. */
import { join } from 'node:path';
import type { WorkspaceId } from '@warren/protocol';

export const FORMAT = 1;
export const KIND = { head: 0, rows: 1, memories: 2, entry: 3, piece: 4, end: 5, secret: 6 } as const;
/** Of a file, in one record. */
export const PIECE_BYTES_MAX = 1_048_576;
/** Of any record: a row may be large. */
export const RECORD_BYTES_MAX = 16_777_216;
export const ENTRIES_MAX = 1_000_000;

export type Area = 'files' | 'sessions' | 'policies';
export type EntryRecord = {
  readonly area: Area;
  /** Relative, with slashes. */
  readonly path: string;
  readonly kind: 'directory' | 'file' | 'link';
  readonly mode: number;
  readonly target?: string | undefined;
};

/** Where each stands. */
export function areasOf(directory: string, id: WorkspaceId): readonly (readonly [Area, string])[] {
  const own = join(directory, 'workspaces', id);
  return [
    ['files', join(own, 'files')],
    ['sessions', join(own, 'sessions')],
    ['policies', join(directory, 'policies', 'workspaces', id)],
  ];
}
