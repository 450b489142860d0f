import { ContentDiffer } from './content-diff.ts';
import { type DiffEntry, diffEntries } from './diff-entries.ts';
import { Pace } from './internal/pace.ts';
import { openLower } from './open-lower.ts';
import type { Review } from './review.ts';
import { Tree } from './tree.ts';

/** Both sides of a review, open for reading. The caller owns it. */
export class OpenDiff implements Disposable {
  readonly pace: Pace;
  readonly differ: ContentDiffer;
  readonly #upper: Tree;
  readonly #lower: Tree;
  readonly #review: Review;

  constructor(review: Review, signal: AbortSignal | undefined) {
    this.pace = new Pace(signal);
    this.#review = review;
    this.#upper = Tree.open(review.paths.upper, { isOurs: true });
    try {
      this.#lower = openLower(review.run);
    } catch (error) {
      this.#upper[Symbol.dispose]();
      throw error;
    }
    this.differ = new ContentDiffer(this.#upper, this.#lower);
  }

  async entries(): Promise<readonly DiffEntry[]> {
    return await diffEntries(this.#review.changes, this.#upper, this.pace);
  }

  [Symbol.dispose](): void {
    this.#upper[Symbol.dispose]();
    this.#lower[Symbol.dispose]();
  }
}
