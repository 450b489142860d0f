import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { openTestGateway, type TestGateway } from '../test-support/open-test-gateway.ts';
import { openRaw } from '../test-support/raw-connection.ts';

type Conversation = Disposable & {
  readonly socket: WebSocket;
  send(text: string | Buffer): void;
  /** Resolves with the next answers, parsed, when there are so many. */
  take(count: number): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Resolves with the code it was closed with. */
  closed(): Promise<number>;
};

async function converse(on: TestGateway, options: ClientOptions = {}, address = `ws+unix:${on.socketPath}:/rpc`): Promise<Conversation> {
  const socket = new WebSocket(address, options);
  const answers: string[] = [];
  let code: number | undefined;
  let wake = (): void => {};
  socket.on('message', (data) => {
    answers.push(String(data));
    wake();
  });
  socket.on('close', (closedWith) => {
    code = closedWith;
    wake();
  });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('unexpected-response', (_request, response) => reject(new Error(`HTTP ${response.statusCode}`)));
    socket.on('error', reject);
  });
  const until = (isThere: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      wake = () => {
        if (isThere()) resolve();
        else if (code !== undefined) reject(new Error(`Closed with ${code}`));
      };
      wake();
    });
  return {
    socket,
    send: (text) => socket.send(text),
    async take(count) {
      await until(() => answers.length >= count);
      return answers.splice(0, count).map((text) => JSON.parse(text));
    },
    async closed() {
      await until(() => code !== undefined);
      return code ?? 0;
    },
    [Symbol.dispose]: () => socket.terminate(),
  };
}

const call = (id: unknown, method: string, params: object = {}): string => JSON.stringify({ jsonrpc: '2.0', id, method, params });
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;
const WAIT = { worker_id: 'w', wait_ms: 60_000 };

describe('a WebSocket', () => {
  it('answers requests, batches and faults, and not notifications', async () => {
    await using on = await openTestGateway();
    using talk = await converse(on);
    talk.send(call(1, 'kernel.agent.create', { name: 'a', template: 't' }));
    expect(await talk.take(1)).toEqual([{ jsonrpc: '2.0', id: 1, result: { pid: 1, state: 'READY' } }]);
    talk.send('{"jsonrpc":"2.0","method":"kernel.agent.create","params":{"name":"b","template":"t"}}');
    talk.send(`[${call('x', 'kernel.info')},${call('y', 'kernel.agent.get', { pid: 9 })}]`);
    const [batch] = await talk.take(1);
    expect(batch).toMatchObject([{ id: 'x' }, { id: 'y', error: { code: -32102, data: { fault: 'unknown_pid' } } }]);
    talk.send(Buffer.from('{'));
    expect(await talk.take(1)).toMatchObject([{ id: null, error: { code: -32700 } }]);
  });

  it('answers who is done first first', async () => {
    await using on = await openTestGateway();
    using talk = await converse(on);
    talk.send(call('waits', 'queue.claim', WAIT));
    talk.send(call('quick', 'kernel.info'));
    expect(await talk.take(1)).toMatchObject([{ id: 'quick' }]);
    talk.send(call('pid', 'kernel.agent.create', { name: 'a', template: 't' }));
    talk.send(call('work', 'queue.enqueue', { pid: 1 }));
    expect(new Set((await talk.take(3)).map(({ id }) => id))).toEqual(new Set(['pid', 'work', 'waits']));
  });

  it('that closes ends what waited for it', async () => {
    await using on = await openTestGateway();
    const talk = await converse(on);
    talk.send(call('waits', 'queue.claim', WAIT));
    talk.send(call('quick', 'kernel.info'));
    await talk.take(1);
    talk[Symbol.dispose]();
    const metrics = async () => (await on.send({ path: '/metrics' })).text;
    while (!/^warren_operations_running 0$/m.test(await metrics()));
    const { result } = await on.call('kernel.agent.create', { name: 'a', template: 't' });
    await on.call('queue.enqueue', { pid: result?.['pid'] });
    expect(await on.call('queue.claim', { worker_id: 'w' })).toMatchObject({ result: { claims: [{ entry: { attempts: 1 } }] } });
  });

  it('speaks for the token it was opened with, until that is revoked', async () => {
    await using on = await openTestGateway();
    const { token, record } = await on.kernel.tokens.create({ kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'admin' });
    using talk = await converse(on, { headers: { authorization: `Bearer ${token}` } }, `ws://127.0.0.1:${on.port}/rpc`);
    talk.send(call(1, 'daemon.status'));
    expect(await talk.take(1)).toMatchObject([{ error: { code: -32005 } }]);
    await on.kernel.tokens.revoke(record.id);
    const ask = (): void => {
      if (talk.socket.readyState !== WebSocket.OPEN) return;
      talk.send(call(2, 'kernel.info'));
      setImmediate(ask);
    };
    ask();
    expect(await talk.closed()).toBe(1008);
  });
});

describe('opening a WebSocket', () => {
  it('needs over TCP what a request needs', async () => {
    await using on = await openTestGateway();
    const authorization = `Bearer ${await on.tokenFor({ kind: 'operator' })}`;
    const address = `ws://127.0.0.1:${on.port}/rpc`;
    for (const [options, status] of [
      [{}, 401],
      [{ headers: { authorization: 'Bearer wrong' } }, 401],
      [{ headers: { authorization }, origin: 'http://evil.example' }, 403],
      [{ headers: { authorization, host: 'evil.example' } }, 403],
    ] as const) {
      await expect(converse(on, options, address)).rejects.toThrow(`HTTP ${status}`);
    }
    await expect(converse(on, {}, `ws+unix:${on.socketPath}:/nowhere`)).rejects.toThrow('HTTP 404');
    using talk = await converse(on, { headers: { authorization }, origin: `http://127.0.0.1:${on.port}` }, address);
    talk.send(call(1, 'daemon.status'));
    expect(await talk.take(1)).toMatchObject([{ result: { version: '1.2.3' } }]);
  });

  it('is refused beyond the limit, until others close', async () => {
    await using on = await openTestGateway({ limits: { socketsMax: 1 } });
    const first = await converse(on);
    await expect(converse(on)).rejects.toThrow('HTTP 503');
    first.socket.close();
    await first.closed();
    let isOpen = false;
    while (!isOpen) {
      isOpen = await converse(on).then(
        (talk) => {
          talk[Symbol.dispose]();
          return true;
        },
        () => false,
      );
    }
  });

  it('in a malformed way is refused, and other upgrades are not taken', async () => {
    await using on = await openTestGateway();
    using broken = await openRaw({ path: on.socketPath });
    broken.send('GET /rpc HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: no\r\n\r\n');
    expect(await broken.closed()).toMatch(/^HTTP\/1.1 4\d\d /);
    using other = await openRaw({ path: on.socketPath });
    other.send('GET /health HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n');
    expect(await other.until('"status":"ok"')).toMatch(/^HTTP\/1.1 200 /);
  });
});

describe('an agent that sends many calls at once', () => {
  it('gets all of them done: none that waits for nobody takes a place of those that wait', async () => {
    await using on = await openTestGateway({ hasPlatform: true, limits: { waitsPerProcessMax: 1 } });
    const { result } = await on.call('agent.start', { agent: 'ada', tool_grants: ['*'] });
    const pid = Number(result?.['pid']);
    const token = await on.tokenFor({ kind: 'process', workspace: DEFAULT_WORKSPACE, pid });
    using talk = await converse(on, { headers: { authorization: `Bearer ${token}` } });
    const echo = { pid, capability: 'system.echo', input: { text: 'x' } };
    for (let id = 0; id < 200; id++) talk.send(call(id, 'call.make', echo));
    const answers = await talk.take(200);
    expect(answers.filter((answer) => isObject(answer['result']) && answer['result']['state'] === 'done')).toHaveLength(200);
  });

  it('gets no more of them to wait for people than it has places', async () => {
    await using on = await openTestGateway({
      policy: 'rules: [{ capability: alerts.send, tier: approval_required }]',
      limits: { waitsPerProcessMax: 1 },
    });
    const { result } = await on.call('agent.start', { agent: 'ada', tool_grants: ['*'] });
    const pid = Number(result?.['pid']);
    const asking = { pid, capability: 'alerts.send', input: { message: 'Look', severity: 'info' }, on_ask: 'wait' };
    const token = await on.tokenFor({ kind: 'process', workspace: DEFAULT_WORKSPACE, pid });
    using talk = await converse(on, { headers: { authorization: `Bearer ${token}` } });
    for (let id = 0; id < 2; id++) talk.send(call(id, 'call.make', asking));
    expect(await talk.take(1)).toMatchObject([{ error: { data: { fault: 'busy' } } }]);
  });
});

describe('who floods a WebSocket', () => {
  it('with calls is read only as fast as they are answered, and gets all answers', async () => {
    await using on = await openTestGateway({ limits: { callsPerConnectionMax: 4 } });
    using talk = await converse(on);
    for (let id = 0; id < 5_000; id++) talk.send(call(id, 'kernel.info'));
    const ids = (await talk.take(5_000)).map(({ id }) => Number(id));
    expect(ids.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 5_000 }, (_, id) => id));
  });

  it('with batches is read as fast as with so many calls', async () => {
    await using on = await openTestGateway({ limits: { requestsPerSecond: 100, requestsAtOnce: 5 } });
    using talk = await converse(on, { headers: { authorization: `Bearer ${await on.tokenFor({ kind: 'operator' })}` } });
    const batch = `[${Array.from({ length: 30 }, (_, id) => call(id, 'kernel.info')).join(',')}]`;
    const startedAt = performance.now();
    for (let sent = 0; sent < 3; sent++) talk.send(batch);
    expect((await talk.take(3)).map((answers) => Object.keys(answers).length)).toEqual([30, 30, 30]);
    // The first two, of which much is owed, are paid for, at ten milliseconds each, before the last.
    expect(performance.now() - startedAt).toBeGreaterThan(450);
  });

  it('with calls that wait does not get more of them under way than the limit', async () => {
    await using on = await openTestGateway({ limits: { callsPerConnectionMax: 4 } });
    using talk = await converse(on);
    for (let id = 0; id < 50; id++) talk.send(call(id, 'queue.claim', WAIT));
    talk.send(call('last', 'kernel.info'));
    await on.call('kernel.info');
    expect((await on.send({ path: '/metrics' })).text).toMatch(/^warren_operations_running 4$/m);
  });

  it('with a message that is too large is closed', async () => {
    await using on = await openTestGateway({ limits: { bodyBytesMax: 100_000 } });
    using talk = await converse(on);
    talk.send(call(1, 'nope', { text: 'x'.repeat(99_000) }));
    expect(await talk.take(1)).toMatchObject([{ error: { code: -32601 } }]);
    talk.send(call(1, 'nope', { text: 'x'.repeat(100_000) }));
    expect(await talk.closed()).toBe(1009);
  });

  it('with pieces of messages that never end is closed when there is no room', async () => {
    await using on = await openTestGateway({ limits: { heldBytesMax: 1_000_000, smallBytes: 1_000 } });
    const talks = await Promise.all([1, 2, 3].map(() => converse(on)));
    for (const talk of talks) for (let piece = 0; piece < 5; piece++) talk.socket.send('x'.repeat(100_000), { fin: false });
    expect(await Promise.race(talks.map((talk) => talk.closed()))).toBe(1013);
    for (const talk of talks) talk[Symbol.dispose]();
    expect((await on.send({ path: '/health' })).status).toBe(200);
  });

  it('without taking its answers is not read any more, and cut off in the end', async () => {
    await using on = await openTestGateway({ limits: { heartbeatMs: 100, socketBytesMax: 1_000_000 } });
    const { pid } = await on.kernel.workspace(DEFAULT_WORKSPACE).processes.create({ name: 'a', template: 't' });
    await on.call('kernel.fs.write', { pid, path: '/large', content: Buffer.alloc(500_000).toString('base64') });
    using talk = await converse(on);
    talk.socket.pause();
    for (let id = 0; id < 100; id++) talk.send(call(id, 'kernel.fs.read', { path: '/large' }));
    while (on.served.connections > 1) await on.call('kernel.info');
    talk.socket.resume();
    expect(await talk.closed()).toBe(1006);
  });

  it('with frames that are none is closed', async () => {
    await using on = await openTestGateway();
    const request =
      'GET /rpc HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
    for (const bytes of [
      [0xff, 0xff],
      [0x81, 0x01, 0x41],
      [0x83, 0x80, 0, 0, 0, 0],
      [0x89, 0xfe, 0x00, 0xff],
      [0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
    ]) {
      using raw = await openRaw({ path: on.socketPath });
      raw.send(request);
      await raw.until('101 Switching Protocols');
      raw.send(Uint8Array.from(bytes));
      await raw.closed();
    }
    expect((await on.call('kernel.info')).result).toBeDefined();
  });
});
