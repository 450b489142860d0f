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
import { Hold } from '../../http/hold.ts';
import { LiveIdentity } from '../../http/live-identity.ts';
import { readJson } from '../../jsonrpc/read-json.ts';
import { McpChannel } from '../engine/channel.ts';
import { errorText } from '../engine/messages.ts';
import type { McpHost } from '../host.ts';

/** Codes of RFC 6455. */
const GOING_AWAY = 1001;
const POLICY_VIOLATION = 1008;
const TRY_AGAIN_LATER = 1013;

export type McpSocketParts = {
  readonly socket: WebSocket;
  readonly host: McpHost;
  readonly identity: Identity;
  readonly asked: AskedSeat;
};

export function serveMcpSocket(parts: McpSocketParts, gateway: Gateway): void {
  const connection = new McpSocket(parts, gateway);
  const { socket } = parts;
  const { stopping, limits } = gateway;
  socket.on('message', (data: Buffer) => void connection.take(data));
  socket.on('pong', () => connection.answered());
  // A malformed frame; the parser closes the connection.
  socket.on('error', () => {});
  const heartbeat = setInterval(() => connection.beat(), limits.heartbeatMs);
  heartbeat.unref();
  const finish = (): void => connection.finish();
  if (stopping.aborted) finish();
  else stopping.addEventListener('abort', finish, { once: true });
  socket.once('close', () => {
    clearInterval(heartbeat);
    stopping.removeEventListener('abort', finish);
    connection.closed();
  });
}

class McpSocket {
  readonly #socket: WebSocket;
  readonly #gateway: Gateway;
  readonly #channel: McpChannel;
  readonly #live: LiveIdentity;
  readonly #hold: Hold;
  readonly #identity: Identity;
  #running = 0;
  #isAlive = true;
  #isFinishing = false;
  /** Its caller sent more than it may. */
  #isHeldUp = false;

  constructor({ socket, host, identity, asked }: McpSocketParts, gateway: Gateway) {
    const { mcp, kernel, held, limits } = gateway;
    this.#socket = socket;
    this.#identity = identity;
    this.#gateway = gateway;
    this.#live = new LiveIdentity(identity, kernel.tokens);
    this.#hold = new Hold(held, limits.smallBytes);
    this.#channel = new McpChannel({
      ...{ host, limits: mcp.limits, states: mcp.states, explain: mcp.explain },
      caller: () => seatKey(identity, asked),
      stream: { send: (text, { mayDrop }) => this.#send(text, mayDrop) },
    });
  }

  /** Never rejects. */
  async take(data: Buffer): Promise<void> {
    this.#isAlive = true;
    if (this.#isFinishing) return;
    const { mcp, readLimits } = this.#gateway;
    const bytes = data.length;
    if (!this.#hold.add(bytes)) return this.#close(TRY_AGAIN_LATER, 'too many large requests are under way');
    this.#running++;
    try {
      await this.#untilItsTurn();
      if (!(await this.#isGood())) return this.#close(POLICY_VIOLATION, 'the token is no longer good');
      const json = readJson(data, readLimits);
      const answer = json.kind === 'refused' ? errorText(null, json.error) : await mcp.during(() => this.#channel.take(json.value));
      if (answer !== undefined && (await this.#isGood())) this.#send(answer, false);
    } finally {
      this.#running--;
      this.#hold.remove(bytes);
      if (this.#isFinishing && this.#running === 0) this.#close(GOING_AWAY, 'the daemon stops');
    }
  }

  answered(): void {
    this.#isAlive = true;
  }

  /** Who is silent for a whole beat after being asked is gone, unless it is we who do not read. */
  beat(): void {
    const isStuck = this.#socket.bufferedAmount > 0;
    if (!this.#isAlive && (isStuck || !this.#socket.isPaused)) this.#socket.terminate();
    this.#isAlive = false;
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
    void this.#isGood().then((isGood) => {
      if (!isGood) this.#close(POLICY_VIOLATION, 'the token is no longer good');
    });
  }

  /** Takes no more, and closes when what is under way is answered. */
  finish(): void {
    this.#channel.end();
    this.#isFinishing = true;
    if (this.#running === 0) this.#close(GOING_AWAY, 'the daemon stops');
  }

  closed(): void {
    this.#isFinishing = true;
    this.#channel[Symbol.dispose]();
  }

  /** Who sends too much is not refused but read more slowly. */
  async #untilItsTurn(): Promise<void> {
    for (;;) {
      const waitMs = this.#gateway.rates.take(this.#identity);
      if (waitMs === 0 || this.#isFinishing) break;
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

  /** The first reason stands. */
  #close(code: number, reason: string): void {
    this.#isFinishing = true;
    this.#socket.close(code, reason);
    this.#socket.resume();
  }
}
