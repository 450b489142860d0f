/** What is tried at the TCP door by whoever can reach it. */
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { expect, it } from 'vitest';
import { openTestGateway, type TestGateway } from '../test-support/open-test-gateway.ts';
import { openRaw } from '../test-support/raw-connection.ts';

const CALL = '{"jsonrpc":"2.0","id":1,"method":"kernel.info"}';

/** Head and body as they are, with whatever ends its lines. */
function rawRequest(on: TestGateway, lines: readonly string[], end = '\r\n'): string {
  const head = ['POST /rpc HTTP/1.1', `host: 127.0.0.1:${on.port}`, 'content-type: application/json', ...lines];
  return `${head.join(end)}${end}${end}${CALL}`;
}

it.each([
  ['two different lengths', [`content-length: ${CALL.length}`, 'content-length: 5']],
  ['two lengths in one line', [`content-length: ${CALL.length}, ${CALL.length}`]],
  ['a length with a sign', [`content-length: +${CALL.length}`]],
  ['a length in another base', ['content-length: 0x2f']],
  ['a length and chunks', [`content-length: ${CALL.length}`, 'transfer-encoding: chunked']],
  ['chunks that are not last', [`content-length: ${CALL.length}`, 'transfer-encoding: chunked, identity']],
  ['another encoding', ['transfer-encoding: xchunked']],
  ['space before the colon', [`content-length : ${CALL.length}`]],
  ['a header over two lines', [`content-length: ${CALL.length}`, 'x-a: 1', ' transfer-encoding: chunked']],
  ['a zero byte', [`content-length: ${CALL.length}`, 'x-a: 1\0']],
  ['a lone carriage return', [`content-length: ${CALL.length}`, 'x-a: 1\rx-b: 2']],
  ['a line end of its own', [`content-length: ${CALL.length}`, 'x-a: 1\nauthorization: Bearer x']],
])('what two servers could read in two ways is read in none: %s', async (_name, lines) => {
  await using on = await openTestGateway();
  using raw = await openRaw({ port: on.port });
  raw.send(rawRequest(on, lines));
  expect(await raw.closed()).toMatch(/^HTTP\/1.1 400 /);
});

it('lines that end with a line feed only are none', async () => {
  await using on = await openTestGateway();
  using raw = await openRaw({ port: on.port });
  raw.send(rawRequest(on, [`content-length: ${CALL.length}`], '\n'));
  expect(await raw.closed()).toMatch(/^HTTP\/1.1 400 /);
});

it('two hosts, two tokens and a foreign target are not the first of each', async () => {
  await using on = await openTestGateway();
  const token = await on.tokenFor({ kind: 'operator' });
  const good = [`content-length: ${CALL.length}`, `authorization: Bearer ${token}`, 'connection: close'];
  const send = async (lines: readonly string[], change: (text: string) => string = (text) => text): Promise<string> => {
    using raw = await openRaw({ port: on.port });
    raw.send(change(rawRequest(on, lines)));
    return (await raw.closed()).slice(9, 12);
  };
  expect(await send(good)).toBe('200');
  for (const more of ['host: evil.example', 'authorization: Bearer x', 'content-type: text/plain', 'Host: 127.0.0.1']) {
    expect([more, await send([...good, more])]).toEqual([more, '400']);
  }
  for (const target of ['http://evil.example/rpc', `http://127.0.0.1:${on.port}/rpc`, '//rpc', '/./rpc', '/%72pc', '/rpc/', '*']) {
    expect([target, ['400', '404'].includes(await send(good, (text) => text.replace('/rpc', target)))]).toEqual([target, true]);
  }
});

it('requests behind a refused one are each refused for themselves', async () => {
  await using on = await openTestGateway();
  const token = await on.tokenFor({ kind: 'operator' });
  using raw = await openRaw({ port: on.port });
  const bad = rawRequest(on, [`content-length: ${CALL.length}`, 'authorization: Bearer wrong']);
  const good = rawRequest(on, [`content-length: ${CALL.length}`, `authorization: Bearer ${token}`, 'connection: close']);
  raw.send(`${bad}${bad}${good}`);
  const statuses = [...(await raw.closed()).matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status);
  expect(statuses).toEqual(['401', '401', '200']);
});

it('nothing that is sent makes a line, or a sequence of a terminal, in the log', async () => {
  await using on = await openTestGateway({ limits: { loginDelayMs: 1_000 }, trustedProxies: ['127.0.0.1'] });
  const evil = 'x%0a%0d\u001b[31m{"level":"info"}';
  const latin = Buffer.from(evil).toString('latin1');
  for (let count = 0; count < 7; count++) {
    using raw = await openRaw({ port: on.port });
    raw.send(
      rawRequest(on, [
        ...[`content-length: ${CALL.length}`, 'connection: close', `authorization: Bearer wrong${count}`],
        ...['user-agent', 'referer', 'x-client-id', 'traceparent', 'warren-workspace', 'x-forwarded-for'].map(
          (name) => `${name}: ${latin}`,
        ),
      ]),
    );
    await raw.closed();
  }
  const body = (name: string) => JSON.stringify({ name, passphrase: `${evil}\n\r` });
  for (let count = 0; count < 7; count++) {
    const headers = { host: `127.0.0.1:${on.port}`, 'content-type': 'application/json' };
    await on.send({ port: on.port, method: 'POST', path: '/api/session', headers }, body(`${evil}\n`));
  }
  await on.post(JSON.stringify({ jsonrpc: '2.0', id: 1, method: `${evil}\n`, params: { [`${evil}\n`]: 1 } }));
  expect(on.logged.length).toBeGreaterThan(1);
  expect(on.logged.filter((line) => /[\0-\x1f\x7f]|\[31m/.test(line))).toEqual([]);
});

it('what a call that took a while came to is not for a token that was revoked meanwhile', async () => {
  await using on = await openTestGateway();
  const { token, record } = await on.kernel.tokens.create({ kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'admin' });
  const waiting = on.call('queue.claim', { worker_id: 'w', wait_ms: 1_500 }, { token });
  const other = on.send(
    {
      ...{ method: 'POST', path: '/api/queue/claim' },
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    },
    JSON.stringify({ worker_id: 'v', wait_ms: 1_500 }),
  );
  // Requests are taken in their order: when these are answered, the first two are under way.
  for (let count = 0; count < 5; count++) await on.call('kernel.info');
  await on.kernel.tokens.revoke(record.id);
  expect((await waiting).error?.message).toContain('meanwhile the token is no longer good');
  expect((await other).text).toContain('meanwhile the token is no longer good');
});
