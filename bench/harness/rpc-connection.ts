/** One connection that asks and waits: the least a client can do, so that what is measured is the daemon. */
import { connect, type Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';

export class RpcConnection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #resolve: ((body: string) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;

  constructor(socketPath: string) {
    this.#socket = connect(socketPath);
    this.#socket.on('data', (chunk) => this.#take(chunk));
    this.#socket.on('error', (error) => this.#reject?.(error));
    this.#socket.on('close', () => this.#reject?.(new Error('The daemon closed the connection')));
  }

  async call(method: string, params: object): Promise<unknown> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const head = `POST /rpc HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
    const answer: { readonly result?: unknown; readonly error?: unknown } = JSON.parse(
      await new Promise<string>((resolve, reject) => {
        this.#resolve = resolve;
        this.#reject = reject;
        this.#socket.write(head + body);
      }),
    );
    if (answer.error !== undefined) throw new Error(JSON.stringify(answer.error));
    return answer.result;
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
