/**
 * A search: terms and meaning each name candidates, and what both say of a candidate makes its place. Terms that stand in very many chunks name nobody, for they tell little and cost much; they count for those
 * that rarer ones have named.
 */
import type { Found, MemoryFilter, Ranking } from './memory.ts';
import type { EntryRow, MemoryStore } from './memory-store.ts';
import { ageFactor, diversify, fuse, scoreOfBm25 } from './rank.ts';
import { keywordsOf, termsOf } from './terms.ts';
import { likenessOfVectors, type VectorIndex } from './vector-index.ts';

export type SearchParts = {
  readonly store: MemoryStore;
  readonly vectors: VectorIndex | undefined;
  readonly now: number;
  readonly counts: TermCounts;
};

export type Search = {
  readonly query: string;
  /** Of the query; undefined where there is none to compare. */
  readonly vector: Uint8Array | undefined;
  readonly filter: MemoryFilter;
  readonly limit: number;
  readonly minScore: number;
  readonly halfLifeDays: number | undefined;
  readonly diversity: number;
};

const TERMS_MAX = 32;
/** Rows of the index that ranking may walk: what it costs grows with them. */
const ROWS_MAX = 3_000;
/** For each result that is asked for: what is told from the index alone is not the whole of a score. */
const CANDIDATES_PER_RESULT = 4;
const CANDIDATES_MIN = 40;
/** Of so many terms that only a look at the newest can be had. */
const NEWEST = 100;
/** Signs only tell about how near they are. */
const NEAR_PER_RESULT = 10;
const NEAR_MIN = 100;
const SNIPPET_CHARACTERS_MAX = 700;
const WEIGHTS = { vector: 0.7, text: 0.3 };
const WORDS_ONLY = { vector: 0, text: 1 };
/** What importance 0 and 1 make of a score, beside that of 0.5. */
const IMPORTANCE_SWING = 0.4;

type Candidate = { readonly chunk: number; bm25: number; vector: number | undefined; start: number; end: number };

export function searchMemory(parts: SearchParts, search: Search): readonly Found[] {
  const { store, now } = parts;
  const terms = searchTerms(search.query);
  const candidates = new Map<number, Candidate>();
  const common = nameByTerms(parts, search, terms, candidates);
  nameByVectors(parts, search, candidates);

  const weights = search.vector === undefined ? WORDS_ONLY : WEIGHTS;
  const best = search.vector === undefined ? 0 : Math.max(...candidates.values().map(({ bm25 }) => -bm25), 0);
  const ranked: { readonly found: Found; readonly words: ReadonlySet<string> | undefined }[] = [];
  for (const [key, candidate] of candidates) {
    const entry = store.get(key);
    if (entry === undefined || isExpired(entry, now) || !passes(entry, search.filter)) continue;
    const found = rankOne(entry, candidate, { ...search, terms, common, weights, best, now });
    if (found.score > 0 && found.score >= search.minScore)
      ranked.push({ found, words: search.diversity > 0 ? new Set(termsOf(found.snippet)) : undefined });
  }
  ranked.sort((a, b) => b.found.score - a.found.score || b.found.entry.createdAt - a.found.entry.createdAt);
  if (search.diversity === 0) return ranked.slice(0, search.limit).map(({ found }) => found);
  return diversify(ranked, {
    lambda: 1 - search.diversity,
    scoreOf: ({ found }) => found.score,
    termsOf: ({ words }) => words ?? new Set<string>(),
    limit: search.limit,
  }).map(({ found }) => found);
}

/** Each once, the words that say something first; where none does, all of them. */
function searchTerms(query: string): readonly string[] {
  const keywords = keywordsOf(query);
  const wanted = new Set(keywords.flatMap((keyword) => [...termsOf(keyword), keyword]));
  const terms = wanted.size > 0 ? [...wanted] : [...new Set(termsOf(query))];
  return terms.slice(0, TERMS_MAX);
}

/** Returns the terms that named nobody. */
function nameByTerms(
  { store, counts }: SearchParts,
  { filter, limit }: Search,
  terms: readonly string[],
  candidates: Map<number, Candidate>,
): readonly string[] {
  const counted = terms.map((term) => ({ term, count: counts.of(term) })).filter(({ count }) => count > 0);
  counted.sort((a, b) => a.count - b.count);
  const rare: string[] = [];
  let rows = 0;
  for (const { term, count } of counted) {
    if (rows + count > ROWS_MAX) break;
    rows += count;
    rare.push(term);
  }
  const common = counted.slice(rare.length).map(({ term }) => term);
  const hits =
    rare.length > 0 ? store.rank(rare, filter, candidatesFor(limit)) : common.length > 0 ? store.newest(common, filter, NEWEST) : [];
  for (const { entry, chunk, bm25, start, end } of hits) {
    const known = candidates.get(entry);
    if (known === undefined || bm25 < known.bm25) candidates.set(entry, { chunk, bm25, vector: undefined, start, end });
  }
  return common;
}

/** Signs name many, their vectors say which of these are nearest; and only those are looked at whole. */
function nameByVectors({ store, vectors }: SearchParts, { vector, limit }: Search, candidates: Map<number, Candidate>): void {
  if (vector === undefined || vectors === undefined) return;
  const near = vectors.candidates(vector, Math.max(NEAR_MIN, limit * NEAR_PER_RESULT)).map((chunk) => {
    const packed = store.vectorOf(chunk);
    return { chunk, likeness: packed === undefined ? 0 : likenessOfVectors(vector, packed) };
  });
  near.sort((a, b) => b.likeness - a.likeness);
  const most = candidatesFor(limit);
  for (const [index, { chunk, likeness }] of near.entries()) {
    const place = store.placeOf(chunk);
    if (place === undefined || likeness === 0) continue;
    const known = candidates.get(place.entry);
    if (known !== undefined) known.vector = Math.max(known.vector ?? 0, likeness);
    else if (index < most) candidates.set(place.entry, { chunk, bm25: 0, vector: likeness, start: place.start, end: place.end });
  }
  // That what words found is not among the nearest does not mean that it is far.
  for (const candidate of candidates.values()) {
    const packed = candidate.vector === undefined ? store.vectorOf(candidate.chunk) : undefined;
    if (packed !== undefined && packed.length > 0) candidate.vector = likenessOfVectors(vector, packed);
  }
}

function candidatesFor(limit: number): number {
  return Math.max(CANDIDATES_MIN, limit * CANDIDATES_PER_RESULT);
}

function rankOne(
  entry: EntryRow,
  { bm25, vector, start, end }: Candidate,
  {
    terms,
    common,
    weights,
    best,
    halfLifeDays,
    now,
  }: Search & {
    readonly terms: readonly string[];
    readonly common: readonly string[];
    readonly weights: { readonly vector: number; readonly text: number };
    /** Of BM25, when meaning counts as well; else 0. */
    readonly best: number;
    readonly now: number;
  },
): Found {
  const part = entry.text.slice(start, end);
  const plain = part.normalize('NFKC').toLowerCase();
  const matched = terms.filter((term) => plain.includes(term.slice(0, Math.max(3, term.length - 2))));
  // A term that many have tells the less; how often it stands here is not counted.
  const more = common.filter((term) => plain.includes(term)).length * 0.5;
  const relevance = bm25 === 0 && more === 0 ? undefined : scoreBeside(bm25 - more, best);
  const why: Ranking = {
    text: relevance,
    terms: matched,
    vector,
    age: entry.isPinned ? 1 : ageFactor(now - entry.createdAt, halfLifeDays),
    importance: 1 + (entry.importance - 0.5) * IMPORTANCE_SWING,
  };
  const score = Math.min(1, fuse({ vector, text: relevance }, weights) * why.age * why.importance);
  const { key: _, ...plainEntry } = entry;
  return { entry: plainEntry, score, snippet: snippetOf(part, plain, matched), why };
}

/**
 * Scores of BM25 hardly differ among good matches, so beside likeness they would say nothing: there a match counts as the share it is of the best, and that as it scores.
 */
function scoreBeside(bm25: number, best: number): number {
  return best <= 0 ? scoreOfBm25(bm25) : scoreOfBm25(-best) * Math.min(1, Math.max(0, -bm25) / best);
}

/** From a little before the first match on. */
function snippetOf(part: string, plain: string, matched: readonly string[]): string {
  if (part.length <= SNIPPET_CHARACTERS_MAX) return part;
  const first = Math.min(...matched.map((term) => plain.indexOf(term)).filter((at) => at >= 0), part.length);
  const from = first === part.length ? 0 : Math.max(0, first - SNIPPET_CHARACTERS_MAX / 4);
  return part.slice(from, from + SNIPPET_CHARACTERS_MAX).toWellFormed();
}

function isExpired({ expiresAt, isPinned }: EntryRow, now: number): boolean {
  return !isPinned && expiresAt !== undefined && expiresAt <= now;
}

/** What the index of terms was asked to hold to, vectors were not. */
function passes(entry: EntryRow, { tags = [], source, session, since, until }: MemoryFilter): boolean {
  if (source !== undefined && entry.source !== source) return false;
  if (session !== undefined && entry.session !== session) return false;
  if (since !== undefined && entry.createdAt < since) return false;
  if (until !== undefined && entry.createdAt > until) return false;
  return tags.every((tag) => entry.tags.includes(tag));
}

/** How many chunks have a term, up to where it is common. Counting takes as long as the answer is large, so it is remembered until the memory has grown by a tenth. */
export class TermCounts {
  readonly #store: MemoryStore;
  readonly #known = new Map<string, number>();
  #chunks = 0;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  of(term: string): number {
    const chunks = this.#store.newestChunk();
    if (chunks < this.#chunks || chunks > this.#chunks * 1.1 || this.#known.size > 10_000) {
      this.#known.clear();
      this.#chunks = chunks;
    }
    const known = this.#known.get(term);
    if (known !== undefined && known > 0) return known;
    const count = this.#store.countTerm(term, ROWS_MAX + 1);
    this.#known.set(term, count);
    return count;
  }
}
