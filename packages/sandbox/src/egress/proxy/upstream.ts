/** Connections to one host for one client connection: what was checked is used again as long as the client goes on asking for the same host. */
import { Agent, type AgentOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export type Place = { readonly host: string; readonly port: number };
export type OpenConnection = (place: Place) => Promise<Socket>;

export class Upstream extends Agent {
  readonly #place: Place;
  readonly #open: OpenConnection;
  #isRetired = false;

  constructor(place: Place, open: OpenConnection) {
    super({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 } satisfies AgentOptions);
    this.#place = place;
    this.#open = open;
  }

  isFor({ host, port }: Place): boolean {
    return this.#place.host === host && this.#place.port === port;
  }

  /** Nothing new is asked of it: what is idle closes now, what is busy when it is done. */
  retire(): void {
    this.#isRetired = true;
    for (const socket of Object.values(this.freeSockets).flat()) socket?.destroy();
  }

  override createConnection(_options: unknown, callback?: (error: Error | null, socket: Duplex) => void): undefined {
    // On an error the socket is not looked at.
    this.#open(this.#place).then(
      (socket) => callback?.(null, socket),
      (error: unknown) => callback?.(error as Error, undefined as unknown as Duplex),
    );
  }

  override keepSocketAlive(socket: Duplex): boolean {
    return !this.#isRetired && (super.keepSocketAlive(socket) as unknown) !== false;
  }
}
