import { isOwnChannel } from '@warren/kernel';
import { Fault } from '@warren/protocol';
import type { HandlersOf } from './handler.ts';
import { toMessage } from './record/mail.ts';
import { toMs, toMsIfGiven } from './time.ts';

export const MAIL_HANDLERS: HandlersOf<'kernel.mbox.' | 'mail.'> = {
  async 'kernel.mbox.create'({ pid, queue_size, retention_s }, { mine }) {
    await mine.mail.createBox(pid, { capacity: queue_size, retentionMs: toMs(retention_s) });
    return { pid };
  },

  async 'kernel.mbox.delete'({ pid }, { mine }) {
    return { pid, removed_messages: await mine.mail.deleteBox(pid) };
  },

  async 'kernel.mbox.subscribe'({ pid, topic }, { mine }) {
    await mine.mail.subscribe(pid, requireOpen(topic));
    return { pid, topic };
  },

  async 'kernel.mbox.unsubscribe'({ pid, topic }, { mine }) {
    await mine.mail.unsubscribe(pid, topic);
    return { pid, topic };
  },

  async 'kernel.mbox.list_subscriptions'({ pid }, { mine }) {
    return { topics: await mine.mail.listSubscriptions(pid) };
  },

  async 'kernel.mbox.send'({ sender_pid, recipient_pid, kind, payload, expires_at }, { mine }) {
    return { msg_id: await mine.mail.send(sender_pid, recipient_pid, { kind, payload, expiresAt: toMsIfGiven(expires_at) }) };
  },

  async 'kernel.mbox.publish'({ sender_pid, topic, kind, payload, expires_at, fail_on_full }, { mine }) {
    const letter = { kind, payload, expiresAt: toMsIfGiven(expires_at), failsOnFull: fail_on_full };
    const { delivered, rejected, messageIds } = await mine.mail.publish(sender_pid, requireOpen(topic), letter);
    return { delivered, rejected, msg_ids: messageIds };
  },

  async 'kernel.mbox.recv'({ pid, since_msg_id, limit, mark_delivered }, { mine }) {
    const { messages, nextCursor } = await mine.mail.replay(pid, { since: since_msg_id, limit, marksDelivered: mark_delivered });
    return { messages: messages.map(toMessage), next_cursor: nextCursor };
  },

  async 'kernel.mbox.peek'({ pid, since_msg_id, limit }, { mine }) {
    const { messages } = await mine.mail.replay(pid, { since: since_msg_id, limit, marksDelivered: false });
    return { messages: messages.map(toMessage) };
  },

  async 'kernel.mbox.gc_expired'({ now }, { mine }) {
    return { purged: await mine.mail.expire(toMsIfGiven(now)) };
  },

  async 'mail.send'({ sender_pid, recipient_pid, kind, payload, priority, expires_at, dedupe_key, correlation_id }, { mine }) {
    const letter = { kind, payload, priority, expiresAt: toMsIfGiven(expires_at), dedupeKey: dedupe_key, correlationId: correlation_id };
    return { msg_id: await mine.mail.send(sender_pid, recipient_pid, letter) };
  },

  async 'mail.publish'({ sender_pid, topic, fail_on_full, kind, payload, priority, expires_at, dedupe_key, correlation_id }, { mine }) {
    const letter = { kind, payload, priority, expiresAt: toMsIfGiven(expires_at), dedupeKey: dedupe_key, correlationId: correlation_id };
    const { delivered, rejected, messageIds } = await mine.mail.publish(sender_pid, requireOpen(topic), {
      ...letter,
      failsOnFull: fail_on_full,
    });
    return { delivered, rejected, msg_ids: messageIds };
  },

  async 'mail.receive'({ pid, limit, visibility_ms, wait_ms }, { mine, waiting }) {
    const options = { limit, visibilityMs: visibility_ms, waitMs: wait_ms };
    const messages = await mine.mail.receive(pid, options, wait_ms > 0 ? waiting() : undefined);
    return { messages: messages.map(toMessage) };
  },

  async 'mail.ack'({ pid, msg_ids }, { mine }) {
    return { acknowledged: await mine.mail.acknowledge(pid, msg_ids) };
  },

  async 'mail.request'({ sender_pid, recipient_pid, kind, payload, priority, expires_at, dedupe_key, timeout_ms }, { mine, waiting }) {
    const letter = { kind, payload, priority, expiresAt: toMsIfGiven(expires_at), dedupeKey: dedupe_key, timeoutMs: timeout_ms };
    return toMessage(await mine.mail.request(sender_pid, recipient_pid, letter, waiting()));
  },

  async 'mail.reply'({ pid, message, kind, payload, priority, expires_at, dedupe_key }, { mine }) {
    const letter = { kind, payload, priority, expiresAt: toMsIfGiven(expires_at), dedupeKey: dedupe_key };
    const { msg_id, sender_pid, correlation_id } = message;
    return { msg_id: await mine.mail.reply(pid, { id: msg_id, sender: sender_pid, correlationId: correlation_id }, letter) };
  },
};

/** On Warren's own channels nobody but Warren speaks or says who listens. */
function requireOpen(topic: string): string {
  if (!isOwnChannel(topic)) return topic;
  throw new Fault('permission_denied', `Cannot use the topic ${topic}: it is one of Warren's own`, { details: { topic } });
}
