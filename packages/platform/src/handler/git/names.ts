/** What an agent may call branches, commits and files. Nothing that could be taken for an option or for a second name passes. */
import { posix } from 'node:path';
import { CapabilityError } from '../../capability/handler.ts';

const NAME_LENGTH_MAX = 200;
const PATH_LENGTH_MAX = 4_096;
export const WORKSPACE = '/workspace';

/** The rules of git-check-ref-format(1) for `refs/heads/NAME`, and ours: no leading dash, no `HEAD`. */
export function isBranchName(name: string): boolean {
  return (
    name !== '' &&
    name !== '@' &&
    name !== 'HEAD' &&
    name.length <= NAME_LENGTH_MAX &&
    !/^-|^\/|\/$|\.$|\.\.|\/\/|@\{|[\0-\x20\x7f~^:?*[\\]/.test(name) &&
    name.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'))
  );
}

/** What may stand for a commit: a name or hash with `~2`, `^`, `@{1}`. It goes to `rev-parse --verify` only, which answers with a hash. */
export function isRevision(text: string): boolean {
  return text.length <= NAME_LENGTH_MAX && /^[\p{L}\p{N}_@][\p{L}\p{N}_./@{}~^+#=-]*$/u.test(text) && !text.includes('..');
}

export function isRemoteName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/.test(name) && !name.includes('..') && !name.endsWith('.lock');
}

export function checkBranchName(name: string): string {
  if (isBranchName(name)) return name;
  throw new CapabilityError('InvalidInput', `Cannot use ${JSON.stringify(name.slice(0, 60))} as a branch: git allows no such name`, {
    context: { field: 'branch' },
  });
}

/** A directory of the workspace, absolute and without `.` and `..`. */
export function resolveDirectory(path: string): string {
  if (path.includes('\0') || path.length > PATH_LENGTH_MAX)
    throw new CapabilityError('PathOutOfScope', 'Cannot use the path: it holds a NUL or is too long');
  const resolved = posix.resolve(WORKSPACE, path);
  if (resolved === WORKSPACE || resolved.startsWith(`${WORKSPACE}/`)) return resolved;
  throw new CapabilityError('PathOutOfScope', `Cannot use ${JSON.stringify(path.slice(0, 200))}: repositories stand below ${WORKSPACE}`);
}

/** A file of the repository at `root`, relative to it. Absolute paths are taken when they stand below it. */
export function resolveFile(root: string, path: string): string {
  const relative = posix.relative(root, posix.resolve(root, path));
  const isInside =
    relative !== '..' && !relative.startsWith('../') && path !== '' && !path.includes('\0') && path.length <= PATH_LENGTH_MAX;
  if (isInside) return relative === '' ? '.' : relative;
  throw new CapabilityError('PathOutOfScope', `Cannot use ${JSON.stringify(path.slice(0, 200))}: it stands outside the repository`);
}
