/** A TCP server on loopback that records who came and what they sent, and answers with whatever bytes a test likes. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

/** Called once the head (and as much of the body as came with it) is there. */
export type Serve = (request: string, connection: Socket) => void;

export class RawServer implements AsyncDisposable {
  readonly port: number;
  /** Text of every request, one for each connection that sent one. */
  readonly requests: string[] = [];
  connections = 0;
  /** Said to whoever connects, before they say anything. */
  greet = '';
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  private constructor(server: Server, serve: Serve) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port; // It listens on a port.
    server.on('connection', (connection: Socket) => {
      this.connections += 1;
      this.#open.add(connection);
      if (this.greet !== '') connection.write(this.greet);
      connection.on('close', () => this.#open.delete(connection));
      connection.on('error', () => {}); // A client that goes is what many tests are about.
    });
    server.on(isTls(server) ? 'secureConnection' : 'connection', (connection: Socket) => this.#read(connection, serve));
    server.on('tlsClientError', () => {});
  }

  static async start(
    serve: Serve,
    { host = '127.0.0.1', port = 0, tls }: { host?: string; port?: number; tls?: TlsOptions } = {},
  ): Promise<RawServer> {
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    server.listen({ host, port, ipv6Only: host.includes(':') });
    await once(server, 'listening');
    return new RawServer(server, serve);
  }

  /** Waits until no client is connected. */
  async idle(): Promise<void> {
    await Promise.all([...this.#open].map((connection) => new Promise((resolve) => connection.once('close', resolve))));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#open) connection.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #read(connection: Socket, serve: Serve): void {
    let text = '';
    let isServed = false;
    connection.on('error', () => {});
    connection.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (isServed || !text.includes('\r\n\r\n')) return;
      isServed = true;
      this.requests.push(text);
      serve(text, connection);
    });
  }
}

function isTls(server: Server): boolean {
  return 'setSecureContext' in server;
}

/** A whole answer; the connection ends after it. */
export function answer(connection: Socket, head: string, body: Uint8Array | string = ''): void {
  const bytes = Buffer.from(body);
  connection.end(
    Buffer.concat([Buffer.from(`HTTP/1.1 ${head}\r\ncontent-length: ${bytes.length}\r\nconnection: close\r\n\r\n`, 'latin1'), bytes]),
  );
}
