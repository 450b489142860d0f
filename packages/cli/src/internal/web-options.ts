/** How the TCP addresses of a daemon are reached: over TLS, in plain text where that was asked for, through which proxies and by which names. */
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { Fault, isLoopback } from '@warren/protocol';
import type { ListenAddress } from './listen-address.ts';
import { safeText } from './safe-text.ts';

export type WebFlags = {
  readonly tls?: 'self-signed';
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly plain?: true;
  readonly origin?: readonly string[];
  readonly trustProxy?: readonly string[];
};

export type WebOptions = {
  readonly tls:
    | { readonly kind: 'files'; readonly cert: string; readonly key: string }
    | { readonly kind: 'self-signed'; readonly directory: string }
    | undefined;
  readonly origins: readonly string[];
  readonly trustedProxies: readonly string[];
};

/** Throws `invalid_argument`, also for an address that others can reach, when what is sent there could be read on the way and nobody said that is meant. */
export function webOptions(flags: WebFlags, listen: readonly ListenAddress[], stateDirectory: string, directory: string): WebOptions {
  const tls = tlsOf(flags, stateDirectory, directory);
  const open = listen.find((address) => address.kind === 'tcp' && !isLoopback(address.host));
  if (open?.kind === 'tcp' && tls === undefined && flags.plain !== true) {
    refuse(`Cannot listen on ${open.host} without TLS: tokens and passphrases could be read on the way`, '--listen', {
      fix: 'add --tls self-signed, or --tls-cert and --tls-key; or --plain, where something else encrypts',
    });
  }
  return { tls, origins: (flags.origin ?? []).map(readOrigin), trustedProxies: (flags.trustProxy ?? []).map(readNetwork) };
}

/** The same, for the command line of a daemon in the background. */
export function webWords({ tls, origins, trustedProxies }: WebOptions, { plain }: WebFlags): readonly string[] {
  return [
    ...(tls?.kind === 'files' ? ['--tls-cert', tls.cert, '--tls-key', tls.key] : []),
    ...(tls?.kind === 'self-signed' ? ['--tls', 'self-signed'] : []),
    ...(plain === true ? ['--plain'] : []),
    ...origins.flatMap((origin) => ['--origin', origin]),
    ...trustedProxies.flatMap((proxy) => ['--trust-proxy', proxy]),
  ];
}

function tlsOf({ tls, tlsCert, tlsKey, plain }: WebFlags, stateDirectory: string, directory: string): WebOptions['tls'] {
  const isAsked = tls !== undefined || tlsCert !== undefined || tlsKey !== undefined;
  if (isAsked && plain === true) refuse('Cannot serve TLS and not: leave out --plain, or what asks for TLS', '--plain');
  if (tls !== undefined) {
    if (tlsCert !== undefined || tlsKey !== undefined)
      refuse('Cannot use a certificate of its own and a given one: leave out one', '--tls');
    return { kind: 'self-signed', directory: resolve(stateDirectory, 'tls') };
  }
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) refuse('Cannot serve TLS: it takes both --tls-cert and --tls-key', '--tls-cert');
  return { kind: 'files', cert: resolve(directory, tlsCert), key: resolve(directory, tlsKey) };
}

function readOrigin(text: string): string {
  const url = URL.parse(text);
  if (url !== null && ['http:', 'https:'].includes(url.protocol) && [url.origin, `${url.origin}/`].includes(text)) return url.origin;
  return refuse(`Cannot use "${safeText(text)}" for --origin: it is https://NAME or https://NAME:PORT and nothing more`, '--origin');
}

function readNetwork(text: string): string {
  const [, address = '', bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  if (family !== 0 && (bits === undefined || Number(bits) <= (family === 4 ? 32 : 128))) return text;
  return refuse(`Cannot use "${safeText(text)}" for --trust-proxy: it is an address or a network, as 10.0.0.0/8`, '--trust-proxy');
}

function refuse(message: string, option: string, more: { readonly fix?: string } = {}): never {
  throw new Fault('invalid_argument', message, { details: { option, ...more } });
}
