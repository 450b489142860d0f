import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Embedder, type Memory, openMemory } from '@warren/platform';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { interleave, type Subject } from '../harness/interleave.ts';
import { atLeast, atMost, measured, type Row, ratio } from '../harness/row.ts';

const ENTRIES = 100_000;
const AT_ONCE = 1_000;
const SEARCHES = 400;
const WORDS = 30_000;
const DIMENSIONS = 384;

export const memory: Benchmark = {
  name: 'memory',
  title: 'Memory of a workspace',
  method:
    `${ENTRIES} entries of 20 to 60 words, drawn from ${WORDS} as often as words are in languages, stored ${AT_ONCE} at a time, each batch on disk before it is answered; vectors of ${DIMENSIONS} dimensions, made in ` +
    'process, of the words. Then searches for 10, each for other words: one rare, one common, three mixed, questions of eight. Against plain FTS5 on the same texts: `MATCH` with OR, `ORDER BY rank`, and the text of the ' +
    'ten. They take turns. Processor time is of the whole process.',
  run,
};

async function run(context: Context): Promise<readonly Row[]> {
  const size = context.isQuick ? 2_000 : ENTRIES;
  const searches = context.isQuick ? 20 : SEARCHES;
  const directory = mkdtempSync(join(tmpdir(), 'warren-bench-memory-'));
  const language = new Language(1);
  const texts = Array.from({ length: size }, () => language.text(20, 60));
  let ids = 0;
  const open = (name: string, embedder?: Embedder): Memory =>
    openMemory({ directory: join(directory, name), embedder, now: Date.now, newId: () => `mem_${++ids}` });
  try {
    await using words = open('words');
    await using hybrid = open('hybrid', language);
    using plain = new PlainIndex(join(directory, 'plain.db'));
    context.say(`memory: storing ${size} entries three times`);
    const stored = await rates(texts, context, (batch) => words.store(batch.map((text) => ({ text }))));
    const storedPlain = await rates(texts, context, async (batch) => plain.store(batch));
    await rates(texts, context, (batch) => hybrid.store(batch.map((text) => ({ text }))));
    await hybrid.embedPending(context.signal);

    const questions = new Language(2);
    const subject = (name: string, act: (query: string) => Promise<unknown>): Subject => ({
      name,
      async turn() {
        const query = questions.question();
        const startedAt = performance.now();
        await act(query);
        return performance.now() - startedAt;
      },
    });
    const lexical = subject('words', (query) => words.search(query));
    const both = subject('both', (query) => hybrid.search(query));
    const comparator = subject('plain', async (query) => plain.search(query));
    const samples = await interleave([lexical, both, comparator], searches, context, { restMs: 0 });
    const cpu = async (act: (query: string) => Promise<unknown>): Promise<readonly number[]> => {
      const took: number[] = [];
      for (let turn = 0; turn < 20; turn++) {
        const before = process.cpuUsage();
        for (let n = 0; n < 10; n++) await act(questions.question());
        const { user, system } = process.cpuUsage(before);
        took.push((user + system) / 10_000);
      }
      return took;
    };
    return [
      measured(`Warren: store ${AT_ONCE} at a time`, '/s', stored, {
        bound: atLeast(5_000),
        ratio: ratio('Warren ÷ FTS5', stored, storedPlain),
      }),
      measured(`FTS5: store ${AT_ONCE} at a time`, '/s', storedPlain),
      measured('Warren: search by words', 'ms', samples(lexical), { bound: atMost(8), boundOf: 'p95' }),
      measured('Warren: search by words and meaning', 'ms', samples(both), { bound: atMost(20), boundOf: 'p95' }),
      measured('FTS5: search by words', 'ms', samples(comparator), {
        ratio: ratio('Warren by words ÷ this', samples(lexical), samples(comparator)),
      }),
      measured('Warren: search by words, processor time', 'ms', await cpu((query) => words.search(query))),
      measured('Warren: search by words and meaning, processor time', 'ms', await cpu((query) => hybrid.search(query))),
      measured('FTS5: search by words, processor time', 'ms', await cpu(async (query) => plain.search(query))),
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Entries in a second, of each batch. */
async function rates(
  texts: readonly string[],
  context: Context,
  store: (batch: readonly string[]) => Promise<unknown>,
): Promise<readonly number[]> {
  const found: number[] = [];
  for (let at = 0; at < texts.length; at += AT_ONCE) {
    context.signal.throwIfAborted();
    const batch = texts.slice(at, at + AT_ONCE);
    const startedAt = performance.now();
    await store(batch);
    found.push((batch.length / (performance.now() - startedAt)) * 1_000);
  }
  return found;
}

/** Words as often as in languages (Zipf), and of each text a vector of the directions of its words. The same in every run. */
class Language implements Embedder {
  readonly name = 'bench/words';
  readonly #random: () => number;
  readonly #directions = new Map<string, Float32Array>();

  constructor(seed: number) {
    this.#random = randomFrom(seed);
  }

  #word(rank = Math.floor(WORDS ** this.#random())): string {
    let word = '';
    for (let rest = rank * 7 + 11; rest > 0; rest = Math.floor(rest / 20)) word += 'bcdfghjklmnpqrstvwxz'[rest % 20] ?? '';
    return `${word}a${'eiou'[rank % 4]}`;
  }

  text(least: number, most: number): string {
    const length = least + Math.floor(this.#random() * (most - least + 1));
    return Array.from({ length }, () => this.#word()).join(' ');
  }

  /** One rare word, one common, three mixed, or eight as they come. */
  question(): string {
    const kind = Math.floor(this.#random() * 4);
    if (kind === 0) return this.#word(5_000 + Math.floor(this.#random() * 20_000));
    if (kind === 1) return this.#word(1 + Math.floor(this.#random() * 50));
    return this.text(kind === 2 ? 3 : 8, kind === 2 ? 3 : 8);
  }

  async embed(texts: readonly string[]): Promise<readonly Float32Array[]> {
    return texts.map((text) => {
      const vector = new Float32Array(DIMENSIONS);
      for (const word of text.split(' ')) {
        const direction = this.#directionOf(word);
        for (let index = 0; index < DIMENSIONS; index++) vector[index] = (vector[index] as number) + (direction[index] as number); // Of one length.
      }
      return vector;
    });
  }

  #directionOf(word: string): Float32Array {
    const known = this.#directions.get(word);
    if (known !== undefined) return known;
    const random = randomFrom([...word].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), 7));
    const direction = Float32Array.from({ length: DIMENSIONS }, () => random() - 0.5);
    this.#directions.set(word, direction);
    return direction;
  }
}

/** What somebody would write who needs no more than this. */
class PlainIndex implements Disposable {
  readonly #database: DatabaseSync;
  readonly #insert;
  readonly #search;

  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE VIRTUAL TABLE texts USING fts5 (body, tokenize = 'porter unicode61')",
    );
    this.#insert = this.#database.prepare('INSERT INTO texts (body) VALUES (?)');
    this.#search = this.#database.prepare('SELECT rowid, body, bm25(texts) AS score FROM texts WHERE texts MATCH ? ORDER BY rank LIMIT 10');
  }

  store(texts: readonly string[]): void {
    this.#database.exec('BEGIN');
    for (const text of texts) this.#insert.run(text);
    this.#database.exec('COMMIT');
  }

  search(query: string): readonly unknown[] {
    return this.#search.all(
      query
        .split(' ')
        .map((word) => `"${word}"`)
        .join(' OR '),
    );
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

/** Mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
