/** Turns whatever was thrown into what a person or a program is told: once, here, at the edge. */
import { type FaultCode, isFault } from '@warren/protocol';
import { safeText } from './safe-text.ts';

export type Failure = {
  readonly code: FaultCode;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
  /** The command or setting to try next. */
  readonly fix?: string;
};

const CODES: Readonly<Record<string, FaultCode>> = {
  ENOENT: 'not_found',
  ENOTDIR: 'not_found',
  EACCES: 'permission_denied',
  EPERM: 'permission_denied',
  EROFS: 'permission_denied',
  EEXIST: 'already_exists',
  ENOSPC: 'storage_full',
  EDQUOT: 'storage_full',
  EMFILE: 'busy',
  ENFILE: 'busy',
  EAGAIN: 'busy',
};

export function describeFailure(error: unknown): Failure {
  if (isFault(error)) {
    const details: Readonly<Record<string, unknown>> | undefined = error.details;
    // Faults of the layer say what to do next in their message, for those who only ever print that.
    const [message = '', next] = error.message.split('. Next: ');
    const fix = details?.['fix'] ?? next;
    return { code: error.code, message, ...(details && { details }), ...(typeof fix === 'string' && fix !== '' && { fix }) };
  }
  const { code: errno, syscall, path, message }: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error));
  const code = CODES[errno ?? ''];
  if (code !== undefined) {
    const action = `Cannot ${syscall ?? 'go on'}${path === undefined ? '' : ` "${path}"`}: ${errno}`;
    return { code, message: action, details: { errno, ...(path !== undefined && { path }) } };
  }
  return { code: 'internal', message: `Something inside Warren failed: ${message}`, fix: 'set WARREN_DEBUG=1 to see where, and report it' };
}

/** `warren: cannot …` and, where known, what to try next. For a terminal: always safe. */
export function formatFailure(failure: Failure): string {
  const message = safeText(failure.message.replace(/^Cannot /, 'cannot '));
  return `warren: ${message}\n${failure.fix === undefined ? '' : `  fix: ${safeText(failure.fix)}\n`}`;
}

/** The one JSON document that `--json` prints in place of its result. */
export function failureDocument(failure: Failure): { readonly error: object } {
  return {
    error: {
      code: failure.code,
      message: failure.message,
      details: failure.details ?? {},
      ...(failure.fix !== undefined && { fix: failure.fix }),
    },
  };
}
