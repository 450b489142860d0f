import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import { event } from '@warren/protocol/contract';
import { describe, expect, it } from 'vitest';
import { openEventStream } from '../test-support/open-event-stream.ts';
import { openTestGateway, type TestGateway } from '../test-support/open-test-gateway.ts';
import { openRaw } from '../test-support/raw-connection.ts';

const ACME = 'acme' as WorkspaceId; // Valid.
const mineOf = (on: TestGateway) => on.kernel.workspace(DEFAULT_WORKSPACE);
const create = async (on: TestGateway, parentPid?: number): Promise<number> =>
  (await mineOf(on).processes.create({ name: 'a', template: 't', parentPid })).pid;
const note = (on: TestGateway, pid: number, text: string) => mineOf(on).events.append({ pid, kind: 'note', payload: { text } });

describe('a stream of events', () => {
  it('begins where the client says, and goes on with what happens, without a hole or a repeat', async () => {
    await using on = await openTestGateway();
    const pid = await create(on);
    for (let index = 0; index < 700; index++) void note(on, pid, `${index}`);
    await note(on, pid, 'last');
    using stream = await openEventStream(on, 'since=5');
    expect(stream.response.headers).toMatchObject({ 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
    const appending = Promise.all(Array.from({ length: 300 }, (_, index) => note(on, pid, `live ${index}`)));
    const events = await stream.take(997);
    await appending;
    expect(events.map(({ id }) => id)).toEqual(Array.from({ length: 997 }, (_, index) => index + 6));
    expect(events[0]).toMatchObject({ type: 'note', data: { event_id: 6, pid, kind: 'note' } });
    for (const { data } of events) expect(event.parse(data)).toEqual(data);
  });

  it('begins with what happens from now on, if the client says nothing', async () => {
    await using on = await openTestGateway();
    const pid = await create(on);
    await note(on, pid, 'before');
    using stream = await openEventStream(on, '');
    const id = await note(on, pid, 'after');
    expect(await stream.take(1)).toMatchObject([{ id, data: { payload: { text: 'after' } } }]);
  });

  it('goes on after the last event the client has seen', async () => {
    await using on = await openTestGateway();
    const pid = await create(on);
    const ids = [await note(on, pid, 'a'), await note(on, pid, 'b')];
    using stream = await openEventStream(on, 'since=0', { headers: { 'last-event-id': `${ids[0]}` } });
    expect((await stream.take(1)).map(({ id }) => id)).toEqual([ids[1]]);
  });

  it('is of one process, of one kind, of one workspace', async () => {
    await using on = await openTestGateway();
    await on.kernel.workspaces.create(ACME);
    const [one, other] = [await create(on), await create(on)];
    using ofProcess = await openEventStream(on, `pid=${other}`);
    using ofKind = await openEventStream(on, 'kind=mark');
    using ofAcme = await openEventStream(on, 'workspace=acme');
    await note(on, one, 'x');
    await note(on, other, 'y');
    await mineOf(on).events.append({ pid: one, kind: 'mark', payload: {} });
    await on.kernel.workspace(ACME).processes.create({ name: 'there', template: 't' });
    expect((await ofProcess.take(1))[0]?.data).toMatchObject({ pid: other, payload: { text: 'y' } });
    expect((await ofKind.take(1))[0]?.data).toMatchObject({ pid: one, kind: 'mark' });
    expect((await ofAcme.take(1))[0]?.data).toMatchObject({ kind: 'kernel.process.created', payload: { name: 'there' } });
  });

  it('shows a sign of life when nothing happens', async () => {
    await using on = await openTestGateway({ limits: { heartbeatMs: 20 } });
    const pid = await create(on);
    using stream = await openEventStream(on, '');
    while (stream.comments.length < 3) await new Promise((resolve) => stream.response.once('data', resolve));
    expect(stream.comments.slice(0, 3)).toEqual(['id: 1', ': ', ': ']);
    await note(on, pid, 'x');
    expect(await stream.take(1)).toMatchObject([{ type: 'note' }]);
  });

  it.each(['pid=x', 'since=-1', 'gaps=maybe', 'workspace=-no'])('is refused for %s', async (query) => {
    await using on = await openTestGateway();
    const answer = await on.send({ path: `/events?${query}` });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({ error: { code: -32602, data: { fault: 'invalid_argument' } } });
  });

  it('is refused for a workspace there is not', async () => {
    await using on = await openTestGateway();
    expect((await on.send({ path: '/events?workspace=nobody' })).status).toBe(404);
  });

  it('is refused beyond the limit, until others end', async () => {
    await using on = await openTestGateway({ limits: { streamsMax: 1 } });
    const stream = await openEventStream(on, '');
    const answer = await on.send({ path: '/events' });
    expect([answer.status, JSON.parse(answer.text).error.data.fault]).toEqual([503, 'busy']);
    stream[Symbol.dispose]();
    let isOpen = false;
    while (!isOpen) {
      using again = await openEventStream(on, '');
      isOpen = again.status === 200;
    }
  });
});

describe('many streams of events', () => {
  it('of one process are its share, and leave room for others', async () => {
    await using on = await openTestGateway({ limits: { connectionsPerProcessMax: 2 } });
    const [pid, other] = [await create(on), await create(on)];
    const tokenFor = (of: number) => on.tokenFor({ kind: 'process', workspace: DEFAULT_WORKSPACE, pid: of });
    const [token, otherToken] = [await tokenFor(pid), await tokenFor(other)];
    using first = await openEventStream(on, `pid=${pid}`, { token });
    using second = await openEventStream(on, `pid=${pid}`, { token });
    using third = await openEventStream(on, `pid=${pid}`, { token });
    using fourth = await openEventStream(on, `pid=${other}`, { token: otherToken });
    expect([first.status, second.status, third.status, fourth.status]).toEqual([200, 200, 503, 200]);
  });

  it('of members leave room for operators', async () => {
    await using on = await openTestGateway({ limits: { streamsMax: 2, connectionsForOperators: 1 } });
    const token = await on.tokenFor({ kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'admin' });
    using first = await openEventStream(on, '', { token });
    using second = await openEventStream(on, '', { token });
    using operator = await openEventStream(on, '');
    expect([first.status, second.status, operator.status]).toEqual([200, 503, 200]);
  });
});

describe('events that are no longer kept', () => {
  async function purged(on: TestGateway): Promise<number> {
    const pid = await create(on);
    for (const text of ['a', 'b', 'c', 'd']) await note(on, pid, text);
    await on.kernel.store.workspace(DEFAULT_WORKSPACE).write(({ events }) => events.purge(3, 10));
    return pid;
  }

  it('are told as a gap, and the stream goes on with those that are', async () => {
    await using on = await openTestGateway();
    await purged(on);
    using stream = await openEventStream(on, 'since=1');
    expect(await stream.take(2)).toMatchObject([
      { id: 3, type: 'gap', data: { after: 1, oldest: 4 } },
      { id: 4, type: 'note', data: { payload: { text: 'c' } } },
    ]);
  });

  it('are no gap for who has seen them', async () => {
    await using on = await openTestGateway();
    await purged(on);
    using stream = await openEventStream(on, 'since=3');
    expect((await stream.take(1)).map(({ id, type }) => [id, type])).toEqual([[4, 'note']]);
  });

  it('are skipped, or refused, for who asks for that', async () => {
    await using on = await openTestGateway();
    await purged(on);
    using skipping = await openEventStream(on, 'after=1&gaps=skip');
    expect((await skipping.take(1)).map(({ id }) => id)).toEqual([4]);
    const answer = await on.send({ path: '/events?after=1&gaps=refuse' });
    expect(answer.status).toBe(409);
    expect(JSON.parse(answer.text)).toMatchObject({ error: { code: -32007, data: { fault: 'conflict', oldest: 4 } } });
  });

  it('are never mistaken for an event of somebody who calls it a gap', async () => {
    await using on = await openTestGateway();
    const pid = await create(on);
    using stream = await openEventStream(on, '');
    await mineOf(on).events.append({ pid, kind: 'gap', payload: {} });
    expect(await stream.take(1)).toMatchObject([{ type: undefined, data: { kind: 'gap' } }]);
  });
});

describe('who follows events', () => {
  it('as a process sees its own and those of its descendants, and nothing else', async () => {
    await using on = await openTestGateway();
    const [pid, stranger] = [await create(on), await create(on)];
    const child = await create(on, pid);
    const token = await on.tokenFor({ kind: 'process', workspace: DEFAULT_WORKSPACE, pid });
    const status = async (query: string) =>
      (await on.send({ path: `/events?${query}`, headers: { authorization: `Bearer ${token}` } })).status;
    for (const query of ['', `pid=${stranger}`, 'pid=99', `pid=${pid}&workspace=acme`])
      expect([query, await status(query)]).toEqual([query, 403]);
    for (const own of [pid, child]) {
      using stream = await openEventStream(on, `pid=${own}`, { token });
      await note(on, stranger, 'theirs');
      await note(on, own, 'mine');
      expect(await stream.take(1)).toMatchObject([{ data: { pid: own, payload: { text: 'mine' } } }]);
    }
  });

  it('as a member sees its workspace', async () => {
    await using on = await openTestGateway();
    const token = await on.tokenFor({ kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'admin' });
    using stream = await openEventStream(on, '', { token });
    await create(on);
    expect(await stream.take(1)).toMatchObject([{ type: 'kernel.process.created' }]);
  });

  it('is cut off soon after its token was revoked, also when nothing happens', async () => {
    await using on = await openTestGateway({ limits: { heartbeatMs: 50 } });
    const { token, record } = await on.kernel.tokens.create({ kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'admin' });
    using stream = await openEventStream(on, '', { token });
    await on.kernel.tokens.revoke(record.id);
    await stream.ended();
  });

  it('without reading holds up nobody, and is cut off in the end', async () => {
    await using on = await openTestGateway({ limits: { stallMs: 300, heartbeatMs: 20 } });
    const pid = await create(on);
    using stuck = await openEventStream(on, '', { isPaused: true });
    using other = await openEventStream(on, '');
    const text = 'x'.repeat(100_000);
    for (let index = 0; index < 100; index++) await note(on, pid, text);
    expect((await other.take(100)).map(({ data }) => data['kind'])).toEqual(Array.from({ length: 100 }, () => 'note'));
    await on.untilLogged('Events were not taken');
    expect((await stuck.ended()).length).toBeLessThan(100);
    expect((await on.send({ path: '/health' })).status).toBe(200);
  });

  it('and goes away at any moment is not waited for', async () => {
    await using on = await openTestGateway({ limits: { streamsMax: 1 } });
    for (let round = 0; round < 20; round++) {
      using raw = await openRaw({ path: on.socketPath });
      raw.send('GET /events HTTP/1.1\r\nhost: x\r\n\r\n');
      if (round % 2 === 0) await raw.until(/id: 0|busy/);
    }
    let isFree = false;
    while (!isFree) {
      using stream = await openEventStream(on, '');
      isFree = stream.status === 200;
    }
  });

  it('slowly gets everything', async () => {
    await using on = await openTestGateway();
    const pid = await create(on);
    using slow = await openEventStream(on, 'since=0', { isPaused: true });
    const text = 'x'.repeat(50_000);
    for (let index = 0; index < 100; index++) await note(on, pid, text);
    expect((await slow.take(101)).map(({ id }) => id)).toEqual(Array.from({ length: 101 }, (_, index) => index + 1));
  });
});
