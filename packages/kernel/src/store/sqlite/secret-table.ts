import type { DataKeyRow, SealedVersion, SecretBatch, SecretBindings, SecretRow, SecretTable } from '../tables/secret-table.ts';
import { optional, parseObject } from './columns.ts';
import type { Database, Row } from './database.ts';
import { countIn } from './newest-first.ts';
import { json, orNull } from './partial-update.ts';
import type { TableContext } from './table-context.ts';

const COLUMNS = 'name, type, purpose, bindings, version, revision, created_at, updated_at, revoked_at';
const VERSION_COLUMNS = 'version, data_key, sealed, created_at';
const KEY_COLUMNS = 'number, root, wrapped, created_at';

export type SecretStatements = ReturnType<typeof prepareSecrets>;

export function prepareSecrets(database: Database) {
  return {
    find: database.query(`SELECT ${COLUMNS} FROM secrets WHERE ws = ? AND name = ?`),
    list: database.query(`SELECT ${COLUMNS} FROM secrets WHERE ws = ? AND name > ? ORDER BY name LIMIT ? + 0`),
    count: database.query('SELECT count(*) AS count FROM secrets WHERE ws = ?'),
    bytes: database.query('SELECT total(length(sealed)) AS bytes FROM secret_versions WHERE ws = ?'),
    put: database.change(
      `INSERT INTO secrets (ws, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET type = excluded.type, purpose = excluded.purpose, bindings = excluded.bindings, version = excluded.version,
         revision = excluded.revision, updated_at = excluded.updated_at, revoked_at = excluded.revoked_at`,
    ),
    delete: database.change('DELETE FROM secrets WHERE ws = ? AND name = ?'),
    versions: database.query(`SELECT ${VERSION_COLUMNS} FROM secret_versions WHERE ws = ? AND name = ? ORDER BY version DESC`),
    findVersion: database.query(`SELECT ${VERSION_COLUMNS} FROM secret_versions WHERE ws = ? AND name = ? AND version = ?`),
    insertVersion: database.change(`INSERT INTO secret_versions (ws, name, ${VERSION_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`),
    deleteVersions: database.change('DELETE FROM secret_versions WHERE ws = ? AND name = ?'),
    keys: database.query(`SELECT ${KEY_COLUMNS} FROM data_keys WHERE ws = ? ORDER BY number`),
    insertKey: database.change(`INSERT INTO data_keys (ws, ${KEY_COLUMNS}) VALUES (?, ?, ?, ?, ?)`),
    rewrapKey: database.change('UPDATE data_keys SET root = ?, wrapped = ? WHERE ws = ? AND number = ?'),
    deleteKey: database.change('DELETE FROM data_keys WHERE ws = ? AND number = ?'),
    isKeyInUse: database.query('SELECT 1 FROM secret_versions WHERE ws = ? AND data_key = ? LIMIT 1'),
  };
}

/** Returns a function that adds those that another store had, as they were there. */
export function prepareImportSecrets(database: Database): (ws: number, batch: SecretBatch) => void {
  const key = database.change(`INSERT INTO data_keys (ws, ${KEY_COLUMNS}) VALUES (?, ?, ?, ?, ?)`);
  const secret = database.change(`INSERT INTO secrets (ws, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const sealedVersion = database.change(`INSERT INTO secret_versions (ws, name, ${VERSION_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`);
  return (ws, { dataKeys, secrets }) => {
    for (const { number, root, wrapped, createdAt } of dataKeys) key.run(ws, number, root, wrapped, createdAt);
    for (const { row, versions } of secrets) {
      const { name, type, purpose, bindings, version, revision, createdAt, updatedAt, revokedAt } = row;
      secret.run(...[ws, name, type, purpose, json(bindings), version, revision], ...[createdAt, updatedAt, orNull(revokedAt)]);
      for (const { version: number, dataKey, sealed, createdAt: madeAt } of versions)
        sealedVersion.run(ws, name, number, dataKey, sealed, madeAt);
    }
  };
}

export class SqliteSecretTable implements SecretTable {
  readonly #statements: SecretStatements;
  readonly #context: TableContext;

  constructor(statements: SecretStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }

  find(name: string): SecretRow | undefined {
    const row = this.#statements.find.get(this.#context.ws, name);
    return row === undefined ? undefined : readSecret(row);
  }

  list(limit: number, after = ''): readonly SecretRow[] {
    return this.#statements.list.page(this.#context.ws, after, limit).map(readSecret);
  }

  count(): number {
    return countIn(this.#statements.count.get(this.#context.ws));
  }

  bytes(): number {
    return Number(this.#statements.bytes.get(this.#context.ws)?.['bytes']);
  }

  put({ name, type, purpose, bindings, version, revision, revokedAt }: Parameters<SecretTable['put']>[0]): void {
    const now = this.#context.now();
    this.#statements.put.run(
      ...[this.#context.ws, name, type, purpose, json(bindings), version, revision],
      ...[now, now, orNull(revokedAt)],
    );
  }

  delete(name: string): boolean {
    return this.#statements.delete.run(this.#context.ws, name) === 1;
  }

  versions(name: string): readonly SealedVersion[] {
    return this.#statements.versions.all(this.#context.ws, name).map(readVersion);
  }

  findVersion(name: string, version: number): SealedVersion | undefined {
    const row = this.#statements.findVersion.get(this.#context.ws, name, version);
    return row === undefined ? undefined : readVersion(row);
  }

  replaceVersions(name: string, versions: readonly SealedVersion[]): void {
    this.#statements.deleteVersions.run(this.#context.ws, name);
    for (const { version, dataKey, sealed, createdAt } of versions)
      this.#statements.insertVersion.run(this.#context.ws, name, version, dataKey, sealed, createdAt);
  }

  dataKeys(): readonly DataKeyRow[] {
    return this.#statements.keys.all(this.#context.ws).map(readKey);
  }

  isInUse(dataKey: number): boolean {
    return this.#statements.isKeyInUse.get(this.#context.ws, dataKey) !== undefined;
  }

  insertDataKey({ number, root, wrapped }: Omit<DataKeyRow, 'createdAt'>): void {
    this.#statements.insertKey.run(this.#context.ws, number, root, wrapped, this.#context.now());
  }

  rewrapDataKey({ number, root, wrapped }: Omit<DataKeyRow, 'createdAt'>): void {
    const changed = this.#statements.rewrapKey.run(root, wrapped, this.#context.ws, number);
    if (changed !== 1) throw new Error(`No data key ${number} to wrap again`);
  }

  deleteDataKey(number: number): void {
    this.#statements.deleteKey.run(this.#context.ws, number);
  }
}

function readSecret(row: Row): SecretRow {
  return {
    name: String(row['name']),
    type: String(row['type']),
    purpose: String(row['purpose']),
    bindings: parseObject(row['bindings']) as SecretBindings, // `put` wrote it.
    version: Number(row['version']),
    revision: Number(row['revision']),
    createdAt: Number(row['created_at']),
    updatedAt: Number(row['updated_at']),
    revokedAt: optional(row['revoked_at'], Number),
  };
}

function readVersion(row: Row): SealedVersion {
  return {
    version: Number(row['version']),
    dataKey: Number(row['data_key']),
    sealed: row['sealed'] as Uint8Array, // A BLOB.
    createdAt: Number(row['created_at']),
  };
}

function readKey(row: Row): DataKeyRow {
  return {
    number: Number(row['number']),
    root: Number(row['root']),
    wrapped: row['wrapped'] as Uint8Array, // A BLOB.
    createdAt: Number(row['created_at']),
  };
}
