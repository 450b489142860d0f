import { domainToASCII } from 'node:url';

const TEXT_LENGTH_MAX = 300;
const NAME_LENGTH_MAX = 253;
const NAME = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;
/** What a URL parser would strip, decode or stop at: then it would see another host than a person does. */
const MISLEADING = /[\s\p{Cc}\p{Cs}%/\\?#@:[\]]/u;
const IPV6 = /^\[[0-9a-f:.]{2,45}\]$/i;

/**
 * A host in the one form it is compared in: lower case, ASCII (IDN as `xn--…`), without a dot at the end; an IPv4 address in four decimals
 * however it was written, an IPv6 address in brackets and shortest. Undefined for what is no host.
 */
export function canonicalHost(text: unknown): string | undefined {
  if (typeof text !== 'string' || text.length > TEXT_LENGTH_MAX) return undefined;
  if (text.startsWith('[')) return IPV6.test(text) ? URL.parse(`http://${text}`)?.hostname : undefined;
  if (MISLEADING.test(text)) return undefined;
  const name = domainToASCII(text).replace(/\.$/, '');
  return name.length <= NAME_LENGTH_MAX && NAME.test(name) ? name : undefined;
}

/** Of a canonical host. The URL standard takes every name that ends in a number for an address or for nothing. */
export function isAddress(host: string): boolean {
  return host.startsWith('[') || /(?:^|\.)[0-9]+$/.test(host);
}
