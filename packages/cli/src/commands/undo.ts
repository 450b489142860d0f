/** `warren undo`: takes an apply back. */
import { Fault, isFault } from '@warren/protocol';
import { type RunStore, undoRun } from '@warren/sandbox';
import { count } from '../internal/count.ts';
import type { Host } from '../internal/host.ts';
import { interruptible } from '../internal/interruptible.ts';
import { safeJson, safeText } from '../internal/safe-text.ts';
import type { UndoFlags } from '../program.ts';
import { chooseRun } from './choose-run.ts';

export async function undo(
  word: string | undefined,
  flags: UndoFlags,
  host: Host,
  { store }: { readonly store: RunStore },
): Promise<number> {
  const { run } = chooseRun(store, host, {
    run: word,
    paths: [],
    isCandidate: ({ layer }) => layer.isUndoable,
    sought: 'that was applied',
  });
  return await interruptible(host, async (signal) => {
    const { restored, kept } = await undoRun(store, run.id, { signal, force: flags.force === true }).catch((error: unknown) =>
      explain(error, run.id),
    );
    if (flags.json === true) {
      await host.stdout.write(`${safeJson({ run: run.id, restored, kept }, 2)}\n`);
      return 0;
    }
    await host.stdout.write(`${count(restored.length, 'change')} taken back in ${safeText(run.directory)} · warren apply ${run.id}\n`);
    for (const path of kept) await host.stderr.write(`warren: left alone: ${safeText(path)}: something else is in it\n`);
    return 0;
  });
}

function explain(error: unknown, run: string): never {
  if (!isFault(error, 'conflict') || error.details?.['conflicts'] === undefined) throw error;
  throw new Fault('conflict', error.message, {
    details: { ...error.details, fix: `to lose what changed since: warren undo ${run} --force` },
    cause: error,
  });
}
