/**
 * The file of one workspace's memory: the only SQL of it. Entries as they were given, their chunks, and an index of the terms of the chunks, with the terms themselves: an index without them only marks what was deleted. Text that is forgotten is
 * overwritten in the file.
 */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { Database, type Query, type Row, storeFault } from '@warren/kernel/sqlite';
import { Fault, isFault, type JsonObject } from '@warren/protocol';
import { diskFault } from '../internal/disk-fault.ts';
import type { MemoryEntry, MemoryFilter } from './memory.ts';

export type EntryRow = MemoryEntry & { readonly key: number };
export type NewEntry = MemoryEntry & { readonly hash: Uint8Array };
export type NewChunk = { readonly start: number; readonly end: number; readonly terms: string; readonly vector: Uint8Array | undefined };
export type ChunkHit = {
  readonly chunk: number;
  readonly entry: number;
  readonly start: number;
  readonly end: number;
  readonly bm25: number;
};
export type ChunkVector = { readonly chunk: number; readonly vector: Uint8Array };
export type ChunkPlace = { readonly entry: number; readonly start: number; readonly end: number };

const VERSION = 1;
/** The index of hashes is written all over; of 100,000 entries it has to fit. */
const CACHE_KIB = 16_384;
/** Vectors of queries that are remembered; the one that was used least lately goes. */
const CACHED_MAX = 2_000;
/** Of one page. */
const LISTED_CHARACTERS_MAX = 4_000_000;
/** Statements for filters: as many as there are kinds of them that are used together. */
const STATEMENTS_MAX = 64;
const SCHEMA = `
  CREATE TABLE entries (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    source TEXT NOT NULL,
    session TEXT,
    importance REAL NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER,
    is_pinned INTEGER NOT NULL,
    tags TEXT NOT NULL,
    metadata TEXT,
    labels TEXT
  ) STRICT;
  CREATE INDEX entries_by_time ON entries (created_at, key);
  CREATE INDEX entries_by_session ON entries (session, created_at) WHERE session IS NOT NULL;
  CREATE INDEX entries_due ON entries (expires_at) WHERE expires_at IS NOT NULL AND is_pinned = 0;
  CREATE TABLE entry_tags (
    tag TEXT NOT NULL,
    entry INTEGER NOT NULL REFERENCES entries (key) ON DELETE CASCADE,
    PRIMARY KEY (tag, entry)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX entry_tags_by_entry ON entry_tags (entry);
  CREATE TABLE chunks (
    key INTEGER PRIMARY KEY,
    entry INTEGER NOT NULL REFERENCES entries (key) ON DELETE CASCADE,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    vector BLOB
  ) STRICT;
  CREATE INDEX chunks_by_entry ON chunks (entry);
  CREATE INDEX chunks_without_vector ON chunks (key) WHERE vector IS NULL;
  CREATE TABLE embeddings (hash TEXT PRIMARY KEY, vector BLOB NOT NULL, used INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX embeddings_by_use ON embeddings (used);
  CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE VIRTUAL TABLE terms USING fts5 (body, tokenize = 'porter unicode61');
  INSERT INTO terms (terms, rank) VALUES ('secure-delete', 1);
  PRAGMA user_version = ${VERSION};
`;
const ENTRY =
  'e.key, e.id, e.text, e.source, e.session, e.importance, e.created_at, e.updated_at, e.expires_at, e.is_pinned, e.tags, e.metadata, e.labels';

export class MemoryStore {
  readonly #database: Database;
  readonly #statements;
  readonly #filtered = new Map<string, Query>();
  /** Keys are given once in a life: what is made for one that is gone never ends up with another. */
  #entryKey: number;
  #chunkKey: number;
  #uses: number;

  /** Faults: `store_failed`. */
  constructor(path: string) {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      closeSync(openSync(path, 'a', 0o600)); // SQLite's own files take the mode of this one.
    } catch (error) {
      throw diskFault(error, 'open the memory');
    }
    this.#database = openDatabase(path);
    try {
      this.#database.execute(`PRAGMA cache_size = -${CACHE_KIB}; PRAGMA secure_delete = ON`);
      this.#prepareSchema();
      this.#statements = prepare(this.#database);
      this.#entryKey = Number(this.#statements.newestEntry.get()?.['key'] ?? 0);
      this.#chunkKey = Number(this.#statements.newestChunk.get()?.['key'] ?? 0);
      this.#uses = Number(this.#statements.lastUse.get()?.['used'] ?? 0);
    } catch (error) {
      this.#database.close();
      throw storeFault(error, 'open the memory');
    }
  }

  #prepareSchema(): void {
    const version = this.#database.query('SELECT user_version AS version FROM pragma_user_version').get()?.['version'];
    if (version === VERSION) return;
    if (version !== 0) throw new Error(`The memory has version ${String(version)}, not ${VERSION}`);
    this.#database.execute(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`);
  }

  /** On disk when it returns; whatever `body` throws undoes all of it. */
  write<T>(body: () => T): T {
    try {
      this.#database.execute('BEGIN IMMEDIATE');
      try {
        const value = body();
        this.#database.execute('COMMIT');
        return value;
      } catch (error) {
        if (this.#database.connection.isTransaction) this.#database.execute('ROLLBACK'); // On a full disk SQLite has done so.
        throw error;
      }
    } catch (error) {
      throw storeFault(error, 'write to the memory');
    }
  }

  /** False when there is one of this hash; nothing is stored then. */
  insert(entry: NewEntry, chunks: readonly NewChunk[]): boolean {
    const key = ++this.#entryKey;
    if (this.#statements.insert.run(key, entry.id, ...valuesOf(entry)) === 0) return false;
    this.#describe(key, entry.tags);
    this.#insertChunks(key, chunks);
    return true;
  }

  /** Everything but its text, unless there are chunks of a new one. Returns the chunks that are gone. */
  update(key: number, entry: NewEntry, chunks: readonly NewChunk[] | undefined): readonly number[] {
    this.#statements.update.run(...valuesOf(entry), key);
    this.#statements.deleteTags.run(key);
    this.#describe(key, entry.tags);
    if (chunks === undefined) return [];
    const gone = this.#deleteChunks(key);
    this.#insertChunks(key, chunks);
    return gone;
  }

  /** Returns the chunks that are gone. */
  delete(key: number): readonly number[] {
    const gone = this.#deleteChunks(key);
    this.#statements.delete.run(key);
    return gone;
  }

  find(id: string): EntryRow | undefined {
    return readOptional(this.#statements.find.get(id));
  }

  findByHash(hash: Uint8Array): EntryRow | undefined {
    return readOptional(this.#statements.findByHash.get(hash));
  }

  get(key: number): EntryRow | undefined {
    return readOptional(this.#statements.get.get(key));
  }

  count(): number {
    return Number(this.#statements.count.get()?.['count']);
  }

  /** Of the file, without what is free in it. */
  bytes(): number {
    return Number(this.#statements.bytes.get()?.['bytes']);
  }

  /** Newest first, those before `before`, which is the key and the time of an entry; fewer when they are long, but at least one if there is one. */
  list(filter: MemoryFilter, limit: number, before: { readonly createdAt: number; readonly key: number } | undefined): readonly EntryRow[] {
    const { where, values } = conditionsOf(filter);
    const page = before === undefined ? [] : ['(e.created_at, e.key) < (?, ?)'];
    const all = [...where, ...page];
    const sql = `SELECT ${ENTRY} FROM entries e ${all.length === 0 ? '' : `WHERE ${all.join(' AND ')}`} ORDER BY e.created_at DESC, e.key DESC LIMIT ?`;
    const from = before === undefined ? [] : [before.createdAt, before.key];
    const rows: EntryRow[] = [];
    let characters = 0;
    for (const row of this.#query(sql).each(...values, ...from, limit)) {
      const entry = readEntry(row);
      characters += entry.text.length;
      if (characters > LISTED_CHARACTERS_MAX && rows.length > 0) break;
      rows.push(entry);
    }
    return rows;
  }

  /** Those whose time has come, the first first. */
  expired(now: number, limit: number): readonly number[] {
    return this.#statements.expired.all(now, limit).map(({ key }) => Number(key));
  }

  /** How many chunks have the term, but no more than `most`. */
  countTerm(term: string, most: number): number {
    return Number(this.#statements.countTerm.get(match([term]), most)?.['count']);
  }

  /** Chunks with any of the terms, the best first. */
  rank(terms: readonly string[], filter: MemoryFilter, limit: number): readonly ChunkHit[] {
    return this.#hits(terms, filter, limit, 'bm25(terms)', 'rank');
  }

  /** Chunks with any of the terms, the newest first and unranked: where so many have them, which is best is not worth what it costs. */
  newest(terms: readonly string[], filter: MemoryFilter, limit: number): readonly ChunkHit[] {
    return this.#hits(terms, filter, limit, '-1', 't.rowid DESC');
  }

  #hits(terms: readonly string[], filter: MemoryFilter, limit: number, bm25: string, order: string): readonly ChunkHit[] {
    const { where, values } = conditionsOf(filter);
    const joined = where.length === 0 ? '' : 'JOIN chunks c ON c.key = t.rowid JOIN entries e ON e.key = c.entry';
    const sql = `SELECT t.rowid AS chunk, ${bm25} AS bm25 FROM terms t ${joined} WHERE terms MATCH ? ${where.map((each) => `AND ${each}`).join(' ')} ORDER BY ${order} LIMIT ?`;
    return this.#query(sql)
      .all(match(terms), ...values, limit)
      .flatMap(({ chunk, bm25: score }) => {
        const place = this.placeOf(Number(chunk));
        return place === undefined ? [] : [{ chunk: Number(chunk), bm25: Number(score), ...place }];
      });
  }

  placeOf(chunk: number): ChunkPlace | undefined {
    const place = this.#statements.place.get(chunk);
    return place === undefined ? undefined : readPlace(place);
  }

  /** Vectors of chunks after `after`, in their order. */
  vectors(after: number, limit: number): readonly ChunkVector[] {
    return this.#statements.vectors.all(after, limit).map(({ key, vector }) => ({
      chunk: Number(key),
      vector: vector as Uint8Array, // It is not null.
    }));
  }

  vectorOf(chunk: number): Uint8Array | undefined {
    const vector = this.#statements.vectorOf.get(chunk)?.['vector'];
    return vector instanceof Uint8Array ? vector : undefined;
  }

  /** Chunks that have none yet, with their text. */
  withoutVector(limit: number): readonly { readonly chunk: number; readonly text: string }[] {
    return this.#statements.withoutVector.all(limit).map(({ key, text, first, last }) => ({
      chunk: Number(key),
      text: String(text).slice(Number(first), Number(last)),
    }));
  }

  /** False when the chunk is gone. */
  setVector(chunk: number, vector: Uint8Array): boolean {
    return this.#statements.setVector.run(vector, chunk) > 0;
  }

  /** Of at most so many chunks. Returns of how many. */
  clearVectors(limit: number): number {
    return this.#statements.clearVectors.run(limit);
  }

  /** The vector of a text that was asked for before. */
  cached(hash: string): Uint8Array | undefined {
    const vector = this.#statements.cached.get(hash)?.['vector'];
    return vector instanceof Uint8Array ? vector : undefined;
  }

  cache(vectors: readonly { readonly hash: string; readonly vector: Uint8Array }[]): void {
    for (const { hash, vector } of vectors) this.#statements.cache.run(hash, vector, ++this.#uses);
    this.#statements.trimCache.run(this.#uses - CACHED_MAX);
  }

  clearCache(): void {
    this.#statements.clearCache.run();
  }

  /** The largest key of a chunk so far: what is larger has been added since. */
  newestChunk(): number {
    return this.#chunkKey;
  }

  fact(name: string): string | undefined {
    const value = this.#statements.fact.get(name)?.['value'];
    return value === undefined ? undefined : String(value);
  }

  setFact(name: string, value: string): void {
    this.#statements.setFact.run(name, value);
  }

  deleteFact(name: string): void {
    this.#statements.deleteFact.run(name);
  }

  /** Takes what was written out of the log beside the file, so that nothing forgotten stays in it. */
  checkpoint(): void {
    this.#database.execute('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  close(): void {
    this.#database.close();
  }

  /** Each kind of filter is one statement. */
  #query(sql: string): Query {
    const known = this.#filtered.get(sql);
    if (known !== undefined) return known;
    if (this.#filtered.size >= STATEMENTS_MAX) this.#filtered.clear();
    const query = this.#database.query(sql);
    this.#filtered.set(sql, query);
    return query;
  }

  #describe(key: number, tags: readonly string[]): void {
    for (const tag of tags) this.#statements.insertTag.run(tag, key);
  }

  #insertChunks(entry: number, chunks: readonly NewChunk[]): void {
    for (const { start, end, terms, vector } of chunks) {
      const key = ++this.#chunkKey;
      this.#statements.insertChunk.run(key, entry, start, end, vector ?? null);
      this.#statements.insertTerms.run(key, terms);
    }
  }

  #deleteChunks(entry: number): readonly number[] {
    const chunks = this.#statements.chunksOf.all(entry).map(({ key }) => Number(key));
    for (const chunk of chunks) this.#statements.deleteTerms.run(chunk);
    this.#statements.deleteChunks.run(entry);
    return chunks;
  }
}

function prepare(database: Database) {
  return {
    insert: database.change(
      `INSERT INTO entries (key, id, text, hash, source, session, importance, created_at, updated_at, expires_at, is_pinned, tags, metadata, labels)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING`,
    ),
    update: database.change(
      `UPDATE entries SET text = ?, hash = ?, source = ?, session = ?, importance = ?, created_at = ?, updated_at = ?, expires_at = ?, is_pinned = ?,
         tags = ?, metadata = ?, labels = ? WHERE key = ?`,
    ),
    delete: database.change('DELETE FROM entries WHERE key = ?'),
    find: database.query(`SELECT ${ENTRY} FROM entries e WHERE e.id = ?`),
    findByHash: database.query(`SELECT ${ENTRY} FROM entries e WHERE e.hash = ?`),
    get: database.query(`SELECT ${ENTRY} FROM entries e WHERE e.key = ?`),
    count: database.query('SELECT count(*) AS count FROM entries'),
    bytes: database.query(
      'SELECT (p.page_count - f.freelist_count) * s.page_size AS bytes FROM pragma_page_count p, pragma_freelist_count f, pragma_page_size s',
    ),
    expired: database.query('SELECT key FROM entries WHERE expires_at <= ? AND is_pinned = 0 ORDER BY expires_at LIMIT ?'),
    insertTag: database.change('INSERT INTO entry_tags (tag, entry) VALUES (?, ?)'),
    deleteTags: database.change('DELETE FROM entry_tags WHERE entry = ?'),
    insertChunk: database.change('INSERT INTO chunks (key, entry, first, last, vector) VALUES (?, ?, ?, ?, ?)'),
    chunksOf: database.query('SELECT key FROM chunks WHERE entry = ?'),
    deleteChunks: database.change('DELETE FROM chunks WHERE entry = ?'),
    insertTerms: database.change('INSERT INTO terms (rowid, body) VALUES (?, ?)'),
    deleteTerms: database.change('DELETE FROM terms WHERE rowid = ?'),
    countTerm: database.query('SELECT count(*) AS count FROM (SELECT 1 FROM terms WHERE terms MATCH ? LIMIT ?)'),
    place: database.query('SELECT entry, first, last FROM chunks WHERE key = ?'),
    vectors: database.query('SELECT key, vector FROM chunks WHERE key > ? AND length(vector) > 0 ORDER BY key LIMIT ?'),
    vectorOf: database.query('SELECT vector FROM chunks WHERE key = ?'),
    withoutVector: database.query(
      'SELECT c.key, e.text, c.first, c.last FROM chunks c JOIN entries e ON e.key = c.entry WHERE c.vector IS NULL ORDER BY c.key LIMIT ?',
    ),
    setVector: database.change('UPDATE chunks SET vector = ? WHERE key = ?'),
    clearVectors: database.change('UPDATE chunks SET vector = NULL WHERE key IN (SELECT key FROM chunks WHERE vector IS NOT NULL LIMIT ?)'),
    cached: database.query('SELECT vector FROM embeddings WHERE hash = ?'),
    cache: database.change(
      'INSERT INTO embeddings (hash, vector, used) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET vector = excluded.vector, used = excluded.used',
    ),
    trimCache: database.change('DELETE FROM embeddings WHERE used <= ?'),
    clearCache: database.change('DELETE FROM embeddings'),
    lastUse: database.query('SELECT max(used) AS used FROM embeddings'),
    newestEntry: database.query('SELECT max(key) AS key FROM entries'),
    newestChunk: database.query('SELECT max(key) AS key FROM chunks'),
    fact: database.query('SELECT value FROM facts WHERE name = ?'),
    setFact: database.change('INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value'),
    deleteFact: database.change('DELETE FROM facts WHERE name = ?'),
  };
}

function valuesOf({
  text,
  hash,
  source,
  session,
  importance,
  createdAt,
  updatedAt,
  expiresAt,
  isPinned,
  tags,
  metadata,
  labels,
}: NewEntry) {
  return [
    ...[text, hash, source, session ?? null, importance, createdAt, updatedAt, expiresAt ?? null, Number(isPinned)],
    ...[JSON.stringify(tags), metadata === undefined ? null : JSON.stringify(metadata)],
    labels.length === 0 ? null : JSON.stringify(labels),
  ];
}

/** Each term as a string of its own: nothing in it is an operator. One character of a script without spaces stands for all that begins with it. */
function match(terms: readonly string[]): string {
  return terms.map((term) => `"${term.replaceAll('"', '""')}"${/^\p{Script=Han}$/u.test(term) ? ' *' : ''}`).join(' OR ');
}

function conditionsOf({ tags = [], source, session, since, until }: MemoryFilter) {
  const where: string[] = [];
  const values: (string | number)[] = [];
  const add = (condition: string, value: string | number | undefined): void => {
    if (value === undefined) return;
    where.push(condition);
    values.push(value);
  };
  for (const tag of tags) add('EXISTS (SELECT 1 FROM entry_tags g WHERE g.entry = e.key AND g.tag = ?)', tag);
  add('e.source = ?', source);
  add('e.session = ?', session);
  add('e.created_at >= ?', since);
  add('e.created_at <= ?', until);
  return { where, values };
}

function readOptional(row: Row | undefined): EntryRow | undefined {
  return row === undefined ? undefined : readEntry(row);
}

function readEntry(row: Row): EntryRow {
  const orUndefined = <T>(value: unknown, read: (value: unknown) => T): T | undefined => (value === null ? undefined : read(value));
  return {
    key: Number(row['key']),
    id: String(row['id']),
    text: String(row['text']),
    tags: JSON.parse(String(row['tags'])) as readonly string[], // We wrote it.
    source: String(row['source']),
    session: orUndefined(row['session'], String),
    importance: Number(row['importance']),
    createdAt: Number(row['created_at']),
    updatedAt: Number(row['updated_at']),
    expiresAt: orUndefined(row['expires_at'], Number),
    isPinned: row['is_pinned'] === 1,
    metadata: orUndefined(row['metadata'], (text) => JSON.parse(String(text)) as JsonObject), // As above.
    labels: orUndefined(row['labels'], (text) => JSON.parse(String(text)) as readonly string[]) ?? [], // As above.
  };
}

function readPlace(row: Row): { readonly entry: number; readonly start: number; readonly end: number } {
  return { entry: Number(row['entry']), start: Number(row['first']), end: Number(row['last']) };
}

/** What is wrong with it is said without its place: an agent may read it. */
function openDatabase(path: string): Database {
  try {
    return new Database(path, { isReadOnly: false });
  } catch (error) {
    if (!isFault(error, 'store_failed')) throw error;
    throw new Fault(
      'store_failed',
      'Cannot open the memory of the workspace: its file is damaged or cannot be read; bring it back from a copy',
      { cause: error },
    );
  }
}
