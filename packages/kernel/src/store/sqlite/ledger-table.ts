import type { SQLInputValue } from 'node:sqlite';
import {
  AGENT_ACCOUNT,
  type BreachPolicy,
  type Hold,
  type LedgerRow,
  type LedgerTable,
  type Payer,
  PROCESS_ACCOUNT,
  type ReservationRow,
  WORKSPACE_ACCOUNT,
} from '../tables/ledger-table.ts';
import { DEPTH_MAX, type ProcessRow, type ProcessState, type ProcessTableReads } from '../tables/process-table.ts';
import { optional } from './columns.ts';
import type { Database, Query, Row } from './database.ts';
import type { TableContext } from './table-context.ts';

const COLUMNS = 'account, dim, used, reserved, granted, warn_at, on_breach';
const RESERVATION_COLUMNS = 'id, pid, created_at, released_at, holds';
/** Accounts whose budgets are remembered. */
const KNOWN_MAX = 2_000;
/** Without being told, the planner would go through all processes there ever were. The same holds for each `INDEXED BY` and `CROSS JOIN` here. */
const LIVE_PROCESSES = 'processes INDEXED BY processes_by_state';
const LIVE = `state IN ('READY', 'RUNNING', 'WAITING', 'SUSPENDED')`;

/**
 * Down from a process: it has few descendants, however many others there are. Through the dead ones too, below which an orphan may live.
 */
const PAYERS_OF_PROCESS = `
WITH RECURSIVE below (pid) AS (
  SELECT ?2
  UNION ALL
  SELECT child.pid FROM below CROSS JOIN processes AS child INDEXED BY processes_by_parent ON child.ws = ?1 AND child.parent_pid = below.pid
)
SELECT pid, state, state_reason FROM below CROSS JOIN processes USING (pid) WHERE processes.ws = ?1 AND ${LIVE} ORDER BY pid`;

/** Up from what lives: an agent has many dead runs, and they are never deleted. */
const PAYERS_OF_AGENT = `
WITH RECURSIVE above (leaf, parent_pid, agent) AS (
  SELECT pid, parent_pid, agent FROM ${LIVE_PROCESSES} WHERE ws = ?1 AND ${LIVE}
  UNION ALL
  SELECT above.leaf, parent.parent_pid, parent.agent
  FROM above CROSS JOIN processes AS parent ON parent.ws = ?1 AND parent.pid = above.parent_pid
  WHERE above.agent IS NOT ?2
)
SELECT pid, state, state_reason FROM processes WHERE ws = ?1 AND pid IN (SELECT leaf FROM above WHERE agent = ?2) ORDER BY pid`;

export type LedgerStatements = ReturnType<typeof prepareLedger>;

export function prepareLedger(database: Database) {
  return {
    payersOfProcess: database.query(PAYERS_OF_PROCESS),
    payersOfAgent: database.query(PAYERS_OF_AGENT),
    payersOfAll: database.query(`SELECT pid, state, state_reason FROM ${LIVE_PROCESSES} WHERE ws = ? AND ${LIVE} ORDER BY pid`),
    rows: database.query(`SELECT ${COLUMNS} FROM ledger WHERE ws = ? AND account = ? ORDER BY position`),
    breached: database.query(
      `SELECT ${COLUMNS} FROM ledger INDEXED BY ledger_breached WHERE ws = ? AND used > granted ORDER BY pid NULLS LAST, account, dim LIMIT ?`,
    ),
    countAccounts: database.query('SELECT count(*) AS count FROM ledger INDEXED BY ledger_accounts WHERE ws = ? AND position = 0'),
    countBreached: database.query('SELECT count(*) AS count FROM ledger INDEXED BY ledger_breached WHERE ws = ? AND used > granted'),
    insert: database.change(
      `INSERT INTO ledger (ws, ${COLUMNS}, pid, position)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, count(*) FROM ledger WHERE ws = ?1 AND account = ?2`,
    ),
    setUsed: database.change('UPDATE ledger SET used = ? WHERE ws = ? AND account = ? AND dim = ?'),
    setGranted: database.change('UPDATE ledger SET granted = ? WHERE ws = ? AND account = ? AND dim = ?'),
    addReserved: database.change('UPDATE ledger SET reserved = reserved + ? WHERE ws = ? AND account = ? AND dim = ?'),
    findReservation: database.query(`SELECT ${RESERVATION_COLUMNS} FROM reservations WHERE ws = ? AND id = ?`),
    openReservations: database.query(
      `SELECT ${RESERVATION_COLUMNS} FROM reservations INDEXED BY reservations_open WHERE ws = ? AND pid = ? AND released_at IS NULL ORDER BY id`,
    ),
    countOpen: database.query(
      'SELECT count(*) AS count FROM reservations INDEXED BY reservations_open WHERE ws = ? AND pid = ? AND released_at IS NULL',
    ),
    reservingPids: database.query(
      'SELECT DISTINCT pid FROM reservations INDEXED BY reservations_open WHERE ws = ? AND pid > ? AND released_at IS NULL ORDER BY pid LIMIT ?',
    ),
    insertReservation: database.change(`INSERT INTO reservations (ws, ${RESERVATION_COLUMNS}) VALUES (?, ?, ?, ?, NULL, ?)`),
    markReleased: database.change('UPDATE reservations SET released_at = ? WHERE ws = ? AND id = ?'),
    deleteReservation: database.change('DELETE FROM reservations WHERE ws = ? AND id = ?'),
    releasedBefore: database.query(
      'SELECT id FROM reservations WHERE ws = ? AND released_at IS NOT NULL AND released_at < ? ORDER BY released_at, id LIMIT ?',
    ),
  };
}

export class SqliteLedgerTable implements LedgerTable {
  readonly #statements: LedgerStatements;
  readonly #context: TableContext;
  readonly #processes: Pick<ProcessTableReads, 'find'>;
  /** Budgets by account, as they stand in the file or in the transaction that is open: the same few are charged all the time. When anything is undone this table goes too. */
  readonly #known = new Map<string, readonly LedgerRow[]>();

  constructor(statements: LedgerStatements, context: TableContext, processes: Pick<ProcessTableReads, 'find'>) {
    this.#statements = statements;
    this.#context = context;
    this.#processes = processes;
  }

  accountsOf(pid: number): readonly string[] {
    const processes: string[] = [];
    const agents: string[] = [];
    for (let next: number | undefined = pid; next !== undefined && processes.length < DEPTH_MAX; ) {
      const row: ProcessRow | undefined = this.#processes.find(next);
      if (row === undefined) break;
      processes.push(`${PROCESS_ACCOUNT}${next}`);
      const { agent } = row;
      if (agent !== undefined && !agents.includes(AGENT_ACCOUNT + agent)) agents.push(AGENT_ACCOUNT + agent);
      next = row.parentPid;
    }
    return processes.length === 0 ? [] : [...processes, ...agents, WORKSPACE_ACCOUNT];
  }

  payers(account: string): readonly Payer[] {
    return this.#payerRows(account).map((row) => ({
      pid: Number(row['pid']),
      state: row['state'] as ProcessState, // CHECK
      stateReason: optional(row['state_reason'], String),
    }));
  }

  #payerRows(account: string): readonly Row[] {
    const { ws } = this.#context;
    if (account === WORKSPACE_ACCOUNT) return this.#statements.payersOfAll.all(ws);
    if (account.startsWith(AGENT_ACCOUNT)) return this.#statements.payersOfAgent.all(ws, account.slice(AGENT_ACCOUNT.length));
    return this.#statements.payersOfProcess.all(ws, readPid(account));
  }

  find(account: string, dim: string): LedgerRow | undefined {
    return this.#rowsOf(account).find((row) => row.dim === dim);
  }

  rows(accounts: readonly string[], dim?: string): readonly LedgerRow[] {
    const found: LedgerRow[] = [];
    for (const account of accounts) for (const row of this.#rowsOf(account)) if (dim === undefined || row.dim === dim) found.push(row);
    return found;
  }

  findBreached(accounts: readonly string[]): LedgerRow | undefined {
    for (const account of accounts) for (const row of this.#rowsOf(account)) if (row.used > row.granted) return row;
    return undefined;
  }

  /** In the order of their creation. */
  #rowsOf(account: string): readonly LedgerRow[] {
    const known = this.#known.get(account);
    if (known !== undefined) return known;
    const rows = this.#statements.rows.all(this.#context.ws, account).map(readRow);
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(account, rows);
    return rows;
  }

  breached(limit: number): readonly LedgerRow[] {
    return this.#statements.breached.all(this.#context.ws, limit).map(readRow);
  }

  count(): { readonly accounts: number; readonly breached: number } {
    const count = (query: Query): number => Number(query.get(this.#context.ws)?.['count']);
    return { accounts: count(this.#statements.countAccounts), breached: count(this.#statements.countBreached) };
  }

  findReservation(id: number): ReservationRow | undefined {
    const row = this.#statements.findReservation.get(this.#context.ws, id);
    return row === undefined ? undefined : readReservation(row);
  }

  openReservations(pid: number): readonly ReservationRow[] {
    return this.#statements.openReservations.all(this.#context.ws, pid).map(readReservation);
  }

  countOpenReservations(pid: number): number {
    return Number(this.#statements.countOpen.get(this.#context.ws, pid)?.['count']);
  }

  reservingPids(afterPid: number, limit: number): readonly number[] {
    return this.#statements.reservingPids.all(this.#context.ws, afterPid, limit).map((row) => Number(row['pid']));
  }

  insert({ account, dim, used, reserved, granted, warnAt, onBreach }: LedgerRow): void {
    const pid = account.startsWith(PROCESS_ACCOUNT) ? readPid(account) : null;
    this.#known.delete(account);
    this.#statements.insert.run(this.#context.ws, account, dim, used, reserved, granted, warnAt, onBreach, pid);
  }

  setUsed(account: string, dim: string, used: number): void {
    const known = this.#known.get(account);
    this.#known.delete(account);
    requireOne(this.#statements.setUsed.run(used, this.#context.ws, account, dim), account, dim);
    if (known !== undefined) {
      this.#known.set(
        account,
        known.map((row) => (row.dim === dim ? { ...row, used } : row)),
      );
    }
  }

  setGranted(account: string, dim: string, granted: number): void {
    this.#known.delete(account);
    requireOne(this.#statements.setGranted.run(granted, this.#context.ws, account, dim), account, dim);
  }

  addReserved(account: string, dim: string, change: number): void {
    this.#known.delete(account);
    requireOne(this.#statements.addReserved.run(change, this.#context.ws, account, dim), account, dim);
  }

  insertReservation({ pid, createdAt, holds }: Omit<ReservationRow, 'id' | 'releasedAt'>): number {
    const id = this.#context.counters.take('reservation');
    const text = JSON.stringify(holds.map(({ account, dim, amount }) => [account, dim, amount]));
    this.#statements.insertReservation.run(this.#context.ws, id, pid, createdAt, text);
    return id;
  }

  markReleased(id: number, at: number): void {
    this.#statements.markReleased.run(at, this.#context.ws, id);
  }

  deleteReservation(id: number): void {
    const { ws, counters } = this.#context;
    if (id === counters.peek('reservation') - 1) counters.keepFloor('reservation'); // Below the newest a row or a floor remembers it.
    this.#statements.deleteReservation.run(ws, id);
  }

  purgeReleased(before: number, limit: number): number {
    const found = this.#statements.releasedBefore.all(this.#context.ws, before, limit);
    for (const row of found) this.deleteReservation(Number(row['id']));
    return found.length;
  }
}

function readPid(account: string): number {
  return Number(account.slice(PROCESS_ACCOUNT.length));
}

function requireOne(changed: number, account: string, dim: string): void {
  if (changed !== 1) throw new Error(`No budget of ${account} for ${dim} to update`);
}

function readRow(row: Row): LedgerRow {
  return {
    account: String(row['account']),
    dim: String(row['dim']),
    used: Number(row['used']),
    reserved: Number(row['reserved']),
    granted: Number(row['granted']),
    warnAt: Number(row['warn_at']),
    onBreach: row['on_breach'] as BreachPolicy, // CHECK
  };
}

function readReservation(row: Row): ReservationRow {
  return {
    id: Number(row['id']),
    pid: Number(row['pid']),
    createdAt: Number(row['created_at']),
    releasedAt: optional(row['released_at'], Number),
    holds: readHolds(row['holds']),
  };
}

function readHolds(value: SQLInputValue | undefined): readonly Hold[] {
  const holds = JSON.parse(String(value)) as readonly (readonly [string, string, number])[]; // `insertReservation` wrote it.
  return holds.map(([account, dim, amount]) => ({ account, dim, amount }));
}
