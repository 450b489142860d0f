import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOST_PATTERNS, hostNamed } from './host-pattern.ts';
import { coversList, hasOne, meetLists, parsePatterns } from './pattern-list.ts';
import { testPatternLaws } from './test-support/pattern-laws.ts';

type Thing = { readonly host: string; readonly port: number | undefined };

const domain = fc.array(fc.constantFrom('a', 'b', 'A'), { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'));
const host = fc.oneof(
  { weight: 6, arbitrary: domain },
  { weight: 1, arbitrary: fc.constantFrom('localhost', '127.0.0.1', '0x7f.1', '[::1]', '[0::1]') },
);
const scoped = fc.oneof(host, domain.map((each) => `*.${each}`), domain.map((each) => `**.${each}`), fc.constant('*')); // biome-ignore format: one line
const port = fc.constantFrom('', '', ':1', ':2');

testPatternLaws({
  kind: HOST_PATTERNS,
  entry: fc.tuple(scoped, port).map((parts) => parts.join('')),
  things: [...namesOf(['a', 'b'], 4), 'localhost', '127.0.0.1', '[::1]'].flatMap((each): Thing[] =>
    [1, 2, 3, undefined].map((on) => ({ host: each, port: on })),
  ),
  named: (thing) => hostNamed(thing.host, thing.port),
  means,
});

/** Names of these labels, each also with labels below that no pattern has. */
function namesOf(labels: readonly string[], depthMax: number): readonly string[] {
  let level = labels;
  let all = labels;
  for (let depth = 1; depth < depthMax; depth++) {
    level = level.flatMap((below) => labels.map((label) => `${label}.${below}`));
    all = all.concat(level);
  }
  return all.flatMap((each) => [each, `z.${each}`, `z.z.${each}`]);
}

/** A thing without a port is the host on all its ports. */
function means(value: string, { host: asked, port: on }: Thing): boolean {
  const [, pattern = '', granted] = /^(.*?)(?::(\d+))?$/.exec(value) ?? [];
  if (granted !== undefined && Number(granted) !== on) return false;
  const literal = (text: string) => text.replaceAll(/[.[\]]/g, '\\$&');
  if (pattern === '*') return true;
  if (pattern.startsWith('**.')) return new RegExp(`^(.+\\.)?${literal(pattern.slice(3))}$`).test(asked);
  if (pattern.startsWith('*.')) return new RegExp(`^[^.]+\\.${literal(pattern.slice(2))}$`).test(asked);
  return pattern === asked;
}

const allows = (pattern: string, asked: unknown, on?: unknown) =>
  hasOne(HOST_PATTERNS, parsePatterns(HOST_PATTERNS, [pattern]), hostNamed(asked, on));
const covers = (outer: string, inner: string) => coversList(HOST_PATTERNS, [outer], [inner]);

describe('a grant of hosts', () => {
  it.each([
    ['example.com', 'example.com', true],
    ['example.com', 'api.example.com', false],
    ['*.example.com', 'api.example.com', true],
    ['*.example.com', 'a.b.example.com', false],
    ['*.example.com', 'example.com', false],
    ['**.example.com', 'example.com', true],
    ['**.example.com', 'api.example.com', true],
    ['**.example.com', 'a.b.example.com', true],
    ['**.example.com', 'badexample.com', false],
    ['*.example.com', 'badexample.com', false],
    ['*', 'anything.test', true],
    ['*', '10.0.0.1', true],
    ['*', '', false],
    ['*', '.', false],
  ])('of %s says for %s: %s', (pattern, asked, answer) => {
    expect(allows(pattern, asked)).toBe(answer);
  });

  it('knows a host by every spelling of its name', () => {
    for (const spelling of ['EXAMPLE.com', 'example.com.', 'example。com', 'exam\u00ADple.com', 'ｅｘａｍｐｌｅ.com']) {
      expect(allows('example.com', spelling), spelling).toBe(true);
      expect(HOST_PATTERNS.write(HOST_PATTERNS.parse(spelling) ?? HOST_PATTERNS.read('?'))).toBe('example.com');
    }
    expect(allows('*.BÜCHER.example', 'www.xn--bcher-kva.example')).toBe(true);
    expect(allows('xn--bcher-kva.example', 'bücher.example')).toBe(true);
  });

  it('knows an address by every spelling, and for no other', () => {
    for (const spelling of ['127.0.0.1', '127.1', '0x7f.1', '2130706433', '127.0.0.1.', '１２７.0.0.1'])
      expect(allows('127.0.0.1', spelling), spelling).toBe(true);
    for (const spelling of ['[::1]', '::1', '[0:0:0:0:0:0:0:1]', '0:0::1']) expect(allows('[::1]', spelling), spelling).toBe(true);
    expect(allows('[::1]', '[::2]')).toBe(false);
    expect(allows('127.0.0.1', '::ffff:127.0.0.1')).toBe(false);
    expect(allows('[::1]', '127.0.0.1')).toBe(false);
  });

  it('with a port is for that port; without one for every port', () => {
    expect(allows('example.com:443', 'example.com', 443)).toBe(true);
    expect(allows('example.com:443', 'example.com', 80)).toBe(false);
    expect(allows('example.com:443', 'example.com:443')).toBe(true);
    expect(allows('example.com:443', 'example.com:80')).toBe(false);
    expect(allows('example.com', 'example.com', 8080)).toBe(true);
    expect(allows('*:443', 'example.com', 443)).toBe(true);
    expect(allows('*:443', 'example.com', 80)).toBe(false);
    expect(allows('[::1]:443', '::1', 443)).toBe(true);
    expect(allows('[::1]:443', '[::1]:443')).toBe(true);
    expect(allows('[::1]:443', '[::1]', 444)).toBe(false);
  });

  it('with a port does not answer for a host on all its ports', () => {
    expect(allows('example.com:443', 'example.com')).toBe(false);
    expect(allows('*:443', 'example.com')).toBe(false);
  });

  it('says no when the host says one port and the caller another', () => {
    expect(allows('example.com', 'example.com:443', 443)).toBe(true);
    expect(allows('example.com', 'example.com:443', 80)).toBe(false);
  });

  it('says no to what is no host or no port', () => {
    for (const odd of [
      '', '.', '..', '.example.com', 'example..com', 'example.com..', '*', '*.example.com', '**.example.com', 'a b.com', 'a\tb.com', 'a\0.com', 'a/b', 'https://a.com',
      'a.com/x', 'a.com?x', 'a.com#x', 'user@a.com', 'a%2ecom', 'a\\b', '\ud800.com', `${'x'.repeat(64)}.com`, `${'a.'.repeat(130)}com`, 'x'.repeat(100_000), '1.2.3.256', 'foo.1',
      '256.256.256.256', '[::1', '::1]', '[]', '[::g]', '[fe80::1%eth0]', 'fe80::1%eth0', '[1.2.3.4]', 'a:b:c', 'example.com:', 'example.com:0', 'example.com:65536', 'example.com:080',
      '10.0.0.0/8', 5, null, undefined, {}, ['a.com'], Symbol.iterator,
    ]) {
      expect(allows('*', odd), String(odd)).toBe(false);
    } // biome-ignore format: a list
    for (const odd of [0, -1, 1.5, 65_536, Number.NaN, Number.POSITIVE_INFINITY, '443', {}, true])
      expect(allows('*', 'a.com', odd), String(odd)).toBe(false);
  });

  it('covers patterns as sets', () => {
    expect(covers('*.example.com', 'api.example.com')).toBe(true);
    expect(covers('*.example.com', 'a.b.example.com')).toBe(false);
    expect(covers('*.example.com', '*.api.example.com')).toBe(false);
    expect(covers('*.example.com', '**.example.com')).toBe(false);
    expect(covers('**.example.com', '*.example.com')).toBe(true);
    expect(covers('**.example.com', 'example.com')).toBe(true);
    expect(covers('**.example.com', '**.api.example.com')).toBe(true);
    expect(covers('**.api.example.com', '**.example.com')).toBe(false);
    expect(covers('**.example.com', '**.badexample.com')).toBe(false);
    expect(covers('*', '**.example.com')).toBe(true);
    expect(covers('**.example.com', '*')).toBe(false);
    expect(covers('example.com', 'example.com:443')).toBe(true);
    expect(covers('example.com:443', 'example.com')).toBe(false);
    expect(covers('*:443', '*.example.com:443')).toBe(true);
    expect(covers('*:443', '*.example.com')).toBe(false);
  });

  it('meets another in what both have, also where neither has all of the other', () => {
    const meet = (a: string, b: string) => meetLists(HOST_PATTERNS, [a], [b]);
    expect(meet('*.example.com', '**.api.example.com')).toEqual(['api.example.com']);
    expect(meet('**.api.example.com:443', '*.example.com')).toEqual(['api.example.com:443']);
    expect(meet('*:443', '**.example.com')).toEqual(['**.example.com:443']);
    expect(meet('*.example.com:443', '*.example.com:80')).toEqual([]);
    expect(meet('*.example.com', '**.a.b.example.com')).toEqual([]);
  });

  it.each([
    '', '*.', '**.', '***', '*.*', '*.*.com', '**.*.com', 'a.*.com', 'a*.com', '*a.com', '＊.com', '*.com', '**.com', '*.com.', '*.localhost', '**.1', '*.1.2.3.4', '*.[::1]', '*:0',
    '*:65536', '*:443:443', ':443', 'https://example.com', 'example.com/', 'example.com:', '::1', '[::1', 'user@example.com', '10.0.0.0/8', 'x'.repeat(400), 5, null, undefined, {},
  ])('cannot be %j', (entry) => {
    expect(HOST_PATTERNS.parse(entry)).toBeUndefined();
  }); // biome-ignore format: a list

  it('survives any text at all', () => {
    const odd = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.string({ unit: fc.constantFrom('*', '.', ':', '[', ']', '1', 'a', '%', '。', '＊', 'ß') }),
    );
    fc.assert(
      fc.property(odd, fc.anything(), (text, on) => {
        const pattern = HOST_PATTERNS.parse(text);
        if (pattern !== undefined) expect(HOST_PATTERNS.parse(HOST_PATTERNS.write(pattern))).toEqual(pattern);
        expect(typeof allows('*', text, on)).toBe('boolean');
      }),
      { numRuns: 3_000 },
    );
  });
});
