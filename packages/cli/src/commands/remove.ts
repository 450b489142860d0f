/** `warren rm`: forgets runs, with what they changed. */
import { Fault, isFault } from '@warren/protocol';
import type { RunRecord, RunStore } from '@warren/sandbox';
import { count } from '../internal/count.ts';
import type { Host } from '../internal/host.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import type { RemoveFlags } from '../program.ts';

type Left = { readonly run: string; readonly reason: string; readonly isForceable: boolean };

/** Returns 1 when a run that was named is still there. */
export async function remove(
  words: readonly string[],
  flags: RemoveFlags,
  host: Host,
  { store }: { readonly store: RunStore },
): Promise<number> {
  if (flags.all === true && words.length > 0)
    throw new Fault('invalid_argument', 'Cannot remove both all runs and some: leave out --all or the ids');
  if (flags.all !== true && words.length === 0) {
    throw new Fault('invalid_argument', 'Cannot tell which runs to remove', {
      details: { fix: 'name some of: warren runs, or use --all' },
    });
  }
  const removed: string[] = [];
  const left: Left[] = [];
  for (const word of flags.all === true ? everyEnded(store) : words) {
    try {
      const { id, reason } = look(store, word, flags.force === true);
      if (reason === undefined) {
        await store.removeRun(id);
        removed.push(id);
      } else left.push({ run: id, reason, isForceable: true });
    } catch (error) {
      if (!isFault(error)) throw error;
      left.push({ run: word, reason: error.message, isForceable: false });
    }
  }
  if (flags.json === true) await host.stdout.write(`${safeJson({ removed, left }, 2)}\n`);
  else {
    if (removed.length > 0 || left.length === 0) await host.stdout.write(`${count(removed.length, 'run')} removed\n`);
    for (const { run, reason } of left) await host.stderr.write(`warren: cannot remove "${safeText(run)}": ${safeText(reason)}\n`);
    if (left.some(({ isForceable }) => isForceable))
      await host.stderr.write(`  fix: warren rm --force ${flags.all === true ? '--all' : words.map(safeText).join(' ')}\n`);
  }
  return left.length === 0 ? 0 : 1;
}

function everyEnded(store: RunStore): readonly string[] {
  const { runs, damaged } = store.listRuns();
  return [...runs.filter(({ status }) => status !== 'open'), ...damaged].map(({ id }) => id);
}

function look(store: RunStore, word: string, isForced: boolean): { readonly id: string; readonly reason?: string } {
  let run: RunRecord;
  try {
    run = store.getRun(word);
  } catch (error) {
    // A record that cannot be read says nothing about what would be lost.
    if (isFault(error, 'internal')) return isForced ? { id: word } : { id: word, reason: 'its record is damaged' };
    throw error;
  }
  const { state, changes } = run.layer;
  if (isForced || state !== 'pending' || changes === 0) return { id: run.id };
  return {
    id: run.id,
    reason: `${changes === undefined ? 'its changes are' : `its ${count(changes, 'change')} ${changes === 1 ? 'is' : 'are'}`} not applied`,
  };
}
