import type { FileTaintRow, TaintRow, TaintTable } from '../tables/taint-table.ts';
import { optional } from './columns.ts';
import type { Database } from './database.ts';
import type { TableContext } from './table-context.ts';

/** Labels of files stand with those of processes, as of process 0, which there is none of: the label, then the path behind a line break, which no label has. */
const FILES = 0;
const BEHIND = '\n';
/** Processes whose labels are remembered. */
const KNOWN_MAX = 1_000;

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
  /** Labels by process, as they stand in the file or in the transaction that is open: each call asks. When anything is undone this table goes too. */
  readonly #known = new Map<number, readonly TaintRow[]>();

  constructor(statements: TaintStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }

  of(pid: number): readonly TaintRow[] {
    const known = this.#known.get(pid);
    if (known !== undefined) return known;
    const rows = this.#statements.of.page(this.#context.ws, pid).map((row) => ({
      pid: Number(row['pid']),
      label: String(row['label']),
      since: Number(row['since']),
      callId: optional(row['call_id'], String),
    }));
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(pid, rows);
    return rows;
  }

  add({ pid, label, since, callId }: TaintRow): boolean {
    this.#known.delete(pid);
    return this.#statements.add.run(this.#context.ws, pid, label, since, callId ?? null) === 1;
  }

  clear(pid: number): number {
    this.#known.delete(pid);
    return this.#statements.clear.run(this.#context.ws, pid);
  }

  ofFiles(): readonly FileTaintRow[] {
    return this.of(FILES).map(({ label, since }) => {
      const at = label.indexOf(BEHIND);
      return { label: label.slice(0, at), prefix: label.slice(at + 1), since };
    });
  }

  addToFiles({ prefix, label, since }: FileTaintRow): boolean {
    return this.add({ pid: FILES, label: `${label}${BEHIND}${prefix}`, since, callId: undefined });
  }

  clearFiles(): number {
    return this.clear(FILES);
  }
}
