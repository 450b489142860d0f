/**
 * Brings what a run changed onto the host. First everything is checked and decided (plan-apply.ts), without touching anything. Then, a batch at
 * a time: new content is written beside its place, old content is kept, the steps are written into the journal and flushed, and only then is
 * each step done, as one system call. A kill at any moment leaves each file with its old or its new content, and either another apply or undo
 * goes on from there. A full disk ends the apply in the same way: what is done is done, the rest stays pending.
 */
import { ApplySteps, type ApplyStepsParts } from './apply-steps.ts';
import { pathToText } from './byte-path.ts';
import { conflictFault } from './conflict.ts';
import type { HeldRun } from './held-run.ts';
import { HostWriter } from './host-writer.ts';
import { fileFault } from './internal/errno.ts';
import { Pace } from './internal/pace.ts';
import { Journal } from './journal.ts';
import { type Manifest, sealLayer } from './manifest.ts';
import { openLower } from './open-lower.ts';
import type { OnPause } from './pause-point.ts';
import { type ApplyPlan, planApply } from './plan-apply.ts';
import type { RefusalReason } from './refusal.ts';
import type { RunRecord } from './run-record.ts';
import type { RunStore } from './run-store.ts';
import type { OpaqueProbe } from './scan.ts';
import { tidy } from './tidy.ts';
import { Tree } from './tree.ts';

export type ApplyOptions = {
  readonly probe: OpaqueProbe;
  /** Only what is at or below these paths, relative to the directory of the run. Default: everything. */
  readonly paths?: readonly string[];
  /** Overwrites what the host changed since (undo brings that back), and applies what deserves attention. Never what is refused otherwise. */
  readonly force?: boolean;
  /** Abort ends the apply between two steps, with `aborted`; what is done stays done. */
  readonly signal?: AbortSignal;
  /** For tests. */
  readonly onPause?: OnPause;
};

/** Paths are text for people and JSON; show them with `escapeLineForTerminal`. */
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

/** `applied` is what would be. With conflicts nothing would. */
export type ApplyPreview = ApplyResult & { readonly conflicts: readonly { readonly path: string; readonly reason: string }[] };

const NOTHING: ApplyPlan = { phases: [], applied: [], refused: [], conflicts: [], alreadyApplied: 0, remaining: 0 };

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

/** What `applyRun` would do with the same options, conflicts included. Touches nothing on the host. Throws as `applyRun`, but no `conflict`. */
export async function previewApply(store: RunStore, idOrPrefix: string, options: Omit<ApplyOptions, 'onPause'>): Promise<ApplyPreview> {
  using held = store.holdRun(idOrPrefix);
  try {
    const plan = await withPlan(held, options, async (made) => made);
    const conflicts = plan.conflicts.map((conflict) => ({ ...conflict, path: pathToText(conflict.path) }));
    return { ...resultOf(held, plan), conflicts };
  } catch (error) {
    throw fileFault(error, `Cannot look at run ${held.record.id}`);
  }
}

async function applyHeld(held: HeldRun, options: ApplyOptions): Promise<ApplyResult> {
  return await withPlan(held, options, async (plan, parts) => {
    if (plan.conflicts.length > 0) throw conflictFault(`Cannot apply run ${held.record.id}`, plan.conflicts);
    if (parts === undefined) return resultOf(held, plan);
    await tidy(held, parts.journal, parts.writer, parts.manifest, parts.pace);
    if (plan.phases.length > 0) await new ApplySteps({ ...parts, held, onPause: options.onPause }).run(plan);
    held.save({ layer: { state: stateAfter(plan) } });
    return resultOf(held, plan);
  });
}

type Parts = Omit<ApplyStepsParts, 'held' | 'onPause'> & { readonly manifest: Manifest };

/** `parts` are absent when the run changed nothing. */
async function withPlan<Result>(
  held: HeldRun,
  options: ApplyOptions,
  use: (plan: ApplyPlan, parts: Parts | undefined) => Promise<Result>,
): Promise<Result> {
  const { record, paths } = held;
  const manifest = await sealLayer(held, options);
  if (manifest.changes.length === 0) return await use(NOTHING, undefined);
  const pace = new Pace(options.signal);
  using upper = Tree.open(paths.upper, { isOurs: true });
  using lower = openLower(record);
  using journal = Journal.open(paths.journal);
  const writer = new HostWriter(lower, record.id, pace);
  const steps = record.layer.isUndoable ? journal.steps : [];
  const isForced = options.force === true;
  const plan = await planApply({ run: record.id, manifest, upper, lower, steps, paths: options.paths, isForced, pace });
  return await use(plan, { upper, lower, journal, writer, pace, manifest });
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
