/** Logging in for a mounted server: a real authorization server on loopback, through the guard. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestMcpLoginServer } from '@warren/testkit';
import { expect, it } from 'vitest';
import { type Mounted, mount, NEVER } from './test-support/mounted.ts';

const REDIRECT = 'http://127.0.0.1:4711/callback';
const privateNetworks = ['127.0.0.0/8'];
const fileOf = (url: string, more = 'login: {}'): string => `servers:\n  - name: web\n    url: ${url}\n    ${more}\n`;

async function open(more?: string): Promise<AsyncDisposable & { readonly server: TestMcpLoginServer; readonly on: Mounted }> {
  const server = await TestMcpLoginServer.start();
  const on = await mount({ sandboxes: undefined as never, privateNetworks, file: fileOf(server.url, more) }); // No program is started here.
  return {
    ...{ server, on },
    async [Symbol.asyncDispose]() {
      await on[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function logIn({ servers }: Mounted, server: TestMcpLoginServer): Promise<void> {
  const { address, state } = await servers.beginLogin('web', REDIRECT, NEVER);
  const { searchParams } = server.authorize(address);
  expect(searchParams.get('state')).toBe(state);
  await servers.finishLogin('web', { state, code: searchParams.get('code') ?? '', iss: searchParams.get('iss') ?? undefined }, NEVER);
}

it('somebody logs in for a server, which is used from then on, and tokens are made new without anybody', async () => {
  await using setting = await open();
  const { server, on } = setting;
  const [before] = await on.servers.reload('web', NEVER);
  expect(before?.problem).toContain('somebody has to log in: warren mcp-server login web');
  await logIn(on, server);
  await on.approve('web');
  expect(await on.call('mcp.web.look')).toMatchObject({ kind: 'done', output: { content: [{ text: 'done' }] } });
  const file = join(on.directory, 'mcp-logins', 'web.json');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  for (let round = 1; round <= 3; round++) {
    server.expire();
    expect(await on.call('mcp.web.look')).toMatchObject({ kind: 'done' });
    expect(server.renewed).toBe(round);
  }
  // What it was trusted with it gives back to nobody.
  server.answer = (token) => `your token is ${token}`;
  expect(await on.call('mcp.web.look')).toMatchObject({ kind: 'done', output: { content: [{ text: 'your token is [REDACTED]' }] } });
  server.revoke();
  expect(await on.call('mcp.web.look')).toMatchObject({ kind: 'failed' });
  const [after] = await on.servers.reload('web', NEVER);
  expect(after?.problem).toContain('somebody has to log in');
  await logIn(on, server);
  expect(await on.call('mcp.web.look')).toMatchObject({ kind: 'done' });
  await on.servers.revoke('web');
  expect(() => readFileSync(file)).toThrow('ENOENT');
});

it('one request renews a token for all who want it, for it is good once', async () => {
  await using setting = await open();
  const { server, on } = setting;
  await logIn(on, server);
  await on.approve('web');
  const workspaces = ['acme', 'bravo', 'china', 'delta'];
  const all = () =>
    Promise.all(workspaces.map((workspace) => on.call('mcp.web.look', {}, { actor: { workspace, pid: 1, agent: 'ada' } as never })));
  await all();
  server.expire();
  for (const acted of await all()) expect(acted).toMatchObject({ kind: 'done' });
  expect(server.renewed).toBe(1);
});

it('an answer that belongs to nothing, to something before, or is used again is refused', async () => {
  await using setting = await open();
  const { server, on } = setting;
  const finish = (answer: { state: string; code: string; iss?: string }) =>
    on.servers.finishLogin('web', { iss: server.origin, ...answer }, NEVER).then(
      () => 'logged in',
      (error: { readonly code: string }) => error.code,
    );
  expect(await finish({ state: '', code: 'x' })).toBe('conflict');
  const first = await on.servers.beginLogin('web', REDIRECT, NEVER);
  const code = server.authorize(first.address).searchParams.get('code') ?? '';
  expect(await finish({ state: 'guess', code })).toBe('conflict');
  const second = await on.servers.beginLogin('web', REDIRECT, NEVER);
  expect(await finish({ state: first.state, code })).toBe('conflict');
  // A code of somebody else's flow is bound to another verifier.
  expect(await finish({ state: second.state, code })).toBe('unavailable');
  expect(await finish({ state: second.state, code })).toBe('conflict');
  const third = await on.servers.beginLogin('web', REDIRECT, NEVER);
  const own = server.authorize(third.address).searchParams.get('code') ?? '';
  expect(await finish({ state: third.state, code: own, iss: 'https://evil.example.org' })).toBe('unavailable');
  const late = await on.servers.beginLogin('web', REDIRECT, NEVER);
  const lateCode = server.authorize(late.address).searchParams.get('code') ?? '';
  on.pass(600_001);
  expect(await finish({ state: late.state, code: lateCode })).toBe('conflict');
  expect((await on.servers.reload('web', NEVER))[0]?.problem).toContain('somebody has to log in');
});

it.each([
  'https://evil.example.org/callback',
  'http://evil.example.org:1/',
  'http://127.0.0.1/callback',
  'http://a@127.0.0.1:1/',
  'file:///etc/passwd',
  '',
])('the browser comes back to this machine and nowhere else: %j', async (redirect) => {
  await using setting = await open();
  await expect(setting.on.servers.beginLogin('web', redirect, NEVER)).rejects.toMatchObject({ code: 'invalid_argument' });
});

it('nobody is sent to, and nothing is asked of, a host that the operator did not name', async () => {
  await using setting = await open();
  const { server, on } = setting;
  server.changeMetadata = (metadata) => ({ ...metadata, authorization_endpoint: 'https://evil.example.org/authorize' });
  await expect(on.servers.beginLogin('web', REDIRECT, NEVER)).rejects.toMatchObject({ code: 'permission_denied' });
  server.changeMetadata = (metadata) => ({ ...metadata, authorization_endpoint: 'javascript:alert(1)' });
  await expect(on.servers.beginLogin('web', REDIRECT, NEVER)).rejects.toThrow(/Cannot log in/);
  server.changeMetadata = (metadata) => ({ ...metadata, registration_endpoint: 'http://127.0.0.1:1/register' });
  await expect(on.servers.beginLogin('web', REDIRECT, NEVER)).rejects.toMatchObject({ code: 'unavailable' });
});

it('a login is for the address it was given for', async () => {
  await using setting = await open();
  const { server, on } = setting;
  await logIn(on, server);
  await on.approve('web');
  await using thief = await TestMcpLoginServer.start();
  const seen: string[] = [];
  thief.answer = (token) => {
    seen.push(token);
    return '';
  };
  writeFileSync(join(on.directory, 'mcp-servers.yaml'), fileOf(thief.url));
  expect((await on.servers.reload('web', NEVER))[0]?.problem).toContain('somebody has to log in');
  expect(seen).toEqual([]);
});

it('a server without login in the file has none, and one has not both ways', async () => {
  await using setting = await open('tools: [look]');
  await expect(setting.on.servers.beginLogin('web', REDIRECT, NEVER)).rejects.toMatchObject({ code: 'unsupported' });
  await expect(open('login: {}\n    oauth: { client_id: a, client_secret_file: b }')).rejects.toThrow('has both oauth and login');
});
