/**
 * Whether a sequence fits a pattern in which some elements stand for any number of elements. Goes back to the last of them only, so it takes at most
 * pattern × sequence steps, whatever they are.
 */
export function fitsPattern<Part, Element>(
  pattern: ArrayLike<Part>,
  sequence: ArrayLike<Element>,
  isAny: (part: Part) => boolean,
  fits: (part: Part, element: Element) => boolean,
): boolean {
  let at = 0;
  let place = 0;
  let anyAt = -1;
  let retryPlace = 0;
  while (place < sequence.length) {
    const part = pattern[at];
    if (at < pattern.length && isAny(part as Part)) {
      anyAt = at++; // `at` is within the pattern.
      retryPlace = place;
    } else if (at < pattern.length && fits(part as Part, sequence[place] as Element)) {
      at++;
      place++;
    } else if (anyAt >= 0) {
      at = anyAt + 1;
      place = ++retryPlace;
    } else return false;
  }
  while (at < pattern.length && isAny(pattern[at] as Part)) at++;
  return at === pattern.length;
}

/** A text against a pattern with `*`. */
export function fitsWildcard(pattern: string, text: string): boolean {
  return fitsPattern(pattern, text, isStar, isSame);
}

function isStar(part: string): boolean {
  return part === '*';
}

function isSame(part: string, element: string): boolean {
  return part === element;
}
