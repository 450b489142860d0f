import type { SQLInputValue } from 'node:sqlite';
import {
  DEPTH_MAX,
  type ExitKind,
  type ParentEndPolicy,
  PROCESS_STATES,
  type ProcessFilter,
  type ProcessRow,
  type ProcessState,
  type ProcessTable,
} from '../tables/process-table.ts';
import { optional, parseObject } from './columns.ts';
import type { Database, Row } from './database.ts';
import type { TableContext } from './table-context.ts';

/** Processes whose rows are remembered. */
const KNOWN_MAX = 1_000;
const COLUMNS = `pid, parent_pid, name, template, agent, state, state_reason, on_parent_end, pending_signal, created_at, updated_at,
  started_at, ended_at, exit_kind, exit_detail, metadata`;

/** A filter that is absent matches everything; the planner sees which index serves. */
const FILTERS = [
  ['state', 'state = ?'],
  ['parentPid', 'parent_pid = ?'],
  ['agent', 'agent = ?'],
] as const satisfies readonly (readonly [keyof ProcessFilter, string])[];

export type ProcessStatements = ReturnType<typeof prepareProcesses>;

export function prepareProcesses(database: Database) {
  return {
    database,
    find: database.query(`SELECT ${COLUMNS} FROM processes WHERE ws = ? AND pid = ?`),
    parent: database.query('SELECT parent_pid FROM processes WHERE ws = ? AND pid = ?'),
    countByState: database.query('SELECT state, count(*) AS count FROM processes WHERE ws = ? GROUP BY state'),
    liveChildren: database.query(
      `SELECT ${COLUMNS} FROM processes INDEXED BY processes_by_parent WHERE ws = ? AND parent_pid = ? AND state <> 'DEAD' ORDER BY pid`,
    ),
    countLiveChildren: database.query(
      `SELECT count(*) AS count FROM (SELECT 1 FROM processes INDEXED BY processes_by_parent
       WHERE ws = ? AND parent_pid = ? AND state <> 'DEAD' LIMIT ? + 0)`,
    ),
    interrupted: database.query(
      `SELECT ${COLUMNS} FROM processes WHERE ws = ? AND state IN ('RUNNING', 'WAITING') AND pid > ? ORDER BY pid LIMIT ? + 0`,
    ),
    insert: database.change(`INSERT INTO processes (ws, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    updateState: database.change(
      'UPDATE processes SET state = ?, state_reason = ?, pending_signal = ?, updated_at = ?, started_at = ? WHERE ws = ? AND pid = ?',
    ),
    update: database.change(
      `UPDATE processes SET parent_pid = ?, state = ?, state_reason = ?, on_parent_end = ?, pending_signal = ?, updated_at = ?,
       started_at = ?, ended_at = ?, exit_kind = ?, exit_detail = ?, metadata = ? WHERE ws = ? AND pid = ?`,
    ),
  };
}

export class SqliteProcessTable implements ProcessTable {
  readonly #statements: ProcessStatements;
  readonly #context: TableContext;
  /** Rows as they stand in the file or in the transaction that is open: whatever a process does, its row is looked at. When anything is undone this table goes too. */
  readonly #known = new Map<number, ProcessRow>();

  constructor(statements: ProcessStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }

  /** Pids are given out without holes. */
  exists(pid: number): boolean {
    return Number.isSafeInteger(pid) && pid >= 1 && pid < this.nextPid();
  }

  find(pid: number): ProcessRow | undefined {
    const known = this.#known.get(pid);
    if (known !== undefined) return known;
    const found = this.#statements.find.get(this.#context.ws, pid);
    if (found === undefined) return undefined;
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    const row = readRow(found);
    this.#known.set(pid, row);
    return row;
  }

  list(filter: ProcessFilter, { limit, offset }: { readonly limit: number; readonly offset: number }): readonly ProcessRow[] {
    const { where, values } = this.#where(filter);
    const sql = `SELECT ${COLUMNS} FROM processes WHERE ${where} ORDER BY pid LIMIT ? + 0 OFFSET ? + 0`;
    return this.#statements.database
      .query(sql)
      .page(...values, limit, offset)
      .map(readRow);
  }

  count(filter: ProcessFilter): number {
    const { where, values } = this.#where(filter);
    return Number(this.#statements.database.query(`SELECT count(*) AS count FROM processes WHERE ${where}`).get(...values)?.['count']);
  }

  countByState(): Readonly<Record<ProcessState, number>> {
    const counts: Record<ProcessState, number> = { READY: 0, RUNNING: 0, WAITING: 0, SUSPENDED: 0, DEAD: 0 };
    for (const row of this.#statements.countByState.all(this.#context.ws)) {
      const state = PROCESS_STATES.find((each) => each === row['state']);
      if (state !== undefined) counts[state] = Number(row['count']);
    }
    return counts;
  }

  liveChildren(pid: number): readonly ProcessRow[] {
    return this.#statements.liveChildren.all(this.#context.ws, pid).map(readRow);
  }

  countLiveChildren(pid: number, most: number): number {
    return Number(this.#statements.countLiveChildren.get(this.#context.ws, pid, most)?.['count']);
  }

  interrupted(afterPid: number, limit: number): readonly ProcessRow[] {
    return this.#statements.interrupted.all(this.#context.ws, afterPid, limit).map(readRow);
  }

  ancestry(pid: number): readonly number[] {
    const pids: number[] = [];
    for (let next: number | undefined = pid; next !== undefined && pids.length < DEPTH_MAX; ) {
      const row: Row | undefined = this.#statements.parent.get(this.#context.ws, next);
      if (row === undefined) break;
      pids.push(next);
      next = optional(row['parent_pid'], Number);
    }
    return pids;
  }

  nextPid(): number {
    return this.#context.counters.peek('pid');
  }

  insert(row: Omit<ProcessRow, 'pid'>): number {
    const pid = this.#context.counters.take('pid');
    this.#statements.insert.run(
      ...[this.#context.ws, pid, row.parentPid ?? null, row.name, row.template, row.agent ?? null, row.state, row.stateReason ?? null],
      ...[row.onParentEnd, row.pendingSignal ?? null, row.createdAt, row.updatedAt, row.startedAt ?? null, row.endedAt ?? null],
      ...[row.exitKind ?? null, row.exitDetail === undefined ? null : JSON.stringify(row.exitDetail), JSON.stringify(row.metadata)],
    );
    return pid;
  }

  update(row: ProcessRow): void {
    this.#known.delete(row.pid);
    const changed = this.#statements.update.run(
      ...[row.parentPid ?? null, row.state, row.stateReason ?? null, row.onParentEnd, row.pendingSignal ?? null, row.updatedAt],
      ...[row.startedAt ?? null, row.endedAt ?? null, row.exitKind ?? null],
      ...[row.exitDetail === undefined ? null : JSON.stringify(row.exitDetail), JSON.stringify(row.metadata)],
      ...[this.#context.ws, row.pid],
    );
    if (changed !== 1) throw new Error(`No process ${row.pid} to update`);
  }

  updateState({ pid, state, stateReason, pendingSignal, updatedAt, startedAt }: ProcessRow): void {
    const known = this.#known.get(pid);
    this.#known.delete(pid);
    const values = [state, stateReason ?? null, pendingSignal ?? null, updatedAt, startedAt ?? null];
    if (this.#statements.updateState.run(...values, this.#context.ws, pid) !== 1) throw new Error(`No process ${pid} to update`);
    if (known !== undefined) this.#known.set(pid, { ...known, state, stateReason, pendingSignal, updatedAt, startedAt });
  }

  #where(filter: ProcessFilter): { readonly where: string; readonly values: SQLInputValue[] } {
    const used = FILTERS.filter(([key]) => filter[key] !== undefined);
    return {
      where: ['ws = ?', ...used.map(([, condition]) => condition)].join(' AND '),
      values: [this.#context.ws, ...used.map(([key]) => filter[key] ?? null)],
    };
  }
}

/** The columns have CHECK constraints for what is asserted here. */
function readRow(row: Row): ProcessRow {
  return {
    pid: Number(row['pid']),
    parentPid: optional(row['parent_pid'], Number),
    name: String(row['name']),
    template: String(row['template']),
    agent: optional(row['agent'], String),
    state: row['state'] as ProcessState, // CHECK
    stateReason: optional(row['state_reason'], String),
    onParentEnd: row['on_parent_end'] as ParentEndPolicy, // CHECK
    pendingSignal: optional(row['pending_signal'], (value) => value as 'interrupt' | 'terminate'), // CHECK
    createdAt: Number(row['created_at']),
    updatedAt: Number(row['updated_at']),
    startedAt: optional(row['started_at'], Number),
    endedAt: optional(row['ended_at'], Number),
    exitKind: optional(row['exit_kind'], (value) => value as ExitKind), // CHECK
    exitDetail: optional(row['exit_detail'], parseObject),
    metadata: parseObject(row['metadata']),
  };
}
