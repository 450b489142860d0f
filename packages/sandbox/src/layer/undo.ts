/**
 * Takes an apply back: goes through the journal from its end and puts each path from its state after the step into its state before. A path that
 * is in the state before already (the apply was killed before this step, or an undo was killed after it) is left alone, so undo can be
 * repeated until it is through.
 */
import { closeSync, constants, fsyncSync, lstatSync, openSync } from 'node:fs';
import { Fault } from '@warren/protocol';
import { type BytePath, pathToText, quotePath } from './byte-path.ts';
import { changedMeanwhile, conflictFault, isInTheWay } from './conflict.ts';
import type { HeldRun } from './held-run.ts';
import { HostWriter } from './host-writer.ts';
import { errnoOf, fileFault } from './internal/errno.ts';
import { Pace } from './internal/pace.ts';
import { Journal, type JournalStep } from './journal.ts';
import { readManifest, refuseDropped } from './manifest.ts';
import { openLower } from './open-lower.ts';
import { type FileState, isSameInode, type PathState } from './path-state.ts';
import type { OnPause, PausePoint } from './pause-point.ts';
import { planUndo, type Revert, type UndoPlan } from './plan-undo.ts';
import type { RunRecord } from './run-record.ts';
import type { RunStore } from './run-store.ts';
import { tidy } from './tidy.ts';
import type { Tree } from './tree.ts';

export type UndoOptions = {
  /** Throws away what the host changed since the apply. Not where what was kept could not be put back. */
  readonly force?: boolean;
  /** Abort ends the undo between two steps, with `aborted`; another undo goes on from there. */
  readonly signal?: AbortSignal;
  /** For tests. */
  readonly onPause?: OnPause;
};

export type UndoResult = {
  readonly run: RunRecord;
  /** Paths that have their previous state again. Text, as in `ApplyResult`. */
  readonly restored: readonly string[];
  /** Directories that the apply made and that stay, because the host put something into them. Only with `force`. */
  readonly kept: readonly string[];
};

/**
 * Undoes everything that was applied of a run; its layer is then pending again. Throws `conflict` when nothing is applied, or when the host
 * changed since (before anything is touched; details: `paths`), `busy`, `not_found`, `storage_full`, `permission_denied`, `aborted`.
 */
export async function undoRun(store: RunStore, idOrPrefix: string, options: UndoOptions = {}): Promise<UndoResult> {
  using held = store.holdRun(idOrPrefix);
  try {
    return await undoHeld(held, options);
  } catch (error) {
    throw fileFault(error, `Cannot undo run ${held.record.id}`);
  }
}

async function undoHeld(held: HeldRun, options: UndoOptions): Promise<UndoResult> {
  const { record, paths } = held;
  refuseDropped(record);
  if (!record.layer.isUndoable) {
    const why = record.layer.state === 'undone' ? 'it is undone already' : 'nothing of it is applied';
    throw new Fault('conflict', `Cannot undo run ${record.id}: ${why}`, { details: { runId: record.id, state: record.layer.state } });
  }
  const manifest = readManifest(paths.manifest) ?? { sealedNs: 0n, changes: [] };
  const pace = new Pace(options.signal);
  using lower = openLower(record);
  using journal = Journal.open(paths.journal);
  const writer = new HostWriter(lower, record.id, pace);
  await tidy(held, journal, writer, manifest, pace);
  const plan = await planUndo({ steps: journal.steps, lower, isForced: options.force === true, pace });
  const conflicts = options.force === true ? plan.obstacles : [...plan.conflicts, ...plan.obstacles];
  if (conflicts.length > 0) throw conflictFault(`Cannot undo run ${record.id}`, conflicts);
  const { restored, kept } = await new Undo({ lower, journal, writer, pace, options }).run(plan);
  held.save({ layer: { state: 'undone', isUndoable: false } });
  await journal.discard(pace);
  return { run: held.record, restored: restored.map(pathToText), kept: kept.map(pathToText) };
}

type UndoParts = {
  readonly lower: Tree;
  readonly journal: Journal;
  readonly writer: HostWriter;
  readonly pace: Pace;
  readonly options: UndoOptions;
};

type Undone = { readonly restored: readonly BytePath[]; readonly kept: readonly BytePath[] };

class Undo {
  readonly #parts: UndoParts;
  readonly #restored = new Set<BytePath>();
  readonly #kept = new Set<BytePath>();

  constructor(parts: UndoParts) {
    this.#parts = parts;
  }

  async run({ reverts }: UndoPlan): Promise<Undone> {
    const { journal, writer } = this.#parts;
    journal.begin();
    await this.#pause('begun');
    for (const revert of reverts) {
      await this.#revert(revert);
      await this.#pause('step', revert.step.path);
    }
    writer.sync();
    await this.#pause('ended');
    journal.end();
    return { restored: [...this.#restored].sort(), kept: [...this.#kept].sort() };
  }

  async #revert({ step, now }: Revert): Promise<void> {
    const { lower, writer } = this.#parts;
    const { path, before } = step;
    try {
      if (now?.kind === 'file' && !isStill(now, lower.state(path))) throw changedMeanwhile('undo', path);
      if (step.operation === 'mkdir' && now?.kind === 'directory') return this.#removeDirectory(path);
      if (now?.kind === 'directory' && before?.kind !== 'directory') throw changedMeanwhile('undo', path);
      switch (before?.kind) {
        case undefined:
          if (now !== undefined) writer.unlink(path);
          break;
        case 'directory':
          if (now?.kind === 'directory') writer.chmod(path, before.mode);
          else this.#makeDirectory(step, before.mode, now);
          break;
        case 'symlink':
          writer.prepareLink(path, before.target, step.owner);
          writer.publish(path);
          break;
        case 'file':
          await this.#restoreFile(step, before, now);
          break;
        default:
          throw new Fault('internal', `Cannot undo ${quotePath(path)}: a ${before?.kind} cannot be made again`);
      }
      this.#restored.add(path);
    } catch (error) {
      writer.discard(path);
      throw isInTheWay(error) ? changedMeanwhile('undo', path, error) : fileFault(error, `Cannot undo ${quotePath(path)}`);
    }
  }

  #makeDirectory({ path, owner }: JournalStep, mode: number, now: PathState | undefined): void {
    if (now !== undefined) this.#parts.writer.unlink(path);
    this.#parts.writer.mkdir(path, mode, owner);
  }

  /** A directory in which the host keeps something stays; the check before, or `force`, has decided that. */
  #removeDirectory(path: BytePath): void {
    try {
      this.#parts.writer.rmdir(path);
      this.#restored.add(path);
    } catch (error) {
      if (errnoOf(error) !== 'ENOTEMPTY' || this.#parts.options.force !== true) throw error;
      this.#kept.add(path);
    }
  }

  async #restoreFile(step: JournalStep, before: FileState, now: PathState | undefined): Promise<void> {
    const { journal, writer } = this.#parts;
    const { path } = step;
    if (step.operation === 'chmod' && now?.kind === 'file') return writer.chmod(path, before.mode);
    const kept = journal.backupPath(step.number);
    if (lstatSync(kept, { throwIfNoEntry: false }) === undefined) {
      throw new Fault('internal', `Cannot undo ${quotePath(path)}: its previous content is missing from ${kept}`);
    }
    if (writer.moveIn(kept, path)) return;
    const source = openSync(kept, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const { descriptor } = await writer.prepareFile(path, source, before.mode, step.owner, before);
      try {
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      writer.publish(path);
    } finally {
      closeSync(source);
    }
  }

  async #pause(point: PausePoint, path?: BytePath): Promise<void> {
    await this.#parts.options.onPause?.(point, path === undefined ? undefined : pathToText(path));
    if (this.#parts.pace.isDue) await this.#parts.pace.rest();
  }
}

/** `now` may be a state that undo itself made a moment ago, which has the inode of a kept file; then only the content counts. */
function isStill(seen: FileState, now: PathState | undefined): boolean {
  return now?.kind === 'file' && (isSameInode(seen, now) || (seen.size === now.size && seen.mode === now.mode));
}
