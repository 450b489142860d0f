import { Fault } from '@warren/protocol';

/** What an error of the file system means to a caller: `storage_full` when there is no room. Anything else is returned as it is. */
export function diskFault(error: unknown, action: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new Fault('storage_full', `Cannot ${action}: the disk is full; nothing was changed`, { cause: error });
}
