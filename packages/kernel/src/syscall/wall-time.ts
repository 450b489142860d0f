/** Wall time in whole seconds, without forgiving what is shorter: the rest of one call is carried over to the next of the process. */
const KEPT_MAX = 10_000;

export class WallTime {
  readonly #restMs = new Map<string, number>();

  seconds(process: string, durationMs: number): number {
    const total = (this.#restMs.get(process) ?? 0) + durationMs;
    const seconds = Math.floor(total / 1_000);
    this.#restMs.delete(process); // It moves to the end: the longest unused is forgotten first.
    this.#restMs.set(process, total - seconds * 1_000);
    if (this.#restMs.size > KEPT_MAX) for (const oldest of this.#restMs.keys()) return this.#forget(oldest, seconds);
    return seconds;
  }

  #forget(process: string, seconds: number): number {
    this.#restMs.delete(process);
    return seconds;
  }
}
