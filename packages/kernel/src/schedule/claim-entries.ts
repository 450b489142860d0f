/** Claiming: the best entries that may run now, each under a lease. */
import type { Transaction } from '../store/store.ts';
import type { LaneRow, QueueRow, WaitingRow } from '../store/tables/queue-table.ts';
import { expireEntry } from './change-waiting.ts';
import type { CheckedClaim } from './check-request.ts';
import { requireEntry, toEntry } from './entry.ts';
import type { EntryParts } from './entry-parts.ts';
import { comesBefore, findLane, settleLane } from './lane.ts';
import type { Claim } from './queue.ts';
import { sweepQueue } from './sweep-queue.ts';

/** What a claim does of what is due, before it looks; a timer does the rest. */
const SWEEP_MAX = 200;
/** Lanes a claim passes over because they may not run after all; then it ends, and the next begins behind them. */
const PASSED_OVER_MAX = 200;
/** What a claim at another time than now looks at. */
const REPLAY_LANES_MAX = 1_000;
const REPLAY_ENTRIES_MAX = 10_000;

/** Which limit a process has reached, if any. */
export type FindBreach = (transaction: Transaction, pid: number) => { readonly dim: string } | undefined;

export type ClaimParts = EntryParts & { readonly findBreach: FindBreach };

export type Claimed = {
  readonly claims: readonly Claim[];
  /** It ended before it had looked at everything. */
  readonly hasMore: boolean;
};

/** Claims at most `limit`, and so many that at most `runningMax` are dispatched. */
export function claimEntries(transaction: Transaction, parts: ClaimParts, request: CheckedClaim, runningMax: number): Claimed {
  const hasSwept = !sweepQueue(transaction, parts, SWEEP_MAX);
  const room = Math.min(request.limit, runningMax - transaction.queue.totals().dispatched);
  if (room <= 0) return { claims: [], hasMore: false };
  if (request.now !== undefined) return { claims: claimAt(transaction, parts, request, room, request.now), hasMore: false };
  const { claims, hasMore } = claimNow(transaction, parts, request, room);
  return { claims, hasMore: hasMore || !hasSwept };
}

function claimNow(transaction: Transaction, parts: ClaimParts, request: CheckedClaim, room: number): Claimed {
  const choice = { isSharing: !request.startsProcess, isAdmissionChecked: request.isAdmissionChecked, areRuns: request.areRuns };
  const claims: Claim[] = [];
  for (let passedOver = 0; passedOver < PASSED_OVER_MAX; ) {
    if (claims.length === room) return { claims, hasMore: true };
    const lane = transaction.queue.bestLane(choice);
    if (lane?.best === undefined) return { claims, hasMore: false };
    const claim = claimFrom(transaction, parts, request, lane, lane.best.id);
    if (claim === undefined) passedOver++;
    else claims.push(claim);
  }
  return { claims, hasMore: true };
}

/** Undefined when the entry may not run after all; then the lane has been changed so that it is not found again. */
function claimFrom(transaction: Transaction, parts: ClaimParts, request: CheckedClaim, lane: LaneRow, id: number): Claim | undefined {
  const row = requireEntry(transaction, id);
  if (row.deadline !== undefined && row.deadline <= transaction.now) {
    expireEntry(transaction, parts, row);
    return undefined;
  }
  return isAdmitted(transaction, parts, request, lane) ? dispatch(transaction, parts, request, lane, row) : undefined;
}

function isAdmitted(transaction: Transaction, { findBreach }: ClaimParts, { isAdmissionChecked }: CheckedClaim, lane: LaneRow): boolean {
  const breach = isAdmissionChecked ? findBreach(transaction, lane.pid) : undefined;
  if (breach === undefined) return true;
  transaction.queue.putLane({ ...lane, isAdmitted: false });
  transaction.events.append({ pid: lane.pid, kind: 'kernel.queue.held', payload: { dim: breach.dim } });
  return false;
}

function dispatch(transaction: Transaction, { changes }: ClaimParts, request: CheckedClaim, lane: LaneRow, before: QueueRow): Claim {
  const { now } = transaction;
  const { worker, leaseMs, startsProcess } = request;
  const [fence, leaseUntil] = [before.fence + 1, now + leaseMs];
  const claimed = { worker, leaseMs, leaseUntil, startsProcess, fence, dispatchedAt: now, attempts: before.attempts + 1 };
  const row = { ...before, ...claimed, state: 'dispatched' } as const;
  transaction.queue.dispatch(row);
  const payload = { sched_id: row.id, worker_id: worker, fence, lease_ms: leaseMs };
  const causationId = transaction.events.append({ pid: row.pid, kind: 'kernel.queue.claimed', payload });
  const after = { ...lane, queued: lane.queued - 1, dispatched: lane.dispatched + 1, isTaken: startsProcess };
  if (startsProcess) {
    transaction.queue.putLane({ ...after, access: 'nobody', best: undefined });
    changes.move(transaction, changes.require(transaction, row.pid), 'RUNNING', { reason: 'queue:claimed', causationId });
  } else {
    settleLane(transaction, after, 'RUNNING'); // As far as lanes are concerned: it is shared.
  }
  return { entry: toEntry(row), fence, leaseUntil };
}

/** For tests and replays: what could be claimed at that time, looked at one by one. Changes nothing of what it passes over. */
function claimAt(transaction: Transaction, parts: ClaimParts, request: CheckedClaim, room: number, now: number): readonly Claim[] {
  const claims: Claim[] = [];
  for (const { id, pid } of candidatesAt(transaction, request, now)) {
    if (claims.length === room) break;
    const lane = findLane(transaction, pid);
    const isOpen = lane.access === 'anybody' || (lane.access === 'sharers' && !request.startsProcess);
    const isPoor = request.isAdmissionChecked && parts.findBreach(transaction, pid) !== undefined;
    if (isOpen && !isPoor) claims.push(dispatch(transaction, parts, request, lane, requireEntry(transaction, id)));
  }
  return claims;
}

function candidatesAt({ queue }: Transaction, request: CheckedClaim, now: number): readonly WaitingRow[] {
  const found: WaitingRow[] = [...queue.becomingDue(now, REPLAY_ENTRIES_MAX)];
  for (const { pid } of queue.lanes(
    { isSharing: !request.startsProcess, isAdmissionChecked: false, areRuns: request.areRuns },
    REPLAY_LANES_MAX,
  )) {
    if (found.length >= REPLAY_ENTRIES_MAX) break;
    found.push(...queue.waiting(pid, REPLAY_ENTRIES_MAX - found.length));
  }
  return found
    .filter(
      ({ runnableAt, deadline, isRun }) => isRun === request.areRuns && runnableAt <= now && (deadline === undefined || deadline > now),
    )
    .sort((left, right) => (comesBefore(left, right) ? -1 : 1));
}
