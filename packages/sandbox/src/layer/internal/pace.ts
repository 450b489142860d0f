import { setImmediate } from 'node:timers/promises';
import { Fault } from '@warren/protocol';

/** How long work may hold the event loop. */
const TURN_MS = 8;

/**
 * Lets long work of many short system calls share the event loop, and ends it when `signal` fires. The calls themselves are synchronous:
 * the kernel answers a stat from its caches in microseconds, ten times faster than a round trip through the thread pool.
 */
export class Pace {
  readonly #signal: AbortSignal | undefined;
  #turnStartedMs: number = performance.now();

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
    this.#refuseAborted();
  }

  /** Whether it is time to `rest`. Apart from it, so that the common case costs no promise. */
  get isDue(): boolean {
    return this.#signal?.aborted === true || performance.now() - this.#turnStartedMs > TURN_MS;
  }

  /** Gives way to everything else that waits. Throws `aborted`. */
  async rest(): Promise<void> {
    await setImmediate();
    this.#refuseAborted();
    this.#turnStartedMs = performance.now();
  }

  #refuseAborted(): void {
    if (this.#signal?.aborted === true) throw new Fault('aborted', 'The caller ended the work', { cause: this.#signal.reason });
  }
}
