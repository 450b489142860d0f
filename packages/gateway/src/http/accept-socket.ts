/** From an upgrade request to a WebSocket. What is refused gets an answer of HTTP, as any other request. */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorOfFault, FAULTS, Fault, isFault } from '@warren/protocol';
import type { WebSocketServer } from 'ws';
import { askedSeat } from '../caller/asked-seat.ts';
import { readSupervision, sendSupervision } from '../events/stream-supervision.ts';
import { failure } from '../jsonrpc/answer-text.ts';
import { serveMcpSocket } from '../mcp/socket/mcp-socket.ts';
import { parseTraceParent } from '../telemetry/tracing.ts';
import { authenticate, type Identity } from './authenticate.ts';
import { checkBrowser } from './check-browser.ts';
import { isKnownVersion } from './check-version.ts';
import type { Entry } from './entry.ts';
import type { Gateway } from './gateway.ts';
import { headerOf } from './header.ts';
import type { Carried } from './held-socket.ts';
import { readTarget } from './read-target.ts';
import type { Refusal } from './reply.ts';
import { serveSocket } from './rpc-socket.ts';

/** The subprotocol of MCP. */
const MCP = 'mcp';
const EVENTS = '/events';

export type AcceptSocket = (request: IncomingMessage, stream: Duplex, head: Buffer, entry: Entry) => Promise<void>;

export function createAcceptSocket(gateway: Gateway): AcceptSocket {
  let opened: Promise<WebSocketServer> | undefined;
  return async (request, stream, head, entry) => {
    // A connection that breaks meanwhile is nobody's error.
    stream.on('error', () => {});
    try {
      const refusal = checkUpgrade(request, entry, gateway);
      if (refusal !== undefined) return refuseUpgrade(stream, refusal);
      const who = await authenticate(request, entry, isMcp(request) ? 'none' : 'origin', gateway);
      if (who.kind === 'refused') return refuseUpgrade(stream, who.refusal);
      // Before the connection is one: who may not act is told so by HTTP.
      const serve = await openSocket(request, who.identity, gateway);
      opened ??= openServer(gateway);
      const server = await opened;
      if (stream.destroyed) return;
      using _place = gateway.sockets.take(who.identity.principal, 'WebSockets');
      await new Promise<void>((resolve) => {
        // What is no WebSocket after all is answered and closed.
        stream.once('close', resolve);
        server.handleUpgrade(request, stream, head, (socket) => serve({ socket, stream }));
      });
    } catch (error) {
      if (!isFault(error)) gateway.log.error('A WebSocket failed', { stack: error instanceof Error ? error.stack : typeof error });
      refuseUpgrade(stream, {
        fault: isFault(error) ? error : new Fault('internal', 'Cannot answer: an error of ours, which is in the log'),
      });
    }
  };
}

/** Loaded when a first WebSocket is opened: a start is quicker without. */
async function openServer({ limits }: Gateway): Promise<WebSocketServer> {
  const { WebSocketServer } = await import('ws');
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: limits.bodyBytesMax,
    // Compressing costs more than it saves on one machine, and opens bombs.
    perMessageDeflate: false,
    // What is not UTF-8 is answered as on any other way in.
    skipUTF8Validation: true,
    handleProtocols: (protocols) => (protocols.has(MCP) ? MCP : ([...protocols][0] ?? false)),
  });
}

type ServeSocket = (carried: Carried) => void;

async function openSocket(request: IncomingMessage, identity: Identity, gateway: Gateway): Promise<ServeSocket> {
  if (isMcp(request)) return await openMcp(request, identity, gateway);
  return readTarget(request).path === EVENTS ? await openEvents(request, identity, gateway) : openRpc(request, identity, gateway);
}

async function openEvents(request: IncomingMessage, identity: Identity, gateway: Gateway): Promise<ServeSocket> {
  const asked = await readSupervision(request, new URLSearchParams(readTarget(request).query), identity);
  return (carried) => {
    sendSupervision(carried, asked, gateway).catch((error: unknown) => {
      gateway.log.error('A WebSocket failed', { stack: error instanceof Error ? error.stack : typeof error });
      carried.socket.terminate();
    });
  };
}

function openRpc(request: IncomingMessage, identity: Identity, gateway: Gateway): ServeSocket {
  const { workspace, agent } = askedSeat(request);
  const traceParent = parseTraceParent(headerOf(request, 'traceparent'));
  return (carried) => serveSocket({ carried, identity, workspace, agent, traceParent }, gateway);
}

async function openMcp(request: IncomingMessage, identity: Identity, gateway: Gateway): Promise<ServeSocket> {
  const asked = askedSeat(request);
  const host = await gateway.mcp.openHost(identity, asked);
  return (carried) => serveMcpSocket({ carried, host, identity, asked }, gateway);
}

/** At the root, too, for clients that say what they speak and not where. */
function isMcp(request: IncomingMessage): boolean {
  const { path } = readTarget(request);
  return (
    path === '/mcp' ||
    (path === '/' &&
      headerOf(request, 'sec-websocket-protocol')
        ?.split(',')
        .some((name) => name.trim() === MCP) === true)
  );
}

function checkUpgrade(request: IncomingMessage, entry: Entry, { stopping }: Gateway): Refusal | undefined {
  if (!isKnownVersion(request)) {
    return { fault: new Fault('unsupported', 'Cannot open a WebSocket: that version is not spoken here'), status: 426 };
  }
  const foreign = checkBrowser(request, entry);
  if (foreign !== undefined) return { fault: foreign };
  const { path } = readTarget(request);
  if (path !== '/rpc' && path !== EVENTS && !isMcp(request)) {
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
