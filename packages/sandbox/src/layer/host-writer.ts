/** The only hands that touch the host's directory: each method is one change to one entry, and none of them follows a link. */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  futimesSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { type BytePath, parentOf, pathToBytes, ROOT_PATH } from './byte-path.ts';
import { copyContent, hashContent, reflink } from './content.ts';
import { errnoOf } from './internal/errno.ts';
import type { Pace } from './internal/pace.ts';
import { syncDirectory } from './internal/write-atomically.ts';
import type { FileState } from './path-state.ts';
import type { RunId } from './run-id.ts';
import { ourUid } from './state-directory.ts';
import { temporaryPath } from './temporary-name.ts';
import type { Tree } from './tree.ts';

export type Owner = readonly [uid: number, gid: number];

/** A file written beside its place, not yet in it. */
export type PreparedFile = { readonly state: FileState; readonly descriptor: number };

/** A directory with this bit hands its group down. */
const SET_GID = 0o2000n;

export class HostWriter {
  readonly #tree: Tree;
  readonly #run: RunId;
  readonly #pace: Pace;
  readonly #touched = new Set<BytePath>();
  /** Whether the file system may share blocks; one refusal is enough to stop asking. */
  #canReflink = true;

  constructor(tree: Tree, run: RunId, pace: Pace) {
    this.#tree = tree;
    this.#run = run;
    this.#pace = pace;
  }

  /**
   * Writes a copy of an open file beside `path`. The caller flushes and closes the descriptor, then publishes or discards.
   * `times` are given to it; without them it is new.
   */
  async prepareFile(path: BytePath, source: number, mode: number, owner: Owner | undefined, times?: FileState): Promise<PreparedFile> {
    const temporary = this.#tree.at(temporaryPath(path, this.#run));
    const isCloned = this.#canReflink && reflink(source, temporary);
    this.#canReflink &&= isCloned;
    const flags = constants.O_RDWR | constants.O_NOFOLLOW | (isCloned ? 0 : constants.O_CREAT | constants.O_EXCL);
    const descriptor = openSync(temporary, flags, 0o600);
    try {
      const size = fstatSync(source).size;
      const sha256 = isCloned ? await hashContent(source, size, this.#pace) : await copyContent(source, descriptor, size, this.#pace);
      this.#giveTo(owner, path, fstatSync(descriptor), (uid, gid) => fchownSync(descriptor, uid, gid));
      fchmodSync(descriptor, mode); // After chown, which takes setuid and setgid away.
      if (times !== undefined) futimesSync(descriptor, Number(times.mtimeNs) / 1e9, Number(times.mtimeNs) / 1e9);
      const stat = fstatSync(descriptor, { bigint: true });
      const { ino, mtimeNs, ctimeNs } = stat;
      return { descriptor, state: { kind: 'file', mode, size: Number(stat.size), ino, mtimeNs, ctimeNs, sha256 } };
    } catch (error) {
      closeSync(descriptor);
      this.discard(path);
      throw error;
    }
  }

  prepareLink(path: BytePath, target: BytePath, owner: Owner | undefined): void {
    const temporary = this.#tree.at(temporaryPath(path, this.#run));
    symlinkSync(pathToBytes(target), temporary);
    const made = lstatSync(temporary);
    this.#giveTo(owner, path, made, (uid, gid) => this.#tree.chown(temporaryPath(path, this.#run), uid, gid));
  }

  /** Puts what was prepared in its place, over what is there. */
  publish(path: BytePath): void {
    const temporary = this.#tree.at(temporaryPath(path, this.#run));
    renameSync(temporary, this.#tree.at(path)); // Both are in the same directory, so the first is still good.
    this.#touch(path);
  }

  /** Removes what was prepared, if it is there. */
  discard(path: BytePath): void {
    const located = this.#tree.locate(temporaryPath(path, this.#run));
    if (located.kind !== 'at') return;
    try {
      unlinkSync(located.at);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }

  /** Brings a kept file back by its own name, if it is in this file system. Over what is there. */
  moveIn(kept: string, path: BytePath): boolean {
    try {
      renameSync(kept, this.#tree.at(path));
    } catch (error) {
      if (errnoOf(error) === 'EXDEV') return false;
      throw error;
    }
    this.#touch(path);
    return true;
  }

  mkdir(path: BytePath, mode: number, owner: Owner | undefined): void {
    const at = this.#tree.at(path);
    mkdirSync(at, { mode: 0o700 });
    const made = lstatSync(at);
    this.#giveTo(owner, path, made, (uid, gid) => this.#tree.chown(path, uid, gid));
    this.#tree.chmod(path, mode);
    this.#touch(path);
  }

  unlink(path: BytePath): void {
    unlinkSync(this.#tree.at(path));
    this.#touch(path);
  }

  rmdir(path: BytePath): void {
    rmdirSync(this.#tree.at(path));
    this.#touched.delete(path);
    this.#touch(path);
  }

  chmod(path: BytePath, mode: number): void {
    this.#tree.chmod(path, mode);
    this.#touch(path);
  }

  /** Makes everything done so far survive a power cut. */
  sync(): void {
    for (const path of [...this.#touched].sort()) {
      const located = this.#tree.locate(path);
      if (located.kind !== 'at') continue; // Removed since, and the directory it was in is on the list.
      try {
        syncDirectory(located.at);
      } catch (error) {
        // Gone, or a directory its owner may not read (then its own file system decides when).
        if (!['ENOENT', 'EACCES'].includes(errnoOf(error) ?? '')) throw error;
      }
    }
    this.#touched.clear();
  }

  #touch(path: BytePath): void {
    this.#touched.add(parentOf(path));
  }

  /**
   * What takes the place of something belongs to whom that belonged to; what is new, to the owner of the run's directory. Only root can give
   * things away; for others it is theirs, and the group is tried.
   */
  #giveTo(
    previous: Owner | undefined,
    path: BytePath,
    made: { uid: number; gid: number },
    chown: (uid: number, gid: number) => void,
  ): void {
    const [uid, gid] = previous ?? this.#ownerOfNew(path);
    if (uid === made.uid && gid === made.gid) return;
    try {
      chown(ourUid() === 0 ? uid : made.uid, gid);
    } catch (error) {
      if (ourUid() === 0 || errnoOf(error) !== 'EPERM') throw error;
    }
  }

  #ownerOfNew(path: BytePath): Owner {
    const root = this.#tree.stat(ROOT_PATH);
    const parent = this.#tree.stat(parentOf(path));
    const group = parent !== undefined && (parent.mode & SET_GID) !== 0n ? parent.gid : root?.gid;
    return [Number(root?.uid ?? ourUid()), Number(group ?? process.getegid?.())];
  }
}
