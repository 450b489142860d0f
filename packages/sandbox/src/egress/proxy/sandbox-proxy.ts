/**
 * The way out of one sandbox: an HTTP proxy that serves the connections pid 1 hands over, and nobody else. Start reading at `serve`.
 *
 * What comes from inside is hostile. Node's strict parser reads it, and every request is written anew towards the host, so that both sides agree where a
 * message ends; what names two hosts or two lengths is refused. The rules decide, then the guard looks the name up, checks every address and connects to
 * what it checked. A decision is told before it is carried out.
 */
import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Fault } from '@warren/protocol';
import type { EgressClock } from '../deadline.ts';
import { type Egress, EgressRefusal } from '../egress.ts';
import { type Denial, denialBody, denialBytes, denialHead, denialOf } from './denial.ts';
import type { EgressEvent, EgressNetwork, EgressTraffic } from './egress-network.ts';
import { type Asked, ProxyRules } from './egress-rules.ts';
import { forwardRequest, readHeaders } from './forward-request.ts';
import { joinConnections } from './join-connections.ts';
import { readPlainTarget, readTunnelTarget } from './read-asked.ts';
import { type Place, Upstream } from './upstream.ts';

export type SandboxProxyParts = {
  readonly network: EgressNetwork;
  /** The proxy's own: it is disposed with it. */
  readonly guard: Egress;
  readonly clock: EgressClock;
};

/** A connection from inside. */
type Session = {
  readonly client: Duplex;
  upstream: Upstream | undefined;
  /** That are not answered yet. */
  requests: number;
  cancelTimer: () => void;
  /** Settles when the request before is answered: what was sent ahead waits its turn, and then finds the connection to its host free. */
  turn: Promise<void>;
};

const HEAD_BYTES_MAX = 64 * 1024;
/** For the head of a request to be whole, from the connection or the answer before it. */
const HEAD_MS = 60_000;
/** Without a byte to or from any host. */
const IDLE_MS = 600_000;
/** Requests on one connection before the first of them is answered. */
const PIPELINED_MAX = 16;

export class SandboxProxy implements AsyncDisposable {
  readonly #parts: SandboxProxyParts;
  readonly #rules: ProxyRules;
  readonly #server: Server;
  readonly #ending = new AbortController();
  readonly #sessions = new Map<Duplex, Session>();
  readonly #upstreams = new Set<Socket>();
  #sent = 0;
  #received = 0;

  /** Throws the fault `invalid_argument` for rules that are none. */
  constructor(parts: SandboxProxyParts) {
    this.#parts = parts;
    this.#rules = new ProxyRules(parts.network.rules);
    this.#server = createServer({
      maxHeaderSize: HEAD_BYTES_MAX,
      insecureHTTPParser: false,
      shouldUpgradeCallback: isWebSocket, // Any other upgrade is an offer that a proxy may leave alone.
    });
    this.#server.maxHeadersCount = 0; // Their bytes are bounded; past a count they would be dropped without a word.
    this.#server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.#answer(request, response));
    this.#server.on('connect', (request: IncomingMessage, client: Duplex, first: Buffer) => void this.#tunnel(request, client, first));
    this.#server.on('upgrade', (request: IncomingMessage, client: Duplex, first: Buffer) => void this.#upgrade(request, client, first));
    this.#server.on('clientError', (error: NodeJS.ErrnoException, client: Duplex) => this.#refuseGarbage(error, client));
  }

  /** Takes over a connection from inside. What it asks for in excess of what is bounded closes it. */
  serve(client: Duplex): void {
    if (this.#ending.signal.aborted) {
      client.destroy();
      return;
    }
    const session: Session = { client, upstream: undefined, requests: 0, cancelTimer: () => {}, turn: Promise.resolve() };
    this.#sessions.set(client, session);
    client.on('error', () => {}); // Its end says all.
    client.once('close', () => {
      session.cancelTimer();
      session.upstream?.destroy();
      this.#sessions.delete(client);
    });
    this.#awaitHead(session);
    this.#server.emit('connection', client);
  }

  /** Over all connections to hosts so far. */
  get traffic(): EgressTraffic {
    const open = [...this.#upstreams];
    return {
      bytesSent: open.reduce((sum, { bytesWritten }) => sum + bytesWritten, this.#sent),
      bytesReceived: open.reduce((sum, { bytesRead }) => sum + bytesRead, this.#received),
    };
  }

  /** Closes every connection. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Fault('aborted', 'Cannot go on with the request: the sandbox has ended'));
    for (const client of [...this.#sessions.keys()]) client.destroy();
    await this.#parts.guard[Symbol.asyncDispose]();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const session = this.#sessions.get(request.socket);
    if (session === undefined || ++session.requests > PIPELINED_MAX) {
      request.socket.destroy();
      return;
    }
    session.cancelTimer();
    this.#watchIdle(session);
    response.sendDate = false;
    const before = session.turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    session.turn = promise;
    response.once('close', () => {
      resolve();
      session.requests -= 1;
      session.cancelTimer();
      if (session.requests === 0 && !session.client.destroyed) this.#awaitHead(session);
    });
    await before;
    if (response.closed) return;
    const asked = unknown(request);
    try {
      const target = readPlainTarget(request);
      Object.assign(asked, { host: target.host, port: target.port, path: target.path.split('?', 1)[0] });
      const headers = readHeaders(request, target.host);
      this.#decide(asked);
      await forwardRequest({
        request,
        response,
        target,
        headers,
        upstream: this.#upstreamFor(session, target),
        onRequest: this.#parts.network.onRequest,
        headBytesMax: HEAD_BYTES_MAX,
        signal: this.#ending.signal,
      });
    } catch (error) {
      this.#deny(asked, error, (denial) => answerDenial(response, denial));
    }
  }

  async #tunnel(request: IncomingMessage, client: Duplex, first: Buffer): Promise<void> {
    const session = this.#takeOver(client);
    const asked = unknown(request);
    try {
      if (session === undefined)
        throw new EgressRefusal('invalid_request', '', 'Cannot open a tunnel: earlier requests are not answered yet');
      Object.assign(asked, readTunnelTarget(request));
      this.#decide(asked);
      const upstream = await this.#open(asked);
      if (client.destroyed) {
        upstream.destroy();
        return;
      }
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      joinConnections(client, upstream, first);
    } catch (error) {
      this.#deny(asked, error, (denial) => client.end(denialBytes(denial)));
    }
  }

  async #upgrade(request: IncomingMessage, client: Duplex, first: Buffer): Promise<void> {
    const session = this.#takeOver(client);
    const asked = unknown(request);
    // Node lets go of the connection here; an answer that is none to the upgrade is still one in HTTP.
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.sendDate = false;
    try {
      if (session === undefined)
        throw new EgressRefusal('invalid_request', '', 'Cannot change the protocol: earlier requests are not answered yet');
      const target = readPlainTarget(request);
      Object.assign(asked, { host: target.host, port: target.port, path: target.path.split('?', 1)[0] });
      const headers = readHeaders(request, target.host);
      this.#decide(asked);
      response.assignSocket(client as Socket); // It is used as the stream that it is.
      response.once('finish', () => client.end());
      await forwardRequest({
        request,
        response,
        target,
        headers,
        upstream: this.#upstreamFor(session, target),
        onRequest: this.#parts.network.onRequest,
        headBytesMax: HEAD_BYTES_MAX,
        signal: this.#ending.signal,
        onUpgrade: (head, upstream, rest) => {
          response.detachSocket(client as Socket);
          client.write(head);
          if (rest.length > 0) client.write(rest);
          joinConnections(client, upstream, first);
        },
      });
    } catch (error) {
      if (response.socket !== null && !response.headersSent) response.detachSocket(client as Socket);
      this.#deny(asked, error, (denial) => (response.headersSent ? client.destroy() : client.end(denialBytes(denial))));
    }
  }

  /** The connection is no longer one of requests. Undefined when there are some. */
  #takeOver(client: Duplex): Session | undefined {
    const session = this.#sessions.get(client);
    if (session === undefined || session.requests > 0) return undefined;
    session.cancelTimer();
    this.#watchIdle(session);
    return session;
  }

  #decide(asked: Asked): void {
    this.#rules.admit(asked);
    this.#tell({ kind: 'allowed', method: asked.method, host: asked.host, port: asked.port, path: asked.path });
  }

  #upstreamFor(session: Session, place: Place): Upstream {
    if (session.upstream?.isFor(place) === true) return session.upstream;
    session.upstream?.retire();
    session.upstream = new Upstream({ host: place.host, port: place.port }, (each) => this.#open(each));
    return session.upstream;
  }

  async #open({ host, port }: Place): Promise<Socket> {
    const socket = await this.#parts.guard.connect({ hosts: this.#rules.hosts }, { host, port }, this.#ending.signal);
    this.#upstreams.add(socket);
    socket.once('close', () => {
      this.#upstreams.delete(socket);
      const traffic = { bytesSent: socket.bytesWritten, bytesReceived: socket.bytesRead };
      this.#sent += traffic.bytesSent;
      this.#received += traffic.bytesReceived;
      try {
        this.#tell({ kind: 'ended', host, port, ...traffic });
      } catch {
        // There is nothing left to refuse; the bytes are in `traffic`.
      }
    });
    return socket;
  }

  #tell(event: EgressEvent): void {
    this.#parts.network.onEvent?.(event);
  }

  #deny(asked: Asked, error: unknown, answer: (denial: Denial) => void): void {
    if (this.#ending.signal.aborted) return; // Every connection is closed by now.
    const denial = denialOf(error, asked.host);
    try {
      const { kind, reason, message } = denial;
      this.#tell({ kind, method: asked.method, host: asked.host, port: asked.port, reason, message });
    } catch {
      // It is refused already.
    }
    answer(denial);
  }

  #refuseGarbage(error: NodeJS.ErrnoException, client: Duplex): void {
    if (!client.writable || error.code === 'ECONNRESET') {
      client.destroy();
      return;
    }
    const isTooLarge = error.code === 'HPE_HEADER_OVERFLOW';
    const refusal = isTooLarge
      ? new EgressRefusal('too_large', '', `Cannot read the request: its head has more than ${HEAD_BYTES_MAX} bytes`)
      : new EgressRefusal('invalid_request', '', `Cannot read the request: it is malformed (${error.code ?? 'unknown'})`);
    // Answers to requests before it may be on their way: nothing is put between them.
    const isFirst = (this.#sessions.get(client)?.requests ?? 0) === 0;
    this.#deny({ method: '', host: '', port: 0, path: undefined }, refusal, (denial) =>
      isFirst ? client.end(denialBytes(denial)) : client.destroy(),
    );
  }

  #awaitHead(session: Session): void {
    session.cancelTimer = this.#parts.clock.after(HEAD_MS, () => session.client.destroy());
  }

  /** Closes a connection over which nothing has gone for long; looked at now and then, because a timer for each piece would cost more. */
  #watchIdle(session: Session): void {
    const { bytesSent, bytesReceived } = this.traffic;
    session.cancelTimer = this.#parts.clock.after(IDLE_MS, () => {
      const now = this.traffic;
      if (now.bytesSent === bytesSent && now.bytesReceived === bytesReceived) session.client.destroy();
      else this.#watchIdle(session);
    });
  }
}

/** What is known of a request before it is read. */
function unknown({ method = '' }: IncomingMessage): { method: string; host: string; port: number; path: string | undefined } {
  return { method, host: '', port: 0, path: undefined };
}

function isWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}

function answerDenial(response: ServerResponse, denial: Denial): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, phrase, headers } = denialHead(denial);
  const body = denialBody(denial);
  response.writeHead(status, phrase, [...headers, 'content-length', `${Buffer.byteLength(body)}`]);
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
