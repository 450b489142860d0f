/** What the commands need from the run store of `@warren/sandbox`; see there for what it promises. */
import type { Exit } from '@warren/sandbox';

export interface Records {
  /** Opens the record of a run on this directory, with an empty layer. */
  open(directory: string, argv: readonly string[]): Promise<OpenRecord>;
}

export interface OpenRecord {
  readonly id: string;
  /** The directory with `upper` and `work` that the overlay writes to. */
  readonly layer: string;
  /** Closes the record with how the command ended; `undefined` when it never ran. Counts what changed. */
  close(exit: Exit | undefined, options: { readonly keep: boolean }): Promise<{ readonly changes: number; readonly isKept: boolean }>;
}
