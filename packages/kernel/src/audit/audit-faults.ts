/** What the disk's answer means to a caller. What is no answer of the disk, or a fault already, stays what it is. */
import { Fault } from '@warren/protocol';

/** Of something that was to be written. */
export function toFault(error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  const options = { cause: error, details: { errno } };
  if (errno === 'ENOSPC' || errno === 'EDQUOT') {
    return new Fault('storage_full', 'Cannot record in the audit: the disk is full; nothing was recorded', options);
  }
  return new Fault('store_failed', `Cannot record in the audit: the disk says ${errno}; nothing was recorded`, options);
}

/** Of something that was to be read. */
export function toReadFault(error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  const why = errno === 'ENOENT' ? 'its files are not where they were' : `the disk says ${errno}`;
  return new Fault('store_failed', `Cannot read the audit: ${why}`, { cause: error, details: { errno } });
}

function errnoOf(error: unknown): string | undefined {
  if (error instanceof Fault || !(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return error.code;
}
