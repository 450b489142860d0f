/** The index of the audit: a database of its own, which can be thrown away. Its shape is the contract of `audit/`, which this folder does not know. */
import { closeSync, openSync, rmSync } from 'node:fs';
import { Database, type Row } from './database.ts';

export type IndexRow = {
  readonly seq: number;
  readonly at: number;
  readonly workspace: string;
  readonly kind: string;
  readonly action: string;
  readonly outcome: string;
  readonly agent: string | undefined;
  readonly pid: number | undefined;
  readonly callId: string | undefined;
  readonly approvalId: string | undefined;
};

export type IndexRowQuery = {
  readonly workspace?: string | undefined;
  readonly kind?: string | undefined;
  /** Exact, or `category.*`. */
  readonly action?: string | undefined;
  readonly outcome?: string | undefined;
  readonly agent?: string | undefined;
  readonly pid?: number | undefined;
  readonly callId?: string | undefined;
  readonly approvalId?: string | undefined;
  readonly first: number;
  readonly last: number;
  readonly isNewestFirst: boolean;
  readonly limit: number;
};

const VERSION = 2;
const FORGOTTEN_AT_ONCE = 5_000;
/** What is written is at the end of each index, and searches are rare: the machine's own cache serves them. */
const CACHE_KIB = 4_096;

/** Nearly all entries are of calls. What a start looks for is of the few others, and it must not take longer for a long history. */
const BY_KIND = "CREATE INDEX entry_by_kind ON entry (kind, seq) WHERE kind <> 'syscall';";

const SCHEMA = `
  CREATE TABLE log (id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, size INTEGER NOT NULL) STRICT;
  CREATE TABLE entry (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, workspace TEXT NOT NULL, kind TEXT NOT NULL, action TEXT NOT NULL, outcome TEXT NOT NULL,
    agent TEXT, pid INTEGER, call_id TEXT, approval_id TEXT
  ) STRICT;
  CREATE INDEX entry_by_workspace ON entry (workspace, seq);
  CREATE INDEX entry_by_agent ON entry (agent, seq) WHERE agent IS NOT NULL;
  CREATE INDEX entry_by_call ON entry (call_id) WHERE call_id IS NOT NULL;
  CREATE INDEX entry_by_approval ON entry (approval_id) WHERE approval_id IS NOT NULL;
  CREATE INDEX entry_not_success ON entry (outcome, seq) WHERE outcome <> 'success';
  ${BY_KIND}
`;

/** A file that is no index, or of another version, is replaced. Faults: `store_failed`. */
export function openAuditIndex(path: string): SqliteAuditIndex {
  try {
    return new SqliteAuditIndex(path);
  } catch {
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true, recursive: true });
    return new SqliteAuditIndex(path); // Everything in it can be made again; what is wrong with the place itself comes up here.
  }
}

export class SqliteAuditIndex {
  readonly #database: Database;

  constructor(path: string) {
    closeSync(openSync(path, 'a', 0o600)); // SQLite's own files take the mode of this one.
    this.#database = new Database(path, { isReadOnly: false });
    try {
      this.#database.execute('PRAGMA synchronous = NORMAL'); // What a power failure takes back is made again.
      this.#database.execute(`PRAGMA cache_size = -${CACHE_KIB}`);
      this.#prepare();
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  #prepare(): void {
    const version = this.#database.query('SELECT user_version AS version FROM pragma_user_version').get()?.['version'];
    if (version === VERSION) return;
    if (version !== 0 && version !== 1) throw new Error(`The index of the audit has version ${String(version)}, not ${VERSION}`);
    this.#transact(() => this.#database.execute(`${version === 0 ? SCHEMA : BY_KIND} PRAGMA user_version = ${VERSION};`));
  }

  use(log: string): void {
    const found = this.#database.query('SELECT name FROM log WHERE id = 1').get()?.['name'];
    if (found === log) return;
    this.#transact(() => {
      this.#database.change('DELETE FROM entry').run();
      this.#database.change('INSERT OR REPLACE INTO log (id, name, size) VALUES (1, ?, 0)').run(log);
    });
  }

  size(): number {
    return Number(this.#sizeQuery.get()?.['size'] ?? 0);
  }

  add(entries: readonly IndexRow[]): void {
    const last = entries.at(-1);
    if (last === undefined) return;
    if (entries[0]?.seq !== this.size()) throw new Error(`Entry ${entries[0]?.seq} does not follow what is indexed`);
    this.#transact(() => {
      for (const entry of entries) {
        this.#insert.run(
          entry.seq,
          entry.at,
          entry.workspace,
          entry.kind,
          entry.action,
          entry.outcome,
          entry.agent ?? null,
          entry.pid ?? null,
          entry.callId ?? null,
          entry.approvalId ?? null,
        );
      }
      this.#setSize.run(last.seq + 1);
    });
  }

  skipTo(seq: number): void {
    this.#transact(() => this.#setSize.run(Math.max(seq, this.size())));
  }

  find(query: IndexRowQuery): readonly number[] {
    const { sql, values } = searchSql(query);
    return this.#query(sql)
      .all(...values)
      .map((row: Row) => Number(row['seq']));
  }

  /** Times never go back from one entry to the next, so they are searched by halves. */
  firstAt(at: number): number {
    const first = this.#first.get()?.['seq'];
    let [low, high] = [first === null || first === undefined ? this.size() : Number(first), this.size()];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (Number(this.#timeOf.get(middle)?.['at'] ?? 0) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  forget(before: number): boolean {
    let count = 0;
    this.#transact(() => {
      count = this.#delete.run(before, FORGOTTEN_AT_ONCE);
    });
    return count === FORGOTTEN_AT_ONCE;
  }

  /** Starts anew; purged entries are not known then either. */
  clear(): void {
    this.#transact(() => {
      this.#database.change('DELETE FROM entry').run();
      this.#setSize.run(0);
    });
  }

  close(): void {
    this.#database.close();
  }

  /** There are few shapes of queries, and preparing one takes longer than asking it. */
  #query(sql: string): ReturnType<Database['query']> {
    const known = this.#queries.get(sql);
    if (known !== undefined) return known;
    const query = this.#database.query(sql);
    this.#queries.set(sql, query);
    return query;
  }

  #transact(body: () => unknown): void {
    this.#database.execute('BEGIN IMMEDIATE');
    try {
      body();
      this.#database.execute('COMMIT');
    } catch (error) {
      if (this.#database.connection.isTransaction) this.#database.execute('ROLLBACK');
      throw error;
    }
  }

  readonly #queries = new Map<string, ReturnType<Database['query']>>();
  get #sizeQuery() {
    return this.#query('SELECT size FROM log WHERE id = 1');
  }
  get #first() {
    return this.#query('SELECT min(seq) AS seq FROM entry');
  }
  get #timeOf() {
    return this.#query('SELECT at FROM entry WHERE seq = ?');
  }
  get #insert() {
    return this.#change('INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  }
  get #setSize() {
    return this.#change('UPDATE log SET size = ? WHERE id = 1');
  }
  get #delete() {
    return this.#change('DELETE FROM entry WHERE seq IN (SELECT seq FROM entry WHERE seq < ? ORDER BY seq LIMIT ?)');
  }
  readonly #changes = new Map<string, ReturnType<Database['change']>>();
  #change(sql: string): ReturnType<Database['change']> {
    const known = this.#changes.get(sql);
    if (known !== undefined) return known;
    const change = this.#database.change(sql);
    this.#changes.set(sql, change);
    return change;
  }
}

export function searchSql(query: IndexRowQuery): { readonly sql: string; readonly values: readonly (string | number)[] } {
  const conditions = ['seq BETWEEN ? AND ?'];
  const values: (string | number)[] = [query.first, query.last];
  const is = (column: string, value: string | number | undefined): void => {
    if (value === undefined) return;
    conditions.push(`${column} = ?`);
    values.push(value);
  };
  is('workspace', query.workspace);
  is('kind', query.kind);
  is('outcome', query.outcome);
  is('agent', query.agent);
  is('pid', query.pid);
  is('call_id', query.callId);
  is('approval_id', query.approvalId);
  // So that their indexes fit.
  if (query.kind !== undefined && query.kind !== 'syscall') conditions.push("kind <> 'syscall'");
  if (query.outcome !== undefined && query.outcome !== 'success') conditions.push("outcome <> 'success'");
  if (query.action?.endsWith('.*') === true) {
    const category = query.action.slice(0, -1);
    conditions.push('action >= ? AND action < ?');
    values.push(category, `${category.slice(0, -1)}/`); // The character after the dot.
  } else {
    is('action', query.action);
  }
  const order = query.isNewestFirst ? 'DESC' : 'ASC';
  return { sql: `SELECT seq FROM entry WHERE ${conditions.join(' AND ')} ORDER BY seq ${order} LIMIT ?`, values: [...values, query.limit] };
}
