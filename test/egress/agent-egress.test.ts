/** Commands of an agent reach what it was granted, each request decided as the agent's own would be. A real daemon's platform, real sandboxes, servers and DNS. */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Kernel, openKernel } from '@warren/kernel';
import { openPlatform, type Platform } from '@warren/platform';
import { DEFAULT_WORKSPACE, type JsonObject } from '@warren/protocol';
import { openSandboxes, type Sandboxes } from '@warren/sandbox';
import { TemporaryDirectory } from '@warren/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Certificate, TestAuthority } from '../ssrf/certificates.ts';
import { addresses, DnsServer } from '../ssrf/dns-server.ts';

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

class Host implements AsyncDisposable {
  readonly #owned: AsyncDisposableStack;
  readonly directory: string;
  readonly kernel: Kernel;
  readonly platform: Platform;

  private constructor(owned: AsyncDisposableStack, directory: string, kernel: Kernel, platform: Platform) {
    this.#owned = owned;
    this.directory = directory;
    this.kernel = kernel;
    this.platform = platform;
  }

  static async open(policy: string): Promise<Host> {
    await using owned = new AsyncDisposableStack();
    const directory = owned.use(await TemporaryDirectory.create()).path;
    mkdirSync(`${directory}/policies`);
    writeFileSync(`${directory}/policies/system.yaml`, policy);
    writeFileSync(`${directory}/config.yaml`, 'egress: { private_networks: [127.0.0.1/32] }\n');
    const kernel = owned.use(await openKernel({ directory }));
    const open = (): Promise<Sandboxes> => openSandboxes({ egress: { dns: { servers: [dns.address] }, tls: { ca: authority.ca } } });
    const platform = owned.use(await openPlatform({ kernel, directory, openSandboxes: open, isWatching: false }));
    return new Host(owned.move(), directory, kernel, platform);
  }

  get mine() {
    return this.kernel.workspace(DEFAULT_WORKSPACE);
  }

  async agent(hosts: readonly string[], budgets: Readonly<Record<string, number>> = {}): Promise<number> {
    const grants = { tools: ['*'], paths: [{ prefix: '/workspace', mode: 'rw' }], hosts, models: [], subAgents: false } as const;
    const { pid } = await this.platform.agents.start(DEFAULT_WORKSPACE, { agent: 'ada', grants, budgets });
    return pid;
  }

  /** What a command printed. */
  async run(pid: number, script: string, signal?: AbortSignal): Promise<string> {
    const input = { command: 'sh', args: ['-c', script] };
    const answer = await this.platform.gate.call(DEFAULT_WORKSPACE, { pid, capability: 'process.run', input }, signal);
    if (answer.kind !== 'done') return JSON.stringify(answer);
    const { stdout_summary: out, stderr_summary: errors } = answer.output;
    return `${String(out)}${String(errors)}`;
  }

  async decisions(pid: number): Promise<readonly JsonObject[]> {
    const { events } = await this.mine.events.tail({ pid, kind: 'egress.decided' });
    return events.flatMap(({ payload }) => payload['decisions'] as readonly JsonObject[]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync();
  }
}

type Web = AsyncDisposable & { readonly port: number; readonly seen: readonly string[]; readonly idle: () => Promise<void> };

async function serve(listener: RequestListener = (_request, response) => response.end('hello')): Promise<Web> {
  const seen: string[] = [];
  let open = 0;
  const server = createServer(tls, (request, response) => {
    seen.push(`${request.method} ${request.url}`);
    open += 1;
    response.on('close', () => {
      open -= 1;
    });
    listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    idle: () => vi.waitFor(() => expect(open).toBe(0), { timeout: 20_000 }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const OPEN = 'default: autonomous\n';
/** Answers a little, and never ends. */
const endless: RequestListener = (_request, response) => void response.writeHead(200).write('begun\n');

describe("what an agent's commands reach", () => {
  it('is what it was granted, over TLS, and what came of it is told, labelled and paid for', async () => {
    await using host = await Host.open(OPEN);
    await using web = await serve();
    const pid = await host.agent([`web.test:${web.port}`], { net_bytes: 1_000_000 });
    expect(await host.run(pid, `curl -sS https://web.test:${web.port}/a?b=c`)).toBe('hello');
    expect(await host.run(pid, `curl -sS https://web.test:${web.port}/a && curl -sS https://web.test:${web.port}/a`)).toBe('hellohello');
    expect(await host.run(pid, `curl -s http://other.test/; curl -sv https://other.test/ 2>&1 | grep warren`)).toMatch(
      /no rule of this sandbox allows other\.test:80.*403 Forbidden \(warren: host_not_allowed\)/s,
    );
    expect(web.seen).toEqual(['GET /a?b=c', 'GET /a', 'GET /a']);
    const counted = async (): Promise<number> => (await host.decisions(pid)).reduce((sum, { count }) => sum + Number(count), 0);
    await vi.waitFor(async () => expect(await counted()).toBe(5)); // In as many events as a quarter of a second makes.
    const decisions = await host.decisions(pid);
    expect(decisions[0]).toEqual({ verdict: 'allowed', method: 'GET', host: 'web.test', port: web.port, path: '/a', count: 1 });
    expect(decisions.filter(({ verdict }) => verdict === 'allowed').reduce((sum, { count }) => sum + Number(count), 0)).toBe(3);
    expect(decisions.filter(({ verdict }) => verdict === 'denied')).toMatchObject([
      { host: 'other.test', port: 80, reason: 'host_not_allowed' },
      { host: 'other.test', port: 443, reason: 'host_not_allowed' },
    ]);
    expect(await host.mine.taints.of(pid)).toEqual(expect.arrayContaining(['web', 'web:web.test']));
    await vi.waitFor(async () => {
      const [entry] = await host.mine.ledger.list({ kind: 'process', pid });
      expect(entry).toMatchObject({ dim: 'net_bytes', used: expect.any(Number) });
      expect(entry?.used).toBeGreaterThan(3_000);
    });
  });

  it('is nothing for one that holds no host', async () => {
    await using host = await Host.open(OPEN);
    await using web = await serve();
    const pid = await host.agent([]);
    expect(await host.run(pid, `env | grep -ci proxy; curl -sS https://web.test:${web.port}/`)).toMatch(/^0\n.*Could not resolve/s);
    expect(web.seen).toEqual([]);
  });
});

describe('policy decides each request as it would the call', () => {
  const POLICY = `rules:
  - { id: no-writing, capability: network.http_request, when: { args: { method: { not_in: [GET, HEAD] } } }, tier: blocked, reason: Nothing is sent from here }
  - { id: asks, capability: network.http_request, when: { args: { url: { contains: /asked } } }, tier: approval_required }
  - { id: twice, capability: network.http_request, when: { args: { url: { contains: /twice } } }, tier: autonomous, limit: { max: 2, per: 1h } }
default: autonomous
`;

  it('and the command hears why, by rule', async () => {
    await using host = await Host.open(POLICY);
    await using web = await serve();
    const pid = await host.agent([`web.test:${web.port}`]);
    const ask = (path: string, words = ''): Promise<string> => host.run(pid, `curl -sS ${words} https://web.test:${web.port}${path}`);
    expect(await ask('/')).toBe('hello');
    expect(JSON.parse(await ask('/', '-X POST'))).toMatchObject({
      error: { type: 'egress_denied', reason: 'policy_denied', message: expect.stringMatching(/"no-writing".*Nothing is sent from here/) },
    });
    expect(JSON.parse(await ask('/asked'))).toMatchObject({
      error: { reason: 'approval_required', message: expect.stringMatching(/call network.http_request instead, which asks/) },
    });
    expect([await ask('/twice'), await ask('/twice')]).toEqual(['hello', 'hello']);
    expect(JSON.parse(await ask('/twice'))).toMatchObject({
      error: { reason: 'policy_denied', message: expect.stringContaining('"twice"') },
    });
    expect(web.seen).toEqual(['GET /', 'GET /twice', 'GET /twice']);
    const denied = async () => (await host.decisions(pid)).filter(({ verdict }) => verdict === 'denied');
    await vi.waitFor(async () => expect(await denied()).toHaveLength(3));
    expect(await denied()).toMatchObject([
      { method: 'POST', path: '/', reason: 'policy_denied', count: 1 },
      { method: 'GET', path: '/asked', reason: 'approval_required', count: 1 },
      { method: 'GET', path: '/twice', reason: 'policy_denied', count: 1 },
    ]);
    expect(await host.mine.approvals.list({})).toMatchObject({ approvals: [] });
  });

  it('and what it no longer allows ends in the middle', async () => {
    await using host = await Host.open(OPEN);
    await using web = await serve(endless);
    const pid = await host.agent([`web.test:${web.port}`]);
    const running = host.run(pid, `curl -sSN https://web.test:${web.port}/`);
    await vi.waitFor(() => expect(web.seen).toHaveLength(1), { timeout: 20_000 });
    writeFileSync(`${host.directory}/policies/system.yaml`, POLICY.replace('default: autonomous', 'default: autonomous # the same'));
    await host.platform.policies.reload();
    writeFileSync(`${host.directory}/policies/system.yaml`, 'rules: [{ capability: network.*, tier: blocked }]\ndefault: autonomous\n');
    await host.platform.policies.reload();
    expect(await running).toMatch(/begun/);
    await web.idle();
    expect(await host.run(pid, `curl -sS https://web.test:${web.port}/`)).toContain('policy_denied');
  });
});

describe('a secret that is bound to commands', () => {
  it('is used by them, towards its host, and nobody sees it', async () => {
    await using host = await Host.open(OPEN);
    await using web = await serve(({ headers }, response) => void response.end(`hello ${headers.authorization ?? 'nobody'}`));
    const value = 'sk-live-0123456789abcdef';
    await host.platform.vault.unlock('a passphrase of some words');
    const bindings = { hosts: [`web.test:${web.port}`], capabilities: ['process.run'], skills: [] };
    await host.platform.secrets(DEFAULT_WORKSPACE).set('api/key', value, { bindings });
    const pid = await host.agent([`web.test:${web.port}`, `other.test:${web.port}`]);
    const ask = (name: string): Promise<string> =>
      host.run(pid, `env | grep WARREN; curl -sS -H "Authorization: Bearer $WARREN_SECRET_API_KEY" https://${name}:${web.port}/`);
    const used = await ask('web.test');
    expect(used).toMatch(/^WARREN_SECRET_API_KEY=warren-secret-api\.key-[0-9a-f]{32}\nhello Bearer \[redacted:api\/key\]$/);
    expect(await ask('other.test')).toContain('secret_not_bound');
    await host.platform.secrets(DEFAULT_WORKSPACE).revoke('api/key');
    expect(await ask('web.test')).toContain('secret_not_bound');
    expect(web.seen).toHaveLength(1);
    const { events } = await host.mine.events.tail({ limit: 1_000 });
    expect(JSON.stringify(events)).not.toContain(value);
    expect(JSON.stringify((await host.platform.audit.search({})).entries)).not.toContain(value);
  });
});

describe('what ends while a request is under way', () => {
  it('is a grant, and the sandbox with it', async () => {
    await using host = await Host.open(OPEN);
    await using web = await serve(endless);
    const pid = await host.agent([`web.test:${web.port}`]);
    const running = host.run(pid, `curl -sSN https://web.test:${web.port}/`);
    await vi.waitFor(() => expect(web.seen).toHaveLength(1), { timeout: 20_000 });
    await host.mine.grants.narrow(pid, { tools: ['*'], paths: [{ prefix: '/workspace', mode: 'rw' }], hosts: [] });
    await running;
    await web.idle();
    expect(await host.run(pid, `curl -sS https://web.test:${web.port}/`)).toContain('Could not resolve');
  });

  it('is paid for as far as it came, also when the command breaks off in the middle', async () => {
    await using host = await Host.open(OPEN);
    await using web = await serve((_request, response) => {
      const more = (): void => {
        while (response.write(Buffer.alloc(65_536))) {}
      };
      response.on('drain', more);
      more();
    });
    const pid = await host.agent([`web.test:${web.port}`], { net_bytes: 1_000_000_000 });
    expect(await host.run(pid, `curl -s https://web.test:${web.port}/ | head -c 300000 | wc -c`)).toContain('300000');
    await web.idle();
    await vi.waitFor(async () => {
      const [entry] = await host.mine.ledger.list({ kind: 'process', pid });
      expect(entry?.used).toBeGreaterThan(300_000);
    });
  });

  it('is a budget: what has come is paid for, and nothing more comes', async () => {
    await using host = await Host.open(OPEN);
    await using web = await serve((_request, response) => {
      const more = (): void => {
        while (response.write(Buffer.alloc(65_536))) {}
      };
      response.on('drain', more);
      more();
    });
    const pid = await host.agent([`web.test:${web.port}`], { net_bytes: 1_000_000 });
    const stopping = new AbortController();
    const running = host.run(pid, `curl -sS https://web.test:${web.port}/ >/dev/null`, stopping.signal);
    await vi.waitFor(() => expect(web.seen).toHaveLength(1), { timeout: 20_000 });
    await web.idle();
    stopping.abort(); // The process is suspended, and so is what runs for it.
    await running.catch(() => {});
    const [entry] = await host.mine.ledger.list({ kind: 'process', pid });
    expect(entry?.used).toBeGreaterThan(1_000_000);
    expect(await host.decisions(pid)).toHaveLength(1);
  });
});
