/**
 * Hosts: one (`h`), those one label below a domain (`*.h`), a domain and all below it at any depth (`**.h`), or all (`*`). Each may end in
 * `:port`; without one it stands for every port. `*.com` and the like are refused: a domain is two labels or more. Of suffixes such as
 * `co.uk` nothing is known here.
 */
import { canonicalHost, isAddress } from './host-name.ts';
import type { PatternKind } from './pattern-kind.ts';

export type HostPattern = {
  readonly scope: 'host' | 'below' | 'within' | 'all';
  /** Canonical; empty for all. */
  readonly host: string;
  /** Undefined: every port. */
  readonly port: number | undefined;
};

const PORT_MAX = 65_535;
const TEXT_LENGTH_MAX = 310;
/** In the order in which they are tried. */
const MARKS = [
  ['within', '**.'],
  ['below', '*.'],
  ['host', ''],
] as const;

export const HOST_PATTERNS: PatternKind<string, HostPattern> = {
  field: 'net_grants',
  shape: 'a host, `*.domain` or `**.domain` (a domain is two labels or more) or `*`, each with or without `:port`',
  parse,
  write,
  read,
  covers,
  meet,
};

/**
 * The pattern of this host alone, on this port or, without one, on every port. The port may also stand in the host; an IPv6 address needs
 * no brackets then.
 */
export function hostNamed(host: unknown, port?: unknown): HostPattern | undefined {
  if (typeof host !== 'string' || host.length > TEXT_LENGTH_MAX) return undefined;
  const split = splitPort(isBareIpv6(host) ? `[${host}]` : host);
  if (port !== undefined && split.port !== undefined && port !== split.port) return undefined;
  return named('host', split.host, port ?? split.port);
}

function parse(entry: unknown): HostPattern | undefined {
  if (typeof entry !== 'string' || entry.length > TEXT_LENGTH_MAX) return undefined;
  const { host, port } = splitPort(entry);
  if (host === '*') return isPort(port) ? { scope: 'all', host: '', port } : undefined;
  for (const [scope, mark] of MARKS) if (host.startsWith(mark)) return named(scope, host.slice(mark.length), port);
  return undefined;
}

function named(scope: 'host' | 'below' | 'within', text: string, port: unknown): HostPattern | undefined {
  const host = canonicalHost(text);
  if (host === undefined || !isPort(port)) return undefined;
  if (scope !== 'host' && (isAddress(host) || !host.includes('.'))) return undefined;
  return { scope, host, port };
}

function isPort(port: unknown): port is number | undefined {
  return port === undefined || (Number.isSafeInteger(port) && Number(port) >= 1 && Number(port) <= PORT_MAX);
}

function splitPort(text: string): { readonly host: string; readonly port: number | undefined } {
  const port = /:([1-9][0-9]{0,4})$/.exec(text)?.[1];
  return port === undefined ? { host: text, port: undefined } : { host: text.slice(0, -port.length - 1), port: Number(port) };
}

function isBareIpv6(host: string): boolean {
  return !host.startsWith('[') && host.indexOf(':') !== host.lastIndexOf(':');
}

function write({ scope, host, port }: HostPattern): string {
  const mark = MARKS.find(([each]) => each === scope)?.[1];
  return `${mark === undefined ? '*' : mark + host}${port === undefined ? '' : `:${port}`}`;
}

/** Only of what `write` made: nothing is checked again. */
function read(value: string): HostPattern {
  const { host, port } = splitPort(value);
  if (host === '*') return { scope: 'all', host: '', port };
  if (host.startsWith('**.')) return { scope: 'within', host: host.slice(3), port };
  if (host.startsWith('*.')) return { scope: 'below', host: host.slice(2), port };
  return { scope: 'host', host, port };
}

function covers(outer: HostPattern, inner: HostPattern): boolean {
  return (outer.port === undefined || outer.port === inner.port) && coversHosts(outer, inner);
}

function coversHosts(outer: HostPattern, inner: HostPattern): boolean {
  switch (outer.scope) {
    case 'all':
      return true;
    case 'within':
      return isWithin(inner.host, outer.host); // All hosts have no name that could be within.
    case 'below':
      return inner.scope === 'host' ? isDirectlyBelow(inner.host, outer.host) : inner.scope === 'below' && inner.host === outer.host;
    case 'host':
      return inner.scope === 'host' && inner.host === outer.host;
  }
}

function meet(a: HostPattern, b: HostPattern): HostPattern | undefined {
  if (a.port !== undefined && b.port !== undefined && a.port !== b.port) return undefined;
  const hosts = coversHosts(a, b) ? b : coversHosts(b, a) ? a : (meetAtTop(a, b) ?? meetAtTop(b, a));
  return hosts === undefined ? undefined : { scope: hosts.scope, host: hosts.host, port: a.port ?? b.port };
}

/** `*.h` and `**.x.h` have neither all of the other; what they share is `x.h`. */
function meetAtTop(below: HostPattern, within: HostPattern): HostPattern | undefined {
  const isShared = below.scope === 'below' && within.scope === 'within' && isDirectlyBelow(within.host, below.host);
  return isShared ? { scope: 'host', host: within.host, port: undefined } : undefined;
}

function isWithin(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}

function isDirectlyBelow(host: string, domain: string): boolean {
  return host.endsWith(`.${domain}`) && !host.slice(0, -domain.length - 1).includes('.');
}
