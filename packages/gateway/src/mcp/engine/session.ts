/**
 * A session of the versions that begin with `initialize`: what was agreed, what is under way, and what the client wants to hear of. It may be one connection of
 * messages, or many requests of HTTP; whichever it is hands in each message together with the stream that messages about it go to.
 */
import type { JsonObject, JsonRpcError } from '@warren/protocol';
import { isObject } from '../../internal/is-object.ts';
import type { HostChange, LogLevel, McpHost } from '../host.ts';
import { requireAnswerable, serverCapabilities } from './capabilities.ts';
import { type RequestContext, readLogLevel } from './host-request.ts';
import { INVALID_PARAMS, invalidParams, McpError, METHOD_NOT_FOUND, RESOURCE_NOT_FOUND, SERVER_ERROR } from './mcp-error.ts';
import type { McpLimits } from './mcp-limits.ts';
import type { MessageStream } from './message-stream.ts';
import { errorText, notificationText, resultText } from './messages.ts';
import { METHODS, type Method, readText } from './methods.ts';
import { Notices } from './notices.ts';
import { Questions } from './questions.ts';
import type { McpNotification, McpRequest, McpResponse, RequestId } from './read-message.ts';
import { negotiate, type SessionVersion } from './versions.ts';

export type SessionParts = {
  readonly host: McpHost;
  readonly limits: McpLimits;
  /** What the client learns of an error. What is a defect is logged. */
  readonly explain: (error: unknown) => JsonRpcError;
  /** Where to send what is about no request; false when nobody takes it now. */
  readonly sendNotice: (text: string) => boolean;
};

type OwnMethod = (params: JsonObject) => JsonObject;

export class McpSession implements Disposable {
  readonly version: SessionVersion;
  readonly #parts: SessionParts;
  readonly #client: JsonObject;
  readonly #underWay = new Map<RequestId, AbortController>();
  readonly #questions: Questions;
  readonly #notices: Notices;
  readonly #subscriptions = new Set<string>();
  readonly #own: ReadonlyMap<string, OwnMethod>;
  #logLevel: LogLevel = 'info';
  #isInitialized = false;
  #isClosed = false;

  /** `params`: of `initialize`. Throws `McpError` for what cannot be understood. */
  constructor(parts: SessionParts, params: JsonObject) {
    const { host, limits, sendNotice } = parts;
    const { protocolVersion, capabilities } = params;
    if (typeof protocolVersion !== 'string') throw invalidParams('Cannot begin: initialize has no protocolVersion');
    if (!isObject(capabilities)) throw invalidParams('Cannot begin: initialize has no capabilities of the client');
    this.version = negotiate(protocolVersion);
    this.#parts = parts;
    this.#client = capabilities;
    this.#questions = new Questions(limits);
    this.#notices = new Notices({
      host,
      isWanted: (change) => this.#wants(change),
      send: (method, more) => this.#isInitialized && sendNotice(notificationText(method, more)),
    });
    this.#own = new Map<string, OwnMethod>([
      ['ping', () => ({})],
      ...(host.logs ? [['logging/setLevel', (given) => this.#setLogLevel(given)] satisfies [string, OwnMethod]] : []),
      ...(host.resources?.canSubscribe === true
        ? ([
            ['resources/subscribe', (given) => this.#subscribe(given)],
            ['resources/unsubscribe', (given) => this.#unsubscribe(given)],
          ] satisfies [string, OwnMethod][])
        : []),
    ]);
  }

  /** The answer to `initialize`. */
  describe(): JsonObject {
    const { host } = this.#parts;
    const { server, instructions } = host;
    const { title, ...named } = server;
    return {
      protocolVersion: this.version,
      capabilities: serverCapabilities(host),
      serverInfo: { ...named, ...(title !== undefined && { title }) },
      ...(instructions !== undefined && { instructions }),
    };
  }

  get isBusy(): boolean {
    return this.#underWay.size > 0;
  }

  /** The text of the answer; undefined when the client took its request back. Never rejects. */
  async request(message: McpRequest, stream: MessageStream): Promise<string | undefined> {
    const { id, method, params } = message;
    const cancel = new AbortController();
    const refusal = this.#refuse(message);
    if (refusal !== undefined) return errorText(id, this.#parts.explain(refusal));
    this.#underWay.set(id, cancel);
    try {
      const own = this.#own.get(method);
      const result = own === undefined ? await this.#run(method, params, stream, cancel.signal) : own(params);
      // A host may have come to its end all the same.
      return cancel.signal.aborted ? undefined : resultText(id, result);
    } catch (error) {
      return cancel.signal.aborted ? undefined : errorText(id, this.#parts.explain(inThisEra(method, error)));
    } finally {
      this.#underWay.delete(id);
    }
  }

  notification({ method, params }: McpNotification): void {
    if (method === 'notifications/cancelled') this.#cancel(params['requestId']);
    else if (method === 'notifications/initialized') {
      this.#isInitialized = true;
      this.ready();
    }
  }

  response(message: McpResponse): void {
    this.#questions.answer(message);
  }

  /** There is somebody to send notices to, again. */
  ready(): void {
    this.#notices.ready();
  }

  /** Ends what is under way. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#notices[Symbol.dispose]();
    for (const cancel of this.#underWay.values()) cancel.abort(new McpError(SERVER_ERROR, 'Cannot go on: the session has ended'));
  }

  #refuse({ id }: McpRequest): McpError | undefined {
    const { requestsMax } = this.#parts.limits;
    if (this.#isClosed) return new McpError(SERVER_ERROR, 'Cannot answer the request: the session has ended');
    if (this.#underWay.has(id)) return invalidParams('Cannot answer the request: another with this id is under way');
    if (this.#underWay.size < requestsMax) return undefined;
    return new McpError(SERVER_ERROR, `Cannot answer the request: ${requestsMax} of this session are under way, which is the limit`, {
      fault: 'busy',
    });
  }

  async #run(name: string, params: JsonObject, stream: MessageStream, signal: AbortSignal): Promise<JsonObject> {
    const { host, limits } = this.#parts;
    const method = METHODS.get(name);
    if (method === undefined || !method.isOffered(host)) throw methodNotFound(name);
    const context: RequestContext = {
      ...{ signal, stream, limits },
      client: this.#client,
      logLevel: () => (host.logs ? this.#logLevel : undefined),
      answers: undefined,
      state: undefined,
    };
    return await this.#untilDone(method, params, context);
  }

  async #untilDone(method: Method, params: JsonObject, first: RequestContext): Promise<JsonObject> {
    const { host, limits } = this.#parts;
    let context = first;
    for (let round = 0; round < limits.roundsMax; round++) {
      const outcome = await method.run(host, params, context);
      if (outcome.kind === 'done') return outcome.result;
      requireAnswerable(outcome.questions, this.#client);
      const answers = await this.#questions.ask(outcome, context.stream, context.signal);
      context = { ...context, answers: answers ?? {}, state: outcome.state };
    }
    throw new McpError(SERVER_ERROR, `Cannot go on: the client was asked ${limits.roundsMax} times`);
  }

  #cancel(id: unknown): void {
    if (typeof id === 'string' || typeof id === 'number') this.#underWay.get(id)?.abort(new McpError(SERVER_ERROR, 'The client cancelled'));
  }

  #setLogLevel({ level }: JsonObject): JsonObject {
    this.#logLevel = readLogLevel(level);
    return {};
  }

  #subscribe(params: JsonObject): JsonObject {
    const { limits } = this.#parts;
    const uri = readText(params, 'uri', limits);
    if (!this.#subscriptions.has(uri) && this.#subscriptions.size >= limits.subscriptionsMax) {
      throw invalidParams(`Cannot subscribe to another resource: ${limits.subscriptionsMax} is the limit`);
    }
    this.#subscriptions.add(uri);
    return {};
  }

  #unsubscribe(params: JsonObject): JsonObject {
    this.#subscriptions.delete(readText(params, 'uri', this.#parts.limits));
    return {};
  }

  #wants(change: HostChange): boolean {
    return change.kind !== 'resource' || this.#subscriptions.has(change.uri);
  }
}

export function methodNotFound(name: string): McpError {
  return new McpError(METHOD_NOT_FOUND, `Cannot call ${JSON.stringify(name.slice(0, 80))}: there is no such method`);
}

/** That there is no such resource had a number of its own. */
function inThisEra(method: string, error: unknown): unknown {
  const isMissing = method === 'resources/read' && error instanceof McpError && error.code === INVALID_PARAMS && isObject(error.data);
  return isMissing ? new McpError(RESOURCE_NOT_FOUND, error.message, error.data) : error;
}
