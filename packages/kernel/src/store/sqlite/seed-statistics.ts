/**
 * What the query planner believes about the tables. Without statistics it takes the rows of one workspace for a handful, since the workspace
 * comes first in every key, and walks all of them instead of using the index that was made for the question. Gathering statistics would
 * follow whatever the store holds by chance; these say once what is always so: a workspace has many rows, and each further column of an
 * index leaves fewer.
 */
import type { Database } from './database.ts';

const ROWS = 1_000_000;
const ROWS_OF_A_WORKSPACE = 100_000;
/** Rows left by each further column. */
const NARROWING = 50;
/** A partial index is there because few rows are in it. */
const PARTIAL = 100;

export function seedStatistics(database: Database): void {
  database.execute('ANALYZE'); // Makes the table of statistics.
  database.execute('DELETE FROM sqlite_stat1');
  const insert = database.change('INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)');
  for (const index of readIndexes(database)) insert.run(index.table, index.name, describe(index));
  database.execute('ANALYZE sqlite_schema'); // Reads it.
}

type Index = {
  readonly table: string;
  readonly name: string;
  readonly columns: number;
  readonly isUnique: boolean;
  readonly isPartial: boolean;
};

/** Rows in all, then rows alike in the first column, in the first two, and so on. */
function describe({ columns, isUnique, isPartial }: Index): string {
  const share = isPartial ? PARTIAL : 1;
  const alike = Array.from({ length: columns }, (_, column) =>
    isUnique && column === columns - 1 ? 1 : Math.max(1, Math.floor(ROWS_OF_A_WORKSPACE / share / NARROWING ** column)),
  );
  return [ROWS / share, ...alike].join(' ');
}

function readIndexes(database: Database): readonly Index[] {
  const rows = database
    .query(
      `SELECT tables.name AS tbl, indexes.name AS idx, indexes."unique" AS is_unique, indexes.partial AS is_partial, indexes.origin AS origin,
         (SELECT count(*) FROM pragma_index_info(indexes.name)) AS columns
       FROM pragma_table_list AS tables JOIN pragma_index_list(tables.name) AS indexes
       WHERE tables.schema = 'main' AND tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%'`,
    )
    .all();
  return rows.map((row) => ({
    table: String(row['tbl']),
    // The key of a table without row ids is the table itself.
    name: row['origin'] === 'pk' ? String(row['tbl']) : String(row['idx']),
    columns: Number(row['columns']),
    isUnique: Number(row['is_unique']) === 1,
    isPartial: Number(row['is_partial']) === 1,
  }));
}
