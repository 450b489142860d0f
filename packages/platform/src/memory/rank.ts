/** How results are put in order: pure functions of figures. */
const DAY_MS = 86_400_000;

/** FTS5 gives smaller figures for better matches; this is 0 to 1. */
export function scoreOfBm25(bm25: number): number {
  const relevance = Math.max(0, -bm25);
  return Number.isFinite(relevance) ? relevance / (1 + relevance) : 0;
}

/** What age leaves of a score: half after each half-life. None: all of it. */
export function ageFactor(ageMs: number, halfLifeDays: number | undefined): number {
  if (halfLifeDays === undefined || halfLifeDays <= 0) return 1;
  return 0.5 ** (Math.max(0, ageMs) / DAY_MS / halfLifeDays);
}

/** Words and meaning together. Where meaning was compared at all it counts more: a word may stand anywhere. */
export function fuse(
  { vector, text }: { readonly vector: number | undefined; readonly text: number | undefined },
  weights: { readonly vector: number; readonly text: number },
): number {
  return (vector ?? 0) * weights.vector + (text ?? 0) * weights.text;
}

/**
 * Maximal marginal relevance: one after the other what is good and unlike what was chosen before. `lambda` 1: only how good it is, 0: only how unlike. Scores are first spread over 0 to 1. Source:
 * Carbonell and Goldstein 1998.
 */
export function diversify<Item>(
  items: readonly Item[],
  {
    lambda,
    scoreOf,
    termsOf,
    limit,
  }: {
    readonly lambda: number;
    readonly scoreOf: (item: Item) => number;
    readonly termsOf: (item: Item) => ReadonlySet<string>;
    readonly limit: number;
  },
): readonly Item[] {
  if (items.length <= 1) return items.slice(0, limit);
  const scores = items.map(scoreOf);
  const [least, most] = [Math.min(...scores), Math.max(...scores)];
  const spread = (score: number): number => (most === least ? 1 : (score - least) / (most - least));
  const left = items.map((item, index) => ({ item, relevance: spread(scores[index] ?? 0), terms: termsOf(item), likeness: 0 }));
  const chosen: Item[] = [];
  while (left.length > 0 && chosen.length < limit) {
    let best = 0;
    for (const [index, each] of left.entries()) {
      const value = (each: (typeof left)[number] | undefined): number =>
        each === undefined ? Number.NEGATIVE_INFINITY : lambda * each.relevance - (1 - lambda) * each.likeness;
      if (value(each) > value(left[best])) best = index;
    }
    const [next] = left.splice(best, 1);
    if (next === undefined) break;
    chosen.push(next.item);
    for (const each of left) each.likeness = Math.max(each.likeness, likenessOf(each.terms, next.terms));
  }
  return chosen;
}

/** Jaccard: how many of all terms both have. */
export function likenessOf(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  if (a.size === 0 && b.size === 0) return 1;
  const both = a.intersection(b).size;
  return both / (a.size + b.size - both);
}
