/** What attacks, breaks and floods get from the server of MCP: an answer, and nobody else notices. */
import type { JsonObject } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import type { McpOptions } from '../../http/served.ts';
import { openTestGateway, type TestGateway } from '../../test-support/open-test-gateway.ts';
import type { HostRequest, Outcome } from '../host.ts';
import { FixtureHost } from '../test-support/fixture-host.ts';
import { metaOf, RawClient, STATELESS } from '../test-support/raw-client.ts';

const CALL = { name: 'test_simple_text', arguments: {} };

/** A tool that says when it has begun, and ends when it is let or cancelled. */
function createGatedTool() {
  const begun = Promise.withResolvers<HostRequest>();
  const released = Promise.withResolvers<void>();
  const cancelled = Promise.withResolvers<void>();
  const act = async (_: JsonObject, request: HostRequest): Promise<Outcome> => {
    request.signal.addEventListener('abort', () => cancelled.resolve());
    begun.resolve(request);
    await Promise.race([released.promise, cancelled.promise]);
    return { kind: 'done', result: { content: [{ type: 'text', text: 'through' }] } };
  };
  return { begun: begun.promise, cancelled: cancelled.promise, release: () => released.resolve(), tool: { description: 'Waits', act } };
}

async function openFixture(
  mcp: McpOptions = {},
  host = new FixtureHost(),
  limits = {},
): Promise<TestGateway & { readonly host: FixtureHost }> {
  const on = await openTestGateway({ mcp: { openHost: async () => host, ...mcp }, limits });
  return Object.assign(on, { host });
}

describe('a session', () => {
  it('answers nobody but the caller that began it, and does not tell others that it is there', async () => {
    await using on = await openFixture();
    const tokens = [
      await on.tokenFor({ kind: 'operator' }),
      await on.tokenFor({ kind: 'operator' }),
      await on.tokenFor({ kind: 'member', workspace: on.kernel.workspace('default' as never).id, role: 'admin' }),
    ];
    const owner = new RawClient(on, { token: tokens[0] ?? '' });
    await owner.begin();
    const unknown = await owner.post(
      { jsonrpc: '2.0', id: 1, method: 'tools/list' },
      { ...owner.sessionHeaders(), 'mcp-session-id': 'x'.repeat(32) },
    );
    for (const thief of [new RawClient(on, { token: tokens[1] ?? '' }), new RawClient(on, { token: tokens[2] ?? '' }), new RawClient(on)]) {
      for (const body of [
        { jsonrpc: '2.0', id: 1, method: 'tools/list' },
        { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } },
        { jsonrpc: '2.0', id: 'warren-1', result: {} },
      ]) {
        const answer = await thief.post(body, owner.sessionHeaders());
        expect([answer.status, answer.text]).toEqual([unknown.status, unknown.text]);
      }
      using stream = await thief.open('GET', owner.sessionHeaders());
      expect(stream.status).toBe(404);
      using ended = await thief.open('GET', { ...owner.sessionHeaders(), 'last-event-id': '0-0' });
      expect(ended.status).toBe(404);
    }
    const deleted = await on.send({ method: 'DELETE', path: '/mcp', headers: owner.sessionHeaders() });
    expect(deleted.status).toBe(404);
    expect((await owner.request('tools/list')).status).toBe(200);
  });

  it('is over when it was ended, and another can begin', async () => {
    await using on = await openFixture();
    const client = new RawClient(on);
    await client.begin();
    expect((await on.send({ method: 'DELETE', path: '/mcp', headers: client.sessionHeaders() })).status).toBe(204);
    expect((await client.request('tools/list')).status).toBe(404);
    expect((await on.send({ method: 'DELETE', path: '/mcp', headers: client.sessionHeaders() })).status).toBe(404);
    await client.begin();
    expect((await client.request('tools/list')).status).toBe(200);
    expect(on.host.listeners).toBe(1);
  });

  it('makes room for another of the same caller by ending the one used least recently, never one in use, never one of others', async () => {
    const gate = createGatedTool();
    await using on = await openFixture({ limits: { sessionsPerCallerMax: 2 } }, new FixtureHost({ tools: { gated: gate.tool } }));
    const other = new RawClient(on, { token: await on.tokenFor({ kind: 'operator' }) });
    await other.begin();
    const [first, second, third, fourth] = Array.from({ length: 4 }, () => new RawClient(on)) as [
      RawClient,
      RawClient,
      RawClient,
      RawClient,
    ];
    await first.begin();
    const busy = first.request('tools/call', { name: 'gated', arguments: {} });
    await gate.begun;
    await second.begin();
    await third.begin();
    expect((await second.request('ping')).status).toBe(404);
    using _stream = await third.listen();
    const refused = await fourth.begin();
    expect([refused.status, refused.message.error?.data]).toEqual([503, { fault: 'busy' }]);
    gate.release();
    expect((await busy).message.result).toMatchObject({ content: [{ text: 'through' }] });
    expect((await other.request('ping')).status).toBe(200);
  });

  it('has so many requests under way and no more, and one of each id', async () => {
    const gate = createGatedTool();
    await using on = await openFixture({ limits: { requestsMax: 2 } }, new FixtureHost({ tools: { gated: gate.tool } }));
    const client = new RawClient(on);
    await client.begin();
    const held = [client.request('tools/call', { name: 'gated', arguments: {} }, 1)];
    await gate.begun;
    expect((await client.request('ping', {}, 1)).message).toMatchObject({ id: 1, error: { code: -32602 } });
    held.push(client.request('tools/call', { name: 'gated', arguments: {} }, 2));
    // The two are under way once a third is refused: until then it is answered.
    let third = await client.request('ping', {}, 3);
    while (third.message.error === undefined) third = await client.request('ping', {}, 3);
    expect(third.message.error).toMatchObject({ code: -32000, data: { fault: 'busy' } });
    gate.release();
    for (const answer of await Promise.all(held)) expect(answer.message.result).toBeDefined();
    expect((await client.request('ping')).message.result).toEqual({});
  });

  it('cancels what its client cancels, and answers it no more', async () => {
    const gate = createGatedTool();
    await using on = await openFixture({}, new FixtureHost({ tools: { gated: gate.tool } }));
    const client = new RawClient(on);
    await client.begin();
    const held = client.request('tools/call', { name: 'gated', arguments: {} }, 7);
    await gate.begun;
    for (const requestId of [null, {}, 'unknown', 8])
      expect((await client.notify('notifications/cancelled', { requestId })).status).toBe(202);
    await client.notify('notifications/cancelled', { requestId: 7 });
    await gate.cancelled;
    expect((await held).messages.filter(({ id }) => id === 7)).toEqual([]);
  });
});

describe('a stream', () => {
  it('that broke is resumed after the event that was seen, and only where there is one', async () => {
    const gate = createGatedTool();
    const told = {
      ...gate.tool,
      act: async (args: JsonObject, request: HostRequest) => {
        request.progress(1);
        request.progress(2);
        return await gate.tool.act(args, request);
      },
    };
    await using on = await openFixture({}, new FixtureHost({ tools: { told } }));
    const client = new RawClient(on);
    await client.begin();
    const params = { name: 'told', arguments: {}, _meta: { progressToken: 'p' } };
    const broken = await client.open('POST', client.sessionHeaders(), { jsonrpc: '2.0', id: 5, method: 'tools/call', params });
    const { id: seen = '', message } = await broken.next();
    expect(message).toMatchObject({ method: 'notifications/progress', params: { progressToken: 'p', progress: 1 } });
    broken[Symbol.dispose]();
    const request = await gate.begun;
    gate.release();
    for (const unknown of ['', '0', 'x-1', `${seen}x`, '999-1', '../0-1', '1--1']) {
      using refused = await client.listen({ 'last-event-id': unknown });
      expect([unknown, refused.status]).toEqual([unknown, 400]);
    }
    using resumed = await client.listen({ 'last-event-id': seen });
    expect((await resumed.next()).message).toMatchObject({ params: { progress: 2 } });
    expect((await resumed.next()).message).toMatchObject({ id: 5, result: { content: [{ text: 'through' }] } });
    expect(request.signal.aborted).toBe(false);
  });

  it('of the version without sessions cancels its request when it breaks', async () => {
    const gate = createGatedTool();
    const told = {
      ...gate.tool,
      act: async (args: JsonObject, request: HostRequest) => {
        request.progress(1);
        return await gate.tool.act(args, request);
      },
    };
    await using on = await openFixture({}, new FixtureHost({ tools: { told } }));
    const client = new RawClient(on);
    const headers = { 'mcp-protocol-version': STATELESS, 'mcp-method': 'tools/call', 'mcp-name': 'told' };
    const params = { name: 'told', arguments: {}, _meta: metaOf({}, { progressToken: 'p' }) };
    const broken = await client.open('POST', headers, { jsonrpc: '2.0', id: 1, method: 'tools/call', params });
    expect((await broken.next()).message).toMatchObject({ method: 'notifications/progress' });
    await gate.begun;
    broken[Symbol.dispose]();
    await gate.cancelled;
  });

  it('that nobody reads does not grow what is kept for it', async () => {
    await using on = await openFixture({ limits: { subscriptionsMax: 10 } });
    const client = new RawClient(on);
    await client.begin();
    using stuck = await client.listen();
    stuck.response.pause();
    for (let index = 0; index < 10; index++) await client.request('resources/subscribe', { uri: `test://${index}` });
    const before = process.memoryUsage().heapUsed;
    for (let round = 0; round < 20_000; round++) {
      on.host.change({ kind: 'tools' });
      on.host.change({ kind: 'resource', uri: `test://${round % 20}` });
    }
    await client.request('ping');
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(16 * 2 ** 20);
    expect((await client.request('resources/subscribe', { uri: 'test://one-more' })).message.error?.code).toBe(-32602);
  });

  it('keeps so many events for who comes back, and forgets older ones', async () => {
    const gate = createGatedTool();
    const chatty = {
      ...gate.tool,
      act: async (args: JsonObject, request: HostRequest) => {
        for (let index = 1; index <= 100; index++) request.progress(index);
        return await gate.tool.act(args, request);
      },
    };
    await using on = await openFixture({ limits: { keptEventsMax: 10 } }, new FixtureHost({ tools: { chatty } }));
    const client = new RawClient(on);
    await client.begin();
    const params = { name: 'chatty', arguments: {}, _meta: { progressToken: 1 } };
    const first = await client.open('POST', client.sessionHeaders(), { jsonrpc: '2.0', id: 5, method: 'tools/call', params });
    const { id = '' } = await first.next();
    first[Symbol.dispose]();
    await gate.begun;
    using resumed = await client.listen({ 'last-event-id': id });
    expect((await resumed.next()).message.params?.['progress']).toBe(91);
    gate.release();
  });
});

describe('a token that is taken back', () => {
  it('in the middle of a call cancels it, and nobody learns what came of it', async () => {
    for (const era of ['session', 'stateless'] as const) {
      const gate = createGatedTool();
      const host = new FixtureHost({ tools: { gated: gate.tool } });
      await using on = await openFixture({ limits: { streamAfterMs: 1_100 } }, host, { heartbeatMs: 50 });
      const { token, record } = await on.kernel.tokens.create({ kind: 'operator' });
      const client = new RawClient(on, { token });
      if (era === 'session') await client.begin();
      const call = { name: 'gated', arguments: {} };
      const held = era === 'session' ? client.request('tools/call', call) : client.ask('tools/call', call);
      await gate.begun;
      await on.kernel.tokens.revoke(record.id);
      await gate.cancelled;
      const answer = await held;
      expect(answer.text).not.toContain('through');
      expect((await client.request('ping')).status).toBe(401);
    }
  });
});

describe('a request state', () => {
  const NAME = 'test_input_required_result_tampered_state';
  const ELICITS = { elicitation: {} };

  it('is refused when it was changed, is another caller’s, or of another request', async () => {
    await using on = await openFixture();
    const client = new RawClient(on, { token: await on.tokenFor({ kind: 'operator' }) });
    const thief = new RawClient(on, { token: await on.tokenFor({ kind: 'operator' }) });
    const first = await client.ask('tools/call', { name: NAME, arguments: { a: 1, b: 2 } }, ELICITS);
    const requestState = String(first.message.result?.['requestState']);
    const inputResponses = { confirm: { action: 'accept', content: { ok: true } } };
    const retry = { name: NAME, arguments: { b: 2, a: 1 }, inputResponses };
    const changed = [...requestState].map(
      (letter, at) => requestState.slice(0, at) + (letter === 'A' ? 'B' : 'A') + requestState.slice(at + 1),
    );
    const others = ['', 'x', `${requestState}A`, requestState.slice(0, -1), `${requestState}=`, ` ${requestState}`, 'A'.repeat(100_000)];
    for (const state of [...changed.filter((each) => each !== requestState), ...others]) {
      const answer = await client.ask('tools/call', { ...retry, requestState: state }, ELICITS);
      expect([state, answer.message.error?.code]).toEqual([state, -32602]);
    }
    for (const state of [1, null, {}, [requestState]]) {
      expect((await client.ask('tools/call', { ...retry, requestState: state as never }, ELICITS)).message.error?.code).toBe(-32602);
    }
    const elsewhere = [
      await thief.ask('tools/call', { ...retry, requestState }, ELICITS),
      await client.ask('tools/call', { ...retry, requestState, arguments: { a: 1, b: 3 } }, ELICITS),
      await client.ask('tools/call', { ...retry, requestState, name: 'test_input_required_result_request_state' }, ELICITS),
      await client.ask('prompts/get', { ...retry, requestState }, ELICITS),
      await client.ask('tools/call', { ...retry, requestState }, ELICITS, { 'warren-agent': 'another' }),
    ];
    for (const answer of elsewhere) expect(answer.message.error?.code).toBe(-32602);
    expect((await client.ask('tools/call', { ...retry, requestState }, ELICITS)).message.result).toMatchObject({ resultType: 'complete' });
  });
});

describe('a message that is none', () => {
  it('is refused with what is wrong, and the next is answered', async () => {
    await using on = await openFixture();
    const client = new RawClient(on);
    await client.begin();
    const headers = client.sessionHeaders();
    for (const [body, status, code] of [
      ['', 400, -32700],
      ['{', 400, -32700],
      ['null', 400, -32600],
      ['[]', 400, -32600],
      ['{"jsonrpc":"2.0"}', 400, -32600],
      ['{"jsonrpc":"1.0","id":1,"method":"ping"}', 400, -32600],
      ['{"jsonrpc":"2.0","id":null,"method":"ping"}', 400, -32600],
      ['{"jsonrpc":"2.0","id":{},"method":"ping"}', 400, -32600],
      ['{"jsonrpc":"2.0","id":1,"method":5}', 400, -32600],
      ['{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', 400, -32602],
      [`{"jsonrpc":"2.0","id":"${'x'.repeat(5_000)}","method":"ping"}`, 400, -32600],
      [
        `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":${'['.repeat(200)}${']'.repeat(200)}}}`,
        400,
        -32009,
      ],
      ['{"jsonrpc":"2.0","id":1,"method":"tools/call"}', 200, -32602],
      ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"__proto__"}}', 200, -32602],
      ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"test_simple_text","arguments":[]}}', 200, -32602],
      ['{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":5}}', 200, -32602],
      ['{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"nowhere"}}', 200, -32602],
      ['{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"test://nowhere"}}', 200, -32002],
      ['{"jsonrpc":"2.0","id":1,"method":"toString"}', 200, -32601],
      ['{"jsonrpc":"2.0","id":1,"method":"server/frobnicate"}', 200, -32601],
      ['{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"loud"}}', 200, -32602],
    ] as const) {
      const answer = await client.post(body, headers);
      expect([body.slice(0, 100), answer.status, answer.message.error?.code]).toEqual([body.slice(0, 100), status, code]);
    }
    expect((await client.request('ping')).message.result).toEqual({});
    expect(on.logged.filter((line) => line.includes('A request of MCP failed'))).toEqual([]);
  });

  it('that is too large is refused unread', async () => {
    await using on = await openFixture({}, new FixtureHost(), { bodyBytesMax: 10_000 });
    const client = new RawClient(on);
    await client.begin();
    expect((await client.post(' '.repeat(10_001), client.sessionHeaders())).status).toBe(413);
    expect((await client.request('ping')).status).toBe(200);
  });

  it('of a type that a form can send is refused', async () => {
    await using on = await openFixture();
    const headers = { authorization: `Bearer ${await on.tokenFor({ kind: 'operator' })}`, 'content-type': 'text/plain' };
    const answer = await on.send({ method: 'POST', path: '/mcp', port: on.port, headers }, '{}');
    expect(answer.status).toBe(415);
  });

  it('with a progress token that is none is refused; with one it is told only what grows', async () => {
    const jumps = {
      description: 'Jumps',
      act: async (_: JsonObject, request: HostRequest): Promise<Outcome> => {
        for (const progress of [1, 1, 0, Number.NaN, 2, 1.5, 3]) request.progress(progress);
        return { kind: 'done', result: { content: [] } };
      },
    };
    await using on = await openFixture({}, new FixtureHost({ tools: { jumps } }));
    const client = new RawClient(on);
    await client.begin();
    for (const progressToken of [{}, [], null, true, 'x'.repeat(5_000)]) {
      const answer = await client.request('tools/call', { name: 'jumps', arguments: {}, _meta: { progressToken } as never });
      expect(answer.message.error?.code).toBe(-32602);
    }
    const { messages } = await client.request('tools/call', { name: 'jumps', arguments: {}, _meta: { progressToken: 0 } });
    expect(messages.map(({ params }) => params?.['progress'])).toEqual([1, 2, 3, undefined]);
  });

  it('in a batch is answered where the version has batches, and refused elsewhere', async () => {
    await using on = await openFixture();
    const client = new RawClient(on);
    const batch = [
      { jsonrpc: '2.0', id: 'a', method: 'ping' },
      { jsonrpc: '2.0', method: 'notifications/progress', params: {} },
      { jsonrpc: '2.0', id: 'b', method: 'nothing' },
      5,
    ];
    const refused = [400, { id: null, error: { code: -32600, data: { fault: 'unsupported', supported: ['2025-03-26'] } } }];
    await client.begin('2025-11-25');
    for (const headers of [client.sessionHeaders(), { 'mcp-session-id': client.session }, { 'mcp-protocol-version': '2026-07-28' }]) {
      const { status, message } = await client.post(batch, headers);
      expect([headers, status, message]).toMatchObject([headers, ...refused]);
    }
    await client.begin('2025-03-26');
    const none = await client.post([], { 'mcp-session-id': client.session });
    expect([none.status, none.message.error]).toMatchObject([400, { code: -32600, data: { fault: 'invalid_argument' } }]);
    const answer = await client.post(batch, { 'mcp-session-id': client.session });
    expect(answer.messages.map(({ id, error }) => [id, error?.code])).toEqual([
      ['a', undefined],
      ['b', -32601],
      [null, -32600],
    ]);
    expect(
      (
        await client.post(
          Array.from({ length: 101 }, () => batch[0]),
          { 'mcp-session-id': client.session },
        )
      ).status,
    ).toBe(400);
    expect((await client.post([batch[1]], { 'mcp-session-id': client.session })).status).toBe(202);
  });
});

describe('versions', () => {
  it('are agreed on: the one that was asked for, or the newest with sessions', async () => {
    await using on = await openFixture();
    for (const [asked, got] of [
      ['2025-11-25', '2025-11-25'],
      ['2025-06-18', '2025-06-18'],
      ['2025-03-26', '2025-03-26'],
      ['2024-11-05', '2024-11-05'],
      ['2026-07-28', '2025-11-25'],
      ['1999-01-01', '2025-11-25'],
    ] as const) {
      const { message } = await new RawClient(on).begin(asked);
      expect([asked, message.result?.['protocolVersion']]).toEqual([asked, got]);
    }
    const broken = await new RawClient(on).post({ jsonrpc: '2.0', id: 1, method: 'initialize', params: {} });
    expect([broken.status, broken.message.error?.code]).toEqual([400, -32602]);
  });

  it('that are not spoken are refused with those that are', async () => {
    await using on = await openFixture();
    const client = new RawClient(on);
    await client.begin();
    const later = await client.post(
      { jsonrpc: '2.0', id: 1, method: 'ping' },
      { ...client.sessionHeaders(), 'mcp-protocol-version': '2099-01-01' },
    );
    expect([later.status, later.message.error]).toMatchObject([
      400,
      {
        code: -32022,
        message: expect.stringContaining('spoken are 2026-07-28, 2025-11-25, 2025-06-18, 2025-03-26, 2024-11-05'),
        data: { supported: ['2026-07-28'], requested: '2099-01-01' },
      },
    ]);
    const none = await client.post({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    expect(none.status).toBe(400);
    const stateless = await on.send({ path: '/mcp', headers: { accept: 'text/event-stream', 'mcp-protocol-version': '2026-07-28' } });
    expect([stateless.status, stateless.headers.allow]).toEqual([405, 'POST']);
  });

  it('without sessions: headers and body say the same, or it is refused', async () => {
    await using on = await openFixture();
    const client = new RawClient(on);
    for (const headers of [
      { 'mcp-method': 'tools/list' },
      { 'mcp-method': 'TOOLS/CALL' },
      { 'mcp-name': 'test_image_content' },
      { 'mcp-name': '=?base64?dGVzdF9pbWFnZV9jb250ZW50?=' },
      { 'mcp-name': '=?base64?dGVzdF9zaW1wbGVfdGV4dA?=' },
      { 'mcp-name': '=?base64?/w==?=' },
      { 'mcp-protocol-version': '2025-11-25' },
    ]) {
      const answer = await client.ask('tools/call', CALL, {}, headers);
      expect([headers, answer.status, answer.message.error?.code]).toEqual([headers, 400, -32020]);
    }
    const encoded = await client.ask('tools/call', CALL, {}, { 'mcp-name': '=?base64?dGVzdF9zaW1wbGVfdGV4dA==?=' });
    expect(encoded.status).toBe(200);
    const params = { name: 'test_x_mcp_header', arguments: { region: 'a', count: 42, dry: true } };
    const all = { 'mcp-param-region': 'a', 'mcp-param-count': '42.0', 'mcp-param-dry': 'true' };
    expect((await client.ask('tools/call', params, {}, all)).status).toBe(200);
    for (const wrong of [
      { 'mcp-param-region': 'b' },
      { 'mcp-param-count': '43' },
      { 'mcp-param-count': '' },
      { 'mcp-param-dry': 'True' },
    ]) {
      expect((await client.ask('tools/call', params, {}, { ...all, ...wrong })).message.error?.code).toBe(-32020);
    }
    const absent = await client.ask('tools/call', { ...params, arguments: {} }, {}, { 'mcp-param-region': 'a' });
    expect(absent.message.error?.code).toBe(-32020);
  });
});

it('a flood of notifications and answers that nobody asked for is taken and forgotten', async () => {
  await using on = await openFixture();
  const client = new RawClient(on);
  await client.begin();
  for (let round = 0; round < 50; round++) {
    const answers = await Promise.all([
      ...Array.from({ length: 10 }, () => client.notify('notifications/roots/list_changed')),
      ...Array.from({ length: 10 }, (_, index) =>
        client.post({ jsonrpc: '2.0', id: `warren-${index}`, result: {} }, client.sessionHeaders()),
      ),
    ]);
    expect(answers.every(({ status }) => status === 202)).toBe(true);
  }
  expect((await client.request('ping')).message.result).toEqual({});
});

it('what fails inside is told by an id that finds the line of the log, and by nothing else', async () => {
  const broken = {
    description: 'Fails',
    act: (): never => {
      throw new Error('secret detail');
    },
  };
  await using on = await openFixture({}, new FixtureHost({ tools: { broken } }));
  const client = new RawClient(on);
  await client.begin();
  const { text, message } = await client.request('tools/call', { name: 'broken', arguments: {} });
  expect(text).not.toContain('secret');
  expect(message.error?.code).toBe(-32603);
  expect(on.logged.find((line) => line.includes(String(message.error?.data?.['error_id'])))).toContain('secret detail');
});
