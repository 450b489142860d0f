/** Logging in for a mounted server: a real authorization server on loopback, through the guard. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestMcpLoginServer } from '@warren/testkit';
import { afterEach, expect, it, vi } from 'vitest';
import { type Mounted, mount, NEVER } from './test-support/mounted.ts';

const REDIRECT = 'http://127.0.0.1:4711/callback';
const privateNetworks = ['127.0.0.0/8'];
const fileOf = (url: string, more = 'login: {}'): string => `servers:\n  - name: web\n    url: ${url}\n    ${more}\n`;

async function open(more?: string): Promise<AsyncDisposable & { readonly server: TestMcpLoginServer; readonly on: Mounted }> {
  await using opening = new AsyncDisposableStack();
  const server = opening.use(await TestMcpLoginServer.start());
  const on = opening.use(await mount({ sandboxes: undefined as never, privateNetworks, file: fileOf(server.url, more) })); // No program is started here.
  const opened = opening.move();
  return { server, on, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** Nothing of what strangers answer is written where nobody asked for it. */
const warned = vi.spyOn(console, 'warn');
afterEach(() => expect(warned.mock.calls).toEqual([]));

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
  await expect(on.servers.beginLogin('web', REDIRECT, NEVER)).rejects.toMatchObject({ code: 'permission_denied' });
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

it.each([
  ['is out of order', { status: 503, text: 'down\u001b[31m for repair' }],
  ['is out of order, and says that the login is over', { status: 500, text: '{"error":"invalid_grant"}' }],
  ['has enough', { status: 429, text: '' }],
  ['answers with a page', { status: 200, text: '<html>down for repair' }],
  ['refuses with a page', { status: 400, text: '<html>down for repair' }],
  ['refuses for now', { status: 400, text: '{"error":"temporarily_unavailable","error_description":"down for repair"}' }],
])('a login outlives an authorization server that %s', async (_, refused) => {
  await using setting = await open();
  const { server, on } = setting;
  await logIn(on, server);
  await on.approve('web');
  server.expire();
  server.refuseToken = () => refused;
  const [during] = await on.servers.reload('web', NEVER);
  expect(during?.problem).toContain('Cannot use the MCP server web now');
  expect(on.said.join('\n')).not.toContain('repair');
  expect(await on.call('mcp.web.look')).toMatchObject({ kind: 'failed', error: { type: 'McpServerUnavailable' } });
  server.refuseToken = () => undefined;
  const [after] = await on.servers.reload('web', NEVER);
  expect(after?.problem).toBeUndefined();
  expect(await on.call('mcp.web.look')).toMatchObject({ kind: 'done' });
});

it.each(['invalid_grant', 'invalid_client'])('somebody has to log in when the authorization server says %s', async (error) => {
  await using setting = await open();
  const { server, on } = setting;
  await logIn(on, server);
  await on.approve('web');
  server.expire();
  let asked = 0;
  server.refuseToken = () => {
    asked += 1;
    return { status: 400, text: JSON.stringify({ error }) };
  };
  for (const _ of [1, 2]) expect((await on.servers.reload('web', NEVER))[0]?.problem).toContain('somebody has to log in');
  expect(asked).toBe(1);
  server.refuseToken = () => undefined;
  await logIn(on, server);
  expect(await on.call('mcp.web.look')).toMatchObject({ kind: 'done' });
});

async function held(server: TestMcpLoginServer): Promise<{ readonly asked: Promise<void>; readonly answer: () => void }> {
  const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  server.beforeToken = async () => {
    server.beforeToken = async () => {};
    asked.resolve();
    await answered.promise;
  };
  return { asked: asked.promise, answer: answered.resolve };
}

it.each(['before', 'with', 'after'] as const)('a login that is taken away %s the answer to a renewal stays away', async (moment) => {
  await using setting = await open();
  const { server, on } = setting;
  await logIn(on, server);
  await on.approve('web');
  server.expire();
  const { asked, answer } = await held(server);
  const calling = on.call('mcp.web.look'); // It renews.
  await asked;
  if (moment !== 'before') answer();
  if (moment === 'after') await calling;
  expect(await on.servers.revoke('web')).toBe(true);
  answer();
  await calling;
  expect(readdirSync(join(on.directory, 'mcp-logins'))).toEqual([]);
  expect((await on.servers.reload('web', NEVER))[0]?.problem).toContain('somebody has to log in');
  expect(await on.servers.revoke('web')).toBe(false);
});

it.each(['before', 'with'] as const)('who logs in %s the answer to a renewal is logged in', async (moment) => {
  await using setting = await open();
  const { server, on } = setting;
  await logIn(on, server);
  await on.approve('web');
  server.expire();
  const { asked, answer } = await held(server);
  const calling = on.call('mcp.web.look');
  await asked;
  if (moment === 'with') answer();
  const again = logIn(on, server);
  answer();
  await Promise.all([again, calling]);
  const { tokens } = JSON.parse(readFileSync(join(on.directory, 'mcp-logins', 'web.json'), 'utf8'));
  server.answer = (token) => String(token === tokens.access_token);
  const [{ renewed }, call] = [server, await on.call('mcp.web.look')];
  expect(call).toMatchObject({ kind: 'done', output: { content: [{ text: 'true' }] } });
  expect(renewed).toBe(1);
});

it('a login that is taken away while its code is redeemed is none', async () => {
  await using setting = await open();
  const { server, on } = setting;
  const { asked, answer } = await held(server);
  const logging = logIn(on, server).catch((error: { readonly code: string }) => error.code);
  await asked;
  await on.servers.revoke('web');
  answer();
  expect(await logging).toBe('conflict');
  expect(existsSync(join(on.directory, 'mcp-logins', 'web.json'))).toBe(false);
});

it('an authorization server that repeats what it was trusted with does so to nobody', async () => {
  await using setting = await open('login: { client_id: warren, client_secret_file: ours.txt }');
  const { server, on } = setting;
  writeFileSync(join(on.directory, 'ours.txt'), 'the-secret-of-the-client\n');
  server.addClient('warren', REDIRECT);
  server.changeMetadata = (metadata) => ({ ...metadata, token_endpoint_auth_methods_supported: ['client_secret_post'] });
  await logIn(on, server);
  server.expire();
  const trusted = ['the-secret-of-the-client'];
  server.refuseToken = (asked) => {
    for (const name of ['refresh_token', 'code', 'code_verifier']) if (asked.has(name)) trusted.push(asked.get(name) ?? '');
    return { status: 400, text: JSON.stringify({ error: 'invalid_request', error_description: `no: ${asked}` }) };
  };
  const [shown] = await on.servers.reload('web', NEVER);
  const error = await logIn(on, server).catch(({ message }: Error) => message);
  expect(error).toContain('client_secret=[REDACTED]');
  expect(trusted).toHaveLength(4);
  for (const secret of trusted) expect(`${error} ${JSON.stringify(shown)} ${on.said}`).not.toContain(secret);
});

it('a login of a server that left the file can be taken away, and no name leads elsewhere', async () => {
  await using setting = await open();
  const { server, on } = setting;
  await logIn(on, server);
  await on.approve('web');
  writeFileSync(join(on.directory, 'mcp-servers.yaml'), 'servers: []\n');
  await on.servers.reload(undefined, NEVER);
  expect(existsSync(join(on.directory, 'mcp-logins', 'web.json'))).toBe(true);
  expect(await on.servers.revoke('web')).toBe(true);
  expect(readdirSync(join(on.directory, 'mcp-logins'))).toEqual([]);
  expect(readdirSync(join(on.directory, 'mcp-pins'))).toEqual([]);
  expect(on.compared.at(-1)).toEqual(['web', false]);
  mkdirSync(join(on.directory, 'mcp-pins', 'sub'));
  writeFileSync(join(on.directory, 'kept.json'), '{}');
  for (const name of ['web', '../kept', 'sub/../../kept', '', '.'])
    await expect(on.servers.revoke(name)).rejects.toMatchObject({ code: 'not_found' });
  expect(existsSync(join(on.directory, 'kept.json'))).toBe(true);
});
