import type { SQLInputValue } from 'node:sqlite';
import type { BodyRow, FileFilter, FileMode, FileRow, FileTable, PastVersionRow } from '../tables/file-table.ts';
import { optional, parseObject } from './columns.ts';
import type { Database, Query, Row } from './database.ts';
import type { TableContext } from './table-context.ts';

const FILE = 'f.path, f.owner, f.writer, f.mode, f.version, f.metadata, f.created_at, f.written_at, f.updated_at, f.accessed_at, f.body';
const PAST = 'f.path, f.version, f.owner, f.writer, f.metadata, f.created_at, f.written_at, f.superseded_at, f.body';
const BODY = 'b.size, b.hash';
const FROM_FILES = `SELECT ${FILE}, ${BODY} FROM files f JOIN bodies b ON b.ws = f.ws AND b.body = f.body`;
const FROM_PAST = `SELECT ${PAST}, ${BODY} FROM file_versions f LEFT JOIN bodies b ON b.ws = f.ws AND b.body = f.body`;

/** Which filters are there decides which index serves; one statement each. */
type Shape = 'all' | 'owner' | 'from' | 'range' | 'ownerFrom' | 'ownerRange';
const CONDITIONS: Readonly<Record<Shape, string>> = {
  all: 'f.ws = ?',
  owner: 'f.ws = ? AND f.owner = ?',
  from: 'f.ws = ? AND f.path >= ?',
  range: 'f.ws = ? AND f.path >= ? AND f.path < ?',
  ownerFrom: 'f.ws = ? AND f.owner = ? AND f.path >= ?',
  ownerRange: 'f.ws = ? AND f.owner = ? AND f.path >= ? AND f.path < ?',
};

export type FileStatements = ReturnType<typeof prepareFiles>;

export function prepareFiles(database: Database) {
  const each = (make: (condition: string) => string): Readonly<Record<Shape, Query>> => ({
    all: database.query(make(CONDITIONS.all)),
    owner: database.query(make(CONDITIONS.owner)),
    from: database.query(make(CONDITIONS.from)),
    range: database.query(make(CONDITIONS.range)),
    ownerFrom: database.query(make(CONDITIONS.ownerFrom)),
    ownerRange: database.query(make(CONDITIONS.ownerRange)),
  });
  return {
    find: database.query(`${FROM_FILES} WHERE f.ws = ? AND f.path = ?`),
    list: each((condition) => `${FROM_FILES} WHERE ${condition} ORDER BY f.path LIMIT ? OFFSET ?`),
    count: each((condition) => `SELECT count(*) AS count FROM files f WHERE ${condition}`),
    insert: database.change(
      `INSERT INTO files (ws, path, owner, writer, mode, version, metadata, created_at, written_at, updated_at, accessed_at, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    update: database.change(
      `UPDATE files SET writer = ?, mode = ?, version = ?, metadata = ?, written_at = ?, updated_at = ?, accessed_at = ?, body = ?
       WHERE ws = ? AND path = ?`,
    ),
    remove: database.change('DELETE FROM files WHERE ws = ? AND path = ?'),
    setAccessedAt: database.change('UPDATE files SET accessed_at = ?3 WHERE ws = ?1 AND path = ?2 AND coalesce(accessed_at, 0) < ?3'),

    newestPast: database.query('SELECT max(version) AS version FROM file_versions WHERE ws = ? AND path = ?'),
    findPast: database.query(`${FROM_PAST} WHERE f.ws = ? AND f.path = ? AND f.version = ?`),
    listPast: database.query(`${FROM_PAST} WHERE f.ws = ? AND f.path = ? ORDER BY f.version DESC LIMIT ?`),
    pathsWithPast: database.query('SELECT DISTINCT path FROM file_versions WHERE ws = ? AND path > ? ORDER BY path LIMIT ?'),
    pastThrough: database.query(
      'SELECT path, version, body FROM file_versions WHERE ws = ? AND path = ? AND version <= ? ORDER BY version LIMIT ?',
    ),
    pastBefore: database.query(
      'SELECT path, version, body FROM file_versions WHERE ws = ? AND superseded_at < ? ORDER BY superseded_at LIMIT ?',
    ),
    insertPast: database.change(
      `INSERT INTO file_versions (ws, path, version, owner, writer, metadata, created_at, written_at, superseded_at, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    deletePast: database.change('DELETE FROM file_versions WHERE ws = ? AND path = ? AND version = ?'),

    totals: database.query(
      'SELECT count(*) AS count, total(b.size) AS bytes FROM files f JOIN bodies b ON b.ws = f.ws AND b.body = f.body WHERE f.ws = ?',
    ),
    totalsOf: database.query(
      `SELECT count(*) AS count, total(b.size) AS bytes FROM files f INDEXED BY files_by_owner
       JOIN bodies b ON b.ws = f.ws AND b.body = f.body WHERE f.ws = ? AND f.owner = ?`,
    ),
    usedBytes: database.query('SELECT bytes FROM file_usage WHERE ws = ?'),
    addUsage: database.change('UPDATE file_usage SET bytes = bytes + ? WHERE ws = ?'),
    insertUsage: database.change('INSERT INTO file_usage (ws, bytes) VALUES (?, ?)'),

    findBody: database.query('SELECT body, size, hash FROM bodies WHERE ws = ? AND hash = ? AND size >= 4096'),
    bodyRefs: database.query(`SELECT refs, size, typeof(data) = 'null' AS is_large FROM bodies WHERE ws = ? AND body = ?`),
    readSmall: database.query('SELECT data FROM bodies WHERE ws = ? AND body = ?'),
    listUnnamed: database.query('SELECT body, size FROM bodies WHERE ws = ? AND refs = 0 AND body > ? ORDER BY body LIMIT ?'),
    insertSmall: database.change('INSERT INTO bodies (ws, body, refs, size, hash, data) VALUES (?, ?, 1, ?, ?, ?)'),
    insertLarge: database.change('INSERT INTO bodies (ws, body, refs, size, hash, data) VALUES (?, ?, 0, 0, NULL, NULL)'),
    finishLarge: database.change('UPDATE bodies SET refs = 1, size = ?, hash = ? WHERE ws = ? AND body = ? AND refs = 0 AND data IS NULL'),
    addRef: database.change('UPDATE bodies SET refs = refs + ? WHERE ws = ? AND body = ? AND refs > 0'),
    unname: database.change('UPDATE bodies SET refs = 0, hash = NULL WHERE ws = ? AND body = ?'),
    deleteBody: database.change('DELETE FROM bodies WHERE ws = ? AND body = ?'),

    readChunk: database.query('SELECT data FROM chunks WHERE ws = ? AND body = ? AND seq = ?'),
    insertChunk: database.change('INSERT INTO chunks (ws, body, seq, data) VALUES (?, ?, ?, ?)'),
    deleteChunks: database.change(
      'DELETE FROM chunks WHERE ws = ?1 AND body = ?2 AND seq > (SELECT max(seq) FROM chunks WHERE ws = ?1 AND body = ?2) - ?3',
    ),
  };
}

export class SqliteFileTable implements FileTable {
  readonly #statements: FileStatements;
  readonly #context: TableContext;

  constructor(statements: FileStatements, context: TableContext) {
    this.#statements = statements;
    this.#context = context;
  }

  find(path: string): FileRow | undefined {
    const row = this.#statements.find.get(this.#context.ws, path);
    return row === undefined ? undefined : readFile(row);
  }

  list(filter: FileFilter, { limit, offset }: { readonly limit: number; readonly offset: number }): readonly FileRow[] {
    const { shape, values } = this.#shape(filter);
    return this.#statements.list[shape].page(...values, limit, offset).map(readFile);
  }

  count(filter: FileFilter): number {
    const { shape, values } = this.#shape(filter);
    return Number(this.#statements.count[shape].get(...values)?.['count']);
  }

  insert(row: FileRow): void {
    this.#statements.insert.run(
      ...[this.#context.ws, row.path, row.owner, row.writer, row.mode, row.version, JSON.stringify(row.metadata)],
      ...[row.createdAt, row.writtenAt, row.updatedAt, row.accessedAt ?? null, row.body],
    );
  }

  update(row: FileRow): void {
    const changed = this.#statements.update.run(
      ...[row.writer, row.mode, row.version, JSON.stringify(row.metadata), row.writtenAt, row.updatedAt, row.accessedAt ?? null, row.body],
      ...[this.#context.ws, row.path],
    );
    if (changed !== 1) throw new Error(`No file ${row.path} to update`);
  }

  remove(path: string): void {
    if (this.#statements.remove.run(this.#context.ws, path) !== 1) throw new Error(`No file ${path} to remove`);
  }

  setAccessedAt(path: string, at: number): void {
    this.#statements.setAccessedAt.run(this.#context.ws, path, at);
  }

  newestPast(path: string): number {
    return Number(this.#statements.newestPast.get(this.#context.ws, path)?.['version'] ?? 0);
  }

  findPast(path: string, version: number): PastVersionRow | undefined {
    const row = this.#statements.findPast.get(this.#context.ws, path, version);
    return row === undefined ? undefined : readPast(row);
  }

  listPast(path: string, limit: number): readonly PastVersionRow[] {
    return this.#statements.listPast.all(this.#context.ws, path, limit).map(readPast);
  }

  pathsWithPast(afterPath: string, limit: number): readonly string[] {
    return this.#statements.pathsWithPast.all(this.#context.ws, afterPath, limit).map((row) => String(row['path']));
  }

  insertPast(row: PastVersionRow): void {
    this.#statements.insertPast.run(
      ...[this.#context.ws, row.path, row.version, row.owner, row.writer ?? null, JSON.stringify(row.metadata)],
      ...[row.createdAt, row.writtenAt, row.supersededAt, row.content?.body ?? null],
    );
  }

  deletePast(path: string, throughVersion: number, limit: number): number {
    return this.#deletePast(this.#statements.pastThrough.all(this.#context.ws, path, throughVersion, limit));
  }

  deletePastBefore(at: number, limit: number): number {
    return this.#deletePast(this.#statements.pastBefore.all(this.#context.ws, at, limit));
  }

  #deletePast(rows: readonly Row[]): number {
    for (const row of rows) {
      this.#statements.deletePast.run(this.#context.ws, String(row['path']), Number(row['version']));
      const body = optional(row['body'], Number);
      if (body !== undefined) this.#release(body);
    }
    return rows.length;
  }

  totals(owner?: number): { readonly count: number; readonly bytes: number } {
    const { ws } = this.#context;
    const row = owner === undefined ? this.#statements.totals.get(ws) : this.#statements.totalsOf.get(ws, owner);
    return { count: Number(row?.['count']), bytes: Number(row?.['bytes']) };
  }

  usedBytes(): number {
    return Number(this.#statements.usedBytes.get(this.#context.ws)?.['bytes'] ?? 0);
  }

  findBody(hash: string): BodyRow | undefined {
    const row = this.#statements.findBody.get(this.#context.ws, Buffer.from(hash, 'hex'));
    return row === undefined ? undefined : readBody(row);
  }

  isNamed(body: number): boolean {
    return Number(this.#statements.bodyRefs.get(this.#context.ws, body)?.['refs'] ?? 0) > 0;
  }

  readSmall(body: number): Uint8Array | undefined {
    return readBytes(this.#statements.readSmall.get(this.#context.ws, body));
  }

  readChunk(body: number, seq: number): Uint8Array | undefined {
    return readBytes(this.#statements.readChunk.get(this.#context.ws, body, seq));
  }

  listUnnamed(after: number, limit: number): readonly { readonly body: number; readonly isComplete: boolean }[] {
    const rows = this.#statements.listUnnamed.all(this.#context.ws, after, limit);
    return rows.map((row) => ({ body: Number(row['body']), isComplete: Number(row['size']) > 0 }));
  }

  insertSmall({ hash, data }: { readonly hash: string; readonly data: Uint8Array }): number {
    const body = this.#context.counters.take('body');
    this.#statements.insertSmall.run(this.#context.ws, body, data.length, Buffer.from(hash, 'hex'), data);
    this.#addUsage(data.length);
    return body;
  }

  insertLarge(): number {
    const body = this.#context.counters.take('body');
    this.#statements.insertLarge.run(this.#context.ws, body);
    return body;
  }

  insertChunk(body: number, seq: number, data: Uint8Array): void {
    this.#statements.insertChunk.run(this.#context.ws, body, seq, data);
  }

  finishLarge({ body, size, hash }: BodyRow): void {
    const changed = this.#statements.finishLarge.run(size, Buffer.from(hash, 'hex'), this.#context.ws, body);
    if (changed !== 1) throw new Error(`No body ${body} to finish`);
    this.#addUsage(size);
  }

  retain(body: number): void {
    if (this.#statements.addRef.run(1, this.#context.ws, body) !== 1) throw new Error(`No body ${body} to retain`);
  }

  deleteUnnamed(body: number, limit: number): boolean {
    if (this.#statements.deleteChunks.run(this.#context.ws, body, limit) === limit) return false;
    this.#deleteBody(body);
    return true;
  }

  /** Named once less. A small body goes with its last name; a large one stays until its chunks were deleted in steps. */
  #release(body: number): void {
    const row = this.#statements.bodyRefs.get(this.#context.ws, body);
    if (row === undefined) throw new Error(`No body ${body} to release`);
    if (Number(row['refs']) > 1) {
      this.#statements.addRef.run(-1, this.#context.ws, body);
      return;
    }
    this.#addUsage(-Number(row['size']));
    if (Number(row['is_large']) === 1) this.#statements.unname.run(this.#context.ws, body);
    else this.#deleteBody(body);
  }

  /** Numbers are not given again, so a reader never finds another body under the one it opened. */
  #deleteBody(body: number): void {
    if (body === this.#context.counters.peek('body') - 1) this.#context.counters.keepFloor('body');
    this.#statements.deleteBody.run(this.#context.ws, body);
  }

  #addUsage(bytes: number): void {
    if (this.#statements.addUsage.run(bytes, this.#context.ws) === 0) this.#statements.insertUsage.run(this.#context.ws, bytes);
  }

  #shape({ prefix, owner }: FileFilter): { readonly shape: Shape; readonly values: SQLInputValue[] } {
    const values: SQLInputValue[] = [this.#context.ws];
    if (owner !== undefined) values.push(owner);
    if (prefix === undefined || prefix === '') return { shape: owner === undefined ? 'all' : 'owner', values };
    const end = endOfPrefix(prefix);
    values.push(prefix);
    if (end === undefined) return { shape: owner === undefined ? 'from' : 'ownerFrom', values };
    values.push(end);
    return { shape: owner === undefined ? 'range' : 'ownerRange', values };
  }
}

const LAST_CODE_POINT = 0x10ffff;

/** The least text greater than every text that begins with this one: its last character that can be raised is. Undefined: there is none. */
function endOfPrefix(prefix: string): string | undefined {
  const points = [...prefix].map((character) => Number(character.codePointAt(0)));
  while (points.at(-1) === LAST_CODE_POINT) points.pop();
  const last = points.pop();
  if (last === undefined) return undefined;
  const next = last === 0xd7ff ? 0xe000 : last + 1; // Between them are halves of characters.
  return String.fromCodePoint(...points, next);
}

function readFile(row: Row): FileRow {
  return {
    path: String(row['path']),
    owner: Number(row['owner']),
    writer: Number(row['writer']),
    mode: row['mode'] as FileMode, // CHECK
    version: Number(row['version']),
    metadata: parseMetadata(row),
    createdAt: Number(row['created_at']),
    writtenAt: Number(row['written_at']),
    updatedAt: Number(row['updated_at']),
    accessedAt: optional(row['accessed_at'], Number),
    ...readBody(row),
  };
}

function readPast(row: Row): PastVersionRow {
  return {
    path: String(row['path']),
    version: Number(row['version']),
    owner: Number(row['owner']),
    writer: optional(row['writer'], Number),
    content: row['body'] === null ? undefined : readBody(row),
    metadata: parseMetadata(row),
    createdAt: Number(row['created_at']),
    writtenAt: Number(row['written_at']),
    supersededAt: Number(row['superseded_at']),
  };
}

const NO_METADATA = Object.freeze({});

/** Most files have none, and parsing costs as much as finding the row. */
function parseMetadata(row: Row): FileRow['metadata'] {
  return row['metadata'] === '{}' ? NO_METADATA : parseObject(row['metadata']);
}

function readBody(row: Row): BodyRow {
  const hash = row['hash'];
  return {
    body: Number(row['body']),
    size: Number(row['size']),
    hash: hash instanceof Uint8Array ? Buffer.from(hash).toString('hex') : '',
  };
}

function readBytes(row: Row | undefined): Uint8Array | undefined {
  const data = row?.['data'];
  return data instanceof Uint8Array ? data : undefined;
}
