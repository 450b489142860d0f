import { answer, RawServer } from './raw-server.ts';

/** Servers on every local address, IPv4 and IPv6, on one port. Whoever is connected to them got through. */
export class Tripwire implements AsyncDisposable {
  readonly port: number;
  readonly #servers: readonly RawServer[];

  private constructor(servers: readonly RawServer[], port: number) {
    this.#servers = servers;
    this.port = port;
  }

  static async start(): Promise<Tripwire> {
    for (;;) {
      const first = await RawServer.start((_request, connection) => answer(connection, '200 OK', 'secret'), { host: '0.0.0.0' });
      try {
        return new Tripwire(
          [
            first,
            await RawServer.start((_request, connection) => answer(connection, '200 OK', 'secret'), { host: '::', port: first.port }),
          ],
          first.port,
        );
      } catch {
        await first[Symbol.asyncDispose](); // Somebody else has this port over IPv6: take another one.
      }
    }
  }

  get connections(): number {
    return this.#servers.reduce((sum, { connections }) => sum + connections, 0);
  }

  get requests(): readonly string[] {
    return this.#servers.flatMap(({ requests }) => requests);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server[Symbol.asyncDispose]()));
  }
}
