/** One letter to one box. */
import type { Transaction } from '../store/store.ts';
import type { BoxRow } from '../store/tables/mail-table.ts';
import { requireBox } from './box.ts';
import { type CheckedLetter, termsPayload } from './letter.ts';
import { KEYS_MAX } from './limits.ts';
import { checkSender, denied, labelsFrom, maySend } from './permission.ts';
import { isCrowded, makeRoom, roomFor } from './room.ts';

export type Sending = { readonly sender: number | undefined; readonly recipient: number; readonly letter: CheckedLetter };

/** Returns the id of the message, or of the one it repeats. */
export function send(transaction: Transaction, sending: Sending): number {
  const { sender, recipient, letter } = sending;
  checkSender(transaction, sender);
  const isPlain = letter.dedupeKey === undefined && letter.correlationId === undefined;
  if (isPlain && transaction.mail.isOpen(recipient, roomFor(letter, sender))) return insert(transaction, sending, 0);
  const box = requireBox(transaction, recipient);
  const request = letter.correlationId === undefined ? undefined : transaction.mail.findRequest(recipient, letter.correlationId);
  const isAnswer = request !== undefined && request.recipient === sender;
  if (!isAnswer && !maySend(transaction, sender, box)) throw denied(sender, box);
  const first = letter.dedupeKey === undefined ? undefined : transaction.mail.findKey(recipient, sender, letter.dedupeKey);
  if (first !== undefined) return first;
  const obstacle = makeRoom(transaction, box, sender, letter.bytes);
  if (obstacle !== undefined) throw obstacle;
  const messageId = insert(transaction, sending, isAnswer ? request.until : 0); // An answer is kept for who asked, while they wait.
  if (isCrowded(box)) transaction.mail.countSenders(recipient);
  keepKey(transaction, box, sender, letter, messageId);
  return messageId;
}

function insert(transaction: Transaction, { sender, recipient, letter }: Sending, visibleAt: number): number {
  const messageId = transaction.mail.insert(recipient, {
    ...{ ...letter, sender, visibleAt },
    labels: labelsFrom(transaction, sender, letter.labels),
  });
  const payload = { message_id: messageId, sender: sender ?? null, recipient, kind: letter.kind, topic: null, ...termsPayload(letter) };
  transaction.events.append({ pid: recipient, kind: 'kernel.mail.sent', payload, correlationId: letter.correlationId });
  return messageId;
}

export function keepKey(
  transaction: Transaction,
  { pid, retentionMs }: BoxRow,
  sender: number | undefined,
  { dedupeKey }: CheckedLetter,
  messageId: number,
): void {
  if (dedupeKey === undefined) return;
  transaction.mail.keepKey(pid, sender, dedupeKey, { messageId, until: transaction.now + retentionMs }, KEYS_MAX);
}
