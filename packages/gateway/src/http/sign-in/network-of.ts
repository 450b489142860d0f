import { isIPv6 } from 'node:net';
import { ipv6Groups } from '@warren/protocol';

/** What counts as one address: who has an IPv6 address usually has the 2^64 beside it, and IPv4 is IPv4 however it is written. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address) || address === '::1') return address;
  return ipv6Groups(address).slice(0, 4).join(':');
}
