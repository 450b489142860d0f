/** Operations over `/api`: the same calls as over `/rpc`, said in HTTP. */
import type { Principal } from '@warren/kernel';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { openTestGateway, type TestGateway } from '../test-support/open-test-gateway.ts';

const VIEWER: Principal = { kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'viewer' };

function ask(on: TestGateway, place: string, body?: unknown, headers: Record<string, string> = {}) {
  const [method = '', path = ''] = place.split(' ');
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  return on.send({ method, path, headers: { ...type, ...headers } }, body === undefined ? undefined : JSON.stringify(body));
}

describe('/api', () => {
  it('carries out what /rpc does, with the path, the query and the body as parameters', async () => {
    await using on = await openTestGateway({ hasPlatform: true });
    const made = await ask(on, 'POST /api/agents/coder/start', { tool_grants: ['state.*'], budgets: { tokens: 10 } });
    expect([made.status, made.headers['content-type'], JSON.parse(made.text)]).toMatchObject([201, 'application/json', { agent: 'coder' }]);
    const { pid } = JSON.parse(made.text) as { readonly pid: number };
    const found = await ask(on, 'GET /api/agents/coder/process');
    expect(JSON.parse(found.text)).toEqual((await on.call('agent.find', { agent: 'coder' })).result);
    const events = await ask(on, `GET /api/events?pid=${pid}&kind=kernel.process.created&limit=1`);
    expect([events.status, JSON.parse(events.text)]).toMatchObject([200, { events: [{ pid, kind: 'kernel.process.created' }] }]);
    const narrowed = await ask(on, `PATCH /api/processes/${pid}/grants`, { tool_grants: [] });
    expect([narrowed.status, JSON.parse(narrowed.text)]).toMatchObject([200, { grant: { pid, tool_grants: [] } }]);
    expect((await ask(on, `DELETE /api/processes/${pid}/taint`)).status).toBe(200);
    const old = await ask(on, 'POST /api/kernel/agent.get', { pid });
    expect(JSON.parse(old.text)).toEqual((await on.call('kernel.agent.get', { pid })).result);
  });

  it('the path wins over the body, and an earlier name of a parameter is taken', async () => {
    await using on = await openTestGateway({ hasPlatform: true });
    const made = await ask(on, 'POST /api/agents/coder/start', { agent: 'other', tool_grants: ['state.*'] });
    expect(JSON.parse(made.text)).toMatchObject({ agent: 'coder' });
    const found = await ask(on, 'GET /api/audit?capability=agent.start&since=1');
    expect(JSON.parse(found.text)).toMatchObject({
      entries: [
        { action: 'agent.start', input: { agent: 'coder' } },
        { action: 'agent.start', outcome: 'success' },
      ],
    });
  });

  it('makes no token with more rights than were meant, because a bound on it is misspelt', async () => {
    await using on = await openTestGateway();
    const before = (await on.call('token.list')).result;
    const attempts = [{ rol: 'viewer' }, { Role: 'viewer' }, { agent_name: 'ada' }, { principal: { kind: 'member', role: 'viewer' } }];
    for (const params of [...attempts, { role: 'viewer', expires: 1 }]) {
      const field = Object.keys(params).at(-1);
      const answer = await ask(on, 'POST /api/tokens', params);
      expect([answer.status, JSON.parse(answer.text)]).toMatchObject([400, { code: 'invalid_argument', details: { field } }]);
      const { error } = await on.call('token.create', params as object);
      expect(error?.data).toMatchObject({ fault: 'invalid_argument', field });
    }
    expect((await on.call('token.list')).result).toEqual(before);
    const query = await ask(on, 'GET /api/tokens?worksapce=acme&worksapce=b');
    expect([query.status, JSON.parse(query.text)]).toMatchObject([400, { code: 'invalid_argument', details: { field: 'worksapce' } }]);
    expect((await ask(on, 'POST /api/kernel/info', { newer: true })).status).not.toBe(400);
  });

  it('who is called as a path is called is found by the methods that the path has not', async () => {
    await using on = await openTestGateway();
    await on.call('person.create', { name: 'operator', role: 'viewer', passphrase: 'correct horse battery staple' });
    expect((await ask(on, 'PATCH /api/people/operator', { role: 'admin' })).status).toBe(200);
    const removed = await ask(on, 'DELETE /api/people/operator');
    expect([removed.status, (await on.call('person.list')).result]).toMatchObject([200, { people: [] }]);
    const refused = await ask(on, 'PUT /api/people/operator');
    expect([refused.status, refused.headers.allow]).toEqual([405, 'POST, PATCH, DELETE, OPTIONS']);
  });

  it('an escaped path is one name, also with a slash in it', async () => {
    await using on = await openTestGateway({ hasPlatform: true });
    const answer = await ask(on, 'GET /api/capabilities/a%2F..%2Fb%20%E2%82%AC');
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
      404,
      { code: 'not_found', detail: expect.stringContaining('a/../b €') },
    ]);
  });

  it.each([
    ['GET /api/nothing', 404, 'not_found'],
    ['GET /api/', 404, 'not_found'],
    ['GET /api/agents/', 404, 'not_found'],
    ['GET /api/agents/%', 404, 'not_found'],
    ['GET /api/agents/%ff', 404, 'not_found'],
    ['GET /api//agents', 404, 'not_found'],
    ['GET /api/capabilities/../status', 404, 'not_found'],
    ['PUT /api/agents', 405, 'unsupported'],
    ['GET /api/processes/x/tree', 400, 'invalid_argument'],
    ['GET /api/processes/7/tree', 404, 'unknown_pid'],
    ['GET /api/events?pid=one', 400, 'invalid_argument'],
    ['GET /api/events?pid=1&pid=2', 400, 'invalid_argument'],
    ['GET /api/accounts?account={', 400, 'invalid_argument'],
    ['GET /api/allow-rules?all=maybe', 400, 'invalid_argument'],
  ])('%s is a problem: %i %s', async (place, status, code) => {
    await using on = await openTestGateway({ hasPlatform: true });
    const answer = await ask(on, place);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    const problem = JSON.parse(answer.text);
    expect(problem).toMatchObject({ type: `urn:warren:fault:${code}`, title: expect.any(String), status, code, details: {} });
    expect([answer.status, problem.detail]).toEqual([status, expect.stringMatching(/^Cannot /)]);
  });

  it('says which methods a path has', async () => {
    await using on = await openTestGateway();
    const refused = await ask(on, 'DELETE /api/approvals');
    expect([refused.status, refused.headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS']);
    const options = await ask(on, 'OPTIONS /api/tokens');
    expect([options.status, options.headers.allow, options.text]).toEqual([204, 'POST, GET, HEAD, OPTIONS', '']);
  });

  it('answers HEAD as GET, without the body', async () => {
    await using on = await openTestGateway();
    const [head, get] = [await ask(on, 'HEAD /api/status'), await ask(on, 'GET /api/status')];
    expect([head.status, head.text]).toEqual([200, '']);
    expect(Number(head.headers['content-length'])).toBeGreaterThan(get.text.length / 2);
  });

  it('refuses bodies it cannot read', async () => {
    await using on = await openTestGateway({ limits: { bodyBytesMax: 100, depthMax: 5 } });
    const { port } = on;
    const token = await on.tokenFor({ kind: 'operator' });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const send = (body: string, type = 'application/json') =>
      on.send({ port, method: 'POST', path: '/api/tokens/operator', headers: { ...headers, 'content-type': type } }, body);
    expect((await send('{}', 'text/plain')).status).toBe(415);
    expect((await send('{}', 'application/x-www-form-urlencoded')).status).toBe(415);
    for (const text of ['{', '[]', 'null', '"x"', '\u0000']) {
      const answer = await send(text);
      expect([answer.status, JSON.parse(answer.text)]).toMatchObject([400, { code: 'invalid_argument' }]);
    }
    expect(JSON.parse((await send(`{"label":"${'x'.repeat(100)}"}`)).text)).toMatchObject({ status: 413, code: 'too_large' });
    expect(JSON.parse((await send('[[[[[[]]]]]]')).text)).toMatchObject({ status: 413, code: 'too_large' });
    expect((await send('')).status).toBe(201);
  });

  it('holds off pages of other origins, and whoever has no token or too little a role', async () => {
    await using on = await openTestGateway({ hasPlatform: true });
    const { port } = on;
    const token = await on.tokenFor(VIEWER);
    const of = async (path: string, headers: Record<string, string>, method = 'GET') => await on.send({ port, path, method, headers });
    const good = { authorization: `Bearer ${token}` };
    expect((await of('/api/agents', good)).status).toBe(200);
    expect((await of('/api/agents', { ...good, host: 'evil.example' })).status).toBe(403);
    expect((await of('/api/agents', { ...good, origin: 'https://evil.example' })).status).toBe(403);
    expect((await of('/api/agents', { ...good, origin: 'https://evil.example' }, 'OPTIONS')).status).toBe(403);
    const nobody = await of('/api/agents', {});
    expect([nobody.status, nobody.headers['www-authenticate'], JSON.parse(nobody.text)]).toMatchObject([
      ...[401, 'Bearer realm="warren"'],
      { code: 'unauthenticated' },
    ]);
    expect((await of('/api/agents?token=x', {})).status).toBe(401);
    const viewer = await of('/api/policy/reload', { ...good, 'content-type': 'application/json' }, 'POST');
    expect([viewer.status, JSON.parse(viewer.text)]).toMatchObject([403, { code: 'permission_denied' }]);
  });

  it('says when to come again', async () => {
    await using on = await openTestGateway({ limits: { callsMax: 0 } });
    const answer = await ask(on, 'GET /api/status');
    expect([answer.status, answer.headers['retry-after'], JSON.parse(answer.text)]).toMatchObject([503, '1', { code: 'busy' }]);
  });

  it('counts calls with those of /rpc', async () => {
    await using on = await openTestGateway();
    await ask(on, 'GET /api/status');
    await on.call('daemon.status');
    expect((await on.send({ path: '/metrics' })).text).toMatch(/operation="daemon\.status"[^\n]* 2\n/);
  });

  it('describes itself to whoever asks', async () => {
    await using on = await openTestGateway();
    const { port } = on;
    const answer = await on.send({ port, path: '/api/openapi.json' });
    expect([answer.status, answer.headers['content-type'], JSON.parse(answer.text)]).toMatchObject([
      ...[200, 'application/json'],
      { openapi: '3.1.0', paths: { '/api/agents': {} } },
    ]);
  });

  it('is healthy without a token', async () => {
    await using on = await openTestGateway();
    const { port } = on;
    expect(JSON.parse((await on.send({ port, path: '/api/health' })).text)).toEqual({ status: 'ok', version: '1.2.3' });
  });
});
