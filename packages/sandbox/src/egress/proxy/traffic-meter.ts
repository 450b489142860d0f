/** What goes over the connections of a sandbox to hosts: all together, of each that ends, and while they are open now and then. */
import type { Socket } from 'node:net';
import type { EgressClock } from '../deadline.ts';
import type { EgressTraffic } from './egress-network.ts';

const TOLD_EVERY_MS = 250;

export class TrafficMeter implements Disposable {
  readonly #open = new Set<Socket>();
  readonly #clock: EgressClock;
  readonly #onTraffic: ((traffic: EgressTraffic) => void) | undefined;
  #cancelTimer: (() => void) | undefined;
  /** Of connections that have ended. */
  #ended: EgressTraffic = { bytesSent: 0, bytesReceived: 0 };
  #told: EgressTraffic = { bytesSent: 0, bytesReceived: 0 };

  constructor(clock: EgressClock, onTraffic: ((traffic: EgressTraffic) => void) | undefined) {
    this.#clock = clock;
    this.#onTraffic = onTraffic;
  }

  get total(): EgressTraffic {
    let { bytesSent, bytesReceived } = this.#ended;
    for (const socket of this.#open) {
      bytesSent += socket.bytesWritten;
      bytesReceived += socket.bytesRead;
    }
    return { bytesSent, bytesReceived };
  }

  /** `onEnd` is told what went over it. */
  add(socket: Socket, onEnd: (traffic: EgressTraffic) => void): void {
    this.#open.add(socket);
    socket.once('close', () => {
      const traffic = { bytesSent: socket.bytesWritten, bytesReceived: socket.bytesRead };
      this.#open.delete(socket);
      this.#ended = plus(this.#ended, traffic, 1);
      onEnd(traffic);
      if (this.#open.size === 0) this.#tell();
    });
    if (this.#onTraffic !== undefined) this.#cancelTimer ??= this.#clock.after(TOLD_EVERY_MS, () => this.#tell());
  }

  [Symbol.dispose](): void {
    this.#tell();
    this.#cancelTimer?.();
  }

  #tell(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#onTraffic === undefined) return;
    const now = this.total;
    const since = plus(now, this.#told, -1);
    this.#told = now;
    if (since.bytesSent > 0 || since.bytesReceived > 0) this.#onTraffic(since);
    if (this.#open.size > 0) this.#cancelTimer = this.#clock.after(TOLD_EVERY_MS, () => this.#tell());
  }
}

function plus(a: EgressTraffic, b: EgressTraffic, sign: 1 | -1): EgressTraffic {
  return { bytesSent: a.bytesSent + sign * b.bytesSent, bytesReceived: a.bytesReceived + sign * b.bytesReceived };
}
