/**
 * Does what an apply has decided, a batch at a time. Within a batch: everything new is written beside its place and flushed, everything that
 * goes is kept, the journal says what comes, and then each step is one system call.
 */
import { closeSync, fsync } from 'node:fs';
import { promisify } from 'node:util';
import { type BytePath, pathToText, quotePath } from './byte-path.ts';
import { changedMeanwhile, isInTheWay } from './conflict.ts';
import type { HeldRun } from './held-run.ts';
import type { HostWriter, Owner } from './host-writer.ts';
import { fileFault } from './internal/errno.ts';
import type { Pace } from './internal/pace.ts';
import type { Journal, JournalStep, Step } from './journal.ts';
import { readWithHash } from './manifest.ts';
import { isEqualState, isSameInode, type PathState } from './path-state.ts';
import type { OnPause, PausePoint } from './pause-point.ts';
import type { ApplyPlan } from './plan-apply.ts';
import type { Tree } from './tree.ts';

/** Bounded in number, for open descriptors, and in bytes, for how much lies written and not yet in place. */
const BATCH_STEPS = 64;
const BATCH_BYTES = 64 * 1_048_576;

export type ApplyStepsParts = {
  readonly held: HeldRun;
  readonly upper: Tree;
  readonly lower: Tree;
  readonly journal: Journal;
  readonly writer: HostWriter;
  readonly pace: Pace;
  readonly onPause: OnPause | undefined;
};

/** A step that is ready to be done; `snapshot` is the host's file as it was kept. */
type PreparedStep = { readonly step: JournalStep; readonly snapshot: PathState | undefined };

/** Does the steps of a plan. */
export class ApplySteps {
  readonly #parts: ApplyStepsParts;
  /** Descriptors of new files, to be flushed together: one by one a disk manages a few hundred a second. */
  readonly #unflushed: number[] = [];

  constructor(parts: ApplyStepsParts) {
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
    if (!isStill(step.before, now)) throw changedMeanwhile('apply', step.path);
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
    if (!isStill(snapshot, lower.state(path))) throw changedMeanwhile('apply', path);
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
      throw isInTheWay(error) ? changedMeanwhile('apply', path, error) : fileFault(error, `Cannot apply ${quotePath(path)}`);
    }
  }

  async #pause(point: PausePoint, path?: BytePath): Promise<void> {
    await this.#parts.onPause?.(point, path === undefined ? undefined : pathToText(path));
  }
}

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
