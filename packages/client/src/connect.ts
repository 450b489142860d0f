/** A client of one daemon. */
import { Fault, faultFromError } from '@warren/protocol';
import type { OperationName, ParamsInput, Result } from '@warren/protocol/contract';
import type { CallOptions, Client, EventMessage } from './client.ts';
import { type EventFilter, type FollowOptions, followEvents, refusal } from './follow-events.ts';
import { NodeTransport } from './node-transport.ts';
import type { Transport, WireAnswer } from './transport.ts';

/** A unix socket says who calls by itself; over TCP a token does. */
export type ConnectOptions = ({ readonly socketPath: string } | { readonly url: string; readonly token: string }) & {
  /** Which workspace calls are about, for a caller who may choose. Default: the one of the token, or the default one. */
  readonly workspace?: string | undefined;
};

/** Connects with the first call, and again when a connection was lost. Throws `invalid_argument` for an address that is none. */
export function connect(options: ConnectOptions): Client {
  const headers: Record<string, string> = {};
  if ('token' in options) headers['authorization'] = `Bearer ${printable(options.token, 'a token')}`;
  if (options.workspace !== undefined) headers['warren-workspace'] = printable(options.workspace, 'a workspace');
  return new RpcClient(new NodeTransport(options), headers);
}

/** What a header can carry. Not shown: it may be a secret. */
function printable(text: string, what: string): string {
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new Fault('invalid_argument', `Cannot use this as ${what}: it has characters that no ${what.replace(/^a /, '')} has`);
}

class RpcClient implements Client {
  readonly #transport: Transport;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #isClosing = new AbortController();
  #lastId = 0;

  constructor(transport: Transport, headers: Readonly<Record<string, string>>) {
    this.#transport = transport;
    this.#headers = headers;
  }

  get address(): string {
    return this.#transport.address;
  }

  async call<Name extends OperationName>(method: Name, params: ParamsInput<Name>, options: CallOptions = {}): Promise<Result<Name>> {
    this.#requireOpen();
    const id = ++this.#lastId;
    const request = {
      method: 'POST',
      path: '/rpc',
      headers: { ...this.#headers, 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id, method, params }),
    } as const;
    const answer = await this.#transport.send(request, options.signal);
    return resultOf(answer, id, this.#transport.address) as Result<Name>; // What the daemon answers is by its contract.
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

  #requireOpen(): void {
    if (this.#isClosing.signal.aborted) throw new Fault('aborted', `Cannot call ${this.#transport.address}: this client is closed`);
  }
}

function resultOf(answer: WireAnswer, id: number, address: string): unknown {
  let document: unknown;
  try {
    document = JSON.parse(answer.body);
  } catch {
    throw refusal(answer.status, '', address); // Not JSON: no daemon says that.
  }
  if (typeof document !== 'object' || document === null) throw refusal(answer.status, '', address);
  if ('error' in document) throw faultFromError(document.error);
  if (!('result' in document) || !('id' in document) || document.id !== id) throw refusal(answer.status, '', address);
  return document.result;
}
