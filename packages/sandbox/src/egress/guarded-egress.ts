/**
 * The order of the checks: the rules, before anything leaves this machine; one look-up; every address; the connection to a checked address; its peer. Each
 * redirect starts again at the first. The parts that touch the network are handed in.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Fault } from '@warren/protocol';
import { admit, admitRequest } from './admission.ts';
import { canonicalAddress, checkAddress, type PrivateNetworks, readPrivateNetworks } from './check-address.ts';
import { Deadline, type EgressClock } from './deadline.ts';
import { type Dial, type Pinned, secure, type TlsOptions } from './dial.ts';
import { type Egress, EgressRefusal, type EgressRequest, type EgressResponse, type EgressRules } from './egress.ts';
import { exchange } from './exchange.ts';
import { followRedirect } from './follow-redirect.ts';
import { readBody } from './read-body.ts';
import { type Hop, readLimits, readRequest } from './read-request.ts';
import { readHost } from './read-target.ts';
import type { Resolve } from './resolve-host.ts';
import { headersFrom } from './response-headers.ts';
import { Traffic } from './traffic.ts';

export type EgressParts = {
  readonly resolve: Resolve;
  readonly dial: Dial;
  readonly tls: TlsOptions;
  readonly clock: EgressClock;
  readonly privateNetworks: PrivateNetworks;
  /** Of this machine, as they are now. */
  readonly ownAddresses: () => readonly string[];
  /** Whether a peer at this address may be spoken to, when these were dialled. */
  readonly isPeer: (peer: string, dialled: readonly string[]) => boolean;
  readonly openMax: number;
};

/** What one request may reach. */
type Scope = { readonly rules: EgressRules; readonly networks: PrivateNetworks; readonly own: ReadonlySet<string> };
type Place = { readonly host: string; readonly address: string | undefined };
type Answer = { readonly incoming: IncomingMessage; readonly socket: Socket };

const LOOKUP_MS = 10_000;
/** What framing may add to the bytes of a body: chunks of one byte each are six. */
const FRAMING_FACTOR = 6;
const HEADS_BYTES_MAX = 1024 * 1024;
const EMPTY_STATUS: ReadonlySet<number> = new Set([204, 205, 304]);
const PROBE_MS_MAX = 600_000;
const CONNECT_MS = 30_000;
const PORT_MAX = 65_535;

export class GuardedEgress implements Egress {
  readonly #parts: EgressParts;
  /** What ends each request that is open. */
  readonly #open = new Set<AbortController>();
  #isDisposed = false;

  constructor(parts: EgressParts) {
    this.#parts = parts;
  }

  async fetch(rules: EgressRules, request: EgressRequest, signal: AbortSignal): Promise<EgressResponse> {
    const first = readRequest(request);
    const limits = readLimits(request, first.target);
    const scope = this.#scope(rules);
    const work = this.#begin(limits.deadlineMs, first.target.host, signal);
    try {
      const redirects: { from: string; to: string; status: number }[] = [];
      let hop = first;
      for (;;) {
        const answer = await this.#ask(scope, hop, limits.bodyBytesMax, work);
        const status = answer.incoming.statusCode ?? 0;
        const next = limits.redirectsMax === 0 ? undefined : followRedirect(hop, status, answer.incoming.headers.location);
        if (next === undefined) return responseOf(answer, hop, limits.bodyBytesMax, redirects, work);
        answer.socket.destroy(); // What a redirect says besides where to go is not read.
        if (redirects.length >= limits.redirectsMax)
          throw new EgressRefusal(
            'too_many_redirects',
            hop.target.host,
            `Cannot follow redirects further: the limit is ${limits.redirectsMax}`,
          );
        redirects.push({ from: hop.target.url, to: next.target.url, status });
        hop = next;
      }
    } catch (error) {
      if (error instanceof EgressRefusal) error.bytes = work.traffic.bytes;
      work.close();
      throw error;
    }
  }

  async lookup(rules: EgressRules, host: string, signal: AbortSignal): Promise<readonly string[]> {
    const scope = this.#scope(rules);
    const place = readHost(host);
    admit(rules, place.host);
    const work = this.#begin(LOOKUP_MS, place.host, signal);
    try {
      return await this.#addresses(place, scope, work.signal);
    } finally {
      work.close();
    }
  }

  async connect(
    rules: EgressRules,
    { host, port }: { readonly host: string; readonly port: number },
    signal: AbortSignal,
  ): Promise<Socket> {
    const scope = this.#scope(rules);
    const place = readHost(host);
    requireWhole('port', port, PORT_MAX, place.host);
    admitRequest(scope.rules, place.host, port);
    const work = this.#begin(CONNECT_MS, place.host, signal);
    try {
      const addresses = await this.#addresses(place, scope, work.signal);
      const socket = await this.#connect({ host: place.host, port, addresses }, scope, work);
      socket.allowHalfOpen = true; // Which side ends first is for those who speak over it.
      work.hold(socket);
      return socket;
    } catch (error) {
      work.close();
      throw error;
    }
  }

  async probe(
    rules: EgressRules,
    { host, port, timeoutMs }: { readonly host: string; readonly port: number; readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<{ readonly latencyMs: number }> {
    const scope = this.#scope(rules);
    const place = readHost(host);
    requireWhole('port', port, PORT_MAX, place.host);
    requireWhole('timeoutMs', timeoutMs, PROBE_MS_MAX, place.host);
    admit(rules, place.host, port);
    const work = this.#begin(timeoutMs, place.host, signal);
    try {
      const addresses = await this.#addresses(place, scope, work.signal);
      const startedAt = this.#parts.clock.now();
      (await this.#connect({ host: place.host, port, addresses }, scope, work)).destroy();
      return { latencyMs: this.#parts.clock.now() - startedAt };
    } finally {
      work.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    for (const ending of [...this.#open]) ending.abort(new Fault('aborted', 'Cannot go on with the request: the egress guard is closed'));
  }

  async #ask(scope: Scope, hop: Hop, bodyBytesMax: number, work: Work): Promise<Answer> {
    const { target } = hop;
    admitRequest(scope.rules, target.host, target.port);
    const addresses = await this.#addresses(target, scope, work.signal);
    const tcp = await this.#connect({ host: target.host, port: target.port, addresses }, scope, work);
    const socket = target.scheme === 'http' ? tcp : await secure(tcp, target.host, target.address, this.#parts.tls, work.signal);
    work.signal.addEventListener('abort', () => socket.destroy(), { once: true });
    return { socket, incoming: await exchange(socket, hop, FRAMING_FACTOR * bodyBytesMax + HEADS_BYTES_MAX, work.signal) };
  }

  #scope(rules: EgressRules): Scope {
    const networks = [...this.#parts.privateNetworks, ...readPrivateNetworks(rules.privateNetworks)];
    return { rules, networks, own: new Set(this.#parts.ownAddresses()) };
  }

  /** All of them, or none: a name that stands for a public and for a private address is an attack or a mistake. */
  async #addresses({ host, address }: Place, { networks, own }: Scope, signal: AbortSignal): Promise<readonly string[]> {
    signal.throwIfAborted();
    const addresses = address === undefined ? await this.#parts.resolve(host, signal) : [address];
    signal.throwIfAborted();
    if (addresses.length === 0) throw new EgressRefusal('not_resolved', host, `Cannot resolve ${host}: it has no address`);
    for (const each of addresses) {
      const verdict = checkAddress(each, networks, own);
      if (verdict.kind === 'allowed') continue;
      const why = address === undefined ? 'it has an address that is not public' : `its address is not public (${verdict.why})`;
      throw new EgressRefusal('address_not_public', host, `Cannot reach ${host}: ${why}`);
    }
    return addresses;
  }

  async #connect(pinned: Pinned, { networks, own }: Scope, work: Work): Promise<Socket> {
    const { host, port, addresses } = pinned;
    const socket = await this.#parts.dial(pinned, work.signal);
    work.traffic.add(socket);
    work.signal.addEventListener('abort', () => socket.destroy(), { once: true });
    if (work.signal.aborted) {
      socket.destroy();
      throw work.signal.reason;
    }
    if (socket.remoteAddress === undefined)
      throw new EgressRefusal('not_connected', host, `Cannot connect to ${host} on port ${port}: the connection ended at once`);
    const peer = canonicalAddress(socket.remoteAddress) ?? '';
    const isRight =
      socket.remotePort === port && checkAddress(peer, networks, own).kind === 'allowed' && this.#parts.isPeer(peer, addresses);
    if (isRight) return socket;
    socket.destroy();
    throw new EgressRefusal(
      'address_not_public',
      host,
      `Cannot reach ${host}: the connection leads to another address than the one that was checked`,
    );
  }

  #begin(ms: number, host: string, signal: AbortSignal): Work {
    if (this.#isDisposed) throw new Fault('unavailable', 'Cannot reach hosts: the egress guard is closed', { details: { is_sent: false } });
    if (this.#open.size >= this.#parts.openMax)
      throw new Fault('busy', `Cannot reach ${host}: ${this.#open.size} connections are open, the limit is ${this.#parts.openMax}`);
    const ending = new AbortController();
    const ended = AbortSignal.any([signal, ending.signal]);
    const deadline = new Deadline(this.#parts.clock, ms, host, ended);
    this.#open.add(ending);
    const traffic = new Traffic();
    const close = (): void => {
      this.#open.delete(ending);
      deadline[Symbol.dispose]();
      traffic.end();
    };
    const hold = (socket: Socket): void => {
      deadline[Symbol.dispose]();
      const onEnd = (): void => void socket.destroy();
      ended.addEventListener('abort', onEnd, { once: true });
      socket.once('close', () => {
        ended.removeEventListener('abort', onEnd);
        close();
      });
      if (ended.aborted) throw ended.reason;
    };
    return { signal: deadline.signal, traffic, close, hold };
  }
}

/** A request from its first look-up to its last byte. */
type Work = {
  readonly signal: AbortSignal;
  readonly traffic: Traffic;
  readonly close: () => void;
  /** Takes the deadline off: it goes on until the socket closes, the caller aborts or the guard is disposed. */
  readonly hold: (socket: Socket) => void;
};

function responseOf(
  { incoming }: Answer,
  { target, method }: Hop,
  bytesMax: number,
  redirects: EgressResponse['redirects'],
  work: Work,
): EgressResponse {
  const { signal, traffic, close } = work;
  // A response nobody reads ends with the deadline, and gives its place back then.
  signal.addEventListener('abort', close, { once: true });
  incoming.on('error', () => {}); // Whoever reads the body is told; nobody else has to be.
  const status = incoming.statusCode ?? 0;
  const isEmpty = method === 'HEAD' || EMPTY_STATUS.has(status);
  const bytes = (): number => traffic.bytes;
  const body = readBody(incoming, isEmpty, { target, bytesMax, signal, bytes, close });
  return {
    status,
    headers: headersFrom(incoming.rawHeaders),
    body,
    url: target.url,
    redirects,
    bytes,
    dispose: close,
  };
}

function requireWhole(name: string, value: number, most: number, host: string): void {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return;
  throw new EgressRefusal('invalid_request', host, `Cannot try ${host}: ${name} is ${String(value)}, not a whole number from 1 to ${most}`);
}
