/** From an upgrade request to a WebSocket. What is refused gets an answer of HTTP, as any other request. */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorOfFault, FAULTS, Fault, isFault } from '@warren/protocol';
import { WebSocketServer } from 'ws';
import { failure } from '../jsonrpc/answer-text.ts';
import { parseTraceParent } from '../telemetry/tracing.ts';
import { authenticate } from './authenticate.ts';
import { checkBrowser } from './check-browser.ts';
import { isKnownVersion } from './check-version.ts';
import type { Entry } from './entry.ts';
import type { Gateway } from './gateway.ts';
import { headerOf } from './header.ts';
import { readTarget } from './read-target.ts';
import type { Refusal } from './reply.ts';
import { serveSocket } from './rpc-socket.ts';

export type AcceptSocket = (request: IncomingMessage, stream: Duplex, head: Buffer, entry: Entry) => Promise<void>;

export function createAcceptSocket(gateway: Gateway): AcceptSocket {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: gateway.limits.bodyBytesMax,
    // Compressing costs more than it saves on one machine, and opens bombs.
    perMessageDeflate: false,
    // What is not UTF-8 is answered as on any other way in.
    skipUTF8Validation: true,
  });
  return async (request, stream, head, entry) => {
    // A connection that breaks meanwhile is nobody's error.
    stream.on('error', () => {});
    try {
      const refusal = checkUpgrade(request, entry, gateway);
      if (refusal !== undefined) return refuseUpgrade(stream, refusal);
      const who = await authenticate(request, entry, { tokens: gateway.kernel.tokens, ...gateway });
      if (who.kind === 'refused') return refuseUpgrade(stream, who.refusal);
      if (stream.destroyed) return;
      using _place = gateway.sockets.take(who.identity.principal, 'WebSockets');
      await new Promise<void>((resolve) => {
        // What is no WebSocket after all is answered and closed.
        stream.once('close', resolve);
        server.handleUpgrade(request, stream, head, (socket) => {
          const workspace = headerOf(request, 'warren-workspace');
          const traceParent = parseTraceParent(headerOf(request, 'traceparent'));
          serveSocket({ socket, stream, identity: who.identity, workspace, traceParent }, gateway);
        });
      });
    } catch (error) {
      if (!isFault(error)) gateway.log.error('A WebSocket failed', { stack: error instanceof Error ? error.stack : typeof error });
      refuseUpgrade(stream, {
        fault: isFault(error) ? error : new Fault('internal', 'Cannot answer: an error of ours, which is in the log'),
      });
    }
  };
}

function checkUpgrade(request: IncomingMessage, entry: Entry, { stopping }: Gateway): Refusal | undefined {
  if (!isKnownVersion(request)) {
    return { fault: new Fault('unsupported', 'Cannot open a WebSocket: that version is not spoken here'), status: 426 };
  }
  const foreign = checkBrowser(request, entry);
  if (foreign !== undefined) return { fault: foreign };
  if (readTarget(request).path !== '/rpc') {
    return { fault: new Fault('not_found', 'Cannot open a WebSocket: there is none at this path') };
  }
  if (stopping.aborted) return { fault: new Fault('busy', 'Cannot open a WebSocket: the daemon stops') };
  return undefined;
}

function refuseUpgrade(stream: Duplex, { fault, status = FAULTS[fault.code].http, headers = {} }: Refusal): void {
  if (stream.destroyed) return;
  const body = failure(null, errorOfFault(fault));
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`,
    'connection: close',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  stream.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
