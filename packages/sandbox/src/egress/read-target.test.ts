import { parse as legacyParse } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EgressRefusal } from './egress.ts';
import { readHost, readTarget, type Target } from './read-target.ts';
import { SPECIAL_IPV4, SPECIAL_IPV6 } from './special-addresses.ts';
import { addressIn, ipv4Of, ipv6Spellings, numberOf } from './test-support/address-numbers.ts';
import { RecordingEgress } from './test-support/recording-egress.ts';

/** Pieces that URLs are attacked with, and some that they are made of. */
const PIECES = [
  ...[
    'http',
    'https',
    'HTTP',
    'file',
    'ws',
    ':',
    '//',
    '/',
    '\\',
    '\\\\',
    '///',
    '@',
    '#',
    '?',
    '&',
    '%',
    '.',
    '..',
    '。',
    '．',
    ',',
    ';',
    '[',
    ']',
    '$',
    '|',
  ],
  ...[
    'a.test',
    'b.test',
    'A.Test',
    'xn--nxasmq6b',
    'bücher',
    'ß',
    'localhost',
    '127.0.0.1',
    '0x7f.1',
    '2130706433',
    '0177',
    '::1',
    '::ffff:7f00:1',
    '[::1]',
  ],
  ...[
    ':80',
    ':443',
    ':0',
    ':99999',
    ':08',
    '%00',
    '%0a',
    '%2e',
    '%2f',
    '%40',
    '%5c',
    '\t',
    '\n',
    '\r',
    '\0',
    ' ',
    '\u200b',
    '\u00ad',
    '\ufeff',
    '１２７',
    'ⓛ',
    'ſ',
  ],
];
const urlish = fc.oneof(
  fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((pieces) => pieces.join('')),
  fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map((pieces) => `http://${pieces.join('')}`),
  fc.tuple(fc.webUrl({ withFragments: true, withQueryParameters: true }), fc.constantFrom(...PIECES), fc.nat()).map(([url, piece, at]) => {
    const place = at % (url.length + 1);
    return url.slice(0, place) + piece + url.slice(place);
  }),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
);

function read(text: string): Target | undefined {
  try {
    return readTarget(text);
  } catch (error) {
    if (error instanceof EgressRefusal && error.reason === 'invalid_url') return undefined;
    throw error;
  }
}

describe('readTarget', () => {
  it.each([
    ['http://a.test', { scheme: 'http', host: 'a.test', port: 80, path: '/', url: 'http://a.test/' }],
    ['HTTPS://A.Test:8443/x?y=z#w', { scheme: 'https', host: 'a.test', port: 8443, path: '/x?y=z', url: 'https://a.test:8443/x?y=z' }],
    ['https://a.test:443/ü', { port: 443, path: '/%C3%BC', url: 'https://a.test/%C3%BC', origin: 'https://a.test:443' }],
    ['http://bücher.test/', { host: 'xn--bcher-kva.test', address: undefined }],
    ['http://a.test/../../x/./y', { path: '/x/y' }],
    ['http://8.8.8.8/', { host: '8.8.8.8', address: '8.8.8.8' }],
    ['http://[2606:0:0::1]:81/', { host: '[2606::1]', address: '2606::1', port: 81 }],
    ['http://a_b.test?x', { host: 'a_b.test', path: '/?x' }],
    ['http://a.test/@b?c@d#e@f', { host: 'a.test', path: '/@b?c@d' }],
  ])('reads %s', (text, expected) => {
    expect(readTarget(text)).toMatchObject(expected);
  });

  it.each([undefined, null, 7, {}, ['http://a.test/'], new URL('http://a.test/'), { toString: () => 'http://a.test/' }])(
    'refuses %s',
    (value) => {
      expect(() => readTarget(value)).toThrow(expect.objectContaining({ reason: 'invalid_url' }));
    },
  );

  it('sees the host that every other parser sees, or refuses', () => {
    let accepted = 0;
    fc.assert(
      fc.property(urlish, (text) => {
        const target = read(text);
        if (target === undefined) return;
        accepted += 1;
        const standard = new URL(text);
        expect([target.host, target.url.split('/')[2]]).toEqual([standard.hostname, standard.host]);
        // By the expression of RFC 3986, which knows nothing of the standard of browsers.
        const authority = /^(?:[^:/?#]+:)(?:\/\/([^/?#]*))/.exec(text)?.[1] ?? '';
        expect(authority).not.toMatch(/[@\\\s]/);
        const plain = authority.replace(/:[0-9]*$/, '').toLowerCase();
        if (/^[\x21-\x7e]+$/.test(plain) && !plain.startsWith('[')) expect(target.host).toBe(plain);
        const legacy = legacyParse(text);
        if (/^[\x21-\x7e]+$/.test(plain) && !plain.startsWith('[')) expect(legacy.hostname).toBe(target.host);
        expect(target.path).toMatch(/^\/[\x21-\x7e]*$/);
        expect(readTarget(target.url)).toEqual(target);
      }),
      { numRuns: 5_000 },
    );
    expect(accepted).toBeGreaterThan(250);
  }, 120_000);

  it('is what is looked up and connected to', async () => {
    await using egress = new RecordingEgress();
    await fc.assert(
      fc.asyncProperty(urlish, async (text) => {
        const { host, port, name, addresses } = await egress.reach(text);
        if (host === undefined) return;
        const standard = new URL(text);
        expect([host, port]).toEqual([
          standard.hostname,
          standard.port === '' ? (standard.protocol === 'https:' ? 443 : 80) : Number(standard.port),
        ]);
        if (name !== undefined) expect([name, addresses]).toEqual([standard.hostname, ['93.184.216.34']]);
      }),
      { numRuns: 2_000 },
    );
  }, 120_000);
});

describe('an address in a URL', () => {
  const spellings = [
    (number: bigint) => ipv4Of(number),
    (number: bigint) => String(number),
    (number: bigint) => `0x${number.toString(16)}`,
    (number: bigint) => `0${number.toString(8)}`,
    (number: bigint) => `${number >> 24n}.${number & 0xff_ffffn}`,
    (number: bigint) => `${number >> 24n}.${(number >> 16n) & 255n}.${number & 0xffffn}`,
    (number: bigint) =>
      ipv4Of(number)
        .split('.')
        .map((part) => `0x${Number(part).toString(16)}`)
        .join('.'),
    (number: bigint) =>
      ipv4Of(number)
        .split('.')
        .map((part) => `0${Number(part).toString(8)}`)
        .join('.'),
    (number: bigint) => ipv4Of(number).replaceAll('.', '。'),
    (number: bigint) => ipv4Of(number).replaceAll('.', '%2e'),
    (number: bigint) => ipv4Of(number).replace(/[0-9]/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
    (number: bigint) => `${ipv4Of(number)}.`,
    (number: bigint) => `[::ffff:${ipv4Of(number)}]`,
    (number: bigint) => `[::${ipv4Of(number)}]`,
    (number: bigint) => `[64:ff9b::${ipv4Of(number)}]`,
  ];
  const share = fc.double({ min: 0, max: 1, noNaN: true });

  it('is not connected to when it is special, however it is spelled', async () => {
    await using egress = new RecordingEgress();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...SPECIAL_IPV4), share, fc.constantFrom(...spellings), async ([network], at, spell) => {
        expect(await egress.reach(`http://${spell(numberOf(addressIn(network, at)))}/`)).toEqual({});
      }),
      { numRuns: 2_000 },
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...SPECIAL_IPV6), share, fc.nat({ max: 4 }), async ([network], at, index) => {
        expect(await egress.reach(`https://[${ipv6Spellings(numberOf(addressIn(network, at)))[index]}]/`)).toEqual({});
      }),
      { numRuns: 2_000 },
    );
  }, 120_000);

  it('is connected to when it is public, and then as it stands', async () => {
    await using egress = new RecordingEgress();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('1.0.0.0/8', '8.0.0.0/8', '93.0.0.0/8', '198.32.0.0/12', '2400::/12', '2600::/12', '2a00::/12'),
        share,
        async (network, at) => {
          const address = addressIn(network, at);
          const { addresses, name } = await egress.reach(address.includes(':') ? `http://[${address}]/` : `http://${address}/`);
          expect([name, addresses?.map(numberOf)]).toEqual([undefined, [numberOf(address)]]);
        },
      ),
    );
  });
});

describe('readHost', () => {
  it.each([
    ['A.Test', 'a.test', undefined],
    ['bücher.test', 'xn--bcher-kva.test', undefined],
    ['8.8.8.8', '8.8.8.8', '8.8.8.8'],
    ['2606::0:1', '[2606::1]', '2606::1'],
    ['[2606::1]', '[2606::1]', '2606::1'],
  ])('reads %s', (text, host, address) => {
    expect(readHost(text)).toEqual({ host, address });
  });

  it.each([
    '',
    ' a',
    'a.test:80',
    '[::1]:80',
    'a/b',
    'a@b',
    'a#',
    'a?',
    'a\\b',
    '::1%lo',
    '127.1',
    '0x7f000001',
    'a.test.',
    'a..b',
    `${'a.'.repeat(127)}test`,
    'a\0',
    '1.2.3.4.5',
    7,
    undefined,
  ])('refuses %j', (text) => {
    expect(() => readHost(text)).toThrow(expect.objectContaining({ reason: 'invalid_url' }));
  });
});
