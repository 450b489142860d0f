import type { SQLInputValue } from 'node:sqlite';
import type { MemberRole, WorkspaceId } from '@warren/protocol';
import type { NewToken, TokenRow, TokenTable } from '../tables/token-table.ts';
import { optional } from './columns.ts';
import type { Database, Row } from './database.ts';
import { json, orNull } from './partial-update.ts';

const SELECT = `
  SELECT t.id, w.id AS workspace, t.pid, t.agent, t.person, t.role, t.label, t.owner, t.made_by, t.groups, t.created_at, t.expires_at, t.revoked_at
  FROM tokens t LEFT JOIN workspaces w ON w.ws = t.ws`;
const HOLDERS = `
  LEFT JOIN processes p ON p.ws = t.ws AND p.pid = t.pid
  LEFT JOIN agents a ON a.ws = t.ws AND a.name = t.agent
  LEFT JOIN people h ON h.name = t.person`;
/** `IS` rather than `=` throughout: the state of no process is null. */
const IS_TAKEN_BACK = `(t.revoked_at IS NOT NULL OR p.state IS 'DEAD'
  OR (t.agent IS NOT NULL AND coalesce(a.state, 'revoked') = 'revoked') OR h.disabled_at IS NOT NULL)`;
const IS_ENDED = `(${IS_TAKEN_BACK} OR coalesce(t.expires_at <= ?, 0))`;

export type TokenStatements = ReturnType<typeof prepareTokens>;

export function prepareTokens(database: Database) {
  return {
    find: database.query(`${SELECT} WHERE t.id = ?`),
    findByHash: database.query(`${SELECT} WHERE t.hash = ?`),
    findHeld: database.remembered(`${SELECT} ${HOLDERS} WHERE t.hash = ? AND NOT ${IS_TAKEN_BACK}`, [
      ...['tokens', 'processes', 'agents', 'people', 'workspaces'],
    ]),
    listAll: database.query(`${SELECT} ORDER BY t.created_at DESC, t.id LIMIT ?`),
    list: database.query(`${SELECT} WHERE t.ws IS ? ORDER BY t.created_at DESC, t.id LIMIT ?`),
    labelInUse: database.query(
      `SELECT 1 FROM tokens t INDEXED BY tokens_by_label ${HOLDERS}
       WHERE t.ws IS ? AND t.label = ? AND t.pid IS NULL AND t.person IS NULL AND NOT ${IS_ENDED} LIMIT 1`,
    ),
    count: database.query('SELECT count(*) AS count FROM tokens WHERE ws IS ?'),
    insert: database.change(
      `INSERT INTO tokens (id, hash, ws, pid, agent, person, role, label, owner, made_by, groups, created_at, expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    revoke: database.change('UPDATE tokens SET revoked_at = ? WHERE id = ? AND ws IS ? AND revoked_at IS NULL'),
    extend: database.change(
      'UPDATE tokens SET expires_at = ?1 WHERE id = ?2 AND ws IS ?3 AND person IS NOT NULL AND revoked_at IS NULL AND expires_at < ?1',
    ),
    revokeOfAgent: database.change('UPDATE tokens SET revoked_at = ? WHERE ws IS ? AND agent = ? AND revoked_at IS NULL'),
    revokeOfPerson: database.change('UPDATE tokens SET revoked_at = ? WHERE person = ? AND revoked_at IS NULL'),
    made: database.query(
      `${SELECT} JOIN tokens maker ON maker.id = t.made_by
       WHERE t.made_by IS NOT NULL AND t.revoked_at IS NULL AND maker.revoked_at IS NOT NULL AND (?1 OR t.ws IS ?2)`,
    ),
    revokeAnywhere: database.change('UPDATE tokens SET revoked_at = ? WHERE id = ?'),
    purgeEnded: database.change(`DELETE FROM tokens WHERE id IN (
      SELECT t.id FROM tokens t ${HOLDERS}
      WHERE t.ws IS ? AND ${IS_ENDED} ORDER BY t.created_at, t.id LIMIT ?)`),
  };
}

/** Whose tokens: of one workspace, or of the system. */
export type TokenContext = {
  readonly workspace: { readonly id: WorkspaceId; readonly ws: number } | undefined;
  /** Kernel time of the transaction. */
  now(): number;
};

export class SqliteTokenTable implements TokenTable {
  readonly #statements: TokenStatements;
  readonly #context: TokenContext;
  readonly #ws: SQLInputValue;

  constructor(statements: TokenStatements, context: TokenContext) {
    this.#statements = statements;
    this.#context = context;
    this.#ws = context.workspace?.ws ?? null;
  }

  find(id: string): TokenRow | undefined {
    return this.#seen(this.#statements.find.get(id));
  }

  findByHash(hash: string): TokenRow | undefined {
    return this.#seen(this.#statements.findByHash.get(hash));
  }

  findValid(hash: string): TokenRow | undefined {
    const token = this.#seen(this.#statements.findHeld.get(hash));
    return token?.expiresAt !== undefined && token.expiresAt <= this.#context.now() ? undefined : token;
  }

  list(limit: number): readonly TokenRow[] {
    const rows = this.#context.workspace === undefined ? this.#statements.listAll.all(limit) : this.#statements.list.all(this.#ws, limit);
    return rows.map(readToken);
  }

  count(): number {
    return Number(this.#statements.count.get(this.#ws)?.['count']);
  }

  isLabelInUse(label: string): boolean {
    return this.#statements.labelInUse.get(this.#ws, label, this.#context.now()) !== undefined;
  }

  insert({ id, hash, pid, agent, person, role, label, owner, madeBy, groups, expiresAt }: NewToken): void {
    const holder = [orNull(pid), orNull(agent), orNull(person), orNull(role)];
    const made = [owner, orNull(madeBy), json(groups), this.#context.now(), orNull(expiresAt)];
    this.#statements.insert.run(id, hash, this.#ws, ...holder, label, ...made);
  }

  revoke(id: string): boolean {
    return this.#statements.revoke.run(this.#context.now(), id, this.#ws) === 1;
  }

  extend(id: string, expiresAt: number): boolean {
    return this.#statements.extend.run(expiresAt, id, this.#ws) === 1;
  }

  revokeOf(holder: { readonly agent: string } | { readonly person: string }): number {
    const now = this.#context.now();
    if ('agent' in holder) return this.#statements.revokeOfAgent.run(now, this.#ws, holder.agent);
    return this.#statements.revokeOfPerson.run(now, holder.person);
  }

  revokeMade(): readonly TokenRow[] {
    const revoked: TokenRow[] = [];
    for (;;) {
      const made = this.#statements.made.all(this.#context.workspace === undefined ? 1 : 0, this.#ws).map(readToken);
      if (made.length === 0) return revoked;
      const revokedAt = this.#context.now();
      for (const { id } of made) this.#statements.revokeAnywhere.run(revokedAt, id);
      revoked.push(...made.map((row) => ({ ...row, revokedAt })));
    }
  }

  purgeEnded(limit: number): number {
    return this.#statements.purgeEnded.run(this.#ws, this.#context.now(), limit);
  }

  /** A workspace sees its own, the system sees all. */
  #seen(row: Row | undefined): TokenRow | undefined {
    const token = row === undefined ? undefined : readToken(row);
    const { workspace } = this.#context;
    return workspace === undefined || token?.workspace === workspace.id ? token : undefined;
  }
}

function readToken(row: Row): TokenRow {
  return {
    id: String(row['id']),
    workspace: optional(row['workspace'], (id) => String(id) as WorkspaceId), // Only valid ones were inserted.
    pid: optional(row['pid'], Number),
    agent: optional(row['agent'], String),
    person: optional(row['person'], String),
    role: optional(row['role'], (role) => String(role) as MemberRole), // CHECK
    label: String(row['label']),
    owner: String(row['owner']),
    madeBy: optional(row['made_by'], String),
    groups: JSON.parse(String(row['groups'])) as readonly string[], // `insert` wrote it.
    createdAt: Number(row['created_at']),
    expiresAt: optional(row['expires_at'], Number),
    revokedAt: optional(row['revoked_at'], Number),
  };
}
