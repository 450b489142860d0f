import type { AlertRow, AlertSeverity, AlertTable } from '../tables/alert-table.ts';
import { optional, parseObject } from './columns.ts';
import type { Database, Query, Row } from './database.ts';
import { countIn, cursorBehind, NEWEST_FIRST } from './newest-first.ts';
import { json, orNull } from './partial-update.ts';
import type { TableContext } from './table-context.ts';

const COLUMNS = 'id, agent, pid, message, severity, context, created_at, acknowledged_at, acknowledged_by';

/** Which index serves a list: what is pending is little, then an agent has few. The rest of the filter is looked at row by row. */
type Index = 'alerts_pending' | 'alerts_by_agent' | 'alerts_by_created_at';
const CONDITIONS: Readonly<Record<Index, string>> = {
  alerts_pending: 'acknowledged_at IS NULL AND agent = coalesce(?2, agent)',
  alerts_by_agent: 'agent = ?2',
  alerts_by_created_at: '?2 IS NULL',
};

export type AlertStatements = ReturnType<typeof prepareAlerts>;

export function prepareAlerts(database: Database) {
  const list = (index: Index): Query =>
    database.query(
      `SELECT ${COLUMNS} FROM alerts INDEXED BY ${index} WHERE ws = ?1 AND ${CONDITIONS[index]}
       AND (acknowledged_at IS NULL) = coalesce(?3, acknowledged_at IS NULL) AND (created_at, id) < (?4, ?5) ${NEWEST_FIRST} LIMIT ?6 + 0`,
    );
  return {
    find: database.query(`SELECT ${COLUMNS} FROM alerts WHERE ws = ? AND id = ?`),
    list: {
      alerts_pending: list('alerts_pending'),
      alerts_by_agent: list('alerts_by_agent'),
      alerts_by_created_at: list('alerts_by_created_at'),
    },
    countPending: database.query('SELECT count(*) AS count FROM alerts INDEXED BY alerts_pending WHERE ws = ? AND acknowledged_at IS NULL'),
    insert: database.change(`INSERT INTO alerts (ws, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    acknowledge: database.change(
      'UPDATE alerts SET acknowledged_at = ?, acknowledged_by = ? WHERE ws = ? AND id = ? AND acknowledged_at IS NULL',
    ),
    purgeAcknowledged: database.change(
      `DELETE FROM alerts WHERE ws = ?1 AND id IN (
         SELECT id FROM alerts INDEXED BY alerts_by_acknowledged_at WHERE ws = ?1 AND acknowledged_at < ?2 AND acknowledged_at IS NOT NULL
         ORDER BY acknowledged_at, id LIMIT ?3 + 0)`,
    ),
  };
}

export class SqliteAlertTable implements AlertTable {
  readonly #statements: AlertStatements;
  readonly #context: TableContext;

  constructor(statements: AlertStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }

  find(id: string): AlertRow | undefined {
    const row = this.#statements.find.get(this.#context.ws, id);
    return row === undefined ? undefined : readAlert(row);
  }

  list({ isAcknowledged, agent }: Parameters<AlertTable['list']>[0], limit: number, beforeId?: string): readonly AlertRow[] {
    const cursor = cursorBehind(beforeId, (id) => this.find(id));
    if (cursor === undefined) return [];
    const index = isAcknowledged === false ? 'alerts_pending' : agent === undefined ? 'alerts_by_created_at' : 'alerts_by_agent';
    const isPending = isAcknowledged === undefined ? null : isAcknowledged ? 0 : 1;
    return this.#statements.list[index].page(this.#context.ws, orNull(agent), isPending, ...cursor, limit).map(readAlert);
  }

  countPending(): number {
    return countIn(this.#statements.countPending.get(this.#context.ws));
  }

  insert(row: AlertRow): void {
    this.#statements.insert.run(
      ...[this.#context.ws, row.id, row.agent, orNull(row.pid), row.message, row.severity, json(row.context), row.createdAt],
      ...[orNull(row.acknowledgedAt), orNull(row.acknowledgedBy)],
    );
  }

  acknowledge(id: string, at: number, by: string): void {
    if (this.#statements.acknowledge.run(at, by, this.#context.ws, id) !== 1) throw new Error(`No alert ${id} to acknowledge`);
  }

  purgeAcknowledged(before: number, limit: number): number {
    return this.#statements.purgeAcknowledged.run(this.#context.ws, before, limit);
  }
}

function readAlert(row: Row): AlertRow {
  return {
    id: String(row['id']),
    agent: String(row['agent']),
    pid: optional(row['pid'], Number),
    message: String(row['message']),
    severity: row['severity'] as AlertSeverity, // CHECK
    context: parseObject(row['context']),
    createdAt: Number(row['created_at']),
    acknowledgedAt: optional(row['acknowledged_at'], Number),
    acknowledgedBy: optional(row['acknowledged_by'], String),
  };
}
