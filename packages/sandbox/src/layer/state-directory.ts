/** Where Warren keeps what it knows: runs and their layers. Ours alone, so that nobody else can read an agent's work or change it before review. */
import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { Fault, type FaultCode } from '@warren/protocol';
import { errnoOf, fileFault } from './internal/errno.ts';

export type StateDirectoryOptions = {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly uid?: number;
};

/** `$WARREN_STATE`, else /var/lib/warren for root, else `$XDG_STATE_HOME/warren`, else ~/.local/state/warren. Throws `invalid_argument`. */
export function stateDirectoryPath({ environment = process.env, uid = ourUid() }: StateDirectoryOptions = {}): string {
  const chosen = environment['WARREN_STATE'];
  if (chosen !== undefined && chosen !== '') {
    if (isAbsolute(chosen)) return chosen;
    throw new Fault('invalid_argument', `Cannot use WARREN_STATE=${JSON.stringify(chosen)}: it is not an absolute path`);
  }
  if (uid === 0) return '/var/lib/warren';
  const stateHome = environment['XDG_STATE_HOME'];
  // The XDG specification has relative values ignored.
  if (stateHome !== undefined && isAbsolute(stateHome)) return join(stateHome, 'warren');
  return join(environment['HOME'] ?? homedir(), '.local', 'state', 'warren');
}

/** Makes the directory if it is not there (0700) and checks that it is ours. Throws a fault that names the path and what to do next. */
export function openStateDirectory(options: StateDirectoryOptions = {}): string {
  const path = stateDirectoryPath(options);
  makePrivateDirectory(path, options.uid ?? ourUid());
  return path;
}

/** As `openStateDirectory`, for any directory of ours. */
export function makePrivateDirectory(path: string, uid: number = ourUid()): void {
  const stat = makeAndStat(path);
  if (!stat.isDirectory()) refuse('invalid_argument', path, 'it is not a directory', 'move it away, or set WARREN_STATE to a directory');
  if (stat.uid !== uid) {
    refuse('permission_denied', path, `it belongs to user ${stat.uid}, not to user ${uid}`, 'set WARREN_STATE to a directory of your own');
  }
  if ((stat.mode & 0o022) !== 0) {
    refuse('permission_denied', path, 'other users may write to it', `chmod 700 ${shellQuote(path)}`);
  }
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const next = errnoOf(error) === 'EROFS' ? 'set WARREN_STATE to a directory that can be written' : `chmod 700 ${shellQuote(path)}`;
    refuse('permission_denied', path, `it cannot be read and written (${errnoOf(error) ?? 'unknown'})`, next, error);
  }
}

export function ourUid(): number {
  return process.geteuid?.() ?? 0;
}

function makeAndStat(path: string): { readonly uid: number; readonly mode: number; isDirectory(): boolean } {
  try {
    makeDirectories(path);
    return statSync(path);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT') {
      refuse(
        'invalid_argument',
        path,
        'no such file or directory, and none can be made there',
        'set WARREN_STATE to a directory on a disk',
        error,
      );
    }
    if (errno === 'EEXIST' || errno === 'ENOTDIR') {
      refuse('invalid_argument', path, 'it is not a directory', 'move it away, or set WARREN_STATE to a directory', error);
    }
    if (errno === 'EACCES' || errno === 'EPERM' || errno === 'EROFS') {
      refuse('permission_denied', path, `it cannot be made or reached (${errno})`, 'set WARREN_STATE to a directory of your own', error);
    }
    throw fileFault(error, `Cannot use the state directory ${path}`);
  }
}

/** Not Node's `recursive`: it never ends where a file system answers ENOENT to every new name, as /proc does. */
function makeDirectories(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EEXIST') return; // What it is, is looked at by whoever asked.
    const above = dirname(path);
    if (errno !== 'ENOENT' || statSync(above, { throwIfNoEntry: false }) !== undefined) throw error;
    makeDirectories(above);
    makeDirectories(path);
  }
}

function refuse(code: FaultCode, path: string, reason: string, next: string, cause?: unknown): never {
  throw new Fault(code, `Cannot use the state directory ${path}: ${reason}. Next: ${next}`, { details: { path, next }, cause });
}

function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
