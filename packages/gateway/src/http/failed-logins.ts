/**
 * Wrong tokens, counted for each address they come from. After a few, the address waits, and longer with each further one. Who called with a
 * good token from there before goes on unhindered: on one machine everybody shares 127.0.0.1, and one program with an old token must not lock
 * all others out. (With 256 random bits nobody guesses; the lock makes trying pointless, cheap for us, and seen in the log.)
 *
 * Both tables are bounded; what was used the longest ago is forgotten first.
 */
import { hash } from 'node:crypto';
import { isIPv6 } from 'node:net';

const FREE_FAILURES = 5;
const DELAY_MS_MAX = 60_000;
/** After this long without a failure an address starts afresh. */
const FORGIVEN_MS = 600_000;
const ADDRESSES_MAX = 4_096;
const GOOD_MAX = 4_096;

type Failures = { count: number; lastAt: number; lockedUntil: number };

export class FailedLogins {
  readonly #delayMs: number;
  readonly #now: () => number;
  readonly #failures = new Map<string, Failures>();
  readonly #good = new Set<string>();

  /** `delayMs`: the first delay. `now` gives milliseconds of a clock that never goes back. */
  constructor(delayMs: number, now: () => number = () => performance.now()) {
    this.#delayMs = delayMs;
    this.#now = now;
  }

  /** How long this address has to wait before this token is looked at; 0 if it need not. */
  waitMs(address: string, token: string): number {
    const failures = this.#failures.get(network(address));
    if (failures === undefined || failures.lockedUntil <= this.#now()) return 0;
    return this.#good.has(this.#key(address, token)) ? 0 : Math.ceil(failures.lockedUntil - this.#now());
  }

  succeeded(address: string, token: string): void {
    // Most calls come before anything failed anywhere, and need not be remembered again and again.
    const key = this.#key(address, token);
    if (this.#good.has(key)) return;
    this.#good.add(key);
    dropOldest(this.#good, GOOD_MAX);
  }

  /** Returns for how long the address is locked from now on; 0 if it is not. */
  failed(address: string, token: string): number {
    this.#good.delete(this.#key(address, token));
    const now = this.#now();
    const key = network(address);
    const before = this.#failures.get(key);
    const count = before === undefined || now - before.lastAt > FORGIVEN_MS ? 1 : before.count + 1;
    const delay = count < FREE_FAILURES ? 0 : Math.min(DELAY_MS_MAX, this.#delayMs * 2 ** (count - FREE_FAILURES));
    this.#failures.delete(key);
    this.#failures.set(key, { count, lastAt: now, lockedUntil: now + delay });
    dropOldest(this.#failures, ADDRESSES_MAX);
    return delay;
  }

  get addresses(): number {
    return this.#failures.size;
  }

  #key(address: string, token: string): string {
    return hash('sha256', `${network(address)} ${token}`, 'base64');
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

function dropOldest(table: Map<string, unknown> | Set<string>, most: number): void {
  while (table.size > most) {
    const oldest = table.keys().next().value;
    if (oldest === undefined) return;
    table.delete(oldest);
  }
}
