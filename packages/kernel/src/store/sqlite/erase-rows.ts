/** Deletes the rows of one workspace in small steps, between which others write. Which tables there are is read from the database, so that none is forgotten. */
import type { Change, Database } from './database.ts';

/** Pieces of files are 256 KiB each; other rows are small. */
const ROWS_AT_ONCE = 500;
const PIECES_AT_ONCE = 16;
const TABLES_OF_PIECES: ReadonlySet<string> = new Set(['chunks', 'bodies']);

/** Statements that delete some rows of a workspace, those before that name rows of those after. Each is to be run, with the workspace, until it changes nothing. */
export function prepareErase(database: Database): readonly Change[] {
  const tables = database
    .query(
      "SELECT name FROM pragma_table_list AS t WHERE schema = 'main' AND type = 'table' AND name <> 'workspaces' AND EXISTS (SELECT 1 FROM pragma_table_info(t.name) WHERE name = 'ws')",
    )
    .all()
    .map(({ name }) => String(name));
  return inOrder(database, tables).map((table) => {
    const keys = database
      .query('SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk')
      .all(table)
      .map(({ name }) => String(name))
      .filter((name) => name !== 'ws');
    if (keys.length === 0) return database.change(`DELETE FROM ${table} WHERE ws = ?1`);
    const columns = keys.join(', ');
    // The newest first: a child names its parent, and was made after it.
    const some = `SELECT ${columns} FROM ${table} WHERE ws = ?1 ORDER BY ${keys.map((key) => `${key} DESC`).join(', ')}`;
    return database.change(
      `DELETE FROM ${table} WHERE ws = ?1 AND (${columns}) IN (${some} LIMIT ${TABLES_OF_PIECES.has(table) ? PIECES_AT_ONCE : ROWS_AT_ONCE})`,
    );
  });
}

/** Whoever names rows of another comes before it. */
function inOrder(database: Database, tables: readonly string[]): readonly string[] {
  const parentsOf = new Map(
    tables.map((table) => {
      const parents = database.query('SELECT DISTINCT "table" AS parent FROM pragma_foreign_key_list(?)').all(table);
      return [table, parents.map(({ parent }) => String(parent)).filter((parent) => parent !== table)] as const;
    }),
  );
  const ordered: string[] = [];
  for (let left = [...tables]; left.length > 0; ) {
    const free = left.filter((table) => !left.some((other) => parentsOf.get(other)?.includes(table)));
    if (free.length === 0) throw new Error(`Tables name each other in a circle: ${left.join(', ')}`);
    ordered.push(...free);
    left = left.filter((table) => !free.includes(table));
  }
  return ordered;
}
