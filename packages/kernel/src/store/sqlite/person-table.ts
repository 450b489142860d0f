import { Fault, type MemberRole, type WorkspaceId } from '@warren/protocol';
import type { NewPerson, PersonRow, PersonTable } from '../tables/person-table.ts';
import { optional } from './columns.ts';
import type { Database, Row } from './database.ts';
import { countIn } from './newest-first.ts';
import { json, orNull } from './partial-update.ts';

const SELECT = `
  SELECT p.name, w.id AS workspace, p.role, p.groups, p.passphrase, p.issuer, p.subject, p.created_at, p.updated_at, p.disabled_at
  FROM people p LEFT JOIN workspaces w ON w.ws = p.ws`;

/** People of all workspaces, and operators: a table of the system. */
export class SqlitePersonTable implements PersonTable {
  readonly #find;
  readonly #findByIdentity;
  readonly #list;
  readonly #listOf;
  readonly #count;
  readonly #key;
  readonly #insert;
  readonly #update;
  readonly #delete;
  readonly #now: () => number;

  /** `now`: kernel time of the transaction. */
  constructor(database: Database, now: () => number) {
    this.#now = now;
    this.#find = database.query(`${SELECT} WHERE p.name = ?`);
    this.#findByIdentity = database.query(`${SELECT} WHERE p.issuer = ? AND p.subject = ?`);
    this.#list = database.query(`${SELECT} ORDER BY p.name LIMIT ? + 0`);
    this.#listOf = database.query(`${SELECT} WHERE p.ws = (SELECT ws FROM workspaces WHERE id = ?) ORDER BY p.name LIMIT ? + 0`);
    this.#count = database.query('SELECT count(*) AS count FROM people');
    this.#key = database.query('SELECT ws FROM workspaces WHERE id = ?');
    this.#insert = database.change(
      `INSERT INTO people (name, ws, role, groups, passphrase, issuer, subject, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#update = database.change(
      `UPDATE people SET ws = ?, role = ?, groups = ?, passphrase = ?, issuer = ?, subject = ?, updated_at = ?, disabled_at = ? WHERE name = ?`,
    );
    this.#delete = database.change('DELETE FROM people WHERE name = ?');
  }

  find(name: string): PersonRow | undefined {
    return readIfThere(this.#find.get(name));
  }

  findByIdentity(issuer: string, subject: string): PersonRow | undefined {
    return readIfThere(this.#findByIdentity.get(issuer, subject));
  }

  list(limit: number, workspace?: WorkspaceId): readonly PersonRow[] {
    return (workspace === undefined ? this.#list.page(limit) : this.#listOf.page(workspace, limit)).map(readPerson);
  }

  count(): number {
    return countIn(this.#count.get());
  }

  insert(person: NewPerson): void {
    const now = this.#now();
    this.#insert.run(person.name, ...this.#columnsOf(person), now, now);
  }

  update(person: NewPerson & { readonly disabledAt: number | undefined }): void {
    const changed = this.#update.run(...this.#columnsOf(person), this.#now(), orNull(person.disabledAt), person.name);
    if (changed !== 1) throw new Error(`No person ${person.name} to update`);
  }

  delete(name: string): boolean {
    return this.#delete.run(name) === 1;
  }

  #columnsOf({ workspace, role, groups, passphrase, identity }: NewPerson) {
    const ws = workspace === undefined ? null : this.#keyOf(workspace);
    return [ws, orNull(role), json(groups), orNull(passphrase), orNull(identity?.issuer), orNull(identity?.subject)];
  }

  #keyOf(workspace: WorkspaceId): number {
    const ws = this.#key.get(workspace)?.['ws'];
    if (ws !== undefined) return Number(ws);
    throw new Fault('not_found', `Cannot use workspace "${workspace}": it does not exist`, { details: { workspace } });
  }
}

function readIfThere(row: Row | undefined): PersonRow | undefined {
  return row === undefined ? undefined : readPerson(row);
}

function readPerson(row: Row): PersonRow {
  const [issuer, subject] = [optional(row['issuer'], String), optional(row['subject'], String)];
  return {
    name: String(row['name']),
    workspace: optional(row['workspace'], (id) => String(id) as WorkspaceId), // Only valid ones were inserted.
    role: optional(row['role'], (role) => String(role) as MemberRole), // CHECK
    groups: JSON.parse(String(row['groups'])) as readonly string[], // `insert` wrote it.
    passphrase: optional(row['passphrase'], String),
    identity: issuer === undefined || subject === undefined ? undefined : { issuer, subject },
    createdAt: Number(row['created_at']),
    updatedAt: Number(row['updated_at']),
    disabledAt: optional(row['disabled_at'], Number),
  };
}
