/** At a start: calls that were under way are not, unless somebody may still be running them. */
import type { Transaction, WorkspaceStore } from '../store/store.ts';
import { releaseReservations } from './reservations.ts';

/** Processes in one transaction. */
const STEP = 200;

/**
 * Releases the reservations of processes that neither run nor wait, after those were recovered themselves. Returns how many. Twice does
 * nothing more.
 */
export async function recoverReservations(store: WorkspaceStore): Promise<number> {
  let released = 0;
  for (let after = 0; ; ) {
    const pids = await store.read(({ ledger }) => ledger.reservingPids(after, STEP));
    const last = pids.at(-1);
    if (last === undefined) return released;
    released += await store.write((transaction) => releaseIdle(transaction, pids));
    after = last;
  }
}

function releaseIdle(transaction: Transaction, pids: readonly number[]): number {
  let released = 0;
  for (const pid of pids) {
    const state = transaction.processes.find(pid)?.state;
    if (state !== 'RUNNING' && state !== 'WAITING') released += releaseReservations(transaction, pid);
  }
  return released;
}
