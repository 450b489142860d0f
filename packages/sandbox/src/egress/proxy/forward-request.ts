/** One request that can be seen, written anew towards its host, and the answer back. Both bodies go at the pace of their readers. */
import { request as httpRequest, type IncomingMessage, type OutgoingMessage, type ServerResponse } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import type { EgressClock } from '../deadline.ts';
import { EgressRefusal } from '../egress.ts';
import type { Target } from '../read-target.ts';
import { RequestDenied } from './denial.ts';
import type { EgressNetwork, Headers, SeenRequest } from './egress-network.ts';
import { forwardHeaders, framingOf } from './forward-headers.ts';
import { readableEncodings, redactAnswer } from './secret/redact-answer.ts';
import { SecretSwap } from './secret/secret-swap.ts';
import type { SentValues } from './secret/sent-values.ts';
import { type Body, swapBody } from './secret/swap-body.ts';
import { swapHeaders, swapQuery } from './secret/swap-head.ts';
import type { Upstream } from './upstream.ts';

export type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: Target;
  /** As `readHeaders` gives them. */
  readonly headers: Headers;
  readonly upstream: Upstream;
  readonly network: Pick<EgressNetwork, 'onRequest' | 'secrets'>;
  /** Of all requests of the sandbox. */
  readonly sent: SentValues;
  readonly headBytesMax: number;
  readonly clock: EgressClock;
  readonly signal: AbortSignal;
  /** The host has changed the protocol, as it was asked to: the head of its answer, the connection, and what came behind. */
  readonly onUpgrade?: ((head: string, upstream: Duplex, rest: Buffer) => void) | undefined;
  /** Ends what is already being answered, and says why. */
  readonly breakOff: (why: EgressRefusal | RequestDenied) => void;
};

/** What goes to the host. */
type Outgoing = { readonly headers: Headers; readonly path: string; readonly body: Body | undefined };

/** Answers before the answer: 100, 102, 103. */
const INTERIM_MAX = 16;
/** The status of an answer that is not whole. */
const PART = 206;

/** Resolves when the answer has gone out, or the client is gone. Throws, before anything is answered, what kept it from that; later breaks both connections. */
export async function forwardRequest(exchange: Exchange): Promise<void> {
  const { request, target, network, signal } = exchange;
  const { secrets } = network;
  const place = { scheme: target.scheme, method: request.method ?? '', host: target.host, port: target.port, path: pathOf(target) };
  using swap = secrets === undefined ? undefined : new SecretSwap(secrets, place, signal);
  const headers = await changeHeaders(exchange);
  const outgoing = swap === undefined ? { headers, path: target.path, body: undefined } : await putSecrets(exchange, headers, swap);
  await send(exchange, outgoing);
}

/** Of the path what may be told. */
export function pathOf({ path }: Target): string {
  return path.split('?', 1)[0] ?? path;
}

/** The headers of a request as they go on, the body's framing included. Throws `EgressRefusal` for what two servers could read differently. */
export function readHeaders({ rawHeaders, method = '', httpVersion }: IncomingMessage, host: string): Headers {
  return [
    ...forwardHeaders(rawHeaders, host).filter(([name]) => name.toLowerCase() !== 'host'),
    ...framingOf(method, httpVersion, rawHeaders, host),
  ];
}

async function send(exchange: Exchange, { headers, path, body }: Outgoing): Promise<void> {
  const { request, response, target, upstream, headBytesMax, network, sent, onUpgrade, breakOff } = exchange;
  const settled = Promise.withResolvers<void>();
  const outgoing = httpRequest({
    agent: upstream,
    host: target.host,
    port: target.port,
    method: request.method,
    path,
    headers: [hostHeader(target), ...headers, ...(onUpgrade === undefined ? [] : UPGRADE)].flat(),
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
    if (sent.isAny) {
      socket.destroy();
      settled.reject(unsearchable(target.host));
      return;
    }
    onUpgrade(headOf(incoming, exchange), socket, rest);
    if (network.secrets !== undefined)
      socket.once(
        'close',
        sent.beforeFirst(() => breakOff(unsearchable(target.host))),
      );
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
  if (body?.kind === 'whole') outgoing.end(body.bytes);
  else if (isBodiless(headers)) {
    outgoing.end();
    request.resume(); // There is nothing but its end.
  } else {
    const stream = body?.stream ?? request;
    if (stream !== request) stream.on('error', (error) => outgoing.destroy(error));
    passOn(stream, outgoing);
  }
  await settled.promise;
}

/** Neither of the two says that one comes, so the parser takes none. */
function isBodiless(headers: Headers): boolean {
  return !headers.some(([name, value]) => {
    const lower = name.toLowerCase();
    return lower === 'transfer-encoding' || (lower === 'content-length' && value !== '0');
  });
}

/** Placeholders become values. Throws `RequestDenied`. */
async function putSecrets({ request, target, sent, onUpgrade }: Exchange, headers: Headers, swap: SecretSwap): Promise<Outgoing> {
  const isFraming = ([name]: Headers[number]): boolean => FRAMING.has(name.toLowerCase());
  const swapped = await swapHeaders(headers, swap);
  const path = await swapQuery(target.path, swap);
  const body = await swapBody(request, headers, swap);
  if (onUpgrade !== undefined && swap.hasSwapped)
    throw swap.misplaced('it asks for a WebSocket, and what comes over one cannot be searched for values');
  if (onUpgrade !== undefined && sent.isAny) throw unsearchable(target.host);
  if (swap.hasSwapped) sent.note();
  // Of a part of an answer nobody can say whether there is part of a value in it, whichever request it was that took the value there.
  const isPart = ([name]: Headers[number]): boolean => sent.isAny && ASKS_FOR_PART.has(name.toLowerCase());
  const kept = readableEncodings(swapped.filter((header) => !isPart(header)));
  if (body?.kind !== 'whole') return { headers: kept, path, body };
  return { headers: [...kept.filter((header) => !isFraming(header)), ['content-length', `${body.bytes.length}`]], path, body };
}

/** Whoever changes headers sees none of the framing, and can add none. */
async function changeHeaders({ request, target, headers, network, signal }: Exchange): Promise<Headers> {
  const { onRequest } = network;
  if (onRequest === undefined) return headers;
  const isFraming = ([name]: Headers[number]): boolean => FRAMING.has(name.toLowerCase());
  const { host, port, path } = target;
  const seen: SeenRequest = { method: request.method ?? '', host, port, path, headers: headers.filter((header) => !isFraming(header)) };
  const changed = await onRequest(seen, signal);
  signal.throwIfAborted();
  return [...changed.filter((header) => !isFraming(header)), ...headers.filter(isFraming)];
}

/** The last is what some servers still take for the first. */
const ASKS_FOR_PART: ReadonlySet<string> = new Set(['range', 'if-range', 'request-range']);

const FRAMING: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'connection', 'host', 'upgrade', 'trailer']);

const UPGRADE: Headers = [
  ['connection', 'upgrade'],
  ['upgrade', 'websocket'],
];

function hostHeader({ scheme, host, port }: Target): Headers[number] {
  return ['host', port === (scheme === 'https' ? 443 : 80) ? host : `${host}:${port}`];
}

/** Throws `EgressRefusal`. */
function passAnswer(incoming: IncomingMessage, exchange: Exchange): void {
  const { request, response, target, clock, network } = exchange;
  const { secrets } = network;
  const { statusCode = 502, statusMessage = '' } = incoming;
  if (secrets !== undefined && statusCode === PART) endPart(exchange);
  const redactor = secrets?.redactor();
  const passed = forwardHeaders(incoming.rawHeaders, target.host);
  const { headers, body } =
    secrets === undefined
      ? { headers: passed, body: incoming }
      : redactAnswer(incoming, { headers: passed, method: request.method ?? '', host: target.host, clock }, secrets);
  const phrase = redactor?.text(statusMessage) ?? statusMessage;
  const writeHead = (all: Headers): void => {
    if (/^[\t\x20-\x7e]+$/.test(phrase)) response.writeHead(statusCode, phrase, all.flat());
    else response.writeHead(statusCode, all.flat());
  };
  // Half an answer must not look like a whole one.
  const breakOff = (error?: unknown): void => {
    if (error instanceof EgressRefusal && !response.destroyed) exchange.breakOff(error);
    else response.destroy();
  };
  incoming.on('error', breakOff);
  incoming.on('aborted', breakOff);
  if (body instanceof Promise) {
    body.then((read) => {
      if (response.destroyed) return;
      if (read instanceof Uint8Array) {
        writeHead([...headers, ['content-length', `${read.byteLength}`]]);
        response.end(read);
      } else {
        writeHead(headers);
        read.on('error', breakOff);
        passOn(read, response);
      }
    }, breakOff);
    return;
  }
  writeHead(headers);
  if (body !== incoming) body.on('error', breakOff);
  passOn(body, response);
}

/** A part of an answer, asked for when no value had gone out, ends before the first does. Throws when one has. */
function endPart({ response, target: { host }, sent, breakOff }: Exchange): void {
  const refuse = (): EgressRefusal =>
    new EgressRefusal(
      'protocol_error',
      host,
      `Cannot read the answer of ${host}: it is a part, and cannot be searched for secrets that were used meanwhile; ask for it again`,
    );
  if (sent.isAny) throw refuse();
  response.once(
    'close',
    sent.beforeFirst(() => breakOff(refuse())),
  );
}

/** A WebSocket of whatever request. */
function unsearchable(host: string): RequestDenied {
  return new RequestDenied(
    'secret_misplaced',
    host,
    `Cannot have a WebSocket to ${host}: a secret is used in this sandbox, and what comes over one cannot be searched for its value`,
  );
}

/** A head whose body does not come with it goes out alone: whoever waits for events, or sends them, waits for nothing else. */
function passOn(body: Readable, message: OutgoingMessage): void {
  let isBegun = false;
  body.once('data', () => {
    isBegun = true;
  });
  body.pipe(message);
  setImmediate(() => {
    if (!isBegun && !message.writableEnded && !message.destroyed) message.flushHeaders();
  });
}

function headOf({ statusMessage = '', rawHeaders }: IncomingMessage, { network: { secrets } }: Exchange): string {
  const redactor = secrets?.redactor();
  const show = (text: string): string => redactor?.text(text) ?? text;
  const lines = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${show(rawHeaders[index + 1] ?? '')}`] : []));
  return [`HTTP/1.1 101 ${show(statusMessage)}`, ...lines, '', ''].join('\r\n');
}
