import type { FileTable } from '../tables/file-table.ts';
import type { Database } from './database.ts';
import type { TableContext } from './table-context.ts';

export type FileStatements = ReturnType<typeof prepareFiles>;

export function prepareFiles(_database: Database) {
  return {};
}

export class SqliteFileTable implements FileTable {
  readonly #statements: FileStatements;
  readonly #context: TableContext;

  constructor(statements: FileStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }
}
