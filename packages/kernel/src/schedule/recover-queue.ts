/** At a start: claims outlive the kernel that gave them. Nobody could prolong a lease meanwhile, so each has its whole length again. */
import type { WorkspaceStore } from '../store/store.ts';

/** Returns how many entries are under a lease. */
export async function recoverQueue(store: WorkspaceStore): Promise<number> {
  return await store.write((transaction) => {
    const count = transaction.queue.renewLeases();
    if (count > 0) transaction.events.append({ pid: undefined, kind: 'kernel.queue.recovered', payload: { count } });
    return count;
  });
}
