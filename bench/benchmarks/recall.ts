import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Memory, openMemory } from '@warren/platform';
import { type Judged, readCranfield } from '../comparators/cranfield.ts';
import { WordVectors } from '../comparators/word-vectors.ts';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { measured, notMeasured, type Row } from '../harness/row.ts';

const FOLDER_VARIABLE = 'WARREN_RETRIEVAL_SET';
const FOUND_MAX = 100;
const AT = 10;

export const recall: Benchmark = {
  name: 'recall',
  title: 'What memory finds',
  method:
    'The Cranfield collection: 1,400 abstracts, 225 questions in plain English, and who found which abstract relevant. Stored as they are; every question is asked as it is written. Against plain FTS5 on the same texts ' +
    '(Porter stemming, the words joined by OR, BM25). Meaning comes from vectors of single words, averaged, with rare words counting more: about the least an embedding can be. The figures are means over all questions; ' +
    `recall and nDCG (gains of Cleverdon's grades) of the first ${AT}, recall of the first ${FOUND_MAX}, the reciprocal rank of the first that is relevant. Needs ${FOLDER_VARIABLE}: see bench/README.md.`,
  run,
};

type Search = (question: string) => Promise<readonly string[]>;

async function run(context: Context): Promise<readonly Row[]> {
  const folder = process.env[FOLDER_VARIABLE];
  if (folder === undefined) return [notMeasured('recall', 'share', `${FOLDER_VARIABLE} names no folder with the collection`)];
  const set = readCranfield(folder);
  const texts = [...set.documents.values()];
  const vectorsPath = join(folder, 'vectors.json');
  const vectors = existsSync(vectorsPath) ? WordVectors.read(vectorsPath, [...texts, ...set.questions.map(({ text }) => text)]) : undefined;
  const directory = mkdtempSync(join(tmpdir(), 'warren-bench-recall-'));
  let ids = 0;
  const open = (name: string): Memory =>
    openMemory({
      directory: join(directory, name),
      embedder: name === 'both' ? vectors : undefined,
      now: Date.now,
      newId: () => `mem_${++ids}`,
    });
  const idOf = new Map([...set.documents].map(([id, text]) => [text.trim(), id]));
  const searchOf =
    (memory: Memory): Search =>
    async (question) =>
      (await memory.search(question, { limit: FOUND_MAX }, context.signal)).map(({ entry }) => idOf.get(entry.text.trim()) ?? 'none');
  try {
    await using words = open('words');
    await using both = open('both');
    using plain = new PlainIndex(set.documents);
    for (const memory of vectors === undefined ? [words] : [words, both]) {
      await memory.store(texts.map((text) => ({ text })));
      await memory.embedPending(context.signal);
    }
    return [
      ...(await rowsOf('FTS5 alone', async (question) => plain.search(question), set.questions)),
      ...(await rowsOf('Warren by words', searchOf(words), set.questions)),
      ...(vectors === undefined
        ? [notMeasured('Warren by words and meaning', 'share', `there are no vectors at ${vectorsPath}`)]
        : await rowsOf('Warren by words and meaning', searchOf(both), set.questions)),
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function rowsOf(name: string, search: Search, questions: readonly Judged[]): Promise<readonly Row[]> {
  const sums = { recall: 0, recallOfMore: 0, reciprocal: 0, gain: 0 };
  for (const { text, grades } of questions) {
    const found = await search(text);
    const relevant = (id: string): boolean => grades.has(id);
    const first = found.slice(0, AT).findIndex(relevant);
    sums.recall += found.slice(0, AT).filter(relevant).length / grades.size;
    sums.recallOfMore += found.filter(relevant).length / grades.size;
    sums.reciprocal += first < 0 ? 0 : 1 / (first + 1);
    const ideal = [...grades.values()].toSorted((one, other) => other - one);
    sums.gain += gainOf(found.map((id) => grades.get(id) ?? 0)) / gainOf(ideal);
  }
  const mean = (sum: number): readonly number[] => [sum / questions.length];
  return [
    measured(`${name}: recall of ${AT}`, 'share', mean(sums.recall)),
    measured(`${name}: recall of ${FOUND_MAX}`, 'share', mean(sums.recallOfMore)),
    measured(`${name}: reciprocal rank`, 'share', mean(sums.reciprocal)),
    measured(`${name}: nDCG of ${AT}`, 'share', mean(sums.gain)),
  ];
}

function gainOf(gains: readonly number[]): number {
  return gains.slice(0, AT).reduce((sum, gain, rank) => sum + gain / Math.log2(rank + 2), 0);
}

class PlainIndex implements Disposable {
  readonly #database = new DatabaseSync(':memory:');
  readonly #search;

  constructor(documents: ReadonlyMap<string, string>) {
    this.#database.exec("CREATE VIRTUAL TABLE texts USING fts5 (id UNINDEXED, body, tokenize = 'porter unicode61')");
    const insert = this.#database.prepare('INSERT INTO texts VALUES (?, ?)');
    for (const [id, text] of documents) insert.run(id, text);
    this.#search = this.#database.prepare(`SELECT id FROM texts WHERE texts MATCH ? ORDER BY rank LIMIT ${FOUND_MAX}`);
  }

  search(question: string): readonly string[] {
    const words = question.match(/[\p{L}\p{N}]+/gu) ?? [];
    return this.#search.all(words.map((word) => `"${word}"`).join(' OR ')).map(({ id }) => String(id));
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}
