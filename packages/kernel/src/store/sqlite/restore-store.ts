/**
 * Puts a backup in the place of a store. Everything is checked on a copy first, and the copy takes the place in one step: whenever this is
 * cut off, the state directory has the old store or the new one. The old one stays beside it.
 */
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '@warren/protocol';
import { MIGRATIONS } from '../migrations/index.ts';
import type { Migration } from '../migrations/migration.ts';
import { type BackupFile, takeBackupFiles } from './backup-files.ts';
import { Database, storeFault } from './database.ts';
import { APPLICATION_ID, migrate } from './migrate.ts';
import { StateLock } from './state-lock.ts';

const STORE_FILE = 'kernel.db';
const COPY_PREFIX = `${STORE_FILE}.restoring-`;

export type RestoreOptions = {
  /** The state directory; made, with mode 0700, if it is missing. */
  readonly directory: string;
  readonly backup: string;
  /** Also when there is a store. */
  readonly isForced: boolean;
  /** What the old store is called from now on, after `kernel.db.before-restore-`. */
  readonly suffix: string;
  readonly migrations?: readonly Migration[] | undefined;
  /** Puts the files that came with it in their places, right before the store takes its own. Nothing of the store has changed when it throws. */
  readonly place?: ((files: readonly BackupFile[]) => void) | undefined;
};

export type Restored = { readonly schemaVersion: number; readonly bytes: number; readonly keptAs: string | undefined };

/**
 * Throws `busy` (somebody has the state directory open), `already_exists` (there is a store), `not_found`, `invalid_argument` (the file is no
 * backup), `schema_mismatch` (it is of a newer version), `store_failed` (it is damaged), `storage_full`. Then nothing has changed.
 */
export async function restoreStore(options: RestoreOptions): Promise<Restored> {
  const { directory, backup, isForced, suffix } = options;
  requireDatabase(backup);
  using _lock = StateLock.take(directory);
  const path = join(directory, STORE_FILE);
  const isThere = existsSync(path);
  if (isThere && !isForced) throw new Fault('already_exists', `Cannot restore to ${directory}: there is a store`, { details: { path } });
  for (const name of readdirSync(directory)) if (name.startsWith(COPY_PREFIX)) rmSync(join(directory, name), { force: true }); // Of one that was cut off.
  const copy = join(directory, `${COPY_PREFIX}${process.pid}`);
  try {
    await copyBackup(backup, copy);
    const { schemaVersion, bytes, files } = checkBackup(copy, backup, options.migrations ?? MIGRATIONS);
    options.place?.(files);
    const keptAs = isThere ? keepOld(path, `${path}.before-restore-${suffix}`) : undefined;
    for (const rest of ['-wal', '-shm']) rmSync(path + rest, { force: true }); // Of the old store; it would be taken for a part of the new one.
    renameSync(copy, path);
    sync(directory);
    return { schemaVersion, bytes, keptAs };
  } catch (error) {
    throw storeFault(error, `restore ${backup}`);
  } finally {
    for (const rest of ['', '-wal', '-shm']) rmSync(copy + rest, { force: true });
  }
}

/** The header says what it is (sqlite.org/fileformat.html). Whose it is may still stand in a log beside it. */
function requireDatabase(backup: string): void {
  const header = Buffer.alloc(16);
  let file: number;
  try {
    file = openSync(backup, constants.O_RDONLY | constants.O_NONBLOCK); // Does not wait for a named pipe.
  } catch (cause) {
    const errno = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    throw new Fault('not_found', `Cannot restore ${backup}: it cannot be read (${errno})`, { cause, details: { path: backup, errno } });
  }
  try {
    if (readSync(file, header) === header.length && header.toString('latin1') === 'SQLite format 3\0') return;
  } catch {
    // A directory, say.
  } finally {
    closeSync(file);
  }
  throw noBackup(backup);
}

function noBackup(backup: string): Fault {
  return new Fault('invalid_argument', `Cannot restore ${backup}: it is no backup of a store`, { details: { path: backup } });
}

async function copyBackup(backup: string, copy: string): Promise<void> {
  await copyFile(backup, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  chmodSync(copy, 0o600);
  // A store that was copied by hand has a log beside it, with what came last.
  if (existsSync(`${backup}-wal`)) await copyFile(`${backup}-wal`, `${copy}-wal`, constants.COPYFILE_FICLONE);
}

/** What SQLite says of the copy is said of the backup: nobody knows the copy. */
function checkBackup(copy: string, backup: string, migrations: readonly Migration[]): ReturnType<typeof checkCopy> {
  try {
    return checkCopy(copy, backup, migrations);
  } catch (error) {
    const fault = storeFault(error, `restore ${backup}`);
    if (!(fault instanceof Fault) || !DAMAGES.has(sqliteKind(fault))) throw fault;
    const details = { ...fault.details, path: backup };
    throw new Fault('store_failed', `Cannot restore ${backup}: it is damaged, or only a part of a backup`, { cause: fault, details });
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB (sqlite.org/rescode.html). */
const DAMAGES: ReadonlySet<number> = new Set([11, 26]);

function sqliteKind(fault: Fault): number {
  const details: Readonly<Record<string, unknown>> = fault.details ?? {};
  return Number(details['sqlite']) & 0xff;
}

/** Brings the copy to the newest shape, as the next start would. Closing it leaves one file, which is on disk. */
function checkCopy(
  copy: string,
  backup: string,
  migrations: readonly Migration[],
): { readonly schemaVersion: number; readonly bytes: number; readonly files: readonly BackupFile[] } {
  const database = new Database(copy, { isReadOnly: false });
  try {
    const [problem] = database.query('PRAGMA integrity_check(1)').all();
    const found = String(problem?.['integrity_check']);
    if (found !== 'ok')
      throw new Fault('store_failed', `Cannot restore ${backup}: it is damaged (${found})`, { details: { path: backup } });
    if (database.query('PRAGMA application_id').get()?.['application_id'] !== APPLICATION_ID) throw noBackup(backup);
    const files = takeBackupFiles(database);
    const schemaVersion = migrate(database, migrations, { isReadOnly: false });
    const bytes = Number(
      database.query('SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()').get()?.['bytes'],
    );
    database.close();
    sync(copy);
    return { schemaVersion, bytes, files };
  } finally {
    database.close();
  }
}

/** Gives the old store a second name. What is in its log comes along; a damaged one may not let that happen, and then the log is kept too. */
function keepOld(path: string, aside: string): string {
  for (const rest of ['', '-wal'])
    if (existsSync(aside + rest)) throw new Fault('already_exists', `Cannot keep the old store as ${aside}: it exists`);
  try {
    new Database(path, { isReadOnly: false }).close();
  } catch {
    // Whatever is wrong with it is why somebody restores.
  }
  linkSync(path, aside);
  if (existsSync(`${path}-wal`)) linkSync(`${path}-wal`, `${aside}-wal`);
  return aside;
}

function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
