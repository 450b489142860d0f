/**
 * Files that travel within a backup of the store, in a table of their own: so a backup is one file, which has its name when all of it is there. The table is gone before a restored copy becomes the store, and its bytes with it: one
 * of them may be a key.
 */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { Fault } from '@warren/protocol';
import { Database, storeFault } from './database.ts';

export type BackupFile = {
  /** Below the state directory, with slashes. Whoever places it checks it. */
  readonly path: string;
  readonly bytes: Uint8Array;
};

const TABLE = 'backup_files';
const FILES_MAX = 20_000;
const BYTES_MAX = 67_108_864;

/** To a backup that `Store.backup` made. On disk when it returns. Faults: `too_large`, `storage_full`. */
export function addBackupFiles(backup: string, files: readonly BackupFile[]): void {
  const bytes = files.reduce((sum, file) => sum + file.bytes.byteLength, 0);
  if (files.length > FILES_MAX || bytes > BYTES_MAX)
    throw new Fault('too_large', `Cannot back up ${files.length} files of ${bytes} bytes: ${FILES_MAX} of ${BYTES_MAX} bytes are allowed`);
  const database = new Database(backup, { isReadOnly: false });
  try {
    database.execute('BEGIN IMMEDIATE');
    database.execute(`CREATE TABLE ${TABLE} (path TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID`);
    const insert = database.change(`INSERT INTO ${TABLE} (path, bytes) VALUES (?, ?)`);
    for (const file of files) insert.run(file.path, file.bytes);
    database.execute('COMMIT');
  } catch (error) {
    throw storeFault(error, `write ${backup}`);
  } finally {
    database.close();
  }
  const file = openSync(backup, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Takes them out. Nothing where there are none: backups of earlier versions have none. Faults: `too_large`. */
export function takeBackupFiles(database: Database): readonly BackupFile[] {
  if (database.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(TABLE) === undefined) return [];
  const { count, bytes } = database.query(`SELECT count(*) AS count, total(length(bytes)) AS bytes FROM ${TABLE}`).get() ?? {};
  if (Number(count) > FILES_MAX || Number(bytes) > BYTES_MAX)
    throw new Fault('too_large', `Cannot restore ${count} files of ${bytes} bytes: ${FILES_MAX} of ${BYTES_MAX} bytes are allowed`);
  const files = database.query(`SELECT path, bytes FROM ${TABLE} ORDER BY path`).all();
  database.execute(`DROP TABLE ${TABLE}`);
  return files.map((row) => ({ path: String(row['path']), bytes: row['bytes'] as Uint8Array })); // A BLOB.
}
