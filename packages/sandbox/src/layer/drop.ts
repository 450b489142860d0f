import type { HeldRun } from './held-run.ts';
import { fileFault } from './internal/errno.ts';
import { Pace } from './internal/pace.ts';
import { removeTree } from './remove-tree.ts';
import type { RunRecord } from './run-record.ts';
import type { RunStore } from './run-store.ts';

/** Throws away the layer of a run, and what could undo it; the record stays. Idempotent. Throws `busy`, `not_found`. */
export async function dropRun(store: RunStore, idOrPrefix: string): Promise<RunRecord> {
  using held = store.holdRun(idOrPrefix);
  await dropLayer(held);
  return held.record;
}

async function dropLayer(held: HeldRun): Promise<void> {
  held.save({ layer: { state: 'dropped', isUndoable: false } });
  const pace = new Pace();
  try {
    await removeTree(held.paths.layer, pace);
    await removeTree(held.paths.journal, pace);
  } catch (error) {
    throw fileFault(error, `Cannot remove all of the layer ${held.paths.layer}`);
  }
}
