/** Runs that ended long ago are forgotten, with their journals. */
import type { Transaction } from '../store/store.ts';

/**
 * Deletes at most `limit` steps and runs together: of those that ended before `before`, and the longest ended beyond `keepMax`. A journal may be longer than that: it goes
 * from its end, and what is left of it has no holes. Returns how much it was, and how many runs are gone.
 */
export function purgeRuns(
  transaction: Transaction,
  before: number,
  keepMax: number,
  limit: number,
): { readonly runs: number; readonly hasMore: boolean } {
  const excess = transaction.runs.countEnded() - keepMax;
  const due = transaction.runs.ended(limit).filter(({ endedAt }, index) => endedAt < before || index < excess);
  let [runs, room] = [0, limit];
  for (const { id, steps } of due) {
    if (room <= 0) break;
    if (transaction.runs.shrink(id, room) === undefined) runs++;
    room -= steps + 1;
  }
  if (runs > 0) transaction.events.append({ pid: undefined, kind: 'kernel.run.purged', payload: { count: runs } });
  return { runs, hasMore: room <= 0 || due.length === limit };
}
