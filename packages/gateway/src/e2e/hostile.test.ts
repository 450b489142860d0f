import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { expect, it } from 'vitest';
import { openTestGateway, type TestGateway } from '../test-support/open-test-gateway.ts';
import { openRaw, requestText } from '../test-support/raw-connection.ts';

const info = '{"jsonrpc":"2.0","id":1,"method":"kernel.info"}';
const MIB = 2 ** 20;

/** What was tried has not hurt the daemon. */
async function isWell(on: TestGateway): Promise<boolean> {
  const health = await on.send({ path: '/health' });
  return health.status === 200 && (await on.call('kernel.info')).result !== undefined && !on.logged.some((line) => line.startsWith('A '));
}

it('a body that says it has 100 MB is refused before it comes', async () => {
  await using on = await openTestGateway();
  using raw = await openRaw({ path: on.socketPath });
  raw.send(requestText('', { 'content-length': 100_000_000 }));
  expect(await raw.until(/"fault":"too_large"/)).toMatch(/^HTTP\/1.1 413 /);
  expect(await isWell(on)).toBe(true);
});

it('a body that does not say so is refused as soon as it is too large, and thrown away', async () => {
  await using on = await openTestGateway({ limits: { bodyBytesMax: MIB } });
  using raw = await openRaw({ path: on.socketPath });
  raw.send(requestText('', { 'transfer-encoding': 'chunked' }).replace(/content-length: 0\r\n/, ''));
  const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
  for (let sent = 0; sent < 16; sent++) raw.send(chunk);
  expect(raw.received).toBe('');
  raw.send(chunk);
  expect(await raw.until(/"fault":"too_large"/)).toMatch(/^HTTP\/1.1 413 /);
  // The rest of 100 MB, and then the connection serves again.
  for (let sent = 0; sent < 1_500; sent++) {
    if (!raw.socket.write(chunk)) await new Promise((resolve) => raw.socket.once('drain', resolve));
  }
  raw.send(`0\r\n\r\n${requestText(info)}`);
  expect(await raw.until(/"next_pid":1/)).toMatch(/HTTP\/1.1 200 /);
  expect(await isWell(on)).toBe(true);
});

it('who asks before sending a body is told in time', async () => {
  await using on = await openTestGateway();
  using large = await openRaw({ path: on.socketPath });
  large.send(requestText('', { 'content-length': 100_000_000, expect: '100-continue' }));
  expect(await large.closed()).toMatch(/^HTTP\/1.1 413 /);
  using small = await openRaw({ path: on.socketPath });
  const [head = '', body = ''] = requestText(info, { expect: '100-continue' }).split(/(?<=\r\n\r\n)/);
  small.send(head);
  await small.until('HTTP/1.1 100 Continue\r\n\r\n');
  small.send(body);
  expect(await small.until(/"next_pid":1/)).toMatch(/HTTP\/1.1 200 /);
  using stranger = await openRaw({ port: on.port });
  stranger.send(requestText('', { host: `127.0.0.1:${on.port}`, 'content-length': 1_000, expect: '100-continue' }));
  expect(await stranger.until(/unauthenticated/)).toMatch(/^HTTP\/1.1 401 /);
});

it('many large bodies at once do not fill the memory: those that do not fit are told to come back', async () => {
  await using on = await openTestGateway({ limits: { heldBytesMax: 4 * MIB } });
  const head = requestText('', { 'content-length': 2 * MIB });
  const half = 'x'.repeat(1.5 * MIB);
  using one = await openRaw({ path: on.socketPath });
  using other = await openRaw({ path: on.socketPath });
  using third = await openRaw({ path: on.socketPath });
  for (const raw of [one, other, third]) raw.send(head + half);
  const refused = await Promise.race([one, other, third].map((raw) => raw.until(/"fault":"busy"/)));
  expect(refused).toMatch(/^HTTP\/1.1 503 /);
  // What is small passes all the same, and what was held is given back.
  expect(await isWell(on)).toBe(true);
  for (const raw of [one, other, third]) {
    raw.socket.destroy();
    await raw.closed();
  }
  const again = requestText(`{"jsonrpc":"2.0","id":1,"method":"nope","params":{"a":"${'x'.repeat(3 * MIB)}"}}`);
  using last = await openRaw({ path: on.socketPath });
  last.send(again);
  expect(await last.until(/"code":-32601/)).toMatch(/^HTTP\/1.1 200 /);
});

it('JSON that is 10,000 deep, of a million values, or broken in any way is answered', async () => {
  await using on = await openTestGateway();
  const request = (params: string) => `{"jsonrpc":"2.0","id":1,"method":"kernel.events.append","params":${params}}`;
  for (const [body, code] of [
    [request(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`), -32009],
    ['['.repeat(20 * MIB), -32009],
    [`[${'0,'.repeat(2_000_000)}0]`, -32009],
    [`[${'"",'.repeat(2_000_000)}""]`, -32009],
    [`"${'\\'.repeat(20 * MIB)}`, -32700],
    [request(`{"pid":1,"kind":"a","payload":${'{"a":'.repeat(100)}1${'}'.repeat(100)}}`), -32602],
    [request('{"pid":1e999,"kind":"a","payload":{}}'), -32602],
    [request('{"pid":-1,"kind":"a","payload":{}}'), -32102],
    [request(`{"pid":1,"kind":${JSON.stringify('a'.repeat(5_000))},"payload":{}}`), -32602],
  ] as const) {
    const answer = await on.post(body);
    expect([body.slice(0, 80), answer.status, JSON.parse(answer.text).error?.code]).toEqual([body.slice(0, 80), 200, code]);
  }
  const invalid = Buffer.from(request('{"pid":1,"kind":"\u00ff","payload":{}}'), 'latin1');
  expect(JSON.parse((await on.post(invalid)).text)).toMatchObject({ error: { code: -32700 } });
  expect(await isWell(on)).toBe(true);
});

it('keys that every object knows are kept as data, and change nothing', async () => {
  await using on = await openTestGateway();
  const metadata = '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}},"toString":null}';
  const params = `{"name":"a","template":"t","metadata":${metadata},"__proto__":{"pid":1,"parent_pid":1}}`;
  await on.post(`{"jsonrpc":"2.0","id":1,"method":"kernel.agent.create","params":${params}}`);
  const { text } = await on.post('{"jsonrpc":"2.0","id":1,"method":"kernel.agent.get","params":{"pid":1}}');
  expect(text).toContain(`"metadata":${metadata}`);
  expect(text).toContain('"parent_pid":null');
  expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined();
  const grants = await on.post('{"jsonrpc":"2.0","id":1,"method":"kernel.ledger.create","params":{"pid":1,"grants":{"__proto__":5}}}');
  expect(JSON.parse(grants.text).jsonrpc).toBe('2.0');
  expect(await isWell(on)).toBe(true);
});

it('half a request and no more is forgotten when the connection ends', async () => {
  await using on = await openTestGateway();
  for (const text of ['P', 'POST /rpc', 'POST /rpc HTTP/1.1\r\nhost: localhost\r\n', requestText(info).slice(0, -10)]) {
    using raw = await openRaw({ path: on.socketPath });
    raw.send(text);
    raw.socket.end();
    await raw.closed();
  }
  expect(await isWell(on)).toBe(true);
});

it('who sends its headers, or its body, drop by drop is cut off', async () => {
  await using on = await openTestGateway({ limits: { headersMs: 100, requestMs: 200 } });
  for (const text of ['', 'POST /rpc HTTP/1.1\r\nhost: loc', requestText(info).slice(0, -1)]) {
    using raw = await openRaw({ path: on.socketPath });
    raw.send(text);
    expect(await raw.closed()).toMatch(/^(?:HTTP\/1.1 408 |$)/);
  }
  expect(await isWell(on)).toBe(true);
});

it('text that is cut in the middle of its characters arrives whole', async () => {
  await using on = await openTestGateway();
  const name = 'héllo€ 😀';
  const body = `{"jsonrpc":"2.0","id":1,"method":"kernel.agent.create","params":{"name":"NAME","template":"t"}}`;
  for (const [number, size] of [1, 2, 3].entries()) {
    using raw = await openRaw({ path: on.socketPath });
    raw.send('POST /rpc HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n');
    const bytes = Buffer.from(body.replace('NAME', `${name}${number}`));
    for (let at = 0; at < bytes.length; at += size) {
      const piece = bytes.subarray(at, at + size);
      raw.send(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]));
    }
    raw.send('0\r\n\r\n');
    await raw.until(/"result":/);
  }
  const { result } = await on.call('kernel.agent.list');
  expect((result as { readonly agents: readonly { readonly name: string }[] }).agents.map((each) => each.name)).toEqual(
    [0, 1, 2].map((number) => `${name}${number}`),
  ); // As the contract has it.
});

it('requests that come in one piece are answered in their order', async () => {
  await using on = await openTestGateway();
  using raw = await openRaw({ path: on.socketPath });
  const call = (id: number) =>
    requestText(`{"jsonrpc":"2.0","id":${id},"method":"kernel.agent.create","params":{"name":"a","template":"t"}}`);
  raw.send(Array.from({ length: 50 }, (_, id) => call(id)).join(''));
  const text = await raw.until(/"id":49/);
  expect([...text.matchAll(/"id":(\d+)/g)].map(([, id]) => Number(id))).toEqual(Array.from({ length: 50 }, (_, id) => id));
});

it('requests that pile up on one connection are refused beyond the limit', async () => {
  await using on = await openTestGateway({ limits: { callsPerConnectionMax: 4 } });
  using raw = await openRaw({ path: on.socketPath });
  const wait = '{"jsonrpc":"2.0","id":1,"method":"queue.claim","params":{"worker_id":"w","wait_ms":60000}}';
  raw.send(requestText(wait).repeat(6));
  // The first four wait for work, and the answers to the others wait for theirs.
  for (let count = 0; count < 4; count++) {
    const { pid } = await on.kernel.workspace(DEFAULT_WORKSPACE).processes.create({ name: 'a', template: 't' });
    await on.call('queue.enqueue', { pid });
  }
  const answers = await raw.until(/busy.*busy/s);
  expect([...answers.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => Number(status))).toEqual([200, 200, 200, 200, 503, 503]);
});

it('calls that wait are refused beyond the share of who makes them, and answered when others are done', async () => {
  await using on = await openTestGateway({ limits: { waitsPerProcessMax: 2 } });
  const { processes, mail } = on.kernel.workspace(DEFAULT_WORKSPACE);
  const { pid } = await processes.create({ name: 'a', template: 't' });
  await mail.createBox(pid);
  const token = await on.tokenFor({ kind: 'process', workspace: DEFAULT_WORKSPACE, pid });
  const receive = (wait_ms: number) => on.call('mail.receive', { pid, wait_ms }, { token });
  const waiting = [receive(60_000), receive(60_000), receive(60_000)];
  expect((await Promise.race(waiting)).error?.data).toMatchObject({ fault: 'busy' });
  // Who does not wait takes no place, and others have their own.
  expect(await receive(0)).toMatchObject({ result: { messages: [] } });
  expect(await on.call('mail.receive', { pid, wait_ms: 1 })).toMatchObject({ result: { messages: [] } });
  for (const kind of ['a', 'b']) await mail.send(undefined, pid, { kind });
  const answers = await Promise.all(waiting);
  expect(answers.filter(({ result }) => result !== undefined)).toHaveLength(2);
  expect(await receive(1)).toMatchObject({ result: {} });
});

it.each([
  ['two lengths', requestText(info, { 'Content-Length': 5 })],
  ['a length that is none', requestText(info, { 'content-length': 'x' })],
  ['a length below zero', requestText(info, { 'content-length': -1 })],
  ['a length and chunks', requestText(info, { 'transfer-encoding': 'chunked' })],
  ['a length that is too short', requestText(info, { 'content-length': 5 })],
  ['chunks that are none', requestText('zz\r\n', { 'transfer-encoding': 'chunked' }).replace(/content-length: \d+\r\n/, '')],
  ['a header in the middle of which a line ends', requestText(info, { 'x-client-id': 'a\nx-evil: 1' })],
  ['a zero byte in a header', requestText(info, { 'x-client-id': 'a\0b' })],
  ['no host', requestText(info).replace('host: localhost\r\n', '')],
  ['a version there is not', requestText(info).replace('HTTP/1.1', 'HTTP/7')],
  ['a method there is not', requestText(info).replace('POST', 'P@ST')],
  ['another protocol', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
])('a request with %s is malformed, and its connection closed', async (_name, text) => {
  await using on = await openTestGateway();
  using raw = await openRaw({ path: on.socketPath });
  raw.send(text);
  expect(await raw.closed()).toMatch(/HTTP\/1.1 400 /);
  expect(raw.received).not.toContain('x-evil');
  expect(await isWell(on)).toBe(true);
});

it('headers that are too large are refused', async () => {
  await using on = await openTestGateway();
  using raw = await openRaw({ path: on.socketPath });
  raw.send(requestText(info, { 'x-large': 'x'.repeat(100_000) }));
  expect(await raw.closed()).toMatch(/^HTTP\/1.1 431 /);
  expect(await isWell(on)).toBe(true);
});

it('says so also to who sends on and reads later', async () => {
  await using on = await openTestGateway();
  const refused = async (): Promise<string> => {
    using raw = await openRaw({ path: on.socketPath });
    raw.socket.pause();
    await new Promise((resolve) => raw.socket.write(requestText(info, { 'x-large': 'x'.repeat(300_000) }), resolve));
    raw.socket.resume();
    return await raw.closed();
  };
  for (const answer of await Promise.all(Array.from({ length: 20 }, refused))) expect(answer).toMatch(/^HTTP\/1.1 431 /);
  expect(await isWell(on)).toBe(true);
});

it('hears nobody out who never ends', async () => {
  await using on = await openTestGateway();
  using raw = await openRaw({ path: on.socketPath });
  const forever = (): void => {
    while (raw.socket.writable && raw.socket.write('x'.repeat(65_536)));
  };
  raw.socket.on('drain', forever);
  raw.send('GET / HTTP/1.1\r\nx-large: ');
  forever();
  await raw.closed();
  expect(raw.socket.bytesWritten).toBeLessThan(16 * 2 ** 20);
  expect(await isWell(on)).toBe(true);
});

it('connections beyond the limit are dropped, and there is room again when some close', async () => {
  await using on = await openTestGateway({ limits: { connectionsMax: 3 } });
  const raws = await Promise.all([1, 2, 3].map(() => openRaw({ path: on.socketPath })));
  for (const raw of raws) {
    raw.send(requestText(info));
    await raw.until(/"next_pid"/);
  }
  using fourth = await openRaw({ path: on.socketPath });
  expect(await fourth.closed()).toBe('');
  expect(on.logged.some((line) => line.includes('dropped'))).toBe(true);
  for (const raw of raws) {
    raw.socket.destroy();
    await raw.closed();
  }
  on.logged.splice(0);
  expect(await isWell(on)).toBe(true);
});

it('who does not take an answer is cut off after a while', async () => {
  await using on = await openTestGateway({ limits: { stallMs: 100 } });
  const { pid } = await on.kernel.workspace(DEFAULT_WORKSPACE).processes.create({ name: 'a', template: 't' });
  await on.call('kernel.fs.write', { pid, path: '/large', content: Buffer.alloc(8 * MIB).toString('base64') });
  using raw = await openRaw({ path: on.socketPath });
  raw.socket.pause();
  raw.send(requestText('{"jsonrpc":"2.0","id":1,"method":"kernel.fs.read","params":{"path":"/large"}}'));
  await on.untilLogged('An answer was not taken');
  raw.socket.resume();
  expect((await raw.closed()).length).toBeLessThan(8 * MIB);
  on.logged.splice(0);
  expect(await isWell(on)).toBe(true);
});
