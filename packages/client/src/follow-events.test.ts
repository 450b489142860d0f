import type { ServerResponse } from 'node:http';
import { errorOfFault, Fault, isFault } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { connect } from './index.ts';
import { type Asked, Peer } from './test-support/peer.ts';

function stream(response: ServerResponse, text: string): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  response.write(text);
}

function event(id: number): string {
  return `id: ${id}\nevent: kernel.process.created\ndata: {"event_id":${id}}\n\n`;
}

/** Follows until so many events have come. */
async function follow(peer: Peer, count: number, onInterruption: (fault: Fault) => void = () => {}): Promise<readonly number[]> {
  await using client = connect({ socketPath: peer.socketPath });
  const controller = new AbortController();
  const ids: number[] = [];
  for await (const { event_id } of client.events({ pid: 7, after: 0 }, { signal: controller.signal, onInterruption })) {
    ids.push(event_id);
    if (ids.length === count) controller.abort();
  }
  return ids;
}

const lastIds = (peer: Peer): readonly unknown[] => peer.asked.map(({ headers }: Asked) => headers['last-event-id']);

describe('events', () => {
  it('asks for what matches and ends when the signal fires', async () => {
    await using peer = await Peer.start((_, response) => stream(response, event(1) + event(2)));
    expect(await follow(peer, 2)).toEqual([1, 2]);
    expect(peer.asked[0]?.url).toBe('/events?gaps=refuse&pid=7&after=0');
    expect(peer.asked[0]?.headers.accept).toBe('text/event-stream');
  });

  it('hands out nothing after the signal fired, also of what came at once with the last', async () => {
    await using peer = await Peer.start((_, response) => stream(response, event(1) + event(2) + event(3) + event(4)));
    expect(await follow(peer, 2)).toEqual([1, 2]);
  });

  it('takes up where it was when the connection breaks, also in the middle of an event', async () => {
    const answers = [event(1) + event(2).slice(0, 10), event(2) + event(3)];
    await using peer = await Peer.start((_, response) => {
      stream(response, answers.shift() ?? '');
      if (answers.length > 0) response.end();
    });
    const interruptions: string[] = [];
    expect(await follow(peer, 3, ({ code }) => interruptions.push(code))).toEqual([1, 2, 3]);
    expect(lastIds(peer)).toEqual([undefined, '1']);
    expect(interruptions).toEqual(['unavailable']);
  });

  it('waits for a daemon that was killed to come back', async () => {
    await using peer = await Peer.start((_, response) => stream(response, event(1)));
    let restarted: Promise<void> | undefined;
    const following = follow(peer, 2, () => {
      restarted ??= (async () => {
        peer.answer = (_, response) => stream(response, event(2));
        await peer.listen();
      })();
    });
    while (peer.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    await peer.die();
    expect(await following).toEqual([1, 2]);
    await restarted;
    expect(lastIds(peer).at(-1)).toBe('1');
  });

  it('begins where the stream said it began, when it broke before the first event', async () => {
    const answers = ['id: 41\n\n', event(42)];
    await using peer = await Peer.start((_, response) => {
      stream(response, answers.shift() ?? '');
      if (answers.length > 0) response.end();
    });
    expect(await follow(peer, 1)).toEqual([42]);
    expect(lastIds(peer)).toEqual([undefined, '41']);
  });

  it.each([
    ['what is refused', new Fault('conflict', 'Cannot follow events after 1: the oldest that is kept is 9', { details: { oldest: 9 } })],
    ['a token that is no good', new Fault('unauthenticated', 'Cannot tell who is calling')],
  ])('throws %s, and does not try again', async (_, fault) => {
    await using peer = await Peer.start((__, response) => response.writeHead(409).end(JSON.stringify({ error: errorOfFault(fault) })));
    await expect(follow(peer, 1)).rejects.toSatisfy((error) => isFault(error, fault.code));
    expect(peer.asked).toHaveLength(1);
  });

  it('throws when whoever answers is no daemon', async () => {
    await using peer = await Peer.start((_, response) => response.end('hello'));
    await expect(follow(peer, 1)).rejects.toSatisfy((error) => isFault(error, 'protocol_error'));
  });

  it('gives up when it is told to on an interruption', async () => {
    await using peer = await Peer.start((_, response) => response.destroy());
    const giveUp = (fault: Fault): never => {
      throw new Error(`enough: ${fault.code}`);
    };
    await expect(follow(peer, 1, giveUp)).rejects.toThrow('enough: unavailable');
  });

  it('lets go of its connection when the loop is left', async () => {
    await using peer = await Peer.start((_, response) => stream(response, event(1) + event(2)));
    await using client = connect({ socketPath: peer.socketPath });
    for await (const _ of client.events({}, { signal: new AbortController().signal })) break;
    while (peer.connections.size > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it('ends when its client is closed', async () => {
    await using peer = await Peer.start((_, response) => stream(response, event(1)));
    const client = connect({ socketPath: peer.socketPath });
    const ids: number[] = [];
    for await (const { event_id } of client.events({}, { signal: new AbortController().signal })) {
      ids.push(event_id);
      await client.close();
    }
    expect(ids).toEqual([1]);
  });
});
