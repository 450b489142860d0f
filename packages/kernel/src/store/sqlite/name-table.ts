import type { NameTable } from '../tables/name-table.ts';
import type { Database } from './database.ts';
import type { TableContext } from './table-context.ts';

export type NameStatements = ReturnType<typeof prepareNames>;

export function prepareNames(_database: Database) {
  return {};
}

export class SqliteNameTable implements NameTable {
  readonly #statements: NameStatements;
  readonly #context: TableContext;

  constructor(statements: NameStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }
}
