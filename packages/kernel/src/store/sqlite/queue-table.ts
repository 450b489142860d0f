import type { QueueTable } from '../tables/queue-table.ts';
import type { Database } from './database.ts';
import type { TableContext } from './table-context.ts';

export type QueueStatements = ReturnType<typeof prepareQueue>;

export function prepareQueue(_database: Database) {
  return {};
}

export class SqliteQueueTable implements QueueTable {
  readonly #statements: QueueStatements;
  readonly #context: TableContext;

  constructor(statements: QueueStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }
}
