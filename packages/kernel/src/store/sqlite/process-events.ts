/**
 * Which events are of which process. A block of them is sorted by process into a table of its own when it is whole, which touches the place of each
 * process once, and not with every commit as an index would; those after the last whole block are looked for in the log.
 */
import type { EventFilter } from '../tables/event-table.ts';
import type { Database, Row } from './database.ts';
import { orNull } from './partial-update.ts';
import type { TableContext } from './table-context.ts';

/** The schema was made with this number. */
const BLOCK = 512;

export type EventsOfProcess = EventFilter & { readonly pid: number };

export type ProcessEventStatements = ReturnType<typeof prepareProcessEvents>;

/** `columns` are those of `events`. */
export function prepareProcessEvents(database: Database, columns: string) {
  const sorted = `SELECT ${columns} FROM process_events CROSS JOIN events USING (ws, pid, id) WHERE ws = ? AND pid = ? AND kind = ifnull(?, kind)`;
  const unsorted = `SELECT ${columns} FROM events WHERE ws = ? AND pid = ? AND kind = ifnull(?, kind) AND id > ?`;
  return {
    sortedAfter: database.query(`${sorted} AND id > ? ORDER BY id LIMIT ? + 0`),
    unsortedAfter: database.query(`${unsorted} ORDER BY id LIMIT ? + 0`),
    sortedNewest: database.query(`${sorted} ORDER BY id DESC LIMIT ? + 0`),
    unsortedNewest: database.query(`${unsorted} ORDER BY id DESC LIMIT ? + 0`),
    newestSorted: database.query('SELECT max(id) AS id FROM process_events WHERE ws = ? AND pid = ?'),
    newestUnsorted: database.query('SELECT pid, max(id) AS id FROM events WHERE ws = ? AND id > ? AND pid IS NOT NULL GROUP BY pid'),
    sort: database.change(
      `INSERT INTO process_events (ws, pid, id)
       SELECT ws, pid, id FROM events WHERE ws = ? AND id BETWEEN ? AND ? AND pid IS NOT NULL ORDER BY pid, id`,
    ),
    purge: database.change(
      `DELETE FROM process_events WHERE (ws, pid, id) IN
         (SELECT ws, pid, id FROM events WHERE ws = ? AND id BETWEEN ? AND ? AND pid IS NOT NULL)`,
    ),
  };
}

export class SqliteProcessEvents {
  readonly #statements: ProcessEventStatements;
  readonly #context: TableContext;
  /** The newest of each process after the last whole block, once somebody has asked. When anything is undone it goes too. */
  #newest: Map<number, number> | undefined;

  constructor(statements: ProcessEventStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }

  /** An event was written. */
  add(id: number, pid: number | undefined): void {
    if (pid !== undefined) this.#newest?.set(pid, id);
    if (id % BLOCK !== 0) return;
    this.#statements.sort.run(this.#context.ws, id - BLOCK + 1, id);
    this.#newest = new Map();
  }

  *after(after: number, { pid, kind }: EventsOfProcess, limit: number): Iterable<Row> {
    const { ws } = this.#context;
    let left = limit;
    for (const row of this.#statements.sortedAfter.each(ws, pid, orNull(kind), after, limit)) {
      left -= 1;
      yield row;
    }
    if (left > 0) yield* this.#statements.unsortedAfter.each(ws, pid, orNull(kind), Math.max(after, this.#sortedThrough()), left);
  }

  /** The newest first. */
  *newest({ pid, kind }: EventsOfProcess, limit: number): Iterable<Row> {
    const { ws } = this.#context;
    let left = limit;
    for (const row of this.#statements.unsortedNewest.each(ws, pid, orNull(kind), this.#sortedThrough(), limit)) {
      left -= 1;
      yield row;
    }
    if (left > 0) yield* this.#statements.sortedNewest.each(ws, pid, orNull(kind), left);
  }

  lastIdOf(pid: number): number {
    this.#newest ??= this.#readNewest();
    return this.#newest.get(pid) ?? Number(this.#statements.newestSorted.get(this.#context.ws, pid)?.['id'] ?? 0);
  }

  /** Before the events themselves go. */
  purge(firstId: number, lastId: number): void {
    this.#newest = undefined;
    this.#statements.purge.run(this.#context.ws, firstId, lastId);
  }

  #readNewest(): Map<number, number> {
    const rows = this.#statements.newestUnsorted.all(this.#context.ws, this.#sortedThrough());
    return new Map(rows.map((row) => [Number(row['pid']), Number(row['id'])]));
  }

  #sortedThrough(): number {
    const lastId = this.#context.counters.peek('event') - 1;
    return lastId - (lastId % BLOCK);
  }
}
