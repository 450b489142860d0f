/** A way out of a sandbox whose proxy is somewhere else: connections from inside are handed over as they are. */
import type { Duplex } from 'node:stream';
import type { EgressTraffic } from './egress-network.ts';

export type RelayedNetwork = {
  readonly kind: 'relayed';
  /** Of the authority that commands have to trust, as PEM; absent where no TLS is opened. */
  readonly certificate?: string | undefined;
  /** Takes over a connection on which a command speaks HTTP to its proxy. Must not throw. */
  readonly serve: (connection: Duplex) => void;
};

/** What serves the connections of a sandbox. */
export interface WayOut extends AsyncDisposable {
  readonly certificate: string | undefined;
  /** Over connections to hosts; undefined when somebody else counts. */
  readonly traffic: EgressTraffic | undefined;
  serve(connection: Duplex): void;
}

export function relayedWayOut({ certificate, serve }: RelayedNetwork): WayOut {
  const open = new Set<Duplex>();
  let isEnded = false;
  return {
    certificate,
    traffic: undefined,
    serve(connection) {
      if (isEnded) {
        connection.destroy();
        return;
      }
      open.add(connection);
      connection.once('close', () => open.delete(connection));
      serve(connection);
    },
    async [Symbol.asyncDispose]() {
      isEnded = true;
      for (const connection of open) connection.destroy();
    },
  };
}
