import type { TaintRow, TaintTable } from '../tables/taint-table.ts';
import { optional } from './columns.ts';
import type { Database } from './database.ts';
import type { TableContext } from './table-context.ts';

export type TaintStatements = ReturnType<typeof prepareTaints>;

export function prepareTaints(database: Database) {
  return {
    of: database.query('SELECT pid, label, since, call_id FROM taints WHERE ws = ? AND pid = ? ORDER BY label'),
    add: database.change('INSERT INTO taints (ws, pid, label, since, call_id) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING'),
    clear: database.change('DELETE FROM taints WHERE ws = ? AND pid = ?'),
  };
}

export class SqliteTaintTable implements TaintTable {
  readonly #statements: TaintStatements;
  readonly #context: TableContext;

  constructor(statements: TaintStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }

  of(pid: number): readonly TaintRow[] {
    return this.#statements.of.page(this.#context.ws, pid).map((row) => ({
      pid: Number(row['pid']),
      label: String(row['label']),
      since: Number(row['since']),
      callId: optional(row['call_id'], String),
    }));
  }

  add({ pid, label, since, callId }: TaintRow): boolean {
    return this.#statements.add.run(this.#context.ws, pid, label, since, callId ?? null) === 1;
  }

  clear(pid: number): number {
    return this.#statements.clear.run(this.#context.ws, pid);
  }
}
