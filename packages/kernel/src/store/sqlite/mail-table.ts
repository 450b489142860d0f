import type { MailTable } from '../tables/mail-table.ts';
import type { Database } from './database.ts';
import type { TableContext } from './table-context.ts';

export type MailStatements = ReturnType<typeof prepareMail>;

export function prepareMail(_database: Database) {
  return {};
}

export class SqliteMailTable implements MailTable {
  readonly #statements: MailStatements;
  readonly #context: TableContext;

  constructor(statements: MailStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }
}
