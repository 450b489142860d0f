/** Changes some columns of one row: what is not mentioned stays, and its indexes are not touched. */
import type { SQLInputValue } from 'node:sqlite';
import type { Change, Database } from './database.ts';

/** For each property that may change: its column, and what stands there. */
export type ChangeableColumns<Changes> = {
  readonly [Key in keyof Required<Changes>]: readonly [column: string, write: (value: Required<Changes>[Key]) => SQLInputValue];
};

export type PartialUpdate<Changes> = {
  /** Throws when there is no such row. */
  run(ws: number, id: string, changes: Changes): void;
};

/** A statement for each set of columns, prepared when it is first needed. */
export function preparePartialUpdate<Changes extends object>(
  database: Database,
  table: string,
  columns: ChangeableColumns<Changes>,
): PartialUpdate<Changes> {
  const names = Object.keys(columns) as (keyof Changes & string)[]; // It has no others.
  const statementOf = (keys: readonly (keyof Changes)[]): Change =>
    database.change(`UPDATE ${table} SET ${keys.map((key) => `${columns[key][0]} = ?`).join(', ')} WHERE ws = ? AND id = ?`);
  const prepared = new Map<string, Change>([[names.join(), statementOf(names)]]);
  return {
    run(ws, id, changes) {
      const keys = names.filter((key) => key in changes);
      if (keys.length === 0) return;
      const name = keys.join();
      const statement = prepared.get(name) ?? statementOf(keys);
      prepared.set(name, statement);
      const values = keys.map((key) => columns[key][1](changes[key] as Required<Changes>[typeof key])); // It is there.
      if (statement.run(...values, ws, id) !== 1) throw new Error(`No row ${id} of ${table} to update`);
    },
  };
}

export function same(value: string | number): SQLInputValue {
  return value;
}

/** Our undefined is SQL's null. */
export function orNull(value: string | number | undefined): SQLInputValue {
  return value ?? null;
}

export function json(value: unknown): SQLInputValue {
  return JSON.stringify(value);
}

export function jsonOrNull(value: unknown): SQLInputValue {
  return value === undefined ? null : JSON.stringify(value);
}
