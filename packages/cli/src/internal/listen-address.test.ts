import { isFault } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { formatListenAddress, parseListenAddress, urlOf } from './listen-address.ts';

describe('parseListenAddress', () => {
  it.each([
    ['unix:/run/warren.sock', { kind: 'unix', path: '/run/warren.sock' }],
    ['unix:///run/warren.sock', { kind: 'unix', path: '/run/warren.sock' }],
    ['unix:a/b.sock', { kind: 'unix', path: '/here/a/b.sock' }],
    ['tcp:127.0.0.1:7700', { kind: 'tcp', host: '127.0.0.1', port: 7700 }],
    ['tcp:[::1]:0', { kind: 'tcp', host: '::1', port: 0 }],
    ['tcp:localhost:80', { kind: 'tcp', host: 'localhost', port: 80 }],
  ])('reads %s', (text, address) => {
    expect(parseListenAddress(text, '/here')).toEqual(address);
  });

  it.each([
    ['', 'unix:PATH or tcp:HOST:PORT'],
    ['7700', 'unix:PATH or tcp:HOST:PORT'],
    ['tcp:7700', 'unix:PATH or tcp:HOST:PORT'],
    ['tcp:127.0.0.1:', 'unix:PATH or tcp:HOST:PORT'],
    ['tcp:127.0.0.1:70000', 'at most 65535'],
    ['tcp:127.0.0.1:-1', 'unix:PATH or tcp:HOST:PORT'],
    ['tcp::7700', 'an address of this machine'],
    ['tcp:example.org:7700', 'an address of this machine'],
    ['tcp:::1:7700', 'unix:PATH or tcp:HOST:PORT'],
    ['http://127.0.0.1:7700', 'unix:PATH or tcp:HOST:PORT'],
    ['unix:', 'it needs a path'],
    [`unix:/${'x'.repeat(107)}`, 'the path has 108 bytes'],
  ])('refuses %j', (text, why) => {
    expect(() => parseListenAddress(text, '/here')).toThrow(why);
    expect(() => parseListenAddress(text, '/here')).toThrow(expect.toSatisfy((error) => isFault(error, 'invalid_argument')));
  });

  it('gives back what it reads', () => {
    for (const text of ['unix:/run/warren.sock', 'tcp:127.0.0.1:7700', 'tcp:[::1]:0']) {
      expect(formatListenAddress(parseListenAddress(text, '/here'))).toBe(text);
    }
  });
});

it('urlOf writes an address for a browser', () => {
  expect(urlOf({ kind: 'tcp', host: '::1', port: 7700 }, false)).toBe('http://[::1]:7700');
  expect(urlOf({ kind: 'tcp', host: '127.0.0.1', port: 7700 }, true)).toBe('https://127.0.0.1:7700');
});
