/** What makes vectors of text, so that texts of one meaning are near each other. */
export interface Embedder {
  /** Provider and model: vectors of different ones cannot be compared. */
  readonly name: string;
  /** One for each text, all of one length. Faults: `unavailable` (try later), `invalid_argument` (it will never do). */
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]>;
}
