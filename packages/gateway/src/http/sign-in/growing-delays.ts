/**
 * Guesses, counted for each key: an address, a name. The first few cost nothing; after that a key waits, and longer with each further guess.
 * The table is bounded; the key that failed the longest ago is forgotten first.
 */
const FREE_FAILURES = 5;
const DELAY_MS_MAX = 60_000;
/** After this long without a failure a key starts afresh. */
const FORGIVEN_MS = 600_000;
const KEYS_MAX = 4_096;

type Failures = { readonly count: number; readonly lastAt: number; readonly lockedUntil: number };

/** What a restart keeps of one key: times before, and after, the moment it was written. */
export type KeptDelay = { readonly key: string; readonly count: number; readonly agoMs: number; readonly waitMs: number };

export class GrowingDelays {
  readonly #delayMs: number;
  readonly #now: () => number;
  readonly #failures = new Map<string, Failures>();

  /** `delayMs`: the first delay. `now` gives milliseconds of a clock that never goes back. */
  constructor(delayMs: number, now: () => number = () => performance.now()) {
    this.#delayMs = delayMs;
    this.#now = now;
  }

  /** How long this key has to wait before it may guess again; 0 if it need not. */
  waitMs(key: string): number {
    const failures = this.#failures.get(key);
    if (failures === undefined || failures.lockedUntil <= this.#now()) return 0;
    return Math.ceil(failures.lockedUntil - this.#now());
  }

  /** Returns for how long the key is locked from now on; 0 if it is not. */
  failed(key: string): number {
    const now = this.#now();
    const before = this.#failures.get(key);
    const count = before === undefined || now - before.lastAt > FORGIVEN_MS ? 1 : before.count + 1;
    const delay = count < FREE_FAILURES ? 0 : Math.min(DELAY_MS_MAX, this.#delayMs * 2 ** (count - FREE_FAILURES));
    this.#set(key, { count, lastAt: now, lockedUntil: now + delay });
    return delay;
  }

  /** The last failure was none after all. */
  takeBack(key: string): void {
    const failures = this.#failures.get(key);
    if (failures === undefined) return;
    if (failures.count <= 1) this.#failures.delete(key);
    else this.#failures.set(key, { ...failures, count: failures.count - 1, lockedUntil: 0 });
  }

  /** What is worth keeping over a restart: who waits, or soon would. */
  kept(): readonly KeptDelay[] {
    const now = this.#now();
    return [...this.#failures]
      .filter(([, { lastAt }]) => now - lastAt <= FORGIVEN_MS)
      .map(([key, { count, lastAt, lockedUntil }]) => ({ key, count, agoMs: now - lastAt, waitMs: Math.max(0, lockedUntil - now) }));
  }

  /** `sinceMs`: how long ago that was written. */
  restore(kept: readonly KeptDelay[], sinceMs: number): void {
    const now = this.#now();
    for (const { key, count, agoMs, waitMs } of kept.slice(-KEYS_MAX)) {
      const lastAt = now - agoMs - sinceMs;
      if (now - lastAt <= FORGIVEN_MS) this.#set(key, { count, lastAt, lockedUntil: now + Math.min(waitMs, DELAY_MS_MAX) - sinceMs });
    }
  }

  get keys(): number {
    return this.#failures.size;
  }

  #set(key: string, failures: Failures): void {
    this.#failures.delete(key);
    this.#failures.set(key, failures);
    if (this.#failures.size <= KEYS_MAX) return;
    const oldest = this.#failures.keys().next().value;
    if (oldest !== undefined) this.#failures.delete(oldest);
  }
}
