/**
 * Reads what a run changed out of its layer. The upper directory of an overlay holds exactly what was written: files copied up or new,
 * a whiteout for each name removed, and the mark `opaque` on a directory that hides the one below. What is in it was made by an agent, so it
 * is walked with a `Tree`, nothing in it is trusted, and everything is bounded.
 */
import { closeSync } from 'node:fs';
import { Fault } from '@warren/protocol';
import { type BytePath, comparePaths, joinPath, ROOT_PATH } from './byte-path.ts';
import { isSameContent } from './content.ts';
import { errnoOf } from './internal/errno.ts';
import type { Pace } from './internal/pace.ts';
import { isEqualState, isWhiteout, type PathState, stateFromStat } from './path-state.ts';
import type { Tree } from './tree.ts';

/** Paths one layer may change, what is deleted with a directory included. More is `too_large`. */
export const CHANGES_MAX = 500_000;
/** Entries of the upper side, unchanged ones (only touched, or on the way to a change) included. */
const ENTRIES_MAX = 2_000_000;
/** Directories asked about at once: each holds a descriptor meanwhile. */
const PROBE_BATCH = 128;

/**
 * Tells which directories carry the extended attribute `user.overlay.opaque` = `y`, in the same order. Node cannot read extended attributes.
 *
 * The paths are of the form `/proc/<pid>/fd/<n>`: they name exactly the directory that was looked at, whatever its name, and need getxattr(2)
 * (which follows that last link), not lgetxattr(2). They are good until the promise settles. Asked as the user we run as.
 */
export type OpaqueProbe = (directories: readonly string[]) => Promise<readonly boolean[]>;

/** One path that the run changed: what stands there on the host, and what the run left there. Not both `undefined`, and not equal. */
export type Change = {
  readonly path: BytePath;
  readonly before: PathState | undefined;
  readonly after: PathState | undefined;
  /** Two files with the same content: only the mode differs. */
  readonly isSameContent: boolean;
};

export type ScanRequest = { readonly upper: Tree; readonly lower: Tree; readonly probe: OpaqueProbe; readonly pace: Pace };

/** A directory of the upper side to look into, and whether the one below it counts. */
type Visit = { readonly path: BytePath; readonly lower: 'merged' | 'hidden' | 'none' };

/** Every change of a layer, sorted by path. Throws `too_large`, `permission_denied`. */
export async function scanLayer(request: ScanRequest): Promise<readonly Change[]> {
  const scan = new Scan(request);
  await scan.run();
  return scan.changes.toSorted((left, right) => comparePaths(left.path, right.path));
}

class Scan {
  readonly changes: Change[] = [];
  readonly #upper: Tree;
  readonly #lower: Tree;
  readonly #probe: OpaqueProbe;
  readonly #pace: Pace;
  readonly #visits: Visit[] = [];
  #entriesSeen = 0;

  constructor({ upper, lower, probe, pace }: ScanRequest) {
    this.#upper = upper;
    this.#lower = lower;
    this.#probe = probe;
    this.#pace = pace;
  }

  async run(): Promise<void> {
    await this.#compare(ROOT_PATH, this.#upper.state(ROOT_PATH), this.#lower.state(ROOT_PATH));
    this.#visits.push({ path: ROOT_PATH, lower: 'merged' });
    for (let visit = this.#visits.pop(); visit !== undefined; visit = this.#visits.pop()) await this.#visit(visit);
  }

  async #visit({ path, lower }: Visit): Promise<void> {
    const names = this.#upper.list(path);
    this.#entriesSeen += names.length;
    if (this.#entriesSeen > ENTRIES_MAX) throw new Fault('too_large', `The layer has more than ${ENTRIES_MAX} entries`);
    const merged: BytePath[] = [];
    for (const name of names) {
      if (this.#pace.isDue) await this.#pace.rest();
      const child = joinPath(path, name);
      const below = lower === 'none' ? undefined : this.#lowerState(child);
      const stat = this.#upper.stat(child);
      if (stat === undefined) continue; // Nobody else is in the layer; a name that is gone was never there for us.
      if (isWhiteout(stat)) {
        await this.#delete(child, below);
        continue;
      }
      const above = stateFromStat(stat, this.#upper.at(child));
      await this.#compare(child, above, below);
      if (below?.kind === 'directory' && above.kind !== 'directory') await this.#deleteInside(child);
      if (above.kind !== 'directory') continue;
      // A link or file of the host below a directory of the layer is hidden whole: what the link points to plays no part.
      if (below?.kind === 'directory' && lower === 'merged') merged.push(child);
      else this.#visits.push({ path: child, lower: below?.kind === 'directory' ? lower : 'none' });
    }
    if (lower === 'hidden') await this.#deleteOthers(path, new Set(names));
    await this.#probeOpaque(merged);
  }

  /** Below an opaque directory everything of the host is hidden, so that only the topmost needs the mark. */
  async #probeOpaque(directories: readonly BytePath[]): Promise<void> {
    for (let at = 0; at < directories.length; at += PROBE_BATCH) {
      const batch = directories.slice(at, at + PROBE_BATCH);
      const descriptors: number[] = [];
      try {
        for (const path of batch) {
          const descriptor = this.#upper.openDirectory(path);
          if (descriptor !== undefined) descriptors.push(descriptor);
        }
        const answers = await this.#probe(descriptors.map((descriptor) => `/proc/${process.pid}/fd/${descriptor}`));
        if (answers.length !== batch.length) throw new Fault('internal', 'The probe for opaque directories left some out');
        for (const [index, path] of batch.entries()) this.#visits.push({ path, lower: answers[index] === true ? 'hidden' : 'merged' });
      } finally {
        for (const descriptor of descriptors) closeSync(descriptor);
      }
    }
  }

  async #compare(path: BytePath, above: PathState | undefined, below: PathState | undefined): Promise<void> {
    if (above?.kind === 'file' && below?.kind === 'file') {
      const isSame = above.size === below.size && (await this.#isSameFile(path, above.size));
      // A file that was only touched was copied up all the same.
      if (!isSame || above.mode !== below.mode) this.#add({ path, before: below, after: above, isSameContent: isSame });
    } else if (!isEqualState(above, below)) {
      this.#add({ path, before: below, after: above, isSameContent: false });
    }
  }

  async #isSameFile(path: BytePath, size: number): Promise<boolean> {
    const above = this.#upper.openFile(path);
    try {
      const below = this.#openLower(path);
      if (below === undefined) return false;
      try {
        return await isSameContent(above, below, size, this.#pace);
      } finally {
        closeSync(below);
      }
    } finally {
      closeSync(above);
    }
  }

  /** A file of the host that the caller may not read cannot be compared; the layer's may differ, so it counts as changed. */
  #openLower(path: BytePath): number | undefined {
    try {
      return this.#lower.openFile(path);
    } catch (error) {
      if (errnoOf(error) === 'EACCES') return undefined;
      throw error;
    }
  }

  /** A path that is gone, with all that was in it. A whiteout of what is not there says nothing. */
  async #delete(path: BytePath, below: PathState | undefined): Promise<void> {
    if (below === undefined) return;
    this.#add({ path, before: below, after: undefined, isSameContent: false });
    if (below.kind === 'directory') await this.#deleteInside(path);
  }

  async #deleteInside(directory: BytePath): Promise<void> {
    const open: BytePath[] = [directory];
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      for (const name of this.#lower.list(path)) {
        const child = joinPath(path, name);
        const below = this.#lowerState(child);
        if (below === undefined) continue;
        this.#add({ path: child, before: below, after: undefined, isSameContent: false });
        if (below.kind === 'directory') open.push(child);
        if (this.#pace.isDue) await this.#pace.rest();
      }
    }
  }

  async #deleteOthers(path: BytePath, names: ReadonlySet<string>): Promise<void> {
    for (const name of this.#lower.list(path)) {
      if (names.has(name)) continue;
      const child = joinPath(path, name);
      await this.#delete(child, this.#lowerState(child));
    }
  }

  /** A whiteout in the host's own directory hides nothing below it, but it was invisible to the run. */
  #lowerState(path: BytePath): PathState | undefined {
    const stat = this.#lower.stat(path);
    return stat === undefined || isWhiteout(stat) ? undefined : stateFromStat(stat, this.#lower.at(path));
  }

  #add(change: Change): void {
    if (this.changes.length >= CHANGES_MAX) throw new Fault('too_large', `The layer changes more than ${CHANGES_MAX} paths`);
    this.changes.push(change);
  }
}
