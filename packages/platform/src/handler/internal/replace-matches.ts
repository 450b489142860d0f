/** Replaces what matches a regular expression, or a literal text, in several texts. */
import { compilePattern } from './compile-pattern.ts';
import { TaskRefusal } from './task-refusal.ts';

export type ReplaceRequest = {
  readonly texts: readonly string[];
  readonly pattern: string;
  readonly isRegex: boolean;
  readonly replacement: string;
};
/** In the order of the texts; undefined where nothing matched. */
export type Replaced = { readonly results: readonly ({ readonly count: number; readonly text: string } | undefined)[] };

const MATCHES_MAX = 1_000_000;
const CHARACTERS_MAX = 134_217_728;

export function replaceMatches({ texts, pattern, isRegex, replacement }: ReplaceRequest): Replaced {
  const expression = isRegex ? compilePattern(pattern) : undefined;
  let matches = 0;
  let characters = 0;
  const results = texts.map((text) => {
    const parts: string[] = [];
    let from = 0;
    let count = 0;
    const put = (start: number, end: number, instead: string): void => {
      parts.push(text.slice(from, start), instead);
      characters += start - from + instead.length;
      from = end;
      count++;
      if (++matches > MATCHES_MAX) throw new TaskRefusal('FileTooLarge', `Cannot replace: there are more than ${MATCHES_MAX} matches`);
      if (characters > CHARACTERS_MAX)
        throw new TaskRefusal('FileTooLarge', `Cannot replace: the result has more than ${CHARACTERS_MAX} characters`);
    };
    if (expression === undefined) {
      for (let at = text.indexOf(pattern); at >= 0; at = text.indexOf(pattern, at + pattern.length))
        put(at, at + pattern.length, replacement);
    } else {
      for (const match of text.matchAll(expression)) put(match.index, match.index + match[0].length, expand(replacement, match));
    }
    if (count === 0) return undefined;
    parts.push(text.slice(from));
    return { count, text: parts.join('') };
  });
  return { results };
}

/** `${1}` and `${name}` are groups, `$$` is a dollar; everything else is itself. A group that took no part is empty. */
function expand(replacement: string, match: RegExpMatchArray): string {
  return replacement.replace(/\$(?:\$|\{(\w{1,64})\})/g, (whole, group: string | undefined) => {
    if (group === undefined) return '$';
    const isNumber = /^\d+$/.test(group);
    const isKnown = isNumber ? Number(group) < match.length : match.groups !== undefined && Object.hasOwn(match.groups, group);
    if (!isKnown) throw new TaskRefusal('InvalidPattern', `Cannot use ${whole}: the pattern has no such group`);
    return (isNumber ? match[Number(group)] : match.groups?.[group]) ?? '';
  });
}
