/**
 * Hosts: one (`h`), those one label below a domain (`*.h`), a domain and all below it at any depth (`**.h`), or all (`*`). Each may end in
 * `:port`; without one it stands for every port. `*.com` and the like are refused: a domain is two labels or more. Of suffixes such as
 * `co.uk` nothing is known here.
 */
import { coversHosts, coversNames, type HostPattern, isDirectlyBelow, readHostPattern, splitPort } from '@warren/protocol';
import { canonicalHost, isAddress } from './host-name.ts';
import type { PatternKind } from './pattern-kind.ts';

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
  read: readHostPattern,
  covers: coversHosts,
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

function isBareIpv6(host: string): boolean {
  return !host.startsWith('[') && host.indexOf(':') !== host.lastIndexOf(':');
}

function write({ scope, host, port }: HostPattern): string {
  const mark = MARKS.find(([each]) => each === scope)?.[1];
  return `${mark === undefined ? '*' : mark + host}${port === undefined ? '' : `:${port}`}`;
}

function meet(a: HostPattern, b: HostPattern): HostPattern | undefined {
  if (a.port !== undefined && b.port !== undefined && a.port !== b.port) return undefined;
  const hosts = coversNames(a, b) ? b : coversNames(b, a) ? a : (meetAtTop(a, b) ?? meetAtTop(b, a));
  return hosts === undefined ? undefined : { scope: hosts.scope, host: hosts.host, port: a.port ?? b.port };
}

/** `*.h` and `**.x.h` have neither all of the other; what they share is `x.h`. */
function meetAtTop(below: HostPattern, within: HostPattern): HostPattern | undefined {
  const isShared = below.scope === 'below' && within.scope === 'within' && isDirectlyBelow(within.host, below.host);
  return isShared ? { scope: 'host', host: within.host, port: undefined } : undefined;
}
