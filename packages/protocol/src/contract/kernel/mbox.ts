/** `kernel.mbox.*`: mail between processes, and topics. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { message } from '../record/mail.ts';
import { itself, itsTree, MEMBER } from '../scope.ts';
import { ON_READ, ON_WRITE } from '../store-faults.ts';
import { optional, withDefault } from '../value/absent.ts';
import { limit } from '../value/clamped.ts';
import { jsonObject, NO_PAYLOAD } from '../value/json-object.ts';
import { listOf } from '../value/list.ts';
import { int, looseInt, looseSeconds } from '../value/number.ts';
import { word } from '../value/text.ts';

const letter = { kind: word, payload: withDefault(jsonObject, NO_PAYLOAD), expires_at: optional(looseSeconds) };

export const MBOX_OPERATIONS = {
  'kernel.mbox.create': operation({
    summary: 'Gives a process a mailbox',
    tier: 'stable',
    effect: 'once',
    scope: itsTree(),
    params: z.object({ pid: int, queue_size: withDefault(looseInt, 1024), retention_s: withDefault(looseSeconds, 3600) }),
    result: z.object({ pid: int }),
    faults: ['unknown_pid', 'mailbox_exists', 'mail_invalid', ...ON_WRITE],
  }),
  'kernel.mbox.delete': operation({
    summary: 'Takes away the mailbox of a process, with its subscriptions and messages',
    tier: 'stable',
    effect: 'once',
    scope: itsTree(),
    params: z.object({ pid: int }),
    result: z.object({ pid: int, removed_messages: int }),
    faults: ['mailbox_not_found', ...ON_WRITE],
  }),
  'kernel.mbox.subscribe': operation({
    summary: 'Has what is published under a topic put into the mailbox of a process; `*` stands for a word of it, `**` for any number',
    tier: 'stable',
    effect: 'idempotent',
    scope: itsTree(),
    params: z.object({ pid: int, topic: word }),
    result: z.object({ pid: int, topic: word }),
    faults: ['mailbox_not_found', 'mail_invalid', ...ON_WRITE],
  }),
  'kernel.mbox.unsubscribe': operation({
    summary: 'Ends a subscription',
    tier: 'stable',
    effect: 'once',
    scope: itsTree(),
    params: z.object({ pid: int, topic: word }),
    result: z.object({ pid: int, topic: word }),
    faults: ['mailbox_not_found', 'subscription_not_found', ...ON_WRITE],
  }),
  'kernel.mbox.list_subscriptions': operation({
    summary: 'Lists the topics a process is subscribed to',
    tier: 'stable',
    effect: 'read',
    scope: itsTree(),
    params: z.object({ pid: int }),
    result: z.object({ topics: listOf(word) }),
    faults: [...ON_READ],
  }),
  'kernel.mbox.send': operation({
    summary: 'Puts a message into the mailbox of a process',
    tier: 'stable',
    effect: 'once',
    scope: itself('sender_pid'),
    params: z.object({ sender_pid: optional(int), recipient_pid: int, ...letter }),
    result: z.object({ msg_id: int }),
    faults: ['unknown_pid', 'mailbox_not_found', 'mailbox_full', 'mail_invalid', 'too_large', ...ON_WRITE],
  }),
  'kernel.mbox.publish': operation({
    summary: 'Puts a message into the mailbox of every subscriber with room, if `fail_on_full` is given of all or none',
    tier: 'stable',
    effect: 'once',
    scope: itself('sender_pid'),
    params: z.object({ sender_pid: optional(int), topic: word, ...letter, fail_on_full: withDefault(z.boolean(), false) }),
    result: z.object({ delivered: int, rejected: int, msg_ids: listOf(int) }),
    faults: ['unknown_pid', 'mailbox_full', 'mail_invalid', 'too_large', ...ON_WRITE],
  }),
  'kernel.mbox.recv': operation({
    summary: 'Lists the messages after `since_msg_id` that are not acknowledged, and notes that they were delivered',
    tier: 'stable',
    effect: 'idempotent',
    scope: itself(),
    params: z.object({ pid: int, since_msg_id: withDefault(looseInt, 0), limit, mark_delivered: withDefault(z.boolean(), true) }),
    result: z.object({ messages: listOf(message), next_cursor: int }),
    faults: ['mailbox_not_found', ...ON_WRITE],
  }),
  'kernel.mbox.peek': operation({
    summary: 'Lists the messages after `since_msg_id` that are not acknowledged',
    tier: 'stable',
    effect: 'read',
    scope: itself(),
    params: z.object({ pid: int, since_msg_id: withDefault(looseInt, 0), limit }),
    result: z.object({ messages: listOf(message) }),
    faults: ['mailbox_not_found', ...ON_READ],
  }),
  'kernel.mbox.gc_expired': operation({
    summary: 'Deletes mail that expired or was delivered long enough ago, which also happens by itself in time',
    tier: 'stable',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.object({ now: optional(looseSeconds) }),
    result: z.object({ purged: int }),
    faults: [...ON_WRITE],
  }),
};
