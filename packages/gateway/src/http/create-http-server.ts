import { createServer, type Server } from 'node:http';
import type { ServeLimits } from './serve-limits.ts';

export function createHttpServer(limits: ServeLimits): Server {
  const server = createServer({
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.ceil(limits.headersMs / 4),
    // Any other protocol that a client offers is not taken, and its request answered as it is.
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
  });
  server.maxConnections = limits.connectionsMax;
  return server;
}
