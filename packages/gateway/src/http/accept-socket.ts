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
import { authenticate, type CookieUse, type Identity } from './authenticate.ts';
import { checkBrowser } from './check-browser.ts';
import { isKnownVersion } from './check-version.ts';
import type { Entry } from './entry.ts';
import type { Gateway } from './gateway.ts';
import { headerOf } from './header.ts';
import type { Carried } from './held-socket.ts';
import { readTarget } from './read-target.ts';
import type { Refusal } from './reply.ts';
import { serveSocket } from './rpc-socket.ts';
import { RunNetworkDoor } from './run-network-door.ts';

type ServeSocket = (carried: Carried) => void;

/** What there is a WebSocket for. */
type Door = {
  readonly cookies: CookieUse;
  /** Throws faults: who may not act is told so by HTTP. */
  readonly open: (request: IncomingMessage, identity: Identity, gateway: Gateway) => Promise<ServeSocket>;
};

const MCP: Door = { cookies: 'none', open: openMcp };

/** By path. */
export const SOCKETS: ReadonlyMap<string, Door> = new Map<string, Door>([
  ['/rpc', { cookies: 'origin', open: openRpc }],
  ['/events', { cookies: 'origin', open: openEvents }],
  ['/mcp', MCP],
  ['/run-network', { cookies: 'none', open: openRunNetwork }],
]);

/** The subprotocol of MCP. */
const MCP_PROTOCOL = 'mcp';

export type AcceptSocket = (request: IncomingMessage, stream: Duplex, head: Buffer, entry: Entry) => Promise<void>;

export function createAcceptSocket(gateway: Gateway): AcceptSocket {
  let opened: Promise<WebSocketServer> | undefined;
  return async (request, stream, head, entry) => {
    // A connection that breaks meanwhile is nobody's error.
    stream.on('error', () => {});
    try {
      const checked = checkUpgrade(request, entry, gateway);
      if (checked.kind === 'refused') return refuseUpgrade(stream, checked.refusal);
      const who = await authenticate(request, entry, checked.door.cookies, gateway);
      if (who.kind === 'refused') return refuseUpgrade(stream, who.refusal);
      const serve = await checked.door.open(request, who.identity, gateway);
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
    handleProtocols: (protocols) => (protocols.has(MCP_PROTOCOL) ? MCP_PROTOCOL : ([...protocols][0] ?? false)),
  });
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

async function openRpc(request: IncomingMessage, identity: Identity, gateway: Gateway): Promise<ServeSocket> {
  const { workspace, agent } = askedSeat(request);
  const traceParent = parseTraceParent(headerOf(request, 'traceparent'));
  return (carried) => serveSocket({ carried, identity, workspace, agent, traceParent }, gateway);
}

async function openMcp(request: IncomingMessage, identity: Identity, gateway: Gateway): Promise<ServeSocket> {
  const asked = askedSeat(request);
  const host = await gateway.mcp.openHost(identity, asked);
  return (carried) => serveMcpSocket({ carried, host, identity, asked }, gateway);
}

async function openRunNetwork(request: IncomingMessage, identity: Identity, gateway: Gateway): Promise<ServeSocket> {
  const { runNetworks } = gateway;
  if (runNetworks === undefined) throw new Fault('unsupported', 'Cannot open a network for a run: nothing here has secrets');
  return await new RunNetworkDoor(runNetworks).enter(request, new URLSearchParams(readTarget(request).query), identity, gateway);
}

/** MCP at the root, too, for clients that say what they speak and not where. */
function findDoor(request: IncomingMessage): Door | undefined {
  const { path } = readTarget(request);
  if (path !== '/') return SOCKETS.get(path);
  const protocols = headerOf(request, 'sec-websocket-protocol')?.split(',') ?? [];
  return protocols.some((name) => name.trim() === MCP_PROTOCOL) ? MCP : undefined;
}

type Checked = { readonly kind: 'found'; readonly door: Door } | { readonly kind: 'refused'; readonly refusal: Refusal };

function checkUpgrade(request: IncomingMessage, entry: Entry, { stopping }: Gateway): Checked {
  const refused = (fault: Fault, status?: number): Checked => ({
    kind: 'refused',
    refusal: status === undefined ? { fault } : { fault, status },
  });
  if (!isKnownVersion(request)) return refused(new Fault('unsupported', 'Cannot open a WebSocket: that version is not spoken here'), 426);
  const foreign = checkBrowser(request, entry);
  if (foreign !== undefined) return refused(foreign);
  const door = findDoor(request);
  if (door === undefined) return refused(new Fault('not_found', 'Cannot open a WebSocket: there is none at this path'));
  if (stopping.aborted) return refused(new Fault('unavailable', 'Cannot open a WebSocket: the daemon stops'));
  return { kind: 'found', door };
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
