import { errorOfFault, Fault, isFault } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { type Client, connect } from './index.ts';
import { type Asked, answerResult, Peer } from './test-support/peer.ts';

/** The fault a call ends with, or what it answered. */
async function outcome(call: Promise<unknown>): Promise<unknown> {
  return await call.catch((error: unknown) =>
    isFault(error) ? { fault: error.code, message: error.message, details: error.details } : Promise.reject(error),
  );
}

describe('call', () => {
  it('sends a request of JSON-RPC and gives the result', async () => {
    await using peer = await Peer.start((asked, response) => answerResult(asked, response, { pid: 7 }));
    await using client = connect({ socketPath: peer.socketPath });
    expect(await client.call('kernel.agent.get', { pid: 7 })).toEqual({ pid: 7 });
    expect(peer.asked).toMatchObject([{ url: '/rpc', headers: { 'content-type': 'application/json' } }]);
    expect(JSON.parse(peer.asked[0]?.body ?? '')).toEqual({ jsonrpc: '2.0', id: 1, method: 'kernel.agent.get', params: { pid: 7 } });
  });

  it('keeps its connection, and opens more for calls at the same time', async () => {
    await using peer = await Peer.start((asked, response) => answerResult(asked, response, {}));
    await using client = connect({ socketPath: peer.socketPath });
    for (let turn = 0; turn < 5; turn++) await client.call('kernel.info', {});
    expect(peer.connectionCount).toBe(1);
    await Promise.all(Array.from({ length: 10 }, () => client.call('kernel.info', {})));
    expect(peer.connectionCount).toBeLessThanOrEqual(10);
    expect(new Set(peer.asked.map(({ body }) => (JSON.parse(body) as { id: number }).id)).size).toBe(15);
  });

  it('says which workspace, and who calls', async () => {
    await using peer = await Peer.start((asked, response) => answerResult(asked, response, {}));
    await using one = connect({ socketPath: peer.socketPath, workspace: 'acme' });
    await one.call('kernel.info', {});
    expect(peer.asked[0]?.headers).toMatchObject({ 'warren-workspace': 'acme' });
    expect(peer.asked[0]?.headers).not.toHaveProperty('authorization');
  });

  it('throws the fault that comes back, with its details', async () => {
    const fault = new Fault('unknown_pid', 'Cannot find process 7', { details: { pid: 7 } });
    await using peer = await Peer.start((_, response) =>
      response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, error: errorOfFault(fault) })),
    );
    await using client = connect({ socketPath: peer.socketPath });
    expect(await outcome(client.call('kernel.agent.get', { pid: 7 }))).toEqual({
      fault: 'unknown_pid',
      message: 'Cannot find process 7',
      details: { pid: 7 },
    });
  });

  it.each<[string, (asked: Asked, response: import('node:http').ServerResponse) => void]>([
    ['a page', (_, response) => response.setHeader('content-type', 'text/html').end('<html>')],
    ['nothing', (_, response) => response.end()],
    ['null', (_, response) => response.end('null')],
    ['the answer to another call', (_, response) => response.end('{"jsonrpc":"2.0","id":99,"result":{}}')],
    ['neither result nor error', (_, response) => response.end('{"jsonrpc":"2.0","id":1}')],
    ['a redirect', (_, response) => response.writeHead(302, { location: 'http://example.org' }).end()],
  ])('knows that %s is no answer', async (_, answer) => {
    await using peer = await Peer.start(answer);
    await using client = connect({ socketPath: peer.socketPath });
    expect(await outcome(client.call('kernel.info', {}))).toMatchObject({ fault: 'protocol_error' });
    expect(peer.asked).toHaveLength(1);
  });

  it('says that a call was certainly not carried out when nobody listens', async () => {
    await using peer = await Peer.start(() => {});
    await peer.die();
    await using client = connect({ socketPath: peer.socketPath });
    expect(await outcome(client.call('kernel.info', {}))).toMatchObject({ fault: 'unavailable', details: { is_sent: false } });
  });

  it('says that nobody knows when the connection breaks before the answer, and does not try again', async () => {
    await using peer = await Peer.start((_, response) => response.destroy());
    await using client = connect({ socketPath: peer.socketPath });
    expect(await outcome(client.call('token.create', {}))).toMatchObject({ fault: 'unavailable', details: { is_sent: true } });
    peer.answer = (_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('{');
      response.destroy();
    };
    expect(await outcome(client.call('token.create', {}))).toMatchObject({ fault: 'unavailable' });
    expect(peer.asked).toHaveLength(2);
  });

  it('takes up a new connection when the old one was closed meanwhile', async () => {
    await using peer = await Peer.start((asked, response) => answerResult(asked, response, {}));
    await using client = connect({ socketPath: peer.socketPath });
    await client.call('kernel.info', {});
    await peer.die();
    await peer.listen();
    expect(await client.call('kernel.info', {})).toEqual({});
  });

  it('ends when its signal fires: before, and while it waits', async () => {
    const isAsked = Promise.withResolvers<void>();
    await using peer = await Peer.start(() => isAsked.resolve());
    await using client = connect({ socketPath: peer.socketPath });
    expect(await outcome(client.call('kernel.info', {}, { signal: AbortSignal.abort() }))).toMatchObject({ fault: 'aborted' });
    expect(peer.asked).toEqual([]);
    const controller = new AbortController();
    const call = outcome(client.call('kernel.info', {}, { signal: controller.signal }));
    await isAsked.promise;
    controller.abort();
    expect(await call).toMatchObject({ fault: 'aborted' });
  });

  it('refuses an answer without end', async () => {
    await using peer = await Peer.start((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(2 ** 20, 'x')));
      };
      response.on('drain', more);
      more();
    });
    await using client = connect({ socketPath: peer.socketPath });
    expect(await outcome(client.call('kernel.info', {}))).toMatchObject({ fault: 'too_large' });
  });
});

describe('connect', () => {
  it.each([
    ['no address', 'nonsense'],
    ['another scheme', 'ftp://127.0.0.1'],
    ['a password in it', 'http://user:secret@127.0.0.1'],
    ['a query', 'http://127.0.0.1/?a=b'],
  ])('refuses %s', (_, url) => {
    expect(() => connect({ url, token: 'x' })).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });

  it('refuses a token that would end the header, without showing it', () => {
    expect(() => connect({ url: 'http://127.0.0.1', token: 'secret\r\nHost: x' })).toThrow('Cannot use this as a token');
    expect(() => connect({ url: 'http://127.0.0.1', token: 'secret\r\nHost: x' })).not.toThrow('secret');
  });
});

describe('close', () => {
  it('ends what is under way, refuses more, and twice is harmless', async () => {
    const isAsked = Promise.withResolvers<void>();
    await using peer = await Peer.start(() => isAsked.resolve());
    const client: Client = connect({ socketPath: peer.socketPath });
    const call = outcome(client.call('kernel.info', {}));
    await isAsked.promise;
    await client.close();
    expect(await call).toMatchObject({ fault: 'unavailable' });
    expect(await outcome(client.call('kernel.info', {}))).toMatchObject({ fault: 'aborted' });
    await client.close();
  });
});
