/** Old entries that neither wait nor run are forgotten. */
import type { Transaction } from '../store/store.ts';

/** Deletes at most `limit`: what finished before `before`, and the oldest beyond `keepMax`. Returns how many. */
export function purgeFinished(transaction: Transaction, before: number, keepMax: number, limit: number): number {
  const { queued, dispatched, ...finished } = transaction.queue.totals();
  const excess = Object.values(finished).reduce((sum, each) => sum + each, 0) - keepMax;
  const oldest = transaction.queue.finished(limit).filter(({ completedAt }, index) => completedAt < before || index < excess);
  for (const { id, state } of oldest) transaction.queue.delete(id, state);
  if (oldest.length > 0) transaction.events.append({ pid: undefined, kind: 'kernel.queue.purged', payload: { count: oldest.length } });
  return oldest.length;
}
