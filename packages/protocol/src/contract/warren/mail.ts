/**
 * `mail.*`: mail that is delivered until it is acknowledged. `kernel.mbox.*` creates the mailboxes and subscribes them, and reads the same
 * mail by its ids.
 */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { message } from '../record/mail.ts';
import { itself } from '../scope.ts';
import { ON_WRITE } from '../store-faults.ts';
import { optional, withDefault } from '../value/absent.ts';
import { limit } from '../value/clamped.ts';
import { jsonObject, NO_PAYLOAD } from '../value/json-object.ts';
import { list, listOf } from '../value/list.ts';
import { int, milliseconds, seconds } from '../value/number.ts';
import { word } from '../value/text.ts';
import { WAIT_MS_MAX } from '../value/wait.ts';

const DAY_MS = 86_400_000;

const letter = {
  kind: word,
  payload: withDefault(jsonObject, NO_PAYLOAD),
  priority: withDefault(int, 0),
  expires_at: optional(seconds),
  dedupe_key: optional(word),
};

const sent = z.object({ msg_id: int });

export const MAIL_OPERATIONS = {
  'mail.send': operation({
    summary: 'Puts a message into the mailbox of a process, only once under a `dedupe_key`',
    tier: 'experimental',
    effect: 'once',
    scope: itself('sender_pid'),
    params: z.strictObject({ sender_pid: optional(int), recipient_pid: int, ...letter, correlation_id: optional(word) }),
    result: sent,
    faults: ['unknown_pid', 'mailbox_not_found', 'mailbox_full', 'mail_invalid', 'too_large', ...ON_WRITE],
  }),
  'mail.publish': operation({
    summary: 'Puts a message into the mailbox of every subscriber with room, if `fail_on_full` is given of all or none',
    tier: 'experimental',
    effect: 'once',
    scope: itself('sender_pid'),
    params: z.strictObject({
      sender_pid: optional(int),
      topic: word,
      ...letter,
      correlation_id: optional(word),
      fail_on_full: withDefault(z.boolean(), false),
    }),
    result: z.object({ delivered: int, rejected: int, msg_ids: listOf(int) }),
    faults: ['unknown_pid', 'mailbox_full', 'mail_invalid', 'too_large', ...ON_WRITE],
  }),
  'mail.receive': operation({
    summary: 'Hands out what waits, best first, and again later what is not acknowledged by then; waits up to `wait_ms` for the first',
    tier: 'experimental',
    effect: 'once',
    scope: itself(),
    params: z.strictObject({
      pid: int,
      limit,
      visibility_ms: optional(milliseconds(DAY_MS)),
      wait_ms: withDefault(milliseconds(WAIT_MS_MAX), 0),
    }),
    result: z.object({ messages: listOf(message) }),
    faults: ['mailbox_not_found', 'mail_invalid', ...ON_WRITE],
  }),
  'mail.ack': operation({
    summary: 'Says that messages are dealt with; unknown ones are skipped',
    tier: 'experimental',
    effect: 'idempotent',
    scope: itself(),
    params: z.strictObject({ pid: int, msg_ids: list(int, 10_000) }),
    result: z.object({ acknowledged: int }),
    faults: ['mailbox_not_found', ...ON_WRITE],
  }),
  'mail.request': operation({
    summary: 'Sends a message and waits up to `timeout_ms` for the answer to it',
    tier: 'experimental',
    effect: 'once',
    scope: itself('sender_pid'),
    params: z.strictObject({ sender_pid: int, recipient_pid: int, ...letter, timeout_ms: withDefault(milliseconds(WAIT_MS_MAX), 30_000) }),
    result: message,
    faults: ['unknown_pid', 'mailbox_not_found', 'mailbox_full', 'mail_invalid', 'too_large', 'deadline', ...ON_WRITE],
  }),
  'mail.reply': operation({
    summary: 'Answers a message, which is given back as it was received',
    tier: 'experimental',
    effect: 'once',
    scope: itself(),
    params: z.strictObject({
      pid: int,
      message: z.object({ msg_id: int, sender_pid: int, correlation_id: optional(word) }),
      ...letter,
    }),
    result: sent,
    faults: ['unknown_pid', 'mailbox_not_found', 'mailbox_full', 'mail_invalid', 'too_large', ...ON_WRITE],
  }),
};
