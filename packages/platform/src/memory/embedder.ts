/** What makes vectors of text, so that texts of one meaning are near each other. */
export interface Embedder {
  /** Provider and model: vectors of different ones cannot be compared. */
  readonly name: string;
  /**
   * One for each text, all of one length. What is asked for may be told from what is looked for. Faults: `invalid_argument` (of one of these texts there never will be one), others (try later).
   */
  embed(texts: readonly string[], signal: AbortSignal, use?: EmbeddingUse): Promise<readonly Float32Array[]>;
}

export type EmbeddingUse = 'document' | 'query';
