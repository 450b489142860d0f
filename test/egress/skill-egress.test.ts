/** A skill reaches the hosts that it declares and has the secrets that it declares, and no other. A real platform, real sandboxes, servers and DNS. */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openKernel } from '@warren/kernel';
import { openPlatform } from '@warren/platform';
import { DEFAULT_WORKSPACE, type JsonValue } from '@warren/protocol';
import { openSandboxes } from '@warren/sandbox';
import { TemporaryDirectory } from '@warren/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addresses, DnsServer } from '../ssrf/dns-server.ts';

const { signal } = new AbortController();
const VALUE = 'Xyzzy-42-of-the-vault';

let dns: DnsServer;
beforeAll(async () => {
  dns = await DnsServer.start({ 'web.test': addresses('127.0.0.1'), 'other.test': addresses('127.0.0.1') });
});
afterAll(async () => await dns[Symbol.asyncDispose]());

async function serve() {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.headers.host} ${request.url} ${request.headers['x-key'] ?? '-'}`);
    response.end('hello');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    seen,
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
