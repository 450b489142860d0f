/**
 * The attack list against the guard, with servers that would answer on every local address and a DNS server of the attacker. What counts is not the error but
 * that nobody connected.
 */
import { describe, expect, it } from 'vitest';
import { createEgress } from '../../packages/sandbox/src/egress/create-egress.ts';
import { type Egress, EgressRefusal, type EgressRules } from '../../packages/sandbox/src/egress/egress.ts';
import { addresses, DnsServer, type DnsZone } from './dns-server.ts';
import { hostileUrls, PRIVATE_IPV4 } from './hostile-urls.ts';
import { answer, RawServer } from './raw-server.ts';
import { refusalOf } from './refusal-of.ts';
import { Tripwire } from './tripwire.ts';

const ANYWHERE: EgressRules = { hosts: ['*'] };
const never = new AbortController().signal;

/** Names of an attacker, by what they stand for. */
const HOSTILE_ZONE: DnsZone = {
  ...Object.fromEntries(PRIVATE_IPV4.map((address, index) => [`v4-${index}.attacker.test`, addresses(address)])),
  ...Object.fromEntries(
    [
      '::1',
      '::',
      '::ffff:127.0.0.1',
      '::7f00:1',
      '64:ff9b::7f00:1',
      '2002:7f00:1::1',
      'fd00::1',
      'fe80::1',
      'fec0::1',
      'ff02::1',
      '2600::5efe:7f00:1',
    ].map((address, index) => [`v6-${index}.attacker.test`, addresses(address)]),
  ),
  'mixed.attacker.test': addresses('93.184.216.34', '127.0.0.1'),
  'mixed-last.attacker.test': addresses('127.0.0.1', '93.184.216.34'),
  'mixed-families.attacker.test': addresses('93.184.216.34', '::1'),
  'public-v6.attacker.test': addresses('2606:2800:220:1::1', '10.0.0.1'),
  'chain.attacker.test': ({ type }) => ({
    kind: 'records',
    records: [
      { type: 'CNAME', value: 'second.attacker.test' },
      { name: 'second.attacker.test', type: 'CNAME', value: 'internal.victim.test' },
      ...(type === 'A' ? [{ name: 'internal.victim.test', type: 'A' as const, value: '127.0.0.1', ttl: 0 }] : []),
    ],
  }),
  'tcp.attacker.test': ({ type }) => ({ kind: 'truncated', records: type === 'A' ? [{ type: 'A', value: '127.0.0.1' }] : [] }),
};

async function fetchStatus(egress: Egress, rules: EgressRules, url: string): Promise<number> {
  const response = await egress.fetch(rules, { url, deadlineMs: 10_000 }, never);
  response.dispose();
  return response.status;
}

describe('hostile URLs', () => {
  it('are at least 300, all refused, and nobody is connected to', async () => {
    await using tripwire = await Tripwire.start();
    await using dns = await DnsServer.start(HOSTILE_ZONE);
    await using egress = createEgress({ dns: { servers: [dns.address] } });
    const urls = hostileUrls(tripwire.port, Object.keys(HOSTILE_ZONE));
    expect(urls.length).toBeGreaterThanOrEqual(300);
    const letThrough: string[] = [];
    for (const url of urls) {
      const error = await refusalOf(fetchStatus(egress, ANYWHERE, url)).catch((cause: unknown) => cause);
      const isRefused = error instanceof EgressRefusal && ['invalid_url', 'host_not_allowed', 'address_not_public'].includes(error.reason);
      if (!isRefused) letThrough.push(`${url}: ${String(error)}`);
    }
    expect(letThrough).toEqual([]);
    expect(tripwire.connections).toBe(0);
  }, 120_000);

  it('are refused as targets of redirects too', async () => {
    await using tripwire = await Tripwire.start();
    await using dns = await DnsServer.start(HOSTILE_ZONE);
    let location = '';
    await using lure = await RawServer.start(
      (_request, connection) => connection.end(Buffer.from(`HTTP/1.1 302 Found\r\nlocation: ${location}\r\ncontent-length: 0\r\n\r\n`)),
      { host: '127.0.0.2' },
    );
    await using egress = createEgress({ dns: { servers: [dns.address] } });
    const rules = { hosts: ['*'], privateNetworks: ['127.0.0.2/32'] };
    // A location that is no absolute URL is one below the lure: those are other requests to it, which it answers with the same redirect.
    const urls = hostileUrls(tripwire.port, Object.keys(HOSTILE_ZONE));
    const letThrough: string[] = [];
    for (const url of urls.filter((each) => each !== '')) {
      location = url;
      const error = await refusalOf(fetchStatus(egress, rules, `http://127.0.0.2:${lure.port}/`)).catch((cause: unknown) => cause);
      const isBelowLure = error instanceof EgressRefusal && error.reason === 'too_many_redirects' && URL.parse(url) === null;
      const isRefused =
        error instanceof EgressRefusal &&
        ['invalid_url', 'host_not_allowed', 'address_not_public', 'protocol_error'].includes(error.reason);
      if (!isRefused && !isBelowLure) letThrough.push(`${url}: ${String(error)}`);
    }
    expect(letThrough).toEqual([]);
    expect(tripwire.connections).toBe(0);
  }, 120_000);

  it('are refused for look-ups and probes, so that neither maps a network', async () => {
    await using tripwire = await Tripwire.start();
    await using dns = await DnsServer.start(HOSTILE_ZONE);
    await using egress = createEgress({ dns: { servers: [dns.address] } });
    const hosts = [
      '127.0.0.1',
      '::1',
      '[::1]',
      '::ffff:127.0.0.1',
      '0x7f.1',
      '2130706433',
      'localhost',
      'a.localhost',
      '127.0.0.1.',
      '::1%lo',
      '[::1%25lo]',
    ];
    for (const host of [
      ...hosts,
      ...PRIVATE_IPV4,
      ...Object.keys(HOSTILE_ZONE),
      'a b',
      'a\0b',
      '',
      '127.0.0.1:80',
      'a@b',
      'x/y',
      '127.0.0.1#',
    ]) {
      await refusalOf(egress.lookup(ANYWHERE, host, never));
      await refusalOf(egress.probe(ANYWHERE, { host, port: tripwire.port, timeoutMs: 5_000 }, never));
    }
    expect(tripwire.connections).toBe(0);
  }, 120_000);
});

describe('a host outside the rules', () => {
  it('is not even looked up', async () => {
    await using dns = await DnsServer.start({ 'other.test': addresses('93.184.216.34') });
    await using egress = createEgress({ dns: { servers: [dns.address] } });
    for (const hosts of [[], ['good.test'], ['*.other.test'], ['other.test:8080'], ['**.good.test']]) {
      const rules = { hosts };
      expect((await refusalOf(fetchStatus(egress, rules, 'http://other.test/'))).reason).toBe('host_not_allowed');
      expect((await refusalOf(egress.probe(rules, { host: 'other.test', port: 80, timeoutMs: 1_000 }, never))).reason).toBe(
        'host_not_allowed',
      );
    }
    expect((await refusalOf(egress.lookup({ hosts: ['good.test'] }, 'other.test', never))).reason).toBe('host_not_allowed');
    expect(dns.queries).toEqual([]);
  });

  it('is not looked up after a redirect either', async () => {
    await using dns = await DnsServer.start({ 'good.test': addresses('127.0.0.2'), 'other.test': addresses('127.0.0.2') });
    await using server = await RawServer.start((_request, connection) => answer(connection, '302 Found\r\nlocation: http://other.test/'), {
      host: '127.0.0.2',
    });
    await using egress = createEgress({ dns: { servers: [dns.address] } });
    const rules = { hosts: ['good.test'], privateNetworks: ['127.0.0.2'] };
    expect((await refusalOf(fetchStatus(egress, rules, `http://good.test:${server.port}/`))).reason).toBe('host_not_allowed');
    expect(dns.queries.map(({ name }) => name)).not.toContain('other.test');
  });
});

describe('this machine by its own public address', () => {
  it('is refused, unless that address was opened by itself', async () => {
    await using server = await RawServer.start((_request, connection) => answer(connection, '200 OK'), { host: '127.0.0.2' });
    await using egress = createEgress({ ownAddresses: ['198.41.0.4'], resolve: async () => ['198.41.0.4'] });
    expect((await refusalOf(fetchStatus(egress, ANYWHERE, `http://me.test:${server.port}/`))).reason).toBe('address_not_public');
    const wide = { hosts: ['*'], privateNetworks: ['198.41.0.0/24'] };
    expect((await refusalOf(fetchStatus(egress, wide, `http://me.test:${server.port}/`))).reason).toBe('address_not_public');
    expect(server.connections).toBe(0);
  });
});
