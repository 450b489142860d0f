/** Keys of one provider: one that was refused, or is asked for too much, rests while there are others. */
import type { ModelFailureReason } from '../model-failure.ts';

const REST_MS: Partial<Record<ModelFailureReason, number>> = { rate_limited: 30_000, unpaid: 300_000, key_refused: 600_000 };
const REST_MS_MAX = 3_600_000;
const KEYS_MAX = 64;

export class KeyRing {
  readonly #now: () => number;
  readonly #restsUntil = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Those that rest stand last, the one that rests for the shortest first. All are named: the provider knows best. */
  order(keys: readonly string[]): readonly string[] {
    const until = (key: string): number => Math.max(this.#restsUntil.get(key) ?? 0, this.#now());
    const distinct = [...new Set(keys)].slice(0, KEYS_MAX);
    for (const key of this.#restsUntil.keys()) if (!distinct.includes(key)) this.#restsUntil.delete(key); // It was taken out of use.
    return distinct.toSorted((one, other) => until(one) - until(other));
  }

  rest(key: string, reason: ModelFailureReason, retryAfterMs: number | undefined): void {
    this.#restsUntil.set(key, this.#now() + Math.min(REST_MS_MAX, retryAfterMs ?? REST_MS[reason] ?? 0));
  }
}
