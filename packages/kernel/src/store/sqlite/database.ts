/** One SQLite connection: how it is opened, its prepared statements, and what its errors mean. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { Fault } from '@warren/protocol';

/** Older ones corrupt a write-ahead log that several connections use. */
const SQLITE_MINIMUM = [3, 51, 3];
const CACHE_KIB = 32_768;
/** Pages of 4 KiB. A checkpoint blocks the one writer, so it is worth being rare; the log stays near 32 MiB. */
const CHECKPOINT_PAGES = 8_000;
const BUSY_TIMEOUT_MS = 5_000;
/** Of text in the rows of one page. */
const PAGE_BYTES_MAX = 8_388_608;
/** Rows that one query remembers. When there are more it begins anew. */
const REMEMBERED_MAX = 4_096;

/** By column. Values are null, number, string or bytes. */
export type Row = Readonly<Record<string, SQLInputValue>>;

export type Query = {
  get(...values: SQLInputValue[]): Row | undefined;
  all(...values: SQLInputValue[]): Row[];
  /** A page for somebody outside: throws `too_large` when its rows have more than `PAGE_BYTES_MAX` together. */
  page(...values: SQLInputValue[]): Row[];
  /** One by one; the rest is not read when the caller stops. */
  each(...values: SQLInputValue[]): Iterable<Row>;
};
export type Change = {
  /** Returns how many rows changed. */
  run(...values: SQLInputValue[]): number;
  /** Returns what the statement is RETURNING. */
  all(...values: SQLInputValue[]): Row[];
};

export class Database {
  readonly #connection: DatabaseSync;
  /** Statements that wrote since the connection was opened: whether a body that failed has anything to undo. */
  writes = 0;
  /** Whether a transaction for writing is open. A write outside of one would be on its own, and unseen by the group. */
  isWriting = true;
  /** By table: what queries remember of it. */
  readonly #remembered = new Map<string, Map<string, Row | undefined>[]>();

  constructor(path: string, options: { readonly isReadOnly: boolean }) {
    try {
      this.#connection = new DatabaseSync(path, { readOnly: options.isReadOnly, timeout: BUSY_TIMEOUT_MS });
    } catch (error) {
      throw storeFault(error, `open ${path}`);
    }
    try {
      this.#configure(options.isReadOnly);
    } catch (error) {
      this.#connection.close();
      throw error instanceof Fault ? error : storeFault(error, `open ${path}`);
    }
  }

  #configure(isReadOnly: boolean): void {
    const version = String(this.query('SELECT sqlite_version() AS version').get()?.['version']);
    if (isOlder(version, SQLITE_MINIMUM)) {
      throw new Fault('unsupported', `Cannot use SQLite ${version}: versions before ${SQLITE_MINIMUM.join('.')} can damage the store`);
    }
    this.execute('PRAGMA foreign_keys = ON');
    this.execute(`PRAGMA cache_size = -${CACHE_KIB}`);
    this.execute('PRAGMA trusted_schema = OFF');
    this.execute('PRAGMA temp_store = MEMORY');
    if (isReadOnly) return;
    this.execute('PRAGMA journal_mode = WAL');
    this.execute('PRAGMA synchronous = FULL');
    // What is deleted is overwritten, in the page and when the page is freed: the bytes of a tenant go with the tenant.
    this.execute('PRAGMA secure_delete = ON');
    this.execute(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  }

  get connection(): DatabaseSync {
    return this.#connection;
  }

  /** A statement that reads. */
  query(sql: string): Query {
    const prepared = this.#prepareLater(sql);
    return {
      get: (...values) => getRow(prepared(), values),
      all: (...values) => allRows(prepared(), values),
      page: (...values) => pageRows(prepared(), values),
      each: (...values) => eachRow(prepared(), values),
    };
  }

  /**
   * A query that is asked the same thing all the time and remembers what it found, or that it found nothing, until something writes to one of `tables`: all that it reads, and all whose
   * rows take some of these with them when they are deleted.
   */
  remembered(sql: string, tables: readonly string[]): Pick<Query, 'get'> {
    const prepared = this.#prepareLater(sql);
    const known = new Map<string, Row | undefined>();
    for (const table of tables) this.#remembered.set(table, [...(this.#remembered.get(table) ?? []), known]);
    return {
      get: (...values) => {
        const key = JSON.stringify(values);
        const there = known.get(key);
        if (there !== undefined || known.has(key)) return there;
        const row = getRow(prepared(), values);
        if (known.size >= REMEMBERED_MAX) known.clear();
        known.set(key, row);
        return row;
      },
    };
  }

  /** What was read may have been undone, or written by somebody else. */
  forget(): void {
    for (const each of this.#remembered.values()) for (const known of each) known.clear();
  }

  /** A statement that writes. */
  change(sql: string): Change {
    const prepared = this.#prepareLater(sql);
    const table = tableOf(sql);
    const beginWrite = (): void => {
      if (!this.isWriting) throw new Error('A write outside a transaction');
      this.writes++;
      const remembered = this.#remembered.get(table);
      if (remembered !== undefined) for (const known of remembered) known.clear();
    };
    return {
      run: (...values) => {
        beginWrite();
        return Number(prepared().statement.run(...values).changes);
      },
      all: (...values) => {
        beginWrite();
        return allRows(prepared(), values);
      },
    };
  }

  /** There are hundreds of statements, and to prepare them all takes longer than to open the file. So each waits for its first use. */
  #prepareLater(sql: string): () => Prepared {
    let prepared: Prepared | undefined;
    return () => {
      prepared ??= prepare(this.#connection, sql);
      return prepared;
    };
  }

  execute(sql: string): void {
    this.#connection.exec(sql);
  }

  /** Brings the log into the file and cuts it to nothing; false when somebody reads from it now. Not within a transaction. */
  truncateLog(): boolean {
    this.execute('PRAGMA busy_timeout = 0'); // Whoever calls tries again; waiting here would keep everybody.
    try {
      return this.#connection.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'] === 0;
    } finally {
      this.execute(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    }
  }

  close(): void {
    if (this.#connection.isOpen) this.#connection.close();
  }
}

/** The one it writes to. */
function tableOf(sql: string): string {
  const table = /^\s*(?:INSERT(?: OR \w+)? INTO|UPDATE(?: OR \w+)?|DELETE FROM) (\w+)\b/.exec(sql)?.[1];
  if (table === undefined) throw new Error(`A statement that writes to no table that can be told: ${sql}`);
  return table;
}

type Prepared = { readonly statement: StatementSync; readonly toRow: (values: SQLInputValue[]) => Row };

/**
 * The binding gives out arrays far faster than objects, and an object that a function made for its columns is read far faster than one of the
 * binding's: all together a row of many columns takes a third of the time. The columns are those of our own statements.
 */
function prepare(connection: DatabaseSync, sql: string): Prepared {
  const statement = connection.prepare(sql);
  statement.setReturnArrays(true);
  const columns = statement.columns().map(({ name }, index) => `${JSON.stringify(name)}: values[${index}]`);
  return { statement, toRow: new Function('values', `return { ${columns.join(', ')} }`) as Prepared['toRow'] }; // As it was just written.
}

function getRow({ statement, toRow }: Prepared, parameters: SQLInputValue[]): Row | undefined {
  const values = statement.get(...parameters) as unknown as SQLInputValue[] | undefined; // It returns arrays.
  return values === undefined ? undefined : toRow(values);
}

function allRows({ statement, toRow }: Prepared, parameters: SQLInputValue[]): Row[] {
  return (statement.all(...parameters) as unknown as SQLInputValue[][]).map(toRow); // As above.
}

/** The limit of a page counts rows, and a row may be large. */
function pageRows(prepared: Prepared, parameters: SQLInputValue[]): Row[] {
  const rows: Row[] = [];
  let bytes = 0;
  for (const row of eachRow(prepared, parameters)) {
    for (const value of Object.values(row)) if (typeof value === 'string') bytes += value.length;
    if (bytes > PAGE_BYTES_MAX && rows.length > 0) {
      throw new Fault(
        'too_large',
        `Cannot list so much at once: ${rows.length} rows have ${bytes} bytes, the limit is ${PAGE_BYTES_MAX}; ask for fewer`,
      );
    }
    rows.push(row);
  }
  return rows;
}

function* eachRow({ statement, toRow }: Prepared, parameters: SQLInputValue[]): Generator<Row, void> {
  for (const values of statement.iterate(...parameters)) yield toRow(values as unknown as SQLInputValue[]); // As above.
}

/** What an error of SQLite means to a caller. Anything else is returned as it is: it is a defect or a fault already. */
export function storeFault(error: unknown, action: string): unknown {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return error;
  const primary = error.errcode & 0xff;
  const about = { cause: error, details: { sqlite: error.errcode } };
  switch (primary) {
    case 5: // SQLITE_BUSY
    case 6: // SQLITE_LOCKED
      return new Fault('busy', `Cannot ${action}: another process holds the store`, about);
    case 13: // SQLITE_FULL
      return new Fault('storage_full', `Cannot ${action}: the disk is full; nothing was written`, about);
    case 8: // SQLITE_READONLY
      return new Fault('store_failed', `Cannot ${action}: the store is read-only`, about);
    case 3: // SQLITE_PERM
    case 14: // SQLITE_CANTOPEN
      return new Fault('store_failed', `Cannot ${action}: the store cannot be opened (permissions, or a missing directory)`, about);
    case 11: // SQLITE_CORRUPT
    case 26: // SQLITE_NOTADB
      return new Fault('store_failed', `Cannot ${action}: the store is damaged; see: warren doctor --store`, about);
    case 10: // SQLITE_IOERR
      return new Fault('store_failed', `Cannot ${action}: the disk failed (${error.message})`, about);
    default:
      return error;
  }
}

function isOlder(version: string, minimum: readonly number[]): boolean {
  const parts = version.split('.').map(Number);
  for (const [index, least] of minimum.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}
