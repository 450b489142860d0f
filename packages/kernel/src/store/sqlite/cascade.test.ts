/** Deleting a workspace deletes everything of it. That nobody forgets it for a new table is checked by looking at the tables, not at a list of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MIGRATIONS } from '../migrations/index.ts';
import { Database } from './database.ts';
import { migrate } from './migrate.ts';

it('every table with rows of a workspace loses them with it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warren-cascade-'));
  const database = new Database(join(directory, 'cascade.db'), { isReadOnly: false });
  try {
    migrate(database, MIGRATIONS, { isReadOnly: false });
    const tables = database.query(`SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'`).all(); // biome-ignore format: one line
    const ofWorkspaces = tables.map(({ name }) => String(name)).filter((name) => hasColumn(database, name, 'ws') && name !== 'workspaces');
    expect(ofWorkspaces).toEqual(expect.arrayContaining(['calls', 'approvals', 'allow_rules', 'counters', 'taints', 'state', 'state_versions', 'state_scopes', 'alerts'])); // biome-ignore format: one line
    const gone = new Set(['workspaces', 'messages']); // Messages go by a trigger, as their migration says.
    for (let before = 0; before < gone.size; ) {
      before = gone.size;
      for (const name of ofWorkspaces) if (cascadesFrom(database, name).some((parent) => gone.has(parent))) gone.add(name);
    }
    expect(ofWorkspaces.filter((name) => !gone.has(name))).toEqual([]);
  } finally {
    database.close();
    rmSync(directory, { recursive: true, force: true });
  }
});

it('a workspace that is deleted takes its rows, and those of others stay', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warren-cascade-'));
  const database = new Database(join(directory, 'cascade.db'), { isReadOnly: false });
  try {
    migrate(database, MIGRATIONS, { isReadOnly: false });
    for (const ws of [1, 2]) {
      database.execute(`INSERT INTO workspaces (ws, id, created_at, settings) VALUES (${ws}, 'w${ws}', 1, '{}');
        INSERT INTO calls (ws, id, pid, capability, version, effect, state, hash, created_at, attempts, record) VALUES (${ws}, 'a', 1, 'c', '1', 'read', 'open', 'h', 1, 1, '{}');
        INSERT INTO approvals (ws, id, state, call_id, pid, agent, capability, call_hash, input, terms, created_at, expires_at, votes) VALUES (${ws}, 'a', 'pending', 'a', 1, 'a', 'c', 'h', '{}', '{}', 1, 2, '[]');
        INSERT INTO allow_rules (ws, id, agent, capability, created_at, created_by, expires_at) VALUES (${ws}, 'r', 'a', 'c', 1, 'o', 2);
        INSERT INTO counters (ws, key, slice_at, amount, kept_until) VALUES (${ws}, 'k', 1, 1, 2);
        INSERT INTO taints (ws, pid, label, since) VALUES (${ws}, 1, 'web', 1);
        INSERT INTO state (ws, scope, key, version, size_bytes, created_at, updated_at, writer, owner, value) VALUES (${ws}, 'shared', 'k', 2, 1, 1, 1, '', '', '1');
        INSERT INTO state_versions (ws, scope, key, version, size_bytes, at, writer, value) VALUES (${ws}, 'shared', 'k', 1, 1, 1, '', '1');
        INSERT INTO state_scopes (ws, scope, bytes, keys) VALUES (${ws}, 'shared', 2, 1);
        INSERT INTO alerts (ws, id, agent, message, severity, context, created_at) VALUES (${ws}, 'a', '', 'm', 'info', '{}', 1);`);
    }
    database.execute('DELETE FROM workspaces WHERE ws = 1');
    for (const name of ['calls', 'approvals', 'allow_rules', 'counters', 'taints', 'state', 'state_versions', 'state_scopes', 'alerts']) {
      expect(database.query(`SELECT ws FROM ${name}`).all().map(({ ws }) => ws)).toEqual([2]); // biome-ignore format: one line
    }
  } finally {
    database.close();
    rmSync(directory, { recursive: true, force: true });
  }
});

function hasColumn(database: Database, table: string, column: string): boolean {
  return database.query('SELECT 1 FROM pragma_table_info(?) WHERE name = ?').get(table, column) !== undefined;
}

function cascadesFrom(database: Database, table: string): readonly string[] {
  const rows = database.query(`SELECT "table" AS parent FROM pragma_foreign_key_list(?) WHERE on_delete = 'CASCADE'`).all(table);
  return rows.map(({ parent }) => String(parent));
}
