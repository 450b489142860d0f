/** Mail and topics as the rest of Warren sees them. */
import type { JsonObject } from '../internal/json.ts';

export type Message = {
  readonly id: number;
  readonly sender: number | undefined;
  readonly recipient: number;
  /** Undefined: sent to the recipient directly. */
  readonly topic: string | undefined;
  readonly kind: string;
  readonly payload: JsonObject;
  readonly priority: number;
  readonly postedAt: number;
  /** When it was last handed out. */
  readonly deliveredAt: number | undefined;
  readonly deliveries: number;
  readonly expiresAt: number | undefined;
  readonly correlationId: string | undefined;
};

export type Letter = {
  readonly kind: string;
  readonly payload?: JsonObject | undefined;
  readonly priority?: number | undefined;
  readonly expiresAt?: number | undefined;
  /** A second letter with the same key from the same sender to the same box, within its retention, is the first one. */
  readonly dedupeKey?: string | undefined;
  readonly correlationId?: string | undefined;
};

export type Box = {
  readonly pid: number;
  readonly capacity: number;
  readonly retentionMs: number;
  readonly pending: number;
  readonly createdAt: number;
};

export interface Mail {
  /** Faults: `unknown_pid`, `mailbox_exists`, `mail_invalid`. */
  createBox(pid: number, options?: { readonly capacity?: number | undefined; readonly retentionMs?: number | undefined }): Promise<Box>;
  findBox(pid: number): Promise<Box | undefined>;
  /** With its subscriptions and messages; returns how many messages. */
  deleteBox(pid: number): Promise<number>;
  /** `a.b`, `a.*` (one word), `a.**` (any number of words). Twice is once. */
  subscribe(pid: number, topic: string): Promise<void>;
  /** Faults: `subscription_not_found`. */
  unsubscribe(pid: number, topic: string): Promise<void>;
  listSubscriptions(pid: number): Promise<readonly string[]>;
  /** Faults: `mailbox_not_found`, `mailbox_full` (the box, or what one sender may have waiting in it), `mail_invalid`, `too_large`. */
  send(sender: number | undefined, recipient: number, letter: Letter): Promise<number>;
  /** To every subscriber with room; with `failsOnFull` to all or none. Faults: `mailbox_full`, `mail_invalid`. */
  publish(
    sender: number | undefined,
    topic: string,
    letter: Letter & { readonly failsOnFull?: boolean | undefined },
  ): Promise<{ readonly delivered: number; readonly rejected: number; readonly messageIds: readonly number[] }>;
  /**
   * Hands out, best priority first and then oldest, what waits and hides it for `visibilityMs`; what is not acknowledged by then is handed
   * out again. With `waitMs` it waits for mail.
   */
  receive(
    pid: number,
    options?: { readonly limit?: number | undefined; readonly visibilityMs?: number | undefined; readonly waitMs?: number | undefined },
    signal?: AbortSignal,
  ): Promise<readonly Message[]>;
  /** Done with these; unknown ids are skipped. Returns how many. */
  acknowledge(pid: number, messageIds: readonly number[]): Promise<number>;
  /** By id: everything not acknowledged and not expired after `since`, also what was handed out before. */
  replay(
    pid: number,
    options?: { readonly since?: number | undefined; readonly limit?: number | undefined; readonly marksDelivered?: boolean | undefined },
  ): Promise<{ readonly messages: readonly Message[]; readonly nextCursor: number }>;
  /** Sends and waits for the answer: a message to `sender` with the same correlation id. Faults: as `send`, and `deadline`. */
  request(sender: number, recipient: number, letter: Letter & { readonly timeoutMs: number }, signal?: AbortSignal): Promise<Message>;
  reply(pid: number, message: Message, letter: Letter): Promise<number>;
  /** Deletes expired mail and what was delivered longer ago than its box keeps it. The kernel does so by itself in time. */
  expire(now?: number): Promise<number>;
}
