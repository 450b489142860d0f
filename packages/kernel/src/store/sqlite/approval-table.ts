import type { SQLInputValue } from 'node:sqlite';
import type { AllowRuleRow, ApprovalRow, ApprovalState, ApprovalTable, VoteRow } from '../tables/approval-table.ts';
import { optional, parseObject } from './columns.ts';
import type { Database, Query, Row } from './database.ts';
import { BEHIND_CURSOR, countIn, cursorBehind, NEWEST_FIRST } from './newest-first.ts';
import { json, jsonOrNull, orNull, preparePartialUpdate, same } from './partial-update.ts';
import type { TableContext } from './table-context.ts';

const COLUMNS = `id, state, call_id, pid, agent, capability, call_hash, input, rule, reasoning, terms, created_at, expires_at, escalate_at,
  escalated_at, decided_at, reason, edited_input, votes`;
const RULE_COLUMNS = 'id, agent, capability, condition, created_at, created_by, approval_id, expires_at, revoked_at, revoked_by';
/** Rules in force that are looked at; more are as if they were not there, so that their calls are asked about. */
const RULES_MAX = 10_000;
const DUE = 'FROM approvals INDEXED BY approvals_by_due_at WHERE ws = ?';

/** Which index serves a list: what waits is little, then a process has few, then an agent. The rest of the filter is looked at row by row. */
type Index = 'approvals_by_state' | 'approvals_by_pid' | 'approvals_by_agent' | 'approvals_by_created_at';
const CONDITIONS: Readonly<Record<Index, string>> = {
  approvals_by_state: 'state = ?2',
  approvals_by_pid: 'pid = ?3 AND state = coalesce(?2, state)',
  approvals_by_agent: 'agent = ?4 AND state = coalesce(?2, state)',
  approvals_by_created_at: '?2 IS NULL',
};

export type ApprovalStatements = ReturnType<typeof prepareApprovals>;

export function prepareApprovals(database: Database) {
  const list = (index: Index): Query =>
    database.query(
      `SELECT ${COLUMNS} FROM approvals INDEXED BY ${index} WHERE ws = ?1 AND ${CONDITIONS[index]}
       AND pid = coalesce(?3, pid) AND agent = coalesce(?4, agent) AND (created_at, id) < (?5, ?6) ${NEWEST_FIRST} LIMIT ?7 + 0`,
    );
  return {
    find: database.query(`SELECT ${COLUMNS} FROM approvals WHERE ws = ? AND id = ?`),
    list: {
      approvals_by_state: list('approvals_by_state'),
      approvals_by_pid: list('approvals_by_pid'),
      approvals_by_agent: list('approvals_by_agent'),
      approvals_by_created_at: list('approvals_by_created_at'),
    },
    countPending: database.query(
      `SELECT count(*) AS count FROM approvals INDEXED BY approvals_by_state WHERE ws = ? AND state = 'pending' AND pid = coalesce(?, pid)`,
    ),
    countPendingOfAgent: database.query(
      `SELECT count(*) AS count FROM approvals INDEXED BY approvals_pending_by_agent WHERE ws = ? AND state = 'pending' AND agent = ?`,
    ),
    due: database.query(`SELECT ${COLUMNS} ${DUE} AND state = 'pending' AND due_at <= ? ORDER BY due_at, id LIMIT ? + 0`),
    nextDue: database.query(`SELECT due_at ${DUE} AND state = 'pending' ORDER BY due_at LIMIT 1`),
    insert: database.change(`INSERT INTO approvals (ws, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    update: preparePartialUpdate<Parameters<ApprovalTable['update']>[1]>(database, 'approvals', {
      state: ['state', same],
      agent: ['agent', same],
      capability: ['capability', same],
      callHash: ['call_hash', same],
      input: ['input', json],
      rule: ['rule', jsonOrNull],
      reasoning: ['reasoning', orNull],
      terms: ['terms', json],
      expiresAt: ['expires_at', same],
      escalateAt: ['escalate_at', orNull],
      escalatedAt: ['escalated_at', orNull],
      decidedAt: ['decided_at', orNull],
      reason: ['reason', orNull],
      editedInput: ['edited_input', jsonOrNull],
      votes: ['votes', json],
    }),
    purgeDecided: database.change(
      `DELETE FROM approvals WHERE ws = ?1 AND id IN (
         SELECT id FROM approvals INDEXED BY approvals_by_decided_at WHERE ws = ?1 AND decided_at < ?2 AND decided_at IS NOT NULL
         ORDER BY decided_at, id LIMIT ?3 + 0)`,
    ),
    findRule: database.query(`SELECT ${RULE_COLUMNS} FROM allow_rules WHERE ws = ? AND id = ?`),
    rulesInForce: database.query(
      `SELECT ${RULE_COLUMNS} FROM allow_rules INDEXED BY allow_rules_by_ended_at WHERE ws = ? AND ended_at > ? ${NEWEST_FIRST} LIMIT ? + 0`,
    ),
    rulesOfAgent: database.query(
      `SELECT ${RULE_COLUMNS} FROM allow_rules INDEXED BY allow_rules_by_agent WHERE ws = ? AND agent = ? AND ended_at > ?
       ${NEWEST_FIRST} LIMIT ? + 0`,
    ),
    rules: database.query(
      `SELECT ${RULE_COLUMNS} FROM allow_rules INDEXED BY allow_rules_by_created_at WHERE ws = ? AND ${BEHIND_CURSOR} ${NEWEST_FIRST}
       LIMIT ? + 0`,
    ),
    insertRule: database.change(`INSERT INTO allow_rules (ws, ${RULE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    revokeRule: database.change('UPDATE allow_rules SET revoked_at = ?, revoked_by = ? WHERE ws = ? AND id = ? AND revoked_at IS NULL'),
    purgeRules: database.change(
      `DELETE FROM allow_rules WHERE ws = ?1 AND id IN (
         SELECT id FROM allow_rules INDEXED BY allow_rules_by_ended_at WHERE ws = ?1 AND ended_at < ?2 ORDER BY ended_at, id LIMIT ?3 + 0)`,
    ),
  };
}

export class SqliteApprovalTable implements ApprovalTable {
  readonly #statements: ApprovalStatements;
  readonly #context: TableContext;

  constructor(statements: ApprovalStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }

  find(id: string): ApprovalRow | undefined {
    const row = this.#statements.find.get(this.#context.ws, id);
    return row === undefined ? undefined : readApproval(row);
  }

  list(filter: Parameters<ApprovalTable['list']>[0], limit: number, beforeId?: string): readonly ApprovalRow[] {
    const cursor = cursorBehind(beforeId, (id) => this.find(id));
    if (cursor === undefined) return [];
    const values = [filter.state, filter.pid, filter.agent].map(orNull);
    return this.#statements.list[indexFor(filter)].page(this.#context.ws, ...values, ...cursor, limit).map(readApproval);
  }

  countPending(pid?: number): number {
    return countIn(this.#statements.countPending.get(this.#context.ws, orNull(pid)));
  }

  countPendingOfAgent(agent: string): number {
    return countIn(this.#statements.countPendingOfAgent.get(this.#context.ws, agent));
  }

  due(at: number, limit: number): readonly ApprovalRow[] {
    return this.#statements.due.page(this.#context.ws, at, limit).map(readApproval);
  }

  nextDue(): number | undefined {
    return optional(this.#statements.nextDue.get(this.#context.ws)?.['due_at'], Number);
  }

  insert(row: ApprovalRow): void {
    this.#statements.insert.run(
      ...[this.#context.ws, row.id, row.state, row.callId, row.pid, row.agent, row.capability, row.callHash, json(row.input)],
      ...[jsonOrNull(row.rule), orNull(row.reasoning), json(row.terms), row.createdAt, row.expiresAt, orNull(row.escalateAt)],
      ...[orNull(row.escalatedAt), orNull(row.decidedAt), orNull(row.reason), jsonOrNull(row.editedInput), json(row.votes)],
    );
  }

  update(id: string, change: Parameters<ApprovalTable['update']>[1]): void {
    this.#statements.update.run(this.#context.ws, id, change);
  }

  purgeDecided(before: number, limit: number): number {
    return this.#statements.purgeDecided.run(this.#context.ws, before, limit);
  }

  findRule(id: string): AllowRuleRow | undefined {
    const row = this.#statements.findRule.get(this.#context.ws, id);
    return row === undefined ? undefined : readRule(row);
  }

  rulesInForce(at: number, agent?: string): readonly AllowRuleRow[] {
    const { ws } = this.#context;
    const rows =
      agent === undefined
        ? this.#statements.rulesInForce.all(ws, at, RULES_MAX)
        : this.#statements.rulesOfAgent.all(ws, agent, at, RULES_MAX);
    return rows.map(readRule);
  }

  rules(limit: number, beforeId?: string): readonly AllowRuleRow[] {
    const cursor = cursorBehind(beforeId, (id) => this.findRule(id));
    return cursor === undefined ? [] : this.#statements.rules.page(this.#context.ws, ...cursor, limit).map(readRule);
  }

  insertRule(row: AllowRuleRow): void {
    this.#statements.insertRule.run(
      ...[this.#context.ws, row.id, row.agent, row.capability, jsonOrNull(row.when), row.createdAt, row.createdBy],
      ...[orNull(row.approvalId), row.expiresAt, orNull(row.revokedAt), orNull(row.revokedBy)],
    );
  }

  revokeRule(id: string, at: number, by: string): void {
    if (this.#statements.revokeRule.run(at, by, this.#context.ws, id) !== 1) throw new Error(`No rule ${id} to revoke`);
  }

  purgeRules(before: number, limit: number): number {
    return this.#statements.purgeRules.run(this.#context.ws, before, limit);
  }
}

function indexFor({ state, pid, agent }: Parameters<ApprovalTable['list']>[0]): Index {
  if (state === 'pending') return 'approvals_by_state';
  if (pid !== undefined) return 'approvals_by_pid';
  if (agent !== undefined) return 'approvals_by_agent';
  return state === undefined ? 'approvals_by_created_at' : 'approvals_by_state';
}

function readApproval(row: Row): ApprovalRow {
  return {
    id: String(row['id']),
    state: row['state'] as ApprovalState, // CHECK
    callId: String(row['call_id']),
    pid: Number(row['pid']),
    agent: String(row['agent']),
    capability: String(row['capability']),
    callHash: String(row['call_hash']),
    input: parseObject(row['input']),
    rule: optional(row['rule'], parseObject),
    reasoning: optional(row['reasoning'], String),
    terms: parseObject(row['terms']),
    createdAt: Number(row['created_at']),
    expiresAt: Number(row['expires_at']),
    escalateAt: optional(row['escalate_at'], Number),
    escalatedAt: optional(row['escalated_at'], Number),
    decidedAt: optional(row['decided_at'], Number),
    reason: optional(row['reason'], String),
    editedInput: optional(row['edited_input'], parseObject),
    votes: readVotes(row['votes']),
  };
}

/** Only lists we wrote ourselves stand in this column; JSON leaves out a note that is undefined. */
function readVotes(value: SQLInputValue | undefined): ApprovalRow['votes'] {
  const votes = JSON.parse(String(value)) as readonly (Omit<VoteRow, 'note'> & { readonly note?: string })[]; // As above.
  return votes.map(({ approver, at, note, always }) => ({ approver, at, note, ...(always !== undefined && { always }) }));
}

function readRule(row: Row): AllowRuleRow {
  return {
    id: String(row['id']),
    agent: String(row['agent']),
    capability: String(row['capability']),
    when: optional(row['condition'], parseObject),
    createdAt: Number(row['created_at']),
    createdBy: String(row['created_by']),
    approvalId: optional(row['approval_id'], String),
    expiresAt: Number(row['expires_at']),
    revokedAt: optional(row['revoked_at'], Number),
    revokedBy: optional(row['revoked_by'], String),
  };
}
