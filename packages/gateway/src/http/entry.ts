/** The door a connection came through, and what is trusted there. */
import type { Server } from 'node:http';
import { Fault } from '@warren/protocol';
import { formatAddress, hostAndPort, type ListenAddress } from './listen-address.ts';
import { prepareSocketPath, withPrivateMode } from './unix-socket.ts';

export type Entry =
  /** Only the owner of the daemon gets through. */
  | { readonly kind: 'unix' }
  /**
   * Anybody who can reach it, and pages in their browsers. `origins`: our own, by what the Host header says then; a page of somebody else can make
   * it say none of these.
   */
  | { readonly kind: 'tcp'; readonly origins: ReadonlyMap<string, string> };

/** How browsers reach it: over TLS or not, and by which origins besides its addresses. */
export type Web = { readonly isTls: boolean; readonly origins: readonly string[] };

export type Listening = { readonly entry: Entry; readonly address: string };

/** Throws `busy` when the address is taken, `permission_denied`, and `invalid_argument` for an address this machine does not have. */
export async function listen(server: Server, address: ListenAddress, web: Web): Promise<Listening> {
  if (address.kind === 'unix') await prepareSocketPath(address.path);
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error): void => reject(explain(error, address));
    server.once('error', fail);
    const done = (): void => {
      server.off('error', fail);
      resolve();
    };
    // Not `exclusive: false` in a cluster: there the socket would be made by another process, with its mask.
    if (address.kind === 'unix') withPrivateMode(() => server.listen({ path: address.path, exclusive: true }, done));
    else server.listen({ host: address.host, port: address.port, exclusive: true }, done);
  });
  if (address.kind === 'unix') return { entry: { kind: 'unix' }, address: formatAddress(address) };
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('A TCP server has no port');
  return {
    entry: { kind: 'tcp', origins: originsOf(address.host, bound.port, web) },
    address: formatAddress({ ...address, port: bound.port }),
  };
}

/** Clients leave out the port that HTTP has by itself. */
function originsOf(host: string, port: number, { isTls, origins }: Web): ReadonlyMap<string, string> {
  const scheme = isTls ? 'https' : 'http';
  const usual = isTls ? 443 : 80;
  const local = ['127.0.0.1', 'localhost', '::1', host.toLowerCase()].map((name) => `${scheme}://${hostAndPort(name, port)}`);
  const all = [...local, ...origins].map((origin) => new URL(origin));
  const named = all.map(({ host: name, origin }) => [name, origin] as const);
  return new Map(port === usual ? [...named, ...all.map(({ hostname, origin }) => [`${hostname}:${usual}`, origin] as const)] : named);
}

function explain(error: Error, address: ListenAddress): unknown {
  const name = formatAddress(address);
  const details = { address: name };
  switch ('code' in error ? error.code : undefined) {
    case 'EADDRINUSE':
      return new Fault('busy', `Cannot listen on ${name}: another program listens there`, { details, cause: error });
    case 'EACCES':
    case 'EPERM':
      return new Fault('permission_denied', `Cannot listen on ${name}: this user may not`, { details, cause: error });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EINVAL':
    case 'ENAMETOOLONG':
      return new Fault('invalid_argument', `Cannot listen on ${name}: this machine has no such address`, { details, cause: error });
    default:
      return error;
  }
}
