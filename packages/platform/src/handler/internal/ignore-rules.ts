/** What `.gitignore` files leave out. Rules of deeper files come later, and the last rule that matches decides. */
import { compileGlob } from './glob.ts';

const RULES_MAX = 5_000;

type Rule = {
  readonly base: string;
  readonly isNegated: boolean;
  readonly isForDirectories: boolean;
  readonly matches: (path: string) => boolean;
};

export class IgnoreRules {
  readonly #rules: Rule[] = [];

  /** `base` is the directory of the file, below the root of the search; empty for the root. Files are added from the top. What cannot be understood is skipped, as git does. */
  add(base: string, text: string): void {
    for (const line of text.split(/\r?\n/)) {
      if (this.#rules.length >= RULES_MAX) return;
      const rule = parseRule(base, line);
      if (rule !== undefined) this.#rules.push(rule);
    }
  }

  /** A path below the root; also ignored when a directory above it is. */
  isIgnored(path: string, isDirectory: boolean): boolean {
    if (this.#rules.length === 0) return false;
    const names = path.split('/');
    for (let count = 1; count <= names.length; count++) {
      const part = names.slice(0, count).join('/');
      if (this.#decide(part, count < names.length || isDirectory)) return true;
    }
    return false;
  }

  #decide(path: string, isDirectory: boolean): boolean {
    for (let index = this.#rules.length - 1; index >= 0; index--) {
      const rule = this.#rules[index] as Rule; // The index is within.
      if (rule.isForDirectories && !isDirectory) continue;
      const below = rule.base === '' ? path : path.startsWith(`${rule.base}/`) ? path.slice(rule.base.length + 1) : undefined;
      if (below !== undefined && rule.matches(below)) return !rule.isNegated;
    }
    return false;
  }
}

function parseRule(base: string, line: string): Rule | undefined {
  let text = line.replace(/(?<!\\)\s+$/, '');
  if (text === '' || text.startsWith('#')) return undefined;
  const isNegated = text.startsWith('!');
  if (isNegated) text = text.slice(1);
  const isForDirectories = text.endsWith('/');
  if (isForDirectories) text = text.slice(0, -1);
  const isAnchored = text.includes('/');
  text = text.replace(/^\//, '').replaceAll('{', '\\{');
  try {
    return { base, isNegated, isForDirectories, matches: compileGlob(isAnchored ? text : `**/${text}`) };
  } catch {
    return undefined; // Not a pattern; the other lines still count.
  }
}
