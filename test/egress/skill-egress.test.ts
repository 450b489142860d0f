/** A skill reaches the hosts that it declares and has the secrets that it declares, and no other. A real platform, real sandboxes, servers and DNS. */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openKernel } from '@warren/kernel';
import { openPlatform } from '@warren/platform';
import { DEFAULT_WORKSPACE, type JsonObject, type JsonValue } from '@warren/protocol';
import { openSandboxes } from '@warren/sandbox';
import { TemporaryDirectory } from '@warren/testkit';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { addresses, DnsServer } from '../ssrf/dns-server.ts';

const { signal } = new AbortController();
const VALUE = 'Xyzzy-42-of-the-vault';

let dns: DnsServer;
beforeAll(async () => {
  dns = await DnsServer.start({ 'web.test': addresses('127.0.0.1'), 'other.test': addresses('127.0.0.1') });
});
afterAll(async () => await dns[Symbol.asyncDispose]());

async function serve(listener: RequestListener = (_request, response) => response.end('hello')) {
  const seen: string[] = [];
  let open = 0;
  const server = createServer((request, response) => {
    seen.push(`${request.headers.host} ${request.url} ${request.headers['x-key'] ?? '-'}`);
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

async function openHost() {
  await using owned = new AsyncDisposableStack();
  const directory = owned.use(await TemporaryDirectory.create());
  writeFileSync(directory.join('config.yaml'), 'egress: { private_networks: [127.0.0.1/32] }\n');
  const kernel = owned.use(await openKernel({ directory: directory.path }));
  const open = () => openSandboxes({ egress: { dns: { servers: [dns.address] } } });
  const platform = owned.use(await openPlatform({ kernel, directory: directory.path, openSandboxes: open, isWatching: false }));
  const { skills } = platform;
  const stack = owned.move();
  return {
    platform,
    /** Adds and enables one whose program is a shell script; `declares`: its part of the front matter. */
    async add(name: string, declares: string, script: string): Promise<void> {
      const folder = directory.join(`source-${name}`);
      mkdirSync(folder);
      writeFileSync(`${folder}/SKILL.md`, `---\nname: ${name}\ndescription: Does what a test says\nwarren: ${declares}\n---\n`);
      writeFileSync(`${folder}/execute.sh`, script);
      await skills.add(folder, signal);
      await skills.enable(DEFAULT_WORKSPACE, name);
    },
    run: async (id: string): Promise<JsonValue> => (await skills.run({ workspace: DEFAULT_WORKSPACE, id, params: {}, signal })).result,
    async agent(budgets: Readonly<Record<string, number>>): Promise<number> {
      const grants = { tools: ['*'], paths: [], hosts: [], models: [], subAgents: false } as const;
      return (await platform.agents.start(DEFAULT_WORKSPACE, { agent: 'ada', grants, budgets })).pid;
    },
    /** As an agent has it run. */
    call: (pid: number, name: string, stopping?: AbortSignal) =>
      platform.gate.call(DEFAULT_WORKSPACE, { pid, capability: 'skill.run', input: { name, params: {} } }, stopping),
    async decisions(pid: number): Promise<readonly JsonObject[]> {
      const { events } = await kernel.workspace(DEFAULT_WORKSPACE).events.tail({ pid, kind: 'egress.decided' });
      return events.flatMap(({ payload }) => payload['decisions'] as readonly JsonObject[]);
    },
    async used(pid: number): Promise<Readonly<Record<string, number>>> {
      const entries = await kernel.workspace(DEFAULT_WORKSPACE).ledger.list({ kind: 'process', pid });
      return Object.fromEntries(entries.map(({ dim, used }) => [dim, used]));
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Prints an object: what each attempt ended with, a status of HTTP or `none`. */
function attempts(of: Readonly<Record<string, string>>): string {
  const lines = Object.entries(of).map(
    ([name, words]) =>
      `code=$(curl -s -m 10 -o /dev/null -w '%{http_code}' ${words}) || [ "$code" != 000 ] || code=none; printf '"%s":"%s",' ${name} "$code"`,
  );
  return `printf '{'\n${lines.join('\n')}\nprintf '"end":"end"}'\n`;
}

it('a skill reaches the hosts that it declares, and no other, whichever way it tries', async () => {
  await using host = await openHost();
  await using web = await serve();
  await using other = await serve();
  const ways = {
    declared: `http://web.test:${web.port}/a`,
    tunnelled: `-p http://web.test:${web.port}/b`,
    another_port: `http://web.test:${other.port}/c`,
    another_host: `http://other.test:${web.port}/d`,
    another_name_in_the_request: `-H 'Host: web.test:${web.port}' http://other.test:${other.port}/e`,
    a_tunnel_to_another: `-p http://other.test:${other.port}/f`,
    its_address: `http://127.0.0.1:${other.port}/g`,
    no_proxy: `--noproxy '*' http://127.0.0.1:${other.port}/h`,
    no_proxy_to_what_it_declares: `--noproxy '*' http://web.test:${web.port}/i`,
    itself_resolved: `--noproxy '*' --resolve other.test:${other.port}:127.0.0.1 http://other.test:${other.port}/j`,
    metadata: 'http://169.254.169.254/latest/meta-data/',
  };
  await host.add('mine', `{ hosts: ["web.test:${web.port}"] }`, attempts(ways));
  const result = (await host.run('mine')) as Record<string, string>; // What `attempts` prints.
  const { declared, tunnelled, end, ...others } = result;
  expect([declared, tunnelled, end]).toEqual(['200', '200', 'end']);
  expect(Object.keys(others)).toHaveLength(9);
  for (const [way, code] of Object.entries(others)) expect([way, code]).toEqual([way, expect.stringMatching(/^(?:400|403|none)$/)]);
  expect(web.seen).toEqual([`web.test:${web.port} /a -`, `web.test:${web.port} /b -`]);
  expect(other.seen).toEqual([]);
  await host.add('alone', '{}', attempts(ways));
  const alone = (await host.run('alone')) as Record<string, string>; // As above.
  expect(new Set(Object.values(alone))).toEqual(new Set(['none', 'end']));
  expect([web.seen.length, other.seen.length]).toEqual([2, 0]);
});

it('a skill has the secrets that it declares and that are bound to it, in its environment alone', async () => {
  await using host = await openHost();
  await using web = await serve();
  const secrets = host.platform.secrets(DEFAULT_WORKSPACE);
  await secrets.set('api/key', VALUE, { bindings: { hosts: [], capabilities: [], skills: ['mine'] } });
  await secrets.set('api/other', `${VALUE}-other`, { bindings: { hosts: [], capabilities: [], skills: ['mine'] } });
  // The script has the word in two halves, and no command line has it: what is found is not the looking itself.
  const word = `printf %s%s ${VALUE.slice(0, 9)} ${VALUE.slice(9)} >/tmp/word`;
  const everywhere = `cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -cFf /tmp/word; grep -rlFf /tmp/word /skill /home /run /workspace /etc 2>/dev/null | wc -l`;
  const looks = `${word}\n{ ${everywhere}; } | tr '\\n' ' ' | sed 's/^/"/; s/$/"/'\n`;
  await host.add(
    'mine',
    `{ hosts: ["web.test:${web.port}"], secrets: { KEY: api/key } }`,
    `curl -sS -o /dev/null -H "X-Key: $KEY" http://web.test:${web.port}/ && env | grep -c ${VALUE}\n`,
  );
  await host.add('others', '{}', looks);
  await host.add('greedy', '{ secrets: { KEY: api/key } }', looks);
  expect(await host.run('mine')).toBe(1); // One, and not the other that is bound to it.
  expect(web.seen).toEqual([`web.test:${web.port} / ${VALUE}`]);
  expect(await host.run('others')).toBe('0 0 ');
  await expect(host.run('greedy')).rejects.toMatchObject({ type: 'SecretUnavailable', context: { skill: 'greedy', secret: 'api/key' } });
  await secrets.change('api/key', { bindings: { hosts: [], capabilities: [], skills: ['greedy'] } });
  await expect(host.run('mine')).rejects.toMatchObject({ type: 'SecretUnavailable' });
  expect(await host.run('greedy')).not.toBe('0 0 ');
});

it('what a skill reaches, and what it is denied, is told of the process that has it run, which pays for it, also when it fails', async () => {
  await using host = await openHost();
  await using web = await serve();
  const ways = attempts({
    declared: `http://web.test:${web.port}/a?b=c`,
    tunnelled: `-p http://web.test:${web.port}/b`,
    another: `http://other.test:${web.port}/d`,
  });
  const declares = `{ hosts: ["web.test:${web.port}"] }`;
  await host.add('mine', declares, ways);
  await host.add('failing', declares, `${ways}\ni=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exit 3\n`);
  const told = (method: string, path?: string) => ({
    ...{ verdict: 'allowed', method, host: 'web.test', port: web.port, count: 1 },
    ...(path === undefined ? {} : { path }),
  });
  const all = [
    told('GET', '/a'),
    told('CONNECT'),
    { verdict: 'denied', method: 'GET', host: 'other.test', port: web.port, path: '/d', reason: 'host_not_allowed', count: 1 },
  ];
  const pid = await host.agent({ net_bytes: 1_000_000 });
  expect(await host.call(pid, 'mine')).toMatchObject({
    kind: 'done',
    output: { result: { declared: '200', tunnelled: '200', another: '403' } },
  });
  expect(await host.decisions(pid)).toEqual(all);
  expect((await host.used(pid))['net_bytes']).toBeGreaterThan(300);
  const other = await host.agent({ net_bytes: 1_000_000, cpu_s: 1_000 });
  expect(await host.call(other, 'failing')).toMatchObject({ kind: 'failed', error: { type: 'SkillFailed' } });
  expect(await host.decisions(other)).toEqual(all);
  const used = await host.used(other);
  expect(used['net_bytes']).toBeGreaterThan(300);
  expect(used['cpu_s']).toBeGreaterThanOrEqual(1);
});

it('a budget of bytes that is spent ends what a skill reaches, and what it would reach next', async () => {
  await using host = await openHost();
  await using web = await serve((_request, response) => {
    const more = (): void => {
      while (response.write(Buffer.alloc(65_536))) {}
    };
    response.on('drain', more);
    more();
  });
  const url = `http://web.test:${web.port}/`;
  await host.add(
    'greedy',
    `{ hosts: ["web.test:${web.port}"] }`,
    `curl -s -o /dev/null ${url}; curl -s -o /dev/null ${url}again; sleep 20\n`,
  );
  const pid = await host.agent({ net_bytes: 1_000_000 });
  const stopping = new AbortController();
  const running = host.call(pid, 'greedy', stopping.signal);
  await vi.waitFor(() => expect(web.seen).toHaveLength(1), { timeout: 20_000 });
  await web.idle();
  await vi.waitFor(async () => expect(await host.decisions(pid)).toMatchObject([{ verdict: 'allowed' }, { reason: 'budget_exceeded' }]), {
    timeout: 20_000,
  });
  stopping.abort();
  await running.catch(() => {});
  expect((await host.used(pid))['net_bytes']).toBeGreaterThan(1_000_000);
  expect(web.seen).toHaveLength(1);
});
