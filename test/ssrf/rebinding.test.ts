/**
 * An attacker's DNS that answers the check with an address that is allowed and the connection with one that is not. Stand-ins on loopback: 127.0.0.2 is
 * opened, 127.0.0.1 is not. The same attack is run against guards with a wall taken out, to show that it is real and which wall stops it.
 */
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createEgress, isAmong } from '../../packages/sandbox/src/egress/create-egress.ts';
import { SYSTEM_CLOCK } from '../../packages/sandbox/src/egress/deadline.ts';
import { type Dial, pinnedDial } from '../../packages/sandbox/src/egress/dial.ts';
import { type EgressParts, GuardedEgress } from '../../packages/sandbox/src/egress/guarded-egress.ts';
import { dnsResolver } from '../../packages/sandbox/src/egress/resolve-host.ts';
import { DnsServer, type DnsZone, recordsOf } from './dns-server.ts';
import { answer, RawServer } from './raw-server.ts';
import { readAll, refusalOf } from './refusal-of.ts';

const RULES = { hosts: ['rebind.test'], privateNetworks: ['127.0.0.2/32'] };
const REBINDING: DnsZone = {
  'rebind.test': ({ type }, asked) => ({ kind: 'records', records: recordsOf(type, [asked === 1 ? '127.0.0.2' : '127.0.0.1'], 0) }),
};
const never = new AbortController().signal;

describe('a name that changes its address between check and connection', () => {
  it('is looked up once, and the checked address gets the request', async () => {
    await using stage = await Stage.start();
    await using egress = createEgress({ dns: { servers: [stage.dns.address] } });
    const response = await egress.fetch(RULES, { url: stage.url }, never);
    expect(String(await readAll(response))).toBe('public');
    expect(stage.dns.queries.filter(({ type }) => type === 'A')).toHaveLength(1);
    expect(stage.inside.connections).toBe(0);
  });

  it('is refused when it changes before the second request', async () => {
    await using stage = await Stage.start();
    await using egress = createEgress({ dns: { servers: [stage.dns.address] } });
    (await egress.fetch(RULES, { url: stage.url }, never)).dispose();
    expect((await refusalOf(egress.fetch(RULES, { url: stage.url }, never))).reason).toBe('address_not_public');
    expect(stage.inside.connections).toBe(0);
  });

  it('is refused when it changes between a redirect and its target', async () => {
    await using stage = await Stage.start('302 Found\r\nlocation: /again');
    await using egress = createEgress({ dns: { servers: [stage.dns.address] } });
    expect((await refusalOf(egress.fetch(RULES, { url: stage.url }, never))).reason).toBe('address_not_public');
    expect(stage.inside.connections).toBe(0);
  });

  it('is told by the peer when the pin is gone: connected, but nothing is sent', async () => {
    await using stage = await Stage.start();
    await using egress = weakened(stage.dns, { dial: unpinned(stage.dns) });
    expect((await refusalOf(egress.fetch(RULES, { url: stage.url }, never))).reason).toBe('address_not_public');
    expect(stage.inside.connections).toBe(1);
    expect(stage.inside.requests).toEqual([]);
  });

  it('is told by the peer also when both addresses are open: it is not the one that was checked', async () => {
    await using stage = await Stage.start();
    const open = { ...RULES, privateNetworks: ['127.0.0.1/32', '127.0.0.2/32'] };
    await using egress = weakened(stage.dns, { dial: unpinned(stage.dns) });
    expect((await refusalOf(egress.fetch(open, { url: stage.url }, never))).reason).toBe('address_not_public');
    expect([stage.inside.connections, stage.inside.requests]).toEqual([1, []]);
  });

  it('gets through to the inside when pin and peer check are gone', async () => {
    await using stage = await Stage.start();
    const open = { ...RULES, privateNetworks: ['127.0.0.1/32', '127.0.0.2/32'] };
    await using egress = weakened(stage.dns, { dial: unpinned(stage.dns), isPeer: () => true });
    // What the address check lets through here stands for a guard that checks the name's answer only.
    const response = await egress.fetch(open, { url: stage.url }, never);
    expect(String(await readAll(response))).toBe('inside');
    expect(stage.inside.requests).toHaveLength(1);
  });

  it('is held by the pin alone when the peer check is gone', async () => {
    await using stage = await Stage.start();
    await using egress = weakened(stage.dns, { isPeer: () => true });
    const response = await egress.fetch(RULES, { url: stage.url }, never);
    expect(String(await readAll(response))).toBe('public');
    expect(stage.inside.connections).toBe(0);
  });
});

/** The attacker's DNS, a server it may be reached at and one it may not, on one port. */
class Stage implements AsyncDisposable {
  readonly dns: DnsServer;
  readonly inside: RawServer;
  readonly outside: RawServer;
  readonly url: string;

  private constructor(dns: DnsServer, inside: RawServer, outside: RawServer) {
    this.dns = dns;
    this.inside = inside;
    this.outside = outside;
    this.url = `http://rebind.test:${inside.port}/`;
  }

  static async start(head = '200 OK'): Promise<Stage> {
    const inside = await RawServer.start((_request, connection) => answer(connection, '200 OK', 'inside'), { host: '127.0.0.1' });
    const outside = await RawServer.start((_request, connection) => answer(connection, head, 'public'), {
      host: '127.0.0.2',
      port: inside.port,
    });
    return new Stage(await DnsServer.start(REBINDING), inside, outside);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.dns, this.inside, this.outside].map((part) => part[Symbol.asyncDispose]()));
  }
}

/** As HTTP libraries connect: the name is looked up again. */
function unpinned(dns: DnsServer): Dial {
  return async ({ host, port }) => {
    const resolver = new Resolver();
    resolver.setServers([dns.address]);
    const [address = ''] = await resolver.resolve4(host);
    const socket = connect({ host: address, port });
    await once(socket, 'connect');
    return socket;
  };
}

function weakened(dns: DnsServer, walls: Partial<EgressParts>): GuardedEgress {
  return new GuardedEgress({
    clock: SYSTEM_CLOCK,
    resolve: dnsResolver({ servers: [dns.address] }),
    dial: pinnedDial({ clock: SYSTEM_CLOCK }),
    tls: {},
    privateNetworks: [],
    ownAddresses: () => [],
    isPeer: isAmong,
    openMax: 8,
    ...walls,
  });
}
