/** An embedder out of vectors of single words: their mean, rare words counting more. Small enough to run anywhere, and no match for a model. */
import { readFileSync } from 'node:fs';
import type { Embedder } from '@warren/platform';

/** Of a word that is as rare as this, half counts. */
const HALF_AT = 1e-3;

export class WordVectors implements Embedder {
  readonly name = 'bench/word-vectors';
  readonly #vectors: ReadonlyMap<string, readonly number[]>;
  readonly #shares: ReadonlyMap<string, number>;

  private constructor(vectors: ReadonlyMap<string, readonly number[]>, shares: ReadonlyMap<string, number>) {
    this.#vectors = vectors;
    this.#shares = shares;
  }

  /** Of `{"vectors": {"word": [numbers]}}`, what the texts need. How rare a word is comes from them, too. */
  static read(path: string, texts: readonly string[]): WordVectors {
    const { vectors }: { vectors: Record<string, readonly number[]> } = JSON.parse(readFileSync(path, 'utf8'));
    const counts = new Map<string, number>();
    let all = 0;
    for (const word of texts.flatMap(wordsOf)) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
      all++;
    }
    const known = [...counts.keys()].filter((word) => Object.hasOwn(vectors, word));
    return new WordVectors(
      new Map(known.map((word) => [word, vectors[word] ?? []])),
      new Map([...counts].map(([word, count]) => [word, count / all])),
    );
  }

  async embed(texts: readonly string[]): Promise<readonly Float32Array[]> {
    const dimensions = this.#vectors.values().next().value?.length ?? 1;
    return texts.map((text) => {
      const sum = new Float32Array(dimensions);
      for (const word of wordsOf(text)) {
        const weight = HALF_AT / (HALF_AT + (this.#shares.get(word) ?? 0));
        for (const [index, value] of (this.#vectors.get(word) ?? []).slice(0, dimensions).entries())
          sum[index] = (sum[index] ?? 0) + weight * value;
      }
      return sum;
    });
  }
}

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/\p{L}+/gu) ?? [];
}
