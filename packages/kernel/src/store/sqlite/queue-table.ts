import type { SQLInputValue } from 'node:sqlite';
import type { ExitKind } from '../tables/process-table.ts';
import {
  type CronRow,
  type LaneAccess,
  type LaneChoice,
  type LaneRow,
  type NewQueueRow,
  type NextDue,
  QUEUE_STATES,
  type QueueFilter,
  type QueueRow,
  type QueueState,
  type QueueTable,
  RUN_TRIGGER,
  type WaitingRow,
} from '../tables/queue-table.ts';
import { optional, parseObject } from './columns.ts';
import type { Database, Row } from './database.ts';
import type { TableContext } from './table-context.ts';

const COLUMNS = `id, pid, state, is_due, priority, runnable_at, rank, deadline, trigger, payload, worker, starts_process, created_at,
  dispatched_at, completed_at, exit_kind, fence, attempts, attempts_max, backoff_ms, lease_until, lease_ms, error, cron_pattern, cron_zone,
  cron_window_ms, dedupe_key`;
const WAITING = `id, pid, rank, runnable_at, deadline, trigger = '${RUN_TRIGGER}' AS is_run`;
const LANE = 'pid, queued, dispatched, is_taken, is_admitted, access, entry, rank, is_run';

/** Lanes that are remembered. */
const REMEMBERED_MAX = 10_000;
const NEVER = Number.POSITIVE_INFINITY;

/** As numbers, in the column `access`. */
const ACCESS = ['nobody', 'sharers', 'anybody'] as const satisfies readonly LaneAccess[];
const SHARERS = 1;
const ANYBODY = 2;

/**
 * Where to look for the entries of a state. Left to itself the planner would go through all entries for want of a sort. What runs is little enough
 * to be sorted, and what is completed is most of it.
 */
const BY_STATE: Readonly<Record<QueueState, string>> = {
  queued: "INDEXED BY queue_queued WHERE ws = ? AND state = 'queued'",
  dispatched: "INDEXED BY queue_by_lease WHERE ws = ? AND state = 'dispatched'",
  completed: "NOT INDEXED WHERE ws = ? AND state = 'completed'",
  expired: "INDEXED BY queue_stopped WHERE ws = ? AND state = 'expired'",
  cancelled: "INDEXED BY queue_stopped WHERE ws = ? AND state = 'cancelled'",
  dead: "INDEXED BY queue_stopped WHERE ws = ? AND state = 'dead'",
};

export type QueueStatements = ReturnType<typeof prepareQueue>;

/** `LIMIT ? + 0`: for a bare parameter the planner would look at its value and plan anew at each call, which takes longer than the call. */
export function prepareQueue(database: Database) {
  return {
    database,
    find: database.query(`SELECT ${COLUMNS} FROM queue WHERE ws = ? AND id = ?`),
    findLive: database.query(
      `SELECT ${COLUMNS} FROM queue WHERE ws = ? AND pid = ? AND dedupe_key = ? AND state IN ('queued', 'dispatched')`,
    ),
    totals: database.query('SELECT queued, dispatched, completed, expired, cancelled, dead FROM queue_totals WHERE ws = ?'),
    totalsOf: database.query('SELECT state, count(*) AS count FROM queue INDEXED BY queue_by_pid WHERE ws = ? AND pid = ? GROUP BY state'),
    lane: database.query(`SELECT ${LANE} FROM lanes WHERE ws = ? AND pid = ?`),
    lanes: database.query(
      `SELECT ${LANE} FROM lanes INDEXED BY lanes_by_kind WHERE ws = ? AND is_run = ? AND access = ? AND is_admitted = ? AND entry IS NOT NULL
       ORDER BY rank, entry LIMIT ? + 0`,
    ),
    waiting: database.query(
      `SELECT ${WAITING} FROM queue WHERE ws = ? AND pid = ? AND state = 'queued' AND is_due = 1 ORDER BY rank, id LIMIT ? + 0`,
    ),
    becomingDue: database.query(
      `SELECT ${WAITING} FROM queue WHERE ws = ? AND state = 'queued' AND is_due = 0 AND runnable_at <= ? ORDER BY runnable_at, id LIMIT ? + 0`,
    ),
    pastDeadline: database.query(
      `SELECT ${WAITING} FROM queue WHERE ws = ? AND state = 'queued' AND deadline <= ? ORDER BY deadline, id LIMIT ? + 0`,
    ),
    pastLease: database.query(
      `SELECT ${WAITING} FROM queue WHERE ws = ? AND state = 'dispatched' AND lease_until <= ? ORDER BY lease_until, id LIMIT ? + 0`,
    ),
    nextDue: database.query(
      `SELECT (SELECT min(runnable_at) FROM queue WHERE ws = ?1 AND state = 'queued' AND is_due = 0) AS runnable_at,
              (SELECT min(deadline) FROM queue WHERE ws = ?1 AND state = 'queued' AND deadline IS NOT NULL) AS deadline,
              (SELECT min(lease_until) FROM queue WHERE ws = ?1 AND state = 'dispatched') AS lease_until,
              (SELECT readmitted_through FROM queue_totals WHERE ws = ?1) AS readmitted_through`,
    ),
    notAdmitted: database.query(`SELECT ${LANE} FROM lanes WHERE ws = ? AND is_admitted = 0 AND pid > ? ORDER BY pid LIMIT ? + 0`),
    finished: database.query(
      'SELECT id, state, completed_at FROM queue WHERE ws = ? AND completed_at IS NOT NULL ORDER BY completed_at, id LIMIT ? + 0',
    ),
    insert: database.change(
      `INSERT INTO queue (ws, id, pid, state, is_due, priority, runnable_at, rank, deadline, trigger, payload, starts_process, created_at, fence,
       attempts, attempts_max, backoff_ms, cron_pattern, cron_zone, cron_window_ms, dedupe_key)
       VALUES (?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, 0, ?, 0, 0, ?, ?, ?, ?, ?, ?)`,
    ),
    dispatch: database.change(
      `UPDATE queue SET state = 'dispatched', worker = ?, starts_process = ?, dispatched_at = ?, lease_until = ?, lease_ms = ?, fence = ?, attempts = ?
       WHERE ws = ? AND id = ? AND state = 'queued'`,
    ),
    prolong: database.change("UPDATE queue SET lease_until = ?, lease_ms = ? WHERE ws = ? AND id = ? AND state = 'dispatched'"),
    setAttempts: database.change("UPDATE queue SET attempts = ? WHERE ws = ? AND id = ? AND state = 'dispatched'"),
    requeue: database.change(
      `UPDATE queue SET state = 'queued', is_due = ?, runnable_at = ?, rank = ?, worker = NULL, dispatched_at = NULL, completed_at = NULL,
       exit_kind = NULL, attempts = ?, lease_until = NULL, lease_ms = NULL, error = ?, cron_pattern = ?, cron_zone = ?, cron_window_ms = ?
       WHERE ws = ? AND id = ? AND state = ?`,
    ),
    promote: database.change("UPDATE queue SET is_due = 1 WHERE ws = ? AND id = ? AND state = 'queued'"),
    finish: database.change(
      `UPDATE queue SET state = ?, completed_at = ?, exit_kind = ?, error = ?, lease_until = NULL, lease_ms = NULL
       WHERE ws = ? AND id = ? AND state = ?`,
    ),
    cancelWaiting: database.change(
      "UPDATE queue SET state = 'cancelled', completed_at = ? WHERE ws = ? AND id IN (SELECT id FROM queue WHERE ws = ? AND pid = ? AND state = 'queued')",
    ),
    renewLeases: database.change("UPDATE queue SET lease_until = ? + lease_ms WHERE ws = ? AND state = 'dispatched'"),
    updateLane: database.change(
      `UPDATE lanes SET queued = ?, dispatched = ?, is_taken = ?, is_admitted = ?, access = ?, entry = ?, rank = ?, is_run = ? WHERE ws = ? AND pid = ?`,
    ),
    insertLane: database.change(
      `INSERT INTO lanes (queued, dispatched, is_taken, is_admitted, access, entry, rank, is_run, ws, pid) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    deleteLane: database.change('DELETE FROM lanes WHERE ws = ? AND pid = ?'),
    setReadmittedThrough: database.change('UPDATE queue_totals SET readmitted_through = ? WHERE ws = ?'),
    delete: database.change('DELETE FROM queue WHERE ws = ? AND id = ? AND state = ?'),
    addTotals: database.change(
      `UPDATE queue_totals SET queued = queued + ?, dispatched = dispatched + ?, completed = completed + ?, expired = expired + ?,
       cancelled = cancelled + ?, dead = dead + ? WHERE ws = ?`,
    ),
    beginTotals: database.change('INSERT INTO queue_totals (ws, queued) VALUES (?, ?)'),
  };
}

export class SqliteQueueTable implements QueueTable {
  readonly #statements: QueueStatements;
  readonly #context: TableContext;
  // What is remembered of the rows. The store makes a new table whenever anything was undone.
  /** Nothing is due before this; what is written moves it down, only a look moves it up. Undefined until the first look. */
  #quietUntil: number | undefined;
  #totals: Readonly<Record<QueueState, number>> | undefined;
  readonly #lanes = new Map<number, LaneRow | undefined>();

  constructor(statements: QueueStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }

  find(id: number): QueueRow | undefined {
    const row = this.#statements.find.get(this.#context.ws, id);
    return row === undefined ? undefined : readEntry(row);
  }

  findLive(pid: number, dedupeKey: string): QueueRow | undefined {
    const row = this.#statements.findLive.get(this.#context.ws, pid, dedupeKey);
    return row === undefined ? undefined : readEntry(row);
  }

  list(filter: QueueFilter, { limit, offset }: { readonly limit: number; readonly offset: number }): readonly QueueRow[] {
    const { from, values } = this.#from(filter);
    return this.#statements.database
      .query(`SELECT ${COLUMNS} FROM queue ${from} ORDER BY id LIMIT ? OFFSET ?`)
      .page(...values, limit, offset)
      .map(readEntry);
  }

  count({ state, pid }: QueueFilter): number {
    const totals = pid === undefined ? this.totals() : this.totalsOf(pid);
    return state === undefined ? QUEUE_STATES.reduce((sum, each) => sum + totals[each], 0) : totals[state];
  }

  totals(): Readonly<Record<QueueState, number>> {
    if (this.#totals !== undefined) return this.#totals;
    const row = this.#statements.totals.get(this.#context.ws);
    this.#totals = countStates((state) => Number(row?.[state] ?? 0));
    return this.#totals;
  }

  totalsOf(pid: number): Readonly<Record<QueueState, number>> {
    const rows = this.#statements.totalsOf.all(this.#context.ws, pid);
    return countStates((state) => Number(rows.find((each) => each['state'] === state)?.['count'] ?? 0));
  }

  lane(pid: number): LaneRow | undefined {
    if (this.#lanes.has(pid)) return this.#lanes.get(pid);
    const row = this.#statements.lane.get(this.#context.ws, pid);
    return this.#remember(pid, row === undefined ? undefined : readLane(row));
  }

  bestLane(choice: LaneChoice): LaneRow | undefined {
    return this.lanes(choice, 1)[0];
  }

  /** Each kind of lane is a range of the index; the best of each are merged. */
  lanes({ isSharing, isAdmissionChecked, areRuns }: LaneChoice, limit: number): readonly LaneRow[] {
    const { lanes } = this.#statements;
    const { ws } = this.#context;
    const isRun = areRuns ? 1 : 0;
    const found = lanes.all(ws, isRun, ANYBODY, 1, limit);
    if (isSharing) found.push(...lanes.all(ws, isRun, SHARERS, 1, limit));
    if (!isAdmissionChecked) found.push(...lanes.all(ws, isRun, ANYBODY, 0, limit));
    if (isSharing && !isAdmissionChecked) found.push(...lanes.all(ws, isRun, SHARERS, 0, limit));
    return found.map(readLane).sort(byRank).slice(0, limit);
  }

  waiting(pid: number, limit: number): readonly WaitingRow[] {
    return this.#statements.waiting.all(this.#context.ws, pid, limit).map(readWaiting);
  }

  becomingDue(until: number, limit: number): readonly WaitingRow[] {
    return this.#statements.becomingDue.all(this.#context.ws, until, limit).map(readWaiting);
  }

  pastDeadline(until: number, limit: number): readonly WaitingRow[] {
    return this.#statements.pastDeadline.all(this.#context.ws, until, limit).map(readWaiting);
  }

  pastLease(until: number, limit: number): readonly WaitingRow[] {
    return this.#statements.pastLease.all(this.#context.ws, until, limit).map(readWaiting);
  }

  dueBy(at: number): NextDue | undefined {
    if (this.#quietUntil !== undefined && this.#quietUntil > at) return undefined;
    const due = this.nextDue();
    return this.#quietUntil !== undefined && this.#quietUntil > at ? undefined : due;
  }

  nextDue(): NextDue {
    const row = this.#statements.nextDue.get(this.#context.ws);
    const due: NextDue = {
      runnableAt: optional(row?.['runnable_at'], Number),
      deadline: optional(row?.['deadline'], Number),
      leaseUntil: optional(row?.['lease_until'], Number),
      readmittedThrough: optional(row?.['readmitted_through'], Number),
    };
    const { runnableAt = NEVER, deadline = NEVER, leaseUntil = NEVER } = due;
    this.#quietUntil = due.readmittedThrough === undefined ? Math.min(runnableAt, deadline, leaseUntil) : undefined;
    return due;
  }

  notAdmitted(afterPid: number, limit: number): readonly LaneRow[] {
    return this.#statements.notAdmitted.all(this.#context.ws, afterPid, limit).map(readLane);
  }

  finished(limit: number): readonly { readonly id: number; readonly state: QueueState; readonly completedAt: number }[] {
    return this.#statements.finished.all(this.#context.ws, limit).map((row) => ({
      id: Number(row['id']),
      state: row['state'] as QueueState, // CHECK
      completedAt: Number(row['completed_at']),
    }));
  }

  insert(row: NewQueueRow): number {
    const id = this.#context.counters.take('entry');
    this.#statements.insert.run(
      ...[this.#context.ws, id, row.pid, row.isDue ? 1 : 0, row.priority, row.runnableAt, row.rank, row.deadline ?? null, row.trigger],
      ...[
        JSON.stringify(row.payload),
        this.#context.now(),
        row.attemptsMax,
        row.backoffMs,
        ...cronColumns(row.cron),
        row.dedupeKey ?? null,
      ],
    );
    this.#count({ queued: 1 });
    if (!row.isDue) this.#expect(row.runnableAt);
    this.#expect(row.deadline);
    return id;
  }

  dispatch(row: QueueRow): void {
    this.#require(
      this.#statements.dispatch.run(
        ...[row.worker ?? null, row.startsProcess ? 1 : 0, row.dispatchedAt ?? null, row.leaseUntil ?? null, row.leaseMs ?? null],
        ...[row.fence, row.attempts, this.#context.ws, row.id],
      ),
      row.id,
    );
    this.#count({ queued: -1, dispatched: 1 });
    this.#expect(row.leaseUntil);
  }

  prolong(row: QueueRow): void {
    this.#require(this.#statements.prolong.run(row.leaseUntil ?? null, row.leaseMs ?? null, this.#context.ws, row.id), row.id);
    this.#expect(row.leaseUntil);
  }

  setAttempts(row: QueueRow): void {
    this.#require(this.#statements.setAttempts.run(row.attempts, this.#context.ws, row.id), row.id);
  }

  requeue(row: QueueRow, from: QueueState): void {
    this.#require(
      this.#statements.requeue.run(
        ...[row.isDue ? 1 : 0, row.runnableAt, row.rank, row.attempts, row.error ?? null, ...cronColumns(row.cron)],
        ...[this.#context.ws, row.id, from],
      ),
      row.id,
    );
    this.#count({ [from]: -1, queued: 1 });
    if (!row.isDue) this.#expect(row.runnableAt);
    this.#expect(row.deadline);
  }

  promote(id: number): void {
    this.#require(this.#statements.promote.run(this.#context.ws, id), id);
  }

  finish(row: QueueRow, from: QueueState): void {
    this.#require(
      this.#statements.finish.run(
        ...[row.state, row.completedAt ?? null, row.exitKind ?? null, row.error ?? null, this.#context.ws, row.id, from],
      ),
      row.id,
    );
    this.#count({ [from]: -1, [row.state]: 1 });
  }

  cancelWaiting(pid: number): number {
    const count = this.#statements.cancelWaiting.run(this.#context.now(), this.#context.ws, this.#context.ws, pid);
    if (count > 0) this.#count({ queued: -count, cancelled: count });
    return count;
  }

  renewLeases(): number {
    this.#quietUntil = undefined;
    return this.#statements.renewLeases.run(this.#context.now(), this.#context.ws);
  }

  delete(id: number, from: QueueState): void {
    this.#context.counters.keepFloor('entry');
    this.#require(this.#statements.delete.run(this.#context.ws, id, from), id);
    this.#count({ [from]: -1 });
  }

  putLane(lane: LaneRow): void {
    const { pid, queued, dispatched, isTaken, isAdmitted, access, best } = lane;
    const counts = [queued, dispatched, isTaken ? 1 : 0, isAdmitted ? 1 : 0, ACCESS.indexOf(access)];
    const values = [...counts, best?.id ?? null, best?.rank ?? null, best?.isRun === true ? 1 : 0, this.#context.ws, pid];
    const isKnownToBeNew = this.#lanes.has(pid) && this.#lanes.get(pid) === undefined;
    if (isKnownToBeNew || this.#statements.updateLane.run(...values) === 0) this.#statements.insertLane.run(...values);
    this.#remember(lane.pid, lane);
  }

  deleteLane(pid: number): void {
    this.#statements.deleteLane.run(this.#context.ws, pid);
    this.#remember(pid, undefined);
  }

  setReadmittedThrough(pid: number | undefined): void {
    this.#quietUntil = undefined;
    this.#statements.setReadmittedThrough.run(pid ?? null, this.#context.ws);
  }

  #expect(at: number | undefined): void {
    if (at !== undefined && this.#quietUntil !== undefined) this.#quietUntil = Math.min(this.#quietUntil, at);
  }

  #remember(pid: number, lane: LaneRow | undefined): LaneRow | undefined {
    if (this.#lanes.size >= REMEMBERED_MAX) this.#lanes.clear();
    this.#lanes.set(pid, lane);
    return lane;
  }

  #count(change: Partial<Record<QueueState, number>>): void {
    const values = QUEUE_STATES.map((state) => change[state] ?? 0);
    const before = this.#totals;
    if (before !== undefined) this.#totals = countStates((state) => before[state] + (change[state] ?? 0));
    if (this.#statements.addTotals.run(...values, this.#context.ws) === 0) {
      this.#statements.beginTotals.run(this.#context.ws, change.queued ?? 0); // The first entry of a workspace is queued.
    }
  }

  #require(changed: number, id: number): void {
    if (changed !== 1) throw new Error(`Entry ${id} is not where it is moved from`);
  }

  #from({ state, pid }: QueueFilter): { readonly from: string; readonly values: SQLInputValue[] } {
    const { ws } = this.#context;
    if (pid !== undefined) {
      const and = state === undefined ? '' : 'AND state = ?';
      return {
        from: `INDEXED BY queue_by_pid WHERE ws = ? AND pid = ? ${and}`,
        values: state === undefined ? [ws, pid] : [ws, pid, state],
      };
    }
    return { from: state === undefined ? 'WHERE ws = ?' : BY_STATE[state], values: [ws] };
  }
}

function countStates(count: (state: QueueState) => number): Readonly<Record<QueueState, number>> {
  return {
    queued: count('queued'),
    dispatched: count('dispatched'),
    completed: count('completed'),
    expired: count('expired'),
    cancelled: count('cancelled'),
    dead: count('dead'),
  };
}

function byRank(left: LaneRow, right: LaneRow): number {
  const [a, b] = [left.best, right.best];
  if (a === undefined || b === undefined) return 0; // The index has none of these.
  return a.rank - b.rank || a.id - b.id;
}

function cronColumns(cron: CronRow | undefined): SQLInputValue[] {
  return [cron?.pattern ?? null, cron?.zone ?? null, cron?.windowMs ?? null];
}

function readWaiting(row: Row): WaitingRow {
  return {
    id: Number(row['id']),
    pid: Number(row['pid']),
    rank: Number(row['rank']),
    runnableAt: Number(row['runnable_at']),
    deadline: optional(row['deadline'], Number),
    isRun: row['is_run'] === 1,
  };
}

function readLane(row: Row): LaneRow {
  return {
    pid: Number(row['pid']),
    queued: Number(row['queued']),
    dispatched: Number(row['dispatched']),
    isTaken: row['is_taken'] === 1,
    isAdmitted: row['is_admitted'] === 1,
    access: ACCESS[Number(row['access'])] ?? 'nobody',
    best: optional(row['entry'], (id) => ({ id: Number(id), rank: Number(row['rank']), isRun: row['is_run'] === 1 })),
  };
}

/** The columns have CHECK constraints for what is asserted here. */
function readEntry(row: Row): QueueRow {
  return {
    id: Number(row['id']),
    pid: Number(row['pid']),
    state: row['state'] as QueueState, // CHECK
    isDue: row['is_due'] === 1,
    priority: Number(row['priority']),
    runnableAt: Number(row['runnable_at']),
    rank: Number(row['rank']),
    deadline: optional(row['deadline'], Number),
    trigger: String(row['trigger']),
    payload: parseObject(row['payload']),
    worker: optional(row['worker'], String),
    startsProcess: row['starts_process'] === 1,
    createdAt: Number(row['created_at']),
    dispatchedAt: optional(row['dispatched_at'], Number),
    completedAt: optional(row['completed_at'], Number),
    exitKind: optional(row['exit_kind'], (value) => value as ExitKind), // CHECK
    fence: Number(row['fence']),
    attempts: Number(row['attempts']),
    attemptsMax: Number(row['attempts_max']),
    backoffMs: Number(row['backoff_ms']),
    leaseUntil: optional(row['lease_until'], Number),
    leaseMs: optional(row['lease_ms'], Number),
    error: optional(row['error'], String),
    cron: optional(row['cron_pattern'], (pattern) => ({
      pattern: String(pattern),
      zone: String(row['cron_zone']),
      windowMs: optional(row['cron_window_ms'], Number),
    })),
    dedupeKey: optional(row['dedupe_key'], String),
  };
}
