/** Wakes those who wait for new entries. A wake-up that comes between arming and waiting is not lost. */
export class Wakers {
  readonly #all = new Set<Waker>();

  /** Of one reader, until it is disposed. The signal wakes it too. */
  add(signal: AbortSignal): Waker {
    const waker = new Waker(signal, () => this.#all.delete(waker));
    this.#all.add(waker);
    return waker;
  }

  wake(): void {
    for (const waker of this.#all) waker.wake();
  }
}

export class Waker implements Disposable {
  readonly #signal: AbortSignal;
  readonly #remove: () => void;
  readonly #onAbort = (): void => this.wake();
  #isAwake = false;
  #resolve: (() => void) | undefined;

  constructor(signal: AbortSignal, remove: () => void) {
    this.#signal = signal;
    this.#remove = remove;
    signal.addEventListener('abort', this.#onAbort);
  }

  arm(): void {
    this.#isAwake = this.#signal.aborted;
  }

  async wait(): Promise<void> {
    if (this.#isAwake) return;
    await new Promise<void>((resolve) => {
      this.#resolve = resolve;
    });
  }

  wake(): void {
    this.#isAwake = true;
    this.#resolve?.();
    this.#resolve = undefined;
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#remove();
  }
}
