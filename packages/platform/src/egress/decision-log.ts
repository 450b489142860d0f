/**
 * Decisions about requests on their way into the events: equal ones as one entry with a count, some dozens of entries as one event, a few events a second. The first
 * of its kind that lets something pass is on disk before it does, whatever came before it.
 */
import { Fault, type JsonObject } from '@warren/protocol';
import type { DenialReason } from '@warren/sandbox';

/** Of one event. What there is beyond is counted, but for what waits to be on disk: that has a place in the next. */
const ENTRIES_MAX = 64;
const EVERY_MS = 250;
const PATH_LENGTH_MAX = 256;
/** Kinds that are known to be on disk; beyond, one may be written twice. */
const KINDS_MAX = 1_024;

type Asked = { readonly method: string; readonly host: string; readonly port: number; readonly path?: string | undefined };
type Decision = {
  readonly asked: Asked;
  readonly verdict: 'allowed' | 'denied' | 'failed';
  readonly reason: DenialReason | undefined;
};
type Entry = Decision & {
  count: number;
  /** It is on disk. */
  isWritten: boolean;
};
/** Of one event. */
type Batch = { readonly entries: Map<string, Entry>; more: number };

export class DecisionLog implements AsyncDisposable {
  readonly #append: (payload: JsonObject) => Promise<unknown>;
  #batch: Batch = { entries: new Map(), more: 0 };
  /** Those that had no place left for what had to have one. */
  readonly #full: Batch[] = [];
  readonly #known = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isBroken = false;

  constructor(append: (payload: JsonObject) => Promise<unknown>) {
    this.#append = append;
  }

  /** Resolves when it may happen. Throws when it cannot be recorded. */
  async allow(asked: Asked): Promise<void> {
    const kind = `${asked.method} ${asked.host} ${asked.port}`;
    const isFirst = this.#isBroken || !this.#known.has(kind);
    const entry = this.#add({ asked, verdict: 'allowed', reason: undefined }, { hasPlace: isFirst });
    if (!isFirst) return;
    await this.#write();
    if (entry?.isWritten !== true) throw new Fault('unavailable', 'Cannot reach hosts: what is decided cannot be recorded');
    if (this.#known.size < KINDS_MAX) this.#known.add(kind);
  }

  refuse({ kind, reason, ...asked }: Asked & { readonly kind: 'denied' | 'failed'; readonly reason: DenialReason }): void {
    this.#add({ asked, verdict: kind, reason }, { hasPlace: false });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#write();
  }

  /** Without a place of its own it is counted, and no more, where there is none left. */
  #add(
    { asked: { method, host, port, path: whole }, verdict, reason }: Decision,
    { hasPlace }: { readonly hasPlace: boolean },
  ): Entry | undefined {
    this.#timer ??= setTimeout(() => void this.#write(), EVERY_MS).unref();
    const path = whole?.slice(0, PATH_LENGTH_MAX);
    const key = `${verdict} ${reason} ${method} ${host} ${port} ${path}`;
    const equal = this.#batch.entries.get(key);
    if (equal !== undefined) {
      equal.count += 1;
      return equal;
    }
    if (this.#batch.entries.size >= ENTRIES_MAX) {
      if (!hasPlace) {
        this.#batch.more += 1;
        return undefined;
      }
      this.#full.push(this.#takeBatch());
    }
    const entry: Entry = { asked: { method, host, port, path }, verdict, reason, count: 1, isWritten: false };
    this.#batch.entries.set(key, entry);
    return entry;
  }

  #takeBatch(): Batch {
    const batch = this.#batch;
    this.#batch = { entries: new Map(), more: 0 };
    return batch;
  }

  /** One after the other; each writes what there is by then. Never rejects: what could not be written stays as a count, and is said by `allow`. */
  #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(async () => {
      const batches = this.#full.splice(0);
      if (this.#batch.entries.size > 0) batches.push(this.#takeBatch());
      for (const batch of batches) await this.#writeBatch(batch);
    });
    return this.#writing;
  }

  async #writeBatch({ entries, more }: Batch): Promise<void> {
    try {
      await this.#append(payloadOf(entries, more));
      this.#isBroken = false;
      for (const entry of entries.values()) entry.isWritten = true;
    } catch {
      this.#isBroken = true;
      this.#batch.more += more + [...entries.values()].reduce((sum, { count }) => sum + count, 0);
    }
  }
}

function payloadOf(entries: ReadonlyMap<string, Entry>, more: number): JsonObject {
  return {
    decisions: [...entries.values()].map(({ asked: { method, host, port, path }, verdict, reason, count }) => ({
      ...{ verdict, method, host, port, count },
      ...(path === undefined ? {} : { path }),
      ...(reason === undefined ? {} : { reason }),
    })),
    ...(more === 0 ? {} : { more }),
  };
}
