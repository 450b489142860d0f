/** Messages of MCP as they stand on the wire, for what no client would send. */
import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { JsonObject } from '@warren/protocol';
import type { TestGateway } from '../../test-support/open-test-gateway.ts';

export type McpAnswer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The last message, whether it came as a document or as an event. */
  readonly message: McpReply;
  /** All of them. */
  readonly messages: readonly McpReply[];
};

export type McpReply = {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Readonly<Record<string, unknown>> };
};

export type McpHeaders = Readonly<Record<string, string>>;

export const STATELESS = '2026-07-28';

export function metaOf(capabilities: JsonObject = {}, more: JsonObject = {}): JsonObject {
  return {
    'io.modelcontextprotocol/protocolVersion': STATELESS,
    'io.modelcontextprotocol/clientCapabilities': capabilities,
    ...more,
  };
}

/** A client of one caller: by default the operator behind the unix socket. */
export class RawClient {
  readonly #on: TestGateway;
  readonly #headers: McpHeaders;
  #session: string | undefined;
  #lastId = 0;

  constructor(on: TestGateway, { token, headers = {} }: { readonly token?: string; readonly headers?: McpHeaders } = {}) {
    this.#on = on;
    this.#headers = { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers };
  }

  get session(): string {
    return this.#session ?? '';
  }

  /** `POST /mcp` of this text, and nothing more. */
  async post(body: unknown, headers: McpHeaders = {}): Promise<McpAnswer> {
    const all = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...this.#headers, ...headers };
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await this.#on.send({ method: 'POST', path: '/mcp', headers: all }, text);
    const messages = messagesOf(answer.text);
    return { ...answer, messages, message: messages.at(-1) ?? {} };
  }

  async begin(version = '2025-11-25', capabilities: JsonObject = {}): Promise<McpAnswer> {
    const params = { protocolVersion: version, capabilities, clientInfo: { name: 'raw', version: '1' } };
    const answer = await this.post({ jsonrpc: '2.0', id: 0, method: 'initialize', params });
    this.#session = String(answer.headers['mcp-session-id'] ?? '');
    if (answer.status === 200) await this.post({ jsonrpc: '2.0', method: 'notifications/initialized' }, this.sessionHeaders());
    return answer;
  }

  sessionHeaders(): McpHeaders {
    return { 'mcp-session-id': this.session, 'mcp-protocol-version': '2025-11-25' };
  }

  /** In the session. */
  async request(method: string, params: JsonObject = {}, id: unknown = ++this.#lastId): Promise<McpAnswer> {
    return await this.post({ jsonrpc: '2.0', id, method, params }, this.sessionHeaders());
  }

  async notify(method: string, params: JsonObject = {}): Promise<McpAnswer> {
    return await this.post({ jsonrpc: '2.0', method, params }, this.sessionHeaders());
  }

  /** Of the version without sessions. */
  async ask(method: string, params: JsonObject = {}, capabilities: JsonObject = {}, headers: McpHeaders = {}): Promise<McpAnswer> {
    const named = params['name'] ?? params['uri'];
    const standard = {
      'mcp-protocol-version': STATELESS,
      'mcp-method': method,
      ...(typeof named === 'string' && { 'mcp-name': named }),
    };
    const meta = typeof params['_meta'] === 'object' ? (params['_meta'] as JsonObject) : {};
    const message = { jsonrpc: '2.0', id: ++this.#lastId, method, params: { ...params, _meta: metaOf(capabilities, meta) } };
    return await this.post(message, { ...standard, ...headers });
  }

  /** A response that is not waited for; the events of a stream, one by one. */
  async open(method: 'GET' | 'POST', headers: McpHeaders, body?: unknown): Promise<OpenStream> {
    const sent = httpRequest({
      socketPath: this.#on.socketPath,
      agent: false,
      method,
      path: '/mcp',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...this.#headers, ...headers },
    });
    sent.on('error', () => {}); // Being cut off is what some tests are for.
    sent.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = (await once(sent, 'response')) as [IncomingMessage]; // What the event is declared with.
    return new OpenStream(response, () => void sent.destroy());
  }

  /** The stream for what is about no request. */
  async listen(headers: McpHeaders = {}): Promise<OpenStream> {
    return await this.open('GET', { ...this.sessionHeaders(), ...headers });
  }
}

export class OpenStream implements Disposable {
  readonly status: number;
  readonly response: IncomingMessage;
  readonly #close: () => void;
  readonly #events: { readonly id: string | undefined; readonly message: McpReply }[] = [];
  #rest = '';
  #hasEnded = false;
  #wake = (): void => {};

  constructor(response: IncomingMessage, close: () => void) {
    this.status = response.statusCode ?? 0;
    this.response = response;
    this.#close = close;
    response.setEncoding('utf8');
    response.on('error', () => {});
    response.on('close', () => {
      this.#hasEnded = true;
      this.#wake();
    });
  }

  /** The next event that has a message. Rejects when the stream has ended. */
  async next(): Promise<{ readonly id: string | undefined; readonly message: McpReply }> {
    this.#read();
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) return event;
      if (this.#hasEnded) throw new Error('The stream has ended');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async ended(): Promise<void> {
    this.#read();
    while (!this.#hasEnded) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  #read(): void {
    if (this.response.listenerCount('data') > 0) return;
    this.response.on('data', (chunk: string) => {
      const blocks = (this.#rest + chunk).split('\n\n');
      this.#rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = /^data: (.+)$/m.exec(block)?.[1];
        if (data !== undefined) this.#events.push({ id: /^id: (.*)$/m.exec(block)?.[1], message: JSON.parse(data) as McpReply });
      }
      this.#wake();
    });
  }
}

function messagesOf(text: string): readonly McpReply[] {
  if (text.startsWith('{')) return [JSON.parse(text) as McpReply];
  if (text.startsWith('[')) return JSON.parse(text) as readonly McpReply[];
  return [...text.matchAll(/^data: (.+)$/gm)].map(([, data = '']) => JSON.parse(data) as McpReply);
}
