/** Reads where a request wants to go. Whatever names two places, or one place in a way that two parsers could read differently, is refused. */
import type { IncomingMessage } from 'node:http';
import { EgressRefusal } from '../egress.ts';
import { readHost, readTarget, type Target } from '../read-target.ts';

/** Parts that end in a port; an address of IPv6 stands in brackets. */
const AUTHORITY = /^(\[[0-9a-f:.]+\]|[^:[\]@%/?#\\]+):([1-9][0-9]{0,4})$/i;
const PORT_MAX = 65_535;

/** Of a request of plain HTTP. Throws `EgressRefusal`. */
export function readPlainTarget(request: IncomingMessage): Target {
  const { url = '' } = request;
  if (url.startsWith('/') || url === '*')
    throw new EgressRefusal('invalid_request', '', 'Cannot answer: this is a proxy, ask it for a whole URL as http://host/path');
  if (url.includes('#')) throw new EgressRefusal('invalid_url', '', 'Cannot use the URL: it has a fragment');
  const target = readTarget(url);
  if (target.scheme !== 'http')
    throw new EgressRefusal('invalid_request', target.host, `Cannot send this request to ${target.host}: ask for a tunnel by CONNECT`);
  requireSameHost(request, target.host, target.port, 80);
  return target;
}

/** Of a request in a connection that was opened for this host: it asks for a path there, and names no other host. Throws `EgressRefusal`. */
export function readInnerTarget(request: IncomingMessage, { scheme, host, port }: Pick<Target, 'scheme' | 'host' | 'port'>): Target {
  const { url = '' } = request;
  const schemePort = scheme === 'https' ? 443 : 80;
  const authority = port === schemePort ? host : `${host}:${port}`;
  if (!url.startsWith('/'))
    throw new EgressRefusal('invalid_request', host, `Cannot send this request to ${host}: it asks for no path, in a tunnel to that host`);
  if (url.includes('#')) throw new EgressRefusal('invalid_url', host, 'Cannot use the URL: it has a fragment');
  const target = readTarget(`${scheme}://${authority}${url}`);
  requireSameHost(request, host, port, schemePort);
  return target;
}

/** Of a CONNECT. Throws `EgressRefusal`. */
export function readTunnelTarget(request: IncomingMessage): { readonly host: string; readonly port: number } {
  const [, name = '', digits] = AUTHORITY.exec(request.url ?? '') ?? [];
  const port = Number(digits);
  if (name === '' || !(port <= PORT_MAX))
    throw new EgressRefusal('invalid_url', '', 'Cannot open a tunnel: CONNECT needs host:port and nothing else');
  const { host } = readHost(name);
  requireSameHost(request, host, port, undefined);
  return { host, port };
}

/** The Host header says nothing else. A port may be left out, where it is the scheme's or stands beside it. */
function requireSameHost({ rawHeaders }: IncomingMessage, host: string, port: number, schemePort: number | undefined): void {
  const given = rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'host');
  const isPortImplied = schemePort === undefined || schemePort === port;
  const isSame = (text: string): boolean => {
    const said = text.toLowerCase();
    return said === `${host}:${port}` || (isPortImplied && said === host);
  };
  if (given.length <= 1 && given.every(isSame)) return;
  throw new EgressRefusal('invalid_request', host, `Cannot send this request to ${host}: its Host header names another host`);
}
