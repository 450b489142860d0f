/** One kept connection that calls a tool and waits, for any server of MCP over HTTP: the least a client can do, so that what is measured is the server. */
import { connect, type Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';

export type McpTarget = { readonly port: number; readonly token?: string | undefined };

export class McpConnection {
  readonly #socket: Socket;
  readonly #token: string;
  readonly #port: number;
  #received: Buffer = Buffer.alloc(0);
  #resolve: ((answer: { readonly head: string; readonly body: string }) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;
  #session: string | undefined;

  constructor({ port, token }: McpTarget) {
    this.#token = token === undefined ? '' : `authorization: Bearer ${token}\r\n`;
    this.#port = port;
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk) => this.#take(chunk));
    this.#socket.on('error', (error) => this.#reject?.(error));
    this.#socket.on('close', () => this.#reject?.(new Error('The server closed the connection')));
  }

  /** Without it requests are of the version without sessions. */
  async beginSession(): Promise<void> {
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } };
    const { head, body } = await this.#post({ jsonrpc: '2.0', id: 0, method: 'initialize', params }, '');
    this.#session = /^mcp-session-id: (\S+)/im.exec(head)?.[1];
    if (this.#session === undefined) throw new Error(`The server began no session: ${head} ${body}`);
    await this.#post({ jsonrpc: '2.0', method: 'notifications/initialized' }, this.#sessionHeaders(this.#session));
  }

  /** The stream for what is about no request; the connection is used up. */
  async openStream(): Promise<void> {
    const session = this.#session ?? '';
    await new Promise<void>((resolve, reject) => {
      this.#reject = reject;
      this.#socket.removeAllListeners('data');
      this.#socket.once('data', () => resolve());
      this.#socket.write(
        `GET /mcp HTTP/1.1\r\nhost: 127.0.0.1:${this.#port}\r\n${this.#token}accept: text/event-stream\r\n${this.#sessionHeaders(session)}\r\n`,
      );
    });
    this.#socket.on('data', () => {});
  }

  async call(id: number): Promise<void> {
    const call = { name: 'system__echo', arguments: { text: 'hello' } };
    const { body } =
      this.#session === undefined
        ? await this.#post(
            { jsonrpc: '2.0', id, method: 'tools/call', params: { ...call, _meta: META } },
            'mcp-protocol-version: 2026-07-28\r\nmcp-method: tools/call\r\nmcp-name: system__echo\r\n',
          )
        : await this.#post({ jsonrpc: '2.0', id, method: 'tools/call', params: call }, this.#sessionHeaders(this.#session));
    if (!body.includes('"len":5')) throw new Error(body);
  }

  close(): void {
    this.#reject = undefined;
    this.#socket.destroy();
  }

  #sessionHeaders(session: string): string {
    return `mcp-protocol-version: 2025-11-25\r\nmcp-session-id: ${session}\r\n`;
  }

  #post(message: object, headers: string): Promise<{ readonly head: string; readonly body: string }> {
    const body = JSON.stringify(message);
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#socket.write(
        `POST /mcp HTTP/1.1\r\nhost: 127.0.0.1:${this.#port}\r\n${this.#token}content-type: application/json\r\n` +
          `accept: application/json, text/event-stream\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
    });
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const end = this.#received.indexOf(HEAD_END);
    if (end < 0) return;
    const head = this.#received.toString('latin1', 0, end);
    const length = /^HTTP\/1\.1 202/.test(head) ? 0 : Number(/content-length: (\d+)/i.exec(head)?.[1]);
    const bodyAt = end + HEAD_END.length;
    if (Number.isNaN(length)) this.#reject?.(new Error(`An answer without a length: ${head}`));
    if (this.#received.length < bodyAt + length) return;
    const body = this.#received.toString('utf8', bodyAt, bodyAt + length);
    this.#received = Buffer.alloc(0);
    this.#resolve?.({ head, body });
  }
}

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
};
