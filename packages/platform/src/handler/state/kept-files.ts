/** What reports and backups have in common: both are files of the workspace that handlers made. */
import type { FileStat } from '@warren/kernel';
import { isFault } from '@warren/protocol';
import { CapabilityError } from '../../capability/handler.ts';

const IO_FAULTS = ['storage_full', 'store_failed', 'quota_exceeded', 'too_large', 'busy'] as const;

export async function asIoError<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (IO_FAULTS.some((code) => isFault(error, code)) && error instanceof Error)
      throw new CapabilityError('IoError', error.message, { cause: error });
    throw error;
  }
}

export function newestFirst(files: readonly FileStat[]): readonly FileStat[] {
  return files.toSorted((one, other) => other.createdAt - one.createdAt || (one.path < other.path ? 1 : -1));
}
