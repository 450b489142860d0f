/** MCP over a WebSocket: one connection of messages, both eras on it. */
import { once } from 'node:events';
import type { JsonObject } from '@warren/protocol';
import { heldBytes } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { McpOptions } from '../../http/served.ts';
import { openTestGateway, type TestGateway } from '../../test-support/open-test-gateway.ts';
import type { HostRequest, Outcome } from '../host.ts';
import { FixtureHost } from '../test-support/fixture-host.ts';
import { type McpReply, metaOf } from '../test-support/raw-client.ts';

class Socket implements Disposable {
  readonly socket: WebSocket;
  readonly #messages: McpReply[] = [];
  #wake = (): void => {};

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      this.#messages.push(JSON.parse(data.toString('utf8')) as McpReply);
      this.#wake();
    });
    socket.on('error', () => {}); // Being cut off is what some tests are for.
  }

  static async open(on: TestGateway, path = '/mcp', protocols: string[] = ['mcp'], token?: string): Promise<Socket> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const socket = new Socket(new WebSocket(`ws://127.0.0.1:${on.port}${path}`, protocols, { headers }));
    await once(socket.socket, 'open');
    return socket;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  request(id: number | string, method: string, params: JsonObject = {}): void {
    this.send({ jsonrpc: '2.0', id, method, params });
  }

  async next(): Promise<McpReply> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async begin(version = '2025-11-25'): Promise<void> {
    this.request(0, 'initialize', { protocolVersion: version, capabilities: {}, clientInfo: { name: 'socket', version: '1' } });
    expect(await this.next()).toMatchObject({ id: 0, result: { serverInfo: { name: 'fixture' } } });
    this.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}

async function openFixture(mcp: McpOptions = {}, host = new FixtureHost(), limits = {}) {
  const on = await openTestGateway({ mcp: { openHost: async () => host, ...mcp }, limits });
  return Object.assign(on, { host, token: await on.tokenFor({ kind: 'operator' }) });
}

describe('a connection of messages', () => {
  it('is at /mcp, and at the root for who asks for the subprotocol', async () => {
    await using on = await openFixture();
    using first = await Socket.open(on, '/mcp', ['mcp'], on.token);
    expect(first.socket.protocol).toBe('mcp');
    using bare = await Socket.open(on, '/mcp', [], on.token);
    using root = await Socket.open(on, '/', ['other', 'mcp'], on.token);
    expect(root.socket.protocol).toBe('mcp');
    for (const socket of [first, bare, root]) await socket.begin();
    await expect(Socket.open(on, '/', ['other'], on.token)).rejects.toThrow(/404/);
    await expect(Socket.open(on, '/mcp', ['mcp'])).rejects.toThrow(/401/);
    await expect(Socket.open(on, '/mcp', ['mcp'], 'wrong')).rejects.toThrow(/401/);
  });

  it('begins once, answers nothing before, and speaks both eras at the same time', async () => {
    await using on = await openFixture();
    using socket = await Socket.open(on, '/mcp', ['mcp'], on.token);
    socket.request(1, 'tools/list');
    expect((await socket.next()).error).toMatchObject({ code: -32000, message: expect.stringContaining('not initialized') });
    await socket.begin();
    socket.request(0, 'initialize', { protocolVersion: '2025-11-25', capabilities: {} });
    expect((await socket.next()).error?.code).toBe(-32602);
    socket.request(2, 'server/discover');
    expect((await socket.next()).error?.code).toBe(-32602);
    socket.request(3, 'server/discover', { _meta: metaOf() });
    expect((await socket.next()).result).toMatchObject({ resultType: 'complete', supportedVersions: ['2026-07-28'] });
    socket.request(4, 'tools/call', { name: 'test_simple_text', arguments: {} });
    expect((await socket.next()).result).not.toHaveProperty('resultType');
    socket.request(5, 'ping', { _meta: metaOf() });
    expect((await socket.next()).error?.code).toBe(-32601);
    for (const bad of ['{', '5', '[]', '{"jsonrpc":"2.0","id":null,"method":"ping"}']) {
      socket.send(bad);
      expect((await socket.next()).error).toBeDefined();
    }
    socket.request(6, 'ping');
    expect(await socket.next()).toMatchObject({ id: 6, result: {} });
  });

  it('takes a batch in the version that has them, and refuses it in both eras otherwise', async () => {
    await using on = await openFixture();
    const batch = [
      { jsonrpc: '2.0', id: 1, method: 'ping' },
      { jsonrpc: '2.0', id: 2, method: 'tools/list', params: { _meta: metaOf() } },
    ];
    const refused = { id: null, error: { code: -32600, data: { fault: 'unsupported', supported: ['2025-03-26'] } } };
    for (const version of [undefined, '2025-11-25']) {
      using socket = await Socket.open(on, '/mcp', ['mcp'], on.token);
      if (version !== undefined) await socket.begin(version);
      socket.send(batch);
      expect(await socket.next()).toMatchObject(refused);
      socket.request(3, 'ping');
      expect(await socket.next()).toEqual({ jsonrpc: '2.0', id: 3, result: {} });
    }
    using socket = await Socket.open(on, '/mcp', ['mcp'], on.token);
    await socket.begin('2025-03-26');
    socket.send([batch[0], { ...batch[0], id: 4 }]);
    expect(await socket.next()).toMatchObject([{ id: 1 }, { id: 4 }]);
  });

  it('tells who listens of what it asked for, under the id of its request, until it is cancelled or the daemon stops', async () => {
    await using on = await openFixture();
    using socket = await Socket.open(on, '/mcp', ['mcp'], on.token);
    const listen = (id: number, notifications: JsonObject): void =>
      socket.request(id, 'subscriptions/listen', { _meta: metaOf(), notifications });
    const idOf = ({ params }: McpReply): unknown => ((params?.['_meta'] ?? {}) as JsonObject)['io.modelcontextprotocol/subscriptionId']; // As the protocol has it.
    listen(1, { toolsListChanged: true, unknown: true });
    expect(await socket.next()).toMatchObject({
      method: 'notifications/subscriptions/acknowledged',
      params: { notifications: { toolsListChanged: true } },
    });
    listen(2, { promptsListChanged: true, resourceSubscriptions: ['test://a'] });
    await socket.next();
    on.host.change({ kind: 'resource', uri: 'test://b' });
    on.host.change({ kind: 'resource', uri: 'test://a' });
    const updated = await socket.next();
    expect([updated.method, updated.params?.['uri'], idOf(updated)]).toEqual(['notifications/resources/updated', 'test://a', 2]);
    on.host.change({ kind: 'tools' });
    expect(idOf(await socket.next())).toBe(1);
    socket.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } });
    listen(3, { toolsListChanged: 'yes', resourceSubscriptions: Array.from({ length: 101 }, () => 'x') });
    expect((await socket.next()).error?.code).toBe(-32602);
    on.host.change({ kind: 'prompts' });
    on.host.change({ kind: 'tools' });
    expect(idOf(await socket.next())).toBe(1);
    const closing = on.served.close();
    expect(await socket.next()).toMatchObject({ id: 1, result: { resultType: 'complete' } });
    await closing;
    expect(on.host.listeners).toBe(0);
  });

  it('cancels what is under way when it is asked to, and when it breaks', async () => {
    const cancelled: PromiseWithResolvers<void>[] = [];
    const begun: PromiseWithResolvers<void>[] = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
    const act = async (_: JsonObject, { signal }: HostRequest): Promise<Outcome> => {
      const over = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => over.resolve());
      cancelled.push(over);
      begun[cancelled.length - 1]?.resolve();
      await over.promise;
      return { kind: 'done', result: { content: [] } };
    };
    await using on = await openFixture({}, new FixtureHost({ tools: { waits: { description: 'Waits', act } } }));
    using socket = await Socket.open(on, '/mcp', ['mcp'], on.token);
    await socket.begin();
    const call = { name: 'waits', arguments: {} };
    socket.request(1, 'tools/call', call);
    await begun[0]?.promise;
    socket.request(2, 'tools/call', { ...call, _meta: metaOf() });
    await begun[1]?.promise;
    for (const requestId of [1, 2]) socket.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } });
    await Promise.all(cancelled.map(({ promise }) => promise));
    socket.request(3, 'ping');
    // What was cancelled is not answered.
    expect(await socket.next()).toMatchObject({ id: 3 });
    socket.request(4, 'tools/call', call);
    await begun[2]?.promise;
    socket.socket.terminate();
    await cancelled[2]?.promise;
  });

  it('is closed when its token is taken back', async () => {
    await using on = await openFixture({}, new FixtureHost(), { heartbeatMs: 200 });
    const { token, record } = await on.kernel.tokens.create({ kind: 'operator' });
    using socket = await Socket.open(on, '/mcp', ['mcp'], token);
    await socket.begin();
    await on.kernel.tokens.revoke(record.id);
    const [code] = await once(socket.socket, 'close');
    expect(code).toBe(1008);
  });

  it('of who sends more than it may is read more slowly, and everything is answered', async () => {
    await using on = await openFixture({}, new FixtureHost(), { requestsPerSecond: 100, requestsAtOnce: 5 });
    using socket = await Socket.open(on, '/mcp', ['mcp'], on.token);
    const startedAt = performance.now();
    for (let id = 1; id <= 30; id++) socket.request(id, 'ping');
    const ids = new Set<unknown>();
    for (let id = 1; id <= 30; id++) ids.add((await socket.next()).id);
    expect(ids.size).toBe(30);
    // Five at once, then one every ten milliseconds.
    expect(performance.now() - startedAt).toBeGreaterThan(200);
  });

  it('that takes nothing is sent no more than so much, is not read, and others go on', async () => {
    const floods = {
      description: 'Tells a lot',
      act: (_: JsonObject, request: HostRequest): Outcome => {
        for (let index = 1; index <= 20_000; index++) request.progress(index, 20_000, 'x'.repeat(1_000));
        return { kind: 'done', result: { content: [] } };
      },
    };
    await using on = await openFixture({}, new FixtureHost({ tools: { floods } }));
    using stuck = await Socket.open(on, '/mcp', ['mcp'], on.token);
    await stuck.begin();
    stuck.socket.pause();
    const before = heldBytes();
    for (let id = 1; id <= 50; id++) stuck.request(id, 'tools/call', { name: 'floods', arguments: {}, _meta: { progressToken: id } });
    using other = await Socket.open(on, '/mcp', ['mcp'], on.token);
    await other.begin();
    for (let id = 1; id <= 20; id++) {
      other.request(id, 'ping');
      await other.next();
    }
    expect(heldBytes() - before).toBeLessThan(64 * 2 ** 20);
  });
});
