import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { createClock } from '../../internal/clock.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import type { Migration } from '../migrations/migration.ts';
import { openSqliteStore, STORE_FILE } from './sqlite-store.ts';

class Directory implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'warren-migrate-'));

  open(migrations?: readonly Migration[], isReadOnly = false) {
    return openSqliteStore({ directory: this.path, clock: createClock(), migrations, isReadOnly });
  }

  get store(): string {
    return join(this.path, STORE_FILE);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

const NEXT: Migration = { number: MIGRATIONS.length + 1, name: 'next', sql: 'CREATE TABLE extra (a INTEGER) STRICT;' };

describe('migrations', () => {
  it('bring an older store to the newest shape and keep its rows', async () => {
    using directory = new Directory();
    const old = directory.open();
    await old.writeSystem(({ workspaces }) => workspaces.insert({ id: 'acme' as never, createdAt: 1, settings: {} })); // A valid id.
    await old.close();
    await using store = directory.open([...MIGRATIONS, NEXT]);
    expect(store.schemaVersion).toBe(NEXT.number);
    expect(await store.readSystem(({ workspaces }) => workspaces.list().length)).toBe(1);
  });

  it('find the events of a process that an older store kept, in each workspace', async () => {
    using directory = new Directory();
    await directory.open(MIGRATIONS.slice(0, 2)).close();
    const old = new DatabaseSync(directory.store);
    const insert = old.prepare("INSERT INTO events (ws, id, pid, at, kind, payload) VALUES (?, ?, ?, 0, 'a', '{}')");
    old.exec("INSERT INTO workspaces (id, created_at, settings) VALUES ('mine', 1, '{}'), ('acme', 1, '{}'), ('empty', 1, '{}')");
    const [mine, acme] = old.prepare('SELECT ws FROM workspaces ORDER BY ws').all();
    old.exec('BEGIN');
    for (let id = 1; id <= 1_300; id++) insert.run(Number(mine?.['ws']), id, id % 3 === 0 ? null : id % 3);
    for (let id = 701; id <= 1_024; id++) insert.run(Number(acme?.['ws']), id, 1);
    old.exec('COMMIT');
    old.close();
    await using store = directory.open();
    const idsOf = (id: string, pid: number) =>
      store.workspace(id as never).read(({ events }) => events.after(0, { pid }, 2_000).map((event) => event.id)); // A valid id.
    expect(await idsOf('mine', 2)).toEqual(Array.from({ length: 433 }, (_, index) => 2 + 3 * index));
    expect(await idsOf('acme', 1)).toEqual(Array.from({ length: 324 }, (_, index) => 701 + index));
    expect(await idsOf('empty', 1)).toEqual([]);
    expect(await store.check()).toEqual([]);
  });

  it('leave the store as it was when one of them fails', async () => {
    using directory = new Directory();
    await directory.open().close();
    const broken = { ...NEXT, sql: 'CREATE TABLE extra (a INTEGER) STRICT; INSERT INTO nowhere VALUES (1);' };
    expect(() => directory.open([...MIGRATIONS, broken])).toThrow(/nowhere/);
    await directory.open().close();
    await using store = directory.open([...MIGRATIONS, NEXT]);
    expect(store.schemaVersion).toBe(NEXT.number);
  });

  it('refuse a store of a newer version', async () => {
    using directory = new Directory();
    await directory.open([...MIGRATIONS, NEXT]).close();
    expect(() => directory.open()).toThrow(
      expect.objectContaining({ code: 'schema_mismatch', details: { expected: MIGRATIONS.length, found: NEXT.number } }),
    );
  });

  it('refuse a store made by a step that was changed since', async () => {
    using directory = new Directory();
    await directory.open([...MIGRATIONS, NEXT]).close();
    expect(() => directory.open([...MIGRATIONS, { ...NEXT, sql: `${NEXT.sql} -- changed` }])).toThrow(
      expect.objectContaining({ code: 'schema_mismatch' }),
    );
  });

  it('refuse a database that belongs to something else, and leave it alone', () => {
    using directory = new Directory();
    const other = new DatabaseSync(directory.store);
    other.exec('CREATE TABLE theirs (a INTEGER)');
    other.close();
    expect(() => directory.open()).toThrow(expect.objectContaining({ code: 'schema_mismatch' }));
    const again = new DatabaseSync(directory.store);
    expect(again.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count']).toBe(1);
    again.close();
  });

  it('are not applied to a store opened for reading: it says so instead', async () => {
    using directory = new Directory();
    await directory.open().close();
    expect(() => directory.open([...MIGRATIONS, NEXT], true)).toThrow(/older than this program/);
  });
});

describe('opening a store', () => {
  it('refuses a second writer with the pid of the first, and lets it in afterwards', async () => {
    using directory = new Directory();
    const first = directory.open();
    expect(() => directory.open()).toThrow(expect.objectContaining({ code: 'busy', details: { pid: process.pid } }));
    await using reader = directory.open(undefined, true);
    expect(await reader.readSystem(({ workspaces }) => workspaces.list())).toEqual([]);
    await first.close();
    await directory.open().close();
  });

  it('keeps everything from other users', async () => {
    using directory = new Directory();
    const inner = join(directory.path, 'state');
    await using store = openSqliteStore({ directory: inner, clock: createClock() });
    await store.readSystem(() => 0);
    expect([inner, join(inner, STORE_FILE)].map((path) => (statSync(path).mode & 0o777).toString(8))).toEqual(['700', '600']);
  });

  it('says what is wrong with what is no store', () => {
    using directory = new Directory();
    writeFileSync(directory.store, 'not a database, and long enough to have a header of its own '.repeat(20));
    expect(() => directory.open()).toThrow(expect.objectContaining({ code: 'store_failed', message: expect.stringContaining('damaged') }));
    expect(() => directory.open(undefined, true)).toThrow(expect.objectContaining({ code: 'store_failed' }));
  });

  it('says when there is nothing to read', () => {
    using directory = new Directory();
    expect(() => directory.open(undefined, true)).toThrow(expect.objectContaining({ code: 'not_found' }));
  });

  it('refuses a state directory that is a file', () => {
    using directory = new Directory();
    const path = join(directory.path, 'file');
    writeFileSync(path, '');
    chmodSync(path, 0o600);
    expect(() => openSqliteStore({ directory: path, clock: createClock() })).toThrow(expect.objectContaining({ code: 'store_failed' }));
  });
});
