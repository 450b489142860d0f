/** Decides, before anything is touched, what an apply does: which changes, in which steps, and what it leaves alone. */
import { ancestorsOf, type BytePath, comparePaths, joinPath, quotePath } from './byte-path.ts';
import type { Conflict } from './conflict.ts';
import { type ChangeStatus, HostCheck } from './host-check.ts';
import type { Pace } from './internal/pace.ts';
import type { JournalStep } from './journal.ts';
import type { Manifest, SealedChange } from './manifest.ts';
import { type Phases, planSteps, type Work } from './plan-steps.ts';
import { attentionRefusalOf, type Refusal, refusalOf } from './refusal.ts';
import type { RunId } from './run-id.ts';
import { selectChanges } from './selection.ts';
import { isTemporaryName } from './temporary-name.ts';
import type { Tree } from './tree.ts';

export type PlanApplyRequest = {
  readonly run: RunId;
  readonly manifest: Manifest;
  readonly upper: Tree;
  readonly lower: Tree;
  /** Of earlier applies. */
  readonly steps: readonly JournalStep[];
  readonly paths: readonly string[] | undefined;
  readonly isForced: boolean;
  readonly pace: Pace;
};

export type ApplyPlan = {
  readonly phases: Phases;
  /** What the phases apply. */
  readonly applied: readonly BytePath[];
  readonly refused: readonly Refusal[];
  /** Nothing is to be done while there is one. */
  readonly conflicts: readonly Conflict[];
  /** Asked for, and on the host already. */
  readonly alreadyApplied: number;
  /** Not asked for, and not on the host. */
  readonly remaining: number;
};

export async function planApply(request: PlanApplyRequest): Promise<ApplyPlan> {
  const planner = new Planner(request);
  await planner.sort();
  await planner.keepWhatHoldsOthers();
  return planner.plan();
}

class Planner {
  readonly #request: PlanApplyRequest;
  readonly #check: HostCheck;
  readonly #work = new Map<BytePath, Work>();
  readonly #refused = new Map<BytePath, Refusal>();
  readonly #conflicts = new Map<BytePath, Conflict>();
  /** New directories that are left out, and directories that stay although the run removed them. */
  readonly #left = new Set<BytePath>();
  #alreadyApplied = 0;
  #remaining = 0;

  constructor(request: PlanApplyRequest) {
    this.#request = request;
    this.#check = new HostCheck(request);
  }

  /** Puts every change where it belongs. Directories come before what is in them. */
  async sort(): Promise<void> {
    const { manifest, paths } = this.#request;
    const selection = selectChanges(manifest.changes, paths);
    for (const change of manifest.changes) {
      if (!selection.has(change.path)) {
        if ((await this.#check.check(change)).kind !== 'applied') this.#remaining += 1;
        continue;
      }
      const status = await this.#check.check(change);
      const refusal = status.kind === 'applied' ? undefined : this.#refusalOf(change, selection.namesGitOf(change.path));
      if (refusal === undefined) this.#take(change, status);
      else this.#refuse(change, refusal);
    }
  }

  /** A directory can only go when everything in it goes. */
  async keepWhatHoldsOthers(): Promise<void> {
    const { run, lower, pace, isForced } = this.#request;
    for (const { change, host } of [...this.#work.values()].toReversed()) {
      if (host?.kind !== 'directory' || change.after?.kind === 'directory') continue;
      if (pace.isDue) await pace.rest();
      const staying = lower
        .list(change.path)
        .map((name) => joinPath(change.path, name))
        .filter((path) => !this.#isLeaving(path) && !isTemporaryName(path, run)); // What a killed undo left is cleared away first.
      const refused = staying.find((path) => this.#refused.has(path));
      const unknown = staying.find((path) => !this.#refused.has(path) && !this.#left.has(path));
      if (refused !== undefined) {
        this.#refused.set(change.path, { path: change.path, reason: 'depends', detail: `${quotePath(refused)} in it is left alone` });
      } else if (unknown !== undefined && (!isForced || change.after !== undefined)) {
        this.#conflict(unknown, 'the host made it since the run, in a directory that the run removed');
      }
      if (staying.length === 0) continue;
      this.#work.delete(change.path);
      this.#left.add(change.path);
    }
  }

  plan(): ApplyPlan {
    const { lower, steps } = this.#request;
    const work = [...this.#work.values()];
    const directoryMode = (path: BytePath): number | undefined => {
      const state = lower.state(path);
      return state?.kind === 'directory' ? state.mode : undefined;
    };
    return {
      phases: this.#conflicts.size > 0 ? [] : planSteps({ work, directoryMode, borrowed: borrowedRights(steps, directoryMode) }),
      applied: work.map(({ change }) => change.path),
      refused: [...this.#refused.values()].toSorted((left, right) => comparePaths(left.path, right.path)),
      conflicts: [...this.#conflicts.values()].toSorted((left, right) => comparePaths(left.path, right.path)),
      alreadyApplied: this.#alreadyApplied,
      remaining: this.#remaining,
    };
  }

  #refusalOf(change: SealedChange, isNamed: boolean): Refusal | undefined {
    const refusal = refusalOf(change, this.#request.run) ?? (isNamed || this.#request.isForced ? undefined : attentionRefusalOf(change));
    if (refusal !== undefined || change.after === undefined) return refusal;
    const directory = this.#left.size === 0 ? undefined : [...ancestorsOf(change.path)].find((path) => this.#left.has(path));
    return directory === undefined
      ? undefined
      : { path: change.path, reason: 'depends', detail: `its directory ${quotePath(directory)} is left out` };
  }

  #refuse(change: SealedChange, refusal: Refusal): void {
    this.#refused.set(change.path, refusal);
    if (change.after?.kind === 'directory' && change.before?.kind !== 'directory') this.#left.add(change.path);
  }

  #take(change: SealedChange, status: ChangeStatus): void {
    switch (status.kind) {
      case 'applied':
        this.#alreadyApplied += 1;
        return;
      case 'conflict':
        if (!this.#request.isForced || !status.isForceable) this.#conflict(change.path, status.reason);
        else this.#work.set(change.path, { change, host: status.host });
        return;
      case 'pending':
        this.#work.set(change.path, { change, host: status.host });
        return;
      default:
        status satisfies never;
    }
  }

  #conflict(path: BytePath, reason: string): void {
    if (!this.#conflicts.has(path)) this.#conflicts.set(path, { path, reason });
  }

  #isLeaving(path: BytePath): boolean {
    const work = this.#work.get(path);
    return work !== undefined && work.change.after === undefined;
  }
}

/** Directories a killed apply opened for itself and did not close again, with the mode they had. */
function borrowedRights(
  steps: readonly JournalStep[],
  directoryMode: (path: BytePath) => number | undefined,
): ReadonlyMap<BytePath, number> {
  const opened = new Map<BytePath, JournalStep>(steps.filter((step) => step.isTemporary === true).map((step) => [step.path, step]));
  const borrowed = new Map<BytePath, number>();
  for (const [path, { before, after }] of opened) {
    if (before?.kind === 'directory' && after?.kind === 'directory' && directoryMode(path) === after.mode) borrowed.set(path, before.mode);
  }
  return borrowed;
}
