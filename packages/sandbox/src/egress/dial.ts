/** Connections to addresses that were checked: to these and to no name. */
import { connect, type Socket } from 'node:net';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import { type EgressClock, untilDone } from './deadline.ts';
import { EgressRefusal } from './egress.ts';

export type Pinned = { readonly host: string; readonly port: number; readonly addresses: readonly string[] };

/** Opens a connection to one of the addresses, in turn. The caller owns the socket. Throws `EgressRefusal` with `not_connected`, or the signal's reason. */
export type Dial = (pinned: Pinned, signal: AbortSignal) => Promise<Socket>;

export type DialOptions = {
  readonly clock: EgressClock;
  /** How long one address has to answer when there is another one to try. */
  readonly attemptMs?: number | undefined;
};

const ATTEMPT_MS = 5_000;
const ATTEMPTS_MAX = 4;

export function pinnedDial({ clock, attemptMs = ATTEMPT_MS }: DialOptions): Dial {
  return async (pinned, signal) => {
    const tried = pinned.addresses.slice(0, ATTEMPTS_MAX);
    let failure: unknown;
    for (const [index, address] of tried.entries()) {
      try {
        return await dialOne(address, pinned, signal, index === tried.length - 1 ? undefined : { clock, attemptMs });
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        failure = error;
      }
    }
    const why = failure instanceof Error && 'code' in failure ? String(failure.code) : 'no address answered';
    throw new EgressRefusal('not_connected', pinned.host, `Cannot connect to ${pinned.host} on port ${pinned.port}: ${why}`, {
      cause: failure,
    });
  };
}

async function dialOne(address: string, { port }: Pinned, signal: AbortSignal, limit: Required<DialOptions> | undefined): Promise<Socket> {
  // The address is no name, so nothing is looked up; if that ever changes it fails here instead of connecting elsewhere.
  const socket = connect({
    host: address,
    port,
    autoSelectFamily: false,
    lookup: (_name, _options, call) => call(new Error('a name to connect to'), ''),
  });
  const giveUp = limit?.clock.after(limit.attemptMs ?? ATTEMPT_MS, () =>
    socket.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })),
  );
  try {
    await untilDone<void>(
      signal,
      (done, fail) => {
        socket.once('connect', done);
        socket.once('error', fail);
      },
      () => socket.destroy(),
    );
  } finally {
    giveUp?.();
  }
  socket.on('error', ignore);
  return socket.setNoDelay(true);
}

export type TlsOptions = {
  /** Certificates of authorities, instead of those that Node trusts. */
  readonly ca?: string | readonly string[] | undefined;
};

/** TLS over a connection, with the certificate checked for the name (or address) that was asked for. Whatever the environment says. */
export async function secure(
  socket: Socket,
  host: string,
  address: string | undefined,
  options: TlsOptions,
  signal: AbortSignal,
): Promise<Socket> {
  const { connect: connectTls, createSecureContext } = await import('node:tls'); // Takes its time to load, and a start has none.
  const tls = connectTls({
    socket,
    host: address ?? host,
    ...(address === undefined ? { servername: host } : {}), // An address is no server name; the certificate has to hold it.
    ALPNProtocols: ['http/1.1'],
    secureContext: contextOf(options, createSecureContext),
    rejectUnauthorized: true,
  });
  try {
    await untilDone<void>(
      signal,
      (done, fail) => {
        tls.once('secureConnect', done);
        tls.once('error', fail);
        tls.once('close', () => fail(new Error('the connection ended')));
      },
      () => tls.destroy(),
    );
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'the connection ended';
    throw new EgressRefusal('tls_failed', host, `Cannot speak TLS with ${host}: ${why}`, { cause: error });
  }
  tls.on('error', ignore);
  return tls;
}

/** Reading a hundred authorities takes milliseconds: once for all connections with the same. */
function contextOf(options: TlsOptions, create: (options: SecureContextOptions) => SecureContext): SecureContext {
  const context =
    contexts.get(options) ?? create({ minVersion: 'TLSv1.2', ...(options.ca === undefined ? {} : { ca: [options.ca].flat() }) });
  contexts.set(options, context);
  return context;
}

const contexts = new WeakMap<TlsOptions, SecureContext>();

/** Whoever uses the connection hears of its end by its stream; without a listener the process would end with it. */
function ignore(): void {}
