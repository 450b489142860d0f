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

/** Says what could not be done: `Cannot write "a": no space is left (ENOSPC)`. A fault stays itself. */
export function fileFault(error: unknown, action: string): Fault {
  if (error instanceof Fault) return error;
  const errno = errnoOf(error);
  const code = (errno === undefined ? undefined : FAULT_OF_ERRNO[errno]) ?? 'internal';
  const reason = error instanceof Error ? error.message.replace(/^[A-Z0-9]+: /, '').replace(/, [a-z]+( '.*)?$/s, '') : String(error);
  return new Fault(code, `${action}: ${reason}${errno === undefined ? '' : ` (${errno})`}`, {
    ...(errno === undefined ? {} : { details: { errno } }),
    cause: error,
  });
}
