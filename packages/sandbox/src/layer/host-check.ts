/** Compares the host with the seal: is a change still to be applied, applied already, or did the host go its own way meanwhile? */
import { closeSync } from 'node:fs';
import { type BytePath, parentOf, quotePath } from './byte-path.ts';
import { isSameContent } from './content.ts';
import { errnoOf } from './internal/errno.ts';
import type { Pace } from './internal/pace.ts';
import type { Step } from './journal.ts';
import { type Manifest, readWithHash, type SealedChange } from './manifest.ts';
import { type FileState, isAtState, isEqualState, isSameInode, isSpecial, type PathState } from './path-state.ts';
import type { Tree } from './tree.ts';

/** `host` is what stands there now, with the hash of a file's content where that was read. */
export type ChangeStatus =
  | { readonly kind: 'pending'; readonly host: PathState | undefined }
  | { readonly kind: 'applied'; readonly host: PathState | undefined }
  /** Not forceable: what stands in the way is not ours to remove. */
  | { readonly kind: 'conflict'; readonly host: PathState | undefined; readonly reason: string; readonly isForceable: boolean };

export type HostCheckRequest = {
  readonly manifest: Manifest;
  readonly upper: Tree;
  readonly lower: Tree;
  /** What an earlier apply did or was about to do: states that are our own work. */
  readonly steps: readonly Step[];
  readonly pace: Pace;
};

/**
 * A file's time stamps come from a clock that ticks every few milliseconds, so a file changed just before the seal could be changed again
 * with the same stamp (git calls it racy). Such a young file is compared by content.
 */
const RACY_NS = 1_000_000_000n;

export class HostCheck {
  readonly #sealedNs: bigint;
  readonly #upper: Tree;
  readonly #lower: Tree;
  readonly #pace: Pace;
  readonly #changes: ReadonlyMap<string, SealedChange>;
  readonly #ours = new Map<string, (PathState | undefined)[]>();

  constructor({ manifest, upper, lower, steps, pace }: HostCheckRequest) {
    this.#sealedNs = manifest.sealedNs;
    this.#upper = upper;
    this.#lower = lower;
    this.#pace = pace;
    this.#changes = new Map(manifest.changes.map((change) => [change.path, change]));
    for (const step of steps) {
      const known = this.#ours.get(step.path) ?? [];
      this.#ours.set(step.path, known);
      known.push(step.before, step.after);
    }
  }

  async check(change: SealedChange): Promise<ChangeStatus> {
    if (this.#pace.isDue) await this.#pace.rest();
    const located = this.#lower.locate(change.path);
    if (located.kind === 'blocked' && !this.#changes.has(located.by)) {
      return { kind: 'conflict', host: undefined, reason: `${quotePath(located.by)} is not a directory on the host`, isForceable: false };
    }
    const host = located.kind === 'at' ? this.#lower.state(change.path) : undefined;
    return host === undefined ? this.#checkAbsent(change, located.kind === 'missing') : await this.#checkPresent(change, host);
  }

  #checkAbsent(change: SealedChange, isDirectoryMissing: boolean): ChangeStatus {
    const host = undefined;
    if (change.after === undefined) return { kind: 'applied', host };
    if (isDirectoryMissing && this.#changes.get(parentOf(change.path))?.after?.kind !== 'directory') {
      return { kind: 'conflict', host, reason: 'its directory is gone from the host', isForceable: false };
    }
    if (change.before === undefined || this.#ours.get(change.path)?.includes(undefined) === true) return { kind: 'pending', host };
    return { kind: 'conflict', host, reason: 'it is gone from the host', isForceable: true };
  }

  async #checkPresent(change: SealedChange, state: PathState): Promise<ChangeStatus> {
    const unchanged = await this.#ifUnchanged(change, state);
    if (unchanged !== undefined && !change.isChangedDuringRun) return { kind: 'pending', host: unchanged };
    if (await this.#isApplied(change, state)) return { kind: 'applied', host: state };
    if (unchanged !== undefined) {
      return { kind: 'conflict', host: unchanged, reason: 'the host changed it during the run', isForceable: true };
    }
    const ours = this.#ours.get(change.path);
    const host =
      state.kind === 'file' && ours !== undefined ? ((await readWithHash(this.#lower, change.path, this.#pace)) ?? state) : state;
    if (ours?.some((one) => isAtState(host, one)) === true) return { kind: 'pending', host };
    return { kind: 'conflict', ...describeConflict(change, host), host };
  }

  /** The host's state, with its hash, if it is as the seal says. */
  async #ifUnchanged({ path, before }: SealedChange, host: PathState): Promise<PathState | undefined> {
    if (before?.kind !== 'file' || host.kind !== 'file') return isEqualState(before, host) ? host : undefined;
    const isTrusted = before.ctimeNs + RACY_NS < this.#sealedNs;
    if (isTrusted && isSameInode(before, host)) return withHash(host, before.sha256);
    if (before.mode !== host.mode || before.size !== host.size) return undefined;
    const now = (await readWithHash(this.#lower, path, this.#pace)) ?? host;
    return isAtState(now, before) ? now : undefined;
  }

  async #isApplied({ path, after }: SealedChange, host: PathState): Promise<boolean> {
    if (after?.kind !== 'file' || host.kind !== 'file') return isEqualState(after, host);
    return after.mode === host.mode && after.size === host.size && (await this.#isSameFile(path, host));
  }

  async #isSameFile(path: BytePath, host: FileState): Promise<boolean> {
    const above = this.#upper.openFile(path);
    try {
      const below = this.#lower.openFile(path);
      try {
        return await isSameContent(above, below, host.size, this.#pace);
      } finally {
        closeSync(below);
      }
    } catch (error) {
      if (errnoOf(error) !== 'EACCES') throw error;
      return this.#ours.get(path)?.some((one) => isAtState(host, one)) === true; // It is ours if we wrote this very file.
    } finally {
      closeSync(above);
    }
  }
}

function describeConflict({ before, after }: SealedChange, host: PathState): { readonly reason: string; readonly isForceable: boolean } {
  if (isSpecial(host)) return { reason: `it is a ${host.kind.replace('_', ' ')} on the host`, isForceable: false };
  if (host.kind === 'directory' && after?.kind !== 'directory' && before?.kind !== 'directory') {
    return { reason: 'it is a directory on the host', isForceable: false };
  }
  return { reason: before === undefined ? 'the host has one of its own' : 'the host changed it since the run', isForceable: true };
}

function withHash(state: FileState, sha256: string | undefined): FileState {
  return sha256 === undefined ? state : { ...state, sha256 };
}
