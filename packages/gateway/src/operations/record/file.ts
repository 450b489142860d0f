import type { FileStat, FileVersion as VersionRecord } from '@warren/kernel';
import type { FileContent, FileObject, FileVersion } from '@warren/protocol/contract';
import { toSeconds, toSecondsOrNull } from '../time.ts';

export function toFile(stat: FileStat): FileObject {
  return {
    path: stat.path,
    owner_pid: stat.owner,
    size: stat.size,
    mode: stat.mode,
    metadata: stat.metadata,
    version: stat.version,
    hash: stat.hash,
    created_at: toSeconds(stat.createdAt),
    updated_at: toSeconds(stat.updatedAt),
    accessed_at: toSecondsOrNull(stat.accessedAt),
  };
}

export function toFileContent({ stat, content }: { readonly stat: FileStat; readonly content: Uint8Array }): FileContent {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  return { ...toFile(stat), content: bytes.toString('base64') };
}

/** The schema has seen that it is base 64. */
export function fromBase64(text: string): Uint8Array {
  return Buffer.from(text, 'base64');
}

export function toFileVersion({ version, size, hash, writtenAt, writer, isDeletion }: VersionRecord): FileVersion {
  return { version, size, hash, written_at: toSeconds(writtenAt), writer_pid: writer ?? null, is_deletion: isDeletion };
}
