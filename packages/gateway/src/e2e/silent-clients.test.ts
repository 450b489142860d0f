/** Who never reads, never answers or never ends what it began, whatever it speaks: it is cut off, others go on, and nothing grows. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openEventStream } from '../test-support/open-event-stream.ts';
import { openTestGateway, type TestGateway } from '../test-support/open-test-gateway.ts';

const PATHS = ['/rpc', '/mcp', '/events?view=supervision'] as const;
const HANDSHAKE =
  'connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';

/** A WebSocket that does nothing by itself: no pong, no close. */
async function openRawSocket(on: TestGateway, path: string): Promise<Socket & AsyncIterable<Buffer>> {
  const token = await on.tokenFor({ kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'admin' });
  await on.call('agent.create', { agent: 'coder' });
  const socket = connect(on.socketPath);
  socket.on('error', () => {}); // Being cut off is what these are for.
  const head = [`GET ${path} HTTP/1.1`, 'host: localhost', `authorization: Bearer ${token}`, 'warren-agent: coder', HANDSHAKE];
  socket.write(head.join('\r\n'));
  const [first] = (await once(socket, 'data')) as [Buffer]; // What the event is declared with.
  expect(first.toString('latin1').slice(0, 12)).toBe('HTTP/1.1 101');
  return socket;
}

/** A frame of a client: a text, or a piece of one that goes on. */
function frameOf(payload: Buffer, { isFirst, isLast }: { readonly isFirst: boolean; readonly isLast: boolean }): Buffer {
  const head = Buffer.alloc(14);
  head[0] = (isLast ? 0x80 : 0) | (isFirst ? 1 : 0);
  head[1] = 0x80 | 127;
  head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([head, payload]); // With a mask of zeros.
}

async function closed(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.destroyed) await once(socket, 'close');
}

describe('a WebSocket', () => {
  it.each(PATHS)('at %s whose other end answers no ping is cut off', async (path) => {
    await using on = await openTestGateway({ hasPlatform: true, limits: { heartbeatMs: 50 } });
    await closed(await openRawSocket(on, path));
    expect((await on.send({ path: '/health' })).status).toBe(200);
  });

  it.each(PATHS)('at %s with a message that never ends is closed when there is no room', async (path) => {
    await using on = await openTestGateway({ hasPlatform: true, limits: { heldBytesMax: 1_000_000, smallBytes: 1_000 } });
    const socket = await openRawSocket(on, path);
    const piece = Buffer.alloc(100_000, 'x');
    for (let count = 0; count < 12; count++) socket.write(frameOf(piece, { isFirst: count === 0, isLast: false }));
    const received: Buffer[] = [];
    socket.on('data', (data: Buffer) => received.push(data));
    while (!Buffer.concat(received).includes('too many large requests')) await once(socket, 'data');
    socket.destroy();
  });

  it.each(PATHS)('at %s with a frame that is none is closed', async (path) => {
    await using on = await openTestGateway({ hasPlatform: true });
    const socket = await openRawSocket(on, path);
    socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    await closed(socket);
    expect((await on.send({ path: '/health' })).status).toBe(200);
  });
});

describe('who follows what agents do', () => {
  async function openBusy(limits: object) {
    const on = await openTestGateway({ policy: 'rules: [{ capability: "*", tier: autonomous }]', limits });
    const { result } = await on.call('agent.start', { agent: 'coder', tool_grants: ['*'] });
    const text = 'x'.repeat(60_000);
    const work = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index++) {
        await on.call('call.make', { pid: result?.['pid'], capability: 'system.echo', input: { text } });
      }
    };
    return Object.assign(on, { work });
  }

  it('over server-sent events and reads nothing is cut off, and others are told everything', async () => {
    await using on = await openBusy({ stallMs: 300, heartbeatMs: 20 });
    using stuck = await openEventStream(on, 'view=supervision', { isPaused: true });
    using other = await openEventStream(on, 'view=supervision&types=capability_result');
    await on.work(120);
    expect(await other.take(120)).toHaveLength(120);
    await on.untilLogged('Events were not taken');
    expect((await stuck.ended()).length).toBeLessThan(240);
  });

  it('over a WebSocket and reads nothing is cut off, and others are told everything', async () => {
    await using on = await openBusy({ stallMs: 300, heartbeatMs: 600_000 });
    const socket = await openRawSocket(on, '/events?view=supervision');
    socket.pause();
    using other = await openEventStream(on, 'view=supervision&types=capability_result');
    await on.work(120);
    expect(await other.take(120)).toHaveLength(120);
    await closed(socket);
  });

  it('and comes back when events it had not seen are no longer kept is told so, and goes on with those that are', async () => {
    await using on = await openTestGateway({ hasPlatform: true });
    for (const agent of ['ada', 'bob', 'eve']) await on.call('agent.start', { agent, tool_grants: [] });
    const { events } = (await on.call('event.newest', { kind: 'kernel.process.created' })).result as {
      readonly events: readonly { readonly event_id: number }[];
    }; // As the contract has it.
    const second = Math.min(
      ...events
        .map(({ event_id }) => event_id)
        .toSorted((one, other) => one - other)
        .slice(1),
    );
    await on.kernel.store.workspace(DEFAULT_WORKSPACE).write((tx) => tx.events.purge(second, 1_000));
    using stream = await openEventStream(on, 'view=supervision&after=1.0.0&types=session_started');
    const told = await stream.take(2);
    expect(told.map(({ type, data }) => [type, type === 'gap' ? data['data'] : data['agent']])).toEqual([
      ['gap', { after: '1.0.0', oldest: `${second}.0.0` }],
      ['session_started', 'eve'],
    ]);
    using socket = new WebSocketMessages(`ws+unix://${on.socketPath}:/events?view=supervision&after=0.0.0&types=session_started`);
    expect(await socket.next()).toEqual({ id: `${second}.0.0`, type: 'gap', data: { after: '0.0.0', oldest: `${second}.0.0` } });
    expect(await socket.next()).toMatchObject({ type: 'session_started', agent: 'eve' });
  });

  it.each(['999999.999999.0', '7.0.9'])('from %s, an id nobody was told, is told what happens from now on', async (id) => {
    await using on = await openTestGateway({ hasPlatform: true });
    using stream = await openEventStream(on, `view=supervision&after=${id}`);
    await on.call('agent.start', { agent: 'ada', tool_grants: [] });
    expect(await stream.take(1)).toMatchObject([{ type: 'session_started' }]);
  });
});

class WebSocketMessages implements Disposable {
  readonly #socket: WebSocket;
  readonly #messages: unknown[] = [];
  #wake = (): void => {};

  constructor(address: string) {
    this.#socket = new WebSocket(address);
    this.#socket.on('message', (data) => {
      this.#messages.push(JSON.parse(String(data)));
      this.#wake();
    });
  }

  async next(): Promise<unknown> {
    while (this.#messages.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#messages.shift();
  }

  [Symbol.dispose](): void {
    this.#socket.terminate();
  }
}
