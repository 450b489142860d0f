import { describe, expect, it } from 'vitest';
import { createEgress } from '../../packages/sandbox/src/egress/create-egress.ts';
import { addresses, type DnsAnswer, type DnsQuery, DnsServer, type DnsZone, recordsOf } from './dns-server.ts';
import { ManualClock } from './manual-clock.ts';
import { refusalOf } from './refusal-of.ts';

const RULES = { hosts: ['**.name.test'] };
const never = new AbortController().signal;
const PUBLIC = ['93.184.216.34', '2606:2800:220:1::1'];

const ZONE: DnsZone = {
  'public.name.test': addresses(...PUBLIC),
  'v4.name.test': addresses('93.184.216.34'),
  'v6.name.test': addresses('2606:2800:220:1::1'),
  'nothing.name.test': addresses(),
  'chain.name.test': (query) => chain(query, '93.184.216.34'),
  'loop.name.test': () => ({ kind: 'records', records: [{ type: 'CNAME', value: 'loop.name.test' }] }),
  'servfail.name.test': () => ({ kind: 'records', records: [], code: 'servfail' }),
  'refused.name.test': () => ({ kind: 'records', records: [], code: 'refused' }),
  'half.name.test': ({ type }) =>
    type === 'A' ? { kind: 'records', records: recordsOf(type, PUBLIC) } : { kind: 'records', records: [], code: 'servfail' },
  'long.name.test': ({ type }) => ({ kind: 'truncated', records: recordsOf(type, PUBLIC) }),
  'many.name.test': ({ type }) => ({
    kind: 'truncated',
    records: recordsOf(
      type,
      Array.from({ length: 2_000 }, (_, index) => `93.184.${index >> 8}.${index & 255}`),
    ),
  }),
  'garbage.name.test': () => ({ kind: 'garbage', bytes: new Uint8Array(512).fill(0xff) }),
  'forged.name.test': ({ type }) => ({ kind: 'wrong_id', records: recordsOf(type, ['93.184.216.34']) }),
  'silent.name.test': () => ({ kind: 'silence' }),
};

function chain({ type, name }: DnsQuery, address: string): DnsAnswer {
  const links = Array.from({ length: 8 }, (_, index) => ({
    name: index === 0 ? name : `link${index}.name.test`,
    type: 'CNAME' as const,
    value: `link${index + 1}.name.test`,
  }));
  return { kind: 'records', records: [...links, ...recordsOf(type, [address]).map((record) => ({ ...record, name: 'link8.name.test' }))] };
}

describe('lookup', () => {
  it.each([
    ['public.name.test', PUBLIC],
    ['v4.name.test', ['93.184.216.34']],
    ['v6.name.test', ['2606:2800:220:1::1']],
    ['chain.name.test', ['93.184.216.34']],
    ['half.name.test', ['93.184.216.34']],
    ['long.name.test', PUBLIC],
    ['PUBLIC.Name.test', PUBLIC],
  ])('finds the addresses of %s', async (host, expected) => {
    await using dns = await DnsServer.start(ZONE);
    await using egress = createEgress({ dns: { servers: [dns.address] } });
    expect(await egress.lookup(RULES, host, never)).toEqual(expected);
  });

  it.each([
    ['unknown.name.test', 'no address'],
    ['nothing.name.test', 'no address'],
    ['loop.name.test', 'no address'],
    ['servfail.name.test', 'ESERVFAIL'],
    ['refused.name.test', 'EREFUSED'],
    ['many.name.test', '2000 addresses'],
    ['garbage.name.test', 'DNS failed'],
    ['forged.name.test', 'DNS failed'],
    ['silent.name.test', 'ETIMEOUT'],
  ])('refuses %s: %s', async (host, why) => {
    await using dns = await DnsServer.start(ZONE);
    await using egress = createEgress({ dns: { servers: [dns.address], attemptMs: 100 } });
    const refusal = await refusalOf(egress.lookup(RULES, host, never));
    expect(refusal.reason).toBe('not_resolved');
    expect(refusal.message).toContain(why);
  });

  it('ends with the deadline of the request while DNS is silent, and with the caller', async () => {
    const asked = Promise.withResolvers<void>();
    await using dns = await DnsServer.start({
      'silent.name.test': () => {
        asked.resolve();
        return { kind: 'silence' };
      },
    });
    const clock = new ManualClock();
    await using egress = createEgress({ dns: { servers: [dns.address], attemptMs: 60_000 }, clock });
    const late = refusalOf(egress.fetch(RULES, { url: 'http://silent.name.test/', deadlineMs: 700 }, never));
    await asked.promise;
    clock.pass(700);
    expect((await late).reason).toBe('deadline');
    const caller = new AbortController();
    const stopped = egress.lookup(RULES, 'silent.name.test', caller.signal);
    caller.abort(new Error('the caller left'));
    await expect(stopped).rejects.toThrow('the caller left');
    expect(clock.waiting).toBe(0);
  });

  it('takes an address for itself and asks nobody', async () => {
    await using dns = await DnsServer.start({});
    await using egress = createEgress({ dns: { servers: [dns.address] } });
    expect(await egress.lookup({ hosts: ['*'] }, '93.184.216.34', never)).toEqual(['93.184.216.34']);
    expect(await egress.lookup({ hosts: ['*'] }, '2606:2800:220:1::1', never)).toEqual(['2606:2800:220:1::1']);
    expect(dns.queries).toEqual([]);
  });

  it('asks DNS for what it is asked for, without search domains', async () => {
    await using dns = await DnsServer.start(ZONE);
    await using egress = createEgress({ dns: { servers: [dns.address] } });
    await refusalOf(egress.lookup({ hosts: ['*'] }, 'intranet', never));
    expect(new Set(dns.queries.map(({ name }) => name))).toEqual(new Set(['intranet']));
  });
});
