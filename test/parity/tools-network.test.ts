import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JsonObject } from '@warren/protocol';
import { createEgress } from '@warren/sandbox/egress';
import { expect } from 'vitest';
import { DnsServer, recordsOf } from '../ssrf/dns-server.ts';
import { LocalServer, shareAgents } from './agents.ts';
import { proves } from './proves.ts';

const agents = shareAgents({
  'policies/system.yaml': 'default: autonomous\n',
  // The servers of these tests are on one address of loopback; every other one stays as closed as it is.
  'config.yaml': 'egress: { private_networks: [127.0.0.1/32] }\n',
});

const ANYWHERE = { hosts: ['*'] };

function serve(answers: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>>): Promise<LocalServer> {
  return LocalServer.start((request, response) => {
    const answer = answers[request.url ?? ''];
    if (answer === undefined) response.writeHead(404).end();
    else answer(request, response);
  });
}

proves('tool:fetch', async () => {
  const agent = await agents().agent(ANYWHERE);
  const closed = [
    ...['127.0.0.2', '10.1.2.3', '172.16.0.1', '192.168.1.1', '169.254.169.254', '0.0.0.0', '224.0.0.1', '100.64.0.1'],
    ...['[::1]', '[fc00::1]', '[fe80::1]', '[::ffff:10.0.0.1]', '[2002:a00:1::1]', '[64:ff9b::a00:1]'],
  ];
  for (const host of closed) {
    const refused = { type: 'DomainNotAllowed', context: { reason: 'address_not_public' } };
    expect(await agent.ask('network.http_request', { url: `http://${host}/` }), host).toMatchObject({ kind: 'failed', error: refused });
  }
  for (const url of [
    'file:///etc/passwd',
    'ftp://example.org/',
    'data:text/plain,x',
    'javascript:1',
    'http://',
    'http://u:p@example.org/',
  ]) {
    expect(await agent.errorOf('network.http_request', { url }), url).toMatch(/^(InvalidUrl|InvalidInput)$/);
  }
});

proves('tool:fetch', 'a host that is not granted is not even looked up', async () => {
  const agent = await agents().agent({ hosts: ['api.example.org'] });
  await using server = await serve({});
  expect(await agent.errorOf('network.http_request', { url: server.origin })).toBe('DomainNotAllowed');
  expect(await agent.errorOf('network.http_request', { url: 'http://elsewhere.invalid/' })).toBe('DomainNotAllowed');
  expect(server.asked).toEqual([]);
});

proves(
  'tool:fetch',
  'redirects are checked like the first request, and what identifies the caller does not follow to another origin',
  async () => {
    const seen: JsonObject[] = [];
    await using target = await serve({
      '/': ({ headers }, response) => {
        const { authorization = null, cookie = null, 'x-custom': custom = null } = headers;
        seen.push({ authorization, cookie, custom: typeof custom === 'string' ? custom : null });
        response.end('there');
      },
    });
    await using first = await serve({
      '/away': (_, response) => response.writeHead(302, { location: `${target.origin}/` }).end(),
      '/inside': (_, response) => response.writeHead(302, { location: 'http://127.0.0.2/' }).end(),
    });
    const agent = await agents().agent({ hosts: ['127.0.0.1', '127.0.0.2'] });
    const headers = { authorization: 'Bearer x', cookie: 'a=b', 'x-custom': 'kept?' };
    const { body, redirects } = await agent.call('network.http_request', { url: `${first.origin}/away`, headers });
    expect([body, redirects]).toMatchObject(['there', [{ from: `${first.origin}/away`, status: 302 }]]);
    expect(seen).toEqual([{ authorization: null, cookie: null, custom: null }]);
    expect(await agent.errorOf('network.http_request', { url: `${first.origin}/inside` })).toBe('DomainNotAllowed');
    expect(await agent.call('network.http_request', { url: `${first.origin}/away`, follow_redirects: false })).toMatchObject({
      status_code: 302,
    });
  },
);

proves('tool:fetch', 'headers and bodies that would be something else on the wire are refused, and large answers are', async () => {
  await using server = await serve({
    '/large': (_, response) => response.end(Buffer.alloc(6_291_456, 'x')),
    '/bytes': async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer); // A request yields buffers.
      response.end(Buffer.concat(chunks).toString('hex'));
    },
  });
  const agent = await agents().agent({ hosts: ['127.0.0.1'] });
  const url = `${server.origin}/bytes`;
  expect(
    await agent.errorsOf([
      ['network.http_request', { url, headers: { host: 'other.example.org' } }],
      ['network.http_request', { url, headers: { 'x-a': 'b\r\nx-c: d' } }],
      ['network.http_request', { url, body: 'x' }],
      ['network.http_request', { url, method: 'TRACE' }],
      ['network.http_request', { url: `${server.origin}/large` }],
    ]),
  ).toEqual(['InvalidInput', 'InvalidInput', 'InvalidMethod', 'InvalidInput', 'ResponseTooLarge']);
  const sent = { url, method: 'POST', body: Buffer.from([0, 255, 10]).toString('base64'), body_encoding: 'base64' };
  expect(await agent.call('network.http_request', sent)).toMatchObject({ status_code: 200, body: '00ff0a' });
});

proves('tool:pinned-address', async () => {
  await using inside = await serve({ '/': (_, response) => response.end('inside') });
  // Allowed when it is checked, loopback from then on.
  const zone = {
    'rebind.test': ({ type }: { readonly type: string }, asked: number) => answerOf(type, asked === 1 ? '127.0.0.2' : '127.0.0.1'),
  };
  await using dns = await DnsServer.start(zone);
  await using egress = createEgress({ dns: { servers: [dns.address] } });
  const rules = { hosts: ['rebind.test'], privateNetworks: ['127.0.0.2/32'] };
  const request = { url: `http://rebind.test:${inside.port}/`, deadlineMs: 5_000 };
  const { signal } = new AbortController();
  await expect(egress.fetch(rules, request, signal)).rejects.toMatchObject({ reason: 'not_connected' });
  await expect(egress.fetch(rules, request, signal)).rejects.toMatchObject({ reason: 'address_not_public' });
  expect(inside.asked).toEqual([]);
});

function answerOf(type: string, address: string) {
  return { kind: 'records' as const, records: recordsOf(type === 'A' ? 'A' : 'AAAA', [address], 0) };
}

proves('tool:deadlines', 'a server that drips holds a request no longer than its time', async () => {
  await using server = await serve({
    '/': (_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'), 100);
      response.on('close', () => clearInterval(timer));
    },
  });
  const agent = await agents().agent({ hosts: ['127.0.0.1'] });
  const startedAt = performance.now();
  expect(await agent.errorOf('network.http_request', { url: server.origin, timeout: 1 })).toBe('Timeout');
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990);
});
