import { createServer, type Server, type ServerOptions } from 'node:http';
import { refuseMalformed } from './refuse-malformed.ts';
import type { ServeLimits } from './serve-limits.ts';
import { answerPlain } from './tls/answer-plain.ts';
import type { TlsIdentity } from './tls/tls-identity.ts';

const TLS_VERSION_MIN = 'TLSv1.2';

/** Its context can be replaced while it serves: connections there are stay as they are. */
export type TlsServer = Server & { setSecureContext(options: object): void };

export function createHttpServer(limits: ServeLimits): Server {
  const server = createServer(optionsOf(limits));
  server.maxConnections = limits.connectionsMax;
  refuseMalformed(server);
  return server;
}

export async function createHttpsServer(limits: ServeLimits, tls: TlsIdentity): Promise<TlsServer> {
  const { createServer: createTlsServer } = await import('node:https'); // Takes its time to load, for those who ask for TLS.
  const server = createTlsServer({
    ...optionsOf(limits),
    ...contextOf(tls),
    handshakeTimeout: limits.headersMs,
    ALPNProtocols: ['http/1.1'],
  });
  server.maxConnections = limits.connectionsMax;
  answerPlain(server, limits.headersMs);
  refuseMalformed(server);
  return server;
}

export function contextOf({ cert, key }: TlsIdentity): object {
  return { cert, key, minVersion: TLS_VERSION_MIN };
}

function optionsOf(limits: ServeLimits): ServerOptions {
  return {
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.ceil(limits.headersMs / 4),
    // Any other protocol that a client offers is not taken, and its request answered as it is.
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
  };
}
