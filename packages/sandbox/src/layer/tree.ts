/**
 * A directory tree in which nothing but directories is ever walked through. Node has no openat(2), but a path may start at an open directory:
 * `/proc/self/fd/7/name`. So each directory on the way is opened with O_NOFOLLOW below the one before, and the last name is handed to calls
 * that do not follow links. Whoever swaps a directory for a link meanwhile gets an error, never a file elsewhere. It also walks trees deeper
 * than a path may be long.
 *
 * The directories on the way to the last path asked for stay open, so that a walk in order opens each one once. Not for two users at once.
 */
import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  type Dir,
  fstatSync,
  lchownSync,
  lstatSync,
  opendirSync,
  openSync,
  renameSync,
} from 'node:fs';
import { Fault } from '@warren/protocol';
import { type BytePath, joinPath, nameOf, parentOf, pathFromBytes, pathToText, quotePath, ROOT_PATH } from './byte-path.ts';
import { errnoOf, fileFault } from './internal/errno.ts';
import { type PathState, SET_ID, stateFromStat } from './path-state.ts';

/** Directories below each other. 2,048 names of one character are what a path of 4,096 bytes, the kernel's limit, can reach. */
const DEPTH_MAX = 2_048;
/** Entries of one directory. */
const DIRECTORY_ENTRIES_MAX = 500_000;

/** A place, not a file: needs no right to read, only to pass (open(2), O_PATH). Node does not name it; the number is the same on x86 and ARM. */
const O_PATH = 0o10000000;
const DIRECTORY_FLAGS = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** A fifo opened by mistake must not wait for a writer. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** `at` is what to hand to the kernel; it is good until the tree is asked for a path in another directory. */
export type Located =
  | { readonly kind: 'at'; readonly at: Buffer }
  /** A directory on the way does not exist. */
  | { readonly kind: 'missing' }
  /** Something on the way is not a directory. */
  | { readonly kind: 'blocked'; readonly by: BytePath };

type Link = { readonly path: BytePath; readonly descriptor: number };

export type TreeOptions = {
  /**
   * The tree is ours alone: an entry we own but may not read (an agent's `chmod 0`) is given the owner's rights. Only a caller who is not
   * root meets one, and only after its mode was recorded.
   */
  readonly isOurs?: boolean;
};

export class Tree implements Disposable {
  readonly #root: number;
  readonly #isOurs: boolean;
  readonly #way: Link[] = [];

  private constructor(root: number, options: TreeOptions) {
    this.#root = root;
    this.#isOurs = options.isOurs === true;
  }

  /** `directory` is canonical: a link in its last place is refused. The caller owns the result. */
  static open(directory: string, options: TreeOptions = {}): Tree {
    return new Tree(openSync(directory, DIRECTORY_FLAGS), options);
  }

  /** Finds the directory that a path is in. Throws `too_large` below `DEPTH_MAX`. */
  locate(path: BytePath): Located {
    if (path === ROOT_PATH) return { kind: 'at', at: below(this.#root, '.') };
    const directory = this.#enter(parentOf(path));
    return typeof directory === 'number' ? { kind: 'at', at: below(directory, nameOf(path)) } : directory;
  }

  /** What the kernel is to be told, for a path whose directory must be there. Throws `conflict`. */
  at(path: BytePath): Buffer {
    const located = this.locate(path);
    if (located.kind === 'at') return located.at;
    const reason = located.kind === 'missing' ? 'its directory is gone' : `${quotePath(located.by)} is not a directory`;
    throw new Fault('conflict', `Cannot reach ${quotePath(path)}: ${reason}`, { details: { paths: [pathToText(path)] } });
  }

  stat(path: BytePath): BigIntStats | undefined {
    const located = this.locate(path);
    return located.kind === 'at' ? lstatSync(located.at, { bigint: true, throwIfNoEntry: false }) : undefined;
  }

  /** Also `undefined` when something on the way is missing or no directory. */
  state(path: BytePath): PathState | undefined {
    const located = this.locate(path);
    if (located.kind !== 'at') return undefined;
    const stat = lstatSync(located.at, { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? undefined : stateFromStat(stat, located.at);
  }

  /** The names in a directory, in the order of bytes. Throws `too_large`, `permission_denied`. */
  list(path: BytePath): BytePath[] {
    const located = this.#enter(path);
    if (typeof located !== 'number') return [];
    if (this.#isOurs) unlockDirectory(located);
    const names: BytePath[] = [];
    using directory = openListing(located, path);
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      names.push(pathFromBytes(entry.name as unknown as Buffer)); // As above.
      if (names.length > DIRECTORY_ENTRIES_MAX) throw tooLarge(path, `it has more than ${DIRECTORY_ENTRIES_MAX} entries`);
    }
    return names.sort();
  }

  /** Opens a regular file for reading. The caller closes it. Throws `conflict` when it is anything else by now. */
  openFile(path: BytePath): number {
    const at = this.at(path);
    if (this.#isOurs) unlockFile(at);
    const file = openSync(at, READ_FLAGS);
    if (fstatSync(file).isFile()) return file;
    closeSync(file);
    throw new Fault('conflict', `Cannot read ${quotePath(path)}: it is not a regular file any more`, {
      details: { paths: [pathToText(path)] },
    });
  }

  /** Opens a directory as a place. The caller closes it. `undefined` when there is no directory. */
  openDirectory(path: BytePath): number | undefined {
    const located = this.locate(path);
    if (located.kind !== 'at') return undefined;
    const opened = openDirectory(located.at);
    return typeof opened === 'number' ? opened : undefined;
  }

  /** Changes permission bits of a file or directory, never of what a link points to. A directory keeps its setuid and setgid bits. */
  chmod(path: BytePath, mode: number): void {
    const entry = openSync(this.at(path), O_PATH | constants.O_NOFOLLOW);
    try {
      const stat = fstatSync(entry);
      // chmod(2) on the descriptor's own link reaches exactly what was opened; a symbolic link has no mode and is refused by the kernel.
      chmodSync(`/proc/self/fd/${entry}`, stat.isDirectory() ? (stat.mode & SET_ID) | mode : mode);
    } finally {
      closeSync(entry);
    }
  }

  /** Moves a directory of a tree of ours right under the root. For a removal that meets more depth than it could keep open. */
  hoist(path: BytePath, name: string): void {
    const at = this.at(path);
    const directory = openDirectory(at);
    if (typeof directory !== 'number') return;
    unlockDirectory(directory); // The kernel rewrites its `..`, for which it must be writable.
    closeSync(directory);
    renameSync(at, below(this.#root, name));
  }

  chown(path: BytePath, uid: number, gid: number): void {
    lchownSync(this.at(path), uid, gid);
  }

  /** Looks anew for every directory: somebody may have moved the open ones away since. */
  forget(): void {
    for (const { descriptor } of this.#way.splice(0)) closeSync(descriptor);
  }

  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.forget();
    closeSync(this.#root);
  }

  #isDisposed = false;

  #enter(path: BytePath): number | Exclude<Located, { kind: 'at' }> {
    while (this.#way.length > 0 && !isOnTheWay(this.#way.at(-1)?.path ?? ROOT_PATH, path)) closeSync(this.#way.pop()?.descriptor ?? -1);
    for (;;) {
      const last = this.#way.at(-1) ?? { path: ROOT_PATH, descriptor: this.#root };
      if (last.path === path) return last.descriptor;
      if (this.#way.length >= DEPTH_MAX) throw tooLarge(path, `it is more than ${DEPTH_MAX} directories deep`);
      const rest = path.slice(last.path === ROOT_PATH ? 0 : last.path.length + 1);
      const name = rest.slice(0, rest.includes('/') ? rest.indexOf('/') : rest.length);
      const next = joinPath(last.path, name);
      const opened = this.#openBelow(last.descriptor, name);
      if (opened === 'missing') return { kind: 'missing' };
      if (opened === 'blocked') return { kind: 'blocked', by: next };
      this.#way.push({ path: next, descriptor: opened });
    }
  }

  #openBelow(directory: number, name: string): number | 'missing' | 'blocked' {
    const at = below(directory, name);
    try {
      return openDirectory(at);
    } catch (error) {
      if (!this.#isOurs || errnoOf(error) !== 'EACCES') throw error;
      unlockDirectory(directory);
      return openDirectory(at);
    }
  }
}

function isOnTheWay(directory: BytePath, path: BytePath): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

function openDirectory(at: Buffer): number | 'missing' | 'blocked' {
  try {
    return openSync(at, DIRECTORY_FLAGS);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT') return 'missing';
    if (errno === 'ENOTDIR' || errno === 'ELOOP') return 'blocked';
    throw error;
  }
}

function openListing(directory: number, path: BytePath): Dir {
  try {
    // The types of Node do not know that encoding `buffer` makes the names buffers, as for readdir.
    return opendirSync(`/proc/self/fd/${directory}`, { encoding: 'buffer' as BufferEncoding, bufferSize: 512 });
  } catch (error) {
    throw fileFault(error, `Cannot list ${quotePath(path)}`);
  }
}

/** Gives its owner what is missing to look into it. Root misses nothing. */
function unlockDirectory(directory: number): void {
  const { mode } = fstatSync(directory);
  if ((mode & 0o700) !== 0o700 && process.geteuid?.() !== 0) chmodSync(`/proc/self/fd/${directory}`, (mode & 0o7777) | 0o700);
}

/** As `unlockDirectory`. Nobody else is in a tree of ours, so what lstat says still holds when chmod comes. */
function unlockFile(at: Buffer): void {
  const stat = lstatSync(at, { throwIfNoEntry: false });
  if (stat?.isFile() === true && (stat.mode & 0o400) === 0 && process.geteuid?.() !== 0) chmodSync(at, (stat.mode & 0o7777) | 0o400);
}

function below(directory: number, name: string): Buffer {
  return Buffer.from(`/proc/self/fd/${directory}/${name}`, 'latin1');
}

function tooLarge(path: BytePath, reason: string): Fault {
  return new Fault('too_large', `Cannot walk ${quotePath(path.slice(0, 200) as BytePath)}: ${reason}`); // Cut for the message only.
}
