const WORDS_MAX = 64;

/** `a{b,c}d` as `abd`, `acd`. Gives up with more than 64 words, and leaves the rest as they are. */
export function expandBraces(word: string): readonly string[] {
  const done: string[] = [];
  const open = [word];
  while (open.length > 0 && done.length + open.length <= WORDS_MAX) {
    const next = open.shift() ?? '';
    const choice = firstChoice(next);
    if (choice === undefined) done.push(next);
    else open.unshift(...choice.parts.map((part) => next.slice(0, choice.start) + part + next.slice(choice.end)));
  }
  return [...done, ...open];
}

/** The first pair of braces to end that has a comma of its own. */
function firstChoice(word: string): { readonly start: number; readonly end: number; readonly parts: readonly string[] } | undefined {
  const opened: { readonly at: number; readonly commas: number[] }[] = [];
  for (let at = 0; at < word.length; at++) {
    if (word[at] === '{') opened.push({ at, commas: [] });
    else if (word[at] === ',') opened.at(-1)?.commas.push(at);
    else if (word[at] === '}') {
      const group = opened.pop();
      if (group === undefined || group.commas.length === 0) continue;
      const edges = [group.at, ...group.commas, at];
      return { start: group.at, end: at + 1, parts: edges.slice(1).map((edge, index) => word.slice((edges[index] ?? 0) + 1, edge)) };
    }
  }
  return undefined;
}
