/** The known word that is nearest to one that is not known, when one is near. */
const WORD_LENGTH_MAX = 64;

export function suggest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > WORD_LENGTH_MAX) return undefined;
  let best: string | undefined;
  let least = (word.length < 4 ? 1 : Math.max(2, Math.ceil(word.length / 3))) + 1;
  for (const each of known) {
    if (Math.abs(each.length - word.length) >= least) continue;
    const steps = distance(word.toLowerCase(), each.toLowerCase());
    if (steps < least) [best, least] = [each, steps];
  }
  return best;
}

/** Letters to put in, take out or change (Levenshtein). */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const change = above[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1); // Both rows are filled up to here.
      current.push(Math.min(change, above[column]! + 1, current[column - 1]! + 1)); // As above.
    }
    above = current;
  }
  return above[b.length]!; // It has one more than the word.
}
