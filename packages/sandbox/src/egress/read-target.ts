/**
 * Reads a URL into the one thing that is checked, resolved, connected to and named in the request. What two parsers could read differently is refused rather
 * than normalised: the host has to be spelled as it is compared.
 */
import { isIP } from 'node:net';
import { EgressRefusal } from './egress.ts';

export type Target = {
  readonly scheme: 'http' | 'https';
  /** Lower case, ASCII; IPv6 in brackets and shortest. */
  readonly host: string;
  /** The address, when the host is one. */
  readonly address: string | undefined;
  readonly port: number;
  /** Path and query, percent-encoded. */
  readonly path: string;
  /** Without fragment. */
  readonly url: string;
  readonly origin: string;
};

const URL_LENGTH_MAX = 16_384;
const NAME_LENGTH_MAX = 253;
const PORT_MAX = 65_535;
/** Some are stripped by URL parsers, some end lines, none is seen by a person. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Z}]/u;
const SHAPE = /^(https?):\/\/([^/?#]+)(?:[/?#]|$)/i;
const AUTHORITY = /^(\[[0-9a-f:.]+\]|[^:[\]@%]+)(?::([1-9][0-9]{0,4}))?$/i;
const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);

/** Throws `EgressRefusal` with `invalid_url`. */
export function readTarget(text: unknown): Target {
  if (typeof text !== 'string') throw refuse('', 'it is no text');
  if (text.length > URL_LENGTH_MAX) throw refuse('', `it has ${text.length} characters, the limit is ${URL_LENGTH_MAX}`);
  if (INVISIBLE.test(text)) throw refuse('', 'it has white space or invisible characters');
  if (text.includes('\\')) throw refuse('', 'it has a backslash');
  const [, scheme, authority = ''] = SHAPE.exec(text) ?? [];
  if (scheme === undefined) throw refuse('', 'it is no http:// or https:// URL with a host');
  const [, spelled = '', port] = AUTHORITY.exec(authority) ?? [];
  if (authority.includes('@')) throw refuse('', 'it has a user name; send credentials in a header');
  if (spelled === '' || Number(port) > PORT_MAX) throw refuse('', 'its host or port is malformed');
  const url = URL.parse(text);
  if (url === null) throw refuse('', 'it cannot be read');
  return targetOf(url, checkHost(spelled, url.hostname));
}

/** A host alone, under the rules for those of URLs. An IPv6 address needs no brackets. */
export function readHost(text: unknown): { readonly host: string; readonly address: string | undefined } {
  if (typeof text !== 'string' || text.length > NAME_LENGTH_MAX + 2) throw refuse('', 'the host is no text of a host', 'host');
  const host = isIP(text) === 6 && !text.includes('%') ? `[${text}]` : text;
  if (INVISIBLE.test(host) || !AUTHORITY.test(host) || /:[0-9]+$/.test(host.replace(/^\[.*\]/, '')))
    throw refuse('', 'the host is malformed', 'host');
  const hostname = URL.parse(`http://${host}/`)?.hostname;
  if (hostname === undefined) throw refuse('', 'the host cannot be read', 'host');
  return { host: checkHost(host, hostname), address: addressOf(hostname) };
}

function targetOf(url: URL, host: string): Target {
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  url.hash = '';
  const port = url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port);
  return {
    scheme,
    host,
    address: addressOf(host),
    port,
    path: url.pathname + url.search,
    url: url.href,
    origin: `${scheme}://${host}:${port}`,
  };
}

function checkHost(spelled: string, read: string): string {
  if (spelled.startsWith('[')) return read; // Brackets hold an address in whatever spelling; it is the address that is checked.
  if (spelled.endsWith('.')) throw refuse(read, 'the host ends in a dot');
  if (!isSameName(spelled.toLowerCase().split('.'), read.split('.'))) throw refuse(read, `spell the host as ${JSON.stringify(read)}`);
  if (isIP(read) !== 4 && !(read.length <= NAME_LENGTH_MAX && NAME.test(read))) throw refuse(read, 'the host is no name that DNS holds');
  return read;
}

/** ASCII labels stand for themselves, others for their `xn--` form: never for an ASCII label, an address or two labels. */
function isSameName(spelled: readonly string[], read: readonly string[]): boolean {
  return (
    spelled.length === read.length &&
    spelled.every((label, index) => (/^[\x21-\x7e]*$/.test(label) ? label === read[index] : read[index]?.startsWith('xn--') === true))
  );
}

function addressOf(host: string): string | undefined {
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  return isIP(bare) === 0 ? undefined : bare;
}

function refuse(host: string, why: string, subject = 'URL'): EgressRefusal {
  return new EgressRefusal('invalid_url', host, `Cannot use the ${subject}: ${why}`);
}
