/**
 * A WebSocket at `/rpc`: each message is one request or batch, answered when it is done, in whatever order that is. Nothing piles up: while too
 * many calls are under way, or the other end does not take its answers, nothing more is read from it.
 */
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '@warren/protocol';
import type { WebSocket } from 'ws';
import type { Caller } from '../caller/caller.ts';
import type { TraceParent } from '../telemetry/tracing.ts';
import type { Identity } from './authenticate.ts';
import type { Gateway } from './gateway.ts';
import { type Carried, HeldSocket, INTERNAL_ERROR, POLICY_VIOLATION, type Spoken, TRY_AGAIN_LATER } from './held-socket.ts';
import { Hold } from './hold.ts';
import { LiveIdentity } from './live-identity.ts';
import { createGoneSignal, createWaitSignal } from './wait-signal.ts';

/** Of what is not taken yet. With more, what may be left out is. */
const UNSENT_BYTES_MAX = 65_536;

export type SocketParts = {
  readonly carried: Carried;
  readonly identity: Identity;
  readonly workspace: string | undefined;
  readonly agent: string | undefined;
  readonly traceParent: TraceParent | undefined;
};

export function serveSocket(parts: SocketParts, gateway: Gateway): void {
  new RpcSocket(parts, gateway);
}

class RpcSocket implements Spoken {
  readonly #held: HeldSocket;
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #gateway: Gateway;
  readonly #caller: Caller;
  readonly #identity: Identity;
  readonly #live: LiveIdentity;
  /** Bytes of calls and answers. */
  readonly #underWay: Hold;
  /** What came in the same piece as the message that made us stop reading. */
  readonly #waiting: Buffer[] = [];
  #running = 0;
  /** Answers of this turn are being gathered. */
  #isGathering = false;

  constructor({ carried, identity, workspace, agent, traceParent }: SocketParts, gateway: Gateway) {
    const { limits, held, kernel, stopping } = gateway;
    const { socket, stream } = carried;
    this.#socket = socket;
    this.#stream = stream;
    this.#gateway = gateway;
    this.#identity = identity;
    const parts = { connection: socket, isGone: () => socket.readyState === socket.CLOSED };
    const { principal, name, groups, tokenId } = identity;
    this.#caller = {
      principal,
      name,
      groups,
      tokenId,
      workspace,
      agent,
      traceParent,
      gone: createGoneSignal(parts),
      signal: createWaitSignal({ ...parts, stopping }),
      notify: (method, params) => this.#notify(method, params),
    };
    this.#live = new LiveIdentity(identity, kernel.tokens);
    this.#underWay = new Hold(held, limits.smallBytes);
    this.#held = new HeldSocket(carried, this, gateway);
  }

  take(data: Buffer): void {
    this.#waiting.push(data);
    this.#startWaiting();
  }

  isBusy(): boolean {
    return this.#running > 0;
  }

  onClose(): void {
    this.#waiting.length = 0;
  }

  #startWaiting(): void {
    while (!this.#isFull() && !this.#held.isFinishing) {
      const data = this.#waiting.shift();
      if (data === undefined) break;
      void this.#answer(data);
    }
    const isHeldUp = !this.#held.isFinishing && (this.#waiting.length > 0 || this.#isFull());
    if (isHeldUp) this.#socket.pause();
    else this.#socket.resume();
  }

  #isFull(): boolean {
    const { callsPerConnectionMax, socketBytesMax } = this.#gateway.limits;
    return this.#running >= callsPerConnectionMax || this.#underWay.bytes >= socketBytesMax;
  }

  /** Never rejects. */
  async #answer(data: Buffer): Promise<void> {
    this.#running++;
    let held = 0;
    try {
      if (!this.#underWay.add(data.length)) return this.#held.close(TRY_AGAIN_LATER, 'too many large requests are under way');
      held += data.length;
      await this.#untilItsTurn(() => this.#gateway.rates.take(this.#identity));
      if (!(await this.#live.isGood())) return this.#held.close(POLICY_VIOLATION, 'the token is no longer good');
      const answer = await this.#gateway.dispatcher.dispatch(data, this.#caller, this.#admit);
      if (!(await this.#live.isGood())) return this.#held.close(POLICY_VIOLATION, 'the token is no longer good');
      if (answer === undefined || this.#socket.readyState !== this.#socket.OPEN) return;
      if (!this.#underWay.add(answer.length)) return this.#held.close(TRY_AGAIN_LATER, 'too many large answers are under way');
      held += answer.length;
      await this.#send(answer);
    } catch (error) {
      this.#gateway.log.error('A WebSocket failed', { stack: error instanceof Error ? error.stack : typeof error });
      this.#held.close(INTERNAL_ERROR, 'an error of ours, which is in the log');
    } finally {
      this.#running--;
      this.#underWay.remove(held);
      if (!this.#held.isFinishing) this.#startWaiting();
      else this.#held.closeIfFinished();
    }
  }

  /** Nobody waits for it, and who does not take what is sent gets none. */
  #notify(method: string, params: JsonObject): void {
    const isTaken = (): boolean => this.#socket.readyState === this.#socket.OPEN && this.#socket.bufferedAmount <= UNSENT_BYTES_MAX;
    if (!isTaken()) return;
    this.#live.isGood().then(
      (isGood) => isGood && isTaken() && this.#socket.send(JSON.stringify({ jsonrpc: '2.0', method, params })),
      () => {}, // The store is gone, and with it the call, whose answer says so.
    );
  }

  /** The requests of a batch. */
  readonly #admit = async (more: number): Promise<undefined> => {
    await this.#untilItsTurn(() => this.#gateway.rates.takeMore(this.#identity, more));
  };

  /** Who sends too much is not refused but read more slowly: what waits here counts as under way. */
  async #untilItsTurn(take: () => number): Promise<void> {
    for (;;) {
      const waitMs = take();
      if (waitMs === 0 || this.#held.isFinishing) return;
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
}
