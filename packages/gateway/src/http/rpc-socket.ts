/**
 * A WebSocket at `/rpc`: each message is one request or batch, answered when it is done, in whatever order that is. Nothing piles up: while too
 * many calls are under way, or the other end does not take its answers, nothing more is read from it.
 */
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import type { Caller } from '../caller/caller.ts';
import type { TraceParent } from '../telemetry/tracing.ts';
import type { Identity } from './authenticate.ts';
import type { Gateway } from './gateway.ts';
import { Hold } from './hold.ts';
import { LiveIdentity } from './live-identity.ts';
import { createWaitSignal } from './wait-signal.ts';

/** Codes of RFC 6455. */
const GOING_AWAY = 1001;
const POLICY_VIOLATION = 1008;
const INTERNAL_ERROR = 1011;
const TRY_AGAIN_LATER = 1013;

export type SocketParts = {
  readonly socket: WebSocket;
  /** What carries it, to see bytes of messages that are not whole yet. */
  readonly stream: Duplex;
  readonly identity: Identity;
  readonly workspace: string | undefined;
  readonly agent: string | undefined;
  readonly traceParent: TraceParent | undefined;
};

export function serveSocket(parts: SocketParts, gateway: Gateway): void {
  const connection = new RpcSocket(parts, gateway);
  const { socket, stream } = parts;
  const { stopping, limits } = gateway;
  // Before the parser sees it: a message that becomes whole with this piece clears the count.
  stream.prependListener('data', (piece: Buffer) => connection.arrive(piece.length));
  socket.on('message', (data: Buffer) => connection.take(data));
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

class RpcSocket {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #gateway: Gateway;
  readonly #caller: Caller;
  readonly #identity: Identity;
  readonly #live: LiveIdentity;
  /** Bytes of a message that is not whole yet; of calls and answers under way. */
  readonly #arriving: Hold;
  readonly #underWay: Hold;
  /** What came in the same piece as the message that made us stop reading. */
  readonly #waiting: Buffer[] = [];
  #running = 0;
  #isAlive = true;
  /** Answers of this turn are being gathered. */
  #isGathering = false;
  /** Takes no more. */
  #isFinishing = false;

  constructor({ socket, stream, identity, workspace, agent, traceParent }: SocketParts, gateway: Gateway) {
    const { limits, held, kernel, stopping } = gateway;
    this.#socket = socket;
    this.#stream = stream;
    this.#gateway = gateway;
    this.#identity = identity;
    const isGone = (): boolean => socket.readyState === socket.CLOSED;
    const signal = createWaitSignal({ connection: socket, isGone, stopping });
    const { principal, name, groups, tokenId } = identity;
    this.#caller = { principal, name, groups, tokenId, workspace, agent, traceParent, signal };
    this.#live = new LiveIdentity(identity, kernel.tokens);
    this.#arriving = new Hold(held, limits.smallBytes);
    this.#underWay = new Hold(held, limits.smallBytes);
  }

  arrive(bytes: number): void {
    this.#isAlive = true;
    if (this.#arriving.add(bytes)) return;
    if (this.#isFinishing) this.#socket.terminate();
    else this.#close(TRY_AGAIN_LATER, 'too many large requests are under way');
  }

  take(data: Buffer): void {
    this.#arriving.clear();
    if (this.#isFinishing) return;
    this.#waiting.push(data);
    this.#startWaiting();
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
  }

  /** Takes no more, and closes when what is under way is answered. */
  finish(): void {
    this.#isFinishing = true;
    if (this.#running === 0) this.#close(GOING_AWAY, 'the daemon stops');
  }

  closed(): void {
    this.#isFinishing = true;
    this.#waiting.length = 0;
    this.#arriving.clear();
  }

  #startWaiting(): void {
    while (!this.#isBusy() && !this.#isFinishing) {
      const data = this.#waiting.shift();
      if (data === undefined) break;
      void this.#answer(data);
    }
    const isHeldUp = !this.#isFinishing && (this.#waiting.length > 0 || this.#isBusy());
    if (isHeldUp) this.#socket.pause();
    else this.#socket.resume();
  }

  #isBusy(): boolean {
    const { callsPerConnectionMax, socketBytesMax } = this.#gateway.limits;
    return this.#running >= callsPerConnectionMax || this.#underWay.bytes >= socketBytesMax;
  }

  /** Never rejects. */
  async #answer(data: Buffer): Promise<void> {
    this.#running++;
    let held = 0;
    try {
      if (!this.#underWay.add(data.length)) return this.#close(TRY_AGAIN_LATER, 'too many large requests are under way');
      held += data.length;
      await this.#untilItsTurn();
      if (!(await this.#live.isGood())) return this.#close(POLICY_VIOLATION, 'the token is no longer good');
      const answer = await this.#gateway.dispatcher.dispatch(data, this.#caller);
      if (!(await this.#live.isGood())) return this.#close(POLICY_VIOLATION, 'the token is no longer good');
      if (answer === undefined || this.#socket.readyState !== this.#socket.OPEN) return;
      if (!this.#underWay.add(answer.length)) return this.#close(TRY_AGAIN_LATER, 'too many large answers are under way');
      held += answer.length;
      await this.#send(answer);
    } catch (error) {
      this.#gateway.log.error('A WebSocket failed', { stack: error instanceof Error ? error.stack : typeof error });
      this.#close(INTERNAL_ERROR, 'an error of ours, which is in the log');
    } finally {
      this.#running--;
      this.#underWay.remove(held);
      if (!this.#isFinishing) this.#startWaiting();
      else if (this.#running === 0) this.#close(GOING_AWAY, 'the daemon stops');
    }
  }

  /** Who sends too much is not refused but read more slowly: what waits here counts as under way. */
  async #untilItsTurn(): Promise<void> {
    for (;;) {
      const waitMs = this.#gateway.rates.take(this.#identity);
      if (waitMs === 0 || this.#isFinishing) return;
      await sleep(waitMs, undefined, { ref: false });
    }
  }

  /** Resolves when the machine has taken it, or never will. */
  #send(answer: string): Promise<void> {
    this.#gather();
    return new Promise((resolve) => this.#socket.send(answer, () => resolve()));
  }

  /** Many calls are answered by one flush of the store: what is ready in one turn goes to the machine in one write, not in one for each. */
  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.#stream.cork();
    process.nextTick(() => {
      this.#isGathering = false;
      this.#stream.uncork();
    });
  }

  /** Reads on, to see that the other end agrees; what else it says is ignored. The first reason stands. */
  #close(code: number, reason: string): void {
    this.#isFinishing = true;
    this.#waiting.length = 0;
    this.#socket.close(code, reason);
    this.#socket.resume();
  }
}
