import type { SQLInputValue } from 'node:sqlite';
import type { NewRunStep, RunFilter, RunOutcome, RunRow, RunState, RunStep, RunTable, StepKind } from '../tables/run-table.ts';
import { optional, parseObject } from './columns.ts';
import type { Database, Query, Row } from './database.ts';
import { countIn } from './newest-first.ts';
import { jsonOrNull } from './partial-update.ts';
import type { TableContext } from './table-context.ts';

const COLUMNS = `id, pid, agent, parent, session, title, priority, entry, waits_for, outcome, steps, bytes, tokens, cost_micro, created_at,
  started_at, ended_at`;
const STEP = 'run, seq, kind, at, body';
/** Runs whose rows are remembered. */
const KNOWN_MAX = 1_000;
/** Bodies in one page are about this large together. */
const PAGE_CHARACTERS_MAX = 8_388_608;

const LIVE = 'r.ended_at IS NULL';
/** What is live is where its entry is. */
const STATES: Readonly<Record<RunState, string>> = {
  queued: `${LIVE} AND q.state = 'queued' AND (q.is_due = 1 OR r.waits_for IS NULL)`,
  running: `${LIVE} AND q.state = 'dispatched'`,
  waiting: `${LIVE} AND (q.id IS NULL OR (q.state = 'queued' AND q.is_due = 0 AND r.waits_for IS NOT NULL))`,
  ended: 'r.ended_at IS NOT NULL',
};

export type RunStatements = ReturnType<typeof prepareRuns>;

export function prepareRuns(database: Database) {
  return {
    list: prepareLists(database),
    find: database.query(`SELECT ${COLUMNS} FROM runs WHERE ws = ? AND id = ?`),
    findLive: database.query(`SELECT ${COLUMNS} FROM runs INDEXED BY runs_of_processes WHERE ws = ? AND pid = ? AND ended_at IS NULL`),
    step: database.query(`SELECT ${STEP} FROM run_steps WHERE ws = ? AND run = ? AND seq = ?`),
    steps: database.query(`SELECT ${STEP} FROM run_steps WHERE ws = ? AND run = ? AND seq > ? ORDER BY seq LIMIT ? + 0`),
    hasStep: database.query('SELECT 1 FROM run_steps WHERE ws = ? AND run = ? AND seq > ? AND kind = ? LIMIT 1'),
    ended: database.query(
      'SELECT id, ended_at, steps FROM runs INDEXED BY runs_by_ended_at WHERE ws = ? AND ended_at > 0 ORDER BY ended_at, id LIMIT ? + 0',
    ),
    countEnded: database.query('SELECT count(*) AS count FROM runs INDEXED BY runs_by_ended_at WHERE ws = ? AND ended_at > 0'),
    insert: database.change(
      `INSERT INTO runs (ws, id, pid, agent, parent, session, title, priority, entry, waits_for, steps, bytes, tokens, cost_micro, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, ?)`,
    ),
    insertStep: database.change(`INSERT INTO run_steps (ws, ${STEP}) VALUES (?, ?, ?, ?, ?, ?)`),
    updateCounts: database.change('UPDATE runs SET steps = ?, bytes = ?, tokens = ?, cost_micro = ? WHERE ws = ? AND id = ?'),
    update: database.change('UPDATE runs SET entry = ?, waits_for = ?, started_at = ?, outcome = ?, ended_at = ? WHERE ws = ? AND id = ?'),
    deleteSteps: database.change('DELETE FROM run_steps WHERE ws = ? AND run = ? AND seq >= ?'),
    shrink: database.change('UPDATE runs SET steps = ? WHERE ws = ? AND id = ?'),
    delete: database.change('DELETE FROM runs WHERE ws = ? AND id = ?'),
  };
}

/** For each set of conditions the index that leaves the fewest rows; left to itself the planner would sort. */
function prepareLists(database: Database): (filter: RunFilter) => { readonly query: Query; readonly values: readonly SQLInputValue[] } {
  const prepared = new Map<string, Query>();
  return ({ state, agent, parent, session }) => {
    const used = [
      ['parent', parent],
      ['session', session],
      ['agent', agent],
    ].flatMap(([name, value]) => (value === undefined ? [] : [{ name: String(name), value }]));
    const key = [state, ...used.map(({ name }) => name)].join();
    const isLive = state !== undefined && state !== 'ended';
    const index = used[0] !== undefined ? `INDEXED BY runs_by_${used[0].name}` : isLive ? 'INDEXED BY runs_live' : 'NOT INDEXED';
    const entries = isLive ? 'LEFT JOIN queue AS q ON q.ws = r.ws AND q.id = r.entry' : '';
    const conditions = [
      'r.ws = ?',
      ...used.map(({ name }) => `r.${name} = ?`),
      'r.id < ?',
      ...(state === undefined ? [] : [STATES[state]]),
    ];
    const columns = COLUMNS.replaceAll(/\w+/g, 'r.$&');
    const sql = `SELECT ${columns} FROM runs AS r ${index} ${entries} WHERE ${conditions.join(' AND ')} ORDER BY r.id DESC LIMIT ? + 0`;
    const query = prepared.get(key) ?? database.query(sql);
    prepared.set(key, query);
    return { query, values: used.map(({ value }) => value) };
  };
}

export class SqliteRunTable implements RunTable {
  readonly #statements: RunStatements;
  readonly #context: TableContext;
  /** Rows as they stand in the file or in the transaction that is open: each step looks at its run. When anything is undone this table goes too. */
  readonly #known = new Map<number, RunRow>();

  constructor(statements: RunStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }

  find(id: number): RunRow | undefined {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const row = this.#statements.find.get(this.#context.ws, id);
    return row === undefined ? undefined : this.#remember(readRun(row));
  }

  findLive(pid: number): RunRow | undefined {
    const row = this.#statements.findLive.get(this.#context.ws, pid);
    return row === undefined ? undefined : this.#remember(readRun(row));
  }

  list(filter: RunFilter, limit: number, beforeId = Number.MAX_SAFE_INTEGER): readonly RunRow[] {
    const { query, values } = this.#statements.list(filter);
    return query.page(this.#context.ws, ...values, beforeId, limit).map(readRun);
  }

  step(run: number, seq: number): RunStep | undefined {
    const row = this.#statements.step.get(this.#context.ws, run, seq);
    return row === undefined ? undefined : readStep(row);
  }

  steps(run: number, after: number, limit: number): readonly RunStep[] {
    const steps: RunStep[] = [];
    let characters = 0;
    for (const row of this.#statements.steps.each(this.#context.ws, run, after, limit)) {
      steps.push(readStep(row));
      characters += String(row['body']).length;
      if (characters > PAGE_CHARACTERS_MAX) break;
    }
    return steps;
  }

  hasStep(run: number, kind: StepKind, after: number): boolean {
    return this.#statements.hasStep.get(this.#context.ws, run, after, kind) !== undefined;
  }

  ended(limit: number): readonly { readonly id: number; readonly endedAt: number; readonly steps: number }[] {
    return this.#statements.ended
      .all(this.#context.ws, limit)
      .map((row) => ({ id: Number(row['id']), endedAt: Number(row['ended_at']), steps: Number(row['steps']) }));
  }

  countEnded(): number {
    return countIn(this.#statements.countEnded.get(this.#context.ws));
  }

  insert({ pid, agent, parent, session, title, priority, entry, waitsFor }: Parameters<RunTable['insert']>[0]): number {
    const id = this.#context.counters.take('run');
    this.#statements.insert.run(
      ...[this.#context.ws, id, pid, agent ?? null, parent ?? null, session ?? null, title, priority],
      ...[entry ?? null, jsonOrNull(waitsFor), this.#context.now()],
    );
    return id;
  }

  append(row: RunRow, steps: readonly NewRunStep[], used = { tokens: 0, costMicro: 0 }): RunRow {
    const { ws } = this.#context;
    let bytes = row.bytes;
    for (const [index, { kind, json }] of steps.entries()) {
      this.#statements.insertStep.run(ws, row.id, row.steps + index, kind, this.#context.now(), json);
      bytes += Buffer.byteLength(json);
    }
    const [tokens, costMicro] = [row.tokens + used.tokens, row.costMicro + used.costMicro];
    const after: RunRow = { ...row, steps: row.steps + steps.length, bytes, tokens, costMicro };
    this.#require(this.#statements.updateCounts.run(after.steps, bytes, tokens, costMicro, ws, row.id), row.id);
    return this.#remember(after);
  }

  update(row: RunRow): void {
    const changed = this.#statements.update.run(
      ...[row.entry ?? null, jsonOrNull(row.waitsFor), row.startedAt ?? null, row.outcome ?? null, row.endedAt ?? null],
      ...[this.#context.ws, row.id],
    );
    this.#require(changed, row.id);
    this.#remember(row);
  }

  shrink(id: number, limit: number): number | undefined {
    const { ws } = this.#context;
    const row = this.find(id);
    if (row === undefined) return undefined;
    this.#known.delete(id);
    const left = Math.max(0, row.steps - limit);
    this.#statements.deleteSteps.run(ws, id, left);
    if (left > 0) {
      this.#statements.shrink.run(left, ws, id);
      return left;
    }
    this.#context.counters.keepFloor('run');
    this.#statements.delete.run(ws, id);
    return undefined;
  }

  #remember(row: RunRow): RunRow {
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(row.id, row);
    return row;
  }

  #require(changed: number, id: number): void {
    if (changed === 1) return;
    this.#known.delete(id);
    throw new Error(`No run ${id} to change`);
  }
}

/** The columns have CHECK constraints for what is asserted here. */
function readRun(row: Row): RunRow {
  return {
    id: Number(row['id']),
    pid: Number(row['pid']),
    agent: optional(row['agent'], String),
    parent: optional(row['parent'], Number),
    session: optional(row['session'], String),
    title: String(row['title']),
    priority: Number(row['priority']),
    entry: optional(row['entry'], Number),
    waitsFor: optional(row['waits_for'], parseObject),
    outcome: optional(row['outcome'], (value) => value as RunOutcome), // CHECK
    steps: Number(row['steps']),
    bytes: Number(row['bytes']),
    tokens: Number(row['tokens']),
    costMicro: Number(row['cost_micro']),
    createdAt: Number(row['created_at']),
    startedAt: optional(row['started_at'], Number),
    endedAt: optional(row['ended_at'], Number),
  };
}

function readStep(row: Row): RunStep {
  return {
    run: Number(row['run']),
    seq: Number(row['seq']),
    kind: row['kind'] as StepKind, // CHECK
    at: Number(row['at']),
    body: parseObject(row['body']),
  };
}
