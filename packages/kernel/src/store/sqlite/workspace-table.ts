import type { WorkspaceId } from '@warren/protocol';
import type { WorkspaceRow, WorkspaceTable } from '../tables/workspace-table.ts';
import { parseObject } from './columns.ts';
import type { Database, Row } from './database.ts';

export class SqliteWorkspaceTable implements WorkspaceTable {
  readonly #find;
  readonly #list;
  readonly #insert;
  readonly #update;
  readonly #key;

  constructor(database: Database) {
    this.#find = database.query('SELECT id, created_at, settings FROM workspaces WHERE id = ?');
    this.#list = database.query('SELECT id, created_at, settings FROM workspaces ORDER BY id');
    this.#key = database.query('SELECT ws FROM workspaces WHERE id = ?');
    this.#insert = database.change('INSERT INTO workspaces (id, created_at, settings) VALUES (?, ?, ?)');
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
}

function readWorkspace(row: Row): WorkspaceRow {
  return {
    id: row['id'] as WorkspaceId, // Only valid ones were inserted.
    createdAt: Number(row['created_at']),
    settings: parseObject(row['settings']),
  };
}
