/** One request of plain HTTP, written anew towards its host, and the answer back. Both bodies go at the pace of their readers. */
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { EgressRefusal } from '../egress.ts';
import type { Target } from '../read-target.ts';
import type { EgressNetwork, Headers, PlainRequest } from './egress-network.ts';
import { forwardHeaders, framingOf } from './forward-headers.ts';
import type { Upstream } from './upstream.ts';

export type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: Target;
  /** As `readHeaders` gives them. */
  readonly headers: Headers;
  readonly upstream: Upstream;
  readonly onRequest: EgressNetwork['onRequest'];
  readonly headBytesMax: number;
  readonly signal: AbortSignal;
  /** The host has changed the protocol, as it was asked to: the head of its answer, the connection, and what came behind. */
  readonly onUpgrade?: ((head: string, upstream: Duplex, rest: Buffer) => void) | undefined;
};

/** Answers before the answer: 100, 102, 103. */
const INTERIM_MAX = 16;

/** Resolves when the answer has gone out, or the client is gone. Throws, before anything is answered, what kept it from that; later breaks both connections. */
export async function forwardRequest(exchange: Exchange): Promise<void> {
  const { request, response, target, upstream, headBytesMax, onUpgrade } = exchange;
  const headers = await headersOf(exchange);
  const settled = Promise.withResolvers<void>();
  const outgoing = httpRequest({
    agent: upstream,
    host: target.host,
    port: target.port,
    method: request.method,
    path: target.path,
    headers: headers.flat(),
    setHost: false,
    maxHeaderSize: headBytesMax,
    insecureHTTPParser: false,
  });
  outgoing.maxHeadersCount = 0;
  let interim = 0;
  outgoing.on('response', (incoming) => {
    if (interim > INTERIM_MAX) return; // It came with the last of those.
    try {
      passAnswer(incoming, exchange);
      settled.resolve();
    } catch (error) {
      incoming.destroy();
      settled.reject(error);
    }
  });
  outgoing.on('information', () => {
    interim += 1;
    if (interim > INTERIM_MAX)
      outgoing.destroy(new EgressRefusal('protocol_error', target.host, `Cannot read the answer of ${target.host}: it does not come`));
  });
  outgoing.on('upgrade', (incoming, socket, rest) => {
    if (onUpgrade === undefined) {
      socket.destroy();
      settled.reject(
        new EgressRefusal('protocol_error', target.host, `Cannot read the answer of ${target.host}: it changed the protocol unasked`),
      );
      return;
    }
    onUpgrade(headOf(incoming), socket, rest);
    settled.resolve();
  });
  outgoing.on('error', (error) => {
    // A kept connection that the host closed meanwhile: the client finds its own closed, as it would without a proxy, and knows what that means.
    if (outgoing.reusedSocket && 'code' in error && error.code === 'ECONNRESET') response.destroy();
    if (response.headersSent) response.destroy();
    settled.reject(error);
  });
  response.once('close', () => {
    if (!response.writableFinished) outgoing.destroy(); // The client is gone; else the connection may serve the next one.
    settled.resolve();
  });
  request.on('error', () => outgoing.destroy()); // The client broke off.
  request.pipe(outgoing);
  await settled.promise;
}

/** The headers of a request as they go on, the body's framing included. Throws `EgressRefusal` for what two servers could read differently. */
export function readHeaders({ rawHeaders, method = '', httpVersion }: IncomingMessage, host: string): Headers {
  return [
    ...forwardHeaders(rawHeaders, host).filter(([name]) => name.toLowerCase() !== 'host'),
    ...framingOf(method, httpVersion, rawHeaders, host),
  ];
}

async function headersOf({ request, target, headers, onRequest, signal, onUpgrade }: Exchange): Promise<Headers> {
  const { method = '' } = request;
  const { host, port, path } = target;
  const changed = onRequest === undefined ? headers : await changeHeaders({ method, host, port, path, headers }, onRequest, signal);
  return [
    ['host', port === 80 ? host : `${host}:${port}`],
    ...changed,
    ...(onUpgrade === undefined
      ? []
      : ([
          ['connection', 'upgrade'],
          ['upgrade', 'websocket'],
        ] as const)),
  ];
}

/** Whoever changes headers sees none of the framing, and can add none. */
async function changeHeaders(
  request: PlainRequest,
  onRequest: NonNullable<EgressNetwork['onRequest']>,
  signal: AbortSignal,
): Promise<Headers> {
  const isFraming = ([name]: Headers[number]): boolean => FRAMING.has(name.toLowerCase());
  const changed = await onRequest({ ...request, headers: request.headers.filter((header) => !isFraming(header)) }, signal);
  signal.throwIfAborted();
  return [...changed.filter((header) => !isFraming(header)), ...request.headers.filter(isFraming)];
}

const FRAMING: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'connection', 'host', 'upgrade', 'trailer']);

function passAnswer(incoming: IncomingMessage, { response, target }: Exchange): void {
  const { statusCode = 502, statusMessage = '' } = incoming;
  const headers = forwardHeaders(incoming.rawHeaders, target.host).flat();
  if (/^[\t\x20-\x7e]+$/.test(statusMessage)) response.writeHead(statusCode, statusMessage, headers);
  else response.writeHead(statusCode, headers);
  incoming.on('error', () => response.destroy()); // Half an answer must not look like a whole one.
  incoming.on('aborted', () => response.destroy());
  incoming.pipe(response);
}

function headOf({ statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1] ?? ''}`] : []));
  return [`HTTP/1.1 101 ${statusMessage ?? ''}`, ...lines, '', ''].join('\r\n');
}
