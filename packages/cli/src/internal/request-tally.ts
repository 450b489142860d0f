/** What the proxy of a run was asked for, for whoever started it: equal requests as one line, in the order they came first. */
import type { EgressEvent } from '@warren/sandbox';
import { safeText } from './safe-text.ts';

/** What there is beyond is counted. */
const LINES_MAX = 64;

export type TalliedRequest = {
  readonly verdict: 'allowed' | 'denied' | 'failed';
  readonly method: string;
  readonly host: string;
  readonly port: number;
  readonly reason?: string;
  readonly count: number;
};

export class RequestTally {
  readonly #requests = new Map<string, TalliedRequest>();
  #more = 0;

  note(event: EgressEvent): void {
    if (event.kind === 'ended') return;
    const { kind: verdict, method, host, port } = event;
    const reason = event.kind === 'allowed' ? undefined : event.reason;
    const key = [verdict, method, host, port, reason].join(' ');
    const count = (this.#requests.get(key)?.count ?? 0) + 1;
    if (count > 1 || this.#requests.size < LINES_MAX)
      this.#requests.set(key, { verdict, method, host, port, ...(reason !== undefined && { reason }), count });
    else this.#more += 1;
  }

  get requests(): readonly TalliedRequest[] {
    return [...this.#requests.values()];
  }

  get lines(): readonly string[] {
    const lines = this.requests.map(({ verdict, method, host, port, reason, count }) => {
      const times = count === 1 ? '' : ` × ${count}`;
      return `${safeText(`${method} ${host}:${port}`)} ${verdict}${reason === undefined ? '' : ` (${reason})`}${times}`;
    });
    return this.#more === 0 ? lines : [...lines, `and ${this.#more} requests more`];
  }
}
