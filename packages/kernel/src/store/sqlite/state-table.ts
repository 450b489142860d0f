import type { SQLInputValue } from 'node:sqlite';
import type { JsonValue } from '../../internal/json.ts';
import { OWN_SCOPE, type StateHead, type StateRow, type StateTable, type StateVersionRow } from '../tables/state-table.ts';
import { optional, readNames } from './columns.ts';
import type { Database, Row } from './database.ts';
import { json, jsonOrNull, orNull } from './partial-update.ts';
import { firstAfterPrefix } from './prefix-range.ts';
import type { TableContext } from './table-context.ts';

/** Deletions remembered in a scope; of older ones only that there were some. */
const DELETIONS_MAX = 1_000;
/** Of values in a list, and of versions: a list ends where they are more, but has one at least. */
const LIST_BYTES_MAX = 4_194_304;

const HEAD = 'scope, key, version, size_bytes, created_at, updated_at, expires_at, deleted_at, writer, owner, readers, writers';
const VERSION = 'version, size_bytes, at, writer, value, labels';
const FIND = `SELECT ${HEAD}, value, labels FROM state WHERE ws = ? AND scope = ? AND key = ?`;
/** Keys behind one, up to another. */
const RANGE = 'ws = ? AND scope = ? AND key > ? AND key <= ?';
const EXPIRED = 'state INDEXED BY state_by_expires_at';
const DELETED = 'state INDEXED BY state_by_deleted_at';

export type StateStatements = ReturnType<typeof prepareState>;

export function prepareState(database: Database) {
  return {
    find: database.query(FIND),
    findOwn: database.remembered(FIND, ['state', 'workspaces']),
    head: database.query(`SELECT ${HEAD} FROM state WHERE ws = ? AND scope = ? AND key = ?`),
    value: database.query('SELECT value, labels FROM state WHERE ws = ? AND scope = ? AND key = ?'),
    first: database.query(
      `SELECT ${HEAD} FROM state WHERE ws = ? AND scope = ? AND key >= ? AND deleted_at IS NULL AND coalesce(expires_at > ?, 1) ORDER BY key`,
    ),
    behind: database.query(
      `SELECT ${HEAD} FROM state WHERE ws = ? AND scope = ? AND key > ? AND deleted_at IS NULL AND coalesce(expires_at > ?, 1) ORDER BY key`,
    ),
    put: database.change(
      `INSERT INTO state (ws, ${HEAD}, value, labels) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET version = excluded.version, size_bytes = excluded.size_bytes, created_at = excluded.created_at,
         updated_at = excluded.updated_at, expires_at = excluded.expires_at, deleted_at = excluded.deleted_at, writer = excluded.writer,
         owner = excluded.owner, readers = excluded.readers, writers = excluded.writers, value = excluded.value, labels = excluded.labels`,
    ),
    remove: database.change('DELETE FROM state WHERE ws = ? AND scope = ? AND key = ?'),
    expired: database.query(`SELECT ${HEAD} FROM ${EXPIRED} WHERE ws = ? AND expires_at <= ? ORDER BY expires_at, scope, key LIMIT ? + 0`),
    nextExpiry: database.query(`SELECT expires_at FROM ${EXPIRED} WHERE ws = ? AND expires_at IS NOT NULL ORDER BY expires_at LIMIT 1`),
    expiredSize: database.query(
      `SELECT count(*) AS keys, total(size_bytes + (
         SELECT total(v.size_bytes) FROM state_versions AS v WHERE v.ws = state.ws AND v.scope = state.scope AND v.key = state.key)) AS bytes
       FROM ${EXPIRED} WHERE ws = ? AND expires_at <= ? AND scope = ?`,
    ),
    oldestDeletions: database.query(
      `SELECT key, version FROM ${DELETED} WHERE ws = ? AND scope = ? AND deleted_at IS NOT NULL ORDER BY deleted_at, key LIMIT ? + 0`,
    ),
    behindAll: database.query(`SELECT ${HEAD} FROM state WHERE ws = ? AND scope = ? AND key > ? ORDER BY key LIMIT ? + 0`),
    rangeSize: database.query(`SELECT total(size_bytes) AS bytes FROM state_versions WHERE ${RANGE}`),
    removeVersions: database.change(`DELETE FROM state_versions WHERE ${RANGE}`),
    removeRange: database.change(`DELETE FROM state WHERE ${RANGE}`),
    addVersion: database.change(`INSERT INTO state_versions (ws, scope, key, ${VERSION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    versions: database.query(
      `SELECT ${VERSION} FROM state_versions WHERE ws = ? AND scope = ? AND key = ? ORDER BY version DESC LIMIT ? + 0`,
    ),
    sizes: database.query('SELECT size_bytes FROM state_versions WHERE ws = ? AND scope = ? AND key = ? ORDER BY version DESC'),
    version: database.query(`SELECT ${VERSION} FROM state_versions WHERE ws = ? AND scope = ? AND key = ? AND version = ?`),
    trimVersions: database.change(
      `DELETE FROM state_versions WHERE ws = ?1 AND scope = ?2 AND key = ?3 AND version <= (
         SELECT version FROM state_versions WHERE ws = ?1 AND scope = ?2 AND key = ?3 ORDER BY version DESC LIMIT 1 OFFSET ?4)
       RETURNING size_bytes`,
    ),
    scope: database.query('SELECT bytes, keys, deleted, floor, ended_at FROM state_scopes WHERE ws = ? AND scope = ?'),
    account: database.change(
      `INSERT INTO state_scopes (ws, scope, bytes, keys, deleted) VALUES (?, ?, max(0, ?3), max(0, ?4), max(0, ?5))
       ON CONFLICT DO UPDATE SET bytes = bytes + ?3, keys = keys + ?4, deleted = deleted + ?5`,
    ),
    raiseFloor: database.change('UPDATE state_scopes SET floor = max(floor, ?) WHERE ws = ? AND scope = ?'),
    endScope: database.change('UPDATE state_scopes SET ended_at = ? WHERE ws = ? AND scope = ? AND ended_at IS NULL'),
    endedScopes: database.query(
      `SELECT scope FROM state_scopes INDEXED BY state_scopes_ended WHERE ws = ? AND ended_at IS NOT NULL ORDER BY ended_at, scope LIMIT ? + 0`,
    ),
    deleteScope: database.change('DELETE FROM state_scopes WHERE ws = ? AND scope = ? AND ended_at IS NOT NULL'),
  };
}

/** What a row is now: a value, or the deletion of one, which expiry is too. */
type Known = StateHead & { readonly deletedAt: number | undefined };

export class SqliteStateTable implements StateTable {
  readonly #statements: StateStatements;
  readonly #context: TableContext;

  constructor(statements: StateStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }

  find(scope: string, key: string): StateRow | undefined {
    // What is the kernel's own is little, and some of it is asked for with each call.
    const statement = scope.startsWith(OWN_SCOPE) ? this.#statements.findOwn : this.#statements.find;
    const row = statement.get(this.#context.ws, scope, key);
    if (row === undefined) return undefined;
    const known = this.#read(row);
    return known.deletedAt === undefined ? withValue(known, row) : undefined;
  }

  list(scope: string, { prefix, after, limit, accepts = () => true }: Parameters<StateTable['list']>[1]): ReturnType<StateTable['list']> {
    const end = firstAfterPrefix(prefix);
    const isBehind = after !== undefined && compareText(after, prefix) >= 0;
    const statement = isBehind ? this.#statements.behind : this.#statements.first;
    const rows: StateRow[] = [];
    let bytes = 0;
    for (const row of statement.each(this.#context.ws, scope, isBehind ? after : prefix, this.#context.now())) {
      const head = readHead(row);
      if (end !== undefined && compareText(head.key, end) >= 0) break;
      if (!accepts(head)) continue;
      bytes += head.sizeBytes;
      if (rows.length >= limit || (bytes > LIST_BYTES_MAX && rows.length > 0)) return { rows, isWhole: false };
      rows.push(withValue(head, this.#statements.value.get(this.#context.ws, scope, head.key)));
    }
    return { rows, isWhole: true };
  }

  size(scope: string): { readonly bytes: number; readonly keys: number } {
    const { ws } = this.#context;
    const all = this.#statements.scope.get(ws, scope);
    if (all === undefined) return { bytes: 0, keys: 0 };
    const expired = this.#statements.expiredSize.get(ws, this.#context.now(), scope);
    return { bytes: Number(all['bytes']) - Number(expired?.['bytes']), keys: Number(all['keys']) - Number(expired?.['keys']) };
  }

  versionSizes(scope: string, key: string): readonly number[] {
    const { ws } = this.#context;
    const row = this.#statements.head.get(ws, scope, key);
    if (row === undefined) return [];
    const { sizeBytes, expiresAt, deletedAt } = this.#read(row);
    if (expiresAt !== undefined && deletedAt !== undefined) return [0];
    return [sizeBytes, ...this.#statements.sizes.all(ws, scope, key).map((each) => Number(each['size_bytes']))];
  }

  versions(scope: string, key: string, limit: number): readonly StateVersionRow[] {
    const newest = this.#newest(scope, key);
    if (newest === undefined || limit < 1) return [];
    const versions = [newest];
    if (newest.isExpiry) return versions.map(({ isExpiry: _, ...version }) => version);
    let bytes = newest.sizeBytes;
    for (const row of this.#statements.versions.each(this.#context.ws, scope, key, limit - 1)) {
      const version = readVersion(row);
      bytes += version.sizeBytes;
      if (bytes > LIST_BYTES_MAX) break;
      versions.push({ ...version, isExpiry: false });
    }
    return versions.map(({ isExpiry: _, ...version }) => version);
  }

  version(scope: string, key: string, version: number): StateVersionRow | undefined {
    const newest = this.#newest(scope, key);
    if (newest === undefined) return undefined;
    const { isExpiry, ...newestVersion } = newest;
    if (newest.version === version) return newestVersion;
    if (isExpiry) return undefined;
    const row = this.#statements.version.get(this.#context.ws, scope, key, version);
    return row === undefined ? undefined : readVersion(row);
  }

  lastVersion(scope: string, key: string): number {
    const { ws } = this.#context;
    const row = this.#statements.head.get(ws, scope, key);
    return Number(row === undefined ? (this.#statements.scope.get(ws, scope)?.['floor'] ?? 0) : row['version']);
  }

  nextDue(): number | undefined {
    if (this.endedScopes(1).length > 0) return 0;
    return optional(this.#statements.nextExpiry.get(this.#context.ws)?.['expires_at'], Number);
  }

  endedScopes(limit: number): readonly string[] {
    return this.#statements.endedScopes.all(this.#context.ws, limit).map((row) => String(row['scope']));
  }

  put(row: StateRow, keep: number): void {
    const { scope, key } = row;
    const before = this.#retire(scope, key, keep);
    this.#write({ ...row, deletedAt: undefined }, row);
    this.#account(scope, row.sizeBytes - before.bytes, before.isValue ? 0 : 1, before.isDeletion ? -1 : 0);
  }

  delete(scope: string, key: string, { version, at, writer }: Parameters<StateTable['delete']>[2], keep: number): void {
    const found = this.#statements.head.get(this.#context.ws, scope, key);
    const known = found === undefined ? undefined : this.#read(found);
    if (known === undefined || known.deletedAt !== undefined) throw new Error(`No value ${key} of ${scope} to delete`);
    const before = this.#retire(scope, key, keep);
    this.#writeDeletion(known, { version, at, writer });
    this.#account(scope, -before.bytes, -1, 1);
    this.#forgetDeletions(scope);
  }

  clear(scope: string, limit: number, after = ''): { readonly keys: number; readonly last: string | undefined } {
    const { ws } = this.#context;
    const found = this.#statements.behindAll.all(ws, scope, after, limit);
    const last = found.at(-1);
    if (last !== undefined) {
      const range = [ws, scope, after, String(last['key'])];
      const values = found.filter((row) => row['deleted_at'] === null).length;
      const versions = Number(this.#statements.rangeSize.get(...range)?.['bytes']);
      this.#statements.removeVersions.run(...range);
      this.#statements.removeRange.run(...range);
      this.#account(scope, -versions - sum(found), -values, values - found.length);
      this.#statements.raiseFloor.run(Math.max(...found.map((row) => Number(row['version']))), ws, scope);
    }
    const isWhole = found.length < limit;
    if (isWhole) this.#statements.deleteScope.run(ws, scope);
    const keys = found.filter((row) => this.#read(row).deletedAt === undefined).length;
    return { keys, last: isWhole || last === undefined ? undefined : String(last['key']) };
  }

  purgeExpired(at: number, limit: number): readonly StateHead[] {
    const heads = this.#statements.expired.all(this.#context.ws, at, limit).map(readHead);
    for (const head of heads) {
      const { scope, key, version, sizeBytes, expiresAt } = head;
      const bytes = this.#trim(scope, key, 0);
      this.#writeDeletion(head, { version, at: expiresAt ?? at, writer: '' });
      this.#account(scope, -sizeBytes - bytes, -1, 1);
    }
    for (const scope of new Set(heads.map((head) => head.scope))) this.#forgetDeletions(scope);
    return heads;
  }

  endScope(scope: string, at: number): boolean {
    return this.#statements.endScope.run(at, this.#context.ws, scope) === 1;
  }

  /** Makes what is there an earlier version. Returns what it took, and what it was. */
  #retire(scope: string, key: string, keep: number): { readonly bytes: number; readonly isValue: boolean; readonly isDeletion: boolean } {
    const { ws } = this.#context;
    const row = this.#statements.find.get(ws, scope, key);
    if (row === undefined) return { bytes: 0, isValue: false, isDeletion: false };
    const { version, sizeBytes, updatedAt, writer, expiresAt, deletedAt } = this.#read(row);
    const isValue = row['deleted_at'] === null;
    const isGone = deletedAt !== undefined;
    let freed = isValue && isGone ? this.#trim(scope, key, 0) + sizeBytes : sizeBytes;
    if (keep > 0) {
      const at = isGone ? (expiresAt ?? deletedAt) : updatedAt;
      this.#statements.addVersion.run(
        ws,
        scope,
        key,
        version,
        isGone ? 0 : sizeBytes,
        at,
        isValue && isGone ? '' : writer,
        isGone ? null : String(row['value']),
        isGone ? null : (row['labels'] ?? null),
      );
      if (!isGone) freed -= sizeBytes;
    }
    freed += this.#trim(scope, key, keep);
    return { bytes: freed, isValue, isDeletion: !isValue };
  }

  #writeDeletion(
    head: StateHead,
    { version, at, writer }: { readonly version: number; readonly at: number; readonly writer: string },
  ): void {
    this.#write({ ...head, version, sizeBytes: 0, updatedAt: at, expiresAt: undefined, deletedAt: at, writer }, undefined);
  }

  #write(known: Known, held: Pick<StateRow, 'value' | 'labels'> | undefined): void {
    this.#statements.put.run(
      ...[this.#context.ws, known.scope, known.key, known.version, known.sizeBytes, known.createdAt, known.updatedAt],
      ...[
        orNull(known.expiresAt),
        orNull(known.deletedAt),
        known.writer,
        known.owner,
        jsonOrNull(known.readers),
        jsonOrNull(known.writers),
      ],
      held === undefined ? null : json(held.value),
      jsonOrNull(held?.labels),
    );
  }

  /** Removes all of a key. */
  #forget(scope: string, key: string, version: number): void {
    const { ws } = this.#context;
    const row = this.#statements.head.get(ws, scope, key);
    if (row === undefined) return;
    const isValue = row['deleted_at'] === null;
    const bytes = Number(row['size_bytes']) + this.#trim(scope, key, 0);
    this.#statements.remove.run(ws, scope, key);
    this.#account(scope, -bytes, isValue ? -1 : 0, isValue ? 0 : -1);
    this.#statements.raiseFloor.run(version, ws, scope);
  }

  #forgetDeletions(scope: string): void {
    const { ws } = this.#context;
    const surplus = Number(this.#statements.scope.get(ws, scope)?.['deleted'] ?? 0) - DELETIONS_MAX;
    if (surplus <= 0) return;
    for (const row of this.#statements.oldestDeletions.all(ws, scope, surplus)) {
      this.#forget(scope, String(row['key']), Number(row['version']));
    }
  }

  /** Returns what the versions took that are gone. */
  #trim(scope: string, key: string, keep: number): number {
    const rows = this.#statements.trimVersions.all(this.#context.ws, scope, key, keep);
    return sum(rows);
  }

  #account(scope: string, bytes: number, keys: number, deleted: number): void {
    this.#statements.account.run(this.#context.ws, scope, bytes, keys, deleted);
  }

  #newest(scope: string, key: string): (StateVersionRow & { readonly isExpiry: boolean }) | undefined {
    const row = this.#statements.find.get(this.#context.ws, scope, key);
    if (row === undefined) return undefined;
    const { version, sizeBytes, updatedAt, writer, deletedAt, expiresAt } = this.#read(row);
    if (deletedAt === undefined) {
      const labels = optional(row['labels'], readNames);
      return { version, sizeBytes, at: updatedAt, writer, value: readValue(row['value']), labels, isExpiry: false };
    }
    const isExpiry = expiresAt !== undefined;
    return { version, sizeBytes: 0, at: deletedAt, writer: isExpiry ? '' : writer, value: undefined, isExpiry };
  }

  /** Expired is deleted, whether somebody has come by to do it or not. */
  #read(row: Row): Known {
    const head = readHead(row);
    const isExpired = head.expiresAt !== undefined && head.expiresAt <= this.#context.now();
    return { ...head, deletedAt: isExpired ? head.expiresAt : optional(row['deleted_at'], Number) };
  }
}

function sum(rows: readonly Row[]): number {
  return rows.reduce((total, row) => total + Number(row['size_bytes']), 0);
}

function readHead(row: Row): StateHead {
  return {
    scope: String(row['scope']),
    key: String(row['key']),
    version: Number(row['version']),
    sizeBytes: Number(row['size_bytes']),
    createdAt: Number(row['created_at']),
    updatedAt: Number(row['updated_at']),
    expiresAt: optional(row['expires_at'], Number),
    writer: String(row['writer']),
    owner: String(row['owner']),
    readers: optional(row['readers'], readNames),
    writers: optional(row['writers'], readNames),
  };
}

function withValue(
  { scope, key, version, sizeBytes, createdAt, updatedAt, expiresAt, writer, owner, readers, writers }: StateHead,
  row: Row | undefined,
): StateRow {
  const [value, labels] = [readValue(row?.['value']), optional(row?.['labels'], readNames)];
  return { scope, key, value, labels, version, sizeBytes, createdAt, updatedAt, expiresAt, writer, owner, readers, writers };
}

function readVersion(row: Row): StateVersionRow {
  return {
    version: Number(row['version']),
    value: optional(row['value'], readValue),
    sizeBytes: Number(row['size_bytes']),
    at: Number(row['at']),
    writer: String(row['writer']),
    labels: optional(row['labels'], readNames),
  };
}

/** Only what we wrote ourselves stands in these columns. */
function readValue(value: SQLInputValue | undefined): JsonValue {
  return JSON.parse(String(value)) as JsonValue; // As above.
}

/** As SQLite compares: by code point, which JavaScript does not. */
function compareText(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
