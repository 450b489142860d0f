/** A command as a shell starts it: expanded as far as that can be known. What is not known is `UNKNOWN_TEXT`. */
export type ShellCommand = {
  readonly words: readonly string[];
  /** What its output is redirected to. */
  readonly writes: readonly string[];
  /** What it reads, when that is known. */
  readonly stdin: string | undefined;
  /** Where it runs, when the script says so. */
  readonly directory: string | undefined;
  /** Names of the functions it stands in. */
  readonly functions: readonly string[];
  /** Whether something else goes on while it runs. */
  readonly isParallel: boolean;
};

/** What reading may cost. Everything that is examined together shares one. */
export type Budget = { characters: number; levels: number };

/** What cannot be read within the budget. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
}

export function spend(budget: Budget, characters: number): void {
  budget.characters -= characters;
  if (budget.characters < 0) throw new Unreadable('the command line is too long to be read');
}

/** For what stands within something else. */
export function descend<Result>(budget: Budget, read: () => Result): Result {
  if (budget.levels === 0) throw new Unreadable('the command line is too deeply nested to be read');
  budget.levels--;
  const result = read();
  budget.levels++;
  return result;
}
