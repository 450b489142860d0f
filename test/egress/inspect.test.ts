/** TLS that the proxy opens: what it reads there, whom it believes, and how it cannot be talked around. Real TLS servers on loopback and a real DNS server. */

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, type PeerCertificate } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EgressNetwork } from '../../packages/sandbox/src/egress/proxy/egress-network.ts';
import { type Certificate, TestAuthority } from '../ssrf/certificates.ts';
import { addresses, DnsServer } from '../ssrf/dns-server.ts';
import { ManualClock } from '../ssrf/manual-clock.ts';
import { answer, RawServer } from '../ssrf/raw-server.ts';
import { openInner, openTunnel, sayInside } from './inner-client.ts';
import { reasonIn, startProxy, type TestProxy } from './proxy-client.ts';

let authority: TestAuthority;
let tls: Certificate;
let dns: DnsServer;
beforeAll(async () => {
  authority = await TestAuthority.create();
  tls = await authority.issue(['DNS:web.test']);
  dns = await DnsServer.start({ 'web.test': addresses('127.0.0.1'), 'other.test': addresses('127.0.0.1') });
});
afterAll(async () => {
  await dns[Symbol.asyncDispose]();
  await authority[Symbol.asyncDispose]();
});

function echo(options: { readonly tls?: Certificate } = { tls }): Promise<RawServer> {
  return RawServer.start((request, connection) => answer(connection, '200 OK', request), options);
}

function start(rules: EgressNetwork['rules'], network: Partial<EgressNetwork> = {}, clock?: ManualClock): TestProxy {
  return startProxy(
    { rules, ...network },
    { dns: { servers: [dns.address] }, privateNetworks: ['127.0.0.1/32'], tls: { ca: authority.ca }, clock },
  );
}

function get(path: string, host: string, extra = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${extra}Connection: close\r\n\r\n`;
}

describe('a request in TLS', () => {
  it('is read, held to the rules, told with its path, and sent on in TLS to the host', async () => {
    await using server = await echo();
    const host = `web.test:${server.port}`;
    await using client = start([{ host, inspect: true, methods: ['GET'], paths: ['/a/*'] }]);
    const text = await sayInside(await openInner(client.proxy, host), get('/a/b?c=d', host, 'X-A: 1\r\n'));
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(server.requests).toEqual([`GET /a/b?c=d HTTP/1.1\r\nhost: ${host}\r\nX-A: 1\r\nConnection: keep-alive\r\n\r\n`]);
    await vi.waitFor(() => expect(client.events.map(({ kind }) => kind)).toEqual(['allowed', 'ended']));
    expect(client.events[0]).toEqual({ kind: 'allowed', method: 'GET', host: 'web.test', port: server.port, path: '/a/b' });
    expect(client.proxy.traffic.bytesSent).toBeGreaterThan(server.requests[0]?.length ?? 0); // With what TLS adds.
  });

  it.each([
    ['POST', '/a/b', 'request_not_allowed'],
    ['GET', '/b', 'request_not_allowed'],
    ['GET', '/a/../b', 'request_not_allowed'],
    ['GET', '/a/..%2fb', 'request_not_allowed'],
    ['DELETE', '/a/b', 'request_not_allowed'],
  ])('%s of %s is refused: %s', async (method, path, reason) => {
    await using server = await echo();
    const host = `web.test:${server.port}`;
    await using client = start([{ host, inspect: true, methods: ['GET'], paths: ['/a/*'] }]);
    const request = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`;
    expect(reasonIn(await sayInside(await openInner(client.proxy, host), request))).toBe(reason);
    expect(server.connections).toBe(0);
    expect(client.events).toMatchObject([{ kind: 'denied', method, host: 'web.test', reason }]);
  });

  it('goes over one connection to the host as long as the command keeps its own', async () => {
    const serve = (_: string, connection: Socket): void => {
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      connection.on('data', () => connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    };
    await using server = await RawServer.start(serve, { tls });
    const host = `web.test:${server.port}`;
    await using client = start([{ host, inspect: true }]);
    const ask = `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const text = await sayInside(await openInner(client.proxy, host), ask + ask + get('/', host));
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3);
    expect(server.connections).toBe(1);
  });

  it('has its body, of any size, and the whole answer', async () => {
    await using server = await RawServer.start(
      (request, connection) => {
        let bytes = request.length - request.indexOf('\r\n\r\n') - 4;
        connection.on('data', (chunk) => {
          bytes += chunk.length;
          if (bytes === 3_000_001) answer(connection, '200 OK', Buffer.alloc(3_000_000, 'b'));
        });
      },
      { tls },
    );
    const host = `web.test:${server.port}`;
    await using client = start([{ host, inspect: true }]);
    const head = `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 3000001\r\nConnection: close\r\n\r\n`;
    const inner = await openInner(client.proxy, host);
    const text = await sayInside(inner, Buffer.concat([Buffer.from(head), Buffer.alloc(3_000_001, 'a')]));
    expect(text.length - text.indexOf('\r\n\r\n') - 4).toBe(3_000_000);
    expect(client.proxy.traffic.bytesReceived).toBeGreaterThan(3_000_000);
  });
});

describe('two hosts in one connection', () => {
  it('are refused, whichever part names the other', async () => {
    await using server = await echo();
    const host = `web.test:${server.port}`;
    await using client = start([
      { host, inspect: true },
      { host: `other.test:${server.port}`, inspect: true },
    ]);
    const inside = async (request: string): Promise<string | undefined> =>
      reasonIn(await sayInside(await openInner(client.proxy, host), request));
    expect(await inside(get('/', `other.test:${server.port}`))).toBe('invalid_request');
    expect(await inside(get('/', 'web.test'))).toBe('invalid_request');
    expect(await inside(`GET / HTTP/1.1\r\nHost: ${host}\r\nHost: ${host}\r\n\r\n`)).toBe('invalid_request');
    expect(await inside(get(`https://other.test:${server.port}/`, host))).toBe('invalid_request');
    expect(await inside(get(`http://web.test:${server.port}/`, host))).toBe('invalid_request');
    expect(await inside(get('//other.test/', host))).toBeUndefined(); // A path of this host.
    expect(await inside(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).toBe('invalid_request');
    expect(await inside(get('/\\other.test', host))).toBe('invalid_url');
    expect(await inside(get('/#@other.test', host))).toBe('invalid_url');
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toContain(`host: ${host}\r\n`);
  });

  it('are refused in the handshake, too: its name is that of the tunnel, or none', async () => {
    await using server = await echo();
    const host = `web.test:${server.port}`;
    await using client = start([
      { host, inspect: true },
      { host: `other.test:${server.port}`, inspect: true },
    ]);
    const fronting = connect({
      socket: (await openTunnel(client.proxy, host)) as Socket,
      servername: 'other.test',
      rejectUnauthorized: false,
    });
    expect(reasonIn(await sayInside(fronting, get('/', host)))).toBe('invalid_request');
    expect(client.events.at(-1)).toMatchObject({ kind: 'denied', host: 'web.test', reason: 'invalid_request' });
    const nameless = connect({ socket: (await openTunnel(client.proxy, host)) as Socket, rejectUnauthorized: false });
    expect(await sayInside(nameless, get('/', host))).toMatch(/^HTTP\/1\.1 200 /);
    expect(server.requests).toHaveLength(1);
  });
});

async function issuedByStranger(): Promise<Certificate> {
  await using stranger = await TestAuthority.create();
  return await stranger.issue(['DNS:web.test']);
}

describe('the host', () => {
  it.each([
    ['of an authority nobody knows', issuedByStranger],
    ['for another name', () => authority.issue(['DNS:other.test'])],
  ])('with a certificate %s gets nothing', async (_name, issue) => {
    await using server = await echo({ tls: await issue() });
    const host = `web.test:${server.port}`;
    await using client = start([{ host, inspect: true }]);
    const text = await sayInside(await openInner(client.proxy, host), get('/', host));
    expect(text).toMatch(/^HTTP\/1\.1 502 /);
    expect(reasonIn(text)).toBe('tls_failed');
    expect(server.requests).toEqual([]);
    expect(client.events).toContainEqual(expect.objectContaining({ kind: 'failed', reason: 'tls_failed' }));
  });

  it('that speaks no TLS gets nothing, and one that says nothing has half a minute', async () => {
    await using plain = await RawServer.start(() => {});
    plain.greet = 'SSH-2.0-x\r\n';
    await using silent = await RawServer.start(() => {});
    const clock = new ManualClock();
    const hosts = [`web.test:${plain.port}`, `web.test:${silent.port}`];
    await using client = start(
      hosts.map((host) => ({ host, inspect: true })),
      {},
      clock,
    );
    expect(reasonIn(await sayInside(await openInner(client.proxy, hosts[0] ?? ''), get('/', hosts[0] ?? '')))).toBe('tls_failed');
    const waiting = sayInside(await openInner(client.proxy, hosts[1] ?? ''), get('/', hosts[1] ?? ''));
    await vi.waitFor(() => expect(silent.connections).toBe(1));
    clock.pass(30_000);
    expect(reasonIn(await waiting)).toBe('deadline');
  });
});

describe('what a command believes', () => {
  it('is the authority of its own sandbox, which no other sandbox has', async () => {
    await using server = await echo();
    const host = `web.test:${server.port}`;
    await using one = start([{ host, inspect: true }]);
    await using other = start([{ host, inspect: true }]);
    const seen = (await openInner(one.proxy, host)).getPeerCertificate() as PeerCertificate;
    const root = new X509Certificate(one.proxy.certificate ?? '');
    expect(new X509Certificate(seen.raw).verify(root.publicKey)).toBe(true);
    expect(seen.subjectaltname).toBe('DNS:web.test');
    await expect(openInner(other.proxy, host, { ca: one.proxy.certificate })).rejects.toThrow(/certificate/);
    await expect(openInner(one.proxy, host, { ca: authority.ca })).rejects.toThrow(/certificate/);
    await vi.waitFor(() => expect(one.events.at(-1)).toMatchObject({ kind: 'failed', reason: 'tls_failed' }));
    expect(server.connections).toBe(0);
  });

  it('is the host itself where nothing is inspected: the tunnel stays one', async () => {
    await using server = await echo();
    const host = `web.test:${server.port}`;
    await using client = start([{ host }]);
    expect(client.proxy.certificate).toBeUndefined();
    const inner = await openInner(client.proxy, host, { ca: authority.ca });
    expect(new X509Certificate((inner.getPeerCertificate() as PeerCertificate).raw).issuer).toContain('Test authority');
    expect(await sayInside(inner, get('/', 'whatever.test'))).toMatch(/^HTTP\/1\.1 200 /);
    expect(client.events[0]).toMatchObject({ kind: 'allowed', method: 'CONNECT', path: undefined });
  });
});

describe('protocols', () => {
  it('HTTP/1.1 is the only one: who offers others alone is told so in TLS', async () => {
    await using server = await echo();
    const host = `web.test:${server.port}`;
    await using client = start([{ host, inspect: true }]);
    expect((await openInner(client.proxy, host, { protocols: ['h2', 'http/1.1'] })).alpnProtocol).toBe('http/1.1');
    await expect(openInner(client.proxy, host, { protocols: ['h2'] })).rejects.toThrow(/no application protocol/);
    const preface = await sayInside(await openInner(client.proxy, host), 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    expect(reasonIn(preface)).toBe('invalid_request');
    expect(server.connections).toBe(0);
  });

  it('a WebSocket goes through and is counted', async () => {
    await using server = await RawServer.start(
      (_request, connection) => {
        connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello');
        connection.on('data', (chunk) => connection.end(`back ${chunk}`));
      },
      { tls },
    );
    const host = `web.test:${server.port}`;
    await using client = start([{ host, inspect: true, paths: ['/ws'] }]);
    const upgrade = (path: string): string =>
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n`;
    const inner = await openInner(client.proxy, host);
    let text = '';
    inner.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.endsWith('hello')) inner.write('frame');
    });
    inner.write(upgrade('/ws'));
    await once(inner, 'end');
    expect(text).toBe('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhelloback frame');
    await vi.waitFor(() => expect(client.events.at(-1)).toMatchObject({ kind: 'ended', host: 'web.test' }));
    expect(reasonIn(await sayInside(await openInner(client.proxy, host), upgrade('/other')))).toBe('request_not_allowed');
  });

  it('plain HTTP in a tunnel to a host that is inspected is held to the rules as any other', async () => {
    await using server = await echo({});
    const host = `web.test:${server.port}`;
    await using client = start([{ host, inspect: true, methods: ['GET'] }]);
    expect(await sayInside(await openTunnel(client.proxy, host), get('/', host))).toMatch(/^HTTP\/1\.1 200 /);
    const post = `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`;
    expect(reasonIn(await sayInside(await openTunnel(client.proxy, host), post))).toBe('request_not_allowed');
    expect(reasonIn(await sayInside(await openTunnel(client.proxy, host), 'SSH-2.0-OpenSSH\r\n'))).toBe('invalid_request');
  });

  it('a handshake that never ends has a minute', async () => {
    const clock = new ManualClock();
    await using client = start([{ host: 'web.test', inspect: true }], {}, clock);
    for (const said of ['', '\x16\x03\x01']) {
      const tunnel = await openTunnel(client.proxy, 'web.test:443');
      const waiting = sayInside(tunnel, said === '' ? Buffer.alloc(0) : Buffer.from(said, 'latin1'));
      await vi.waitFor(() => expect(clock.waiting).toBeGreaterThan(0));
      clock.pass(60_000);
      await waiting;
      expect(tunnel.destroyed).toBe(true);
    }
    expect(clock.waiting).toBe(0);
  });
});

describe('whoever is asked beyond the rules', () => {
  it('says no in its own words, after the rules and before anything is told or sent', async () => {
    await using server = await echo();
    const host = `web.test:${server.port}`;
    const decide = vi.fn(({ path }: { readonly path: string | undefined }) =>
      path === '/no'
        ? ({ kind: 'denied', reason: 'policy_denied', message: 'Cannot reach it: a rule says no' } as const)
        : ({ kind: 'allowed' } as const),
    );
    await using client = start([{ host, inspect: true, methods: ['GET'] }], { decide });
    const refused = await sayInside(await openInner(client.proxy, host), get('/no?q=1', host));
    expect(refused).toMatch(/^HTTP\/1\.1 403 Forbidden \(warren: policy_denied\)/);
    expect(refused).toContain('a rule says no');
    expect(await sayInside(await openInner(client.proxy, host), get('/yes', host))).toMatch(/^HTTP\/1\.1 200 /);
    await sayInside(await openInner(client.proxy, host), `PUT /no HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`);
    expect(decide.mock.calls.map(([asked]) => asked)).toEqual([
      { method: 'GET', scheme: 'https', host: 'web.test', port: server.port, path: '/no', query: '?q=1' },
      { method: 'GET', scheme: 'https', host: 'web.test', port: server.port, path: '/yes', query: '' },
    ]);
    expect(server.connections).toBe(1);
  });

  it('ends what it allowed, in the middle', async () => {
    await using server = await RawServer.start(
      (_request, connection) => connection.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'),
      { tls },
    );
    await using raw = await RawServer.start(() => {});
    const until = new AbortController();
    const hosts = [`web.test:${server.port}`, `web.test:${raw.port}`] as const;
    await using client = start([{ host: hosts[0], inspect: true }, { host: hosts[1] }], {
      decide: () => ({ kind: 'allowed', until: until.signal }),
    });
    const tunnel = await openTunnel(client.proxy, hosts[1]);
    const inner = await openInner(client.proxy, hosts[0]);
    const text = await sayInside(inner, get('/', hosts[0]), (said) => {
      if (said.endsWith('half')) until.abort();
      return false;
    });
    expect(text).toMatch(/half$/);
    expect(tunnel.closed || (await once(tunnel, 'close'))).toBeTruthy();
    await server.idle();
    await raw.idle();
    await expect(openTunnel(client.proxy, hosts[1])).rejects.toThrow();
  });

  it('is told what went over connections while they are open, and all of it in the end', async () => {
    await using server = await RawServer.start((_request, connection) => connection.write('HTTP/1.1 200 OK\r\n\r\nmore'), { tls });
    const clock = new ManualClock();
    const told: number[] = [];
    const host = `web.test:${server.port}`;
    const onTraffic: EgressNetwork['onTraffic'] = ({ bytesSent, bytesReceived }) => told.push(bytesSent + bytesReceived);
    const client = start([{ host, inspect: true }], { onTraffic }, clock);
    const inner = await openInner(client.proxy, host);
    await sayInside(inner, get('/', host), (text) => {
      if (text.includes('more')) clock.pass(250);
      return told.length === 1;
    });
    await client[Symbol.asyncDispose]();
    const { bytesSent, bytesReceived } = client.proxy.traffic;
    expect(told.reduce((sum, each) => sum + each, 0)).toBe(bytesSent + bytesReceived);
    expect(told[0]).toBeGreaterThan(1_000);
  });
});
