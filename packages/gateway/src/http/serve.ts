/**
 * The daemon's doors: JSON-RPC over HTTP and WebSocket, events, metrics and health, on a unix socket and on TCP.
 *
 * Closing goes in the order in which nothing is lost: no new connections; who waits for something stops waiting and streams end; what is under
 * way is finished and answered, for a while; what is left then is cut.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Kernel } from '@warren/kernel';
import { Fault } from '@warren/protocol';
import type { Caller } from '../caller/caller.ts';
import { createDispatcher } from '../jsonrpc/create-dispatcher.ts';
import { createCallMetrics } from '../observe/call-metrics.ts';
import { type Log, SILENT } from '../observe/log.ts';
import { observeBoth, traceCalls } from '../observe/observe-calls.ts';
import { createMethods } from '../operations/create-methods.ts';
import type { Daemon } from '../operations/daemon.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { type AcceptSocket, createAcceptSocket } from './accept-socket.ts';
import { type Entry, listen } from './entry.ts';
import { FailedLogins } from './failed-logins.ts';
import type { Gateway } from './gateway.ts';
import { handleRequest } from './handle-request.ts';
import { HeldBytes } from './held-bytes.ts';
import type { ListenAddress } from './listen-address.ts';
import { refuse } from './reply.ts';
import { SERVE_LIMITS, type ServeLimits } from './serve-limits.ts';
import { Slots } from './slots.ts';

export type ServeOptions = {
  /** Stays the caller's: it is not closed with the doors. */
  readonly kernel: Kernel;
  readonly listen: readonly ListenAddress[];
  readonly version: string;
  readonly log?: Log | undefined;
  /** Gets a span for each call. Stays the caller's, too. */
  readonly tracing?: Tracing | undefined;
  /** Somebody with the right to has asked the daemon to stop. Closing is up to who listens to this. */
  readonly onStopAsked?: ((drainMs: number) => void) | undefined;
  readonly limits?: Partial<ServeLimits> | undefined;
};

export interface Served extends AsyncDisposable {
  /** Where it listens, with the ports that were chosen: `unix:PATH`, `tcp:HOST:PORT`. */
  readonly addresses: readonly string[];
  readonly connections: number;
  /** Twice is harmless. `drainMs`: how long to wait for what is under way. */
  close(options?: { readonly drainMs?: number | undefined }): Promise<void>;
}

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

class Doors implements Served {
  readonly addresses: string[] = [];
  readonly #gateway: Gateway;
  readonly #acceptSocket: AcceptSocket;
  readonly #stopping = new AbortController();
  readonly #servers: Server[] = [];
  readonly #connections = new Set<Socket>();
  /** Requests under way on each connection that has any. */
  readonly #requests = new WeakMap<Socket, number>();
  #closing: Promise<void> | undefined;

  constructor(options: ServeOptions) {
    this.#gateway = createGateway(options, this.#stopping.signal, this);
    this.#acceptSocket = createAcceptSocket(this.#gateway);
  }

  get connections(): number {
    return this.#connections.size;
  }

  async open(address: ListenAddress): Promise<void> {
    const server = createHttpServer(this.#gateway.limits);
    this.#servers.push(server);
    const { entry, address: name } = await listen(server, address);
    // Nothing was accepted yet: that takes a turn of the loop.
    this.#attach(server, entry);
    this.addresses.push(name);
    this.#gateway.log.info('Listening', { address: name });
  }

  close({ drainMs = this.#gateway.limits.drainMs }: { readonly drainMs?: number | undefined } = {}): Promise<void> {
    this.#closing ??= this.#close(drainMs);
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
    server.on('drop', () => this.#gateway.log.warn('A connection was dropped: there are too many', { connections: this.connections }));
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

  async #close(drainMs: number): Promise<void> {
    const { dispatcher, log } = this.#gateway;
    const closed = Promise.all(this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
    this.#stopping.abort();
    const isDrained = await within(drainMs, Promise.all([closed, dispatcher.idle()]));
    if (!isDrained) log.warn('Stopping although not everything is answered', { connections: this.connections, waited_ms: drainMs });
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }
}

/** Whether it was done in that time. */
async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

function createHttpServer(limits: ServeLimits): Server {
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

function createGateway(options: ServeOptions, stopping: AbortSignal, served: Served): Gateway {
  const { kernel, version, log = SILENT, tracing, onStopAsked = () => {} } = options;
  const limits: ServeLimits = { ...SERVE_LIMITS, ...options.limits };
  const calls = createCallMetrics();
  const metrics = async (): Promise<string> => `${await kernel.metrics()}${calls.text()}`;
  const methods = createMethods({ kernel, metrics, daemon: createDaemon(version, stopping, served, onStopAsked) });
  const dispatcher = createDispatcher<Caller>({
    find: (name) => methods.get(name),
    log,
    observe: tracing === undefined ? calls.observe : observeBoth(calls.observe, traceCalls(tracing)),
    createErrorId: () => `error_${randomBytes(8).toString('hex')}`,
    limits,
  });
  return {
    kernel,
    dispatcher,
    metrics,
    version,
    log,
    limits,
    logins: new FailedLogins(limits.loginDelayMs),
    held: new HeldBytes(limits.heldBytesMax),
    streams: new Slots(limits.streamsMax),
    sockets: new Slots(limits.socketsMax),
    stopping,
  };
}

function createDaemon(version: string, stopping: AbortSignal, served: Served, stop: (drainMs: number) => void): Daemon {
  return {
    version,
    startedAt: Date.now(),
    get addresses() {
      return served.addresses;
    },
    get connections() {
      return served.connections;
    },
    get isDraining() {
      return stopping.aborted;
    },
    stop,
  };
}
