/** One connection that asks and waits: the least a client can do, so that what is measured is the daemon. */
import { connect, type Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';

export class RpcConnection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #resolve: ((body: string) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;
  readonly #head: string;

  /** A unix socket, or a port with a token. */
  constructor(to: string | { readonly port: number; readonly token: string }) {
    this.#socket = typeof to === 'string' ? connect(to) : connect(to.port, '127.0.0.1').setNoDelay(true);
    this.#head = typeof to === 'string' ? 'host: localhost\r\n' : `host: 127.0.0.1:${to.port}\r\nauthorization: Bearer ${to.token}\r\n`;
    this.#socket.on('data', (chunk) => this.#take(chunk));
    this.#socket.on('error', (error) => this.#reject?.(error));
    this.#socket.on('close', () => this.#reject?.(new Error('The daemon closed the connection')));
  }

  async call(method: string, params: object): Promise<unknown> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const answer: { readonly result?: unknown; readonly error?: unknown } = JSON.parse(await this.post('/rpc', body));
    if (answer.error !== undefined) throw new Error(JSON.stringify(answer.error));
    return answer.result;
  }

  /** The body of the answer, whatever its status. */
  post(path: string, body: string): Promise<string> {
    const head = `POST ${path} HTTP/1.1\r\n${this.#head}content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#socket.write(head + body);
    });
  }

  close(): void {
    this.#resolve = undefined;
    this.#reject = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const end = this.#received.indexOf(HEAD_END);
    if (end < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(this.#received.toString('latin1', 0, end))?.[1]);
    const bodyAt = end + HEAD_END.length;
    if (Number.isNaN(length)) this.#reject?.(new Error('An answer without a length'));
    if (this.#received.length < bodyAt + length) return;
    const body = this.#received.toString('utf8', bodyAt, bodyAt + length);
    this.#received = this.#received.subarray(bodyAt + length);
    this.#resolve?.(body);
  }
}
