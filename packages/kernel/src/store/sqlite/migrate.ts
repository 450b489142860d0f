/** Brings a store to the newest shape, or refuses to touch it. */
import { createHash } from 'node:crypto';
import { Fault } from '@warren/protocol';
import type { Migration } from '../migrations/migration.ts';
import type { Database } from './database.ts';
import { seedStatistics } from './seed-statistics.ts';

/** In the header of the file: this is a store of ours ("WRRN"). */
export const APPLICATION_ID = 0x5752524e;

/**
 * Applies what is missing, each migration in one transaction with its row. Throws `schema_mismatch` when the store is newer than this
 * program, is not ours, or was made by a migration that is not the one we know; then nothing was changed.
 */
export function migrate(database: Database, migrations: readonly Migration[], options: { readonly isReadOnly: boolean }): number {
  const newest = migrations.at(-1)?.number ?? 0;
  const applied = readApplied(database);
  checkHistory(applied, migrations, newest);
  if (options.isReadOnly) {
    if (applied.length < migrations.length)
      throw mismatch(newest, applied.length, 'it is older than this program; start the daemon once to upgrade it');
    return newest;
  }
  for (const migration of migrations.slice(applied.length)) apply(database, migration);
  return newest;
}

type Applied = { readonly number: number; readonly name: string; readonly checksum: string };

function readApplied(database: Database): readonly Applied[] {
  const id = Number(database.query('PRAGMA application_id').get()?.['application_id']);
  const tables = Number(database.query('SELECT count(*) AS count FROM sqlite_schema').get()?.['count']);
  if (tables === 0) return [];
  if (id !== APPLICATION_ID) throw mismatch('a store of Warren', 'another database', 'the file belongs to something else');
  return database
    .query('SELECT number, name, checksum FROM migrations ORDER BY number')
    .all()
    .map((row) => ({ number: Number(row['number']), name: String(row['name']), checksum: String(row['checksum']) }));
}

function checkHistory(applied: readonly Applied[], migrations: readonly Migration[], newest: number): void {
  const found = applied.at(-1)?.number ?? 0;
  if (found > newest) throw mismatch(newest, found, 'it was written by a newer version of Warren; upgrade this one');
  for (const [index, one] of applied.entries()) {
    const ours = migrations[index];
    if (ours === undefined || ours.number !== one.number || checksum(ours) !== one.checksum) {
      throw mismatch(newest, found, `its step ${one.number} (${one.name}) is not the one this version knows`);
    }
  }
}

function apply(database: Database, migration: Migration): void {
  database.execute('BEGIN IMMEDIATE');
  try {
    if (migration.number === 1) {
      database.execute(`PRAGMA application_id = ${APPLICATION_ID}`);
      database.execute('CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL) STRICT');
    }
    database.execute(migration.sql);
    seedStatistics(database);
    database
      .change('INSERT INTO migrations (number, name, checksum) VALUES (?, ?, ?)')
      .run(migration.number, migration.name, checksum(migration));
    database.execute('COMMIT');
  } catch (error) {
    if (database.connection.isTransaction) database.execute('ROLLBACK');
    throw error;
  }
}

export function checksum(migration: Migration): string {
  return createHash('sha256').update(`${migration.number}\0${migration.name}\0${migration.sql}`).digest('hex');
}

function mismatch(expected: number | string, found: number | string, why: string): Fault {
  return new Fault('schema_mismatch', `Cannot use the store: ${why} (expected ${expected}, found ${found})`, {
    details: { expected, found },
  });
}
