import type { Dimension } from './index/dimension.ts';
import type { PolicyRequest } from './policy.ts';

/** A request while it is decided, with what the index reads from it, read once. */
export class Question {
  readonly request: PolicyRequest;
  /** By slot of the dimension; null when any key may be the request's. */
  readonly #keys: (readonly string[] | null | undefined)[] = [];

  constructor(request: PolicyRequest) {
    this.request = request;
  }

  keys(dimension: Dimension): readonly string[] | undefined {
    let keys = this.#keys[dimension.slot];
    if (keys === undefined) {
      keys = dimension.keysOfRequest(this.request) ?? null;
      this.#keys[dimension.slot] = keys;
    }
    return keys ?? undefined;
  }
}
