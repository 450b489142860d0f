/** What an agent is given, from the flags of `warren agent start`. */
import { Fault } from '@warren/protocol';

export type PathFlag = { readonly prefix: string; readonly mode: 'r' | 'rw' };

/** `/workspace/src:r`; `rw` when nothing is said. A path whose last name has a colon needs its mode said. */
export function readPath(text: string): PathFlag {
  const at = text.lastIndexOf(':');
  if (at < 0 || text.includes('/', at)) return { prefix: absolute(text, text), mode: 'rw' };
  const mode = text.slice(at + 1);
  if (mode !== 'r' && mode !== 'rw')
    throw new Fault(
      'invalid_argument',
      `Cannot use --path ${JSON.stringify(text)}: its mode is ${JSON.stringify(mode)}, give r or rw, as /workspace/src:r`,
    );
  return { prefix: absolute(text.slice(0, at), text), mode };
}

function absolute(path: string, text: string): string {
  if (path.startsWith('/')) return path;
  throw new Fault(
    'invalid_argument',
    `Cannot use --path ${JSON.stringify(text)}: it is not absolute; what agents see begins at /workspace`,
  );
}

export function readBudget(text: string): readonly [dimension: string, amount: number] {
  const [, dimension, amount] = /^([a-z0-9_.]{1,64})=(\d{1,15})$/.exec(text) ?? [];
  if (dimension === undefined)
    throw new Fault('invalid_argument', `Cannot use --budget ${JSON.stringify(text)}: give dimension=amount, as tool_calls=1000`);
  return [dimension, Number(amount)];
}

/** Throws when one is named twice: the smaller and the larger are both what somebody may have meant. */
export function readBudgets(texts: readonly string[]): Readonly<Record<string, number>> {
  const budgets = new Map<string, number>();
  for (const [dimension, amount] of texts.map(readBudget)) {
    if (budgets.has(dimension))
      throw new Fault('invalid_argument', `Cannot use --budget ${dimension}=${amount}: ${dimension} is given twice`);
    budgets.set(dimension, amount);
  }
  return Object.fromEntries(budgets);
}

/** Patterns that stand for none of these names. */
export function matchingNone(patterns: readonly string[], names: readonly string[]): readonly string[] {
  return patterns.filter((pattern) => {
    if (pattern === '*') return false;
    const start = pattern.endsWith('.*') ? pattern.slice(0, -1) : undefined;
    return !names.some((name) => (start === undefined ? name === pattern : name.startsWith(start)));
  });
}

/** Of the paths that are granted, those where an agent has no files. */
export function beyondWorkspace(paths: readonly PathFlag[]): readonly string[] {
  return paths.map(({ prefix }) => prefix).filter((prefix) => !/^\/*$|^\/+workspace(?:\/|$)/.test(prefix));
}
