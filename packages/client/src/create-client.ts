/** A client of one daemon over whatever carries its bytes. */
import { Fault, isFault } from '@warren/protocol';
import type { OperationName, ParamsInput, Result } from '@warren/protocol/contract';
import { callHeaders } from './call-headers.ts';
import type { CallOptions, Client, EventMessage, Patience } from './client.ts';
import { type EventFilter, type FollowOptions, followEvents } from './follow-events.ts';
import { readResult } from './read-answer.ts';
import { repeatCall } from './repeat-call.ts';
import { isRepeatable } from './repeatable-operations.ts';
import type { Transport } from './transport.ts';

/** Twice as long as the daemon lets any call wait for something to happen. */
const TIMEOUT_MS = 120_000;
/** A timer cannot be set for longer. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;
const ATTEMPTS_MAX = 3;

export function createClient(transport: Transport, headers: Readonly<Record<string, string>>, patience: Patience): Client {
  return new RpcClient(transport, headers, patience);
}

class RpcClient implements Client {
  readonly #transport: Transport;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #patience: Patience;
  readonly #isClosing = new AbortController();
  #lastId = 0;

  constructor(transport: Transport, headers: Readonly<Record<string, string>>, patience: Patience) {
    this.#transport = transport;
    this.#headers = headers;
    this.#patience = patience;
  }

  get address(): string {
    return this.#transport.address;
  }

  async call<Name extends OperationName>(method: Name, params: ParamsInput<Name>, options: CallOptions = {}): Promise<Result<Name>> {
    this.#requireOpen();
    const timeoutMs = options.timeoutMs ?? this.#patience.timeoutMs ?? TIMEOUT_MS;
    const attemptsMax = isRepeatable(method) ? (options.attemptsMax ?? this.#patience.attemptsMax ?? ATTEMPTS_MAX) : 1;
    const timer = timeoutMs > 0 ? AbortSignal.timeout(Math.min(timeoutMs, TIMEOUT_MS_MAX)) : undefined;
    const signals = [options.signal, timer].filter((each) => each !== undefined);
    const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0];
    try {
      const answered = await repeatCall(() => this.#ask(method, params, options.workspace, signal), {
        attemptsMax,
        signal,
        isClosing: this.#isClosing.signal,
      });
      return answered as Result<Name>; // What the daemon answers is by its contract.
    } catch (error) {
      if (timer?.aborted !== true || options.signal?.aborted === true || !isFault(error, 'aborted')) throw error;
      throw new Fault('deadline', `Cannot wait for ${method} of ${this.address}: there is no answer within ${timeoutMs} ms`, {
        cause: error,
      });
    }
  }

  async *events(filter: EventFilter, options: FollowOptions): AsyncGenerator<EventMessage, void, undefined> {
    this.#requireOpen();
    const signal = AbortSignal.any([options.signal, this.#isClosing.signal]);
    yield* followEvents<EventMessage>(this.#transport, this.#headers, filter, { ...options, signal });
  }

  async close(): Promise<void> {
    this.#isClosing.abort();
    this.#transport.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #ask(method: OperationName, params: object, workspace: string | undefined, signal: AbortSignal | undefined): Promise<unknown> {
    this.#requireOpen();
    const id = ++this.#lastId;
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params });
    const headers = { ...this.#headers, ...callHeaders({ workspace }), 'content-type': 'application/json' };
    const answer = await this.#transport.send({ method: 'POST', path: '/rpc', headers, body }, signal);
    return readResult(answer, id, this.address);
  }

  #requireOpen(): void {
    if (this.#isClosing.signal.aborted) throw new Fault('aborted', `Cannot call ${this.address}: this client is closed`);
  }
}
