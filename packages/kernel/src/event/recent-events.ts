/**
 * The newest events of a workspace in memory, and who waits for more. A follower that has caught up gets the next event from here, so a
 * thousand of them cost one read of nothing; one that fell behind reads the store.
 */
import type { EventRecord } from '../store/tables/event-table.ts';

/** Events kept for followers that are nearly caught up. */
const KEPT_MAX = 1_024;
/** Of their payloads. */
const KEPT_BYTES_MAX = 4_194_304;

export class RecentEvents {
  /** Ids without holes. */
  #events: EventRecord[] = [];
  #bytes = 0;
  readonly #waiting = new Set<() => void>();
  #isEnded = false;

  /** The workspace is gone: what comes under its name from now on is another's. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  end(): void {
    this.#isEnded = true;
    this.add([], 0);
    this.#forget();
  }

  /** Takes what was just committed. What is too large to be kept is in the store. */
  add(events: readonly EventRecord[], payloadBytes: number): void {
    if (this.#bytes + payloadBytes > KEPT_BYTES_MAX) this.#forget();
    if (payloadBytes <= KEPT_BYTES_MAX) {
      this.#events.push(...events);
      this.#bytes += payloadBytes;
    }
    if (this.#events.length > KEPT_MAX * 2) {
      this.#bytes = Math.ceil((this.#bytes * KEPT_MAX) / this.#events.length);
      this.#events = this.#events.slice(-KEPT_MAX);
    }
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  #forget(): void {
    this.#events = [];
    this.#bytes = 0;
  }

  /** The events after this id, if they are all here; undefined when older ones are needed too. Empty when there are none yet. */
  after(id: number, limit: number): readonly EventRecord[] | undefined {
    const first = this.#events[0]?.id;
    if (first === undefined || id < first - 1) return undefined;
    return this.#events.slice(id - first + 1, id - first + 1 + limit);
  }

  /** Resolves at the next commit, or when the signal fires. */
  async next(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
