/**
 * What happens in one workspace, for all who follow it: each log is read once, each event made into bytes once. Whoever follows has a queue of what it has
 * not taken yet; when that is full it is let go, and comes back with the id of the last it saw.
 *
 * From backlog to live: who begins is given a queue first, then reads both logs up to where the feed was at that moment, then its queue. So nothing is told
 * twice and nothing is left out.
 */
import type { Audit, EventRecord, RecordedEntry, WorkspaceKernel } from '@warren/kernel';
import { Fault } from '@warren/protocol';
import type { Cursor } from './cursor.ts';
import { Gap } from './gap.ts';
import { projectEntry } from './project-entry.ts';
import { projectEvent } from './project-event.ts';
import { Told } from './told.ts';

export type FeedParts = { readonly mine: WorkspaceKernel; readonly audit: Audit; readonly queueMax: number };

const PAGE = 500;

export class SupervisionFeed implements Disposable {
  readonly #parts: FeedParts;
  readonly #stopping = new AbortController();
  readonly #queues = new Set<Queue>();
  readonly #started: Promise<void>;
  #position: Cursor = { event: 0, entries: 0, part: 0 };

  /** `onFailure`: it tells nothing any more. */
  constructor(parts: FeedParts, onFailure: (error: unknown) => void) {
    this.#parts = parts;
    const fail = (error: unknown): void => {
      for (const queue of this.#queues) queue.fail(error);
      if (!this.#stopping.signal.aborted) onFailure(error);
    };
    this.#started = this.#start(fail);
    this.#started.catch(fail);
  }

  get isFollowed(): boolean {
    return this.#queues.size > 0;
  }

  /** From `after`, or from now on, until `signal` fires, which throws. Faults: `busy` when what was told was not taken. */
  async *follow(after: Cursor | undefined, signal: AbortSignal): AsyncGenerator<Told | Gap | { readonly begin: Cursor }> {
    const queue = new Queue(this.#parts.queueMax);
    this.#queues.add(queue);
    const wake = (): void => queue.fail(signal.reason);
    signal.addEventListener('abort', wake, { once: true });
    try {
      await this.#started;
      signal.throwIfAborted();
      queue.clear();
      const until = this.#position;
      yield { begin: after ?? until };
      if (after !== undefined) {
        const oldest = await this.#oldest(after);
        if (oldest !== after) yield new Gap(after, oldest);
        yield* this.#backlog(oldest, until);
      }
      for (;;) yield await queue.next();
    } finally {
      this.#queues.delete(queue);
      signal.removeEventListener('abort', wake);
    }
  }

  [Symbol.dispose](): void {
    this.#stopping.abort();
  }

  async #start(fail: (error: unknown) => void): Promise<void> {
    const { mine, audit } = this.#parts;
    const { signal } = this.#stopping;
    const { nextId } = await mine.events.extent();
    const { size } = audit.head();
    this.#position = { event: nextId - 1, entries: size, part: 0 };
    this.#readEvents(mine.events.subscribe({ after: nextId - 1, gaps: 'skip' }, signal)).catch(fail);
    this.#readEntries(audit.follow({ workspace: mine.id, kind: 'syscall', ...from(size) }, signal)).catch(fail);
  }

  async #readEvents(events: AsyncIterable<EventRecord>): Promise<void> {
    for await (const event of events) {
      const projected = await projectEvent(this.#parts.mine, event);
      this.#position = { ...this.#position, event: event.id };
      if (projected !== undefined) this.#tell(new Told(projected, this.#position));
    }
  }

  async #readEntries(entries: AsyncIterable<RecordedEntry>): Promise<void> {
    for await (const entry of entries) {
      for (const told of toldOf(entry, this.#position)) this.#tell(told);
      this.#position = { ...this.#position, entries: entry.seq + 1, part: 0 };
    }
  }

  #tell(told: Told): void {
    for (const queue of this.#queues) queue.push(told);
  }

  /** What is kept of what comes after it begins here: the same where nothing is missing. The audit loses nothing. */
  async #oldest(after: Cursor): Promise<Cursor> {
    const { firstId } = await this.#parts.mine.events.extent();
    return after.event < firstId - 1 ? { ...after, event: firstId - 1 } : after;
  }

  /** Both logs, merged by time. */
  async *#backlog(after: Cursor, until: Cursor): AsyncGenerator<Told> {
    const events = this.#oldEvents(after.event, until.event);
    const entries = this.#oldEntries(after.entries, until.entries);
    let at = after;
    let [event, entry] = [await events.next(), await entries.next()];
    while (!event.done || !entry.done) {
      if (!event.done && (entry.done || event.value.at <= entry.value.at)) {
        const projected = await projectEvent(this.#parts.mine, event.value);
        at = { ...at, event: event.value.id };
        if (projected !== undefined) yield new Told(projected, at);
        event = await events.next();
      } else if (!entry.done) {
        // Of the first, a part may have been told.
        const skip = entry.value.seq === after.entries ? after.part : 0;
        for (const told of toldOf(entry.value, { ...at, entries: entry.value.seq }).slice(skip)) yield told;
        at = { ...at, entries: entry.value.seq + 1, part: 0 };
        entry = await entries.next();
      }
    }
  }

  async *#oldEvents(after: number, until: number): AsyncGenerator<EventRecord> {
    for (let since = after; since < until; ) {
      const { events, nextCursor } = await this.#parts.mine.events.tail({ since, limit: PAGE });
      for (const event of events) if (event.id <= until) yield event;
      if (nextCursor === since) return;
      since = nextCursor;
    }
  }

  async *#oldEntries(after: number, until: number): AsyncGenerator<RecordedEntry> {
    const { mine, audit } = this.#parts;
    for (let seen = after; seen < until; ) {
      const { entries } = await audit.search({ workspace: mine.id, kind: 'syscall', limit: PAGE, ...from(seen) });
      for (const entry of entries) if (entry.seq < until) yield entry;
      const last = entries.at(-1);
      if (last === undefined) return;
      seen = last.seq + 1;
    }
  }
}

/** The query for what comes after so many entries. */
function from(entries: number): { readonly cursor?: number } {
  return entries === 0 ? {} : { cursor: entries - 1 };
}

function toldOf(entry: RecordedEntry, before: Cursor): readonly Told[] {
  const events = projectEntry(entry);
  const isLast = (index: number): boolean => index === events.length - 1;
  return events.map((event, index) => {
    const cursor = isLast(index) ? { ...before, entries: entry.seq + 1, part: 0 } : { ...before, entries: entry.seq, part: index + 1 };
    return new Told(event, cursor);
  });
}

class Queue {
  readonly #max: number;
  #items: Told[] = [];
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  push(told: Told): void {
    if (this.#items.length >= this.#max) {
      this.fail(new Fault('busy', `Cannot follow events any longer: ${this.#max} were not taken`));
      return;
    }
    this.#items.push(told);
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#items = [];
    this.#wake?.();
  }

  clear(): void {
    this.#items = [];
  }

  async next(): Promise<Told> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error;
      const told = this.#items.shift();
      if (told !== undefined) return told;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
