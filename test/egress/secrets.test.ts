/** Secrets on their way: put in where they may be, nowhere else, and taken out of what comes back. Real TLS servers that reflect all they get. */
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EgressNetwork } from '../../packages/sandbox/src/egress/proxy/egress-network.ts';
import { makePlaceholder } from '../../packages/sandbox/src/egress/proxy/secret/placeholder.ts';
import { TestAuthority } from '../ssrf/certificates.ts';
import { addresses, DnsServer } from '../ssrf/dns-server.ts';
import { openInner, openTunnel, sayInside } from './inner-client.ts';
import { reasonIn, startProxy, type TestProxy } from './proxy-client.ts';
import { type ReflectingServer, startReflecting } from './reflecting-server.ts';
import { REDACTED, type TestSecrets, testSecrets } from './test-secrets.ts';

const VALUE = 'sk-live-"\\&=%+0123456789';

let authority: TestAuthority;
let dns: DnsServer;
beforeAll(async () => {
  authority = await TestAuthority.create();
  dns = await DnsServer.start({ 'web.test': addresses('127.0.0.1'), 'foreign.test': addresses('127.0.0.1') });
});
afterAll(async () => {
  await dns[Symbol.asyncDispose]();
  await authority[Symbol.asyncDispose]();
});

let server: ReflectingServer;
let foreign: ReflectingServer;
let plain: ReflectingServer;
beforeEach(async () => {
  server = await startReflecting(await authority.issue(['DNS:web.test']));
  foreign = await startReflecting(await authority.issue(['DNS:foreign.test']));
  plain = await startReflecting();
});
afterEach(async () => {
  for (const each of [server, foreign, plain]) await each[Symbol.asyncDispose]();
});

function start(given: TestSecrets, network: Partial<EgressNetwork> = {}): TestProxy {
  const rules = [
    { host: `web.test:${server.port}`, inspect: true },
    { host: `foreign.test:${foreign.port}`, inspect: true },
    { host: `web.test:${plain.port}` },
  ];
  return startProxy(
    { rules, secrets: given.secrets, ...network },
    { dns: { servers: [dns.address] }, privateNetworks: ['127.0.0.1/32'], tls: { ca: authority.ca } },
  );
}

/** One request to `web.test` in TLS. */
async function ask(client: TestProxy, head: string, body: string | Uint8Array = '', host = `web.test:${server.port}`): Promise<string> {
  const bytes = Buffer.from(body);
  const isFramed = /^(?:content-length|transfer-encoding):/im.test(head);
  const length = bytes.length === 0 || isFramed ? '' : `Content-Length: ${bytes.length}\r\n`;
  const [line = '', ...lines] = head.split('\r\n');
  const request = [`${line} HTTP/1.1`, `Host: ${host}`, ...lines].join('\r\n');
  const text = `${request}\r\n${length}Connection: close\r\n\r\n`;
  return await sayInside(await openInner(client.proxy, host), Buffer.concat([Buffer.from(text), bytes]));
}

describe('a placeholder becomes the value', () => {
  it('in a header that the secret may stand in, and what comes back has none of it', async () => {
    const given = testSecrets({ value: VALUE, host: 'web.test' });
    await using client = start(given);
    const text = await ask(client, `GET /a?b=c\r\nAuthorization: Bearer ${given.placeholder}`);
    expect(server.received[0]?.headers).toContain(`Bearer ${VALUE}`);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).not.toContain(VALUE);
    expect(text).toContain(`x-reflected: Bearer ${REDACTED}`);
    expect(text.match(new RegExp(`Bearer ${REDACTED.replace(/[[\]]/g, '\\$&')}`, 'g'))).toHaveLength(2);
    expect(given.asked).toEqual([
      {
        ...{ placeholder: given.placeholder, place: { kind: 'header', name: 'authorization' }, scheme: 'https', method: 'GET' },
        ...{ host: 'web.test', port: server.port, path: '/a' },
      },
    ]);
    expect(JSON.stringify(client.events)).not.toContain(VALUE);
    expect(given.handed[0]?.every((byte) => byte === 0)).toBe(true);
  });

  it('in Basic credentials, which are taken apart and put together again', async () => {
    const given = testSecrets({ value: VALUE, host: 'web.test' });
    await using client = start(given);
    const text = await ask(client, `GET /\r\nAuthorization: Basic ${Buffer.from(`user:${given.placeholder}`).toString('base64')}`);
    expect(server.received[0]?.headers).toContain(`Basic ${Buffer.from(`user:${VALUE}`).toString('base64')}`);
    expect(text).toContain(`x-reflected: Basic ${REDACTED}`);
    expect(text).not.toContain(Buffer.from(`user:${VALUE}`).toString('base64'));
  });

  it('in the query and in the field of a form, encoded as they are', async () => {
    const given = testSecrets({ value: VALUE, host: 'web.test' });
    await using client = start(given);
    await ask(client, `GET /a?x=1&key=${given.placeholder}&y=%20z`);
    expect(server.received[0]?.url).toBe(`/a?x=1&key=${encodeURIComponent(VALUE)}&y=%20z`);
    const form = 'Content-Type: application/x-www-form-urlencoded; charset=utf-8';
    await ask(client, `POST /\r\n${form}`, `a=b+c&token=x${given.placeholder}&d`);
    expect(server.received[1]?.body).toBe(`a=b+c&token=x${encodeURIComponent(VALUE)}&d`);
  });

  it('in a field of JSON, wherever it stands, and every other byte stays', async () => {
    const given = testSecrets({ value: VALUE, host: 'web.test' });
    await using client = start(given);
    const body = (value: string): string =>
      `{ "n": 12345678901234567890, "é": "\\u00e9", "token":"${value}", "a": [ {"deep" : ["x ${value}"]}, 1e400 ] }`;
    const escaped = JSON.stringify(VALUE).slice(1, -1);
    await ask(client, 'POST /\r\nContent-Type: application/json', body(given.placeholder));
    expect(Buffer.from(server.received[0]?.body ?? '', 'latin1').toString()).toBe(body(escaped));
    const sent = body(given.placeholder);
    const chunks = [sent.slice(0, 70), sent.slice(70)].map((each) => `${Buffer.byteLength(each).toString(16)}\r\n${each}\r\n`).join('');
    await ask(client, 'POST /\r\nContent-Type: application/vnd.api+json\r\nTransfer-Encoding: chunked', `${chunks}0\r\n\r\n`);
    expect(Buffer.from(server.received[1]?.body ?? '', 'latin1').toString()).toBe(body(escaped));
  });

  it('and nothing of it is seen in an answer that is compressed, or comes a byte at a time', async () => {
    const given = testSecrets({ value: VALUE, host: 'web.test' });
    await using client = start(given);
    for (const path of ['/encoded/gzip', '/encoded/br', '/encoded/zstd', '/split']) {
      const text = await ask(client, `GET ${path}\r\nAccept-Encoding: gzip, deflate, br, zstd, x\r\nX-Api-Key: ${given.placeholder}`);
      expect(text).toMatch(/^HTTP\/1\.1 200 /);
      expect(text).toContain(REDACTED);
      expect(text).not.toContain(VALUE);
      expect(text).not.toMatch(/content-encoding/i);
    }
    expect(server.received[0]?.headers).toContain('gzip, br, zstd');
    const unreadable = await ask(client, `GET /encoded/deflate\r\nX-Api-Key: ${given.placeholder}`);
    expect(reasonIn(unreadable)).toBe('protocol_error');
    expect(unreadable).not.toContain(VALUE);
  });

  it('and is asked for in whole, when only a part was wanted', async () => {
    const given = testSecrets({ value: VALUE, host: 'web.test' });
    await using client = start(given);
    await ask(client, `GET /\r\nRange: bytes=0-3\r\nX-Api-Key: ${given.placeholder}`);
    expect(server.received[0]?.headers.map((each) => each.toLowerCase())).not.toContain('range');
  });
});

describe('a placeholder is refused, and nothing is sent,', () => {
  it('to a host that the secret is not bound to', async () => {
    const given = testSecrets({ value: VALUE, host: 'web.test' });
    await using client = start(given);
    const text = await ask(client, `GET /\r\nAuthorization: Bearer ${given.placeholder}`, '', `foreign.test:${foreign.port}`);
    expect(text).toMatch(/^HTTP\/1\.1 403 Forbidden \(warren: secret_not_bound\)/);
    expect(text).toContain('may be used for foreign.test');
    const json = 'POST /\r\nContent-Type: application/json';
    expect(reasonIn(await ask(client, json, `{"token":"${given.placeholder}"}`, `foreign.test:${foreign.port}`))).toBe('secret_not_bound');
    expect(foreign.received).toEqual([]);
    expect(client.events.filter(({ kind }) => kind === 'denied')).toHaveLength(2);
  });

  it('when it is of another sandbox, or of nobody', async () => {
    const given = testSecrets({ value: VALUE, host: 'web.test' });
    await using client = start(given);
    expect(reasonIn(await ask(client, `GET /\r\nX-Api-Key: ${makePlaceholder('api/key')}`))).toBe('secret_not_bound');
    expect(server.received).toEqual([]);
  });

  it('over plain HTTP, unless that is allowed', async () => {
    const given = testSecrets({ value: VALUE, host: 'web.test' });
    await using client = start(given);
    const host = `web.test:${plain.port}`;
    const request = (target: string): string =>
      `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nX-Api-Key: ${given.placeholder}\r\nConnection: close\r\n\r\n`;
    const text = await client.say(request(`http://${host}/`));
    expect(reasonIn(text)).toBe('secret_misplaced');
    expect(text).toContain('use https');
    expect(given.asked).toEqual([]);
    expect(plain.received).toEqual([]);
    const allowed = testSecrets({ value: VALUE, host: 'web.test', isPlainAllowed: true });
    await using other = start(allowed);
    const passed = await other.say(request(`http://${host}/`).replace(given.placeholder, allowed.placeholder));
    expect(plain.received[0]?.headers).toContain(VALUE);
    expect(passed).not.toContain(VALUE);
  });

  it.each([
    ['in a header it may not stand in', (p: string) => [`GET /\r\nX-Other: ${p}`]],
    ['in a cookie', (p: string) => [`GET /\r\nCookie: a=${p}`]],
    ['in the name of a header', (p: string) => [`GET /\r\n${p}: x`]],
    ['in the path', (p: string) => [`GET /bot${p}/send`]],
    ['in the path, encoded', (p: string) => [`GET /%77${p.slice(1)}`]],
    ['in another field of the query', (p: string) => [`GET /?q=${p}`]],
    ['in the name of a field', (p: string) => [`GET /?${p}=1`]],
    ['in a query, encoded', (p: string) => [`GET /?key=%77${p.slice(1)}`]],
    ['in a query, once as it is and once encoded', (p: string) => [`GET /?key=${p}%77${p.slice(1)}`]],
    ['in another field of JSON', (p: string) => ['POST /\r\nContent-Type: application/json', `{"token":{"text":"${p}"}}`]],
    ['in the name of a field of JSON', (p: string) => ['POST /\r\nContent-Type: application/json', `{"${p}":1}`]],
    ['in JSON, encoded', (p: string) => ['POST /\r\nContent-Type: application/json', `{"token":"\\u0077${p.slice(1)}"}`]],
    ['in JSON that is none', (p: string) => ['POST /\r\nContent-Type: application/json', `{"token":"${p}"`]],
    ['in another field of a form', (p: string) => ['POST /\r\nContent-Type: application/x-www-form-urlencoded', `text=${p}`]],
    ['in a body of another type', (p: string) => ['POST /\r\nContent-Type: text/plain', `hello ${p}`]],
    ['in a body of no type', (p: string) => ['PUT /', `${'x'.repeat(5_000)}${p}${'x'.repeat(5_000)}`]],
    [
      'in a WebSocket, whose answers nobody could search',
      (p: string) => [
        `GET /\r\nX-Api-Key: ${p}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13`,
      ],
    ],
  ])('%s', async (_name, requestOf) => {
    const given = testSecrets({ value: VALUE, host: 'web.test' });
    await using client = start(given);
    const [head = '', body = ''] = requestOf(given.placeholder);
    const text = await ask(client, head, body);
    expect(reasonIn(text)).toBe('secret_misplaced');
    expect(text).not.toContain(VALUE);
    expect(server.received).toEqual([]);
  });

  it('in a body too large to be read, and in one that is split wherever you like', async () => {
    const given = testSecrets({ value: VALUE, host: 'web.test' });
    await using client = start(given);
    const body = `{"a":"${'x'.repeat(300_000)}","token":"${given.placeholder}"}`;
    const json = 'POST /\r\nContent-Type: application/json';
    const text = await ask(client, json, body);
    expect(reasonIn(text)).toBe('secret_misplaced');
    expect(text).toContain('put it into a header');
    const chunked = (size: number, type: string): Promise<string> => {
      const chunks: string[] = [];
      for (let at = 0; at < body.length; at += size) {
        const chunk = body.slice(at, at + size);
        chunks.push(`${chunk.length.toString(16)}\r\n${chunk}\r\n`);
      }
      return ask(client, `POST /\r\n${type}\r\nTransfer-Encoding: chunked`, `${chunks.join('')}0\r\n\r\n`);
    };
    expect(reasonIn(await chunked(65_536, 'Content-Type: application/json'))).toBe('secret_misplaced');
    expect(reasonIn(await chunked(7, 'Content-Type: text/plain'))).toBe('secret_misplaced');
    expect(server.received).toEqual([]);
  });

  it('when its value does not fit where it is to stand', async () => {
    const lines = testSecrets({ value: 'a\r\nx-injected: 1', host: 'web.test' });
    await using client = start(lines);
    const text = await ask(client, `GET /\r\nX-Api-Key: ${lines.placeholder}`);
    expect(reasonIn(text)).toBe('secret_misplaced');
    expect(text).not.toContain('x-injected: 1');
    expect(server.received).toEqual([]);
    const none = testSecrets({ value: '', host: 'web.test' });
    await using empty = start(none);
    expect(reasonIn(await ask(empty, `GET /\r\nX-Api-Key: ${none.placeholder}`))).toBe('secret_misplaced');
  });

  it('when whoever knows the secrets fails: in our words, not theirs', async () => {
    const given = testSecrets({ value: VALUE, host: 'web.test' });
    const substitute = (): never => {
      throw new Error(`store failed near ${VALUE}`);
    };
    await using client = start({ ...given, secrets: { ...given.secrets, substitute } });
    const text = await ask(client, `GET /\r\nX-Api-Key: ${given.placeholder}`);
    expect(reasonIn(text)).toBe('unavailable');
    expect(text).not.toContain(VALUE);
    expect(server.received).toEqual([]);
  });
});

describe('everything else goes on as it came', () => {
  it('bodies of all kinds, with what looks like half a placeholder', async () => {
    const given = testSecrets({ value: VALUE, host: 'web.test' });
    await using client = start(given);
    const words = [
      'warren-secret-',
      'warren-secret',
      'about warren-secret-x and warren-secre',
      `warren-secret-${'z'.repeat(200)}`,
      'w',
      '',
    ];
    for (const type of ['text/plain', 'application/json', 'application/x-www-form-urlencoded']) {
      for (const word of words) {
        const body = type === 'application/json' ? JSON.stringify({ text: word }) : word;
        const text = await ask(client, `POST /\r\nContent-Type: ${type}`, body);
        expect(text).toMatch(/^HTTP\/1\.1 200 /);
        expect(server.received.at(-1)?.body).toBe(body);
      }
    }
    const zipped = gzipSync('x'.repeat(1_000));
    await ask(client, 'POST /\r\nContent-Type: application/json\r\nContent-Encoding: gzip', zipped);
    expect(server.received.at(-1)?.body).toBe(zipped.toString('latin1'));
  });

  it('large ones, read or not', async () => {
    const given = testSecrets({ value: VALUE, host: 'web.test' });
    await using client = start(given);
    const body = JSON.stringify({ a: 'x'.repeat(1_000_000) });
    for (const head of ['Content-Type: application/json', 'Content-Type: text/plain']) {
      await ask(client, `POST /\r\n${head}\r\nX-Api-Key: ${given.placeholder}`, body);
      expect(server.received.at(-1)?.body).toBe(body);
      const chunks = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
      await ask(client, `POST /\r\n${head}\r\nTransfer-Encoding: chunked`, chunks);
      expect(server.received.at(-1)?.body).toBe(body);
    }
  });

  it('a tunnel that is not inspected is not looked into, and cannot carry a secret', async () => {
    const given = testSecrets({ value: VALUE, host: 'web.test' });
    await using client = start(given, { rules: [{ host: `web.test:${server.port}` }] });
    const inner = await openInner(client.proxy, `web.test:${server.port}`, { ca: authority.ca });
    const text = await sayInside(
      inner,
      `GET / HTTP/1.1\r\nHost: web.test:${server.port}\r\nX-Api-Key: ${given.placeholder}\r\nConnection: close\r\n\r\n`,
    );
    expect(text).toContain(given.placeholder);
    expect(given.asked).toEqual([]);
  });

  it('a client that breaks off in the middle of a body leaves nothing behind', async () => {
    const given = testSecrets({ value: VALUE, host: 'web.test' });
    await using client = start(given);
    for (const type of ['text/plain', 'application/json']) {
      const inner = await openInner(client.proxy, `web.test:${server.port}`);
      inner.write(`POST / HTTP/1.1\r\nHost: web.test:${server.port}\r\nContent-Type: ${type}\r\nContent-Length: 100\r\n\r\n{"a`);
      inner.destroy();
    }
    const tunnel = await openTunnel(client.proxy, `web.test:${server.port}`);
    tunnel.destroy();
    expect(await ask(client, 'GET /')).toMatch(/^HTTP\/1\.1 200 /);
    expect(server.received).toHaveLength(1);
  });
});
