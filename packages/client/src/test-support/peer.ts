/** Somebody at the other end of a unix socket, who does what a test says: also what no daemon would. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { TemporaryDirectory } from '@warren/testkit';

export type Asked = { readonly url: string; readonly headers: IncomingMessage['headers']; readonly body: string };
export type Answerer = (asked: Asked, response: ServerResponse) => void;

export class Peer implements AsyncDisposable {
  readonly socketPath: string;
  /** Everything that was asked, in order. */
  readonly asked: Asked[] = [];
  readonly connections = new Set<Socket>();
  connectionCount = 0;
  answer: Answerer;
  readonly #directory: TemporaryDirectory;
  #server: Server | undefined;

  private constructor(directory: TemporaryDirectory, answer: Answerer) {
    this.#directory = directory;
    this.socketPath = directory.join('s');
    this.answer = answer;
  }

  static async start(answer: Answerer): Promise<Peer> {
    const peer = new Peer(await TemporaryDirectory.create(), answer);
    await peer.listen();
    return peer;
  }

  async listen(): Promise<void> {
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
      const asked = { url: request.url ?? '', headers: request.headers, body };
      this.asked.push(asked);
      this.answer(asked, response);
    });
    server.on('connection', (socket) => {
      this.connectionCount++;
      this.connections.add(socket);
      socket.on('close', () => this.connections.delete(socket));
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.socketPath, resolve));
  }

  /** As when its process is killed. */
  async die(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.connections) socket.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.die();
    await this.#directory[Symbol.asyncDispose]();
  }
}

/** Answers as JSON-RPC does. */
export function answerResult(asked: Asked, response: ServerResponse, result: unknown): void {
  const { id } = JSON.parse(asked.body) as { id: unknown }; // Sent by the client under test.
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id, result }));
}
