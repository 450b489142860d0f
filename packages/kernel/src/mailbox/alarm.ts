/** One timer for everything in the kernel's mail that happens at a time: the next due time is what it is set to. */
import type { Clock } from '../internal/clock.ts';

/** Kernel time may run ahead of a timer, for instance when the machine slept; so it looks again at least this often. */
const DELAY_MS_MAX = 60_000;

export type Bell = {
  readonly at: number;
  readonly ring: () => void;
  /** Whether somebody waits for it, so that the program has to go on. */
  readonly isAwaited: boolean;
};

type Entry = { readonly bell: Bell; index: number };

export class Alarm {
  readonly #clock: Clock;
  /** A heap: each entry rings no later than the two below it. Entries know their place, to be taken out when nobody waits any more. */
  readonly #entries: Entry[] = [];
  #awaited = 0;
  #timer: { readonly at: number; readonly handle: NodeJS.Timeout } | undefined;
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Rings once, when it is time, unless it is disposed before. */
  set(bell: Bell): Disposable {
    const entry: Entry = { bell, index: this.#entries.length };
    if (this.#isClosed) return { [Symbol.dispose]: () => {} };
    this.#entries.push(entry);
    this.#rise(entry);
    if (bell.isAwaited) this.#awaited++;
    this.#setTimer();
    return { [Symbol.dispose]: () => this.#remove(entry) };
  }

  /** Rings what is due. The timer calls it; a test that moves the clock does too. */
  tick(): void {
    const now = this.#clock.now();
    for (;;) {
      const first = this.#entries[0];
      if (first === undefined || first.bell.at > now) break;
      this.#remove(first);
      first.bell.ring();
    }
    this.#setTimer();
  }

  close(): void {
    this.#isClosed = true;
    this.#entries.length = 0;
    clearTimeout(this.#timer?.handle);
    this.#timer = undefined;
  }

  #setTimer(): void {
    const at = this.#entries[0]?.bell.at;
    if (this.#timer !== undefined && this.#timer.at !== at) {
      clearTimeout(this.#timer.handle);
      this.#timer = undefined;
    }
    if (at === undefined) return;
    this.#timer ??= { at, handle: setTimeout(() => this.#onTimer(), Math.min(DELAY_MS_MAX, Math.max(1, at - this.#clock.now()))) };
    if (this.#awaited > 0) this.#timer.handle.ref();
    else this.#timer.handle.unref();
  }

  #onTimer(): void {
    this.#timer = undefined;
    this.tick();
  }

  #remove(entry: Entry): void {
    if (this.#entries[entry.index] !== entry) return;
    const last = this.#entries.pop();
    if (last !== undefined && last !== entry) {
      this.#place(last, entry.index);
      this.#rise(last);
      this.#sink(last);
    }
    entry.index = -1;
    if (entry.bell.isAwaited) this.#awaited--;
    if (this.#awaited === 0) this.#timer?.handle.unref();
  }

  #rise(entry: Entry): void {
    while (entry.index > 0) {
      const above = this.#entries[(entry.index - 1) >> 1];
      if (above === undefined || above.bell.at <= entry.bell.at) return;
      this.#swap(above, entry);
    }
  }

  #sink(entry: Entry): void {
    for (;;) {
      const left = this.#entries[entry.index * 2 + 1];
      const right = this.#entries[entry.index * 2 + 2];
      const sooner = right !== undefined && left !== undefined && right.bell.at < left.bell.at ? right : left;
      if (sooner === undefined || sooner.bell.at >= entry.bell.at) return;
      this.#swap(entry, sooner);
    }
  }

  #swap(one: Entry, other: Entry): void {
    const index = one.index;
    this.#place(one, other.index);
    this.#place(other, index);
  }

  #place(entry: Entry, index: number): void {
    this.#entries[index] = entry;
    entry.index = index;
  }
}
