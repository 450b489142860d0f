/** Boxes inside a transaction: made, required, and gone with their process. */
import { Fault } from '@warren/protocol';
import type { ReadTransaction, Transaction } from '../store/store.ts';
import type { BoxRow, BoxSenders, NewBox } from '../store/tables/mail-table.ts';
import type { ProcessRow } from '../store/tables/process-table.ts';
import { checkNumber } from './check-number.ts';
import { CAPACITY, DELIVERIES, RETENTION_MS, SENDER_CAPACITY, SENDERS_MAX } from './limits.ts';
import type { Box, BoxOptions } from './mail.ts';

/** Throws `mail_invalid` with the field. */
export function checkBox(pid: number, options: BoxOptions): NewBox {
  const capacity = checkNumber(options.capacity, CAPACITY, 'queue_size');
  const senderRange = { ...SENDER_CAPACITY, default: Math.min(SENDER_CAPACITY.default, capacity) };
  return {
    pid,
    capacity,
    senderCapacity: checkNumber(options.senderCapacity, senderRange, 'sender_capacity'),
    retentionMs: checkNumber(options.retentionMs, RETENTION_MS, 'retention_s'),
    deliveriesMax: checkNumber(options.deliveriesMax, DELIVERIES, 'deliveries_max'),
    senders: checkSenders(options.senders ?? 'anyone'),
  };
}

function checkSenders(senders: BoxSenders): BoxSenders {
  if (senders === 'anyone' || senders === 'family') return senders;
  if (Array.isArray(senders) && senders.length <= SENDERS_MAX && senders.every((pid) => Number.isSafeInteger(pid))) return senders;
  throw new Fault('mail_invalid', `Cannot use senders: it is neither "anyone", "family" nor up to ${SENDERS_MAX} pids`, {
    details: { field: 'senders' },
  });
}

export function createBox(transaction: Transaction, box: NewBox): Box {
  const { pid } = box;
  const process = transaction.processes.find(pid);
  if (process === undefined)
    throw new Fault('unknown_pid', `Cannot create a box of process ${pid}: it does not exist`, { details: { pid } });
  if (process.state === 'DEAD') {
    throw new Fault('mail_invalid', `Cannot create a box of process ${pid}: it is DEAD`, { details: { field: 'pid' } });
  }
  if (transaction.mail.findBox(pid) !== undefined) {
    throw new Fault('mailbox_exists', `Cannot create a box of process ${pid}: it has one`, { details: { pid } });
  }
  transaction.mail.insertBox(box);
  const payload = {
    ...{ queue_size: box.capacity, sender_capacity: box.senderCapacity, retention_ms: box.retentionMs },
    ...{ deliveries_max: box.deliveriesMax, senders: box.senders },
  };
  transaction.events.append({ pid, kind: 'kernel.mail.box_created', payload });
  return toBox(requireBox(transaction, pid));
}

/** Without what the store alone needs to know. */
export function toBox({ waitingFrom: _, dueAt: __, ...box }: BoxRow): Box {
  return box;
}

export function requireBox(transaction: ReadTransaction, pid: number): BoxRow {
  const box = transaction.mail.findBox(pid);
  if (box === undefined) throw new Fault('mailbox_not_found', `Cannot use the box of process ${pid}: there is none`, { details: { pid } });
  return box;
}

/** Returns how many messages went with it. */
export function deleteBox(transaction: Transaction, pid: number, causationId?: number): number {
  const removed = transaction.mail.deleteBox(pid);
  transaction.events.append({ pid, kind: 'kernel.mail.box_deleted', payload: { removed_messages: removed }, causationId });
  return removed;
}

/** A process that ends has no box any more. */
export function endMail(transaction: Transaction, { pid }: ProcessRow, eventId: number): void {
  if (transaction.mail.findBox(pid) !== undefined) deleteBox(transaction, pid, eventId);
}
