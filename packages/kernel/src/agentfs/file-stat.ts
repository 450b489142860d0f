/** Rows as callers see them. */
import type { BodyRow, FileRow, PastVersionRow } from '../store/tables/file-table.ts';
import type { FileStat, FileVersion } from './files.ts';

export function toStat({ path, owner, size, mode, metadata, version, hash, createdAt, updatedAt, accessedAt }: FileRow): FileStat {
  return { path, owner, size, mode, metadata, version, hash, createdAt, updatedAt, accessedAt };
}

export function toPastStat(row: PastVersionRow & { readonly content: BodyRow }): FileStat {
  const { path, owner, metadata, version, createdAt, writtenAt, content } = row;
  const { size, hash } = content;
  return { path, owner, size, mode: 'ro', metadata, version, hash, createdAt, updatedAt: writtenAt, accessedAt: undefined };
}

export function toVersion({ version, writtenAt, writer, content }: Omit<PastVersionRow, 'supersededAt'>): FileVersion {
  return { version, size: content?.size ?? 0, hash: content?.hash ?? '', writtenAt, writer, isDeletion: content === undefined };
}
