/**
 * The daemon's doors: JSON-RPC over HTTP and WebSocket, events, metrics and health, on a unix socket and on TCP.
 *
 * Closing goes in the order in which nothing is lost: who waits for something stops waiting, streams end, and calls of capabilities that would begin are
 * refused; those under way are finished and answered, for a while; what is left then is stopped, and told so. Only then are there no new connections: as long as it drains,
 * whoever asks is told that it does.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tellStanding } from '@warren/platform';
import { DEFAULT_WORKSPACE, Fault, isLoopback } from '@warren/protocol';
import { within } from '../internal/within.ts';
import { type AcceptSocket, createAcceptSocket } from './accept-socket.ts';
import { createGateway } from './create-gateway.ts';
import { createHttpServer } from './create-http-server.ts';
import { type Entry, listen } from './entry.ts';
import type { Gateway } from './gateway.ts';
import { handleRequest } from './handle-request.ts';
import type { ListenAddress } from './listen-address.ts';
import { refuse } from './reply.ts';
import type { Served, ServeOptions } from './served.ts';
import { TlsDoor } from './tls/tls-door.ts';

/** Listens everywhere or nowhere. Throws what `listen` throws. */
export async function serve(options: ServeOptions): Promise<Served> {
  const doors = new Doors(options);
  try {
    for (const address of options.listen) await doors.open(address);
  } catch (error) {
    await doors.close({ drainMs: 0 });
    throw error;
  }
  return doors;
}

function hostsOf({ listen: addresses, origins = [] }: ServeOptions): readonly string[] {
  const own = addresses.flatMap((address) => (address.kind === 'tcp' ? [address.host] : []));
  return [...own, ...origins.map((origin) => new URL(origin).hostname.replace(/^\[|\]$/g, ''))];
}

const DROP_LOG_MS = 10_000;
/** After the drain: for calls that are cut off to end, and for what they came to to be said. */
const LAST_ANSWERS_MS = 3_000;

class Doors implements Served {
  readonly addresses: string[] = [];
  readonly #gateway: Gateway;
  /** Lets what acts for agents come to an end. */
  readonly #drain: (drainMs: number) => Promise<void>;
  readonly #acceptSocket: AcceptSocket;
  readonly #origins: readonly string[];
  readonly #tls: TlsDoor | undefined;
  readonly #stopping = new AbortController();
  /** Resolves when there is no more time to finish anything. */
  readonly #over = Promise.withResolvers<void>();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #servers: Server[] = [];
  readonly #connections = new Set<Socket>();
  /** Requests under way on each connection that has any. */
  readonly #requests = new WeakMap<Socket, number>();
  #drained: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #isClosed = false;
  #told: Promise<void> = Promise.resolve();
  #dropped = 0;
  #dropsLoggedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ServeOptions) {
    const { platform } = options;
    this.#gateway = createGateway(options, this.#stopping.signal, this);
    this.#drain = async (drainMs) => await platform?.drain({ drainMs });
    this.#acceptSocket = createAcceptSocket(this.#gateway);
    this.#origins = options.origins ?? [];
    if (options.tls === undefined) return;
    this.#tls = new TlsDoor(options.tls, hostsOf(options), this.#gateway, (reason) => this.#tellCertificate(reason));
    this.#tellCertificate(undefined); // What a life before has told is mended, or we would not be here.
  }

  get fingerprint(): string | undefined {
    return this.#tls?.fingerprint;
  }

  reload(): void {
    this.#tls?.reload({ isAsked: true });
  }

  get connections(): number {
    return this.#connections.size;
  }

  async open(address: ListenAddress): Promise<void> {
    const tls = address.kind === 'tcp' ? this.#tls : undefined;
    const server = tls === undefined ? createHttpServer(this.#gateway.limits) : await tls.createServer();
    this.#servers.push(server);
    const { entry, address: name } = await listen(server, address, { isTls: tls !== undefined, origins: this.#origins });
    // Nothing was accepted yet: that takes a turn of the loop.
    this.#attach(server, entry);
    this.addresses.push(name);
    this.#gateway.log.info('Listening', { address: name });
    if (address.kind === 'tcp' && tls === undefined && !isLoopback(address.host)) {
      this.#gateway.log.warn('Tokens travel in clear text to this address: let only a network you trust reach it', { address: name });
    }
  }

  close({ drainMs = this.#gateway.limits.drainMs }: { readonly drainMs?: number | undefined } = {}): Promise<void> {
    if (!this.#isClosed) {
      const { log } = this.#gateway;
      this.#timers.push(setTimeout(() => this.#over.resolve(), drainMs).unref());
      this.#drained = this.#drain(drainMs).catch((error: unknown) =>
        log.error('Not everything could be finished', { reason: String(error) }),
      );
    }
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #attach(server: Server, entry: Entry): void {
    server.on('connection', (socket) => {
      this.#connections.add(socket);
      socket.once('close', () => this.#connections.delete(socket));
    });
    // Accepting failed, for lack of descriptors perhaps: who asked comes again.
    server.on('error', (error) => this.#gateway.log.error('A connection was not accepted', { reason: error.message }));
    server.on('drop', () => this.#noteDrop());
    server.on('request', (request, response) => void this.#handle(server, request, response, entry, false));
    server.on('checkContinue', (request, response) => void this.#handle(server, request, response, entry, true));
    server.on('upgrade', (request, stream, head) => void this.#acceptSocket(request, stream, head, entry));
  }

  /** Never rejects. */
  async #handle(server: Server, request: IncomingMessage, response: ServerResponse, entry: Entry, isWaitingToSend: boolean): Promise<void> {
    const { socket } = request;
    const { limits, stopping } = this.#gateway;
    const requests = (this.#requests.get(socket) ?? 0) + 1;
    this.#requests.set(socket, requests);
    response.once('close', () => {
      this.#requests.set(socket, (this.#requests.get(socket) ?? 1) - 1);
      // Only now is its connection idle.
      if (stopping.aborted) setImmediate(() => server.closeIdleConnections());
    });
    if (requests > limits.callsPerConnectionMax) {
      return refuse(response, {
        fault: new Fault('busy', `Cannot answer: ${limits.callsPerConnectionMax} requests of this connection are under way`),
      });
    }
    await handleRequest(request, response, entry, this.#gateway, isWaitingToSend);
  }

  /** As long as it is so, an alert says it. */
  #tellCertificate(reason: string | undefined): void {
    const { kernel, log } = this.#gateway;
    const message = reason === undefined ? undefined : `The certificate on disk cannot be used; the one before stays\n${reason}`;
    this.#told = this.#told
      .then(() => tellStanding(kernel.workspace(DEFAULT_WORKSPACE).alerts, 'certificate', message))
      .catch((error: unknown) => log.error('No alert says how it is with the certificate', { reason: String(error) }));
  }

  /** Whoever floods the door does not flood the log. */
  #noteDrop(): void {
    this.#dropped++;
    const now = performance.now();
    if (now - this.#dropsLoggedAt < DROP_LOG_MS) return;
    this.#dropsLoggedAt = now;
    this.#gateway.log.warn('Connections were dropped: there are too many', { connections: this.connections, dropped: this.#dropped });
  }

  async #close(): Promise<void> {
    const { dispatcher, mcp, log } = this.#gateway;
    const startedMs = performance.now();
    this.#stopping.abort();
    const idle = (): Promise<unknown> => Promise.all([this.#drained, dispatcher.idle(), mcp.idle()]);
    const isIdle = await this.#unlessOver(idle());
    const closed = Promise.all(this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
    const isDrained = await this.#unlessOver(Promise.all([closed, idle()]));
    if (!isDrained) {
      const waitedMs = Math.round(performance.now() - startedMs);
      log.warn('Stopping although not everything is answered', { connections: this.connections, waited_ms: waitedMs });
      // Calls are told to end by now, and their callers are told. A request that is not whole has nothing to wait for.
      if (!isIdle) await within(LAST_ANSWERS_MS, Promise.all([closed, idle()]));
    }
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const connection of this.#connections) connection.destroy();
    await closed;
    this.#tls?.[Symbol.dispose]();
    await this.#told;
    this.#gateway.delayFile?.write();
    await this.#gateway.refused?.close();
    this.#gateway.feeds[Symbol.dispose]();
    mcp[Symbol.dispose]();
  }

  /** Whether it was done before there was no more time. */
  async #unlessOver(work: Promise<unknown>): Promise<boolean> {
    return await Promise.race([work.then(() => true), this.#over.promise.then(() => false)]);
  }
}
