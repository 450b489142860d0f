/**
 * The vectors of one memory: made when something is stored, and later for what was stored while there was nobody to make them, or by another model. What is under way in the background is done in small parts, each on disk before the next, and ends
 * when the memory is closed; the next life goes on. While vectors of another model are left, none are compared.
 */
import { hash } from 'node:crypto';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { Fault, isFault } from '@warren/protocol';
import type { Embedder, EmbeddingUse } from './embedder.ts';
import type { MemoryStore } from './memory-store.ts';
import { dimensionsOf, packVector, VectorIndex } from './vector-index.ts';

export type VectorsParts = {
  readonly store: MemoryStore;
  readonly embedder: Embedder;
  /** Between tries of a provider that does not answer. */
  readonly pause?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
};

/** What is stored with more parts is answered first, and gets its vectors later. */
const AT_ONCE_MAX = 64;
const STORE_MS = 10_000;
/** A search goes by words when it takes longer. */
const QUERY_MS = 5_000;
/** Vectors of queries that are kept until they are written together: nobody who searches waits for the disk. */
const UNWRITTEN_MAX = 64;
const PART = 64;
const CLEARED_AT_ONCE = 1_000;
const INDEXED_AT_ONCE = 5_000;
const RETRY_MS_MIN = 5_000;
const RETRY_MS_MAX = 600_000;
/** Of a text for which there never will be a vector. */
const NEVER = new Uint8Array(0);
/** What any model has a vector for: told by it whether a text is at fault, or all there is. */
const PROBE = 'memory';

export class MemoryVectors implements AsyncDisposable {
  readonly #store: MemoryStore;
  readonly #embedder: Embedder;
  readonly #pause: NonNullable<VectorsParts['pause']>;
  readonly #closing = new AbortController();
  #index: VectorIndex | undefined;
  #indexedThrough = 0;
  #isOfOneModel: boolean;
  #isFailing = false;
  #background: Promise<void> | undefined;
  #isWoken = false;
  #part: Promise<void> = Promise.resolve();
  readonly #unwritten = new Map<string, Uint8Array>();

  constructor({ store, embedder, pause = defaultPause }: VectorsParts) {
    this.#store = store;
    this.#embedder = embedder;
    this.#pause = pause;
    this.#isOfOneModel = store.fact('model') === embedder.name;
    if (!this.#isOfOneModel || store.withoutVector(1).length > 0) this.wake();
  }

  /** To compare with; undefined while there are none of this model. */
  index(): VectorIndex | undefined {
    if (!this.#isOfOneModel) return undefined;
    for (;;) {
      const page = this.#store.vectors(this.#indexedThrough, INDEXED_AT_ONCE);
      for (const { chunk, vector } of page) {
        this.#index ??= new VectorIndex(dimensionsOf(vector));
        this.#index.add(chunk, vector);
        this.#indexedThrough = chunk;
      }
      if (page.length < INDEXED_AT_ONCE) return this.#index;
    }
  }

  removed(chunks: readonly number[]): void {
    for (const chunk of chunks) this.#index?.remove(chunk);
  }

  /** Of texts that are to be stored: undefined when they get theirs later. */
  async ofTexts(texts: readonly string[], signal: AbortSignal): Promise<readonly Uint8Array[] | undefined> {
    if (!this.#isOfOneModel || this.#isFailing || texts.length > AT_ONCE_MAX) return undefined;
    return await this.#orNone(texts, 'document', AbortSignal.any([signal, AbortSignal.timeout(STORE_MS)]), signal);
  }

  /** Undefined: there is none to be had now, or nothing to compare it with. */
  async ofQuery(query: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    if (this.index() === undefined) return undefined;
    return (await this.#orNone([query], 'query', AbortSignal.any([signal, AbortSignal.timeout(QUERY_MS)]), signal))?.[0];
  }

  async #orNone(texts: readonly string[], use: EmbeddingUse, within: AbortSignal, signal: AbortSignal) {
    try {
      return await this.#embed(texts, use, within);
    } catch (error) {
      if (signal.aborted) throw error;
      return undefined; // What is stored without a vector is found by its words, and given one later.
    }
  }

  /** Makes what is missing, in the background. */
  wake(): void {
    if (this.#closing.signal.aborted) return;
    this.#isWoken = true; // Also for one that is just ending, and has looked already.
    this.#background ??= this.#untilDone()
      .catch(() => {}) // Closed meanwhile, or the file cannot be written, which whoever uses it is told.
      .finally(() => {
        this.#background = undefined;
        if (this.#isWoken) this.wake();
      });
  }

  async #untilDone(): Promise<void> {
    const { signal } = this.#closing;
    for (let waitMs = RETRY_MS_MIN; ; waitMs = Math.min(RETRY_MS_MAX, waitMs * 2)) {
      this.#isWoken = false;
      try {
        await this.complete(signal);
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!isFault(error) || isFault(error, 'store_failed') || isFault(error, 'storage_full')) throw error;
        const asked = Number((error.details as Readonly<Record<string, unknown>> | undefined)?.['retry_after_ms'] ?? 0); // Of any fault.
        await this.#pause(Math.min(RETRY_MS_MAX, Math.max(waitMs, asked)), signal);
      }
    }
  }

  /** Until nothing is missing. Faults: those of the embedder. What was done by then is kept. */
  async complete(signal: AbortSignal): Promise<void> {
    const ending = AbortSignal.any([signal, this.#closing.signal]);
    const next = async (): Promise<void> => {
      await turn();
      ending.throwIfAborted();
    };
    while (await this.#inTurn(() => this.#clearPart())) await next();
    while (await this.#inTurn(() => this.#embedPart(ending))) await next();
  }

  /** The background and somebody who waits do not do the same part twice. */
  async #inTurn(act: () => Promise<boolean> | boolean): Promise<boolean> {
    const before = this.#part;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#part = promise;
    await before;
    try {
      return await act();
    } finally {
      resolve();
    }
  }

  /** Whether there is more to take away of what another model made. */
  #clearPart(): boolean {
    const [store, { name }] = [this.#store, this.#embedder];
    if (this.#isOfOneModel) return false;
    return store.write(() => {
      if (store.clearVectors(CLEARED_AT_ONCE) === CLEARED_AT_ONCE) return true;
      store.clearCache();
      this.#unwritten.clear();
      store.setFact('model', name);
      store.deleteFact('dimensions');
      [this.#isOfOneModel, this.#index, this.#indexedThrough] = [true, undefined, 0];
      return false;
    });
  }

  async #embedPart(signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    const part = this.#store.withoutVector(PART);
    if (part.length === 0) return false;
    try {
      const vectors = await this.#embed(part.map(({ text }) => text), 'document', signal); // biome-ignore format: one line
      this.#keep(part.map(({ chunk }, index) => ({ chunk, vector: vectors[index] ?? NEVER })));
      this.#isFailing = false;
    } catch (error) {
      if (!signal.aborted) this.#isFailing = true;
      if (!isFault(error, 'invalid_argument')) throw error;
      await this.#embedOneByOne(part, signal);
    }
    return true;
  }

  /** One of them is at fault, if not the provider. */
  async #embedOneByOne(part: readonly { readonly chunk: number; readonly text: string }[], signal: AbortSignal): Promise<void> {
    try {
      await this.#embedder.embed([PROBE], signal);
    } catch (error) {
      throw isFault(error, 'invalid_argument') ? new Fault('unavailable', error.message, { cause: error }) : error;
    }
    this.#isFailing = false;
    for (const { chunk, text } of part) {
      try {
        this.#keep([{ chunk, vector: (await this.#embed([text], 'document', signal))[0] ?? NEVER }]);
      } catch (error) {
        if (!isFault(error, 'invalid_argument')) throw error;
        this.#keep([{ chunk, vector: NEVER }]);
      }
    }
  }

  #keep(found: readonly { readonly chunk: number; readonly vector: Uint8Array }[]): void {
    const kept = this.#store.write(() => found.filter(({ chunk, vector }) => this.#store.setVector(chunk, vector)));
    for (const { chunk, vector } of kept) {
      // What comes after those that are in it is added when somebody searches.
      if (chunk <= this.#indexedThrough && vector.byteLength > 0) {
        this.#index ??= new VectorIndex(dimensionsOf(vector));
        this.#index.add(chunk, vector);
      }
    }
  }

  /** Packed, each text once, from what was asked before or from the provider. */
  async #embed(texts: readonly string[], use: EmbeddingUse, signal: AbortSignal): Promise<readonly Uint8Array[]> {
    const store = this.#store;
    const hashes = texts.map((text) => embeddingHash(text, use));
    const known = new Map<string, Uint8Array>();
    const missing = new Map<string, string>();
    for (const [index, text] of texts.entries()) {
      const key = hashes[index] ?? '';
      const cached = known.get(key) ?? this.#unwritten.get(key) ?? store.cached(key);
      if (cached === undefined) missing.set(key, text);
      else known.set(key, cached);
    }
    if (missing.size > 0) {
      const vectors = (await this.#embedder.embed([...missing.values()], signal, use)).map(packVector);
      signal.throwIfAborted();
      if (vectors.length !== missing.size)
        throw new Fault('unavailable', `Cannot embed ${missing.size} texts: ${vectors.length} vectors came`);
      for (const [index, key] of [...missing.keys()].entries()) known.set(key, vectors[index] ?? NEVER);
      this.#checkDimensions(vectors);
      if (use === 'query') this.#remember([...missing.keys()], vectors);
    }
    return hashes.map((key) => known.get(key) ?? NEVER);
  }

  #remember(hashes: readonly string[], vectors: readonly Uint8Array[]): void {
    for (const [index, key] of hashes.entries()) this.#unwritten.set(key, vectors[index] ?? NEVER);
    if (this.#unwritten.size >= UNWRITTEN_MAX) this.#writeRemembered();
  }

  #writeRemembered(): void {
    if (this.#unwritten.size === 0) return;
    const store = this.#store;
    store.write(() => store.cache([...this.#unwritten].map(([hash, vector]) => ({ hash, vector }))));
    this.#unwritten.clear();
  }

  /** Of one model they have one length for ever; what has another cannot be compared. */
  #checkDimensions(vectors: readonly Uint8Array[]): void {
    const store = this.#store;
    const known = store.fact('dimensions');
    const wanted = known === undefined ? dimensionsOf(vectors[0] ?? NEVER) : Number(known);
    const other = vectors.find((vector) => dimensionsOf(vector) !== wanted);
    if (other !== undefined || wanted < 1)
      throw new Fault(
        'unavailable',
        `Cannot use vectors of ${this.#embedder.name}: they have ${dimensionsOf(other ?? NEVER)} dimensions, not ${wanted}`,
      );
    if (known === undefined) store.write(() => store.setFact('dimensions', String(wanted)));
  }

  /** What is under way ends; what is on disk stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Fault('aborted', 'Cannot go on with vectors: the memory is closed'));
    await this.#background;
    await this.#part;
    try {
      if (this.#isOfOneModel) this.#writeRemembered();
    } catch {
      // They are asked for again; nothing else is lost.
    }
  }
}

function embeddingHash(text: string, use: EmbeddingUse): string {
  return hash('sha256', `${use}\0${text}`, 'base64url');
}

async function defaultPause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: false });
}
