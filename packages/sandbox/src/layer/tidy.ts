import type { HeldRun } from './held-run.ts';
import type { HostWriter } from './host-writer.ts';
import type { Pace } from './internal/pace.ts';
import type { Journal } from './journal.ts';
import type { Manifest } from './manifest.ts';

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
