/**
 * Who waits at the boxes of one workspace. They hear of mail by the events of its commit, and of mail that becomes visible again by one bell for
 * each box. Waiters join before they look, so what is committed after the look wakes them. A message wakes one of them; who leaves
 * without having looked since passes it on. So no message waits while somebody waits for it.
 */
import { Fault } from '@warren/protocol';
import type { EventRecord } from '../store/tables/event-table.ts';
import type { Alarm } from './alarm.ts';
import { WAITERS_MAX } from './limits.ts';

export type Interest = {
  readonly pid: number;
  /** Only what was published there. */
  readonly topic?: string | undefined;
  /** Only an answer to this. It keeps nobody else from hearing of it. */
  readonly correlationId?: string | undefined;
};

/** What arrived: mail of a topic or without one, or anything, of which everybody hears. */
type Arrival = { readonly topic: string | undefined } | 'anything';

type Entry = {
  readonly interest: Interest;
  /** Arrived since the last look began. */
  arrival: Arrival | undefined;
  wake: () => void;
};

type BoxWaiters = { readonly entries: Set<Entry>; bell: { readonly at: number; readonly handle: Disposable } | undefined };

/** One who waits. Dispose it when the wait is over. */
export interface Waiter extends Disposable {
  /**
   * Looks, and then waits until there is a reason to look again, as long as there is nothing and the signal has not fired. `look` says when mail
   * will be visible by itself.
   */
  until<T extends { readonly isDone: boolean; readonly nextVisibleAt: number | undefined }>(
    look: () => Promise<T>,
    options: { readonly deadline: number; readonly signal: AbortSignal | undefined },
  ): Promise<T>;
}

export class Waiters {
  readonly #alarm: Alarm;
  readonly #now: () => number;
  readonly #boxes = new Map<number, BoxWaiters>();
  #isClosed = false;

  constructor(alarm: Alarm, now: () => number) {
    this.#alarm = alarm;
    this.#now = now;
  }

  /** Throws `busy`. */
  join(interest: Interest): Waiter {
    const { pid } = interest;
    const box = this.#boxes.get(pid) ?? { entries: new Set(), bell: undefined };
    if (box.entries.size >= WAITERS_MAX) {
      throw new Fault('busy', `Cannot wait for mail of process ${pid}: ${box.entries.size} wait, the limit is ${WAITERS_MAX}`, {
        details: { pid },
      });
    }
    const entry: Entry = { interest, arrival: undefined, wake: () => {} };
    box.entries.add(entry);
    this.#boxes.set(pid, box);
    return {
      until: (look, { deadline, signal }) => this.#until(entry, look, deadline, signal),
      [Symbol.dispose]: () => this.#leave(entry),
    };
  }

  async #until<T extends { readonly isDone: boolean; readonly nextVisibleAt: number | undefined }>(
    entry: Entry,
    look: () => Promise<T>,
    deadline: number,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    for (;;) {
      if (this.#isClosed)
        throw new Fault('aborted', `Cannot wait for mail of process ${entry.interest.pid}: the kernel is closed, or its workspace deleted`);
      const { promise, resolve } = Promise.withResolvers<void>();
      const before = entry.arrival;
      entry.arrival = undefined;
      entry.wake = () => resolve();
      let found: T;
      try {
        found = await look();
      } catch (error) {
        entry.arrival ??= before; // It was not looked for after all.
        throw error;
      }
      if (found.isDone || isAborted(signal) || this.#now() >= deadline) return found;
      if (found.nextVisibleAt !== undefined) this.#setBell(entry.interest.pid, found.nextVisibleAt);
      using _deadline = this.#alarm.set({ at: deadline, ring: entry.wake, isAwaited: true });
      signal?.addEventListener('abort', entry.wake, { once: true });
      await promise;
      signal?.removeEventListener('abort', entry.wake);
      if (isAborted(signal)) return found; // What woke it, if anything did, is for the next.
    }
  }

  /** Takes what was committed. */
  hear(events: readonly EventRecord[]): void {
    if (this.#boxes.size === 0) return;
    for (const event of events) this.#hearOne(event);
  }

  #hearOne({ kind, pid, payload, correlationId }: EventRecord): void {
    if (kind === 'kernel.mail.published') {
      const recipients = Array.isArray(payload['recipients']) ? payload['recipients'].map(Number) : [...this.#boxes.keys()];
      for (const recipient of recipients) this.#arrived(recipient, String(payload['topic']), correlationId);
      return;
    }
    if (pid === undefined) return;
    if (kind === 'kernel.mail.sent') this.#arrived(pid, undefined, correlationId);
    else if (kind === 'kernel.mail.received' && typeof payload['hidden_until'] === 'number') this.#setBell(pid, payload['hidden_until']);
    else if (kind === 'kernel.mail.returned' || kind === 'kernel.mail.box_deleted') this.#wakeAll(this.#boxes.get(pid));
  }

  /** Nobody waits any more. */
  close(): void {
    this.#isClosed = true;
    for (const box of this.#boxes.values()) this.#wakeAll(box);
  }

  #wakeAll(box: BoxWaiters | undefined): void {
    for (const entry of box?.entries ?? []) arrive(entry, 'anything');
  }

  /** Something in this box becomes visible then. */
  #setBell(pid: number, at: number): void {
    const box = this.#boxes.get(pid);
    if (box === undefined || (box.bell !== undefined && box.bell.at <= at)) return;
    box.bell?.handle[Symbol.dispose]();
    const ring = () => {
      box.bell = undefined;
      this.#wakeAll(box);
    };
    box.bell = { at, handle: this.#alarm.set({ at, ring, isAwaited: false }) };
  }

  #arrived(pid: number, topic: string | undefined, correlationId: string | undefined): void {
    const box = this.#boxes.get(pid);
    if (box === undefined) return;
    if (correlationId !== undefined) {
      for (const entry of box.entries) if (entry.interest.correlationId === correlationId) arrive(entry, 'anything');
    }
    passOn(box, { topic });
  }

  #leave(entry: Entry): void {
    const { pid } = entry.interest;
    const box = this.#boxes.get(pid);
    if (box === undefined || !box.entries.delete(entry)) return;
    if (entry.arrival !== undefined && entry.arrival !== 'anything') passOn(box, entry.arrival);
    if (box.entries.size > 0) return;
    box.bell?.handle[Symbol.dispose]();
    this.#boxes.delete(pid);
  }
}

/** Asked for, because it changes while others are awaited. */
export function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** Wakes the first that does not know yet and may take it. */
function passOn({ entries }: BoxWaiters, arrival: { readonly topic: string | undefined }): void {
  for (const entry of entries) {
    const { topic, correlationId } = entry.interest;
    if (entry.arrival !== undefined || correlationId !== undefined || (topic !== undefined && topic !== arrival.topic)) continue;
    arrive(entry, arrival);
    return;
  }
}

function arrive(entry: Entry, arrival: Arrival): void {
  entry.arrival ??= arrival;
  entry.wake();
}
