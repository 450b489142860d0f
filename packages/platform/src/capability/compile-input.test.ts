import type { JsonObject } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFacts } from './compile-facts.ts';
import { compileInput } from './compile-input.ts';
import { LIMITS } from './limits.ts';
import { definitionText, setOf } from './test-support/definition-text.ts';

/** Parses with inputs written as YAML flow. */
function inputs(fields: string) {
  const set = setOf(definitionText('demo.lookup', { inputs: fields, common_patterns: '[{ description: x, steps: [x] }]' }));
  expect(set.problems).toEqual([]);
  return set.definitions.get('demo.lookup')!.inputs; // It has no problems.
}

function parse(fields: string, input: unknown): JsonObject | readonly string[] {
  const parsed = compileInput(inputs(fields))(input);
  return parsed.kind === 'valid' ? parsed.input : parsed.problems.map(({ field, reason }) => `${field} ${reason}`.trim());
}

const of = (type: string, more = ''): string => `[{ name: a, type: ${type}, description: x ${more} }]`;

describe('a value', () => {
  it.each([
    ['FilesystemPath', 'src/a.py', '/workspace/src/a.py'],
    ['FilesystemPath', '/workspace/a/../../etc/passwd', '/etc/passwd'],
    ['FilesystemPath', '../../..', '/'],
    ['FilesystemPath', './a//b/./c/', '/workspace/a/b/c'],
    ['FilesystemPath', '/workspace2', '/workspace2'],
    ['URL', 'HTTPS://Example.COM:443/a?b=c#d', 'https://example.com/a?b=c'],
    ['URL', 'http://example.com.:8080/', 'http://example.com:8080/'],
    ['URL', 'http://0x7f.1/', 'http://127.0.0.1/'],
    ['URL', 'http://[::FFFF:7f00:1]/', 'http://[::ffff:7f00:1]/'],
    ['URL', 'https://bücher.example/', 'https://xn--bcher-kva.example/'],
    ['Host', 'Example.COM.', 'example.com'],
    ['Host', '::1', '[::1]'],
    ['Host', '2130706433', '127.0.0.1'],
    ['Port', 443, 443],
    ['SHA256', 'A'.repeat(64), 'a'.repeat(64)],
    ['Signal', 'term', 'SIGTERM'],
    ['Signal', 'SIGKILL', 'SIGKILL'],
    ['DateTime', '2026-01-05T06:00:00+02:00', '2026-01-05T04:00:00.000Z'],
    ['DateTime', '2026-01-05', '2026-01-05T00:00:00.000Z'],
    ['DateTime', '2024-02-29T23:59:59.5Z', '2024-02-29T23:59:59.500Z'],
    ['GlobPattern', '**/*.{ts,js}', '**/*.{ts,js}'],
    ['TimeZone', 'Europe/Zurich', 'Europe/Zurich'],
    ['CapabilityName', 'state.shared.get', 'state.shared.get'],
    ['Command', ['git', 'push', ''], ['git', 'push', '']],
    ['Any', null, null],
    ['Any', { x: [1, 'a', null] }, { x: [1, 'a', null] }],
    ['Integer', 0, 0],
    ['Float', 0.5, 0.5],
    ['Boolean', false, false],
    ['String', '', ''],
  ])('of type %s: %j is %j', (type, given, taken) => {
    expect(parse(of(type), { a: given })).toEqual({ a: taken });
  });

  it.each([
    ['FilesystemPath', 'a\0b', 'a has a NUL character'],
    ['FilesystemPath', 'a\nb', 'a has a control character, which no grant covers'],
    ['FilesystemPath', '', 'a is empty; give a path, as src/main.py'],
    ['FilesystemPath', 'x'.repeat(5_000), 'a is longer than 4096 bytes'],
    ['URL', 'ftp://example.com', 'a has the scheme ftp; only http and https are allowed'],
    ['URL', 'file:///etc/passwd', 'a has the scheme file; only http and https are allowed'],
    ['URL', 'javascript:alert(1)', 'a has the scheme javascript; only http and https are allowed'],
    ['URL', 'http://user:secret@example.com/', 'a has credentials, which a URL may not carry'],
    ['URL', 'http://a@b/', 'a has credentials, which a URL may not carry'],
    ['URL', 'example.com', 'a is not a URL; give it whole, as https://example.com/path'],
    ['URL', 'http://exa\tmple.com/', 'a has a space, a backslash or a control character'],
    ['URL', 'http:\\\\example.com/', 'a has a space, a backslash or a control character'],
    ['URL', `http://example.com/${'x'.repeat(9_000)}`, 'a is longer than 8192 characters'],
    ['Host', 'https://example.com', 'a is not a host name or address; give it without scheme, port and path'],
    ['Host', 'example.com:80', 'a is not a host name or address; give it without scheme, port and path'],
    ['Host', 'a/b', 'a is not a host name or address; give it without scheme, port and path'],
    ['Port', 0, 'a is 0, at least 1 is needed'],
    ['Port', 65_536, 'a is 65536, at most 65535 is allowed'],
    ['SHA256', 'xyz', 'a is not a SHA-256; give 64 hexadecimal digits'],
    ['Signal', 'SIGTERN', 'a is not a signal; did you mean SIGTERM'],
    ['Signal', '__proto__', 'a is not a signal'],
    ['DateTime', '2026-02-30', 'a is not a time of RFC 3339; give it as 2026-01-05T06:00:00Z'],
    ['DateTime', 'yesterday', 'a is not a time of RFC 3339; give it as 2026-01-05T06:00:00Z'],
    ['GlobPattern', '../*', 'a leads out of its directory with ..'],
    ['GlobPattern', '{a,..}/b', 'a leads out of its directory with ..'],
    ['GlobPattern', '/etc/*', 'a is absolute; give the directory apart and the pattern relative to it'],
    ['CapabilityName', 'read', 'a is not the name of a capability; give it as filesystem.read'],
    ['Command', [], 'a has 0 items, at least 1 are needed'],
    ['Command', 'git push', 'a is a text, not a list'],
    ['Command', [''], 'a[0] is empty; it is the program'],
    ['Command', ['git', 'a\0'], 'a[1] has a NUL character'],
    ['Integer', '5', 'a is a text, not a whole number'],
    ['Integer', 1.5, 'a is the number 1.5, not a whole number'],
    ['Integer', 2 ** 53, 'a is the number 9007199254740992, not a whole number'],
    ['Integer', true, 'a is true, not a whole number'],
    ['Integer', null, 'a is null, not a whole number'],
    ['Boolean', 'true', 'a is a text, not true or false'],
    ['Boolean', 1, 'a is the number 1, not true or false'],
    ['String', 5, 'a is the number 5, not a text'],
    ['String', ['x'], 'a is a list, not a text'],
    ['Object', [], 'a is a list, not an object'],
    ['Array', {}, 'a is an object, not a list'],
  ])('of type %s: %j is refused', (type, given, reason) => {
    expect(parse(of(type), { a: given })).toEqual([reason]);
  });

  it('above a maximum is clamped where the field says so, and refused elsewhere', () => {
    expect(parse(of('Integer', ', maximum: 10, clamp: true'), { a: 7_200 })).toEqual({ a: 10 });
    expect(parse(of('Integer', ', maximum: 10'), { a: 11 })).toEqual(['a is 11, at most 10 is allowed']);
    expect(parse(of('Integer', ', minimum: 1, maximum: 10, clamp: true'), { a: 0 })).toEqual(['a is 0, at least 1 is needed']);
  });

  it('that is missing gets its default, each call its own', () => {
    const fields = inputs('[{ name: a, type: Array, default: [1], description: x }, { name: b, type: String, description: x }]');
    const read = compileInput(fields);
    const [first, second] = [read({}), read({})];
    expect(first).toEqual({ kind: 'valid', input: { a: [1] } });
    expect(first.kind === 'valid' && second.kind === 'valid' && first.input['a'] !== second.input['a']).toBe(true);
  });
});

describe('arguments', () => {
  const NESTED =
    '[{ name: o, type: Object, description: x, fields: [{ name: path, type: FilesystemPath, access: rw, required: true, description: x }] }, { name: l, type: Array, description: x, items: { type: URL } }, { name: m, type: Object, description: x, values: { type: FilesystemPath } }]';

  it('have all their problems told with their places', () => {
    expect(parse(NESTED, { o: { paht: 'x' }, l: ['http://a/', 5], zz: 1, m: { k: 1 } })).toEqual([
      'o.path is missing',
      'o.paht is unknown; did you mean path',
      'l[1] is the number 5, not a text',
      'm.k is the number 1, not a text',
      'zz is unknown; known are o, l, m',
    ]);
  });

  it('say what they are about also inside lists and objects', () => {
    const fields = inputs(NESTED);
    const parsed = compileInput(fields)({ o: { path: 'a' }, l: ['http://a.example/', 'https://b.example:8443/x'], m: { k: '/b' } });
    expect(parsed.kind === 'valid' && compileFacts(fields)(parsed.input)).toEqual({
      paths: [
        { path: '/workspace/a', mode: 'rw' },
        { path: '/b', mode: 'rw' },
      ],
      hosts: [
        { host: 'a.example', port: 80 },
        { host: 'b.example', port: 8443 },
      ],
      commands: [],
      contentBytes: undefined,
      estimate: {},
    });
  });

  const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) });
  class Exotic {
    a = 1;
  }
  it.each([
    ['a list', [], ' is not an object'],
    ['null', null, ' is not an object'],
    ['a text', 'x', ' is not an object'],
    ['a class instance', new Exotic(), 'is not a plain object'],
    ['a function', { a: () => 1 }, 'is function'],
    ['undefined', { a: undefined }, 'is undefined'],
    ['a big integer', { a: 1n }, 'is bigint'],
    ['not a number', { a: Number.NaN }, 'is not a finite number'],
    ['a date', { a: new Date(0) }, 'is not a plain object'],
    ['broken unicode', { a: 'x\ud800' }, 'has broken unicode'],
    ['broken unicode in a name', { 'x\ud800': 1 }, 'has broken unicode'],
    ['a __proto__ field', JSON.parse('{"__proto__": {"a": 1}}'), 'has a field named __proto__'],
    ['a __proto__ field inside', JSON.parse('{"a": [{"__proto__": 1}]}'), 'a.0 has a field named __proto__'],
    ['a prototype field', { constructor: 1 }, 'constructor is unknown'],
    ['an inherited field', Object.create({ a: 1 }), 'is not a plain object'],
    ['33 levels', { a: deep(33) }, 'is nested deeper than 32'],
    ['100,001 values', { a: Array.from({ length: 100_001 }, () => 0) }, 'has more than 100000 values'],
    ['50 MB', { a: 'x'.repeat(50_000_000) }, 'makes it larger than 1048576 bytes'],
    ['50 MB in a name', { ['x'.repeat(50_000_000)]: 1 }, 'makes it larger than 1048576 bytes'],
    ['1 MiB in many parts', { a: Array.from({ length: 1_100 }, () => 'x'.repeat(1_000)) }, 'makes it larger than 1048576 bytes'],
  ])('that are or have %s are refused', (_, input, reason) => {
    const problems = parse(of('Any'), input);
    expect(problems).toHaveLength(1);
    expect((problems as readonly string[])[0]).toContain(reason.trim());
  });

  it('may carry all the gate lets through as content, and 1 MiB besides', () => {
    const fields = '[{ name: c, type: Content, description: x }, { name: s, type: String, description: x }]';
    const mib = (count: number): string => 'x'.repeat(count * 1_048_576);
    expect(parse(fields, { c: 'x'.repeat(LIMITS.contentBytesMax) })).toHaveProperty('c');
    expect(parse(fields, { c: mib(2) })).toEqual(['has content of more than 2031616 bytes']);
    expect(parse(fields, { s: mib(1) })).toEqual(['is larger than 1048576 bytes besides its content']);
    expect(parse(fields, { c: mib(4) })).toEqual(['c makes it larger than 3080192 bytes']);
  });

  it('are taken over: what the caller changes afterwards changes nothing', () => {
    const input = { a: { deep: ['x'] } };
    const parsed = compileInput(inputs(of('Any')))(input);
    input.a.deep.push('y');
    expect(parsed).toEqual({ kind: 'valid', input: { a: { deep: ['x'] } } });
  });

  it('in canonical form are taken as they are, whatever they were', () => {
    const fields = inputs(
      '[{ name: p, type: FilesystemPath, description: x }, { name: u, type: URL, description: x }, { name: h, type: Host, description: x }, { name: d, type: DateTime, description: x }, { name: any, type: Any, description: x }]',
    );
    const read = compileInput(fields);
    const url = fc.oneof(fc.webUrl({ withQueryParameters: true, withFragments: true }), fc.string());
    const value = fc.record(
      { p: fc.string(), u: url, h: fc.oneof(fc.domain(), fc.ipV4Extended(), fc.ipV6(), fc.string()), d: fc.string(), any: fc.jsonValue() },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(value, (input) => {
        const once = read(input);
        if (once.kind === 'invalid') return;
        expect(read(once.input)).toEqual(once);
        for (const { path } of compileFacts(fields)(once.input).paths) expect(path).toMatch(/^\/(?!.*(?:^|\/)\.\.?(?:\/|$))/s);
      }),
      { numRuns: 2_000 },
    );
  });

  it('of any kind never make it throw', () => {
    const read = compileInput(inputs(NESTED));
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true }), (input) => {
        expect(['valid', 'invalid']).toContain(read(input).kind);
      }),
      { numRuns: 2_000 },
    );
  });
});
