import type { WorkspaceId } from '@warren/protocol';
import type { WorkspaceRow, WorkspaceTable } from '../tables/workspace-table.ts';
import { parseObject } from './columns.ts';
import type { Database, Row } from './database.ts';

/** Whatever happens in a workspace leaves a row in one of these. */
const TABLES = [
  'events',
  'processes',
  'queue',
  'reservations',
  'boxes',
  'state_scopes',
  'approvals',
  'calls',
  'bodies',
  'alerts',
  'counters',
];
/** Each index is asked for the next workspace and not walked: of a million rows of one workspace one is looked at. */
const NEXT = TABLES.map((table) => `SELECT min(ws) FROM ${table} WHERE ws > found.ws`).map(
  (one) => `ifnull((${one}), ${Number.MAX_SAFE_INTEGER})`,
);
const USED = `WITH RECURSIVE found (ws) AS (VALUES (0) UNION ALL SELECT min(${NEXT.join(', ')}) FROM found WHERE ws < ${Number.MAX_SAFE_INTEGER})
  SELECT workspaces.id FROM found JOIN workspaces USING (ws) WHERE id NOT GLOB '~*' ORDER BY id`;

/**
 * One whose deletion has begun keeps its row until nothing else of it is left, under an id that nobody can ask for: a tilde, its number, a tilde, and what it was called. So a crash finds it again, and
 * needs no table for that.
 */
export class SqliteWorkspaceTable implements WorkspaceTable {
  readonly #find;
  readonly #list;
  readonly #insert;
  readonly #update;
  readonly #key;
  readonly #alike;
  readonly #used;
  readonly #retired;
  readonly #retiredRows;
  readonly #rename;
  readonly #remove;
  readonly #adopt;
  readonly #ended;
  readonly #onRetire: (id: WorkspaceId) => void;

  /** `onRetire` is called within the transaction: what is remembered of it is of one that is gone. */
  constructor(database: Database, onRetire: (id: WorkspaceId) => void) {
    this.#onRetire = onRetire;
    this.#find = database.query('SELECT id, created_at, settings FROM workspaces WHERE id = ?');
    this.#list = database.query("SELECT id, created_at, settings FROM workspaces WHERE id NOT GLOB '~*' ORDER BY id");
    this.#key = database.query('SELECT ws FROM workspaces WHERE id = ?');
    this.#insert = database.change('INSERT INTO workspaces (id, created_at, settings) VALUES (?, ?, ?)');
    this.#alike = database.query('SELECT id FROM workspaces WHERE id = ? COLLATE NOCASE AND id <> ?');
    this.#used = database.query(USED);
    this.#retired = database.query("SELECT id FROM workspaces WHERE id GLOB '~*' ORDER BY ws");
    this.#retiredRows = database.query('SELECT ws FROM workspaces WHERE id GLOB ? ORDER BY ws');
    this.#rename = database.change("UPDATE workspaces SET id = '~' || ws || '~' || id, settings = '{}' WHERE id = ?");
    this.#adopt = database.change('UPDATE workspaces SET id = ?, settings = ? WHERE ws = ?');
    this.#remove = database.change('DELETE FROM workspaces WHERE ws = ?');
    this.#ended = ['data_keys', 'tokens', 'people'].map((table) => database.change(`DELETE FROM ${table} WHERE ws = ?`));
    this.#update = database.change('UPDATE workspaces SET settings = ? WHERE id = ?');
  }

  /** The number that stands for it in every table. */
  keyOf(id: WorkspaceId): number | undefined {
    const key = this.#key.get(id)?.['ws'];
    return key === undefined ? undefined : Number(key);
  }

  find(id: WorkspaceId): WorkspaceRow | undefined {
    const row = this.#find.get(id);
    return row === undefined ? undefined : readWorkspace(row);
  }

  list(): readonly WorkspaceRow[] {
    return this.#list.all().map(readWorkspace);
  }

  insert(row: WorkspaceRow): void {
    this.#insert.run(row.id, row.createdAt, JSON.stringify(row.settings));
  }

  update(row: WorkspaceRow): void {
    this.#update.run(JSON.stringify(row.settings), row.id);
  }

  used(): readonly WorkspaceId[] {
    return this.#used.all().map((row) => row['id'] as WorkspaceId); // Only valid ones were inserted.
  }

  findAlike(id: WorkspaceId): WorkspaceId | undefined {
    return this.#alike.get(id, id)?.['id'] as WorkspaceId | undefined; // Only valid ones were inserted; a retired one has a tilde and is like none.
  }

  retired(): readonly WorkspaceId[] {
    const ids = this.#retired.all().map((row) => String(row['id']).replace(/^~\d+~/, '') as WorkspaceId); // As above.
    return [...new Set(ids)];
  }

  retire(id: WorkspaceId): void {
    const ws = this.keyOf(id);
    if (ws === undefined) throw new Error(`No workspace ${id} to retire`);
    for (const each of this.#ended) each.run(ws);
    this.#rename.run(id);
    this.#onRetire(id);
  }

  adopt(row: WorkspaceRow): void {
    const [ws] = this.retiredKeysOf(row.id);
    if (ws === undefined) throw new Error(`No retired workspace ${row.id} to adopt`);
    this.#adopt.run(row.id, JSON.stringify(row.settings), ws);
    this.#onRetire(row.id);
  }

  /** The numbers that stood for it. */
  retiredKeysOf(id: WorkspaceId): readonly number[] {
    return this.#retiredRows.all(`~*~${id}`).map((row) => Number(row['ws']));
  }

  /** With whatever rows of it are left. */
  removeRetired(ws: number): void {
    this.#remove.run(ws);
  }
}

function readWorkspace(row: Row): WorkspaceRow {
  return {
    id: row['id'] as WorkspaceId, // Only valid ones were inserted.
    createdAt: Number(row['created_at']),
    settings: parseObject(row['settings']),
  };
}
