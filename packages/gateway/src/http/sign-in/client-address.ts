import type { IncomingMessage } from 'node:http';
import { type BlockList, isIP } from 'node:net';
import { networkOf } from './network-of.ts';

/**
 * The network a request comes from. What the request itself says about that is believed only of proxies that the operator named: then it is the
 * last address in `X-Forwarded-For` that is none of theirs, for everything before that the client could have written itself.
 */
export function clientAddress({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>, proxies: BlockList | undefined): string {
  const direct = networkOf(socket.remoteAddress ?? 'unknown');
  if (proxies === undefined || !isOf(direct, proxies)) return direct;
  const named = headers['x-forwarded-for'];
  const hops = (Array.isArray(named) ? named.join(',') : (named ?? '')).split(',').map((hop) => hop.trim());
  for (const hop of hops.reverse()) {
    if (isIP(hop) === 0) return direct;
    if (!isOf(networkOf(hop), proxies) && !isOf(hop, proxies)) return networkOf(hop);
  }
  return direct;
}

function isOf(address: string, proxies: BlockList): boolean {
  const family = isIP(address);
  return family !== 0 && proxies.check(address, family === 4 ? 'ipv4' : 'ipv6');
}
