/**
 * How many requests one caller may send: a bucket that fills steadily, for each caller. It keeps one program that runs wild from starving the
 * others; what is allowed at all is the policy's to say. Whoever comes through the unix socket without a token is never held up.
 */
import type { Identity } from './authenticate.ts';

const CALLERS_MAX = 4_096;

export type RequestRate = { readonly requestsPerSecond: number; readonly requestsAtOnce: number };

type Sender = Pick<Identity, 'principal' | 'name' | 'token'>;

type Bucket = { left: number; at: number };

export class RequestRates {
  readonly #rate: RequestRate;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: RequestRate, now: () => number = () => performance.now()) {
    this.#rate = rate;
    this.#now = now;
  }

  /** Of a message, whatever is in it. 0: it may pass, and is counted. Otherwise it is not counted, and so long until there is room. */
  take(identity: Sender): number {
    return this.#take(identity, 1, 1);
  }

  /**
   * Of the requests of a batch beside the first, whose message was counted: all of them or none. The wait is until there is room for that message, too, as whoever was
   * refused sends it again. A batch larger than what may be sent at once passes when that much is there, and the rest is owed.
   */
  takeMore(identity: Sender, count: number): number {
    return count === 0 ? 0 : this.#take(identity, count, Math.min(count, this.#rate.requestsAtOnce - 1), 1);
  }

  /** `needed`: what has to be there. `again`: what is taken anew by whoever comes back. */
  #take(identity: Sender, count: number, needed: number, again = 0): number {
    if (identity.token === undefined) return 0;
    const { requestsPerSecond, requestsAtOnce } = this.#rate;
    const key = callerOf(identity);
    const now = this.#now();
    const before = this.#buckets.get(key);
    const left =
      before === undefined ? requestsAtOnce : Math.min(requestsAtOnce, before.left + ((now - before.at) * requestsPerSecond) / 1_000);
    const isRoom = left >= needed;
    const bucket = { left: isRoom ? left - count : left, at: now };
    if (before === undefined) this.#add(key, bucket);
    else Object.assign(before, bucket);
    return isRoom ? 0 : Math.ceil(((needed + again - left) * 1_000) / requestsPerSecond);
  }

  get callers(): number {
    return this.#buckets.size;
  }

  /** Whoever is forgotten has a full bucket again. */
  #add(key: string, bucket: Bucket): void {
    this.#buckets.set(key, bucket);
    if (this.#buckets.size <= CALLERS_MAX) return;
    const oldest = this.#buckets.keys().next().value;
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}

/** All tokens of one person, or of one process, are one caller. */
function callerOf({ principal, name }: Pick<Identity, 'principal' | 'name'>): string {
  switch (principal.kind) {
    case 'operator':
      return `operator ${name}`;
    case 'member':
      return `member ${principal.workspace} ${name}`;
    case 'agent':
      return `agent ${principal.workspace} ${principal.agent}`;
    case 'process':
      return `process ${principal.workspace} ${principal.pid}`;
    default:
      return principal satisfies never;
  }
}
