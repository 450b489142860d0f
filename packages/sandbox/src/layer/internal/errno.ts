import { Fault, type FaultCode } from '@warren/protocol';

const FAULT_OF_ERRNO: Readonly<Record<string, FaultCode>> = {
  ENOSPC: 'storage_full',
  EDQUOT: 'storage_full',
  EACCES: 'permission_denied',
  EPERM: 'permission_denied',
  EROFS: 'permission_denied',
  EMFILE: 'busy',
  ENFILE: 'busy',
  ENOMEM: 'busy',
  EFBIG: 'too_large',
};

/** The name of the system error that was caught, or that a fault was made of: `ENOENT`. */
export function errnoOf(error: unknown): string | undefined {
  if (error instanceof Fault) return errnoOf(error.cause);
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && 'syscall' in error ? error.code : undefined;
}

/** What to throw instead of a system error: `Cannot write "a": no space left on device (ENOSPC)`. A fault, or a defect, stays what it is. */
export function fileFault(error: unknown, action: string): unknown {
  const errno = errnoOf(error);
  if (error instanceof Fault || !(error instanceof Error) || errno === undefined) return error;
  const reason = error.message.replace(/^[A-Z0-9]+: /, '').replace(/, [a-z]+( '.*)?$/s, '');
  return new Fault(FAULT_OF_ERRNO[errno] ?? 'internal', `${action}: ${reason} (${errno})`, { details: { errno }, cause: error });
}
