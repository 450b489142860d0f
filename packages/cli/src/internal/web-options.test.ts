import { expect, it } from 'vitest';
import type { ListenAddress } from './listen-address.ts';
import { type WebFlags, webOptions, webWords } from './web-options.ts';

const at = (host: string): readonly ListenAddress[] => [{ kind: 'tcp', host, port: 7700 }];
const read = (flags: WebFlags, host = '127.0.0.1') => webOptions(flags, at(host), '/state', '/here');

it.each(['0.0.0.0', '::', '192.0.2.1', '127.example.org'])('%s is not listened on in plain text unless that is meant', (host) => {
  expect(() => read({}, host)).toThrow(/without TLS: tokens and passphrases could be read on the way/);
  expect(read({ plain: true }, host).tls).toBeUndefined();
  expect(read({ tls: 'self-signed' }, host).tls).toEqual({ kind: 'self-signed', directory: '/state/tls' });
});

it.each(['localhost', '127.0.0.1', '127.8.8.8', '::1'])('%s is', (host) => {
  expect(read({}, host)).toEqual({ tls: undefined, origins: [], trustedProxies: [] });
});

it('files are of the current directory, and stand in the words of a daemon in the background as what they are', () => {
  const flags = { tlsCert: 'c.pem', tlsKey: '/k.pem', origin: ['https://w.example/'], trustProxy: ['10.0.0.0/8', '::1'] };
  expect(webWords(read(flags), flags)).toEqual([
    ...['--tls-cert', '/here/c.pem', '--tls-key', '/k.pem', '--origin', 'https://w.example'],
    ...['--trust-proxy', '10.0.0.0/8', '--trust-proxy', '::1'],
  ]);
  expect(webWords(read({ tls: 'self-signed' }), {})).toEqual(['--tls', 'self-signed']);
  expect(webWords(read({ plain: true }), { plain: true })).toEqual(['--plain']);
});

it.each<[string, WebFlags]>([
  ['a certificate without its key', { tlsCert: 'c.pem' }],
  ['a key without its certificate', { tlsKey: 'k.pem' }],
  ['two certificates', { tls: 'self-signed', tlsCert: 'c', tlsKey: 'k' }],
  ['TLS and none', { tls: 'self-signed', plain: true }],
  ['an origin with a path', { origin: ['https://w.example/x'] }],
  ['an origin of another scheme', { origin: ['ftp://w.example'] }],
  ['an origin with a user', { origin: ['https://a@w.example'] }],
  ['everything', { origin: ['*'] }],
  ['a proxy by name', { trustProxy: ['proxy.example'] }],
  ['a network that is too small', { trustProxy: ['10.0.0.0/33'] }],
])('%s is refused', (_name, flags) => {
  expect(() => read(flags)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
});
