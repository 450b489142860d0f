/** One letter to one box. */
import type { Transaction } from '../store/store.ts';
import type { BoxRow } from '../store/tables/mail-table.ts';
import { requireBox } from './box.ts';
import type { CheckedLetter } from './letter.ts';
import { KEYS_MAX } from './limits.ts';
import { checkSender, denied, maySend } from './permission.ts';
import { makeRoom } from './room.ts';

export type Sending = { readonly sender: number | undefined; readonly recipient: number; readonly letter: CheckedLetter };

/** Returns the id of the message, or of the one it repeats. */
export function send(transaction: Transaction, { sender, recipient, letter }: Sending): number {
  checkSender(transaction, sender);
  const box = requireBox(transaction, recipient);
  const { dedupeKey, correlationId } = letter;
  const request = correlationId === undefined ? undefined : transaction.mail.findRequest(recipient, correlationId);
  if (request?.recipient !== sender && !maySend(transaction, sender, box)) throw denied(sender, box);
  const first = dedupeKey === undefined ? undefined : transaction.mail.findKey(recipient, sender, dedupeKey);
  if (first !== undefined) return first;
  const obstacle = makeRoom(transaction, box, sender, letter.bytes);
  if (obstacle !== undefined) throw obstacle;
  const visibleAt = request?.until ?? 0; // An answer is kept for who asked, while they wait.
  const messageId = transaction.mail.insert(recipient, { ...letter, sender, topic: undefined, visibleAt });
  keepKey(transaction, box, sender, letter, messageId);
  const payload = { message_id: messageId, sender: sender ?? null, recipient, kind: letter.kind, topic: null };
  transaction.events.append({ pid: recipient, kind: 'kernel.mail.sent', payload, correlationId });
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
