import type { SQLInputValue } from 'node:sqlite';
import type { GrantRow, GrantSet, GrantTable } from '../tables/grant-table.ts';
import { optional } from './columns.ts';
import type { Database, Row } from './database.ts';
import type { TableContext } from './table-context.ts';

/** Processes whose grants are remembered. */
const KNOWN_MAX = 1_000;
const COLUMNS = 'pid, grant_id, parent_grant_id, tools, paths, hosts, models, sub_agents, created_at';

/** Named in the statements: without statistics SQLite takes a workspace for a handful of rows and walks through all of them. */
const BY_PARENT = 'grants INDEXED BY grants_by_parent';

export type GrantStatements = ReturnType<typeof prepareGrants>;

export function prepareGrants(database: Database) {
  return {
    find: database.query(`SELECT ${COLUMNS} FROM grants WHERE ws = ? AND pid = ?`),
    children: database.query(`SELECT ${COLUMNS} FROM ${BY_PARENT} WHERE ws = ? AND parent_grant_id = ? ORDER BY pid`),
    insert: database.change(`INSERT INTO grants (ws, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    update: database.change('UPDATE grants SET tools = ?, paths = ?, hosts = ?, models = ?, sub_agents = ? WHERE ws = ? AND pid = ?'),
    moveChildren: database.change(`UPDATE ${BY_PARENT} SET parent_grant_id = ? WHERE ws = ? AND parent_grant_id = ?`),
    delete: database.change('DELETE FROM grants WHERE ws = ? AND pid = ?'),
  };
}

export class SqliteGrantTable implements GrantTable {
  readonly #statements: GrantStatements;
  readonly #context: TableContext;
  /** Grants by process, as they stand in the file or in the transaction that is open: each call asks, and they rarely change. When anything is undone this table goes too. */
  readonly #known = new Map<number, GrantRow>();

  constructor(statements: GrantStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }

  find(pid: number): GrantRow | undefined {
    const known = this.#known.get(pid);
    if (known !== undefined) return known;
    const row = this.#statements.find.get(this.#context.ws, pid);
    if (row === undefined) return undefined;
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    const grant = readGrant(row);
    this.#known.set(pid, grant);
    return grant;
  }

  children(grantId: number): readonly GrantRow[] {
    return this.#statements.children.all(this.#context.ws, grantId).map(readGrant);
  }

  insert(row: Omit<GrantRow, 'grantId'>): number {
    const grantId = this.#context.counters.take('grant');
    this.#statements.insert.run(this.#context.ws, row.pid, grantId, row.parentGrantId ?? null, ...setColumns(row), row.createdAt);
    return grantId;
  }

  update(pid: number, grants: GrantSet): void {
    this.#known.delete(pid);
    const changed = this.#statements.update.run(...setColumns(grants), this.#context.ws, pid);
    if (changed !== 1) throw new Error(`No grant of process ${pid} to update`);
  }

  delete(pid: number): void {
    const row = this.find(pid);
    if (row === undefined) throw new Error(`No grant of process ${pid} to delete`);
    this.#context.counters.keepFloor('grant');
    this.#known.clear(); // Its children have another parent.
    this.#statements.moveChildren.run(row.parentGrantId ?? null, this.#context.ws, row.grantId);
    this.#statements.delete.run(this.#context.ws, pid);
  }
}

function setColumns({ tools, paths, hosts, models, subAgents }: GrantSet): SQLInputValue[] {
  return [...[tools, paths, hosts, models].map((list) => JSON.stringify(list)), subAgents ? 1 : 0];
}

function readGrant(row: Row): GrantRow {
  return {
    pid: Number(row['pid']),
    grantId: Number(row['grant_id']),
    parentGrantId: optional(row['parent_grant_id'], Number),
    tools: readList(row['tools']),
    paths: readList(row['paths']),
    hosts: readList(row['hosts']),
    models: readList(row['models']),
    subAgents: row['sub_agents'] === 1,
    createdAt: Number(row['created_at']),
  };
}

/** Only lists we wrote ourselves stand in these columns. */
function readList<T>(value: SQLInputValue | undefined): readonly T[] {
  return JSON.parse(String(value)) as readonly T[]; // As above.
}
