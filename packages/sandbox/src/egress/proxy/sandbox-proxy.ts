/**
 * The way out of one sandbox: an HTTP proxy that serves the connections pid 1 hands over, and nobody else. Start reading at `serve`.
 *
 * What comes from inside is hostile. Node's strict parser reads it, and every request is written anew towards the host, so that both sides agree where a
 * message ends; what names two hosts or two lengths is refused. The rules decide, then whoever is asked beyond them, then the guard looks the name up,
 * checks every address and connects to what it checked. A decision is told before it is carried out.
 *
 * A tunnel to a host that is inspected ends here: the command speaks TLS with us, we speak TLS with the host, and each request between is one that can be seen.
 */
import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Fault } from '@warren/protocol';
import { Deadline, type EgressClock } from '../deadline.ts';
import { secure, type TlsOptions } from '../dial.ts';
import { type Egress, EgressRefusal } from '../egress.ts';
import { readHost, type Target } from '../read-target.ts';
import { type Denial, denialBody, denialBytes, denialHead, denialOf, RequestDenied } from './denial.ts';
import type { EgressAsked, EgressEvent, EgressNetwork, EgressTraffic, EgressVerdict } from './egress-network.ts';
import { ProxyRules } from './egress-rules.ts';
import { forwardRequest, pathOf, readHeaders } from './forward-request.ts';
import { HostContexts } from './host-contexts.ts';
import { joinConnections } from './join-connections.ts';
import { beginsTls, openTls, requireSameName } from './open-tls.ts';
import { readInnerTarget, readPlainTarget, readTunnelTarget } from './read-asked.ts';
import type { WayOut } from './relayed-network.ts';
import { SentValues } from './secret/sent-values.ts';
import { TrafficMeter } from './traffic-meter.ts';
import { type Place, Upstream } from './upstream.ts';

export type SandboxProxyParts = {
  readonly network: EgressNetwork;
  /** The proxy's own: it is disposed with it. */
  readonly guard: Egress;
  readonly clock: EgressClock;
  /** For TLS with hosts that are inspected. */
  readonly tls: TlsOptions;
};

/** A connection from inside. */
type Session = {
  readonly client: Duplex;
  /** The host it was opened for, when it is the inside of a tunnel. */
  inside: Pick<Target, 'scheme' | 'host' | 'port'> | undefined;
  upstream: Upstream | undefined;
  /** That are not answered yet. */
  requests: number;
  cancelTimer: () => void;
  /** Settles when the request before is answered: what was sent ahead waits its turn, and then finds the connection to its host free. */
  turn: Promise<void>;
};

const HEAD_BYTES_MAX = 64 * 1024;
/** For the head of a request to be whole, from the connection or the answer before it; for TLS to be there. */
const HEAD_MS = 60_000;
/** Without a byte to or from any host. */
const IDLE_MS = 600_000;
/** For TLS with a host. */
const SECURE_MS = 30_000;
/** Requests on one connection before the first of them is answered. */
const PIPELINED_MAX = 16;

export class SandboxProxy implements WayOut {
  readonly #parts: SandboxProxyParts;
  readonly #rules: ProxyRules;
  readonly #contexts: HostContexts | undefined;
  readonly #server: Server;
  readonly #ending = new AbortController();
  readonly #sessions = new Map<Duplex, Session>();
  readonly #meter: TrafficMeter;
  readonly #sent = new SentValues();

  /** Throws the fault `invalid_argument` for rules that are none. */
  constructor(parts: SandboxProxyParts) {
    this.#parts = parts;
    this.#rules = new ProxyRules(parts.network.rules);
    this.#contexts = this.#rules.inspectsAny ? new HostContexts(new Date()) : undefined;
    this.#meter = new TrafficMeter(parts.clock, parts.network.onTraffic);
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

  /** Of the authority that commands have to trust, as PEM; undefined when nothing is inspected. */
  get certificate(): string | undefined {
    return this.#contexts?.certificate;
  }

  /** Takes over a connection from inside. What it asks for in excess of what is bounded closes it. */
  serve(client: Duplex): void {
    this.#serve(client, undefined);
  }

  /** Over all connections to hosts so far. */
  get traffic(): EgressTraffic {
    return this.#meter.total;
  }

  /** Closes every connection. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Fault('aborted', 'Cannot go on with the request: the sandbox has ended'));
    for (const client of [...this.#sessions.keys()]) client.destroy();
    await this.#parts.guard[Symbol.asyncDispose]();
    this.#meter[Symbol.dispose]();
  }

  #serve(client: Duplex, inside: Session['inside']): void {
    if (this.#ending.signal.aborted) {
      client.destroy();
      return;
    }
    const session: Session = { client, inside, upstream: undefined, requests: 0, cancelTimer: () => {}, turn: Promise.resolve() };
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
      const { target, headers } = this.#read(request, session, asked);
      await this.#decide(asked, session.client, response);
      if (response.closed) return;
      const upstream = this.#upstreamFor(session, target);
      const { network } = this.#parts;
      await forwardRequest({
        request,
        response,
        target,
        headers,
        upstream,
        network,
        sent: this.#sent,
        headBytesMax: HEAD_BYTES_MAX,
        clock: this.#parts.clock,
        signal: this.#ending.signal,
        breakOff: (why) => this.#deny(asked, why, () => response.destroy()),
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
      if (session.inside !== undefined)
        throw new EgressRefusal('invalid_request', session.inside.host, 'Cannot open a tunnel: this is the inside of one');
      Object.assign(asked, readTunnelTarget(request));
      if (this.#contexts !== undefined && this.#rules.inspects(asked.host, asked.port)) {
        await this.#inspect(asked, session, first, this.#contexts);
        return;
      }
      await this.#decide(asked, client, client);
      const upstream = await this.#open(asked);
      if (client.destroyed) {
        upstream.destroy();
        return;
      }
      client.write(ESTABLISHED);
      joinConnections(client, upstream, first);
    } catch (error) {
      this.#deny(asked, error, (denial) => client.end(denialBytes(denial)));
    }
  }

  /** Nothing is decided about the tunnel but that its host is one of the rules': each request in it is. */
  async #inspect({ host, port, method }: EgressAsked, session: Session, first: Buffer, contexts: HostContexts): Promise<void> {
    const { client } = session;
    const asked = { method, scheme: 'https', host, port, path: undefined, query: '' } as const;
    session.cancelTimer();
    this.#awaitHead(session);
    client.write(ESTABLISHED);
    if (first.length > 0) client.unshift(first);
    const isTls = await beginsTls(client);
    if (isTls === undefined) return;
    if (!isTls) {
      session.inside = { scheme: 'http', host, port };
      this.#server.emit('connection', client);
      return;
    }
    try {
      const tls = await openTls(client, host, await contexts.of(host));
      session.cancelTimer(); // From here on that of the connection inside.
      try {
        requireSameName(tls, host);
      } catch (error) {
        this.#deny(asked, error, (denial) => tls.end(denialBytes(denial)));
        return;
      }
      this.#serve(tls, { scheme: 'https', host, port });
    } catch (error) {
      this.#deny(asked, error, () => client.destroy()); // It understands nothing but TLS by now.
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
      const { target, headers } = this.#read(request, session, asked);
      await this.#decide(asked, client, client);
      if (client.destroyed) return;
      response.assignSocket(client as Socket); // It is used as the stream that it is.
      response.once('finish', () => client.end());
      await forwardRequest({
        request,
        response,
        target,
        headers,
        upstream: this.#upstreamFor(session, target),
        network: this.#parts.network,
        sent: this.#sent,
        headBytesMax: HEAD_BYTES_MAX,
        clock: this.#parts.clock,
        signal: this.#ending.signal,
        onUpgrade: (head, upstream, rest) => {
          response.detachSocket(client as Socket);
          client.write(head);
          if (rest.length > 0) client.write(rest);
          joinConnections(client, upstream, first);
        },
        breakOff: (why) => this.#deny(asked, why, () => client.destroy()),
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

  /** What is asked for; `asked` says it as far as it could be read, also when this throws. */
  #read(request: IncomingMessage, { inside }: Session, asked: Known) {
    const target = inside === undefined ? readPlainTarget(request) : readInnerTarget(request, inside);
    Object.assign(asked, {
      scheme: target.scheme,
      host: target.host,
      port: target.port,
      path: pathOf(target),
      query: target.path.slice(pathOf(target).length),
    });
    return { target, headers: readHeaders(request, target.host) };
  }

  /** What was allowed lasts until `over` closes, or is withdrawn. */
  async #decide(asked: EgressAsked, client: Duplex, over: Duplex | ServerResponse): Promise<void> {
    this.#rules.admit(asked);
    const { signal } = this.#ending;
    const verdict = await this.#parts.network.decide?.({ ...asked }, signal);
    if (verdict?.kind === 'allowed') endWith(verdict, client, over);
    signal.throwIfAborted();
    if (verdict?.kind === 'denied') throw new RequestDenied(verdict.reason, asked.host, verdict.message);
    this.#tell({ kind: 'allowed', method: asked.method, host: asked.host, port: asked.port, path: asked.path });
  }

  #upstreamFor(session: Session, target: Target): Upstream {
    if (session.upstream?.isFor(target) === true) return session.upstream;
    session.upstream?.retire();
    const open = target.scheme === 'https' ? (place: Place) => this.#openSecure(place) : (place: Place) => this.#open(place);
    session.upstream = new Upstream({ host: target.host, port: target.port }, open);
    return session.upstream;
  }

  async #openSecure(place: Place): Promise<Socket> {
    const { clock, tls } = this.#parts;
    const socket = await this.#open(place);
    try {
      using deadline = new Deadline(clock, SECURE_MS, place.host, this.#ending.signal);
      const secured = await secure(socket, place.host, readHost(place.host).address, tls, deadline.signal);
      secured.allowHalfOpen = false; // In TLS nobody goes on when the other side has said all.
      secured.once('close', () => socket.destroy());
      return secured;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  async #open({ host, port }: Place): Promise<Socket> {
    const socket = await this.#parts.guard.connect({ hosts: this.#rules.hosts }, { host, port }, this.#ending.signal);
    this.#meter.add(socket, (traffic) => {
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

  #deny(asked: EgressAsked, error: unknown, answer: (denial: Denial) => void): void {
    if (this.#ending.signal.aborted) return; // Every connection is closed by now.
    const denial = denialOf(error, asked.host);
    try {
      const { kind, reason, message } = denial;
      this.#tell({ kind, method: asked.method, host: asked.host, port: asked.port, path: asked.path, reason, message });
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
    this.#deny({ method: '', scheme: undefined, host: '', port: 0, path: undefined, query: '' }, refusal, (denial) =>
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

const ESTABLISHED = 'HTTP/1.1 200 Connection established\r\n\r\n';

type Known = { -readonly [Key in keyof EgressAsked]: EgressAsked[Key] };

/** What is known of a request before it is read. */
function unknown({ method = '' }: IncomingMessage): Known {
  return { method, scheme: undefined, host: '', port: 0, path: undefined, query: '' };
}

/** Closes a connection when what it was allowed for is withdrawn, until `over` closes. */
function endWith(
  { until, onEnd }: Extract<EgressVerdict, { readonly kind: 'allowed' }>,
  client: Duplex,
  over: Duplex | ServerResponse,
): void {
  const end = (): void => void client.destroy();
  const release = (): void => {
    until?.removeEventListener('abort', end);
    onEnd?.();
  };
  if (over.closed) {
    release();
    return;
  }
  over.once('close', release);
  until?.addEventListener('abort', end, { once: true });
  if (until?.aborted === true) end();
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
