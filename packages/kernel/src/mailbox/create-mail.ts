/** Mail: each operation one transaction, what changes and its event in it together. Waiting is outside of them. */
import { randomUUID } from 'node:crypto';
import { Fault } from '@warren/protocol';
import { clamp, PAGE_DEFAULT, PAGE_MAX } from '../internal/page.ts';
import type { WorkspaceStore } from '../store/store.ts';
import type { MessageRow } from '../store/tables/mail-table.ts';
import { checkBox, createBox, deleteBox, requireBox, toBox } from './box.ts';
import { checkNumber } from './check-number.ts';
import { expireStep } from './expire.ts';
import { acknowledge, giveBack, labelReader, replay, type Taken, type Taking, take } from './hand-out.ts';
import { checkLetter } from './letter.ts';
import { ACKNOWLEDGED_MAX, RECEIVE, REQUEST_MS, VISIBILITY_MS, WAIT_MS } from './limits.ts';
import type { Letter, Mail, Message } from './mail.ts';
import { publish } from './publish.ts';
import { type Asking, closeRequest, openRequest, takeAnswer } from './request.ts';
import { send } from './send.ts';
import { subscribe, unsubscribe } from './subscribe.ts';
import { checkSubscription, checkTopic } from './topic.ts';
import { isAborted, type Waiters } from './waiters.ts';

export type MailParts = { readonly store: WorkspaceStore; readonly waiters: Waiters; readonly now: () => number };

export function createMail(parts: MailParts): Mail {
  const { store } = parts;
  const sendLetter = async (sender: number | undefined, recipient: number, letter: Letter): Promise<number> => {
    const checked = checkLetter(letter);
    return await store.write((transaction) => send(transaction, { sender, recipient, letter: checked }));
  };
  return {
    async createBox(pid, options = {}) {
      const box = checkBox(pid, options);
      return await store.write((transaction) => createBox(transaction, box));
    },

    findBox: (pid) =>
      store.read(({ mail }) => {
        const box = mail.findBox(pid);
        return box === undefined ? undefined : toBox(box);
      }),

    deleteBox: (pid) =>
      store.write((transaction) => {
        requireBox(transaction, pid);
        return deleteBox(transaction, pid);
      }),

    async subscribe(pid, topic) {
      const checked = checkSubscription(topic);
      await store.write((transaction) => subscribe(transaction, pid, checked));
    },

    unsubscribe: (pid, topic) => store.write((transaction) => unsubscribe(transaction, pid, topic)),

    listSubscriptions: (pid) => store.read(({ mail }) => mail.topicsOf(pid)),

    send: sendLetter,

    async publish(sender, topic, { failsOnFull = false, ...letter }) {
      const publishing = { sender, topic: checkTopic(topic), letter: checkLetter(letter), failsOnFull };
      return await store.write((transaction) => publish(transaction, publishing));
    },

    async receive(pid, { limit, visibilityMs, waitMs, topic } = {}, signal) {
      const taking = {
        limit: clamp(limit, RECEIVE.default, RECEIVE.least, RECEIVE.most),
        visibilityMs: checkNumber(visibilityMs, VISIBILITY_MS, 'visibility_ms'),
        topic: topic === undefined ? undefined : checkTopic(topic),
      };
      return await receive(parts, { pid, taking, waitMs: checkNumber(waitMs, WAIT_MS, 'wait_ms') }, signal);
    },

    async acknowledge(pid, messageIds) {
      if (messageIds.length > ACKNOWLEDGED_MAX || !messageIds.every((id) => Number.isSafeInteger(id))) {
        throw new Fault('mail_invalid', `Cannot acknowledge: these are not up to ${ACKNOWLEDGED_MAX} message ids`, {
          details: { field: 'msg_ids' },
        });
      }
      return await store.write((transaction) => acknowledge(transaction, pid, messageIds));
    },

    async replay(pid, { since = 0, limit, marksDelivered = false } = {}) {
      const page = { since, limit: clamp(limit, PAGE_DEFAULT, 1, PAGE_MAX) };
      const messages = marksDelivered
        ? await store.write((transaction) => replay(transaction, pid, page))
        : await store.read((transaction) => {
            requireBox(transaction, pid);
            return transaction.mail.after(pid, page.since, page.limit);
          });
      if (!marksDelivered) await labelIfCarried(store, pid, messages);
      return { messages, nextCursor: messages.at(-1)?.id ?? since };
    },

    async listDead(pid, { since = 0, limit } = {}) {
      const messages = await store.read((transaction) => {
        requireBox(transaction, pid);
        return transaction.mail.dead(pid, since, clamp(limit, PAGE_DEFAULT, 1, PAGE_MAX));
      });
      await labelIfCarried(store, pid, messages);
      return { messages, nextCursor: messages.at(-1)?.id ?? since };
    },

    async request(sender, recipient, { timeoutMs, ...letter }, signal) {
      const checked = checkLetter({ ...letter, correlationId: letter.correlationId ?? randomUUID() });
      const { correlationId = '' } = checked; // It has one.
      const asking = {
        sender,
        recipient,
        letter: { ...checked, correlationId },
        timeoutMs: checkNumber(timeoutMs, REQUEST_MS, 'timeout_s'),
      };
      return await request(parts, asking, signal);
    },

    async reply(pid, message, letter) {
      const { sender, correlationId } = message;
      if (sender === undefined) {
        throw new Fault('mail_invalid', `Cannot reply to message ${message.id}: no process sent it`, { details: { field: 'sender' } });
      }
      return await sendLetter(pid, sender, { ...letter, correlationId: letter.correlationId ?? correlationId });
    },

    async expire(now = parts.now()) {
      if (!Number.isFinite(now)) throw new Fault('mail_invalid', 'Cannot expire mail: now is no time', { details: { field: 'now' } });
      let removed = 0;
      for (let isDone = false; !isDone; ) {
        const step = await store.write((transaction) => expireStep(transaction, now));
        removed += step.removed;
        isDone = step.isDone;
      }
      return removed;
    },
  };
}

/** Looking is reading too. */
async function labelIfCarried(store: WorkspaceStore, pid: number, messages: readonly MessageRow[]): Promise<void> {
  if (messages.some(({ labels }) => labels !== undefined)) await store.write((transaction) => labelReader(transaction, pid, messages));
}

type Receiving = { readonly pid: number; readonly taking: Taking; readonly waitMs: number };

async function receive(
  { store, waiters, now }: MailParts,
  { pid, taking, waitMs }: Receiving,
  signal: AbortSignal | undefined,
): Promise<readonly MessageRow[]> {
  if (isAborted(signal)) throw aborted(pid, signal);
  const look = async () => {
    const taken: Taken = await store.write((transaction) => take(transaction, pid, taking));
    return { ...taken, isDone: taken.messages.length > 0 };
  };
  let taken: Taken;
  if (waitMs === 0) taken = await look();
  else {
    using waiter = waiters.join({ pid, topic: taking.topic });
    taken = await waiter.until(look, { deadline: now() + waitMs, signal });
  }
  if (!isAborted(signal)) return taken.messages;
  if (taken.messages.length > 0) await store.write((transaction) => giveBack(transaction, pid, taken));
  throw aborted(pid, signal);
}

async function request({ store, waiters, now }: MailParts, asking: Asking, signal: AbortSignal | undefined): Promise<Message> {
  const { sender: pid, letter, timeoutMs } = asking;
  const { correlationId } = letter;
  if (isAborted(signal)) throw aborted(pid, signal);
  using waiter = waiters.join({ pid, correlationId });
  const questionId = await store.write((transaction) => openRequest(transaction, asking));
  const look = async () => {
    const answer = await store.write((transaction) => takeAnswer(transaction, asking, questionId));
    return { answer, isDone: answer !== undefined, nextVisibleAt: undefined };
  };
  const { answer } = await waiter.until(look, { deadline: now() + timeoutMs, signal });
  if (answer !== undefined) return answer;
  await store.write((transaction) => closeRequest(transaction, pid, correlationId, questionId));
  if (isAborted(signal)) throw aborted(pid, signal);
  throw new Fault('deadline', `Cannot answer process ${pid}: process ${asking.recipient} did not within ${timeoutMs} ms`, {
    details: { pid, recipient: asking.recipient, correlation_id: correlationId },
  });
}

function aborted(pid: number, signal: AbortSignal | undefined): Fault {
  return new Fault('aborted', `Cannot wait for mail of process ${pid}: the caller ended the wait`, { cause: signal?.reason });
}
