/** The memory of one workspace, in a file of its own. Without an embedder it goes by words alone. */
import { hash } from 'node:crypto';
import { join } from 'node:path';
import { Fault } from '@warren/protocol';
import { type CheckedMemory, checkFilter, checkNew, checkOptions, checkParts, checkQuery } from './check-memory.ts';
import { chunkText } from './chunk-text.ts';
import type { Embedder } from './embedder.ts';
import type { Memory, MemoryEntry, NewMemory } from './memory.ts';
import { type EntryRow, MemoryStore, type NewChunk, type NewEntry } from './memory-store.ts';
import { searchMemory, TermCounts } from './search-memory.ts';
import { termsOf } from './terms.ts';
import { dimensionsOf, packVector, VectorIndex } from './vector-index.ts';

export type MemoryParts = {
  /** Of the workspace. */
  readonly directory: string;
  readonly embedder?: Embedder | undefined;
  readonly now: () => number;
  readonly newId: () => string;
};

export const MEMORY_FILE = 'memory.db';
const AT_ONCE_MAX = 10_000;
const ENTRIES_MAX = 1_000_000;
const CHUNKING = { tokens: 500, overlapTokens: 50 } as const;
const LIST_DEFAULT = 100;
const LIST_MAX = 1_000;
const EXPIRED_AT_ONCE = 1_000;
const VECTORS_AT_ONCE = 5_000;

/** Faults: `store_failed`. */
export function openMemory({ directory, embedder, now, newId }: MemoryParts): Memory {
  const store = new MemoryStore(join(directory, MEMORY_FILE));
  const counts = new TermCounts(store);
  let vectors: VectorIndex | undefined;
  let vectorsThrough = 0;
  let isOpen = true;

  /** What has come since is added; there is one as soon as there is a vector. */
  const indexVectors = (): VectorIndex | undefined => {
    for (;;) {
      const page = store.vectors(vectorsThrough, VECTORS_AT_ONCE);
      for (const { chunk, vector } of page) {
        vectors ??= new VectorIndex(dimensionsOf(vector));
        vectors.add(chunk, vector);
        vectorsThrough = chunk;
      }
      if (page.length < VECTORS_AT_ONCE) return vectors;
    }
  };
  const rewritten = (): void => {
    [vectors, vectorsThrough] = [undefined, 0];
  };
  const requireOpen = (): void => {
    if (!isOpen) throw new Fault('unavailable', 'Cannot use the memory: it is closed', { details: { is_sent: false } });
  };
  const require = (id: string): EntryRow => {
    const row = store.find(id);
    if (row === undefined || isExpired(row, now()))
      throw new Fault('not_found', `Cannot find memory ${JSON.stringify(String(id).slice(0, 80))}: there is none of this id`);
    return row;
  };
  const embed = async (texts: readonly string[], signal: AbortSignal): Promise<readonly Uint8Array[] | undefined> => {
    if (embedder === undefined) return undefined;
    try {
      return (await embedder.embed(texts, signal)).map(packVector);
    } catch (error) {
      if (signal.aborted) throw error;
      return undefined; // What is stored without a vector is found by its words, and given one later.
    }
  };
  const forgetRows = (keys: readonly number[]): void => {
    if (keys.length === 0) return;
    store.write(() => {
      for (const key of keys) store.delete(key);
    });
    store.checkpoint();
    rewritten();
  };

  return {
    async store(entries) {
      requireOpen();
      if (entries.length > AT_ONCE_MAX)
        throw new Fault('too_large', `Cannot store ${entries.length} memories at once: the limit is ${AT_ONCE_MAX}`);
      const checked = entries.map((entry, index) => checkOne(entry, index));
      const count = store.count();
      if (count + checked.length > ENTRIES_MAX)
        throw new Fault('too_large', `Cannot store more: there are ${count} memories, the limit is ${ENTRIES_MAX}; forget some first`);
      const at = now();
      const prepared = checked.map((entry) => ({ entry: newEntry(entry, newId(), at), chunks: chunksOf(entry.text) }));
      const packed = await embed(
        prepared.flatMap(({ entry, chunks }) => chunks.map(({ start, end }) => entry.text.slice(start, end))),
        AbortSignal.timeout(60_000),
      );
      let index = 0;
      const withVectors = prepared.map(({ entry, chunks }) => ({
        entry,
        chunks: chunks.map((chunk) => ({ ...chunk, vector: packed?.[index++] })),
      }));
      return store.write(() =>
        withVectors.map(({ entry, chunks }) => {
          const known = store.findByHash(entry.hash);
          if (known === undefined) {
            store.insert(entry, chunks);
            return { id: entry.id, isDuplicate: false };
          }
          const { tags, expiresAt, isPinned, importance, metadata = known.metadata } = entry;
          const merged = { ...known, tags: [...new Set([...known.tags, ...tags])], expiresAt, isPinned, importance, metadata };
          store.update(known.key, { ...merged, hash: entry.hash, updatedAt: at }, undefined);
          return { id: known.id, isDuplicate: true };
        }),
      );
    },

    async search(query, options = {}, signal = AbortSignal.timeout(60_000)) {
      requireOpen();
      const text = checkQuery(query);
      const [filter, checked] = [checkFilter(options), checkOptions(options)];
      const index = indexVectors();
      const vector = index === undefined ? undefined : (await embed([text], signal))?.[0];
      signal.throwIfAborted();
      requireOpen();
      return searchMemory({ store, vectors: index, now: now(), counts }, { query: text, vector, filter, ...checked });
    },

    async find(id) {
      requireOpen();
      const row = store.find(id);
      return row === undefined || isExpired(row, now()) ? undefined : toEntry(row);
    },

    async update(id, changes) {
      requireOpen();
      const before = require(id);
      const checked = checkParts(changes);
      const isNewText = checked.text !== undefined && checked.text !== before.text;
      const chunks = isNewText ? chunksOf(checked.text) : undefined;
      const packed =
        chunks === undefined
          ? undefined
          : await embed(
              chunks.map(({ start, end }) => (checked.text ?? '').slice(start, end)),
              AbortSignal.timeout(60_000),
            );
      const row = store.write(() => {
        const current = require(id);
        const after = { ...current, ...checked, createdAt: checked.createdAt ?? current.createdAt, updatedAt: now() };
        const other = store.findByHash(hashOf(after.text));
        if (other !== undefined && other.key !== current.key) {
          throw new Fault('already_exists', `Cannot change memory ${id}: ${other.id} has the same text`, { details: { id: other.id } });
        }
        store.update(
          current.key,
          { ...after, hash: hashOf(after.text) },
          chunks?.map((chunk, index) => ({ ...chunk, vector: packed?.[index] })),
        );
        return require(id);
      });
      if (isNewText) {
        store.checkpoint();
        rewritten();
      }
      return toEntry(row);
    },

    async forget(id) {
      requireOpen();
      const row = store.find(id);
      forgetRows(row === undefined ? [] : [row.key]);
      return row !== undefined;
    },

    async forgetAll(filter) {
      requireOpen();
      const checked = checkFilter(filter);
      let count = 0;
      for (;;) {
        const rows = store.list(checked, LIST_MAX, undefined);
        forgetRows(rows.map(({ key }) => key));
        count += rows.length;
        if (rows.length < LIST_MAX) return count;
      }
    },

    async list({ limit = LIST_DEFAULT, before, ...filter } = {}) {
      requireOpen();
      forgetRows(store.expired(now(), EXPIRED_AT_ONCE));
      const behind = before === undefined ? undefined : require(before);
      return store.list(checkFilter(filter), Math.min(Math.max(1, limit), LIST_MAX), behind).map(toEntry);
    },

    async count() {
      requireOpen();
      return store.count();
    },

    async [Symbol.asyncDispose]() {
      if (!isOpen) return;
      isOpen = false;
      store.close();
    },
  };
}

function checkOne(entry: NewMemory, index: number): CheckedMemory {
  try {
    return checkNew(entry);
  } catch (error) {
    if (error instanceof Fault && index > 0)
      throw new Fault('invalid_argument', `${error.message} (entry ${index + 1})`, { details: { ...error.details, index }, cause: error });
    throw error;
  }
}

function newEntry({ createdAt, ...entry }: CheckedMemory, id: string, now: number): NewEntry {
  return {
    ...entry,
    id,
    hash: hashOf(entry.text),
    createdAt: createdAt ?? now,
    updatedAt: now,
    session: entry.session,
    expiresAt: entry.expiresAt,
    metadata: entry.metadata,
  };
}

function chunksOf(text: string): readonly (Omit<NewChunk, 'vector'> & { readonly vector: undefined })[] {
  return chunkText(text, CHUNKING).map(({ start, end }) => ({
    start,
    end,
    terms: termsOf(text.slice(start, end)).join(' '),
    vector: undefined,
  }));
}

/** Of what was said, not of how it was spaced. */
function hashOf(text: string): Uint8Array {
  return hash('sha256', text.normalize('NFC').trim(), 'buffer');
}

function isExpired({ expiresAt, isPinned }: EntryRow, now: number): boolean {
  return !isPinned && expiresAt !== undefined && expiresAt <= now;
}

function toEntry({ key: _, ...entry }: EntryRow): MemoryEntry {
  return entry;
}
