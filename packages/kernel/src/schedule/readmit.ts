/** Processes that spent their budget wait in their lanes, out of the way of claims, until there is budget again. */
import type { Transaction } from '../store/store.ts';
import type { LaneRow } from '../store/tables/queue-table.ts';
import { findLane } from './lane.ts';

/** Lanes let in at once; a workspace with more goes on in the steps of the sweep. */
const STEP = 500;

/** A budget has grown: what waited for it may be claimed again, or is found too poor once more. */
export function readmit(transaction: Transaction, pids: readonly number[] | 'all'): void {
  if (pids === 'all') readmitStep(transaction, 0, STEP);
  else
    admit(
      transaction,
      pids.map((pid) => findLane(transaction, pid)).filter(({ isAdmitted }) => !isAdmitted),
    );
}

/** Lets in at most `limit` lanes after this pid, and remembers how far it got. Returns how many. */
export function readmitStep(transaction: Transaction, afterPid: number, limit: number): number {
  const lanes = transaction.queue.notAdmitted(afterPid, limit);
  admit(transaction, lanes);
  transaction.queue.setReadmittedThrough(lanes.length === limit ? lanes.at(-1)?.pid : undefined);
  return lanes.length;
}

function admit(transaction: Transaction, lanes: readonly LaneRow[]): void {
  for (const lane of lanes) transaction.queue.putLane({ ...lane, isAdmitted: true });
  if (lanes.length > 0) transaction.events.append({ pid: undefined, kind: 'kernel.queue.readmitted', payload: { count: lanes.length } });
}
