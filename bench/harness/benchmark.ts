/** What a benchmark is: something that measures and returns the rows of a table. */
import type { Row } from './row.ts';

export type Context = {
  /** Few turns: shows that everything works, not how fast it is. */
  readonly isQuick: boolean;
  /** How long what has a sustained mode goes on; 0 is not at all. */
  readonly sustainMs: number;
  /** Fires on Ctrl-C. What is open is closed, nothing more is measured. */
  readonly signal: AbortSignal;
  /** Tells the person who waits. */
  readonly say: (line: string) => void;
};

export interface Benchmark {
  readonly name: string;
  readonly title: string;
  /** How it is measured, in one paragraph; it stands above the table. */
  readonly method: string;
  run(context: Context): Promise<readonly Row[]>;
}
