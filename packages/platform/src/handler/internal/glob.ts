/**
 * Globs over paths with slashes: `*` and `?` within a name, `**` as a whole name for any number of names, `[a-z]` and `[!a-z]`, `{a,b}`. Matched name by name with one
 * place to go back to, so the time is bounded by the product of the lengths, whatever the pattern.
 */
import { CapabilityError } from '../../capability/handler.ts';

const PATTERN_MAX = 4_096;
const ALTERNATIVES_MAX = 256;

type Part =
  | { readonly kind: 'any' }
  | { readonly kind: 'one' }
  | { readonly kind: 'set'; readonly isNegated: boolean; readonly ranges: readonly (readonly [string, string])[] }
  | { readonly kind: 'text'; readonly text: string };
type Name = 'deep' | readonly Part[];

/** Throws `InvalidPattern`. */
export function compileGlob(pattern: string): (path: string) => boolean {
  if (pattern === '' || pattern.length > PATTERN_MAX || pattern.includes('\0'))
    throw invalid(pattern, 'it is empty, too long or holds a NUL');
  const globs = expandBraces(pattern).map(parseGlob);
  return (path) => {
    const names = path.split('/');
    return globs.some((glob) => matchNames(glob, names));
  };
}

/** As `compileGlob`; a pattern without a slash is for the last name, wherever it is. */
export function compileNameGlob(pattern: string): (path: string) => boolean {
  return compileGlob(pattern.includes('/') ? pattern : `**/${pattern}`);
}

function expandBraces(pattern: string): readonly string[] {
  let done: string[] = [];
  let open = [pattern];
  while (open.length > 0) {
    const next: string[] = [];
    for (const text of open) {
      const group = innermostGroup(text);
      if (group === undefined) done.push(text);
      else
        for (const choice of text.slice(group.start + 1, group.end).split(','))
          next.push(text.slice(0, group.start) + choice + text.slice(group.end + 1));
      if (done.length + next.length > ALTERNATIVES_MAX)
        throw invalid(pattern, `its braces stand for more than ${ALTERNATIVES_MAX} patterns`);
    }
    open = next;
  }
  done = [...new Set(done)];
  return done;
}

/** The first group that holds no other. An escaped or unmatched brace is itself. */
function innermostGroup(text: string): { readonly start: number; readonly end: number } | undefined {
  let start = -1;
  for (let index = 0; index < text.length; index++) {
    if (text[index] === '\\') index++;
    else if (text[index] === '{') start = index;
    else if (text[index] === '}' && start >= 0) {
      if (text.slice(start, index).includes(',')) return { start, end: index };
      start = -1;
    }
  }
  return undefined;
}

function parseGlob(glob: string): readonly Name[] {
  const names = glob
    .replace(/^\.?\//, '')
    .split('/')
    .filter((name, index, all) => name !== '' || index === all.length - 1);
  return names.map((name): Name => (name === '**' ? 'deep' : parseName(name, glob)));
}

function parseName(name: string, glob: string): readonly Part[] {
  const parts: Part[] = [];
  const characters = [...name];
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] as string; // The index is within.
    if (character === '*') {
      if (parts.at(-1)?.kind !== 'any') parts.push({ kind: 'any' });
    } else if (character === '?') parts.push({ kind: 'one' });
    else if (character === '[') {
      const end = characters.indexOf(']', index + 2 + (characters[index + 1] === '!' || characters[index + 1] === '^' ? 1 : 0));
      if (end < 0) throw invalid(glob, 'a [ has no ]');
      parts.push(parseSet(characters.slice(index + 1, end)));
      index = end;
    } else parts.push({ kind: 'text', text: character === '\\' ? (characters[++index] ?? '\\') : character });
  }
  return parts;
}

function parseSet(characters: readonly string[]): Part {
  const isNegated = characters[0] === '!' || characters[0] === '^';
  const rest = isNegated ? characters.slice(1) : characters;
  const ranges: [string, string][] = [];
  for (let index = 0; index < rest.length; index++) {
    const from = rest[index] as string; // The index is within.
    const to = rest[index + 1] === '-' ? rest[index + 2] : undefined;
    ranges.push([from, to ?? from]);
    if (to !== undefined) index += 2;
  }
  return { kind: 'set', isNegated, ranges };
}

/** Only the last `**` need be gone back to, as only the last `*` within a name. */
function matchNames(glob: readonly Name[], names: readonly string[]): boolean {
  let at = 0;
  let deepAt = -1;
  let resumeAt = 0;
  for (let index = 0; index < names.length; ) {
    const part = glob[at];
    if (part === 'deep') {
      deepAt = at++;
      resumeAt = index;
    } else if (part !== undefined && matchName(part, names[index] as string)) {
      at++;
      index++;
    } else if (deepAt >= 0) {
      at = deepAt + 1;
      index = ++resumeAt;
    } else return false;
  }
  while (glob[at] === 'deep') at++;
  return at === glob.length;
}

function matchName(parts: readonly Part[], name: string): boolean {
  const characters = [...name];
  let at = 0;
  let anyAt = -1;
  let resumeAt = 0;
  for (let index = 0; index < characters.length; ) {
    const part = parts[at];
    if (part?.kind === 'any') {
      anyAt = at++;
      resumeAt = index;
    } else if (part !== undefined && matchCharacter(part, characters[index] as string)) {
      at++;
      index++;
    } else if (anyAt >= 0) {
      at = anyAt + 1;
      index = ++resumeAt;
    } else return false;
  }
  while (parts[at]?.kind === 'any') at++;
  return at === parts.length;
}

function matchCharacter(part: Exclude<Part, { readonly kind: 'any' }>, character: string): boolean {
  switch (part.kind) {
    case 'one':
      return true;
    case 'text':
      return part.text === character;
    case 'set':
      return part.ranges.some(([from, to]) => from <= character && character <= to) !== part.isNegated;
  }
}

function invalid(pattern: string, why: string): CapabilityError {
  return new CapabilityError('InvalidPattern', `Cannot use the pattern ${JSON.stringify(pattern.slice(0, 200))}: ${why}`, {
    context: { field: 'pattern' },
  });
}
