import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import type { Transaction } from '../store.ts';
import type { LaneRow, NewQueueRow, QueueRow } from '../tables/queue-table.ts';
import type { OpenStore } from './conformance.ts';

const MINE = DEFAULT_WORKSPACE;
const PAGE = { limit: 100, offset: 0 };
const ENTRY: NewQueueRow = {
  pid: 1,
  isDue: true,
  priority: 0,
  runnableAt: 1_000,
  rank: 1_000,
  deadline: undefined,
  trigger: 'manual',
  payload: { question: 'why' },
  attemptsMax: 5,
  backoffMs: 1_000,
  cron: undefined,
  dedupeKey: undefined,
};
const LANE: LaneRow = {
  pid: 1,
  queued: 1,
  dispatched: 0,
  isTaken: false,
  isAdmitted: true,
  access: 'anybody',
  best: { id: 1, rank: 5, isRun: false },
};

function require({ queue }: Transaction, id: number): QueueRow {
  const row = queue.find(id);
  if (row === undefined) throw new Error(`No entry ${id}`);
  return row;
}

function dispatch(transaction: Transaction, id: number, leaseUntil = 9_000): QueueRow {
  const row = {
    ...require(transaction, id),
    state: 'dispatched',
    worker: 'w',
    startsProcess: true,
    dispatchedAt: 5,
    fence: 1,
    attempts: 1,
  } as const;
  const leased = { ...row, leaseUntil, leaseMs: 3_000 };
  transaction.queue.dispatch(leased);
  return leased;
}

function finish(transaction: Transaction, id: number, state: QueueRow['state'], completedAt = 7): QueueRow {
  const before = require(transaction, id);
  const row = { ...before, state, completedAt, leaseUntil: undefined, leaseMs: undefined };
  transaction.queue.finish(row, before.state);
  return row;
}

export function testQueue(name: string, open: OpenStore): void {
  describe(`the queue on ${name}`, () => {
    it('keeps every column of an entry through all its moves and a restart', async () => {
      await using under = await open();
      const mine = under.store.workspace(MINE);
      const cron = { pattern: '0 9 * * *', zone: 'Europe/Berlin', windowMs: 60_000 };
      const made = await mine.write((transaction) => {
        const id = transaction.queue.insert({ ...ENTRY, isDue: false, deadline: 2_000, cron, dedupeKey: 'daily' });
        expect(require(transaction, id)).toEqual({
          ...{ ...ENTRY, id: 1, state: 'queued', isDue: false, deadline: 2_000, cron, dedupeKey: 'daily' },
          ...{ worker: undefined, startsProcess: false, createdAt: transaction.now, dispatchedAt: undefined, completedAt: undefined },
          ...{ exitKind: undefined, fence: 0, attempts: 0, leaseUntil: undefined, leaseMs: undefined, error: undefined },
        });
        transaction.queue.promote(id);
        expect(require(transaction, id).isDue).toBe(true);
        const dispatched = dispatch(transaction, id);
        expect(require(transaction, id)).toEqual(dispatched);
        transaction.queue.prolong({ ...dispatched, leaseUntil: 12_000, leaseMs: 6_000 });
        expect(require(transaction, id)).toEqual({ ...dispatched, leaseUntil: 12_000, leaseMs: 6_000 });
        const nobodys = { worker: undefined, dispatchedAt: undefined, leaseUntil: undefined, leaseMs: undefined };
        const again = { ...dispatched, ...nobodys, state: 'queued', isDue: false, runnableAt: 3_000, rank: 3_000, error: 'no' } as const;
        transaction.queue.requeue({ ...again, attempts: 0, cron: undefined }, 'dispatched');
        expect(require(transaction, id)).toEqual({ ...again, attempts: 0, cron: undefined });
        dispatch(transaction, id);
        const done = { ...require(transaction, id), ...nobodys, worker: 'w', dispatchedAt: 5 };
        const completed = { ...done, state: 'completed', completedAt: 8, exitKind: 'failed', error: undefined } as const;
        transaction.queue.finish(completed, 'dispatched');
        return completed;
      });
      await under.reopen();
      expect(await under.store.workspace(MINE).read(({ queue }) => queue.find(1))).toEqual(made);
    });

    it('refuses a move from where the entry is not, and undoes what was done with it', async () => {
      await using under = await open();
      const mine = under.store.workspace(MINE);
      await mine.write(({ queue }) => queue.insert(ENTRY));
      await expect(mine.write((transaction) => transaction.queue.requeue(require(transaction, 1), 'dead'))).rejects.toThrow('not where');
      await expect(mine.write((transaction) => transaction.queue.finish(require(transaction, 1), 'dispatched'))).rejects.toThrow(
        'not where',
      );
      await expect(
        mine.write((transaction) => {
          dispatch(transaction, 1);
          dispatch(transaction, 1);
        }),
      ).rejects.toThrow('not where');
      expect(await mine.read(({ queue }) => queue.find(1)?.state)).toBe('queued');
      expect(await mine.read(({ queue }) => queue.totals())).toMatchObject({ queued: 1, dispatched: 0 });
    });

    it('never gives an id twice, also after the newest entries were deleted', async () => {
      await using under = await open();
      await under.store.workspace(MINE).write((transaction) => {
        for (const id of [1, 2, 3]) expect(transaction.queue.insert(ENTRY)).toBe(id);
        for (const id of [1, 2, 3]) finish(transaction, id, 'cancelled');
        for (const id of [3, 2, 1]) transaction.queue.delete(id, 'cancelled');
      });
      await under.reopen();
      expect(await under.store.workspace(MINE).write(({ queue }) => queue.insert(ENTRY))).toBe(4);
    });

    it('counts and lists the entries of each state and process, by id', async () => {
      await using under = await open();
      const mine = under.store.workspace(MINE);
      await mine.write((transaction) => {
        for (let id = 1; id <= 12; id++) transaction.queue.insert({ ...ENTRY, pid: id % 2, isDue: id % 3 !== 0 });
        dispatch(transaction, 3, 100);
        dispatch(transaction, 2, 200);
        for (const [id, state] of [[4, 'completed'], [5, 'completed'], [6, 'cancelled'], [7, 'expired'], [8, 'dead']] as const) finish(transaction, id, state); // biome-ignore format: a table
      });
      const ids = (filter: Parameters<typeof list>[0]) => list(filter);
      const list = (filter: { pid?: number; state?: QueueRow['state'] }) =>
        mine.read(({ queue }) => ({ ids: queue.list(filter, PAGE).map(({ id }) => id), count: queue.count(filter) }));
      expect(await ids({})).toEqual({ ids: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], count: 12 });
      expect(await ids({ state: 'queued' })).toEqual({ ids: [1, 9, 10, 11, 12], count: 5 });
      expect(await ids({ state: 'dispatched' })).toEqual({ ids: [2, 3], count: 2 });
      expect(await ids({ state: 'completed' })).toEqual({ ids: [4, 5], count: 2 });
      expect(await ids({ state: 'cancelled' })).toEqual({ ids: [6], count: 1 });
      expect(await ids({ state: 'expired' })).toEqual({ ids: [7], count: 1 });
      expect(await ids({ state: 'dead' })).toEqual({ ids: [8], count: 1 });
      expect(await ids({ pid: 1 })).toEqual({ ids: [1, 3, 5, 7, 9, 11], count: 6 });
      expect(await ids({ pid: 1, state: 'queued' })).toEqual({ ids: [1, 9, 11], count: 3 });
      expect(await ids({ pid: 9 })).toEqual({ ids: [], count: 0 });
      expect(await mine.read(({ queue }) => queue.list({}, { limit: 2, offset: 3 }).map(({ id }) => id))).toEqual([4, 5]);
    });

    it('keeps one live entry for each key of a process', async () => {
      await using under = await open();
      const mine = under.store.workspace(MINE);
      const keyed = { ...ENTRY, dedupeKey: 'k' };
      await mine.write(({ queue }) => [queue.insert(keyed), queue.insert({ ...keyed, pid: 2 })]);
      expect(await mine.read(({ queue }) => [queue.findLive(1, 'k')?.id, queue.findLive(2, 'k')?.id, queue.findLive(1, 'l')])).toEqual([1, 2, undefined]); // biome-ignore format: one line
      await expect(mine.write(({ queue }) => queue.insert(keyed))).rejects.toThrow();
      await mine.write((transaction) => void dispatch(transaction, 1));
      await expect(mine.write(({ queue }) => queue.insert(keyed))).rejects.toThrow();
      await mine.write((transaction) => void finish(transaction, 1, 'completed'));
      expect(await mine.read(({ queue }) => queue.findLive(1, 'k'))).toBeUndefined();
      expect(await mine.write(({ queue }) => queue.insert(keyed))).toBe(3);
    });

    it('finds the best of the lanes that a claim may look at', async () => {
      await using under = await open();
      const lanes: readonly LaneRow[] = [
        { ...LANE, pid: 1, best: { id: 1, rank: 50, isRun: false } },
        { ...LANE, pid: 2, best: { id: 2, rank: 10, isRun: false }, isAdmitted: false },
        { ...LANE, pid: 3, best: { id: 3, rank: 30, isRun: false }, access: 'sharers' },
        { ...LANE, pid: 4, best: undefined, access: 'nobody', isTaken: true, queued: 2, dispatched: 1 },
        { ...LANE, pid: 5, best: { id: 5, rank: -20, isRun: false }, access: 'sharers', isAdmitted: false },
        { ...LANE, pid: 6, best: { id: 4, rank: 50, isRun: false } },
        { ...LANE, pid: 7, best: { id: 7, rank: -90, isRun: true } },
      ];
      await under.store.workspace(MINE).write(({ queue }) => {
        for (const lane of lanes) queue.putLane({ ...lane, queued: 9, best: { id: 99, rank: -99, isRun: false } });
        for (const lane of lanes) queue.putLane(lane);
      });
      await under.reopen();
      await under.store.workspace(MINE).read(({ queue }) => {
        expect(lanes.map(({ pid }) => queue.lane(pid))).toEqual(lanes);
        const pids = (isSharing: boolean, isAdmissionChecked: boolean) =>
          queue.lanes({ isSharing, isAdmissionChecked, areRuns: false }, 9).map(({ pid }) => pid);
        expect(queue.bestLane({ isSharing: false, isAdmissionChecked: true, areRuns: true })?.pid).toBe(7);
        expect(pids(false, true)).toEqual([1, 6]);
        expect(pids(true, true)).toEqual([3, 1, 6]);
        expect(pids(false, false)).toEqual([2, 1, 6]);
        expect(pids(true, false)).toEqual([5, 2, 3, 1, 6]);
        expect(queue.lanes({ isSharing: true, isAdmissionChecked: false, areRuns: false }, 2).map(({ pid }) => pid)).toEqual([5, 2]);
        expect(queue.bestLane({ isSharing: true, isAdmissionChecked: true, areRuns: false })?.pid).toBe(3);
        expect(queue.notAdmitted(0, 9).map(({ pid }) => pid)).toEqual([2, 5]);
        expect(queue.notAdmitted(2, 9).map(({ pid }) => pid)).toEqual([5]);
      });
      await under.store.workspace(MINE).write(({ queue }) => {
        queue.deleteLane(1);
        expect([queue.lane(1), queue.bestLane({ isSharing: false, isAdmissionChecked: true, areRuns: false })?.pid]).toEqual([
          undefined,
          6,
        ]);
      });
    });

    it('orders what waits for a process by rank and id, and only what is due', async () => {
      await using under = await open();
      await under.store.workspace(MINE).write((transaction) => {
        const ranks = [30, 10, 20, 10, 5];
        for (const rank of ranks) transaction.queue.insert({ ...ENTRY, rank, isDue: rank !== 5 });
        transaction.queue.insert({ ...ENTRY, pid: 2, rank: 1 });
        expect(transaction.queue.waiting(1, 9).map(({ id }) => id)).toEqual([2, 4, 3, 1]);
        expect(transaction.queue.waiting(1, 2).map(({ id }) => id)).toEqual([2, 4]);
        dispatch(transaction, 2);
        transaction.queue.promote(5);
        expect(transaction.queue.waiting(1, 9).map(({ id }) => id)).toEqual([5, 4, 3, 1]);
      });
    });

    it('knows what is due next, whatever was written and undone before', async () => {
      await using under = await open();
      const mine = under.store.workspace(MINE);
      const due = (at: number) => mine.read(({ queue }) => queue.dueBy(at));
      const next = () => mine.read(({ queue }) => queue.nextDue());
      const nothing = { runnableAt: undefined, deadline: undefined, leaseUntil: undefined, readmittedThrough: undefined };
      expect(await next()).toEqual(nothing);
      expect(await due(1_000_000)).toBeUndefined();
      await mine.write(({ queue }) => queue.insert({ ...ENTRY, isDue: false, runnableAt: 500, deadline: 700 }));
      await mine.write(({ queue }) => queue.insert(ENTRY));
      expect([await due(499), await due(500)]).toEqual([undefined, { ...nothing, runnableAt: 500, deadline: 700 }]);
      await mine.write((transaction) => void dispatch(transaction, 2, 300));
      expect([await due(299), await due(300)]).toEqual([
        undefined,
        { runnableAt: 500, deadline: 700, leaseUntil: 300, readmittedThrough: undefined },
      ]);
      await expect(
        mine.write((transaction) => {
          transaction.queue.insert({ ...ENTRY, isDue: false, runnableAt: 5 });
          finish(transaction, 2, 'completed');
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
      expect([await due(299), (await due(300))?.leaseUntil]).toEqual([undefined, 300]);
      await mine.write(({ queue, now }) => {
        expect(queue.becomingDue(499, 9)).toEqual([]);
        expect(queue.becomingDue(500, 9).map(({ id }) => id)).toEqual([1]);
        expect(queue.pastDeadline(700, 9).map(({ id }) => id)).toEqual([1]);
        expect(queue.pastLease(300, 9).map(({ id }) => id)).toEqual([2]);
        expect(queue.renewLeases()).toBe(1);
        expect(queue.nextDue().leaseUntil).toBe(now + 3_000);
        queue.promote(1);
        expect(queue.dueBy(699)).toBeUndefined();
        queue.setReadmittedThrough(7);
        expect(queue.dueBy(0)?.readmittedThrough).toBe(7);
        queue.setReadmittedThrough(undefined);
        expect(queue.dueBy(0)).toBeUndefined();
      });
    });

    it('cancels what waits of one process at once', async () => {
      await using under = await open();
      await under.store.workspace(MINE).write((transaction) => {
        for (const isDue of [true, false, true]) transaction.queue.insert({ ...ENTRY, isDue });
        transaction.queue.insert({ ...ENTRY, pid: 2 });
        dispatch(transaction, 3);
        expect(transaction.queue.cancelWaiting(1)).toBe(2);
        expect(transaction.queue.cancelWaiting(1)).toBe(0);
        expect(transaction.queue.totals()).toMatchObject({ queued: 1, dispatched: 1, cancelled: 2 });
        expect(require(transaction, 1)).toMatchObject({ state: 'cancelled', completedAt: transaction.now });
      });
    });

    it('gives the longest finished first, to be deleted', async () => {
      await using under = await open();
      await under.store.workspace(MINE).write((transaction) => {
        for (const _ of [1, 2, 3, 4]) transaction.queue.insert(ENTRY);
        finish(transaction, 2, 'dead', 30);
        finish(transaction, 3, 'completed', 10);
        finish(transaction, 4, 'cancelled', 20);
        expect(transaction.queue.finished(2)).toEqual([
          { id: 3, state: 'completed', completedAt: 10 },
          { id: 4, state: 'cancelled', completedAt: 20 },
        ]);
        transaction.queue.delete(3, 'completed');
        expect([transaction.queue.find(3), transaction.queue.totals().completed]).toEqual([undefined, 0]);
      });
    });
  });
}
