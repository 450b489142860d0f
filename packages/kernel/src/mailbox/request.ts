/** Asking a process and waiting for its answer. The open request is a row: it keeps the answer from being handed to anybody else meanwhile. */
import { Fault } from '@warren/protocol';
import type { Transaction } from '../store/store.ts';
import type { MessageRow } from '../store/tables/mail-table.ts';
import { requireBox } from './box.ts';
import { labelReader } from './hand-out.ts';
import type { CheckedLetter } from './letter.ts';
import { REQUESTS_MAX } from './limits.ts';
import { send } from './send.ts';

export type Asking = {
  readonly sender: number;
  readonly recipient: number;
  readonly letter: CheckedLetter & { readonly correlationId: string };
  readonly timeoutMs: number;
};

/** Returns the id of the question. */
export function openRequest(transaction: Transaction, { sender, recipient, letter, timeoutMs }: Asking): number {
  requireBox(transaction, sender);
  const { correlationId } = letter;
  if (transaction.mail.findRequest(sender, correlationId) !== undefined) {
    throw new Fault('already_exists', `Cannot ask as process ${sender}: its request ${correlationId} is open`, {
      details: { pid: sender, correlation_id: correlationId },
    });
  }
  const open = transaction.mail.countRequests(sender, REQUESTS_MAX);
  if (open >= REQUESTS_MAX) {
    throw new Fault('quota_exceeded', `Cannot ask as process ${sender}: ${open} requests are open, the limit is ${REQUESTS_MAX}`, {
      details: { pid: sender, dim: 'requests', used: open, hard_limit: REQUESTS_MAX },
    });
  }
  const messageId = send(transaction, { sender, recipient, letter });
  const until = transaction.now + timeoutMs;
  transaction.mail.deleteRequest(sender, correlationId); // One whose time has passed may still be there.
  transaction.mail.insertRequest({ pid: sender, correlationId, recipient, messageId, until });
  const payload = { message_id: messageId, recipient, until };
  transaction.events.append({ pid: sender, kind: 'kernel.mail.requested', payload, correlationId });
  return messageId;
}

/** The answer of who was asked, if there is one in time: acknowledged, and the request closed. Somebody may have asked anew under its correlation id. */
export function takeAnswer(
  transaction: Transaction,
  { sender: pid, recipient, letter: { correlationId } }: Asking,
  questionId: number,
): MessageRow | undefined {
  requireBox(transaction, pid);
  if (transaction.mail.findRequest(pid, correlationId)?.messageId !== questionId) return undefined;
  const answer = transaction.mail.findAnswer(pid, { correlationId, sender: recipient, after: questionId });
  if (answer === undefined) return undefined;
  transaction.mail.remove(pid, [answer.id]);
  transaction.mail.deleteRequest(pid, correlationId);
  const payload = { message_id: answer.id, question_id: questionId };
  const causationId = transaction.events.append({ pid, kind: 'kernel.mail.answered', payload, correlationId });
  labelReader(transaction, pid, [answer], causationId);
  return { ...answer, deliveredAt: transaction.now, deliveries: answer.deliveries + 1 };
}

/** Nobody waits for it any more; an answer that comes is mail like any other. */
export function closeRequest(transaction: Transaction, pid: number, correlationId: string, questionId: number): void {
  if (!transaction.mail.deleteRequest(pid, correlationId, questionId)) return;
  transaction.events.append({ pid, kind: 'kernel.mail.unanswered', payload: {}, correlationId });
}
