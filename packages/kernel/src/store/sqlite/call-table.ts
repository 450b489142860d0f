import type { CallRow, CallState, CallTable, UnfinishedCallState } from '../tables/call-table.ts';
import { optional, parseObject } from './columns.ts';
import type { Database, Row } from './database.ts';
import { json, jsonOrNull, orNull, preparePartialUpdate, same } from './partial-update.ts';
import type { TableContext } from './table-context.ts';

const COLUMNS = `id, pid, capability, version, effect, state, hash, idempotency_key, approval_id, input, created_at, opened_at, attempts,
  reservation_id, ended_at, record, ending, answer`;
const UNFINISHED = 'calls INDEXED BY calls_unfinished';
/** The index holds only these; said again, or SQLite would not use it. */
const IS_UNFINISHED = `state <> 'done'`;

export type CallStatements = ReturnType<typeof prepareCalls>;

export function prepareCalls(database: Database) {
  return {
    find: database.query(`SELECT ${COLUMNS} FROM calls WHERE ws = ? AND id = ?`),
    findByKey: database.query(`SELECT ${COLUMNS} FROM calls INDEXED BY calls_by_key WHERE ws = ? AND pid = ? AND idempotency_key = +?`),
    inState: database.query(
      `SELECT ${COLUMNS} FROM ${UNFINISHED} WHERE ws = ? AND state = ? AND ${IS_UNFINISHED} AND (created_at, id) > (?, ?)
       ORDER BY created_at, id LIMIT ? + 0`,
    ),
    ofProcess: database.query(
      `SELECT ${COLUMNS} FROM ${UNFINISHED} WHERE ws = ? AND pid = ? AND state IN (?, ?) AND ${IS_UNFINISHED}
       ORDER BY created_at, id LIMIT ? + 0`,
    ),
    countOf: database.query(`SELECT count(*) AS count FROM ${UNFINISHED} WHERE ws = ? AND pid = ? AND state = ? AND ${IS_UNFINISHED}`),
    insert: database.change(`INSERT INTO calls (ws, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    update: preparePartialUpdate<Parameters<CallTable['update']>[1]>(database, 'calls', {
      version: ['version', same],
      effect: ['effect', same],
      state: ['state', same],
      hash: ['hash', same],
      idempotencyKey: ['idempotency_key', orNull],
      approvalId: ['approval_id', orNull],
      input: ['input', jsonOrNull],
      openedAt: ['opened_at', orNull],
      attempts: ['attempts', same],
      reservationId: ['reservation_id', orNull],
      endedAt: ['ended_at', orNull],
      record: ['record', json],
      ending: ['ending', jsonOrNull],
      answer: ['answer', jsonOrNull],
    }),
    delete: database.change('DELETE FROM calls WHERE ws = ? AND id = ?'),
    deleteMany: database.change('DELETE FROM calls WHERE ws = ? AND id IN (SELECT value FROM json_each(?))'),
    purgeDone: database.change(
      `DELETE FROM calls WHERE ws = ?1 AND id IN (
         SELECT id FROM calls INDEXED BY calls_by_ended_at WHERE ws = ?1 AND ended_at < ?2 AND ended_at IS NOT NULL
         ORDER BY ended_at, id LIMIT ?3 + 0)`,
    ),
  };
}

export class SqliteCallTable implements CallTable {
  readonly #statements: CallStatements;
  readonly #context: TableContext;

  constructor(statements: CallStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }

  find(id: string): CallRow | undefined {
    const row = this.#statements.find.get(this.#context.ws, id);
    return row === undefined ? undefined : readCall(row);
  }

  findByKey(pid: number, key: string): CallRow | undefined {
    const row = this.#statements.findByKey.get(this.#context.ws, pid, key);
    return row === undefined ? undefined : readCall(row);
  }

  inState(state: UnfinishedCallState, limit: number, afterId?: string): readonly CallRow[] {
    const after = afterId === undefined ? undefined : this.find(afterId);
    if (afterId !== undefined && after === undefined) return [];
    const cursor = after === undefined ? [-1, ''] : [after.createdAt, after.id];
    return this.#statements.inState.page(this.#context.ws, state, ...cursor, limit).map(readCall);
  }

  ofProcess(pid: number, states: readonly UnfinishedCallState[], limit: number): readonly CallRow[] {
    const [first, second = first] = states;
    if (first === undefined || second === undefined) return [];
    return this.#statements.ofProcess.page(this.#context.ws, pid, first, second, limit).map(readCall);
  }

  countOf(pid: number, state: UnfinishedCallState): number {
    return Number(this.#statements.countOf.get(this.#context.ws, pid, state)?.['count']);
  }

  insert(row: CallRow): void {
    this.#statements.insert.run(
      ...[this.#context.ws, row.id, row.pid, row.capability, row.version, row.effect, row.state, row.hash, orNull(row.idempotencyKey)],
      ...[orNull(row.approvalId), jsonOrNull(row.input), row.createdAt, orNull(row.openedAt), row.attempts, orNull(row.reservationId)],
      ...[orNull(row.endedAt), json(row.record), jsonOrNull(row.ending), jsonOrNull(row.answer)],
    );
  }

  update(id: string, change: Parameters<CallTable['update']>[1]): void {
    this.#statements.update.run(this.#context.ws, id, change);
  }

  delete(ids: readonly string[]): void {
    const [first] = ids;
    if (first === undefined) return;
    if (ids.length === 1) this.#statements.delete.run(this.#context.ws, first);
    else this.#statements.deleteMany.run(this.#context.ws, JSON.stringify(ids));
  }

  purgeDone(before: number, limit: number): number {
    return this.#statements.purgeDone.run(this.#context.ws, before, limit);
  }
}

function readCall(row: Row): CallRow {
  return {
    id: String(row['id']),
    pid: Number(row['pid']),
    capability: String(row['capability']),
    version: String(row['version']),
    effect: row['effect'] as CallRow['effect'], // CHECK
    state: row['state'] as CallState, // CHECK
    hash: String(row['hash']),
    idempotencyKey: optional(row['idempotency_key'], String),
    approvalId: optional(row['approval_id'], String),
    input: optional(row['input'], parseObject),
    createdAt: Number(row['created_at']),
    openedAt: optional(row['opened_at'], Number),
    attempts: Number(row['attempts']),
    reservationId: optional(row['reservation_id'], Number),
    endedAt: optional(row['ended_at'], Number),
    record: parseObject(row['record']),
    ending: optional(row['ending'], parseObject),
    answer: optional(row['answer'], parseObject),
  };
}
