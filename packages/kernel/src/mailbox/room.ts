/** Whether a box takes one more message. */
import { Fault } from '@warren/protocol';
import type { Transaction } from '../store/store.ts';
import type { BoxRow, Room } from '../store/tables/mail-table.ts';
import { requireBox } from './box.ts';
import { expireBox } from './expire.ts';
import { idsPayload } from './ids-payload.ts';
import { BOX_BYTES_MAX, DELIVERED_FACTOR, SWEEP_STEP } from './limits.ts';

/** Messages that make room at a time where they were read by `replay`, which nobody acknowledges. */
const FORGOTTEN_STEP = 64;

/**
 * Makes room if some can be made: what is past its time goes first. Undefined: there is room; else why not. What is removed here and does not
 * help is undone with the caller's transaction when that fails, and is removed for good by the next sweep.
 */
export function makeRoom(transaction: Transaction, box: BoxRow, sender: number | undefined, bytes: number): Fault | undefined {
  if (findObstacle(transaction, box, sender, bytes) === undefined) return undefined;
  if (box.dueAt !== undefined && box.dueAt <= transaction.now) expireBox(transaction, box, transaction.now, SWEEP_STEP);
  const swept = requireBox(transaction, box.pid);
  if (swept.delivered >= swept.capacity * DELIVERED_FACTOR) forgetShown(transaction, box.pid);
  return findObstacle(transaction, requireBox(transaction, box.pid), sender, bytes);
}

function forgetShown(transaction: Transaction, pid: number): void {
  const { ids } = transaction.mail.removeShown(pid, FORGOTTEN_STEP);
  if (ids.length > 0) transaction.events.append({ pid, kind: 'kernel.mail.forgotten', payload: idsPayload(ids) });
}

/** What this letter needs of a box, as the store may check it. */
export function roomFor({ bytes }: { readonly bytes: number }, sender: number | undefined): Room {
  return { bytes, bytesMax: BOX_BYTES_MAX, deliveredFactor: DELIVERED_FACTOR, isCounted: sender !== undefined };
}

/** So much waits that all of it could be of one sender. */
export function isCrowded({ pending, senderCapacity }: BoxRow): boolean {
  return pending >= senderCapacity;
}

function findObstacle(transaction: Transaction, box: BoxRow, sender: number | undefined, bytes: number): Fault | undefined {
  const { pid, capacity, senderCapacity, pending, delivered } = box;
  if (pending >= capacity) return full(box, `${pending} messages wait, the limit is ${capacity}`);
  const deliveredMax = capacity * DELIVERED_FACTOR;
  if (delivered >= deliveredMax)
    return full(box, `${delivered} messages are not acknowledged, the limit is ${deliveredMax}`, { delivered });
  if (box.bytes + bytes > BOX_BYTES_MAX)
    return full(box, `it holds ${box.bytes} bytes, the limit is ${BOX_BYTES_MAX}`, { bytes: box.bytes });
  if (sender === undefined || !isCrowded(box)) return undefined;
  const mine = transaction.mail.countFrom(pid, sender, senderCapacity);
  if (mine < senderCapacity) return undefined;
  return full(box, `${mine} messages of process ${sender} wait, the limit of one sender is ${senderCapacity}`, {
    sender,
    sender_capacity: senderCapacity,
  });
}

function full({ pid, capacity }: BoxRow, why: string, more: Readonly<Record<string, number>> = {}): Fault {
  return new Fault('mailbox_full', `Cannot send to process ${pid}: ${why}`, { details: { pid, queue_size: capacity, ...more } });
}
