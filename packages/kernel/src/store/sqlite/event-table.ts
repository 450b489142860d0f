import { type EventFilter, type EventRecord, type EventTable, type NewEvent, PAGE_BYTES_MAX } from '../tables/event-table.ts';
import { optional, parseObject } from './columns.ts';
import type { Database, Row } from './database.ts';
import { prepareProcessEvents, SqliteProcessEvents } from './process-events.ts';
import type { TableContext } from './table-context.ts';

const COLUMNS = 'id, pid, at, kind, payload, causation_id, correlation_id';

export type EventStatements = ReturnType<typeof prepareEvents>;

/** `LIMIT ? + 0` and not `LIMIT ?`: that would be planned anew for each value. */
export function prepareEvents(database: Database) {
  return {
    find: database.query(`SELECT ${COLUMNS} FROM events WHERE ws = ? AND id = ?`),
    after: database.query(`SELECT ${COLUMNS} FROM events WHERE ws = ? AND id > ? ORDER BY id LIMIT ? + 0`),
    newest: database.query(`SELECT ${COLUMNS} FROM events WHERE ws = ? ORDER BY id DESC LIMIT ? + 0`),
    afterOfKind: database.query(`SELECT ${COLUMNS} FROM events WHERE ws = ? AND kind = ? AND id > ? ORDER BY id LIMIT ? + 0`),
    newestOfKind: database.query(`SELECT ${COLUMNS} FROM events WHERE ws = ? AND kind = ? ORDER BY id DESC LIMIT ? + 0`),
    firstId: database.query('SELECT min(id) AS id FROM events WHERE ws = ?'),
    at: database.query('SELECT at FROM events WHERE ws = ? AND id = ?'),
    insert: database.change(`INSERT INTO events (ws, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
    purge: database.change('DELETE FROM events WHERE ws = ? AND id BETWEEN ? AND ?'),
    ofProcess: prepareProcessEvents(database, COLUMNS),
  };
}

export class SqliteEventTable implements EventTable {
  readonly #statements: EventStatements;
  readonly #context: TableContext;
  readonly #ofProcess: SqliteProcessEvents;

  constructor(statements: EventStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
    this.#ofProcess = new SqliteProcessEvents(statements.ofProcess, context);
  }

  find(id: number): EventRecord | undefined {
    const row = this.#statements.find.get(this.#context.ws, id);
    return row === undefined ? undefined : readEvent(row);
  }

  after(after: number, { pid, kind }: EventFilter, limit: number): readonly EventRecord[] {
    const { ws } = this.#context;
    if (pid !== undefined) return readPage(this.#ofProcess.after(after, { pid, kind }, limit));
    if (kind !== undefined) return readPage(this.#statements.afterOfKind.each(ws, kind, after, limit));
    return readPage(this.#statements.after.each(ws, after, limit));
  }

  newest({ pid, kind }: EventFilter, limit: number): readonly EventRecord[] {
    const { ws } = this.#context;
    if (pid !== undefined) return readPage(this.#ofProcess.newest({ pid, kind }, limit)).reverse();
    if (kind !== undefined) return readPage(this.#statements.newestOfKind.each(ws, kind, limit)).reverse();
    return readPage(this.#statements.newest.each(ws, limit)).reverse();
  }

  lastIdOf(pid: number): number {
    return this.#ofProcess.lastIdOf(pid);
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
    this.#ofProcess.add(id, pid);
    this.#context.appended({ id, pid, at, kind, payload, causationId, correlationId }, text.length);
    return id;
  }

  purge(throughId: number, limit: number): number {
    const firstId = this.firstId();
    const lastId = Math.min(throughId, firstId + limit - 1);
    if (lastId < firstId) return 0;
    this.#context.counters.keepFloor('event');
    this.#ofProcess.purge(firstId, lastId);
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
}

/** Until the payloads are too large together. */
function readPage(rows: Iterable<Row>): EventRecord[] {
  const events: EventRecord[] = [];
  let bytes = 0;
  for (const row of rows) {
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
