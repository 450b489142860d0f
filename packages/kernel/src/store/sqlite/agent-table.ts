import type { AgentRow, AgentState, AgentTable } from '../tables/agent-table.ts';
import type { GrantSet } from '../tables/grant-table.ts';
import { optional, parseObject } from './columns.ts';
import type { Database, Row } from './database.ts';
import { countIn } from './newest-first.ts';
import { json, jsonOrNull } from './partial-update.ts';
import type { TableContext } from './table-context.ts';

const COLUMNS = 'name, purpose, grants, budgets, program, state, created_at, updated_at';

export type AgentStatements = ReturnType<typeof prepareAgents>;

export function prepareAgents(database: Database) {
  return {
    find: database.query(`SELECT ${COLUMNS} FROM agents WHERE ws = ? AND name = ?`),
    list: database.query(`SELECT ${COLUMNS} FROM agents WHERE ws = ? AND name > ? ORDER BY name LIMIT ? + 0`),
    count: database.query('SELECT count(*) AS count FROM agents WHERE ws = ?'),
    insert: database.change(`INSERT INTO agents (ws, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    update: database.change(
      'UPDATE agents SET purpose = ?, grants = ?, budgets = ?, program = ?, state = ?, updated_at = ? WHERE ws = ? AND name = ?',
    ),
    delete: database.change('DELETE FROM agents WHERE ws = ? AND name = ?'),
  };
}

export class SqliteAgentTable implements AgentTable {
  readonly #statements: AgentStatements;
  readonly #context: TableContext;

  constructor(statements: AgentStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }

  find(name: string): AgentRow | undefined {
    const row = this.#statements.find.get(this.#context.ws, name);
    return row === undefined ? undefined : readAgent(row);
  }

  list(limit: number, after = ''): readonly AgentRow[] {
    return this.#statements.list.page(this.#context.ws, after, limit).map(readAgent);
  }

  count(): number {
    return countIn(this.#statements.count.get(this.#context.ws));
  }

  insert({ name, purpose, grants, budgets, program, state }: Parameters<AgentTable['insert']>[0]): void {
    const now = this.#context.now();
    this.#statements.insert.run(this.#context.ws, name, purpose, json(grants), json(budgets), jsonOrNull(program), state, now, now);
  }

  update({ name, purpose, grants, budgets, program, state }: Parameters<AgentTable['update']>[0]): void {
    const changed = this.#statements.update.run(
      ...[purpose, json(grants), json(budgets), jsonOrNull(program), state, this.#context.now()],
      ...[this.#context.ws, name],
    );
    if (changed !== 1) throw new Error(`No agent ${name} to update`);
  }

  delete(name: string): boolean {
    return this.#statements.delete.run(this.#context.ws, name) === 1;
  }
}

function readAgent(row: Row): AgentRow {
  return {
    name: String(row['name']),
    purpose: String(row['purpose']),
    grants: parseObject(row['grants']) as unknown as GrantSet, // `insert` wrote it.
    budgets: parseObject(row['budgets']) as Readonly<Record<string, number>>, // As above.
    program: optional(row['program'], parseObject),
    state: row['state'] as AgentState, // CHECK
    createdAt: Number(row['created_at']),
    updatedAt: Number(row['updated_at']),
  };
}
