import { BlockList } from 'node:net';
import { expect, it } from 'vitest';
import { clientAddress } from './client-address.ts';
import { networkOf } from './network-of.ts';

it('IPv4 in the clothes of IPv6 is the same address, and a whole IPv6 network is one', () => {
  expect(networkOf('::ffff:10.0.0.1')).toBe('10.0.0.1');
  expect(networkOf('2001:db8:0:1::1')).toBe(networkOf('2001:db8:0:1:ffff:ffff:ffff:ffff'));
  expect(networkOf('2001:db8:0:2::1')).not.toBe(networkOf('2001:db8:0:1::1'));
  expect(networkOf('fe80::1%eth0')).toBe(networkOf('fe80::2'));
  expect(networkOf('::1')).toBe('::1');
});

it.each([
  ['nobody named a proxy', undefined, '10.0.0.1', '203.0.113.9', '10.0.0.1'],
  ['another than the proxy', '10.0.0.2', '10.0.0.1', '203.0.113.9', '10.0.0.1'],
  ['the proxy', '10.0.0.1', '10.0.0.1', '203.0.113.9', '203.0.113.9'],
  ['the proxy, after what the client wrote', '10.0.0.1', '10.0.0.1', '1.1.1.1, 203.0.113.9', '203.0.113.9'],
  ['the proxy, through itself', '10.0.0.1', '::ffff:10.0.0.1', '203.0.113.9, 10.0.0.1', '203.0.113.9'],
  ['the proxy, with no address', '10.0.0.1', '10.0.0.1', 'unknown', '10.0.0.1'],
  ['the proxy, with nothing', '10.0.0.1', '10.0.0.1', undefined, '10.0.0.1'],
])('said by %s', (_name, proxy, remoteAddress, forwarded, expected) => {
  const proxies = proxy === undefined ? undefined : new BlockList();
  if (proxy !== undefined) proxies?.addAddress(proxy);
  const request = { socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } };
  expect(clientAddress(request as unknown as Parameters<typeof clientAddress>[0], proxies)).toBe(expected); // All that is looked at.
});
