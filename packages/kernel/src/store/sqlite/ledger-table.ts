import type { LedgerTable } from '../tables/ledger-table.ts';
import type { Database } from './database.ts';
import type { TableContext } from './table-context.ts';

export type LedgerStatements = ReturnType<typeof prepareLedger>;

export function prepareLedger(_database: Database) {
  return {};
}

export class SqliteLedgerTable implements LedgerTable {
  readonly #statements: LedgerStatements;
  readonly #context: TableContext;

  constructor(statements: LedgerStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }
}
