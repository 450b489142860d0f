import { COUNTER_KEEP_MS_MAX, type CounterTable } from '../tables/counter-table.ts';
import { optional } from './columns.ts';
import type { Database } from './database.ts';
import type { TableContext } from './table-context.ts';

export type CounterStatements = ReturnType<typeof prepareCounters>;

export function prepareCounters(database: Database) {
  return {
    sum: database.query(
      'SELECT total(amount) AS amount, min(slice_at) AS oldest_at FROM counters WHERE ws = ? AND key = ? AND slice_at > ?',
    ),
    add: database.change(
      `INSERT INTO counters (ws, key, slice_at, amount, kept_until) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET amount = amount + excluded.amount, kept_until = max(kept_until, excluded.kept_until)`,
    ),
    purge: database.change(
      `DELETE FROM counters WHERE ws = ?1 AND (key, slice_at) IN (
         SELECT key, slice_at FROM counters INDEXED BY counters_by_kept_until WHERE ws = ?1 AND kept_until < ?2
         ORDER BY kept_until, key, slice_at LIMIT ?3 + 0)`,
    ),
  };
}

export class SqliteCounterTable implements CounterTable {
  readonly #statements: CounterStatements;
  readonly #context: TableContext;

  constructor(statements: CounterStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }

  sum(key: string, since: number): { readonly amount: number; readonly oldestAt: number | undefined } {
    const row = this.#statements.sum.get(this.#context.ws, key, since);
    return { amount: Number(row?.['amount']), oldestAt: optional(row?.['oldest_at'], Number) };
  }

  add(key: string, sliceAt: number, amount: number, keepMs = COUNTER_KEEP_MS_MAX): void {
    this.#statements.add.run(this.#context.ws, key, sliceAt, amount, sliceAt + keepMs);
  }

  purge(before: number, limit: number): number {
    return this.#statements.purge.run(this.#context.ws, before, limit);
  }
}
