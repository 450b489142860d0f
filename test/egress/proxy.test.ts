/** The proxy of a sandbox, alone: what it lets through, what it refuses, what it counts. Real servers on loopback and a real DNS server. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { addresses, DnsServer } from '../ssrf/dns-server.ts';
import { ManualClock } from '../ssrf/manual-clock.ts';
import { answer, RawServer } from '../ssrf/raw-server.ts';
import { Tripwire } from '../ssrf/tripwire.ts';
import { reasonIn, startProxy } from './proxy-client.ts';

const LOOPBACK = { privateNetworks: ['127.0.0.1/32'] };

function echo(): Promise<RawServer> {
  return RawServer.start((request, connection) => answer(connection, '200 OK', request));
}

describe('a request of plain HTTP', () => {
  it('reaches an allowed host, without what concerns the proxy alone', async () => {
    await using server = await echo();
    await using client = startProxy({ rules: [{ host: `127.0.0.1:${server.port}` }], ...LOOPBACK });
    const text = await client.say(
      `GET http://127.0.0.1:${server.port}/a?b=c HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nX-A: 1\r\nProxy-Authorization: Basic eA==\r\nProxy-Connection: keep-alive\r\nConnection: close, x-b\r\nX-B: 2\r\n\r\n`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(server.requests).toEqual([`GET /a?b=c HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\nX-A: 1\r\nConnection: keep-alive\r\n\r\n`]);
    await vi.waitFor(() => expect(client.events.map(({ kind }) => kind)).toEqual(['allowed', 'ended']));
    expect(client.events[0]).toEqual({ kind: 'allowed', method: 'GET', host: '127.0.0.1', port: server.port, path: '/a' });
    const { bytesSent, bytesReceived } = client.proxy.traffic;
    expect(bytesSent).toBe(server.requests[0]?.length);
    expect(bytesReceived).toBeGreaterThan(bytesSent);
  });

  it('gets headers changed after the rules, where somebody wants that', async () => {
    await using server = await echo();
    await using client = startProxy({
      rules: [{ host: `127.0.0.1:${server.port}` }],
      ...LOOPBACK,
      onRequest: ({ headers }) => headers.map(([name, value]) => [name, value === 'placeholder' ? 'real' : value]),
    });
    await client.say(
      `GET http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nX-Key: placeholder\r\nConnection: close\r\n\r\n`,
    );
    expect(server.requests[0]).toContain('X-Key: real\r\n');
  });

  it('is not sent when who is told of decisions, or changes headers, fails', async () => {
    await using server = await echo();
    const fail = (): never => {
      throw new Error('disk full');
    };
    for (const hooks of [{ onEvent: fail }, { onRequest: fail }]) {
      await using client = startProxy({ rules: [{ host: `127.0.0.1:${server.port}` }], ...LOOPBACK, ...hooks });
      const text = await client.say(`GET http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`);
      expect(reasonIn(text)).toBe('unavailable');
      expect(text).not.toContain('disk full');
    }
    expect(server.connections).toBe(0);
  });

  it.each([
    ['GET', '/public/a', undefined],
    ['GET', '/exact', undefined],
    ['GET', '/exact?x=1', undefined],
    ['POST', '/public/a', 'request_not_allowed'],
    ['GET', '/', 'request_not_allowed'],
    ['GET', '/public', 'request_not_allowed'],
    ['GET', '/exact/', 'request_not_allowed'],
    ['GET', '/public/../private', 'request_not_allowed'],
    ['GET', '/public/%2e%2e/private', 'request_not_allowed'],
    ['GET', '/public/..%2fprivate', 'request_not_allowed'],
    ['GET', '/public/..%5Cprivate', 'request_not_allowed'],
    ['GET', '/public/%252e%252e/private', 'request_not_allowed'],
    ['GET', '/public//private', 'request_not_allowed'],
    ['GET', '/public/..;/private', 'request_not_allowed'],
  ])('with %s of %s is held to methods and paths: %s', async (method, path, reason) => {
    await using server = await echo();
    const rule = { host: `127.0.0.1:${server.port}`, methods: ['GET'], paths: ['/public/*', '/exact'] };
    await using client = startProxy({ rules: [rule], ...LOOPBACK });
    const text = await client.say(
      `${method} http://127.0.0.1:${server.port}${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    );
    expect(reasonIn(text)).toBe(reason);
    expect(server.connections).toBe(reason === undefined ? 1 : 0);
  });

  it('goes over one connection again while the same host is asked, and over a new one for another', async () => {
    const serve = (_: string, connection: Socket): void => {
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      connection.on('data', () => connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    };
    await using first = await RawServer.start(serve);
    await using second = await RawServer.start(serve);
    await using client = startProxy({ rules: [{ host: `127.0.0.1:${first.port}` }, { host: `127.0.0.1:${second.port}` }], ...LOOPBACK });
    const ask = (port: number, last = ''): string => `GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${last}\r\n`;
    const CLOSE = 'Connection: close\r\n';
    const same = await client.say(ask(first.port) + ask(first.port) + ask(first.port, CLOSE));
    expect(same.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3);
    expect([first.connections, second.connections]).toEqual([1, 0]);
    const other = await client.say(ask(first.port) + ask(second.port, CLOSE));
    expect(other.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    expect([first.connections, second.connections]).toEqual([2, 1]);
  });
});

describe('what is refused says so in HTTP', () => {
  const HEAD = 'Host: allowed.test\r\n';
  it.each([
    ['another host', 'GET http://other.test/ HTTP/1.1\r\nHost: other.test\r\n\r\n', 'host_not_allowed', 403],
    ['another port', 'GET http://allowed.test:8080/ HTTP/1.1\r\nHost: allowed.test:8080\r\n\r\n', 'host_not_allowed', 403],
    ['a tunnel to another host', 'CONNECT other.test:443 HTTP/1.1\r\nHost: other.test:443\r\n\r\n', 'host_not_allowed', 403],
    ['a tunnel to ssh', 'CONNECT allowed.test:22 HTTP/1.1\r\nHost: allowed.test:22\r\n\r\n', 'host_not_allowed', 403],
    ['a tunnel to mail', 'CONNECT any.wide.test:25 HTTP/1.1\r\n\r\n', 'host_not_allowed', 403],
    ['a tunnel where methods count', 'CONNECT read.test:80 HTTP/1.1\r\nHost: read.test:80\r\n\r\n', 'request_not_allowed', 403],
    ['another Host header', 'GET http://allowed.test/ HTTP/1.1\r\nHost: other.test\r\n\r\n', 'invalid_request', 400],
    ['another port in the Host header', 'GET http://allowed.test/ HTTP/1.1\r\nHost: allowed.test:81\r\n\r\n', 'invalid_request', 400],
    ['two Host headers', `GET http://allowed.test/ HTTP/1.1\r\n${HEAD}${HEAD}\r\n`, 'invalid_request', 400],
    ['no Host header', 'GET http://allowed.test/ HTTP/1.1\r\n\r\n', undefined, 400],
    ['a path alone', `GET / HTTP/1.1\r\n${HEAD}\r\n`, 'invalid_request', 400],
    ['an asterisk', `OPTIONS * HTTP/1.1\r\n${HEAD}\r\n`, 'invalid_request', 400],
    ['https without a tunnel', `GET https://allowed.test/ HTTP/1.1\r\n${HEAD}\r\n`, 'invalid_request', 400],
    [
      'https without a tunnel, with its port',
      'GET https://allowed.test/ HTTP/1.1\r\nHost: allowed.test:443\r\n\r\n',
      'invalid_request',
      400,
    ],
    ['another scheme', `GET ftp://allowed.test/ HTTP/1.1\r\n${HEAD}\r\n`, 'invalid_url', 400],
    ['a user name', `GET http://a:b@allowed.test/ HTTP/1.1\r\n${HEAD}\r\n`, 'invalid_url', 400],
    ['a user name that is a host', 'GET http://allowed.test@other.test/ HTTP/1.1\r\nHost: other.test\r\n\r\n', 'invalid_url', 400],
    ['a fragment', `GET http://allowed.test/#@other.test HTTP/1.1\r\n${HEAD}\r\n`, 'invalid_url', 400],
    ['a backslash', 'GET http://allowed.test\\@other.test/ HTTP/1.1\r\nHost: allowed.test\r\n\r\n', 'invalid_request', 400],
    ['a zone of IPv6', 'GET http://[fe80::1%25eth0]/ HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n', 'invalid_url', 400],
    ['a tunnel to a path', 'CONNECT allowed.test:443/x HTTP/1.1\r\n\r\n', 'invalid_url', 400],
    ['a tunnel to a URL', 'CONNECT http://allowed.test:443 HTTP/1.1\r\n\r\n', undefined, 400],
    ['a tunnel with a user name', 'CONNECT u@allowed.test:443 HTTP/1.1\r\n\r\n', 'invalid_url', 400],
    ['a tunnel without a port', 'CONNECT allowed.test HTTP/1.1\r\n\r\n', 'invalid_url', 400],
    ['a tunnel to port 0', 'CONNECT allowed.test:0 HTTP/1.1\r\n\r\n', 'invalid_url', 400],
    ['a tunnel to port 65979', 'CONNECT allowed.test:65979 HTTP/1.1\r\n\r\n', 'invalid_url', 400],
    ['a tunnel with a zone', 'CONNECT [fe80::1%eth0]:443 HTTP/1.1\r\n\r\n', undefined, 400],
    ['a tunnel with another Host', 'CONNECT allowed.test:443 HTTP/1.1\r\nHost: other.test:443\r\n\r\n', 'invalid_request', 400],
    [
      'two lengths',
      `POST http://allowed.test/ HTTP/1.1\r\n${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
      'invalid_request',
      400,
    ],
    [
      'a length and chunks',
      `POST http://allowed.test/ HTTP/1.1\r\n${HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      'invalid_request',
      400,
    ],
    ['an odd length', `POST http://allowed.test/ HTTP/1.1\r\n${HEAD}Content-Length: +5\r\n\r\nhello`, 'invalid_request', 400],
    [
      'another coding',
      `POST http://allowed.test/ HTTP/1.1\r\n${HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
      'invalid_request',
      400,
    ],
    [
      'a coding twice',
      `POST http://allowed.test/ HTTP/1.1\r\n${HEAD}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      'invalid_request',
      400,
    ],
    ['a space before the colon', `GET http://allowed.test/ HTTP/1.1\r\n${HEAD}Content-Length : 5\r\n\r\n`, 'invalid_request', 400],
    [
      'a folded header',
      `GET http://allowed.test/ HTTP/1.1\r\n${HEAD}X-A: 1\r\n Transfer-Encoding: chunked\r\n\r\n`,
      'invalid_request',
      400,
    ],
    ['a bare line feed', `GET http://allowed.test/ HTTP/1.1\r\n${HEAD}X-A: 1\nX-B: 2\r\n\r\n`, 'invalid_request', 400],
    ['a bare carriage return', `GET http://allowed.test/ HTTP/1.1\r\n${HEAD}X-A: 1\rX-B: 2\r\n\r\n`, 'invalid_request', 400],
    ['a NUL', `GET http://allowed.test/ HTTP/1.1\r\n${HEAD}X-A: a\0b\r\n\r\n`, 'invalid_request', 400],
    [
      'a header taken away',
      `GET http://allowed.test/ HTTP/1.1\r\n${HEAD}Content-Length: 3\r\nConnection: Content-Length\r\n\r\nabc`,
      'invalid_request',
      400,
    ],
    ['a head of 100 KB', `GET http://allowed.test/ HTTP/1.1\r\n${HEAD}X-A: ${'a'.repeat(100_000)}\r\n\r\n`, 'too_large', 431],
    ['TLS', Buffer.from([0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3]), 'invalid_request', 400],
    ['metadata of clouds', 'GET http://169.254.169.254/latest HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n', 'address_not_public', 403],
    ['localhost', 'GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n', 'host_not_allowed', 403],
  ])('%s', async (_name, bytes, reason, status) => {
    let isAsked = false;
    const resolve = async (): Promise<readonly string[]> => {
      isAsked = true;
      return ['93.184.216.34'];
    };
    const rules = [
      { host: 'allowed.test' },
      { host: '**.wide.test' },
      { host: 'read.test', methods: ['GET'] },
      { host: '169.254.169.254' },
      { host: 'localhost' },
    ];
    await using client = startProxy({ rules }, { resolve });
    const text = await client.say(bytes);
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    if (reason !== undefined) {
      expect(reasonIn(text)).toBe(reason);
      expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toMatchObject({
        error: { reason, message: expect.stringMatching(/^Cannot /) },
      });
      expect(client.events.at(-1)).toMatchObject({ kind: 'denied', reason });
    }
    expect(isAsked).toBe(false);
  });

  it('a coding that is none ends the connection', async () => {
    await using server = await echo();
    await using client = startProxy({ rules: [{ host: `127.0.0.1:${server.port}` }], ...LOOPBACK });
    const head = `POST http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n`;
    expect(await client.say(`${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`)).toBe('');
    expect(server.requests).toEqual([]);
  });

  it.each(['allowed.test', '[fe80::1%25lo]:1', 'UPPER.test', '.test', '*.*.test', 'a b', '', 'h:99999', 'http://h', '*:0'])(
    'a rule for %j is one or none',
    (host) => {
      const start = (): unknown => startProxy({ rules: [{ host }] });
      if (host === 'allowed.test') expect(start).not.toThrow();
      else expect(start).toThrow(/network\.rules\[0\]\.host/);
    },
  );
});

describe('a name', () => {
  it.each([
    ['private', ['10.0.0.1']],
    ['loopback', ['127.0.0.1']],
    ['metadata', ['169.254.169.254']],
    ['one public and one private address', ['93.184.216.34', '192.168.0.1']],
  ])('that stands for %s is refused, by request and by tunnel', async (_what, values) => {
    await using wire = await Tripwire.start();
    await using dns = await DnsServer.start({ 'rebind.test': addresses(...values) });
    await using client = startProxy({ rules: [{ host: `rebind.test:${wire.port}` }] }, { dns: { servers: [dns.address] } });
    const texts = await Promise.all([
      client.say(`GET http://rebind.test:${wire.port}/ HTTP/1.1\r\nHost: rebind.test:${wire.port}\r\n\r\n`),
      client.say(`CONNECT rebind.test:${wire.port} HTTP/1.1\r\n\r\n`),
    ]);
    expect(texts.map(reasonIn)).toEqual(['address_not_public', 'address_not_public']);
    expect(texts.join()).not.toMatch(/10\.0\.0\.1|192\.168/);
    expect(wire.connections).toBe(0);
  });

  it('is looked up once for a connection: an answer that changes meanwhile changes nothing', async () => {
    await using server = await echo();
    await using dns = await DnsServer.start({
      'flip.test': ({ type }, asked) => ({
        kind: 'records',
        records: type === 'A' ? [{ type, value: asked === 1 ? '127.0.0.1' : '10.0.0.1' }] : [],
      }),
    });
    await using client = startProxy({ rules: [{ host: `flip.test:${server.port}` }], ...LOOPBACK }, { dns: { servers: [dns.address] } });
    const text = await client.say(
      `GET http://flip.test:${server.port}/ HTTP/1.1\r\nHost: flip.test:${server.port}\r\nConnection: close\r\n\r\n`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 200/);
    expect(dns.queries.filter(({ type }) => type === 'A')).toHaveLength(1);
  });
});

describe('a tunnel', () => {
  it('carries both ways, and each side may end first', async () => {
    const server = createServer({ allowHalfOpen: true }, (connection) => {
      let text = '';
      connection.on('data', (chunk) => {
        text += chunk;
      });
      connection.on('end', () => connection.end(`got ${text}`));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await using client = startProxy({ rules: [{ host: `127.0.0.1:${port}` }], ...LOOPBACK });
    const [ours, theirs] = duplexPair();
    client.proxy.serve(theirs);
    ours.end(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\n\r\nearly`);
    const chunks: Buffer[] = [];
    for await (const chunk of ours) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toBe('HTTP/1.1 200 Connection established\r\n\r\ngot early');
    server.close();
  });

  it('lets a client go on when the host has said all', async () => {
    const { promise: heard, resolve } = Promise.withResolvers<string>();
    const server = createServer({ allowHalfOpen: true }, (connection) => {
      let text = '';
      connection.end('bye');
      connection.on('data', (chunk) => {
        text += chunk;
      });
      connection.on('end', () => resolve(text));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await using client = startProxy({ rules: [{ host: `127.0.0.1:${port}` }], ...LOOPBACK });
    const [ours, theirs] = duplexPair();
    client.proxy.serve(theirs);
    ours.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\n\r\n`);
    for await (const chunk of ours.iterator({ destroyOnReturn: false })) if (String(chunk).endsWith('bye')) break;
    if (!ours.readableEnded) ours.resume();
    await once(ours, 'end');
    ours.end('late');
    expect(await heard).toBe('late');
    server.close();
  });

  it('ends with the proxy', async () => {
    await using server = await RawServer.start(() => {});
    await using client = startProxy({ rules: [{ host: `127.0.0.1:${server.port}` }], ...LOOPBACK });
    const said = client.say(`CONNECT 127.0.0.1:${server.port} HTTP/1.1\r\n\r\n`, (text) => {
      void client.proxy[Symbol.asyncDispose]();
      return text === '';
    });
    expect(await said).toMatch(/^HTTP\/1\.1 200/);
    await server.idle();
  });

  it('is not the only thing that ends with it: so does a client that has asked nothing', async () => {
    await using client = startProxy({ rules: [] });
    const said = client.say('GET http:');
    await client.proxy[Symbol.asyncDispose]();
    expect(await said).toBe('');
    expect(await client.say('GET http:')).toBe('');
  });
});

describe('a WebSocket', () => {
  const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n';

  it('goes through as plain HTTP', async () => {
    await using server = await RawServer.start((_request, connection) => {
      connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello');
      connection.on('data', (chunk) => connection.end(`back ${chunk}`));
    });
    await using client = startProxy({ rules: [{ host: `127.0.0.1:${server.port}` }], ...LOOPBACK });
    const [ours, theirs] = duplexPair();
    client.proxy.serve(theirs);
    ours.write(`GET http://127.0.0.1:${server.port}/ws HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n${UPGRADE}`);
    let text = '';
    for await (const chunk of ours) {
      text += chunk;
      if (text.endsWith('hello')) ours.write('frame');
    }
    expect(text).toBe('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhelloback frame');
    expect(server.requests[0]).toMatch(/^GET \/ws HTTP\/1\.1\r\n.*upgrade: websocket\r\n\r\n$/s);
  });

  it('that the host does not want is an answer, and what is not allowed is refused', async () => {
    await using server = await RawServer.start((_request, connection) => answer(connection, '426 Upgrade Required', 'no'));
    await using client = startProxy({ rules: [{ host: `127.0.0.1:${server.port}` }], ...LOOPBACK });
    expect(await client.say(`GET http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n${UPGRADE}`)).toMatch(
      /^HTTP\/1\.1 426 .*no$/s,
    );
    expect(reasonIn(await client.say(`GET http://other.test/ HTTP/1.1\r\nHost: other.test\r\n${UPGRADE}`))).toBe('host_not_allowed');
  });

  it('is held to methods and paths as any request', async () => {
    await using server = await RawServer.start((_request, connection) => answer(connection, '426 Upgrade Required', 'no'));
    const host = `127.0.0.1:${server.port}`;
    await using client = startProxy({ rules: [{ host, methods: ['GET'], paths: ['/ws/*'] }], ...LOOPBACK });
    const ask = (method: string, path: string): Promise<string> =>
      client.say(`${method} http://${host}${path} HTTP/1.1\r\nHost: ${host}\r\n${UPGRADE}`);
    expect(await ask('GET', '/ws/one')).toMatch(/^HTTP\/1\.1 426 /);
    for (const [method, path] of [
      ['GET', '/other'],
      ['GET', '/ws/..%2fother'],
      ['POST', '/ws/one'],
    ] as const)
      expect([method, path, reasonIn(await ask(method, path))]).toEqual([method, path, 'request_not_allowed']);
    expect(server.requests).toHaveLength(1);
  });
});

describe('what would hold or flood the host', () => {
  it('is a head that never ends: it has a minute', async () => {
    const clock = new ManualClock();
    await using client = startProxy({ rules: [] }, { clock });
    const said = client.say('GET http://a.test/ HTT');
    clock.pass(60_000);
    expect(await said).toBe('');
    expect(clock.waiting).toBe(0);
  });

  it('is a tunnel over which nothing goes: it has ten', async () => {
    const clock = new ManualClock();
    await using server = await RawServer.start(() => {});
    await using client = startProxy({ rules: [{ host: `127.0.0.1:${server.port}` }], ...LOOPBACK }, { clock });
    const said = client.say(`CONNECT 127.0.0.1:${server.port} HTTP/1.1\r\n\r\n`, (text) => {
      clock.pass(600_000);
      return text === '';
    });
    expect(await said).toMatch(/^HTTP\/1\.1 200/);
    await server.idle();
  });

  it('is a thousand requests ahead of the first answer', async () => {
    await using server = await RawServer.start(() => {});
    await using client = startProxy({ rules: [{ host: `127.0.0.1:${server.port}` }], ...LOOPBACK });
    expect(await client.say(`GET http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`.repeat(1_000))).toBe(
      '',
    );
    await server.idle();
    expect(server.connections).toBeLessThanOrEqual(1);
  });

  it('is a host that has a thousand answers before its answer', async () => {
    await using server = await RawServer.start((_request, connection) =>
      connection.end(`${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1_000)}HTTP/1.1 200 OK\r\n\r\n`),
    );
    await using client = startProxy({ rules: [{ host: `127.0.0.1:${server.port}` }], ...LOOPBACK });
    const text = await client.say(
      `GET http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nConnection: close\r\n\r\n`,
    );
    expect(reasonIn(text)).toBe('protocol_error');
  });

  it('is a host whose answer has two lengths, or breaks off: half of it is no whole', async () => {
    for (const head of [
      'Content-Length: 5\r\nTransfer-Encoding: chunked',
      'Content-Length: 5\r\nContent-Length: 6',
      'Content-Length: 500',
      'Transfer-Encoding: chunked',
    ]) {
      await using server = await RawServer.start((_request, connection) => connection.end(`HTTP/1.1 200 OK\r\n${head}\r\n\r\nhello`));
      await using client = startProxy({ rules: [{ host: `127.0.0.1:${server.port}` }], ...LOOPBACK });
      const text = await client.say(`GET http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`);
      expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
      expect(/Content-Length: 5(\r\n.*)*\r\n\r\nhello$/.test(text)).toBe(false);
    }
  });

  it('is a client that does not read: the host is not read either', async () => {
    let written = 0;
    const server = createServer((connection) => {
      connection.on('error', () => {});
      const chunk = Buffer.alloc(65_536);
      const pump = (): void => {
        while (connection.write(chunk) && written < 1e9) written += chunk.length;
      };
      connection.on('drain', pump);
      pump();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await using client = startProxy({ rules: [{ host: `127.0.0.1:${port}` }], ...LOOPBACK });
    const [ours, theirs] = duplexPair();
    client.proxy.serve(theirs);
    ours.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\n\r\n`);
    await once(ours, 'readable');
    let before = -1;
    while (before !== client.proxy.traffic.bytesReceived) {
      before = client.proxy.traffic.bytesReceived;
      for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(client.proxy.traffic.bytesReceived).toBeLessThan(1_000_000);
    expect(written).toBeLessThan(50_000_000);
    ours.destroy();
    theirs.destroy();
    server.close();
  });
});
