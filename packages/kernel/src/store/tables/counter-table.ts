/** What policies count: how often, or how much of a dimension, in windows that slide. Kept in slices, so that a window costs few rows however much is counted. */
export interface CounterTableReads {
  /** Everything in slices that began after `since`, and when the oldest of them began. */
  sum(key: string, since: number): { readonly amount: number; readonly oldestAt: number | undefined };
}

export interface CounterTable extends CounterTableReads {
  /** Adds to the slice that began at `sliceAt`. */
  add(key: string, sliceAt: number, amount: number): void;
  /** Deletes slices that began before this time, at most `limit`. Returns how many. `keepMs` is the longest window there is. */
  purge(before: number, limit: number): number;
}
