/** What there is to look at before an apply: every change of a run that the host does not have yet, and how it stands with each. */

import { attentionOf } from './attention.ts';
import { type ChangeStatus, HostCheck } from './host-check.ts';
import { fileFault } from './internal/errno.ts';
import { Pace } from './internal/pace.ts';
import { Journal } from './journal.ts';
import { type Manifest, readManifest, refuseDropped, type SealedChange, sealLayer } from './manifest.ts';
import { openLower } from './open-lower.ts';
import { type Refusal, refusalOf } from './refusal.ts';
import { type RunPaths, runPaths } from './run-paths.ts';
import type { RunRecord } from './run-record.ts';
import type { RunStore } from './run-store.ts';
import type { OpaqueProbe } from './scan.ts';
import { selectChanges } from './selection.ts';
import { Tree } from './tree.ts';

export type ReviewedChange = SealedChange & {
  readonly status: Exclude<ChangeStatus, { kind: 'applied' }>;
  /** Why it deserves a second look. Apply wants it named. */
  readonly attention: string | undefined;
  /** Why apply will never take it. */
  readonly refusal: Refusal | undefined;
};

export type Review = {
  readonly run: RunRecord;
  readonly paths: RunPaths;
  /** Sorted by path. What is applied already is left out. */
  readonly changes: readonly ReviewedChange[];
};

export type ReviewOptions = { readonly probe: OpaqueProbe; readonly paths?: readonly string[]; readonly signal?: AbortSignal };

/**
 * Reads the changes of a run, and seals its layer if that was not done. Takes no lock that outlasts the call, so that a diff left open in a
 * pager stops nobody. Throws `busy` while the run goes on, `not_found`, `internal`.
 */
export async function reviewRun(store: RunStore, idOrPrefix: string, options: ReviewOptions): Promise<Review> {
  const { run, paths, manifest } = await sealed(store, idOrPrefix, options);
  if (manifest.changes.length === 0) return { run, paths, changes: [] };
  const pace = new Pace(options.signal);
  const selection = selectChanges(manifest.changes, options.paths);
  try {
    using upper = Tree.open(paths.upper, { isOurs: true });
    using lower = openLower(run);
    using journal = Journal.open(paths.journal);
    const check = new HostCheck({ manifest, upper, lower, steps: run.layer.isUndoable ? journal.steps : [], pace });
    const changes: ReviewedChange[] = [];
    for (const change of manifest.changes) {
      if (!selection.has(change.path)) continue;
      const status = await check.check(change);
      if (status.kind === 'applied') continue;
      changes.push({ ...change, status, attention: attentionOf(change.path, change.after), refusal: refusalOf(change, run.id) });
    }
    return { run, paths, changes };
  } catch (error) {
    throw fileFault(error, `Cannot read the changes of run ${run.id}`);
  }
}

async function sealed(
  store: RunStore,
  idOrPrefix: string,
  options: ReviewOptions,
): Promise<{ run: RunRecord; paths: RunPaths; manifest: Manifest }> {
  const run = store.getRun(idOrPrefix);
  const paths = runPaths(store.pathOf(run.id));
  refuseDropped(run);
  store.refuseBusy(run.id);
  if (run.layer.state === 'empty') return { run, paths, manifest: { sealedNs: 0n, changes: [] } };
  const manifest = run.layer.changes === undefined ? undefined : readManifest(paths.manifest);
  if (manifest !== undefined) return { run, paths, manifest };
  using held = store.holdRun(run.id);
  const made = await sealLayer(held, options);
  return { run: held.record, paths, manifest: made };
}
