/** What a failed file operation means to its caller. */
import { Fault, type FaultCode } from '@warren/protocol';
import { errnoName } from './errno.ts';
import type { RawExit } from './exit-message.ts';

type Meaning = { readonly code: FaultCode; readonly reason: string };

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ENOENT: { code: 'not_found', reason: 'it does not exist' },
  EACCES: { code: 'permission_denied', reason: 'permission denied' },
  EPERM: { code: 'permission_denied', reason: 'the operation is not permitted' },
  EROFS: { code: 'permission_denied', reason: 'the filesystem is read-only' },
  EEXIST: { code: 'already_exists', reason: 'it exists already' },
  ENOSPC: { code: 'storage_full', reason: 'no space is left' },
  EDQUOT: { code: 'storage_full', reason: 'the quota is used up' },
  ENOTDIR: { code: 'invalid_argument', reason: 'a part of the path is not a directory' },
  EISDIR: { code: 'invalid_argument', reason: 'it is a directory' },
  ELOOP: { code: 'invalid_argument', reason: 'too many symbolic links' },
  ENAMETOOLONG: { code: 'invalid_argument', reason: 'the path is too long' },
  EINVAL: { code: 'invalid_argument', reason: 'it is not of a kind this works on' },
  ENOTEMPTY: { code: 'invalid_argument', reason: 'the directory is not empty' },
  ENXIO: { code: 'invalid_argument', reason: 'it is not of a kind this works on' },
  EBUSY: { code: 'busy', reason: 'something else uses it' },
  ETXTBSY: { code: 'busy', reason: 'a program runs from it' },
  EAGAIN: { code: 'busy', reason: 'a limit of the sandbox is reached' },
  ENOMEM: { code: 'busy', reason: 'the memory of the sandbox is used up' },
  EFBIG: { code: 'too_large', reason: 'it would exceed the largest file allowed' },
};

/** `action` is as in `fileAction`; `path` is the one the caller gave, not what the guest says. */
export function fileFault(action: string, path: string, failure: Extract<RawExit, { kind: 'failed' }>): Fault {
  const errno = errnoName(failure.errno);
  const meaning = MEANINGS[errno] ?? { code: 'internal', reason: 'it failed' };
  const { call, stage } = failure;
  return new Fault(meaning.code, `Cannot ${action}: ${meaning.reason} (${call} ${errno})`, {
    details: { path, call, errno, stage },
  });
}
