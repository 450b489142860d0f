/** What time asks for: deadlines pass, delayed entries become due, leases run out. And what is too much for one transaction goes on here. */
import type { ReadTransaction, Transaction } from '../store/store.ts';
import { expireEntry } from './change-waiting.ts';
import { takeBackEntry } from './end-attempt.ts';
import { requireEntry } from './entry.ts';
import type { EntryParts } from './entry-parts.ts';
import { findLane, settlePromoted } from './lane.ts';
import { readmitStep } from './readmit.ts';

/** Does at most `limit` of what is due. Returns whether there may be more. */
export function sweepQueue(transaction: Transaction, parts: EntryParts, limit: number): boolean {
  const { queue, now } = transaction;
  const due = queue.dueBy(now);
  if (due === undefined) return false;
  let room = limit;
  if (isPast(due.deadline, now)) room -= expirePast(transaction, parts, now, room);
  if (room > 0 && isPast(due.runnableAt, now)) room -= promotePast(transaction, room);
  if (room > 0 && isPast(due.leaseUntil, now)) room -= takeBackPast(transaction, parts, room);
  if (room > 0 && due.readmittedThrough !== undefined) room -= readmitStep(transaction, due.readmittedThrough, room);
  return room === 0;
}

/** When there is something for `sweepQueue` to do: a time in the past if there is now, undefined if there is nothing to wait for. */
export function nextSweepAt(transaction: ReadTransaction): number | undefined {
  const { deadline, runnableAt, leaseUntil, readmittedThrough } = transaction.queue.nextDue();
  if (readmittedThrough !== undefined) return transaction.now;
  const times = [deadline, runnableAt, leaseUntil].filter((each) => each !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** Marks waiting entries whose deadline is at or before `until`. Returns how many. */
export function expirePast(transaction: Transaction, parts: EntryParts, until: number, limit: number): number {
  const past = transaction.queue.pastDeadline(until, limit);
  for (const { id } of past) expireEntry(transaction, parts, requireEntry(transaction, id));
  return past.length;
}

function promotePast(transaction: Transaction, limit: number): number {
  const ripe = transaction.queue.becomingDue(transaction.now, limit);
  for (const entry of ripe) {
    transaction.queue.promote(entry.id);
    settlePromoted(transaction, findLane(transaction, entry.pid), entry);
  }
  if (ripe.length > 0) transaction.events.append({ pid: undefined, kind: 'kernel.queue.due', payload: { count: ripe.length } });
  return ripe.length;
}

function takeBackPast(transaction: Transaction, parts: EntryParts, limit: number): number {
  const past = transaction.queue.pastLease(transaction.now, limit);
  for (const { id } of past) takeBackEntry(transaction, parts, requireEntry(transaction, id));
  return past.length;
}

function isPast(time: number | undefined, now: number): boolean {
  return time !== undefined && time <= now;
}
