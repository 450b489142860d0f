/** The memory of one workspace, in a file of its own. Without an embedder it goes by words alone. */
import { hash } from 'node:crypto';
import { join } from 'node:path';
import { Fault } from '@warren/protocol';
import { type CheckedMemory, checkFilter, checkNew, checkOptions, checkParts, checkQuery, TAGS_MAX } from './check-memory.ts';
import { chunkText } from './chunk-text.ts';
import type { Embedder } from './embedder.ts';
import type { Memory, MemoryEntry, NewMemory } from './memory.ts';
import { type EntryRow, MemoryStore, type NewChunk, type NewEntry } from './memory-store.ts';
import { MemoryVectors } from './memory-vectors.ts';
import { searchMemory, TermCounts } from './search-memory.ts';
import { indexTextOf } from './terms.ts';

export type MemoryParts = {
  /** Of the workspace. */
  readonly directory: string;
  readonly embedder?: Embedder | undefined;
  readonly now: () => number;
  readonly newId: () => string;
  /** Throws when so many bytes more may not be stored. */
  readonly requireRoom?: ((bytes: number) => Promise<void>) | undefined;
  /** Between tries of a provider that does not answer. */
  readonly pause?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
};

export const MEMORY_FILE = 'memory.db';
const AT_ONCE_MAX = 10_000;
const ENTRIES_MAX = 1_000_000;
const BYTES_MAX = 4_294_967_296;
const CHUNKING = { tokens: 500, overlapTokens: 50 } as const;
const LIST_DEFAULT = 100;
const LIST_MAX = 1_000;
const EXPIRED_AT_ONCE = 1_000;
const EMBED_MS = 60_000;
/** Half of SHA-256 is as hard to meet by chance, and its index half as large. */
const HASH_BYTES = 16;

/** Faults: `store_failed`. */
export function openMemory({ directory, embedder, now, newId, requireRoom, pause }: MemoryParts): Memory {
  const store = new MemoryStore(join(directory, MEMORY_FILE));
  const counts = new TermCounts(store);
  const vectors = embedder === undefined ? undefined : new MemoryVectors({ store, embedder, pause });
  let isOpen = true;

  const requireOpen = (): void => {
    if (!isOpen) throw new Fault('unavailable', 'Cannot use the memory: it is closed', { details: { is_sent: false } });
  };
  const require = (id: string): EntryRow => {
    const row = store.find(id);
    if (row === undefined || isExpired(row, now()))
      throw new Fault('not_found', `Cannot find memory ${JSON.stringify(String(id).slice(0, 80))}: there is none of this id`);
    return row;
  };
  const forgetRows = (keys: readonly number[]): void => {
    if (keys.length === 0) return;
    const gone = store.write(() => keys.flatMap((key) => store.delete(key)));
    store.checkpoint();
    vectors?.removed(gone);
  };

  return {
    async store(entries) {
      requireOpen();
      if (entries.length > AT_ONCE_MAX)
        throw new Fault('too_large', `Cannot store ${entries.length} memories at once: the limit is ${AT_ONCE_MAX}`);
      const checked = entries.map((entry, index) => checkOne(entry, index));
      const count = store.count();
      if (store.bytes() > BYTES_MAX)
        throw new Fault('too_large', `Cannot store more: the memory has more than ${BYTES_MAX} bytes; forget some first`);
      if (count + checked.length > ENTRIES_MAX)
        throw new Fault('too_large', `Cannot store more: there are ${count} memories, the limit is ${ENTRIES_MAX}; forget some first`);
      await requireRoom?.(checked.reduce((sum, entry) => sum + bytesOf(entry), 0));
      requireOpen();
      const at = now();
      const prepared = checked.map((entry) => ({ entry: newEntry(entry, newId(), at), chunks: chunksOf(entry.text) }));
      const texts = prepared.flatMap(({ entry, chunks }) => chunks.map(({ start, end }) => entry.text.slice(start, end)));
      const packed = await vectors?.ofTexts(texts, AbortSignal.timeout(EMBED_MS));
      requireOpen();
      let index = 0;
      const stored = store.write(() =>
        prepared.map(({ entry, chunks }) => {
          const withVectors = chunks.map((chunk) => ({ ...chunk, vector: packed?.[index++] }));
          if (store.insert(entry, withVectors)) return { id: entry.id, isDuplicate: false };
          return { id: mergeInto(store, entry, at), isDuplicate: true };
        }),
      );
      if (packed === undefined) vectors?.wake();
      return stored;
    },

    async search(query, options = {}, signal = AbortSignal.timeout(60_000)) {
      requireOpen();
      const text = checkQuery(query);
      const [filter, checked] = [checkFilter(options), checkOptions(options)];
      const vector = await vectors?.ofQuery(text, signal);
      signal.throwIfAborted();
      requireOpen();
      const index = vector === undefined ? undefined : vectors?.index();
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
      await requireRoom?.(bytesOf(checked));
      requireOpen();
      const chunks = isNewText ? chunksOf(checked.text) : undefined;
      const texts = chunks?.map(({ start, end }) => (checked.text ?? '').slice(start, end)) ?? [];
      const packed = texts.length === 0 ? undefined : await vectors?.ofTexts(texts, AbortSignal.timeout(EMBED_MS));
      requireOpen();
      let gone: readonly number[] = [];
      const row = store.write(() => {
        const current = require(id);
        const after = { ...current, ...checked, createdAt: checked.createdAt ?? current.createdAt, updatedAt: now() };
        const other = store.findByHash(hashOf(after.text));
        if (other !== undefined && other.key !== current.key) {
          throw new Fault('already_exists', `Cannot change memory ${id}: ${other.id} has the same text`, { details: { id: other.id } });
        }
        gone = store.update(
          current.key,
          { ...after, hash: hashOf(after.text) },
          chunks?.map((chunk, index) => ({ ...chunk, vector: packed?.[index] })),
        );
        return require(id);
      });
      if (isNewText) {
        store.checkpoint();
        vectors?.removed(gone);
        if (packed === undefined) vectors?.wake();
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
        if (rows.length === 0) return count;
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

    async embedPending(signal) {
      requireOpen();
      await vectors?.complete(signal);
    },

    async [Symbol.asyncDispose]() {
      if (!isOpen) return;
      isOpen = false;
      await vectors?.[Symbol.asyncDispose]();
      store.close();
    },
  };
}

/** What its index takes besides is seen when it is counted. */
function bytesOf({ text = '', metadata }: Partial<Pick<CheckedMemory, 'text' | 'metadata'>>): number {
  return Buffer.byteLength(text) + (metadata === undefined ? 0 : Buffer.byteLength(JSON.stringify(metadata)));
}

/**
 * What is said of it now holds, and tags and labels that it has stay. Of what came from elsewhere nothing is taken away: it stays at least as long and as important as it was. Returns its id.
 */
function mergeInto(store: MemoryStore, entry: NewEntry, now: number): string {
  const known = store.findByHash(entry.hash);
  if (known === undefined) throw new Error('An entry that is there and cannot be found');
  const tags = [...new Set([...known.tags, ...entry.tags])].slice(0, TAGS_MAX);
  const labels = [...new Set([...known.labels, ...entry.labels])];
  const said = entry.source === known.source ? saidAnew(known, entry) : saidBeside(known, entry);
  store.update(known.key, { ...known, ...said, tags, labels, hash: entry.hash, updatedAt: now }, undefined);
  return known.id;
}

type Said = Pick<MemoryEntry, 'expiresAt' | 'isPinned' | 'importance' | 'metadata'>;

function saidAnew(known: EntryRow, { expiresAt, isPinned, importance, metadata = known.metadata }: NewEntry): Said {
  return { expiresAt, isPinned, importance, metadata };
}

function saidBeside(known: EntryRow, other: NewEntry): Said {
  const isEndless = known.expiresAt === undefined || other.expiresAt === undefined;
  return {
    expiresAt: isEndless ? undefined : Math.max(known.expiresAt ?? 0, other.expiresAt ?? 0),
    isPinned: known.isPinned || other.isPinned,
    importance: Math.max(known.importance, other.importance),
    metadata: known.metadata,
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
    terms: indexTextOf(text.slice(start, end)),
    vector: undefined,
  }));
}

/** Of what was said, not of how it was spaced. */
function hashOf(text: string): Uint8Array {
  return hash('sha256', text.normalize('NFC').trim(), 'buffer').subarray(0, HASH_BYTES);
}

function isExpired({ expiresAt, isPinned }: EntryRow, now: number): boolean {
  return !isPinned && expiresAt !== undefined && expiresAt <= now;
}

function toEntry({ key: _, ...entry }: EntryRow): MemoryEntry {
  return entry;
}
