import { Fault } from '@warren/protocol';

/** So many at once; the others wait in their order, and when too many wait they are refused. */
export class Semaphore {
  readonly #most: number;
  readonly #waitingMost: number;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(most: number, waitingMost: number) {
    this.#most = most;
    this.#waitingMost = waitingMost;
  }

  /** Resolves with what gives the place back when it is disposed of. Throws `busy`. */
  async acquire(action: string): Promise<Disposable> {
    if (this.#taken < this.#most) this.#taken++;
    else if (this.#waiting.length >= this.#waitingMost) {
      throw new Fault('busy', `Cannot ${action}: ${this.#waiting.length} others wait for the same, the limit is ${this.#waitingMost}`);
    }
    // A place is handed on from who leaves to who waits; it is never free in between.
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        const next = this.#waiting.shift();
        if (next === undefined) this.#taken--;
        else next();
      },
    };
  }
}
