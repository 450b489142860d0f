/** The rows of one workspace on their way to another store, and into this one. Tables and columns are read from the database, so that none is forgotten; what belongs to this machine alone stays. */
import { Fault } from '@warren/protocol';
import type { RowBatch, RowValue } from '../store.ts';
import type { Database } from './database.ts';

/** Tokens and people let somebody in here; secrets are sealed under keys of this vault, and travel by whoever can open them. */
const STAYS: ReadonlySet<string> = new Set(['tokens', 'people', 'data_keys', 'secrets', 'secret_versions']);
const BATCH_ROWS = 500;
const BATCH_BYTES = 1_048_576;

/** By table, those before whose rows others name. */
export function* readRows(database: Database, ws: number): Generator<RowBatch, void> {
  for (const { table, columns, keys } of copiedTables(database)) {
    const order = keys.length === 0 ? '' : ` ORDER BY ${keys.join(', ')}`;
    let rows: RowValue[][] = [];
    let bytes = 0;
    for (const row of database.query(`SELECT ${columns.join(', ')} FROM ${table} WHERE ws = ?${order}`).each(ws)) {
      const values = columns.map((column) => row[column] as RowValue); // What SQLite has.
      rows.push(values);
      for (const value of values) bytes += typeof value === 'string' ? value.length : value instanceof Uint8Array ? value.byteLength : 8;
      if (rows.length < BATCH_ROWS && bytes < BATCH_BYTES) continue;
      yield { table, columns, rows };
      rows = [];
      bytes = 0;
    }
    if (rows.length > 0) yield { table, columns, rows };
  }
}

/** Returns a function that writes a batch. Throws `invalid_argument` for what is not as a store of this version has it. */
export function prepareWriteRows(database: Database): (ws: number, batch: RowBatch) => void {
  const tables = new Map(copiedTables(database).map(({ table, columns }) => [table, columns]));
  const inserts = new Map<string, ReturnType<Database['change']>>();
  return (ws, { table, columns, rows }) => {
    const known = tables.get(table);
    if (known === undefined || columns.join() !== known.join())
      throw new Fault(
        'invalid_argument',
        `Cannot import rows of ${JSON.stringify(String(table).slice(0, 40))}: there is no such table, or it has other columns`,
      );
    const insert =
      inserts.get(table) ?? database.change(`INSERT INTO ${table} (ws, ${known.join(', ')}) VALUES (?${', ?'.repeat(known.length)})`);
    inserts.set(table, insert);
    for (const row of rows) {
      if (row.length !== known.length)
        throw new Fault('invalid_argument', `Cannot import rows of ${table}: a row has ${row.length} values, not ${known.length}`);
      insert.run(ws, ...row);
    }
  };
}

type CopiedTable = { readonly table: string; readonly columns: readonly string[]; readonly keys: readonly string[] };

function copiedTables(database: Database): readonly CopiedTable[] {
  const tables = database
    .query(
      "SELECT name FROM pragma_table_list AS t WHERE schema = 'main' AND type = 'table' AND name <> 'workspaces' AND EXISTS (SELECT 1 FROM pragma_table_info(t.name) WHERE name = 'ws') ORDER BY name",
    )
    .all()
    .map(({ name }) => String(name))
    .filter((name) => !STAYS.has(name));
  const named = new Map(
    tables.map((table) => [
      table,
      database
        .query('SELECT DISTINCT "table" AS parent FROM pragma_foreign_key_list(?)')
        .all(table)
        .map(({ parent }) => String(parent))
        .filter((parent) => parent !== table && tables.includes(parent)),
    ]),
  );
  const ordered: string[] = [];
  while (ordered.length < tables.length) {
    const next = tables.find((table) => !ordered.includes(table) && named.get(table)?.every((parent) => ordered.includes(parent)));
    if (next === undefined) throw new Error('Tables name each other in a circle');
    ordered.push(next);
  }
  return ordered.map((table) => {
    const columns = database.query('SELECT name, pk FROM pragma_table_info(?) ORDER BY cid').all(table);
    const others = columns.filter(({ name }) => name !== 'ws');
    return {
      table,
      columns: others.map(({ name }) => String(name)),
      keys: others
        .filter(({ pk }) => Number(pk) > 0)
        .toSorted((one, other) => Number(one['pk']) - Number(other['pk']))
        .map(({ name }) => String(name)),
    };
  });
}
