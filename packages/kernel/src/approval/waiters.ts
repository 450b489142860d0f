/** Those who wait for something by its id. Bounded; whoever waits reads the store anew when it is woken. */
import { Fault } from '@warren/protocol';

const WAITING_MAX = 10_000;

export class Waiters {
  readonly #wakes = new Map<string, Set<() => void>>();
  #count = 0;

  wake(key: string): void {
    for (const wake of this.#wakes.get(key) ?? []) wake();
  }

  wakeAll(): void {
    for (const key of [...this.#wakes.keys()]) this.wake(key);
  }

  /** Resolves when woken or after `waitMs`; begins to listen before it returns. Rejects with `aborted` when `signal` fires. */
  wait(key: string, waitMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#count >= WAITING_MAX) {
      return Promise.reject(new Fault('busy', `Cannot wait: ${WAITING_MAX} wait already, the limit is ${WAITING_MAX}`));
    }
    const set = this.#wakes.get(key) ?? new Set();
    this.#wakes.set(key, set);
    this.#count += 1;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        if (!set.delete(wake)) return;
        this.#count -= 1;
        if (set.size === 0) this.#wakes.delete(key);
      };
      const wake = (): void => {
        leave();
        resolve();
      };
      const onAbort = (): void => {
        leave();
        reject(new Fault('aborted', 'Cannot wait any longer: the caller gave up'));
      };
      const timer = setTimeout(wake, Math.min(waitMs, 2_147_483_647));
      set.add(wake);
      if (signal?.aborted === true) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}
