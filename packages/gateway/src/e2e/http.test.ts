import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import { OPERATIONS } from '@warren/protocol/contract';
import { describe, expect, it } from 'vitest';
import { openTestGateway } from '../test-support/open-test-gateway.ts';

const info = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'kernel.info' });
const ACME = 'acme' as WorkspaceId; // Valid.
const json = { 'content-type': 'application/json' };

describe('POST /rpc', () => {
  it('answers errors of JSON-RPC with HTTP 200, as it does results', async () => {
    await using on = await openTestGateway();
    for (const [body, code] of [
      [info, undefined],
      ['{"jsonrpc":"2.0","id":1,"method":"kernel.agent.get","params":{"pid":99}}', -32102],
      ['{"jsonrpc":"2.0","id":1,"method":"kernel.agent.create","params":{}}', -32602],
      ['{"jsonrpc":"2.0","id":1,"method":"nope"}', -32601],
      ['[]', -32600],
      ['{', -32700],
    ] as const) {
      const answer = await on.post(body);
      expect([answer.status, JSON.parse(answer.text).error?.code]).toEqual([200, code]);
      expect(answer.headers['content-type']).toBe('application/json');
    }
  });

  it('names the field of a parameter that is wrong', async () => {
    await using on = await openTestGateway();
    const { error } = await on.call('kernel.agent.create', { name: 7, template: 't' });
    expect(error).toMatchObject({ code: -32602, data: { fault: 'invalid_argument', field: 'name' } });
  });

  it('answers a notification with 204 and nothing, and has carried it out', async () => {
    await using on = await openTestGateway();
    const create = { jsonrpc: '2.0', method: 'kernel.agent.create', params: { name: 'a', template: 't' } };
    expect(await on.post(JSON.stringify(create))).toMatchObject({ status: 204, text: '' });
    expect(await on.post(JSON.stringify([create, create]))).toMatchObject({ status: 204, text: '' });
    expect((await on.call('kernel.info')).result).toMatchObject({ agent_count: 3 });
  });

  it('answers a batch in its order', async () => {
    await using on = await openTestGateway();
    const requests = Array.from({ length: 100 }, (_, id) => ({
      jsonrpc: '2.0',
      id,
      method: 'kernel.agent.create',
      params: { name: `${id}`, template: 't' },
    }));
    const answers = JSON.parse((await on.post(JSON.stringify(requests))).text) as { id: number; result: { pid: number } }[]; // A batch of results.
    expect(answers.map(({ id }) => id)).toEqual(requests.map(({ id }) => id));
    expect(new Set(answers.map(({ result }) => result.pid)).size).toBe(100);
  });

  it('answers an empty body with 400', async () => {
    await using on = await openTestGateway();
    const answer = await on.post('');
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({ id: null, error: { code: -32700 } });
  });

  it('takes the version of an earlier system or none, and no other', async () => {
    await using on = await openTestGateway();
    expect((await on.post(info, { headers: { 'Cheetahclaws-Api-Version': '0' } })).status).toBe(200);
    for (const got of ['1', '', '0.0', ' 00']) {
      const answer = await on.post(info, { headers: { 'Cheetahclaws-Api-Version': got } });
      expect(answer.status).toBe(426);
      expect(JSON.parse(answer.text)).toEqual({
        error: 'api_version_mismatch',
        expected: '0',
        got: got.trim(),
        header: 'Cheetahclaws-Api-Version',
      });
    }
  });

  it('gives a client its id back, if it is one', async () => {
    await using on = await openTestGateway();
    expect((await on.post(info, { headers: { 'x-client-id': 'abc-123' } })).headers['x-client-id']).toBe('abc-123');
    for (const id of ['a b', 'a'.repeat(129), '']) {
      expect((await on.post(info, { headers: { 'x-client-id': id } })).headers['x-client-id']).toBeUndefined();
    }
    expect((await on.post(info)).headers['x-client-id']).toBeUndefined();
  });
});

describe('paths', () => {
  it('are five; anything else is not found, and each has its methods', async () => {
    await using on = await openTestGateway();
    for (const path of ['/', '/RPC', '/rpc/', '/rpc/x', '//rpc', '/%72pc', '/metrics/../etc', '/health%00']) {
      const answer = await on.send({ path });
      expect([path, answer.status]).toEqual([path, 404]);
      expect(JSON.parse(answer.text)).toMatchObject({ error: { data: { fault: 'not_found' } } });
    }
    for (const [method, path, allow] of [
      ['GET', '/rpc', 'POST'],
      ['OPTIONS', '/rpc', 'POST'],
      ['DELETE', '/rpc', 'POST'],
      ['PUT', '/mcp', 'POST, GET, DELETE'],
      ['POST', '/events', 'GET'],
      ['POST', '/health', 'GET, HEAD'],
    ] as const) {
      expect(await on.send({ method, path })).toMatchObject({ status: 405, headers: { allow } });
    }
  });

  it('of health needs no token and says the version', async () => {
    await using on = await openTestGateway();
    for (const port of [undefined, on.port]) {
      const answer = await on.send({ path: '/health?x', ...(port !== undefined && { port }) });
      expect([answer.status, JSON.parse(answer.text)]).toEqual([200, { status: 'ok', version: '1.2.3' }]);
    }
    expect(await on.send({ method: 'HEAD', path: '/health' })).toMatchObject({ status: 200, text: '' });
  });

  it('of metrics is for operators', async () => {
    await using on = await openTestGateway();
    const member = await on.tokenFor({ kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'admin' });
    const operator = await on.tokenFor({ kind: 'operator' });
    const get = (headers: Record<string, string>) => on.send({ path: '/metrics', port: on.port, headers });
    expect((await get({})).status).toBe(401);
    expect((await get({ authorization: `Bearer ${member}` })).status).toBe(403);
    const answer = await get({ authorization: `Bearer ${operator}` });
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': expect.stringContaining('text/plain; version=0.0.4') } });
    expect(answer.text).toContain('cheetahclaws_kernel_schema_version');
  });
});

describe('who calls over TCP', () => {
  it('needs a token, and is told how', async () => {
    await using on = await openTestGateway();
    for (const authorization of [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      'Basic d2FycmVu',
      'wrn_x',
      `Bearer wrn_${'A'.repeat(43)}`,
      'Bearer a b',
    ]) {
      const headers = authorization === undefined ? {} : { authorization };
      const answer = await on.post(info, { port: on.port, headers });
      if (answer.status !== 429) {
        expect(answer).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer realm="warren"' } });
        expect(JSON.parse(answer.text)).toMatchObject({ id: null, error: { code: -32014, data: { fault: 'unauthenticated' } } });
      }
    }
  });

  it('is who the token is for, also on the unix socket', async () => {
    await using on = await openTestGateway();
    await on.kernel.workspaces.create(ACME);
    const token = await on.tokenFor({ kind: 'member', workspace: ACME, role: 'admin' });
    await on.kernel.workspace(ACME).processes.create({ name: 'a', template: 't' });
    const authorization = `Bearer ${token}`;
    for (const place of [{}, { port: on.port }]) {
      const answer = await on.post(info, { ...place, headers: { authorization } });
      expect(JSON.parse(answer.text).result).toMatchObject({ agent_count: 1 });
    }
    expect((await on.call('kernel.info')).result).toMatchObject({ agent_count: 0 });
  });

  it('gets nowhere with a token of another workspace, or a revoked one', async () => {
    await using on = await openTestGateway();
    await on.kernel.workspaces.create(ACME);
    const token = await on.tokenFor({ kind: 'member', workspace: ACME, role: 'admin' });
    expect(await on.call('kernel.info', {}, { token, workspace: 'default' })).toMatchObject({ error: { code: -32005 } });
    expect(await on.call('workspace.get', { workspace: 'default' }, { token })).toMatchObject({ error: { code: -32005 } });
    const [record] = await on.kernel.tokens.list();
    await on.kernel.tokens.revoke(record?.id ?? '');
    expect(await on.call('kernel.info', {}, { token })).toMatchObject({ error: { code: -32014 } });
  });

  it('gets nothing of another workspace from any operation there is', async () => {
    await using on = await openTestGateway();
    await on.kernel.workspaces.create(ACME);
    const { pid } = await on.kernel.workspace(ACME).processes.create({ name: 'a', template: 't' });
    const tokens = [
      await on.tokenFor({ kind: 'member', workspace: ACME, role: 'admin' }),
      await on.tokenFor({ kind: 'process', workspace: ACME, pid }),
    ];
    for (const token of tokens) {
      for (const name of Object.keys(OPERATIONS)) {
        const { error } = await on.call(name, { pid, workspace: 'default' }, { token, workspace: 'default' });
        expect([name, error?.data?.['fault']]).toEqual([name, expect.stringMatching(/^(?:permission_denied|invalid_argument)$/)]);
      }
    }
  });

  it('as a process cannot speak for another', async () => {
    await using on = await openTestGateway();
    const { processes } = on.kernel.workspace(DEFAULT_WORKSPACE);
    const [mine, theirs] = [await processes.create({ name: 'a', template: 't' }), await processes.create({ name: 'b', template: 't' })];
    const token = await on.tokenFor({ kind: 'process', workspace: DEFAULT_WORKSPACE, pid: mine.pid });
    for (const pid of [theirs.pid, undefined, null]) {
      for (const [name, params] of [
        ['kernel.mbox.send', { sender_pid: pid, recipient_pid: mine.pid, kind: 'forged' }],
        ['kernel.events.append', { pid: pid ?? 99, kind: 'forged', payload: {} }],
        ['kernel.agent.create', { parent_pid: pid, name: 'a', template: 't' }],
        ['kernel.fs.read', { pid, path: '/a' }],
        ['kernel.events.tail', { pid }],
      ] as const) {
        expect([name, (await on.call(name, params, { token })).error?.data?.['fault']]).toEqual([name, 'permission_denied']);
      }
    }
    expect(await on.call('kernel.agent.get', { pid: mine.pid }, { token })).toMatchObject({ result: { name: 'a' } });
    await processes.end(mine.pid, 'completed');
    expect(await on.call('kernel.agent.get', { pid: mine.pid }, { token })).toMatchObject({ error: { code: -32014 } });
  });

  it('is nobody any more when its token has expired', async () => {
    let now = 1_900_000_000_000;
    await using on = await openTestGateway({ kernel: { clock: { now: () => now } } });
    const { token } = await on.kernel.tokens.create({ kind: 'operator' }, { expiresAt: now + 1_000 });
    expect(await on.call('kernel.info', {}, { token })).toMatchObject({ result: {} });
    now += 1_000;
    expect(await on.call('kernel.info', {}, { token })).toMatchObject({ error: { code: -32014 } });
  });

  it('is not let in by guessing, from however many connections, while everybody with a token goes on', async () => {
    await using on = await openTestGateway({ limits: { loginDelayMs: 60_000 } });
    const token = await on.tokenFor({ kind: 'operator' });
    const { token: ended, record } = await on.kernel.tokens.create({ kind: 'operator' });
    await on.kernel.tokens.revoke(record.id);
    const call = async (bearer: string) =>
      await on.post(info, { port: on.port, agent: false, headers: { authorization: `Bearer ${bearer}` } });
    const statuses: number[] = [];
    for (let guess = 0; guess < 12; guess++) statuses.push((await call(`wrn_${`${guess}`.padEnd(43, 'x')}`)).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429, 429, 429, 429, 429]);
    const refused = await call('wrong');
    expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '60' } });
    expect(JSON.parse(refused.text)).toMatchObject({
      error: { code: -32015, data: { fault: 'rate_limited', retry_after_ms: expect.any(Number) } },
    });
    // This one calls for the first time, and that one was good once.
    expect((await call(token)).status).toBe(200);
    expect((await call(ended)).status).toBe(401);
    expect((await on.post(info)).status).toBe(200);
    expect(on.logged.filter((line) => line.includes('Wrong tokens'))).toHaveLength(1);
    expect(on.logged.join()).not.toContain('wrn_');
  });
});

it('a token that ended is no guess, however often it comes', async () => {
  await using on = await openTestGateway({ limits: { loginDelayMs: 60_000 } });
  const { token, record } = await on.kernel.tokens.create({ kind: 'operator' });
  await on.kernel.tokens.revoke(record.id);
  const call = async (bearer: string) => (await on.post(info, { port: on.port, headers: { authorization: `Bearer ${bearer}` } })).status;
  for (let count = 0; count < 10; count++) expect(await call(token)).toBe(401);
  expect(await call('wrong')).toBe(401);
});

describe('a door on TCP', () => {
  const listen = (host: string) => ({ listen: [{ kind: 'tcp', host, port: 0 }] as const });

  it('that more than this machine can reach is warned about: tokens are not hidden on the way', async () => {
    await using open = await openTestGateway(listen('0.0.0.0'));
    expect(open.logged).toContainEqual(expect.stringMatching(/clear text.*0\.0\.0\.0/));
  });

  it('that only this machine reaches is not', async () => {
    await using closed = await openTestGateway(listen('127.0.0.1'));
    expect(closed.logged.join()).not.toContain('clear text');
  });
});

describe('a page in a browser', () => {
  it('cannot reach the port under a name of its own', async () => {
    await using on = await openTestGateway();
    const authorization = `Bearer ${await on.tokenFor({ kind: 'operator' })}`;
    const status = async (host: string) => (await on.post(info, { port: on.port, headers: { authorization, host } })).status;
    for (const host of [
      'evil.example',
      `evil.example:${on.port}`,
      '127.0.0.1',
      '127.0.0.1:1',
      `localhost.evil:${on.port}`,
      `0.0.0.0:${on.port}`,
    ]) {
      expect([host, await status(host)]).toEqual([host, 403]);
    }
    for (const host of [`127.0.0.1:${on.port}`, `localhost:${on.port}`, `LOCALHOST:${on.port}`, `[::1]:${on.port}`]) {
      expect([host, await status(host)]).toEqual([host, 200]);
    }
  });

  it('of another origin is refused', async () => {
    await using on = await openTestGateway();
    const authorization = `Bearer ${await on.tokenFor({ kind: 'operator' })}`;
    const status = async (origin: string) => (await on.post(info, { port: on.port, headers: { authorization, origin } })).status;
    for (const origin of ['http://evil.example', 'null', `https://127.0.0.1:${on.port}`, `http://localhost:${on.port}`, '']) {
      expect([origin, await status(origin)]).toEqual([origin, 403]);
    }
    expect(await status(`http://127.0.0.1:${on.port}`)).toBe(200);
  });

  it('cannot send what a form can send', async () => {
    await using on = await openTestGateway();
    const authorization = `Bearer ${await on.tokenFor({ kind: 'operator' })}`;
    const status = async (type: string) =>
      (await on.post(info, { port: on.port, headers: { authorization, 'content-type': type } })).status;
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx', '']) {
      expect([type, await status(type)]).toEqual([type, 415]);
    }
    for (const type of ['application/json', 'Application/JSON; charset=utf-8']) expect([type, await status(type)]).toEqual([type, 200]);
    expect((await on.send({ method: 'POST', path: '/rpc' }, info)).status).toBe(200);
  });
});

describe('headers', () => {
  it('that try to be more than one are no headers', async () => {
    await using on = await openTestGateway();
    const answer = await on.send({ method: 'POST', path: '/rpc', headers: { ...json, 'warren-workspace': 'a%0d%0ax-evil: 1' } }, info);
    expect(answer.headers['x-evil']).toBeUndefined();
    expect(JSON.parse(answer.text)).toMatchObject({ error: { code: -32602 } });
  });
});
