/**
 * Decisions about requests on their way into the events: equal ones as one entry with a count, some dozens of entries as one event, a few events a second. The first
 * of its kind that lets something pass is on disk before it does.
 */
import { Fault, type JsonObject } from '@warren/protocol';
import type { DenialReason } from '@warren/sandbox';

/** Of one event. What there is beyond is counted. */
const ENTRIES_MAX = 64;
const EVERY_MS = 250;
const PATH_LENGTH_MAX = 256;
/** Kinds that are known to be on disk; beyond, one may be written twice. */
const KINDS_MAX = 1_024;

type Asked = { readonly method: string; readonly host: string; readonly port: number; readonly path?: string | undefined };
type Entry = {
  readonly asked: Asked;
  readonly verdict: 'allowed' | 'denied' | 'failed';
  readonly reason: DenialReason | undefined;
  count: number;
};

export class DecisionLog implements AsyncDisposable {
  readonly #append: (payload: JsonObject) => Promise<unknown>;
  #entries = new Map<string, Entry>();
  #more = 0;
  readonly #known = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isBroken = false;

  constructor(append: (payload: JsonObject) => Promise<unknown>) {
    this.#append = append;
  }

  /** Resolves when it may happen. Throws when it cannot be recorded. */
  async allow(asked: Asked): Promise<void> {
    this.#add({ asked, verdict: 'allowed', reason: undefined });
    const kind = `${asked.method} ${asked.host} ${asked.port}`;
    if (this.#known.has(kind) && !this.#isBroken) return;
    await this.#write();
    if (this.#isBroken) throw new Fault('unavailable', 'Cannot reach hosts: what is decided cannot be recorded');
    if (this.#known.size < KINDS_MAX) this.#known.add(kind);
  }

  refuse({ kind, reason, ...asked }: Asked & { readonly kind: 'denied' | 'failed'; readonly reason: DenialReason }): void {
    this.#add({ asked, verdict: kind, reason });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#write();
  }

  #add({ asked, verdict, reason }: Omit<Entry, 'count'>): void {
    const { method, host, port } = asked;
    const path = asked.path?.slice(0, PATH_LENGTH_MAX);
    const key = `${verdict} ${reason} ${method} ${host} ${port} ${path}`;
    const known = this.#entries.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.#entries.size < ENTRIES_MAX) this.#entries.set(key, { asked: { method, host, port, path }, verdict, reason, count: 1 });
    else this.#more += 1;
    this.#timer ??= setTimeout(() => void this.#write(), EVERY_MS).unref();
  }

  /** One after the other; each writes what there is by then. Never rejects: what could not be written stays, and is said by `allow`. */
  #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(async () => {
      const [entries, more] = [this.#entries, this.#more];
      if (entries.size === 0) return;
      this.#entries = new Map();
      this.#more = 0;
      try {
        await this.#append(payloadOf(entries, more));
        this.#isBroken = false;
      } catch {
        this.#isBroken = true;
        this.#more += more + [...entries.values()].reduce((sum, { count }) => sum + count, 0);
      }
    });
    return this.#writing;
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
