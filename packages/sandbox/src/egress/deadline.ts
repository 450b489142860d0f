/** One signal for everything that ends a request: the caller's and the time it has. */
import { EgressRefusal } from './egress.ts';

/** Time as the guard sees it, so that a test can own it. */
export interface EgressClock {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Calls once, after this time; the result calls it off. */
  after(delayMs: number, call: () => void): () => void;
}

export const SYSTEM_CLOCK: EgressClock = {
  now: () => performance.now(),
  after(delayMs, call) {
    const timer = setTimeout(call, delayMs);
    return () => clearTimeout(timer);
  },
};

export class Deadline implements Disposable {
  /** Fires with the caller's reason, or with an `EgressRefusal` when the time is over. */
  readonly signal: AbortSignal;
  readonly #release: () => void;

  constructor(clock: EgressClock, ms: number, host: string, caller: AbortSignal) {
    const ending = new AbortController();
    this.signal = ending.signal;
    const onAbort = (): void => ending.abort(caller.reason);
    const cancel = clock.after(ms, () =>
      ending.abort(new EgressRefusal('deadline', host, `Cannot finish with ${host}: ${ms} ms have passed, which is the deadline`)),
    );
    this.#release = () => {
      cancel();
      caller.removeEventListener('abort', onAbort);
    };
    if (caller.aborted) onAbort();
    else caller.addEventListener('abort', onAbort, { once: true });
  }

  [Symbol.dispose](): void {
    this.#release();
  }
}

/** Waits for an event that comes with a call of `done`; the signal ends the wait and `stop` the work, whichever way it went wrong. */
export async function untilDone<T>(
  signal: AbortSignal,
  start: (done: (value: T) => void, fail: (error: unknown) => void) => void,
  stop: () => void,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const onAbort = (): void => reject(signal.reason);
  try {
    signal.throwIfAborted();
    signal.addEventListener('abort', onAbort, { once: true });
    start(resolve, reject);
    return await promise;
  } catch (error) {
    stop();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
