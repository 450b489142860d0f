import { examineCommand } from './examine-command.ts';
import { type Budget, Unreadable } from './shell-command.ts';

const CHARACTERS_MAX = 1_000_000;
const LEVELS_MAX = 24;

/** What a command line would destroy for good, in words; undefined when it looks harmless. One that cannot be read to its end is no harmless one. */
export function findDestruction(words: readonly string[]): string | undefined {
  const budget: Budget = { characters: CHARACTERS_MAX, levels: LEVELS_MAX };
  try {
    return examineCommand({ words, writes: [], stdin: undefined, directory: undefined, functions: [], isParallel: false }, budget);
  } catch (error) {
    if (error instanceof Unreadable) return `What it does cannot be told: ${error.message}`;
    throw error;
  }
}
