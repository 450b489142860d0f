/** What `run` needs from the run store of `@warren/sandbox`; see there for what it promises. */
import type { Exit, OpenRunRequest } from '@warren/sandbox';

export interface Records {
  /** Records the run before anything starts, and makes its empty layer. */
  open(request: OpenRunRequest): Promise<OpenRecord>;
}

export interface OpenRecord {
  readonly id: string;
  /** The directory with `upper` and `work` that the overlay writes to. */
  readonly layer: string;
  /** Closes the record with how the command ended, or without when nobody knows, and counts what changed. A run that changed nothing is forgotten unless kept. */
  close(exit: Exit | undefined, options: { readonly keep: boolean }): Promise<ClosedRecord>;
}

export type ClosedRecord = { readonly changes: number; readonly isKept: boolean };
