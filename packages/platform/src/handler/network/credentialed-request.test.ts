/** Through the whole gate, to a real server, with a real vault. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { openKernel } from '@warren/kernel';
import { DEFAULT_WORKSPACE, type JsonObject } from '@warren/protocol';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { openPlatform } from '../../open-platform.ts';

const VALUE = 'Zq7/planted+value="of a secret"?&9f31c';
const CAPABILITIES = ['network.credentialed_request'];

type Seen = { readonly method: string; readonly url: string; readonly headers: IncomingMessage['headers']; readonly body: string };
type Respond = (seen: Seen) => { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: string | Buffer };

/** Every form in which a server could hand the value back. */
function formsOf(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  const shifted = [1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift, 120), bytes])
      .toString('base64')
      .slice(2),
  );
  return [
    value,
    bytes.toString('base64'),
    bytes.toString('base64url'),
    bytes.toString('hex'),
    encodeURIComponent(value),
    JSON.stringify(value),
    ...shifted,
  ];
}

function leaked(text: string): boolean {
  const bytes = Buffer.from(VALUE);
  const core = (shift: number) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(4, -4);
  const found = [VALUE, bytes.toString('hex'), encodeURIComponent(VALUE), JSON.stringify(VALUE).slice(1, -1), core(0), core(1), core(2)];
  return found.some((form) => text.includes(form));
}

async function open(config = '') {
  const directory = await TemporaryDirectory.create();
  writeFileSync(directory.join('config.yaml'), `egress: { private_networks: [127.0.0.1/32, 127.0.0.2/32] }\n${config}`);
  const kernel = await openKernel({ directory: directory.path });
  const openSandboxes = () => Promise.reject(new Error('There are none here'));
  const platform = await openPlatform({ kernel, directory: directory.path, isWatching: false, openSandboxes });
  const seen: Seen[] = [];
  let respond: Respond = () => ({});
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { method = '', url = '', headers } = request;
    seen.push({ method, url, headers, body });
    const { status = 200, headers: more = {}, body: answer = 'ok' } = respond(seen.at(-1) as Seen); // It was just pushed.
    response.writeHead(status, more).end(answer);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`; // Of a TCP server.
  const grants = { tools: ['*'], paths: [], hosts: [host, '127.0.0.2'], models: [], subAgents: false } as const;
  const { pid } = await platform.agents.start(DEFAULT_WORKSPACE, { agent: 'ada', grants, budgets: {} });
  const secrets = platform.secrets(DEFAULT_WORKSPACE);
  return {
    ...{ directory, kernel, platform, secrets, seen, host, url: `http://${host}/items` },
    answer(next: Respond) {
      respond = next;
    },
    async call(input: JsonObject, capability = 'network.credentialed_request') {
      return await platform.gate.call(DEFAULT_WORKSPACE, { pid, capability, input });
    },
    async setPolicy(rule: string): Promise<void> {
      mkdirSync(directory.join('policies'), { recursive: true });
      writeFileSync(directory.join('policies', 'workspace.yaml'), `name: test\nrules:\n  - ${rule}\n`);
      await platform.policies.reload();
    },
    async recorded(): Promise<string> {
      const { entries } = await platform.audit.search({});
      const events = await kernel.workspace(DEFAULT_WORKSPACE).events.newest({ limit: 1_000 });
      return JSON.stringify([entries, events]);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      await platform[Symbol.asyncDispose]();
      await kernel.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

function* filesBelow(directory: string): Generator<string> {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (statSync(path).isDirectory()) yield* filesBelow(path);
    else yield path;
  }
}

describe('a request with a secret', () => {
  it('has it where it belongs, and nothing that comes back does, nor anything that is kept', async () => {
    await using t = await open();
    await t.secrets.set('api', VALUE, { bindings: { hosts: [t.host], capabilities: CAPABILITIES } });
    t.answer(({ headers, url, body }) => ({
      headers: { 'x-echo': encodeURIComponent(headers.authorization ?? ''), 'x-hex': Buffer.from(VALUE).toString('hex') },
      body: JSON.stringify({ headers, url, body, forms: formsOf(VALUE) }),
    }));
    const placements: readonly [JsonObject, JsonObject][] = [
      [{}, {}],
      [{ credential_placement: { name: 'X-Key', format: 'key={secret};' } }, {}],
      [{ credential_placement: { type: 'query', name: 'key' } }, {}],
      [{ credential_placement: { type: 'body', name: 'key' } }, { method: 'POST', body: '{"a":1}' }],
      [
        { credential_placement: { type: 'body', name: '__proto__' } },
        { method: 'POST', body: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      ],
    ];
    for (const [placement, more] of placements) {
      const answer = await t.call({ url: `${t.url}?q=1`, secret_name: 'api', ...placement, ...more });
      expect(answer).toMatchObject({ kind: 'done', output: { status_code: 200, body_encoding: 'utf-8' }, taint: ['web', 'web:127.0.0.1'] });
      expect(leaked(JSON.stringify(answer))).toBe(false);
    }
    const [header, other, query, json, form] = t.seen;
    expect(header?.headers.authorization).toBe(`Bearer ${VALUE}`);
    expect([other?.headers['x-key'], other?.headers.authorization]).toEqual([`key=${VALUE};`, undefined]);
    expect(Object.fromEntries(new URL(query?.url ?? '', t.url).searchParams)).toEqual({ q: '1', key: VALUE });
    expect([JSON.parse(json?.body ?? ''), json?.headers['content-type']]).toEqual([{ a: 1, key: VALUE }, 'application/json']);
    expect([...new URLSearchParams(form?.body)]).toEqual([
      ['a', '1'],
      ['__proto__', VALUE],
    ]);
    expect(leaked(await t.recorded())).toBe(false);
    for (const file of filesBelow(t.directory.path)) expect([file, leaked(readFileSync(file, 'latin1'))]).toEqual([file, false]);
  });

  it('takes a short one out of the answer, too, and one in a body of bytes', async () => {
    await using t = await open();
    await t.secrets.set('short', 'q7#', { bindings: { hosts: [t.host], capabilities: CAPABILITIES } });
    await t.secrets.set('api', VALUE, { bindings: { hosts: [t.host], capabilities: CAPABILITIES } });
    t.answer(({ headers }) => ({ body: `you sent ${headers.authorization}` }));
    expect(await t.call({ url: t.url, secret_name: 'short' })).toMatchObject({
      output: { body: 'you sent Bearer [redacted:short]' },
    });
    t.answer(({ headers }) => ({ body: Buffer.from(`\0\0${headers.authorization}\0\xff`, 'latin1') }));
    const binary = await t.call({ url: t.url, secret_name: 'api' });
    expect(binary).toMatchObject({ output: { body_encoding: 'base64' } });
    expect(leaked(JSON.stringify(binary))).toBe(false);
  });

  it('is not sent for a secret that is absent, revoked, or bound to something else: all in the same words', async () => {
    await using t = await open();
    const bound = (bindings: object) => t.secrets.set('api', VALUE, { bindings: { hosts: [], capabilities: [], skills: [], ...bindings } });
    const outcomes: unknown[] = [await t.call({ url: t.url, secret_name: 'api' })];
    const port = t.host.split(':')[1];
    for (const bindings of [
      {},
      { hosts: [t.host] },
      { capabilities: CAPABILITIES },
      { hosts: [t.host], capabilities: ['network.http_request'] },
      { hosts: ['127.0.0.2'], capabilities: CAPABILITIES },
      { hosts: [`127.0.0.1:${Number(port) - 1}`], capabilities: CAPABILITIES },
      { hosts: ['api.example.com'], capabilities: ['*'], skills: ['x'] },
    ]) {
      await bound(bindings);
      outcomes.push(await t.call({ url: t.url, secret_name: 'api' }));
    }
    await bound({ hosts: [t.host], capabilities: CAPABILITIES });
    await t.secrets.revoke('api');
    outcomes.push(await t.call({ url: t.url, secret_name: 'api' }));
    const said = outcomes.map((each) => JSON.stringify((each as { error?: unknown }).error)); // Of a call that failed.
    expect(new Set(said).size).toBe(1);
    expect(said[0]).toContain('SecretNotFound');
    expect(t.seen).toEqual([]);
  });

  it('follows no redirect, and the value a server puts into one stays unseen', async () => {
    await using t = await open();
    await t.secrets.set('api', VALUE, { bindings: { hosts: [t.host], capabilities: CAPABILITIES } });
    t.answer(({ headers }) => ({
      status: 302,
      headers: { location: `http://127.0.0.2/?stolen=${encodeURIComponent(headers.authorization ?? '')}` },
    }));
    const answer = await t.call({ url: t.url, secret_name: 'api' });
    expect(answer).toMatchObject({
      kind: 'done',
      output: { status_code: 302, headers: { location: expect.stringContaining('stolen=Bearer%20[redacted:api]') } },
    });
    expect(leaked(JSON.stringify(answer))).toBe(false);
    expect(t.seen).toHaveLength(1);
  });

  it.each<[string, JsonObject]>([
    ['a header that the caller gives', { headers: { AUTHORIZATION: 'mine' } }],
    ['a parameter that is there', { credential_placement: { type: 'query', name: 'q' } }],
    ['a field that is there', { method: 'POST', body: '{"q":1}', credential_placement: { type: 'body', name: 'q' } }],
    ['a parameter without a name', { credential_placement: { type: 'query' } }],
    ['a body that is no object', { method: 'POST', body: '[1]', credential_placement: { type: 'body', name: 'q' } }],
    [
      'a body of another type',
      { method: 'POST', body: 'x', headers: { 'Content-Type': 'text/plain' }, credential_placement: { type: 'body', name: 'q' } },
    ],
    ['a format without the secret', { credential_placement: { format: 'no place' } }],
    ['a format with it twice', { credential_placement: { format: '{secret}{secret}' } }],
    ['a header of the guard', { credential_placement: { name: 'Host', format: '{secret}' } }],
    ['a header with a line end', { credential_placement: { name: 'X-A', format: 'a\r\nX-B: {secret}' } }],
    ['a header that is no name', { credential_placement: { name: 'a b' } }],
  ])('is refused with %s', async (_, input) => {
    await using t = await open();
    await t.secrets.set('api', VALUE, { bindings: { hosts: [t.host], capabilities: CAPABILITIES } });
    const answer = await t.call({ url: `${t.url}?q=1`, secret_name: 'api', ...input });
    expect(answer).toMatchObject({ kind: 'failed', error: { type: 'InvalidInput' } });
    expect([leaked(JSON.stringify(answer)), t.seen]).toEqual([false, []]);
  });

  it('is held to what the agent may reach and to policy, whatever the secret is bound to', async () => {
    await using t = await open();
    await t.secrets.set('api', VALUE, { bindings: { hosts: [t.host, '127.0.0.3'], capabilities: CAPABILITIES } });
    expect(await t.call({ url: 'http://127.0.0.3/', secret_name: 'api' })).toMatchObject({ kind: 'failed' });
    await t.setPolicy(
      '{ id: stop, capability: network.credentialed_request, when: { args: { secret_name: { in: [api] } } }, tier: blocked }',
    );
    expect(await t.call({ url: t.url, secret_name: 'api' })).toMatchObject({ kind: 'failed', error: { type: 'PolicyDenied' } });
    expect(t.seen).toEqual([]);
  });

  it('says that the vault is locked, and sends nothing', async () => {
    await using t = await open('vault: { key: { kind: passphrase } }');
    await t.platform.vault.unlock('correct horse');
    await t.secrets.set('api', VALUE, { bindings: { hosts: [t.host], capabilities: CAPABILITIES } });
    const openSandboxes = () => Promise.reject(new Error('There are none here'));
    await t.platform[Symbol.asyncDispose]();
    await using again = await openPlatform({ kernel: t.kernel, directory: t.directory.path, isWatching: false, openSandboxes });
    const grants = { tools: ['*'], paths: [], hosts: [t.host], models: [], subAgents: false } as const;
    const { pid } = await again.agents.start(DEFAULT_WORKSPACE, { agent: 'bob', grants, budgets: {} });
    const call = (capability: string, input: JsonObject) => again.gate.call(DEFAULT_WORKSPACE, { pid, capability, input });
    const locked = { kind: 'failed', error: { type: 'VaultLocked', retryable: true } };
    expect(await call('network.credentialed_request', { url: t.url, secret_name: 'api' })).toMatchObject(locked);
    expect(await call('secrets.use', { secret_name: 'api', capability: CAPABILITIES[0] ?? '' })).toMatchObject(locked);
    expect(await call('secrets.list', {})).toMatchObject({ kind: 'done', output: { total: 1 } });
    expect(t.seen).toEqual([]);
  });
});

describe('secrets of an agent', () => {
  it('are listed by name and use, said to be used, and asked to be renewed; never shown', async () => {
    await using t = await open();
    await t.secrets.set('api', VALUE, { type: 'api_key', purpose: 'for items', bindings: { hosts: [t.host], capabilities: CAPABILITIES } });
    await t.secrets.set('old', VALUE);
    await t.secrets.revoke('old');
    const listed = await t.call({}, 'secrets.list');
    expect(listed).toMatchObject({
      output: {
        total: 1,
        secrets: [{ name: 'api', type: 'api_key', allowed_capabilities: CAPABILITIES, allowed_hosts: [t.host], revoked: false }],
      },
    });
    expect(await t.call({ include_revoked: true }, 'secrets.list')).toMatchObject({ output: { total: 2 } });
    expect(await t.call({ secret_name: 'api', capability: 'network.credentialed_request' }, 'secrets.use')).toMatchObject({
      output: { used: true },
    });
    for (const secret_name of ['old', 'none', '../x', '__proto__']) {
      const input = { secret_name, capability: 'network.credentialed_request' };
      expect(await t.call(input, 'secrets.use')).toMatchObject({ kind: 'failed', error: { type: 'SecretNotFound' } });
    }
    expect(await t.call({ secret_name: 'none' }, 'secrets.rotate_request')).toMatchObject({
      kind: 'failed',
      error: { type: 'SecretNotFound' },
    });
    const asked = await t.call({ secret_name: 'api', reason: 'compromised' }, 'secrets.rotate_request');
    expect(asked).toMatchObject({ output: { secret_name: 'api', status: 'submitted' } });
    const { alerts } = await t.kernel.workspace(DEFAULT_WORKSPACE).alerts.list();
    expect(alerts[0]).toMatchObject({ severity: 'critical', agent: 'ada', message: expect.stringContaining('warren secret rotate api') });
    expect(leaked(JSON.stringify([listed, asked, alerts]))).toBe(false);
  });

  it('get a random value only when their owner lets an agent do that, and people approve', async () => {
    await using t = await open();
    await t.secrets.set('api', VALUE, { bindings: { hosts: [t.host], capabilities: CAPABILITIES } });
    expect(await t.call({ secret_name: 'api' }, 'secrets.rotate')).toMatchObject({ kind: 'pending' });
    await t.setPolicy('{ id: go, capability: secrets.rotate, tier: autonomous }');
    expect(await t.call({ secret_name: 'api' }, 'secrets.rotate')).toMatchObject({ kind: 'failed', error: { type: 'SecretNotFound' } });
    await t.secrets.change('api', { bind: { capabilities: ['secrets.rotate'] } });
    expect(await t.call({ secret_name: 'api' }, 'secrets.rotate')).toMatchObject({
      kind: 'done',
      output: { secret_name: 'api', version: 2 },
    });
    using value = await t.secrets.use('api', {
      kind: 'request',
      capability: 'network.credentialed_request',
      host: '127.0.0.1',
      port: Number(t.host.split(':')[1]),
    });
    expect(Buffer.from(value?.bytes ?? []).toString()).toMatch(/^[\w-]{43}$/);
  });
});
