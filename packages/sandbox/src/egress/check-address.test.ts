import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalAddress, checkAddress, readPrivateNetworks } from './check-address.ts';
import { METADATA_ADDRESSES, SPECIAL_IPV4, SPECIAL_IPV6 } from './special-addresses.ts';
import { addressIn, ipv4Of, ipv6Spellings, numberOf } from './test-support/address-numbers.ts';

const NOBODY: ReadonlySet<string> = new Set();
const isAllowed = (address: string, open: readonly string[] = [], own: ReadonlySet<string> = NOBODY): boolean =>
  checkAddress(address, readPrivateNetworks(open), own).kind === 'allowed';

describe('checkAddress', () => {
  it('refuses the first, the last and random addresses of every special network', () => {
    for (const [network, why] of [...SPECIAL_IPV4, ...SPECIAL_IPV6, ...METADATA_ADDRESSES]) {
      for (const share of [0, 1, 0.5]) expect([network, why, isAllowed(addressIn(network, share))]).toEqual([network, why, false]);
      fc.assert(
        fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (share) => !isAllowed(addressIn(network, share))),
        { numRuns: 100 },
      );
    }
  });

  it('refuses every spelling of an IPv6 address that it refuses', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SPECIAL_IPV6), fc.double({ min: 0, max: 1, noNaN: true }), ([network], share) =>
        ipv6Spellings(numberOf(addressIn(network, share))).every((spelling) => !isAllowed(spelling)),
      ),
    );
  });

  it('refuses every IPv4 address, public or not, inside an IPv6 one', () => {
    const prefixes = [
      '::',
      '::ffff:',
      '::ffff:0:',
      '64:ff9b::',
      '64:ff9b:1::',
      '2002:',
      '2001::',
      'fe80::5efe:',
      '2600::5efe:',
      '2600::200:5efe:',
      '2a00:1:2:3:100:5efe:',
    ];
    fc.assert(
      fc.property(fc.bigInt(0n, 0xffff_ffffn), fc.constantFrom(...prefixes), (number, prefix) => {
        const hex = `${(number >> 16n).toString(16)}:${(number & 0xffffn).toString(16)}`;
        return !isAllowed(prefix === '2002:' ? `2002:${hex}::1` : `${prefix}${hex}`) && !isAllowed(`::ffff:${ipv4Of(number)}`);
      }),
    );
  });

  // Right beside the special networks; written by hand, not taken from the table.
  it.each([
    ...[
      '1.0.0.0',
      '9.255.255.255',
      '11.0.0.0',
      '100.63.255.255',
      '100.128.0.0',
      '126.255.255.255',
      '128.0.0.0',
      '169.253.255.255',
      '169.255.0.0',
    ],
    ...[
      '172.15.255.255',
      '172.32.0.0',
      '191.255.255.255',
      '192.0.1.0',
      '192.0.3.0',
      '192.31.195.255',
      '192.31.197.0',
      '192.52.192.255',
      '192.88.98.255',
    ],
    ...[
      '192.88.100.0',
      '192.167.255.255',
      '192.169.0.0',
      '192.175.47.255',
      '192.175.49.0',
      '198.17.255.255',
      '198.20.0.0',
      '198.51.99.255',
      '198.51.101.0',
    ],
    ...['203.0.112.255', '203.0.114.0', '223.255.255.255', '168.63.129.15', '168.63.129.17', '8.8.8.8', '93.184.216.34'],
    ...[
      '2000::1',
      '2001:200::',
      '2001:db7:ffff::1',
      '2001:db9::',
      '2003::1',
      '2400::1',
      '2606:2800:220:1::1',
      '2620:4f:7fff:ffff::1',
      '2620:4f:8001::',
    ],
    ...['2a00::1', '3ffd:ffff::1', '3fff:1000::', '2600::5eff:7f00:1', '2600::5efe'],
  ])('allows %s', (address) => {
    expect(isAllowed(address)).toBe(true);
  });

  it('allows random public addresses', () => {
    const outside = (number: bigint): boolean => [...SPECIAL_IPV4, ...METADATA_ADDRESSES].every(([network]) => !contains(network, number));
    fc.assert(fc.property(fc.bigInt(0n, 0xffff_ffffn).filter(outside), (number) => isAllowed(ipv4Of(number))));
    const blocks = ['2400::/12', '2600::/12', '2800::/12', '2a00::/12', '2c00::/12'];
    fc.assert(
      fc.property(fc.constantFrom(...blocks), fc.double({ min: 0.001, max: 0.999, noNaN: true }), (block, share) =>
        isAllowed(addressIn(block, share)),
      ),
    );
  });

  it.each([
    '',
    '127.1',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '2130706433',
    '8.8.8.8.',
    ' 8.8.8.8',
    '8.8.8.8\n',
    '1.2.3',
    '::1%lo',
    '2606::1%eth0',
    '[2606::1]',
    'a.test',
    '08.8.8.8',
    '8.8.8.8/32',
    '::ffff:8.8.8',
    '2606::g',
  ])('refuses %j, which is no address', (text) => {
    expect([isAllowed(text), canonicalAddress(text)]).toEqual([false, undefined]);
  });
});

describe('private networks', () => {
  it('open what lies in them, and nothing else', () => {
    const open = ['127.0.0.1/32', '10.1.0.0/16', 'fd12::/32', '192.168.7.7'];
    for (const address of ['127.0.0.1', '10.1.0.0', '10.1.255.255', 'fd12::1', '192.168.7.7']) expect(isAllowed(address, open)).toBe(true);
    for (const address of [
      '127.0.0.2',
      '10.2.0.0',
      '10.0.255.255',
      'fd13::1',
      '192.168.7.8',
      '::ffff:127.0.0.1',
      '::127.0.0.1',
      '64:ff9b::a01:1',
    ])
      expect([address, isAllowed(address, open)]).toEqual([address, false]);
  });

  it('open a metadata service or an address of this machine only by an entry of its own', () => {
    const own = new Set(['10.1.0.5', '198.41.0.4', '127.0.0.1']);
    for (const address of ['169.254.169.254', '100.100.100.200', '192.0.0.192', '168.63.129.16', '10.1.0.5', '198.41.0.4']) {
      expect([address, isAllowed(address, ['0.0.0.0/0'], own)]).toEqual([address, false]);
      expect([address, isAllowed(address, [address], own)]).toEqual([address, true]);
    }
    expect(isAllowed('fd00:ec2::254', ['fc00::/7'])).toBe(false);
    expect([isAllowed('127.0.0.1', ['127.0.0.0/8'], own), isAllowed('127.0.0.1', [], own)]).toEqual([true, false]);
  });

  it.each([
    '',
    'a.test',
    '127.0.0.1/33',
    '::1/129',
    '127.0.0.1/-1',
    '127.0.0.1/08',
    '127.1/8',
    '0x7f.0.0.1',
    '10.0.0.0/8/8',
    '::1%lo/128',
    '10.0.0.0/ 8',
    '*',
  ])('are refused when they are %j', (text) => {
    expect(() => readPrivateNetworks([text])).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});

function contains(network: string, number: bigint): boolean {
  const [base = '', bits = '32'] = network.split('/');
  return !base.includes(':') && number >> BigInt(32 - Number(bits)) === numberOf(base) >> BigInt(32 - Number(bits));
}
