import type { SQLInputValue } from 'node:sqlite';
import type { NameFilter, NameRow, NameTable } from '../tables/name-table.ts';
import { parseObject } from './columns.ts';
import type { Database, Row } from './database.ts';
import { firstAfterPrefix } from './prefix-range.ts';
import type { TableContext } from './table-context.ts';

const COLUMNS = 'n.name, n.pid, n.tags, n.metadata, n.registered_at';

export type NameStatements = ReturnType<typeof prepareNames>;

export function prepareNames(database: Database) {
  return {
    database,
    find: database.query(`SELECT ${COLUMNS} FROM names AS n WHERE n.ws = ? AND n.name = ?`),
    insert: database.change('INSERT INTO names (ws, name, pid, tags, metadata, registered_at) VALUES (?, ?, ?, ?, ?, ?)'),
    insertTag: database.change('INSERT INTO name_tags (ws, tag, name) VALUES (?, ?, ?)'),
    delete: database.change('DELETE FROM names WHERE ws = ? AND name = ?'),
  };
}

export class SqliteNameTable implements NameTable {
  readonly #statements: NameStatements;
  readonly #context: TableContext;

  constructor(statements: NameStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }

  find(name: string): NameRow | undefined {
    const row = this.#statements.find.get(this.#context.ws, name);
    return row === undefined ? undefined : readName(row);
  }

  list(filter: NameFilter, { limit, offset }: { readonly limit: number; readonly offset: number }): readonly NameRow[] {
    const { from, values } = this.#matching(filter);
    return this.#statements.database
      .query(`SELECT ${COLUMNS} FROM ${from} ORDER BY n.name LIMIT ? OFFSET ?`)
      .page(...values, limit, offset)
      .map(readName);
  }

  count(filter: NameFilter): number {
    const { from, values } = this.#matching(filter);
    return Number(this.#statements.database.query(`SELECT count(*) AS count FROM ${from}`).get(...values)?.['count']);
  }

  insert({ name, pid, tags, metadata, registeredAt }: NameRow): void {
    const { ws } = this.#context;
    this.#statements.insert.run(ws, name, pid, JSON.stringify(tags), JSON.stringify(metadata), registeredAt);
    for (const tag of tags) this.#statements.insertTag.run(ws, tag, name);
  }

  delete(name: string): void {
    const deleted = this.#statements.delete.run(this.#context.ws, name);
    if (deleted !== 1) throw new Error(`No name ${name} to delete`);
  }

  /** Tables and conditions. A tag is looked up in its own index. */
  #matching({ prefix, tag, pid }: NameFilter): { readonly from: string; readonly values: SQLInputValue[] } {
    const { ws } = this.#context;
    const after = prefix === undefined ? undefined : firstAfterPrefix(prefix);
    const parts: readonly { readonly sql: string; readonly values: readonly SQLInputValue[] }[] = [
      ...(tag === undefined
        ? [{ sql: 'names AS n WHERE n.ws = ?', values: [ws] }]
        : [{ sql: 'name_tags AS t JOIN names AS n ON n.ws = t.ws AND n.name = t.name WHERE t.ws = ? AND t.tag = ?', values: [ws, tag] }]),
      ...(prefix === undefined ? [] : [{ sql: 'n.name >= ?', values: [prefix] }]),
      ...(after === undefined ? [] : [{ sql: 'n.name < ?', values: [after] }]),
      ...(pid === undefined ? [] : [{ sql: 'n.pid = ?', values: [pid] }]),
    ];
    return { from: parts.map(({ sql }) => sql).join(' AND '), values: parts.flatMap(({ values }) => values) };
  }
}

/** Only lists and objects we wrote ourselves stand in these columns. */
function readName(row: Row): NameRow {
  return {
    name: String(row['name']),
    pid: Number(row['pid']),
    tags: JSON.parse(String(row['tags'])) as readonly string[], // As above.
    metadata: parseObject(row['metadata']),
    registeredAt: Number(row['registered_at']),
  };
}
