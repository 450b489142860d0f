/**
 * Time that a schedule owns: the clocks and the timers of the whole program, so that a seed repeats what happens to the millisecond. Time passes
 * only when it is told to, and a timer fires in a turn of its own after its time has come, as it does in a program that was busy.
 */
import type { MachineTime } from '@warren/kernel/testing';

const START_MS = 1_800_000_000_000;

type Timer = { readonly id: number; at: number; readonly everyMs: number | undefined; readonly callback: () => void };
type Callback = (...values: unknown[]) => void;

/** In place of the machine's own from its creation until it is disposed of. One at a time. */
export class PlayedTime implements Disposable, MachineTime {
  #wallMs = START_MS;
  #elapsedMs = 0;
  readonly #timers = new Map<number, Timer>();
  #lastId = 0;
  readonly #giveBack: () => void;

  constructor() {
    const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
    const start = (callback: Callback, ms: number | undefined, values: unknown[], repeats: boolean): PlayedTimer => {
      const delay = Math.max(1, Math.trunc(ms ?? 1));
      const timer = { id: ++this.#lastId, at: this.#elapsedMs + delay, everyMs: repeats ? delay : undefined };
      this.#timers.set(timer.id, { ...timer, callback: () => callback(...values) });
      return new PlayedTimer(timer.id);
    };
    const stop = (timer: unknown): void => {
      if (timer instanceof PlayedTimer) this.#timers.delete(timer.id);
    };
    const played = {
      setTimeout: (callback: Callback, ms?: number, ...values: unknown[]) => start(callback, ms, values, false),
      setInterval: (callback: Callback, ms?: number, ...values: unknown[]) => start(callback, ms, values, true),
      clearTimeout: stop,
      clearInterval: stop,
    };
    Object.assign(globalThis, played);
    Object.assign(performance, { now: () => this.#elapsedMs });
    this.#giveBack = () => {
      Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval });
      Reflect.deleteProperty(performance, 'now'); // Its own one hid that of its class.
    };
  }

  readonly wall = (): number => this.#wallMs;

  readonly monotonic = (): number => this.#elapsedMs;

  /** Time passes, and nothing happens meanwhile. */
  pass(ms: number): void {
    this.#wallMs += ms;
    this.#elapsedMs += ms;
  }

  /** Somebody sets the clock of the machine; no time passes. */
  setClock(byMs: number): void {
    this.#wallMs += byMs;
  }

  /** Fires the timer that is due longest. False when none is due. */
  fire(): boolean {
    const timer = this.#next();
    if (timer === undefined || timer.at > this.#elapsedMs) return false;
    if (timer.everyMs === undefined) this.#timers.delete(timer.id);
    else timer.at = this.#elapsedMs + timer.everyMs;
    timer.callback();
    return true;
  }

  /** Lets time pass until the next timer is due, and no more than this. Returns how much that was; undefined when no timer is set. */
  passToNext(msMax: number): number | undefined {
    const timer = this.#next();
    if (timer === undefined) return undefined;
    const ms = Math.min(msMax, Math.max(0, timer.at - this.#elapsedMs));
    this.pass(ms);
    return ms;
  }

  [Symbol.dispose](): void {
    this.#giveBack();
    this.#timers.clear();
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers.values()) if (next === undefined || timer.at < next.at) next = timer;
    return next;
  }
}

/** What a program holds of a timer. Whether the program waits for it makes no difference here. */
class PlayedTimer {
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }
}
