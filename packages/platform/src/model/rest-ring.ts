/** Keys, or models, of which any will do: one that was refused, or is asked for too much, rests while there are others. */
import type { ModelFailureReason } from './model-failure.ts';

/** Whoever is not here can be asked again at once. */
const REST_MS: Partial<Record<ModelFailureReason, number>> = {
  ...{ rate_limited: 30_000, overloaded: 30_000, unreachable: 30_000, timeout: 30_000 },
  ...{ unpaid: 300_000, key_refused: 600_000, unknown_model: 600_000 },
};
const REST_MS_MAX = 3_600_000;
const NAMES_MAX = 64;

export class RestRing {
  readonly #now: () => number;
  readonly #restsUntil = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Those that rest stand last, the one that rests for the shortest first. All are named: whoever is asked knows best. */
  order(names: readonly string[]): readonly string[] {
    const until = (name: string): number => Math.max(this.#restsUntil.get(name) ?? 0, this.#now());
    const distinct = [...new Set(names)].slice(0, NAMES_MAX);
    for (const name of this.#restsUntil.keys()) if (!distinct.includes(name)) this.#restsUntil.delete(name); // It was taken out of use.
    return distinct.toSorted((one, other) => until(one) - until(other));
  }

  rest(name: string, reason: ModelFailureReason, retryAfterMs: number | undefined): void {
    this.#restsUntil.set(name, this.#now() + Math.min(REST_MS_MAX, retryAfterMs ?? REST_MS[reason] ?? 0));
  }
}
