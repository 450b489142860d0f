/**
 * A WebSocket at `/mcp`: each text is one message, as a line is on standard input and output. While the other end does not take what it is sent, nothing more is read
 * from it and what may be dropped is; who takes nothing at all is cut off.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { seatKey } from '../../caller/asked-seat.ts';
import type { AskedSeat } from '../../caller/seats.ts';
import type { Identity } from '../../http/authenticate.ts';
import type { Gateway } from '../../http/gateway.ts';
import { type Carried, HeldSocket, POLICY_VIOLATION, type Spoken, TRY_AGAIN_LATER } from '../../http/held-socket.ts';
import { Hold } from '../../http/hold.ts';
import { LiveIdentity } from '../../http/live-identity.ts';
import { readJson } from '../../jsonrpc/read-json.ts';
import { McpChannel } from '../engine/channel.ts';
import { errorText } from '../engine/messages.ts';
import type { McpHost } from '../host.ts';

export type McpSocketParts = {
  readonly carried: Carried;
  readonly host: McpHost;
  readonly identity: Identity;
  readonly asked: AskedSeat;
};

export function serveMcpSocket(parts: McpSocketParts, gateway: Gateway): void {
  new McpSocket(parts, gateway);
}

class McpSocket implements Spoken {
  readonly #held: HeldSocket;
  readonly #socket: WebSocket;
  readonly #gateway: Gateway;
  readonly #channel: McpChannel;
  readonly #live: LiveIdentity;
  readonly #hold: Hold;
  readonly #identity: Identity;
  #running = 0;
  /** Its caller sent more than it may. */
  #isHeldUp = false;

  constructor({ carried, host, identity, asked }: McpSocketParts, gateway: Gateway) {
    const { mcp, kernel, held, limits } = gateway;
    this.#socket = carried.socket;
    this.#identity = identity;
    this.#gateway = gateway;
    this.#live = new LiveIdentity(identity, kernel.tokens);
    this.#hold = new Hold(held, limits.smallBytes);
    this.#channel = new McpChannel({
      ...{ host, limits: mcp.limits, states: mcp.states, explain: mcp.explain },
      caller: () => seatKey(identity, asked),
      stream: { send: (text, { mayDrop }) => this.#send(text, mayDrop) },
    });
    this.#held = new HeldSocket(carried, this, gateway);
  }

  take(data: Buffer): void {
    void this.#answer(data);
  }

  isBusy(): boolean {
    return this.#running > 0;
  }

  onBeat(): void {
    void this.#isGood().then((isGood) => {
      if (!isGood) this.#held.close(POLICY_VIOLATION, 'the token is no longer good');
    });
  }

  onStop(): void {
    this.#channel.end();
  }

  onClose(): void {
    this.#channel[Symbol.dispose]();
  }

  /** Never rejects. */
  async #answer(data: Buffer): Promise<void> {
    const { mcp, readLimits } = this.#gateway;
    const bytes = data.length;
    if (!this.#hold.add(bytes)) return this.#held.close(TRY_AGAIN_LATER, 'too many large requests are under way');
    this.#running++;
    try {
      await this.#untilItsTurn(() => this.#gateway.rates.take(this.#identity));
      if (!(await this.#isGood())) return this.#held.close(POLICY_VIOLATION, 'the token is no longer good');
      const json = readJson(data, readLimits);
      if (json.kind === 'read' && Array.isArray(json.value)) {
        const more = Math.min(json.value.length, mcp.limits.batchMax) - 1;
        await this.#untilItsTurn(() => this.#gateway.rates.takeMore(this.#identity, more));
      }
      const answer = json.kind === 'refused' ? errorText(null, json.error) : await mcp.during(() => this.#channel.take(json.value));
      if (answer !== undefined && (await this.#isGood())) this.#send(answer, false);
    } finally {
      this.#running--;
      this.#hold.remove(bytes);
      this.#held.closeIfFinished();
    }
  }

  /** Who sends too much is not refused but read more slowly. */
  async #untilItsTurn(take: () => number): Promise<void> {
    for (;;) {
      const waitMs = take();
      if (waitMs === 0 || this.#held.isFinishing) break;
      this.#isHeldUp = true;
      this.#socket.pause();
      await sleep(waitMs, undefined, { ref: false });
    }
    if (!this.#isHeldUp) return;
    this.#isHeldUp = false;
    this.#taken();
  }

  #isGood(): Promise<boolean> {
    return this.#live.isGood().catch(() => false);
  }

  #send(text: string, mayDrop: boolean): boolean {
    const { unsentBytesMax } = this.#gateway.mcp.limits;
    if (this.#socket.readyState !== this.#socket.OPEN || (mayDrop && this.#socket.bufferedAmount > unsentBytesMax)) return false;
    this.#socket.send(text, () => this.#taken());
    if (this.#socket.bufferedAmount > unsentBytesMax) this.#socket.pause();
    return true;
  }

  #taken(): void {
    if (this.#isHeldUp || this.#socket.bufferedAmount > this.#gateway.mcp.limits.unsentBytesMax) return;
    this.#socket.resume();
    this.#channel.ready();
  }
}
