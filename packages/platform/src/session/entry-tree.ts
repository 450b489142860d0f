/** The entries of one session in memory: a tree, of which one entry is the tip. What is asked of a session is answered from here, wherever its file is. */
import type { SessionEntry } from './sessions.ts';

export class EntryTree {
  readonly #session: string;
  readonly #entries: SessionEntry[] = [];
  readonly #byId = new Map<string, SessionEntry>();
  #tip: string | undefined;

  constructor(session: string) {
    this.#session = session;
  }

  get tip(): string | undefined {
    return this.#tip;
  }

  /** In the order in which they were written. */
  take(entry: SessionEntry): void {
    this.#entries.push(entry);
    this.#byId.set(entry.id, entry);
    if (entry.type !== 'tip') this.#tip = entry.id;
    else this.moveTip(entry.entry);
  }

  /** To an entry that is not known it does not move. */
  moveTip(entry: string): void {
    if (this.has(entry)) this.#tip = entry;
  }

  has(id: string): boolean {
    const entry = this.#byId.get(id);
    return entry !== undefined && entry.type !== 'tip';
  }

  path(to = this.#tip): readonly SessionEntry[] {
    const path: SessionEntry[] = [];
    for (let at = to; at !== undefined; ) {
      const entry = this.#byId.get(at);
      if (entry === undefined) throw new Error(`Session ${this.#session} has no entry ${at}`);
      path.push(entry);
      at = entry.parent;
    }
    return path.reverse();
  }

  context(): readonly SessionEntry[] {
    const path = this.path();
    const last = path.findLastIndex(({ type }) => type === 'summary');
    const summary = path[last];
    if (summary?.type !== 'summary') return path;
    const first = summary.first === undefined ? last : path.findIndex(({ id }) => id === summary.first);
    return [summary, ...path.slice(first < 0 ? last : first).filter((entry) => entry !== summary && entry.type !== 'summary')];
  }

  /** With the tips that were moved. */
  written(): readonly SessionEntry[] {
    return this.#entries;
  }

  entries(): readonly SessionEntry[] {
    return this.#entries.filter(({ type }) => type !== 'tip');
  }
}
