import type { SQLInputValue } from 'node:sqlite';
import { type EventFilter, type EventRecord, type EventTable, type NewEvent, PAGE_BYTES_MAX } from '../tables/event-table.ts';
import { optional, parseObject } from './columns.ts';
import type { Database, Query, Row } from './database.ts';
import type { TableContext } from './table-context.ts';

const COLUMNS = 'id, pid, at, kind, payload, causation_id, correlation_id';

/** Which filters are there decides which index serves; one statement each. */
type Shape = 'all' | 'pid' | 'kind' | 'both';
const CONDITIONS: Readonly<Record<Shape, string>> = {
  all: 'ws = ?',
  pid: 'ws = ? AND pid = ?',
  kind: 'ws = ? AND kind = ?',
  both: 'ws = ? AND pid = ? AND kind = ?',
};

export type EventStatements = ReturnType<typeof prepareEvents>;

/** `LIMIT ? + 0` and not `LIMIT ?`: that would be planned anew for each value. */
export function prepareEvents(database: Database) {
  const each = (make: (condition: string) => string): Readonly<Record<Shape, Query>> => ({
    all: database.query(make(CONDITIONS.all)),
    pid: database.query(make(CONDITIONS.pid)),
    kind: database.query(make(CONDITIONS.kind)),
    both: database.query(make(CONDITIONS.both)),
  });
  return {
    find: database.query(`SELECT ${COLUMNS} FROM events WHERE ws = ? AND id = ?`),
    after: each((condition) => `SELECT ${COLUMNS} FROM events WHERE ${condition} AND id > ? ORDER BY id LIMIT ? + 0`),
    newest: each((condition) => `SELECT ${COLUMNS} FROM events WHERE ${condition} ORDER BY id DESC LIMIT ? + 0`),
    lastIdOf: database.query('SELECT max(id) AS id FROM events WHERE ws = ? AND pid = ?'),
    firstId: database.query('SELECT min(id) AS id FROM events WHERE ws = ?'),
    at: database.query('SELECT at FROM events WHERE ws = ? AND id = ?'),
    insert: database.change(`INSERT INTO events (ws, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
    purge: database.change('DELETE FROM events WHERE ws = ? AND id BETWEEN ? AND ?'),
  };
}

export class SqliteEventTable implements EventTable {
  readonly #statements: EventStatements;
  readonly #context: TableContext;

  constructor(statements: EventStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }

  find(id: number): EventRecord | undefined {
    const row = this.#statements.find.get(this.#context.ws, id);
    return row === undefined ? undefined : readEvent(row);
  }

  after(after: number, filter: EventFilter, limit: number): readonly EventRecord[] {
    const { shape, values } = this.#shape(filter);
    return readPage(this.#statements.after[shape], [...values, after, limit]);
  }

  newest(filter: EventFilter, limit: number): readonly EventRecord[] {
    const { shape, values } = this.#shape(filter);
    return readPage(this.#statements.newest[shape], [...values, limit]).reverse();
  }

  lastIdOf(pid: number): number {
    return Number(this.#statements.lastIdOf.get(this.#context.ws, pid)?.['id'] ?? 0);
  }

  nextId(): number {
    return this.#context.counters.peek('event');
  }

  firstId(): number {
    return Number(this.#statements.firstId.get(this.#context.ws)?.['id'] ?? this.nextId());
  }

  append({ pid, kind, payload, causationId, correlationId }: NewEvent): number {
    const id = this.#context.counters.take('event');
    const at = this.#context.now();
    const text = JSON.stringify(payload);
    this.#statements.insert.run(this.#context.ws, id, pid ?? null, at, kind, text, causationId ?? null, correlationId ?? null);
    this.#context.appended({ id, pid, at, kind, payload, causationId, correlationId }, text.length);
    return id;
  }

  purge(throughId: number, limit: number): number {
    const firstId = this.firstId();
    const lastId = Math.min(throughId, firstId + limit - 1);
    if (lastId < firstId) return 0;
    this.#context.counters.keepFloor('event');
    return this.#statements.purge.run(this.#context.ws, firstId, lastId);
  }

  /** Ids ascend with time (a clock that was set back between two starts may break this a little), so half the range goes with each look. */
  lastIdAt(at: number): number {
    let low = this.firstId() - 1;
    let high = this.nextId() - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (Number(this.#statements.at.get(this.#context.ws, middle)?.['at'] ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    return low < this.firstId() ? 0 : low;
  }

  #shape({ pid, kind }: EventFilter): { readonly shape: Shape; readonly values: SQLInputValue[] } {
    const values: SQLInputValue[] = [this.#context.ws];
    if (pid !== undefined) values.push(pid);
    if (kind !== undefined) values.push(kind);
    const shape = pid === undefined ? (kind === undefined ? 'all' : 'kind') : kind === undefined ? 'pid' : 'both';
    return { shape, values };
  }
}

/** Until the payloads are too large together. */
function readPage(query: Query, parameters: SQLInputValue[]): EventRecord[] {
  const events: EventRecord[] = [];
  let bytes = 0;
  for (const row of query.each(...parameters)) {
    events.push(readEvent(row));
    bytes += String(row['payload']).length;
    if (bytes > PAGE_BYTES_MAX) break;
  }
  return events;
}

function readEvent(row: Row): EventRecord {
  return {
    id: Number(row['id']),
    pid: optional(row['pid'], Number),
    at: Number(row['at']),
    kind: String(row['kind']),
    payload: parseObject(row['payload']),
    causationId: optional(row['causation_id'], Number),
    correlationId: optional(row['correlation_id'], String),
  };
}
