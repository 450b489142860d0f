/**
 * Brings what a run changed onto the host. First everything is checked and decided (plan-apply.ts), without touching anything. Then, a batch at
 * a time: new content is written beside its place, old content is kept, the steps are written into the journal and flushed, and only then is
 * each step done, as one system call. A kill at any moment leaves each file with its old or its new content, and either another apply or undo
 * goes on from there. A full disk ends the apply in the same way: what is done is done, the rest stays pending.
 */
import { closeSync, fsync } from 'node:fs';
import { promisify } from 'node:util';
import { Fault } from '@warren/protocol';
import { type BytePath, pathToText, quotePath } from './byte-path.ts';
import type { HeldRun } from './held-run.ts';
import { HostWriter, type Owner } from './host-writer.ts';
import { errnoOf, fileFault } from './internal/errno.ts';
import { Pace } from './internal/pace.ts';
import { Journal, type JournalStep, type Step } from './journal.ts';
import { type Manifest, readWithHash, sealLayer } from './manifest.ts';
import { isEqualState, isSameInode, type PathState } from './path-state.ts';
import { type ApplyPlan, type Conflict, planApply } from './plan-apply.ts';
import type { RefusalReason } from './refusal.ts';
import type { RunRecord } from './run-record.ts';
import type { RunStore } from './run-store.ts';
import type { OpaqueProbe } from './scan.ts';
import { Tree } from './tree.ts';

/** Moments at which a test can stop or kill an apply or undo. */
export type PausePoint = 'begun' | 'prepared' | 'recorded' | 'step' | 'done' | 'ended';

export type ApplyOptions = {
  readonly probe: OpaqueProbe;
  /** Only what is at or below these paths, relative to the directory of the run. Default: everything. */
  readonly paths?: readonly string[];
  /** Overwrites what the host changed since (undo brings that back), and applies what deserves attention. Never what is refused otherwise. */
  readonly force?: boolean;
  /** Abort ends the apply between two steps, with `aborted`; what is done stays done. */
  readonly signal?: AbortSignal;
  readonly onPause?: (point: PausePoint, path: string | undefined) => void | Promise<void>;
};

/** Paths are text for people and JSON; show them with `escapeForTerminal`. */
export type ApplyResult = {
  readonly run: RunRecord;
  readonly applied: readonly string[];
  /** Asked for, but on the host already. */
  readonly alreadyApplied: number;
  /** Left alone, and why. */
  readonly refused: readonly { readonly path: string; readonly reason: RefusalReason; readonly detail: string }[];
  /** Not asked for, still to be applied. */
  readonly remaining: number;
};

const BATCH_STEPS = 64;
const BATCH_BYTES = 64 * 1_048_576;
/** How many conflicting paths an error message names; its details have more. */
const NAMED_PATHS_MAX = 10;
const DETAILED_PATHS_MAX = 1_000;

/**
 * Applies the layer of a run. Throws `conflict` (the host changed; details: `paths`) before anything is touched, `busy`, `not_found`,
 * `storage_full` and `permission_denied` (what was applied until then stays, the rest is pending), `aborted`.
 */
export async function applyRun(store: RunStore, idOrPrefix: string, options: ApplyOptions): Promise<ApplyResult> {
  using held = store.holdRun(idOrPrefix);
  try {
    return await applyHeld(held, options);
  } catch (error) {
    throw fileFault(error, `Cannot apply run ${held.record.id}`);
  }
}

async function applyHeld(held: HeldRun, options: ApplyOptions): Promise<ApplyResult> {
  const manifest = await sealLayer(held, options);
  if (manifest.changes.length === 0) return { run: held.record, applied: [], alreadyApplied: 0, refused: [], remaining: 0 };
  const pace = new Pace(options.signal);
  using upper = Tree.open(held.paths.upper, { isOurs: true });
  using lower = openLower(held.record);
  using journal = Journal.open(held.paths.journal);
  const writer = new HostWriter(lower, held.record.id, pace);
  await tidy(held, journal, writer, manifest, pace);
  const plan = await planApply({
    run: held.record.id,
    manifest,
    upper,
    lower,
    steps: journal.steps,
    paths: options.paths,
    isForced: options.force === true,
    pace,
  });
  if (plan.conflicts.length > 0) throw conflictFault(`Cannot apply run ${held.record.id}`, plan.conflicts);
  if (plan.phases.length > 0) await new Apply({ held, upper, lower, journal, writer, pace, options }).run(plan);
  held.save({ layer: { state: stateAfter(plan) } });
  return resultOf(held, plan);
}

/** Opens the host's directory of a run. Throws `not_found`. */
export function openLower(record: RunRecord): Tree {
  try {
    return Tree.open(record.directory);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw fileFault(error, `Cannot open ${record.directory}`);
    throw new Fault('not_found', `There is no directory ${record.directory} any more`, {
      details: { path: record.directory },
      cause: error,
    });
  }
}

/** Clears up after an apply or undo that was killed: its temporary files, and a journal that is of no use any more. */
export async function tidy(held: HeldRun, journal: Journal, writer: HostWriter, manifest: Manifest, pace: Pace): Promise<void> {
  if (journal.isInterrupted) {
    for (const { path } of manifest.changes) {
      writer.discard(path);
      if (pace.isDue) await pace.rest();
    }
    journal.end();
  }
  // Killed after an undo was recorded and before its journal was thrown away.
  if (!held.record.layer.isUndoable) await journal.discard(pace);
}

export function conflictFault(action: string, conflicts: readonly Conflict[]): Fault {
  const named = conflicts.slice(0, NAMED_PATHS_MAX).map(({ path, reason }) => `${quotePath(path)} (${reason})`);
  const more = conflicts.length > named.length ? ` and ${conflicts.length - named.length} more` : '';
  const details = conflicts.slice(0, DETAILED_PATHS_MAX).map(({ path, reason }) => ({ path: pathToText(path), reason }));
  return new Fault('conflict', `${action}: the host is not as the run saw it: ${named.join(', ')}${more}`, {
    details: { paths: details.map(({ path }) => path), conflicts: details },
  });
}

type ApplyParts = {
  readonly held: HeldRun;
  readonly upper: Tree;
  readonly lower: Tree;
  readonly journal: Journal;
  readonly writer: HostWriter;
  readonly pace: Pace;
  readonly options: ApplyOptions;
};

/** A step that is ready to be done; `snapshot` is the host's file as it was kept. */
type PreparedStep = { readonly step: JournalStep; readonly snapshot: PathState | undefined };

class Apply {
  readonly #parts: ApplyParts;
  /** Descriptors of new files, to be flushed together: one by one a disk manages a few hundred a second. */
  readonly #unflushed: number[] = [];

  constructor(parts: ApplyParts) {
    this.#parts = parts;
  }

  async run({ phases }: ApplyPlan): Promise<void> {
    const { held, journal, writer } = this.#parts;
    // Said before the journal appears: a journal without it would count as one to throw away.
    held.save({ layer: { state: 'pending', isUndoable: true } });
    journal.begin();
    await this.#pause('begun');
    // What throws here leaves the journal open, so that the next apply or undo looks for temporary files; mostly there are none.
    for (const phase of phases) for (const batch of batchesOf(phase)) await this.#runBatch(batch);
    writer.sync();
    await this.#pause('ended');
    journal.end();
  }

  async #runBatch(batch: readonly Step[]): Promise<void> {
    const { journal, lower, writer, pace } = this.#parts;
    const prepared: PreparedStep[] = [];
    try {
      for (const step of batch) {
        prepared.push(await this.#prepare(this.#withOwnFile(step), journal.nextNumber + prepared.length));
        if (pace.isDue) await pace.rest();
      }
      await this.#flush();
      await this.#pause('prepared');
      journal.append(prepared.map(({ step }) => step));
      await this.#pause('recorded');
      lower.forget(); // Flushing took a while.
      for (const one of prepared) {
        await this.#do(one);
        await this.#pause('step', one.step.path);
        if (pace.isDue) await pace.rest();
      }
    } catch (error) {
      for (const file of this.#unflushed.splice(0)) closeSync(file);
      for (const { path } of batch) writer.discard(path);
      throw error;
    }
    await this.#pause('done');
  }

  async #prepare(step: Step, number: number): Promise<PreparedStep> {
    try {
      const before = await this.#keep(step, number);
      const owner = this.#ownerOf(step);
      const after = await this.#write(step, owner);
      const recorded = { ...step, number, before, after, ...(owner === undefined ? {} : { owner }) };
      return { step: recorded, snapshot: before?.kind === 'file' ? this.#parts.lower.state(step.path) : before };
    } catch (error) {
      throw fileFault(error, `Cannot apply ${quotePath(step.path)}`);
    }
  }

  /** A file of several names has one mode; the run changed it under this name only, so this name gets a file of its own. */
  #withOwnFile(step: Step): Step {
    if (step.operation !== 'chmod' || step.after?.kind !== 'file') return step;
    return (this.#parts.lower.stat(step.path)?.nlink ?? 1n) > 1n ? { ...step, operation: 'write' } : step;
  }

  /** Keeps the content that the step takes away, and gives the state with its hash. */
  async #keep(step: Step, number: number): Promise<PathState | undefined> {
    const { lower, journal, pace } = this.#parts;
    if (step.before?.kind !== 'file') return step.before;
    const now = lower.state(step.path);
    if (!isStill(step.before, now)) throw changedMeanwhile(step.path);
    if (step.operation !== 'chmod') await journal.backUp(number, lower, step.path, step.before.size, pace);
    return step.before.sha256 === undefined ? ((await readWithHash(lower, step.path, pace)) ?? step.before) : step.before;
  }

  async #write({ operation, path, after }: Step, owner: Owner | undefined): Promise<PathState | undefined> {
    const { upper, writer } = this.#parts;
    if (operation === 'link' && after?.kind === 'symlink') writer.prepareLink(path, after.target, owner);
    if (operation !== 'write' || after?.kind !== 'file') return after;
    const source = upper.openFile(path);
    try {
      const { state, descriptor } = await writer.prepareFile(path, source, after.mode, owner);
      this.#unflushed.push(descriptor);
      return state;
    } finally {
      closeSync(source);
    }
  }

  #ownerOf({ path, before }: Step): Owner | undefined {
    const stat = before === undefined ? undefined : this.#parts.lower.stat(path);
    return stat === undefined ? undefined : [Number(stat.uid), Number(stat.gid)];
  }

  async #flush(): Promise<void> {
    const files = this.#unflushed.splice(0);
    try {
      await Promise.all(files.map((file) => promisify(fsync)(file)));
    } catch (error) {
      throw fileFault(error, 'Cannot flush new files');
    } finally {
      for (const file of files) closeSync(file);
    }
  }

  async #do({ step, snapshot }: PreparedStep): Promise<void> {
    const { lower, writer } = this.#parts;
    const { operation, path, after } = step;
    // Between this look and the call lie microseconds in which the host could still slip in; the kernel offers no rename that compares.
    if (!isStill(snapshot, lower.state(path))) throw changedMeanwhile(path);
    try {
      switch (operation) {
        case 'write':
        case 'link':
          return writer.publish(path);
        case 'mkdir':
          return writer.mkdir(path, modeOf(after), step.owner);
        case 'unlink':
          return writer.unlink(path);
        case 'rmdir':
          return writer.rmdir(path);
        case 'chmod':
          return writer.chmod(path, modeOf(after));
        default:
          return operation satisfies never;
      }
    } catch (error) {
      const isInTheWay = ['EEXIST', 'ENOTEMPTY', 'EISDIR', 'ENOTDIR', 'ENOENT'].includes(errnoOf(error) ?? '');
      throw isInTheWay ? changedMeanwhile(path, error) : fileFault(error, `Cannot apply ${quotePath(path)}`);
    }
  }

  async #pause(point: PausePoint, path?: BytePath): Promise<void> {
    await this.#parts.options.onPause?.(point, path === undefined ? undefined : pathToText(path));
  }
}

/** Bounded in number, for open descriptors, and in bytes, for how much lies written and not yet in place. */
function* batchesOf(steps: readonly Step[]): Generator<readonly Step[]> {
  let batch: Step[] = [];
  let bytes = 0;
  for (const step of steps) {
    batch.push(step);
    bytes += step.operation === 'write' && step.after?.kind === 'file' ? step.after.size : 0;
    if (batch.length < BATCH_STEPS && bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

/** The ctime is left out: keeping another name of the same file for undo moves it. */
function isStill(before: PathState | undefined, now: PathState | undefined): boolean {
  if (before?.kind !== 'file' || now?.kind !== 'file') return isEqualState(before, now);
  return isSameInode({ ...before, ctimeNs: 0n }, { ...now, ctimeNs: 0n });
}

function modeOf(state: PathState | undefined): number {
  if (state === undefined || state.kind === 'symlink') throw new Error('A step that sets a mode has none');
  return state.mode;
}

function changedMeanwhile(path: BytePath, cause?: unknown): Fault {
  return new Fault('conflict', `Cannot apply ${quotePath(path)}: the host changed it this moment`, {
    details: { paths: [pathToText(path)] },
    cause,
  });
}

function stateAfter({ applied, alreadyApplied, refused, remaining }: ApplyPlan): 'applied' | 'pending' {
  const isAllThere = remaining === 0 && !refused.some(({ reason }) => reason === 'attention');
  return isAllThere && applied.length + alreadyApplied > 0 ? 'applied' : 'pending';
}

function resultOf(held: HeldRun, plan: ApplyPlan): ApplyResult {
  return {
    run: held.record,
    applied: plan.applied.map(pathToText),
    alreadyApplied: plan.alreadyApplied,
    refused: plan.refused.map((refusal) => ({ ...refusal, path: pathToText(refusal.path) })),
    remaining: plan.remaining,
  };
}
