/** One letter to every subscriber of a topic: read who, decide for each, write all copies at once. */
import { Fault } from '@warren/protocol';
import type { Transaction } from '../store/store.ts';
import type { BoxRow } from '../store/tables/mail-table.ts';
import type { CheckedLetter } from './letter.ts';
import { SUBSCRIBERS_MAX } from './limits.ts';
import { checkSender, denied, maySend } from './permission.ts';
import { makeRoom } from './room.ts';
import { keepKey } from './send.ts';
import { patternsOf } from './topic.ts';

/** Recipients named in the event. Of more, whoever waits has to look. */
const RECIPIENTS_NAMED = 256;

export type Publishing = {
  readonly sender: number | undefined;
  readonly topic: string;
  readonly letter: CheckedLetter;
  readonly failsOnFull: boolean;
};

export type Published = { readonly delivered: number; readonly rejected: number; readonly messageIds: readonly number[] };

export function publish(transaction: Transaction, publishing: Publishing): Published {
  const { sender, topic, letter, failsOnFull } = publishing;
  checkSender(transaction, sender);
  const boxes = findSubscribers(transaction, topic);
  const open: BoxRow[] = [];
  const repeated = new Map<number, number>();
  for (const box of boxes) {
    const first = letter.dedupeKey === undefined ? undefined : transaction.mail.findKey(box.pid, sender, letter.dedupeKey);
    const refusal = first === undefined ? refuse(transaction, box, publishing) : undefined;
    if (refusal !== undefined && failsOnFull) throw refusal;
    if (first !== undefined) repeated.set(box.pid, first);
    else if (refusal === undefined) open.push(box);
  }
  const firstId = open.length === 0 ? undefined : insertCopies(transaction, publishing, open);
  const delivered = open.length + repeated.size;
  const rejected = boxes.length - delivered;
  if (firstId !== undefined || rejected > 0) appendEvent(transaction, publishing, { open, firstId, rejected });
  if (repeated.size === 0) return { delivered, rejected, messageIds: open.map((_, index) => (firstId ?? 0) + index) };
  const ids = new Map([...repeated, ...open.map((box, index) => [box.pid, (firstId ?? 0) + index] as const)]);
  return { delivered, rejected, messageIds: boxes.flatMap(({ pid }) => ids.get(pid) ?? []) };
}

function findSubscribers(transaction: Transaction, topic: string): readonly BoxRow[] {
  const topics = transaction.mail.hasPatterns() ? [topic, ...patternsOf(topic)] : [topic];
  const boxes = transaction.mail.subscribers(topics, SUBSCRIBERS_MAX + 1);
  if (boxes.length <= SUBSCRIBERS_MAX) return boxes;
  throw new Fault('quota_exceeded', `Cannot publish to ${topic}: it has more than ${SUBSCRIBERS_MAX} subscribers`, {
    details: { dim: 'subscribers', used: boxes.length, hard_limit: SUBSCRIBERS_MAX },
  });
}

function refuse(transaction: Transaction, box: BoxRow, { sender, letter }: Publishing): Fault | undefined {
  return maySend(transaction, sender, box) ? makeRoom(transaction, box, sender, letter.bytes) : denied(sender, box);
}

function insertCopies(transaction: Transaction, { sender, topic, letter }: Publishing, boxes: readonly BoxRow[]): number {
  const recipients = boxes.map(({ pid }) => pid);
  const firstId = transaction.mail.insertCopies(recipients, { ...letter, sender, topic, visibleAt: 0 });
  if (letter.dedupeKey !== undefined)
    for (const [index, box] of boxes.entries()) keepKey(transaction, box, sender, letter, firstId + index);
  return firstId;
}

type Outcome = { readonly open: readonly BoxRow[]; readonly firstId: number | undefined; readonly rejected: number };

function appendEvent(transaction: Transaction, { sender, topic, letter }: Publishing, { open, firstId, rejected }: Outcome): void {
  const payload = {
    topic,
    kind: letter.kind,
    sender: sender ?? null,
    delivered: open.length,
    rejected,
    first_message_id: firstId ?? null,
    last_message_id: firstId === undefined ? null : firstId + open.length - 1,
    ...(open.length <= RECIPIENTS_NAMED ? { recipients: open.map(({ pid }) => pid) } : {}),
  };
  transaction.events.append({ pid: sender, kind: 'kernel.mail.published', payload, correlationId: letter.correlationId });
}
