/** The store on SQLite: one file, one writer, one connection. Transactions run one after the other, so no reader sees half of one. */
import { chmodSync, closeSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { backup } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, type WorkspaceId } from '@warren/protocol';
import type { Clock } from '../../internal/clock.ts';
import { type FaultPoints, NO_FAULTS } from '../../internal/fault-points.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import type { Migration } from '../migrations/migration.ts';
import type {
  CommitListener,
  ReadTransaction,
  RowBatch,
  Store,
  SystemReadTransaction,
  SystemTransaction,
  Transaction,
  WorkspaceStore,
} from '../store.ts';
import type { SecretBatch } from '../tables/secret-table.ts';
import { prepareWriteRows, readRows } from './copy-rows.ts';
import { Database, type Row, storeFault } from './database.ts';
import { prepareErase } from './erase-rows.ts';
import { GroupCommit, type Written } from './group-commit.ts';
import { migrate } from './migrate.ts';
import { SqlitePersonTable } from './person-table.ts';
import { prepareImportSecrets } from './secret-table.ts';
import { StateLock } from './state-lock.ts';
import { StoreWipe } from './store-wipe.ts';
import { CounterCache } from './table-context.ts';
import { SqliteTokenTable } from './token-table.ts';
import { prepareStatements, type Statements, WorkspaceRows } from './workspace-rows.ts';
import { SqliteWorkspaceTable } from './workspace-table.ts';

export const STORE_FILE = 'kernel.db';
/** Pages copied at a time by a backup; between two steps others write. */
const BACKUP_PAGES = 500;
/** Workspaces whose tables are held ready. When there are more it begins anew. */
const ROWS_MAX = 1_024;
const TRUNCATE_ATTEMPTS_MAX = 100;
const TRUNCATE_PAUSE_MS = 50;

export type SqliteStoreOptions = {
  /** The state directory; made, with mode 0700, if it is missing. */
  readonly directory: string;
  readonly clock: Clock;
  /** Looks without the right to write and without keeping others out. The store must exist. */
  readonly isReadOnly?: boolean | undefined;
  readonly faults?: FaultPoints | undefined;
  readonly isRehearsing?: boolean | undefined;
  readonly migrations?: readonly Migration[] | undefined;
  /** A larger file is not written anew while others work, but when it is opened again. */
  readonly rewrittenBytesMax?: number | undefined;
};

/** Throws `busy` (somebody else writes here), `schema_mismatch`, `store_failed`, `unsupported`, `not_found` (read-only, and there is none). */
export function openSqliteStore(options: SqliteStoreOptions): Store {
  const isReadOnly = options.isReadOnly ?? false;
  const path = join(options.directory, STORE_FILE);
  if (isReadOnly) requireStore(path);
  const lock = isReadOnly ? undefined : takeLock(options.directory);
  let database: Database | undefined;
  try {
    database = new Database(path, { isReadOnly });
    if (!isReadOnly) chmodSync(path, 0o600);
    const schemaVersion = migrate(database, options.migrations ?? MIGRATIONS, { isReadOnly });
    const wiping = new StoreWipe(database, path, options.rewrittenBytesMax);
    if (!isReadOnly) wiping.settle();
    return new SqliteStore({ ...options, isReadOnly, path, database, lock, schemaVersion, wiping });
  } catch (error) {
    database?.close();
    lock?.[Symbol.dispose]();
    throw storeFault(error, `open ${path}`);
  }
}

function requireStore(path: string): void {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    throw new Fault('not_found', `Cannot read ${path}: there is no store yet; the daemon makes one when it starts`, { details: { path } });
  }
}

function takeLock(directory: string): StateLock {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return StateLock.take(directory);
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault('store_failed', `Cannot use the state directory ${directory}: ${reason(error)}`, {
      cause: error,
      details: { path: directory },
    });
  }
}

type Parts = SqliteStoreOptions & {
  readonly isReadOnly: boolean;
  readonly path: string;
  readonly database: Database;
  readonly lock: StateLock | undefined;
  readonly schemaVersion: number;
  readonly wiping: StoreWipe;
};

class SqliteStore implements Store {
  readonly schemaVersion: number;
  readonly #parts: Parts;
  readonly #database: Database;
  readonly #wiping: StoreWipe;
  readonly #statements: Statements;
  readonly #workspaces: SqliteWorkspaceTable;
  readonly #tokens: SqliteTokenTable;
  readonly #people: SqlitePersonTable;
  #systemNow = 0;
  readonly #counters: CounterCache;
  readonly #commits: GroupCommit;
  readonly #rows = new Map<WorkspaceId, WorkspaceRows>();
  readonly #listeners = new Set<CommitListener>();
  #isClosed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.schemaVersion = parts.schemaVersion;
    this.#database = parts.database;
    this.#wiping = parts.wiping;
    this.#statements = prepareStatements(parts.database);
    this.#workspaces = new SqliteWorkspaceTable(parts.database, (id) => {
      this.#rows.delete(id);
      this.#database.forget(); // Rows went with others.
    });
    this.#tokens = new SqliteTokenTable(this.#statements.tokens, { workspace: undefined, now: () => this.#systemNow });
    this.#people = new SqlitePersonTable(parts.database, () => this.#systemNow);
    this.#counters = new CounterCache(parts.database);
    this.#database.isWriting = false;
    this.#commits = new GroupCommit({
      database: parts.database,
      faults: parts.faults ?? NO_FAULTS,
      onCommit: (written) => this.#tell(written),
      onUndo: () => this.#forget(),
      isRehearsing: parts.isRehearsing ?? false,
    });
  }

  workspace(id: WorkspaceId): WorkspaceStore {
    return {
      id,
      write: (body) => this.#write(id, body),
      read: (body) => this.#read(id, body),
    };
  }

  async #write<T>(id: WorkspaceId, body: (transaction: Transaction) => T): Promise<T> {
    this.#requireWritable();
    let now: number | undefined; // A body that runs again does so at the same time.
    return (await this.#commits.submit({
      run: () => {
        now ??= this.#parts.clock.now();
        const { value, events, bytes } = this.#rowsOf(id).run(now, body);
        return { value, written: events.length === 0 ? undefined : { workspace: id, events, bytes } };
      },
    })) as T; // The group gives back what the body returned.
  }

  async #read<T>(id: WorkspaceId, body: (transaction: ReadTransaction) => T): Promise<T> {
    return this.#look(() => this.#rowsOf(id).run(this.#parts.clock.now(), body).value);
  }

  async writeSystem<T>(body: (transaction: SystemTransaction) => T): Promise<T> {
    this.#requireWritable();
    let now: number | undefined; // As above.
    return (await this.#commits.submit({
      run: () => {
        now ??= this.#parts.clock.now();
        return { value: body(this.#system(now)), written: undefined };
      },
    })) as T; // As above.
  }

  async readSystem<T>(body: (transaction: SystemReadTransaction) => T): Promise<T> {
    return this.#look(() => body(this.#system(this.#parts.clock.now())));
  }

  onCommit(listener: CommitListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  async backup(path: string, options: Parameters<Store['backup']>[1] = {}): Promise<void> {
    this.#requireOpen();
    claimFile(path);
    try {
      await backup(this.#database.connection, path, {
        rate: BACKUP_PAGES,
        progress: ({ totalPages, remainingPages }: { totalPages: number; remainingPages: number }) => {
          options.signal?.throwIfAborted();
          options.onProgress?.(totalPages === 0 ? 1 : 1 - remainingPages / totalPages);
        },
      });
    } catch (error) {
      rmSync(path, { force: true }); // Half a copy is none.
      if (options.signal?.aborted === true) throw new Fault('aborted', `Cannot back up to ${path}: it was aborted`, { cause: error });
      throw storeFault(error, `back up to ${path}`);
    }
  }

  async eraseRetired(id: WorkspaceId, signal?: AbortSignal): Promise<void> {
    this.#requireWritable();
    const erasing = prepareErase(this.#database);
    for (const ws of this.#workspaces.retiredKeysOf(id)) {
      for (const some of erasing) {
        while (await this.#step(() => some.run(ws) > 0)) signal?.throwIfAborted();
      }
      this.#requireOpen();
      this.#wiping.wipe();
      await this.#truncateLog(signal);
      await this.#step(() => {
        this.#workspaces.removeRetired(ws);
        return false;
      });
    }
    await this.#truncateLog(signal);
  }

  async *exportRows(id: WorkspaceId, signal?: AbortSignal): AsyncGenerator<RowBatch, void> {
    this.#requireOpen();
    const ws = this.#workspaces.keyOf(id);
    if (ws === undefined)
      throw new Fault('not_found', `Cannot export workspace "${id}": it does not exist`, { details: { workspace: id } });
    // A connection of its own sees one moment, however long it takes.
    const reader = new Database(this.#parts.path, { isReadOnly: true });
    try {
      reader.execute('BEGIN');
      for (const batch of readRows(reader, ws)) {
        signal?.throwIfAborted();
        yield batch;
        await new Promise(setImmediate);
      }
    } catch (error) {
      throw storeFault(error, `export workspace "${id}"`);
    } finally {
      reader.close();
    }
  }

  async importRows(id: WorkspaceId, batch: RowBatch): Promise<void> {
    const write = prepareWriteRows(this.#database);
    await this.#import(id, `rows of ${batch.table}`, (ws) => write(ws, batch));
  }

  async importSecrets(id: WorkspaceId, batch: SecretBatch): Promise<void> {
    const write = prepareImportSecrets(this.#database);
    await this.#import(id, 'secrets', (ws) => write(ws, batch));
  }

  async #import(id: WorkspaceId, what: string, write: (ws: number) => void): Promise<void> {
    this.#requireWritable();
    const [ws] = this.#workspaces.retiredKeysOf(id);
    if (ws === undefined) throw new Error(`No retired workspace ${id} to import ${what} into`);
    try {
      await this.#step(() => {
        write(ws);
        return true;
      });
    } catch (error) {
      if (!isRefusedRow(error)) throw error;
      throw new Fault('invalid_argument', `Cannot import ${what}: they are not as a store has them (${error.message})`, { cause: error });
    }
  }

  async #step(body: () => boolean): Promise<boolean> {
    return (await this.#commits.submit({
      run: () => {
        this.#parts.faults?.reach('store.erase');
        return { value: body(), written: undefined };
      },
    })) as boolean; // As above.
  }

  /** The log has what was deleted since, until it is written anew. Whoever reads the store from outside keeps it for a moment. */
  async #truncateLog(signal: AbortSignal | undefined): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      this.#requireOpen();
      if (this.#database.truncateLog()) return;
      if (attempt === TRUNCATE_ATTEMPTS_MAX)
        throw new Fault('busy', 'Cannot wipe what was deleted from the log of the store: another process reads it');
      await sleep(TRUNCATE_PAUSE_MS, undefined, { ref: false });
      signal?.throwIfAborted();
    }
  }

  async check(): Promise<readonly string[]> {
    this.#requireOpen();
    return [...this.#checkPages(), ...this.#checkReferences()];
  }

  #checkPages(): readonly string[] {
    return this.#findings('PRAGMA integrity_check(100)', (row) => String(row['integrity_check'])).filter((line) => line !== 'ok');
  }

  #checkReferences(): readonly string[] {
    return this.#findings(
      'PRAGMA foreign_key_check',
      (row) => `a row of ${String(row['table'])} names a row of ${String(row['parent'])} that does not exist`,
    );
  }

  /** A file so damaged that the check itself fails is a finding too. */
  #findings(sql: string, tell: (row: Row) => string): readonly string[] {
    try {
      return this.#database.query(sql).all().map(tell);
    } catch (error) {
      const fault = storeFault(error, 'check the store');
      if (!(fault instanceof Fault)) throw fault;
      return [fault.message];
    }
  }

  async size(): Promise<number> {
    const sizes = await Promise.all(
      ['', '-wal'].map((suffix) =>
        stat(`${this.#parts.path}${suffix}`).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    ); // A log need not exist.
    return sizes.reduce((sum, each) => sum + each, 0);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    await this.#commits.end(closed());
    if (this.#isClosed) return; // Somebody else closed it meanwhile.
    this.#isClosed = true;
    this.#listeners.clear();
    this.#database.close();
    this.#parts.lock?.[Symbol.dispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #system(now: number): SystemTransaction {
    this.#systemNow = now;
    return { now: this.#systemNow, workspaces: this.#workspaces, tokens: this.#tokens, people: this.#people };
  }

  /** In a store that others write, a look of several statements needs a transaction of its own to see one moment. */
  #look<T>(body: () => T): T {
    this.#requireOpen();
    try {
      if (!this.#parts.isReadOnly) return body();
      this.#database.execute('BEGIN');
      try {
        return body();
      } finally {
        this.#database.execute('COMMIT');
        this.#forget();
      }
    } catch (error) {
      throw storeFault(error, 'read');
    }
  }

  #rowsOf(id: WorkspaceId): WorkspaceRows {
    const known = this.#rows.get(id);
    if (known !== undefined) return known;
    const ws = this.#workspaces.keyOf(id);
    if (ws === undefined) throw new Fault('not_found', `Cannot use workspace "${id}": it does not exist`, { details: { workspace: id } });
    const rows = new WorkspaceRows(id, ws, this.#statements, this.#counters.of(ws));
    if (this.#rows.size >= ROWS_MAX) this.#rows.clear();
    this.#rows.set(id, rows);
    return rows;
  }

  #tell(written: readonly Written[]): void {
    for (const { workspace, events, bytes } of written) {
      for (const listener of this.#listeners) tellSafely(() => listener(workspace, events, bytes));
    }
  }

  /** What is remembered may be of rows that were never written. */
  #forget(): void {
    this.#counters.forget();
    this.#database.forget();
    this.#rows.clear();
  }

  #requireOpen(): void {
    if (this.#isClosed) throw closed();
  }

  #requireWritable(): void {
    this.#requireOpen();
    if (this.#parts.isReadOnly) throw new Fault('store_failed', 'Cannot write: the store is open for reading only');
  }
}

/** What was committed stays committed: a listener's defect is its own, and surfaces where it cannot undo anything. */
function tellSafely(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** A constraint, a type, a number that does not fit. */
function isRefusedRow(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const code = 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
  return code === 19 || code === 20 || error instanceof RangeError || error instanceof TypeError;
}

/** Nobody else reads it, not even while it is being written. */
function claimFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') throw new Fault('already_exists', `Cannot back up to ${path}: it exists`, { details: { path } });
    throw new Fault('invalid_argument', `Cannot back up to ${path}: ${reason(error)}`, { cause: error, details: { path } });
  }
}

function closed(): Fault {
  return new Fault('aborted', 'Cannot use the store: it is closed');
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
