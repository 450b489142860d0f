/**
 * Mail and topics as the rest of Warren sees them. A message waits in the box of its recipient until it is handed out, is then hidden for a
 * while, and is gone once it is acknowledged; what is not acknowledged in time is handed out again. So it arrives at least once, and
 * whoever must not act twice goes by its id.
 */

import type { JsonObject } from '../internal/json.ts';
import type { BoxRow, BoxSenders, MessageRow } from '../store/tables/mail-table.ts';

export type Message = MessageRow;

export type Letter = {
  readonly kind: string;
  readonly payload?: JsonObject | undefined;
  /** Larger first. Default 0. */
  readonly priority?: number | undefined;
  /** Kernel time after which nobody gets it. */
  readonly expiresAt?: number | undefined;
  /**
   * A second letter with the same key from the same sender to the same box, within the retention of the box, is the first one. A box
   * remembers its newest 10,000 keys.
   */
  readonly dedupeKey?: string | undefined;
  readonly correlationId?: string | undefined;
  /** Labels of untrusted content, besides those its sender carries. Who is handed the message carries them from then on. */
  readonly labels?: readonly string[] | undefined;
};

export type Box = Omit<BoxRow, 'waitingFrom' | 'dueAt'>;

export type BoxOptions = {
  /** Messages that were never handed out. Default 1,024. Of those that were and are not acknowledged, it holds four times as many. */
  readonly capacity?: number | undefined;
  /** How many of those may be of one sender. Default 256, or the capacity if that is less. */
  readonly senderCapacity?: number | undefined;
  /** How long what was handed out, dead letters and dedupe keys are kept. Default an hour. */
  readonly retentionMs?: number | undefined;
  /** After so many deliveries without an acknowledgement a message is a dead letter. Default 16. */
  readonly deliveriesMax?: number | undefined;
  /** Which processes may write: every one, those with the same first ancestor, or these. Default `anyone`. What no process sends always may. */
  readonly senders?: BoxSenders | undefined;
};

export interface Mail {
  /** Of a process that lives; it goes with it. Faults: `unknown_pid`, `mailbox_exists`, `mail_invalid` (`pid`: the process is DEAD). */
  createBox(pid: number, options?: BoxOptions): Promise<Box>;
  findBox(pid: number): Promise<Box | undefined>;
  /** With its subscriptions and messages; returns how many messages. Faults: `mailbox_not_found`. */
  deleteBox(pid: number): Promise<number>;
  /**
   * To a topic, or to a pattern: topics of words (`a-z A-Z 0-9 _ -`, up to 16) between dots, where `*` stands for one word (twice at most) and
   * `**` at the end for any number of words, also none. Any other text is a topic that is matched by itself alone. Twice is once. Faults:
   * `mailbox_not_found`, `mail_invalid`, `quota_exceeded` (1,000 subscriptions of a box).
   */
  subscribe(pid: number, topic: string): Promise<void>;
  /** Faults: `subscription_not_found`. */
  unsubscribe(pid: number, topic: string): Promise<void>;
  /** Empty also when there is no box. */
  listSubscriptions(pid: number): Promise<readonly string[]>;
  /**
   * The sender is a process, or nobody in particular. Faults: `unknown_pid` (the sender), `mailbox_not_found`, `permission_denied`,
   * `mailbox_full` (the box, or what one sender may have waiting in it), `mail_invalid`, `too_large`.
   */
  send(sender: number | undefined, recipient: number, letter: Letter): Promise<number>;
  /**
   * To every subscriber with room that takes mail of this sender; with `failsOnFull` to all or none. Message ids are in the order of the
   * recipients' pids. Faults: `unknown_pid`, `mailbox_full`, `permission_denied`, `mail_invalid`, `too_large`, `quota_exceeded` (10,000
   * subscribers).
   */
  publish(
    sender: number | undefined,
    topic: string,
    letter: Letter & { readonly failsOnFull?: boolean | undefined },
  ): Promise<{ readonly delivered: number; readonly rejected: number; readonly messageIds: readonly number[] }>;
  /**
   * Hands out, best priority first and then oldest, what waits and hides it for `visibilityMs` (default 30 s); what is not acknowledged by
   * then is handed out again. With `topic` only what was published exactly there. With `waitMs` it waits for mail and answers with nothing when
   * none came. When `signal` fires nothing is handed out: what was taken meanwhile goes back. Faults: `mailbox_not_found`, `mail_invalid`,
   * `aborted`, `busy` (1,000 wait at this box).
   */
  receive(
    pid: number,
    options?: {
      readonly limit?: number | undefined;
      readonly visibilityMs?: number | undefined;
      readonly waitMs?: number | undefined;
      readonly topic?: string | undefined;
    },
    signal?: AbortSignal,
  ): Promise<readonly Message[]>;
  /** Done with these; unknown ids are skipped. Returns how many. Faults: `mailbox_not_found`, `mail_invalid`. */
  acknowledge(pid: number, messageIds: readonly number[]): Promise<number>;
  /**
   * By id: everything not acknowledged and not expired after `since`, also what was handed out before, and without hiding it. With
   * `marksDelivered` it counts as handed out. Nobody acknowledges what is read in this way, so when a box holds as much of it as it can, the
   * oldest makes room. Faults: `mailbox_not_found`.
   */
  replay(
    pid: number,
    options?: { readonly since?: number | undefined; readonly limit?: number | undefined; readonly marksDelivered?: boolean | undefined },
  ): Promise<{ readonly messages: readonly Message[]; readonly nextCursor: number }>;
  /** Dead letters by id. To be rid of one, acknowledge it. */
  listDead(
    pid: number,
    options?: { readonly since?: number | undefined; readonly limit?: number | undefined },
  ): Promise<{ readonly messages: readonly Message[]; readonly nextCursor: number }>;
  /**
   * Sends and waits for the answer: a message to `sender`, which needs a box, with the same correlation id (made up when the letter has none).
   * Whoever was asked may write to that box; nobody else is handed the answer, and it is acknowledged. Faults: as `send`, `deadline`,
   * `aborted`, `quota_exceeded` (1,000 open requests), `already_exists` (one with this correlation id is open).
   */
  request(sender: number, recipient: number, letter: Letter & { readonly timeoutMs: number }, signal?: AbortSignal): Promise<Message>;
  /** Sends to the sender of `message` with its correlation id. Faults: as `send`, and `mail_invalid` when no process sent it. */
  reply(pid: number, message: Pick<Message, 'id' | 'sender' | 'correlationId'>, letter: Letter): Promise<number>;
  /**
   * Deletes expired mail and what was delivered longer ago than its box keeps it, up to `now` (default: now). The kernel does so by itself in
   * time, and before a full box refuses anything. Returns how many messages.
   */
  expire(now?: number): Promise<number>;
}
