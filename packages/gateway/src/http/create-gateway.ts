import { randomBytes } from 'node:crypto';
import { BlockList, isIPv4 } from 'node:net';
import { type Kernel, OperationJournal } from '@warren/kernel';
import type { Platform } from '@warren/platform';
import { createId } from '@warren/protocol';
import type { Caller } from '../caller/caller.ts';
import { Places } from '../caller/places.ts';
import { createSeats, type Seats } from '../caller/seats.ts';
import { createCompatMethods } from '../compat/create-compat-methods.ts';
import { Feeds } from '../events/feeds.ts';
import type { Method } from '../jsonrpc/calls.ts';
import { createDispatcher } from '../jsonrpc/create-dispatcher.ts';
import { DISPATCH_LIMITS } from '../jsonrpc/dispatch-limits.ts';
import { McpServer } from '../mcp/mcp-server.ts';
import { createWarrenHosts } from '../mcp/warren/open-warren-host.ts';
import { createCallMetrics } from '../observe/call-metrics.ts';
import { SILENT } from '../observe/log.ts';
import { observeBoth, traceCalls } from '../observe/observe-calls.ts';
import { createMethods } from '../operations/create-methods.ts';
import type { Daemon } from '../operations/daemon.ts';
import { RefusedAttempts } from '../operations/refused-attempts.ts';
import type { Gateway } from './gateway.ts';
import { HeldBytes } from './held-bytes.ts';
import { RequestRates } from './request-rates.ts';
import { SERVE_LIMITS, type ServeLimits } from './serve-limits.ts';
import type { Served, ServeOptions } from './served.ts';
import { DelayFile } from './sign-in/delay-file.ts';
import { GrowingDelays } from './sign-in/growing-delays.ts';
import { OidcProviders } from './sign-in/oidc/oidc-providers.ts';
import { SignInDelays } from './sign-in/sign-in-delays.ts';

/** `stopping` fires when the daemon stops; `served` is what it says about itself. */
export function createGateway(options: ServeOptions, stopping: AbortSignal, served: Served): Gateway {
  const { kernel, platform, version, log = SILENT, tracing, onStopAsked = () => {}, mcp = {} } = options;
  const limits: ServeLimits = { ...SERVE_LIMITS, ...options.limits };
  const calls = createCallMetrics();
  const metrics = async (): Promise<string> => `${await kernel.metrics()}${calls.text()}`;
  const refused = platform === undefined ? undefined : new RefusedAttempts({ audit: platform.audit, now: () => Date.now() });
  const seats = platform === undefined ? undefined : openSeats(kernel, platform, stopping);
  const waits = createWaits(limits);
  const methods = createMethods({
    kernel,
    platform,
    seats,
    metrics,
    daemon: createDaemon(version, stopping, served, onStopAsked),
    waits,
    refused,
  });
  const compat =
    platform === undefined || seats === undefined
      ? NO_METHODS
      : createCompatMethods({ kernel, platform, seats, journal: createJournal(platform) });
  const dispatcher = createDispatcher<Caller>({
    find: (name) => methods.get(name) ?? compat.get(name),
    log,
    observe: tracing === undefined ? calls.observe : observeBoth(calls.observe, traceCalls(tracing)),
    createErrorId: () => `error_${randomBytes(8).toString('hex')}`,
    limits,
  });
  const signIns = new SignInDelays(limits.loginDelayMs);
  const hosts = createWarrenHosts({
    kernel,
    platform,
    version,
    holdMs: () => mcp.approvalHoldMs ?? platform?.config().mcp.approval_hold ?? 0,
    seats,
    waits,
    stopping,
  });
  return {
    kernel,
    dispatcher,
    mcp: new McpServer({ openHost: mcp.openHost ?? hosts.open, log, limits: mcp.limits, onClose: hosts.close }),
    readLimits: { ...DISPATCH_LIMITS, ...limits },
    metrics,
    version,
    log,
    limits,
    logins: new GrowingDelays(limits.loginDelayMs),
    signIns,
    oidc: new OidcProviders(() => platform?.config().sign_in.providers ?? [], limits.issuerMs),
    delayFile: options.delayFile === undefined ? undefined : new DelayFile(options.delayFile, signIns),
    rates: new RequestRates(limits),
    proxies: proxiesOf(options.trustedProxies ?? []),
    held: new HeldBytes(limits.heldBytesMax),
    feeds: new Feeds({ kernel, platform, log }),
    streams: createConnections(limits.streamsMax, limits),
    mcpStreams: createConnections(limits.mcpStreamsMax, limits),
    sockets: createConnections(limits.socketsMax, limits),
    stopping,
    audit: platform?.audit,
    refused,
    runNetworks: platform === undefined ? undefined : { platform, journal: createJournal(platform), open: new Map() },
  };
}

function createJournal({ audit }: Platform): OperationJournal {
  return new OperationJournal({ audit, newId: () => createId('operation', randomBytes) });
}

function proxiesOf(trusted: readonly string[]): BlockList | undefined {
  if (trusted.length === 0) return undefined;
  const list = new BlockList();
  for (const each of trusted) {
    const [address = '', bits] = each.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

const NO_METHODS: ReadonlyMap<string, Method<Caller>> = new Map();

function openSeats(kernel: Kernel, platform: Platform, stopping: AbortSignal): Seats {
  const seats = createSeats(kernel, platform);
  stopping.addEventListener('abort', () => seats[Symbol.dispose](), { once: true });
  return seats;
}

function createWaits({ waitsPerProcessMax, waitsPerMemberMax }: ServeLimits): Places {
  return new Places({ most: Number.POSITIVE_INFINITY, forOperators: 0, perProcess: waitsPerProcessMax, perMember: waitsPerMemberMax });
}

function createConnections(most: number, limits: ServeLimits): Places {
  const { connectionsForOperators, connectionsPerProcessMax, connectionsPerMemberMax } = limits;
  return new Places({
    most,
    forOperators: connectionsForOperators,
    perProcess: connectionsPerProcessMax,
    perMember: connectionsPerMemberMax,
  });
}

function createDaemon(version: string, stopping: AbortSignal, served: Served, stop: (drainMs: number) => void): Daemon {
  return {
    version,
    startedAt: Date.now(),
    get addresses() {
      return served.addresses;
    },
    get fingerprint() {
      return served.fingerprint;
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
