/**
 * Lanes: for each process with entries that wait or run, its best entry that may run now. Whatever changes that (an entry comes, is claimed or
 * ends, the process stops, goes on or ends) settles the lane in the same transaction, and a claim takes the best of all lanes.
 */
import type { ReadTransaction, Transaction } from '../store/store.ts';
import type { ProcessState } from '../store/tables/process-table.ts';
import { type LaneAccess, type LaneRow, type QueueRow, RUN_TRIGGER } from '../store/tables/queue-table.ts';

type Ranked = NonNullable<LaneRow['best']>;

/** The lane of a process, an empty one if it has none yet. */
export function findLane(transaction: ReadTransaction, pid: number): LaneRow {
  const empty = { pid, queued: 0, dispatched: 0, isTaken: false, isAdmitted: true, access: 'nobody', best: undefined } as const;
  return transaction.queue.lane(pid) ?? empty;
}

/** Keeps the lane with what follows from its counts and from the state of the process. */
export function settleLane(transaction: Transaction, lane: LaneRow, state: ProcessState): void {
  if (lane.queued === 0 && lane.dispatched === 0) {
    transaction.queue.deleteLane(lane.pid);
    return;
  }
  const access = accessOf(state, lane);
  const best = access === 'nobody' || lane.queued === 0 ? undefined : transaction.queue.waiting(lane.pid, 1)[0];
  transaction.queue.putLane({ ...lane, access, best });
}

/** The same when all that happened is that one more entry waits: no need to look for the best. */
export function settleNewcomer(
  transaction: Transaction,
  before: LaneRow,
  state: ProcessState,
  { id, rank, isDue, trigger }: Pick<QueueRow, 'id' | 'rank' | 'isDue' | 'trigger'>,
): void {
  const lane = { ...before, queued: before.queued + 1, access: accessOf(state, before) };
  transaction.queue.putLane(isDue ? withCandidate(lane, { id, rank, isRun: trigger === RUN_TRIGGER }) : lane);
}

/** The same when all that happened is that the time of one of its entries has come. */
export function settlePromoted(transaction: Transaction, before: LaneRow, entry: Ranked): void {
  const lane = withCandidate(before, entry);
  if (lane !== before) transaction.queue.putLane(lane);
}

function withCandidate(lane: LaneRow, { id, rank, isRun }: Ranked): LaneRow {
  if (lane.access === 'nobody' || (lane.best !== undefined && !comesBefore({ id, rank }, lane.best))) return lane;
  return { ...lane, best: { id, rank, isRun } };
}

export function accessOf(state: ProcessState, { isTaken, dispatched }: LaneRow): LaneAccess {
  switch (state) {
    case 'READY':
    case 'WAITING':
      return isTaken ? 'nobody' : dispatched > 0 ? 'sharers' : 'anybody';
    case 'RUNNING':
      return isTaken ? 'nobody' : 'sharers';
    case 'SUSPENDED':
    case 'DEAD':
      return 'nobody';
    default:
      return state satisfies never;
  }
}

export function comesBefore(left: Pick<Ranked, 'id' | 'rank'>, right: Pick<Ranked, 'id' | 'rank'>): boolean {
  return left.rank < right.rank || (left.rank === right.rank && left.id < right.id);
}
