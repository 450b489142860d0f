/** What policies count: how often, or how much of a dimension, in windows that slide. Kept in slices, so that a window costs few rows however much is counted. */
export interface CounterTableReads {
  /** Everything in slices that began after `since`, and when the oldest of them began. */
  sum(key: string, since: number): { readonly amount: number; readonly oldestAt: number | undefined };
}

/** A year and a day: no window is longer. */
export const COUNTER_KEEP_MS_MAX = 31_708_800_000;

export interface CounterTable extends CounterTableReads {
  /** Adds to the slice that began at `sliceAt`, which is needed for `keepMs` from then: as long as a window looks back. */
  add(key: string, sliceAt: number, amount: number, keepMs?: number): void;
  /** Deletes slices that were not needed any more before this time, at most `limit`. Returns how many. */
  purge(before: number, limit: number): number;
}
