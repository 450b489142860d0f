/**
 * One connection of messages, as of standard input and output: both eras may be spoken on it, each message says of which it is. A session is begun by
 * `initialize` and lasts as long as the connection; there is one.
 */
import type { JsonRpcError } from '@warren/protocol';
import type { SealedStates } from '../../internal/sealed-states.ts';
import type { McpHost } from '../host.ts';
import { LISTEN, Listening } from './listen.ts';
import { invalidParams, McpError, SERVER_ERROR } from './mcp-error.ts';
import type { McpLimits } from './mcp-limits.ts';
import type { MessageStream } from './message-stream.ts';
import { errorText, resultText } from './messages.ts';
import { type McpMessage, type McpNotification, type McpRequest, type RequestId, readMessage } from './read-message.ts';
import { refuseBatch } from './refuse-batch.ts';
import { McpSession } from './session.ts';
import { isStateless, runStateless } from './stateless.ts';

export type ChannelParts = {
  readonly host: McpHost;
  readonly limits: McpLimits;
  readonly states: SealedStates;
  /** Whose states these are. */
  readonly caller: () => string;
  readonly explain: (error: unknown) => JsonRpcError;
  readonly stream: MessageStream;
};

export class McpChannel implements Disposable {
  readonly #parts: ChannelParts;
  #session: McpSession | undefined;
  /** Of the version without sessions. */
  readonly #underWay = new Map<RequestId, AbortController>();
  readonly #listening = new Map<RequestId, Listening>();

  constructor(parts: ChannelParts) {
    this.#parts = parts;
  }

  /** The answer to what came; undefined when there is none to give. Never rejects. */
  async take(value: unknown): Promise<string | undefined> {
    if (Array.isArray(value)) return await this.#takeBatch(value);
    return await this.#takeOne(readMessage(value, this.#parts.limits.textMax));
  }

  /** The other end took what was sent. */
  ready(): void {
    this.#session?.ready();
    for (const listening of this.#listening.values()) listening.ready();
  }

  /** Says to who listens that there will be no more. */
  end(): void {
    for (const [id, listening] of this.#listening) {
      this.#parts.stream.send(listening.endText(), { mayDrop: false });
      this.#listening.delete(id);
      listening[Symbol.dispose]();
    }
  }

  /** Cancels what is under way. */
  [Symbol.dispose](): void {
    this.#session?.[Symbol.dispose]();
    for (const cancel of this.#underWay.values()) cancel.abort(new McpError(SERVER_ERROR, 'The client is gone'));
    for (const listening of this.#listening.values()) listening[Symbol.dispose]();
    this.#listening.clear();
  }

  async #takeBatch(values: readonly unknown[]): Promise<string | undefined> {
    const { batchMax, textMax } = this.#parts.limits;
    const refusal = refuseBatch(this.#session?.version, values.length, batchMax);
    if (refusal !== undefined) return errorText(null, refusal);
    const answers = await Promise.all(values.map((value) => this.#takeOne(readMessage(value, textMax))));
    const given = answers.filter((answer) => answer !== undefined);
    return given.length === 0 ? undefined : `[${given.join(',')}]`;
  }

  async #takeOne(message: McpMessage): Promise<string | undefined> {
    switch (message.kind) {
      case 'invalid':
        return errorText(message.id, message.error);
      case 'response':
        return void this.#session?.response(message);
      case 'notification':
        return void this.#notice(message);
      case 'request':
        return await this.#request(message);
      default:
        return message satisfies never;
    }
  }

  #notice(message: McpNotification): void {
    this.#session?.notification(message);
    const id = message.params['requestId'];
    if (message.method !== 'notifications/cancelled' || (typeof id !== 'string' && typeof id !== 'number')) return;
    this.#underWay.get(id)?.abort(new McpError(SERVER_ERROR, 'The client cancelled'));
    this.#listening.get(id)?.[Symbol.dispose]();
    this.#listening.delete(id);
  }

  async #request(message: McpRequest): Promise<string | undefined> {
    const { id, method, params } = message;
    try {
      // What only the version without sessions has is of that version, whatever it lacks.
      if (isStateless(params) || method === 'server/discover' || method === LISTEN) return await this.#requestStateless(message);
      if (method === 'initialize') return resultText(id, this.#begin(message).describe());
      if (this.#session !== undefined) return await this.#session.request(message, this.#parts.stream);
      if (method === 'ping') return resultText(id, {});
      throw new McpError(SERVER_ERROR, 'Cannot answer the request: the session is not initialized');
    } catch (error) {
      return errorText(id, this.#parts.explain(error));
    }
  }

  #begin({ params }: McpRequest): McpSession {
    if (this.#session !== undefined) throw invalidParams('Cannot begin: the session on this connection has begun');
    const { stream } = this.#parts;
    this.#session = new McpSession({ ...this.#parts, sendNotice: (text) => stream.send(text, { mayDrop: true }) }, params);
    return this.#session;
  }

  async #requestStateless(message: McpRequest): Promise<string | undefined> {
    const { host, limits, stream } = this.#parts;
    const { id, method } = message;
    if (this.#underWay.has(id) || this.#listening.has(id))
      throw invalidParams('Cannot answer the request: another with this id is under way');
    if (this.#underWay.size + this.#listening.size >= limits.requestsMax) {
      throw new McpError(SERVER_ERROR, `Cannot answer the request: ${limits.requestsMax} are under way, which is the limit`, {
        fault: 'busy',
      });
    }
    if (method === LISTEN) {
      this.#listening.set(id, new Listening(message, host, limits, stream));
      return undefined;
    }
    const cancel = new AbortController();
    this.#underWay.set(id, cancel);
    try {
      const result = await runStateless(message, this.#parts, stream, cancel.signal);
      return cancel.signal.aborted ? undefined : resultText(id, result);
    } catch (error) {
      if (cancel.signal.aborted) return undefined;
      throw error;
    } finally {
      this.#underWay.delete(id);
    }
  }
}
