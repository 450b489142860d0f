/** One letter to every subscriber of a topic: read who, decide for each, write all copies at once. */
import { Fault } from '@warren/protocol';
import type { Transaction } from '../store/store.ts';
import type { BoxRow } from '../store/tables/mail-table.ts';
import { requireBox } from './box.ts';
import { type CheckedLetter, termsPayload } from './letter.ts';
import { SUBSCRIBERS_MAX } from './limits.ts';
import { checkSender, denied, labelsFrom, maySend } from './permission.ts';
import { isCrowded, makeRoom, roomFor } from './room.ts';
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
  checkSender(transaction, publishing.sender);
  const { open, others } = findSubscribers(transaction, publishing);
  const judged = others.map((box) => ({ box, ...judge(transaction, box, publishing) }));
  const accepted = judged.filter(({ kind }) => kind === 'accepted').map(({ box }) => box);
  const recipients = accepted.length === 0 ? open : [...open, ...accepted.map(({ pid }) => pid)].sort((one, other) => one - other);
  const firstId = recipients.length === 0 ? undefined : insertCopies(transaction, publishing, recipients);
  const ids = recipients.map((pid, index) => ({ pid, id: (firstId ?? 0) + index }));
  settle(transaction, publishing, accepted, ids);
  const repeated = judged.flatMap(({ box: { pid }, first }) => (first === undefined ? [] : [{ pid, id: first }]));
  const delivered = recipients.length + repeated.length;
  const rejected = open.length + others.length - delivered;
  if (recipients.length > 0 || rejected > 0) appendEvent(transaction, publishing, { recipients, firstId, rejected });
  const all = repeated.length === 0 ? ids : [...ids, ...repeated].sort((one, other) => one.pid - other.pid);
  return { delivered, rejected, messageIds: all.map(({ id }) => id) };
}

type Copy = { readonly pid: number; readonly id: number };

/** What boxes that were looked at need besides their copies. */
function settle(transaction: Transaction, { sender, letter }: Publishing, boxes: readonly BoxRow[], copies: readonly Copy[]): void {
  if (boxes.length === 0) return;
  const idOf = new Map(copies.map(({ pid, id }) => [pid, id]));
  for (const box of boxes) {
    keepKey(transaction, box, sender, letter, idOf.get(box.pid) ?? 0);
    if (isCrowded(box)) transaction.mail.countSenders(box.pid);
  }
}

/** With a dedupe key each box has to be asked whether it knows it. */
function findSubscribers(
  transaction: Transaction,
  { sender, topic, letter }: Publishing,
): { readonly open: readonly number[]; readonly others: readonly BoxRow[] } {
  const topics = transaction.mail.hasPatterns() ? [topic, ...patternsOf(topic)] : [topic];
  const { open, others } = transaction.mail.subscribers(topics, SUBSCRIBERS_MAX + 1, roomFor(letter, sender));
  if (open.length + others.length > SUBSCRIBERS_MAX) {
    throw new Fault('quota_exceeded', `Cannot publish to ${topic}: it has more than ${SUBSCRIBERS_MAX} subscribers`, {
      details: { dim: 'subscribers', used: open.length + others.length, hard_limit: SUBSCRIBERS_MAX },
    });
  }
  const boxes = (pids: readonly number[]) => pids.map((pid) => requireBox(transaction, pid));
  return letter.dedupeKey === undefined ? { open, others: boxes(others) } : { open: [], others: boxes([...open, ...others]) };
}

type Judgement = { readonly kind: 'accepted' | 'rejected' | 'repeated'; readonly first?: number | undefined };

function judge(transaction: Transaction, box: BoxRow, { sender, letter, failsOnFull }: Publishing): Judgement {
  const first = letter.dedupeKey === undefined ? undefined : transaction.mail.findKey(box.pid, sender, letter.dedupeKey);
  if (first !== undefined) return { kind: 'repeated', first };
  const refusal = maySend(transaction, sender, box) ? makeRoom(transaction, box, sender, letter.bytes) : denied(sender, box);
  if (refusal !== undefined && failsOnFull) throw refusal;
  return { kind: refusal === undefined ? 'accepted' : 'rejected' };
}

function insertCopies(transaction: Transaction, { sender, topic, letter }: Publishing, recipients: readonly number[]): number {
  const labels = labelsFrom(transaction, sender, letter.labels);
  return transaction.mail.insertCopies(recipients, topic, { ...letter, sender, visibleAt: 0, labels });
}

type Outcome = { readonly recipients: readonly number[]; readonly firstId: number | undefined; readonly rejected: number };

function appendEvent(transaction: Transaction, { sender, topic, letter }: Publishing, { recipients, firstId, rejected }: Outcome): void {
  const payload = {
    topic,
    kind: letter.kind,
    sender: sender ?? null,
    delivered: recipients.length,
    rejected,
    first_message_id: firstId ?? null,
    last_message_id: firstId === undefined ? null : firstId + recipients.length - 1,
    ...(recipients.length <= RECIPIENTS_NAMED ? { recipients } : {}),
    ...termsPayload(letter),
  };
  transaction.events.append({ pid: sender, kind: 'kernel.mail.published', payload, correlationId: letter.correlationId });
}
