/** Keeps the index behind the log: soon, in small transactions, never in the way of an append. What it did not take along in time it reads from the log. */
import type { AuditEntry } from './audit.ts';
import type { AuditIndex, IndexedEntry } from './audit-index.ts';
import { decodeEntry } from './entry-body.ts';
import type { LoggedEntry } from './read-log.ts';

const PENDING_MAX = 20_000;
const BATCH_MAX = 512;
const DELAY_MS = 200;

export type IndexKeeperParts = {
  readonly index: AuditIndex;
  /** Entries of the log. */
  readonly size: () => number;
  readonly read: (from: number, to: number) => AsyncIterable<readonly LoggedEntry[]>;
};

export class IndexKeeper {
  readonly #parts: IndexKeeperParts;
  #pending: IndexedEntry[] = [];
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(parts: IndexKeeperParts) {
    this.#parts = parts;
  }

  get index(): AuditIndex {
    return this.#parts.index;
  }

  /** Entries that were just written, in order. */
  add(entries: readonly IndexedEntry[]): void {
    if (this.#pending.length + entries.length > PENDING_MAX) this.#pending = [];
    else this.#pending.push(...entries);
    this.#soon();
  }

  /** Resolves when the index has everything that is in the log now. */
  async catchUp(): Promise<void> {
    const size = this.#parts.size();
    while (this.index.size() < size && !this.#isClosed) await this.#start();
  }

  /** The index is closed with it. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#isClosed = true;
    await this.#running?.catch(() => {}); // What is missing is made at the next start.
    this.index.close();
  }

  #soon(): void {
    if (this.#isClosed || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#start().catch(() => {}); // Who searches tries again, and hears it.
    }, DELAY_MS);
    this.#timer.unref();
  }

  #start(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    const { index, size, read } = this.#parts;
    while (index.size() < size() && !this.#isClosed) {
      const indexed = index.size();
      const first = this.#pending.findIndex(({ seq }) => seq >= indexed);
      if (first > 0) this.#pending.splice(0, first);
      if (first < 0) this.#pending = [];
      const next = this.#pending[0]?.seq ?? size();
      if (next === indexed) {
        index.add(this.#pending.splice(0, BATCH_MAX));
        await new Promise(setImmediate);
      } else {
        for await (const batch of read(indexed, next)) await this.#addFromLog(batch);
      }
    }
  }

  async #addFromLog(batch: readonly LoggedEntry[]): Promise<void> {
    for (let start = 0; start < batch.length && !this.#isClosed; start += BATCH_MAX) {
      const entries = batch.slice(start, start + BATCH_MAX);
      const last = entries.at(-1);
      const kept = entries.flatMap(({ seq, at, body }) => (body === undefined ? [] : [toIndexed(seq, at, decodeEntry(body))]));
      if (kept[0] !== undefined) {
        this.index.skipTo(kept[0].seq);
        this.index.add(kept);
      }
      if (last !== undefined) this.index.skipTo(last.seq + 1);
      await new Promise(setImmediate);
    }
  }
}

export function toIndexed(
  seq: number,
  at: number,
  { workspace, kind, action, outcome, actor, callId, approvalId }: AuditEntry,
): IndexedEntry {
  const isProcess = actor.kind === 'process';
  return {
    seq,
    at,
    workspace,
    kind,
    action,
    outcome,
    agent: isProcess ? actor.agent : undefined,
    pid: isProcess ? actor.pid : undefined,
    callId,
    approvalId,
  };
}
