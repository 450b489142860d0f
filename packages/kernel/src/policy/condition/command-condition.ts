import type { CommandCondition } from '../policy.ts';
import type { CompiledCondition } from './compiled-condition.ts';
import { type Quantifier, quantify, truthOf, UNKNOWN } from './truth.ts';

export function compileCommand({ prefix, program }: CommandCondition, quantifier: Quantifier): CompiledCondition {
  const test = (words: readonly string[]): boolean =>
    (program === undefined || program.includes(programOf(words))) &&
    (prefix === undefined || prefix.some((start) => start.every((word, index) => words[index] === word)));
  return ({ request }) => quantify(request.facts.commands, quantifier, (words) => (words.length === 0 ? UNKNOWN : truthOf(test(words))));
}

/** The first word without directories. */
export function programOf(words: readonly string[]): string {
  const word = words[0] ?? '';
  return word.slice(word.lastIndexOf('/') + 1);
}
