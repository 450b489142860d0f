import { describe, expect, it } from 'vitest';
import type { EgressRequest } from './egress.ts';
import { readLimits, readRequest } from './read-request.ts';

const url = 'http://a.test/';
const read = (request: Partial<Record<keyof EgressRequest, unknown>>) => readRequest({ url, ...request } as EgressRequest); // Hostile on purpose.
const refused = expect.objectContaining({ reason: 'invalid_request', host: 'a.test' });

describe('readRequest', () => {
  it('takes headers in lower case, each once, and a body where there may be one', () => {
    const headers = { 'X-One': '1', ACCEPT: 'a\tb', __proto__x: '' };
    const { method, headers: read1, body } = read({ method: 'POST', headers, body: Buffer.from('x') });
    expect([method, [...read1], String(body)]).toEqual([
      'POST',
      [
        ['x-one', '1'],
        ['accept', 'a\tb'],
        ['__proto__x', ''],
      ],
      'x',
    ]);
    expect(read({ method: 'GET', body: new Uint8Array() }).body).toBeUndefined();
    expect([...read({ headers: JSON.parse('{"__proto__": "x"}') }).headers]).toEqual([['__proto__', 'x']]);
  });

  it.each(['get', 'TRACE', 'CONNECT', 'GET ', 'GET / HTTP/1.1\r\nx: y', '', 7, null, 'PURGE'])('refuses the method %j', (method) => {
    expect(() => read({ method })).toThrow(refused);
  });

  it.each([
    ...[
      'host',
      'Host',
      'content-length',
      'Content-Length',
      'transfer-encoding',
      'connection',
      'keep-alive',
      'proxy-connection',
      'upgrade',
      'expect',
    ],
    ...['te', 'trailer', 'http2-settings', '', ' ', 'a b', 'a:', 'a\r\nb', 'a\0', 'ü', ':authority', 'x'.repeat(129)],
  ])('refuses the header %j', (name) => {
    expect(() => read({ headers: { [name]: 'x' } })).toThrow(refused);
  });

  it.each(['a\r\nb: c', 'a\nb', 'a\rb', 'a\0b', 'ü', '\u2028', '\x7f', 7, null, undefined, {}, ['a']])('refuses the value %j', (value) => {
    expect(() => read({ headers: { x: value } })).toThrow(refused);
  });

  it('refuses a header that is there twice, too many and too large ones, and bodies where none may be', () => {
    expect(() => read({ headers: { a: '1', A: '2' } })).toThrow(refused);
    expect(() => read({ headers: null })).toThrow(refused);
    expect(() => read({ headers: Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`x${index}`, ''])) })).toThrow(refused);
    expect(() => read({ headers: { a: 'x'.repeat(40_000) } })).toThrow(refused);
    expect(() => read({ body: Buffer.from('x') })).toThrow(refused);
    expect(() => read({ method: 'HEAD', body: Buffer.from('x') })).toThrow(refused);
    expect(() => read({ method: 'POST', body: 'text' })).toThrow(refused);
  });

  it.each([
    ['redirectsMax', [-1, 21, 1.5, '3', Number.NaN]],
    ['deadlineMs', [0, -1, 3_600_001, Number.POSITIVE_INFINITY, '1', null]],
    ['bodyBytesMax', [-1, 0.5, 2 ** 53, null]],
  ] as const)('refuses limits of %s that are none', (name, values) => {
    const { target } = read({});
    for (const value of values.filter((each) => each !== null))
      expect(() => readLimits({ url, [name]: value as number }, target)).toThrow(refused);
  });
});
