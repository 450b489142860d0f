/** Where a daemon listens, in the words of a command line: `unix:PATH` and `tcp:HOST:PORT`. */
import { isIP } from 'node:net';
import { Fault } from '@warren/protocol';
import { safeText } from './safe-text.ts';

export type ListenAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** The kernel keeps 108 bytes for it, the last of them zero (unix(7)). */
const SOCKET_PATH_BYTES_MAX = 107;

/** Paths must be absolute, or are taken from `directory`. Port 0 lets the system choose. Throws `invalid_argument`. */
export function parseListenAddress(text: string, directory: string): ListenAddress {
  if (text.startsWith('unix:')) return parseUnix(text, directory);
  const [, host = '', port = ''] = /^tcp:(\[[\da-fA-F:.]+\]|[^:[\]]*):(\d{1,5})$/.exec(text) ?? [];
  if (port === '') refuse(text, 'it is unix:PATH or tcp:HOST:PORT');
  const name = host.replace(/^\[|\]$/g, '');
  if (isIP(name) === 0 && name !== 'localhost') refuse(text, 'the host must be an address of this machine, as 127.0.0.1 or [::1]');
  if (Number(port) > 65_535) refuse(text, 'the port must be at most 65535');
  return { kind: 'tcp', host: name, port: Number(port) };
}

function parseUnix(text: string, directory: string): ListenAddress {
  const written = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, ''); // unix:///path, as others write it.
  if (written === '' || written.includes('\0')) refuse(text, 'it needs a path');
  const path = written.startsWith('/') ? written : `${directory === '/' ? '' : directory}/${written}`;
  requireShortPath(path);
  return { kind: 'unix', path };
}

/** Throws `invalid_argument` for a path that no unix socket can have. */
export function requireShortPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= SOCKET_PATH_BYTES_MAX) return;
  throw new Fault(
    'invalid_argument',
    `Cannot listen on unix:${safeText(path)}: the path has ${bytes} bytes, a socket may have ${SOCKET_PATH_BYTES_MAX}`,
    { details: { option: '--listen', fix: 'warren serve --listen unix:/run/user/…/warren.sock, or a shorter --state' } },
  );
}

/** As it was, or could have been, written. */
export function formatListenAddress(address: ListenAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return `tcp:${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

/** For a browser or curl. */
export function urlOf({ host, port }: Extract<ListenAddress, { kind: 'tcp' }>, isTls: boolean): string {
  return `${isTls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function refuse(text: string, why: string): never {
  throw new Fault('invalid_argument', `Cannot use "${safeText(text)}" for --listen: ${why}`, { details: { option: '--listen' } });
}
