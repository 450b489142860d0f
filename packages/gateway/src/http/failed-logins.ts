/**
 * Guesses: wrong tokens, counted for each address they come from. After a few the address waits, and longer with each further one; until then
 * what it guesses is neither answered nor counted. Right tokens are never held up by it: on one machine everybody shares 127.0.0.1, and one
 * program that guesses must not lock out the others. (With 256 random bits nobody guesses right; the lock makes trying pointless, cheap for
 * us, and seen in the log.)
 *
 * The table is bounded; the address that failed the longest ago is forgotten first.
 */
import { isIPv6 } from 'node:net';

const FREE_FAILURES = 5;
const DELAY_MS_MAX = 60_000;
/** After this long without a failure an address starts afresh. */
const FORGIVEN_MS = 600_000;
const ADDRESSES_MAX = 4_096;

type Failures = { count: number; lastAt: number; lockedUntil: number };

export class FailedLogins {
  readonly #delayMs: number;
  readonly #now: () => number;
  readonly #failures = new Map<string, Failures>();

  /** `delayMs`: the first delay. `now` gives milliseconds of a clock that never goes back. */
  constructor(delayMs: number, now: () => number = () => performance.now()) {
    this.#delayMs = delayMs;
    this.#now = now;
  }

  /** How long this address has to wait before it may guess again; 0 if it need not. */
  waitMs(address: string): number {
    const failures = this.#failures.get(network(address));
    if (failures === undefined || failures.lockedUntil <= this.#now()) return 0;
    return Math.ceil(failures.lockedUntil - this.#now());
  }

  /** Returns for how long the address is locked from now on; 0 if it is not. */
  failed(address: string): number {
    const now = this.#now();
    const key = network(address);
    const before = this.#failures.get(key);
    const count = before === undefined || now - before.lastAt > FORGIVEN_MS ? 1 : before.count + 1;
    const delay = count < FREE_FAILURES ? 0 : Math.min(DELAY_MS_MAX, this.#delayMs * 2 ** (count - FREE_FAILURES));
    this.#failures.delete(key);
    this.#failures.set(key, { count, lastAt: now, lockedUntil: now + delay });
    if (this.#failures.size > ADDRESSES_MAX) this.#forgetOldest();
    return delay;
  }

  get addresses(): number {
    return this.#failures.size;
  }

  #forgetOldest(): void {
    const oldest = this.#failures.keys().next().value;
    if (oldest !== undefined) this.#failures.delete(oldest);
  }
}

/** Who has an IPv6 address usually has the 2^64 beside it. */
function network(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address) || address === '::1') return address;
  const [left = '', right] = address.split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const zeros = right === undefined ? [] : Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return [...head, ...zeros, ...tail].slice(0, 4).join(':');
}
