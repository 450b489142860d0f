import { describe, expect, it } from 'vitest';
import { createEgress } from '../../packages/sandbox/src/egress/create-egress.ts';
import { TestAuthority } from './certificates.ts';
import { addresses, DnsServer } from './dns-server.ts';
import { answer, RawServer } from './raw-server.ts';
import { readAll, refusalOf } from './refusal-of.ts';

const RULES = { hosts: ['*'], privateNetworks: ['127.0.0.1/32'] };
const never = new AbortController().signal;

// Certificates are made by a process each, several in a test: time enough for a machine with other work.
describe('https', { timeout: 120_000 }, () => {
  it('reaches a host whose certificate holds its name, by SNI and HTTP/1.1', async () => {
    await using authority = await TestAuthority.create();
    const certificate = await authority.issue(['DNS:secure.test', 'IP:127.0.0.1']);
    const names: string[] = [];
    await using server = await RawServer.start((_text, connection) => answer(connection, '200 OK', 'secret'.repeat(1_000)), {
      tls: { ...certificate, SNICallback: (name, done) => done(null, void names.push(name) as undefined) }, // No context of its own: that of the server.
    });
    await using dns = await DnsServer.start({ 'secure.test': addresses('127.0.0.1') });
    await using egress = createEgress({ dns: { servers: [dns.address] }, tls: { ca: authority.ca } });
    const response = await egress.fetch(RULES, { url: `https://secure.test:${server.port}/x` }, never);
    expect(await readAll(response)).toHaveLength(6_000);
    expect(response.bytes()).toBeGreaterThan(6_000);
    expect(names).toEqual(['secure.test']);
    expect(server.requests[0]).toContain(`host: secure.test:${server.port}\r\n`);
    const byAddress = await egress.fetch(RULES, { url: `https://127.0.0.1:${server.port}/x` }, never);
    expect(byAddress.status).toBe(200);
    byAddress.dispose();
  });

  it('refuses another name, another authority and plain text, and sends nothing', async () => {
    await using authority = await TestAuthority.create();
    await using stranger = await TestAuthority.create();
    const serve = async (certificate: { cert: string; key: string }) =>
      RawServer.start((_text, connection) => answer(connection, '200 OK'), { tls: certificate });
    await using wrongName = await serve(await authority.issue(['DNS:other.test']));
    await using wrongAuthority = await serve(await stranger.issue(['DNS:secure.test']));
    await using plain = await RawServer.start((_text, connection) => answer(connection, '200 OK'));
    await using dns = await DnsServer.start({ 'secure.test': addresses('127.0.0.1') });
    await using egress = createEgress({ dns: { servers: [dns.address] }, tls: { ca: authority.ca } });
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'; // Counts for nothing.
    try {
      for (const server of [wrongName, wrongAuthority]) {
        const refusal = await refusalOf(egress.fetch(RULES, { url: `https://secure.test:${server.port}/` }, never));
        expect(refusal.reason).toBe('tls_failed');
        expect(server.requests).toEqual([]);
      }
      const byAddress = await refusalOf(egress.fetch(RULES, { url: `https://127.0.0.1:${wrongName.port}/` }, never));
      expect(byAddress.reason).toBe('tls_failed');
      const isPlain = refusalOf(egress.fetch(RULES, { url: `https://secure.test:${plain.port}/`, deadlineMs: 2_000 }, never));
      expect(['tls_failed', 'deadline']).toContain((await isPlain).reason);
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    }
  });

  it('does not go on without TLS', async () => {
    await using authority = await TestAuthority.create();
    await using plain = await RawServer.start((_text, connection) => answer(connection, '200 OK'));
    await using server = await RawServer.start(
      (_text, connection) => answer(connection, `302 Found\r\nlocation: http://secure.test:${plain.port}/`),
      {
        tls: await authority.issue(['DNS:secure.test']),
      },
    );
    await using dns = await DnsServer.start({ 'secure.test': addresses('127.0.0.1') });
    await using egress = createEgress({ dns: { servers: [dns.address] }, tls: { ca: authority.ca } });
    const refusal = await refusalOf(egress.fetch(RULES, { url: `https://secure.test:${server.port}/` }, never));
    expect(refusal.reason).toBe('redirect_refused');
    expect(plain.connections).toBe(0);
  });
});
