/** What a server says of the token it wants: followed as far as the operator let it, and no further. Real servers on loopback, through the guard. */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { TestMcpLoginServer } from '@warren/testkit';
import { afterEach, expect, it, vi } from 'vitest';
import { readChallenge } from './login-challenge.ts';
import { type Mounted, mount, NEVER } from './test-support/mounted.ts';

const REDIRECT = 'http://127.0.0.1:4711/callback';
const METADATA = '/.well-known/oauth-protected-resource/mcp';

const warned = vi.spyOn(console, 'warn');
afterEach(() => expect(warned.mock.calls).toEqual([]));

type Setting = AsyncDisposable & { readonly server: TestMcpLoginServer; readonly thief: TestMcpLoginServer; readonly on: Mounted };

/** `server` is mounted; `thief` is another, which the operator named if `login` says so. */
async function open(login: (thief: TestMcpLoginServer, server: TestMcpLoginServer) => string = () => '{}'): Promise<Setting> {
  const [server, thief] = [await TestMcpLoginServer.start(), await TestMcpLoginServer.start()];
  const file = `servers:\n  - name: web\n    url: ${server.url}\n    login: ${login(thief, server)}\n`;
  const on = await mount({ sandboxes: undefined as never, privateNetworks: ['127.0.0.0/8'], file }); // No program is started here.
  return {
    ...{ server, thief, on },
    async [Symbol.asyncDispose]() {
      for (const each of [on, server, thief]) await each[Symbol.asyncDispose]();
    },
  };
}

const both = (thief: TestMcpLoginServer): string => `{ hosts: ['${new URL(thief.origin).host}'] }`;

async function begin({ on }: Setting): Promise<URL> {
  return new URL((await on.servers.beginLogin('web', REDIRECT, NEVER)).address);
}

/** Gives the scope that was asked for. */
async function logIn({ on, server }: Setting): Promise<string | null> {
  const { address, state } = await on.servers.beginLogin('web', REDIRECT, NEVER);
  const { searchParams } = server.authorize(address);
  await on.servers.finishLogin('web', { state, code: searchParams.get('code') ?? '', iss: searchParams.get('iss') ?? undefined }, NEVER);
  return new URL(address).searchParams.get('scope');
}

const problemOf = async ({ on }: Setting): Promise<string> => (await on.servers.reload('web', NEVER))[0]?.problem ?? '';
const scoped = (scope: string) => (challenge: string) => `${challenge}, scope="${scope}"`;

it('a login asks where and for what the server says, whether it was asked before or not', async () => {
  for (const isUsedBefore of [true, false]) {
    await using setting = await open();
    const { server, on } = setting;
    server.metadataPath = '/elsewhere/metadata';
    server.changeChallenge = scoped('read look');
    if (isUsedBefore) expect(await problemOf(setting)).toContain('somebody has to log in: warren mcp-server login web');
    expect(await logIn(setting)).toBe('read look');
    const probes = server.asked.filter((each) => each.includes('tools/list'));
    expect(probes).toHaveLength(isUsedBefore ? 0 : 1);
    expect(server.asked.filter((each) => each.includes('.well-known/oauth-protected-resource'))).toEqual([]);
    await on.approve('web');
    server.expire();
    expect(await on.call('mcp.web.look')).toMatchObject({ kind: 'done' });
    expect(server.renewed).toBe(1);
  }
});

it('what the operator wrote is asked for, whatever the server wants', async () => {
  await using setting = await open(() => '{ scope: read }');
  setting.server.changeChallenge = scoped('read everything');
  expect(await logIn(setting)).toBe('read');
});

it('a call that needs more scope says so, and the next login asks for it and for what there was', async () => {
  await using setting = await open();
  const { server, on } = setting;
  server.changeChallenge = scoped('read');
  await logIn(setting);
  await on.approve('web');
  expect(await on.call('mcp.web.look')).toMatchObject({ kind: 'done' });
  server.wantedScope = 'write';
  const words = 'Cannot use the MCP server web: somebody has to log in with the scope "write": warren mcp-server login web';
  for (const _ of [1, 2])
    expect(await on.call('mcp.web.look')).toMatchObject({
      kind: 'failed',
      error: { type: 'McpServerUnavailable', message: words },
    });
  expect(on.servers.get('web').problem).toBe(words);
  expect(on.said.filter((each) => each === words)).toHaveLength(1);
  // The token ends meanwhile: what was wanted is not forgotten.
  server.revoke();
  expect(await problemOf(setting)).toContain('somebody has to log in');
  expect(await logIn(setting)).toBe('read write');
  expect(await on.call('mcp.web.look')).toMatchObject({ kind: 'done' });
  expect(on.servers.get('web').problem).toBeUndefined();
});

it('a scope the operator fixed has to be changed by the operator', async () => {
  await using setting = await open(() => '{ scope: read }');
  const { server, on } = setting;
  await logIn(setting);
  await on.approve('web');
  server.wantedScope = 'write';
  expect(await on.call('mcp.web.look')).toMatchObject({
    error: {
      message: expect.stringContaining('with the scope "write", once login.scope in mcp-servers.yaml has it: warren mcp-server login web'),
    },
  });
  expect(await logIn(setting)).toBe('read');
});

it.each([
  ['another host', (thief: TestMcpLoginServer) => `${thief.origin}${METADATA}`],
  ['the host of cloud metadata', () => 'http://169.254.169.254/latest/meta-data/'],
  ['another name of this machine', (thief: TestMcpLoginServer) => `http://localhost:${new URL(thief.origin).port}${METADATA}`],
])('metadata at %s is not read, and nothing else instead', async (_, addressOf) => {
  await using setting = await open();
  const { server, thief } = setting;
  server.changeChallenge = () => `Bearer resource_metadata="${addressOf(thief)}"`;
  await expect(begin(setting)).rejects.toMatchObject({
    code: 'permission_denied',
    message: expect.stringContaining('not among login.hosts'),
  });
  expect(thief.asked).toEqual([]);
  expect(server.asked.filter((each) => each.startsWith('GET /.well-known'))).toEqual([]);
});

it('metadata whose tokens are for another server is refused', async () => {
  await using setting = await open(both);
  const { server, thief } = setting;
  server.changeChallenge = () => `Bearer resource_metadata="${thief.origin}${METADATA}"`;
  await expect(begin(setting)).rejects.toThrow(/its tokens are for/);
  expect(thief.asked).toEqual([`GET ${METADATA}  `]);
});

it('a redirect from metadata, from the token endpoint or from the server leads to no other host', async () => {
  await using setting = await open(both);
  const { server, thief, on } = setting;
  server.redirects.set(METADATA, `${thief.origin}${METADATA}`);
  await expect(begin(setting)).rejects.toMatchObject({ code: 'unavailable' });
  server.redirects.clear();
  await logIn(setting);
  await on.approve('web');
  server.redirects.set('/mcp', thief.url);
  expect(await problemOf(setting)).not.toBe('');
  server.redirects.clear();
  server.expire();
  server.redirects.set('/token', `${thief.origin}/token`);
  expect(await problemOf(setting)).toContain('Cannot use the MCP server web now');
  expect(thief.asked).toEqual([]);
});

it('no token and no client of one authorization server reaches another that the server names later', async () => {
  await using setting = await open(both);
  const { server, thief, on } = setting;
  await logIn(setting);
  await on.approve('web');
  const { client, tokens } = JSON.parse(readFileSync(join(on.directory, 'mcp-logins', 'web.json'), 'utf8'));
  server.expire();
  server.changeResource = (resource) => ({ ...resource, authorization_servers: [thief.origin] });
  expect(await problemOf(setting)).toContain('somebody has to log in again, for it takes the tokens of another authorization server now');
  expect(server.renewed).toBe(0);
  // Also not when somebody logs in there: it is another client, and nothing of before goes along.
  const there = await begin(setting);
  expect(there.origin).toBe(thief.origin);
  expect(there.searchParams.get('client_id')).not.toBe(client.client_id);
  const seen = thief.asked.join('\n');
  for (const each of [client.client_id, tokens.access_token, tokens.refresh_token]) expect(seen).not.toContain(each);
  // An answer that says it comes from elsewhere is none.
  const { state } = await on.servers.beginLogin('web', REDIRECT, NEVER);
  const mixed = on.servers.finishLogin('web', { state, code: 'code-of-another', iss: server.origin }, NEVER);
  await expect(mixed).rejects.toMatchObject({ code: 'unavailable' });
  expect(thief.asked.join('\n')).not.toContain('code-of-another');
  // The login there was is there yet.
  server.changeResource = (resource) => resource;
  expect(await problemOf(setting)).toBe('');
  expect(server.renewed).toBe(1);
});

it.each(['the operator says', 'it was before'])('a secret of the operator goes to whom %s, and to nobody the server names', async (pin) => {
  const isPinned = pin === 'the operator says';
  await using setting = await open((other, { origin }) => {
    const hosts = new URL(other.origin).host;
    return `{ hosts: ['${hosts}'], client_id: warren, client_secret_file: ours.txt${isPinned ? `, issuer: "${origin}"` : ''} }`;
  });
  const { server, thief, on } = setting;
  writeFileSync(join(on.directory, 'ours.txt'), 'the-secret-of-the-client');
  for (const each of [server, thief]) {
    each.addClient('warren', REDIRECT);
    each.changeMetadata = (metadata) => ({ ...metadata, token_endpoint_auth_methods_supported: ['client_secret_post'] });
  }
  if (!isPinned) await logIn(setting);
  server.changeResource = (resource) => ({ ...resource, authorization_servers: [thief.origin] });
  await expect(begin(setting)).rejects.toMatchObject({
    code: 'permission_denied',
    message: expect.stringContaining(`Warren is a client of ${server.origin}`),
  });
  expect(thief.asked.join('\n')).not.toContain('the-secret-of-the-client');
  server.changeResource = (resource) => resource;
  await logIn(setting);
});

it.each([
  ['bytes that move a terminal', 'Bearer scope="look\x9b31m\x85"', undefined],
  ['a tab', 'Bearer scope="look\tall"', undefined],
  ['a backslash', 'Bearer scope="look\\u001b"', undefined],
  ['no end', `Bearer scope="${'a'.repeat(4_000)}"`, undefined],
  ['too many words', `Bearer scope="${Array.from({ length: 600 }, (_, index) => `s${index}`).join(' ')}"`, undefined],
  ['more than one space', 'Bearer scope="look  all look"', 'look all'],
])('a scope with %s', async (_, challenge, asked) => {
  await using setting = await open();
  const { server, on } = setting;
  server.changeChallenge = () => challenge;
  expect((await begin(setting)).searchParams.get('scope')).toBe(asked ?? null);
  expect(`${await problemOf(setting)} ${on.said}`).not.toMatch(/[^\x20-\x7e]/);
});

it('a scope in the way of a header of its own is none, and nothing after it is a header', async () => {
  // No HTTP library writes such an answer.
  const raw = createServer((socket) => {
    socket.on('error', () => {}); // 'close' follows.
    socket.once('data', () =>
      socket.end(
        'HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer scope="look\x00\x1b[2J"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
      ),
    );
  });
  raw.listen(0, '127.0.0.1');
  await once(raw, 'listening');
  const { port } = raw.address() as { readonly port: number }; // It listens on TCP.
  const file = `servers:\n  - { name: web, url: "http://127.0.0.1:${port}/mcp", login: {} }\n`;
  await using on = await mount({ sandboxes: undefined as never, privateNetworks: ['127.0.0.0/8'], file });
  const refused = await on.servers.beginLogin('web', REDIRECT, NEVER).catch((error: Error) => error);
  const [shown] = await on.servers.reload('web', NEVER);
  expect(refused).toBeInstanceOf(Error);
  expect(`${(refused as Error).message} ${shown?.problem} ${on.said}`).not.toMatch(/[^\x20-\x7e]/);
  raw.close();
});

it('a server that answers with the token it was sent gets nobody to send it on', async () => {
  await using setting = await open();
  const { server, on } = setting;
  await logIn(setting);
  await on.approve('web');
  const { tokens } = JSON.parse(readFileSync(join(on.directory, 'mcp-logins', 'web.json'), 'utf8'));
  server.wantedScope = tokens.access_token;
  expect(JSON.stringify(await on.call('mcp.web.look'))).not.toContain(tokens.access_token);
  expect((await begin(setting)).href).not.toContain(tokens.access_token);
  server.revoke();
  server.changeChallenge = scoped(tokens.refresh_token);
  expect(await problemOf(setting)).not.toContain(tokens.refresh_token);
  expect((await begin(setting)).href).not.toContain(tokens.refresh_token);
});

it.each([
  ['https://a.example/mcp', 'http://a.example/meta', undefined],
  ['https://a.example/mcp', 'https://user@a.example/meta', undefined],
  ['https://a.example/mcp', 'file:///etc/passwd', undefined],
  ['https://a.example/mcp', `https://a.example/${'x'.repeat(3_000)}`, undefined],
  ['https://a.example/mcp', 'https://a.example/meta', 'https://a.example/meta'],
  ['http://127.0.0.1:1/mcp', 'http://127.0.0.1:1/meta', 'http://127.0.0.1:1/meta'],
])('the address of metadata is taken when it is one, and as safe as that of the server (%#)', (server, metadata, taken) => {
  expect(readChallenge({ resourceMetadataUrl: new URL(metadata) }, server).metadataUrl).toBe(taken);
});
