/** What a failed file operation is to an agent. What it cannot act on stays a fault. */
import { isFault } from '@warren/protocol';
import { CapabilityError } from '../../capability/handler.ts';

const TYPES: Readonly<Record<string, string>> = {
  not_found: 'FileNotFound',
  permission_denied: 'PermissionDenied',
  storage_full: 'DiskFull',
  already_exists: 'DestinationExists',
  too_large: 'FileTooLarge',
  busy: 'ResourceExhausted',
};
const ERRNO_TYPES: Readonly<Record<string, string>> = {
  ENOTDIR: 'NotADirectory',
  EISDIR: 'NotAFile',
  EINVAL: 'NotAFile',
  ENXIO: 'NotAFile',
  ENAMETOOLONG: 'InvalidInput',
  ELOOP: 'InvalidInput',
  ENOTEMPTY: 'DirectoryNotEmpty',
};

/** `types` says what a kind of error means for this operation, as `{ FileNotFound: 'ParentNotFound' }`. */
export function capabilityErrorOf(error: unknown, path: string, types: Readonly<Record<string, string>> = {}): unknown {
  if (!isFault(error)) return error;
  const { errno } = (error.details ?? {}) as { readonly errno?: unknown }; // Only looked at.
  const plain = error.code === 'invalid_argument' ? (ERRNO_TYPES[String(errno)] ?? 'InvalidInput') : TYPES[error.code];
  if (plain === undefined) return error;
  return new CapabilityError(types[plain] ?? plain, error.message, { context: { path, ...parentOf(path) }, cause: error });
}

export function parentOf(path: string): { readonly parent: string } {
  return { parent: path.slice(0, path.lastIndexOf('/')) || '/' };
}
