/**
 * The newest events of a workspace in memory, and who waits for more. A follower that has caught up gets the next event from here, so a
 * thousand of them cost one read of nothing; one that fell behind reads the store.
 */
import type { EventRecord } from '../store/tables/event-table.ts';

/** Events kept for followers that are nearly caught up. */
const KEPT_MAX = 1_024;

export class RecentEvents {
  /** Ids without holes. */
  #events: EventRecord[] = [];
  readonly #waiting = new Set<() => void>();

  /** Takes what was just committed. */
  add(events: readonly EventRecord[]): void {
    this.#events.push(...events);
    if (this.#events.length > KEPT_MAX * 2) this.#events = this.#events.slice(-KEPT_MAX);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
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
