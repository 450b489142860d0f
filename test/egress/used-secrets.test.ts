/** What was opened before a secret was used, or asks for something else than a whole answer: its value does not come back that way either. Real TLS, and the secrets of a vault as commands have them. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type PlacedSecrets, placeSecrets } from '../../packages/platform/src/egress/place-secrets.ts';
import { type Certificate, TestAuthority } from '../ssrf/certificates.ts';
import { RawServer } from '../ssrf/raw-server.ts';
import { openInner, sayInside } from './inner-client.ts';
import { reasonIn, startProxy, type TestProxy } from './proxy-client.ts';

const VALUE = 'hunter2-hunter2-0123456789';
const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13';
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

let authority: TestAuthority;
let tls: Certificate;
beforeAll(async () => {
  authority = await TestAuthority.create();
  tls = await authority.issue(['DNS:web.test']);
});
afterAll(async () => await authority[Symbol.asyncDispose]());

/** Answers `/use` at once, and leaves everything else to the test. */
let server: RawServer;
let client: TestProxy;
let placed: PlacedSecrets;
let host: string;
let held: PromiseWithResolvers<Socket>;
beforeEach(async () => {
  held = Promise.withResolvers();
  server = await RawServer.start(
    (request, connection) => {
      if (request.startsWith('GET /use ')) connection.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nused');
      else held.resolve(connection);
    },
    { tls },
  );
  host = `web.test:${server.port}`;
  const use = async () => ({ bytes: Buffer.from(VALUE), version: 1, [Symbol.dispose]: () => {} });
  placed = placeSecrets({ use }, [{ name: 'token', variable: 'TOKEN', places: ['header'] }]);
  const options = { privateNetworks: ['127.0.0.1/32'], tls: { ca: authority.ca }, resolve: async () => ['127.0.0.1'] };
  client = startProxy({ rules: [{ host, inspect: true }], secrets: placed.secrets }, options);
});
afterEach(async () => {
  await client[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

function requestOf(head: string): string {
  const [line = '', ...lines] = head.split('\r\n');
  return [`${line} HTTP/1.1`, `Host: ${host}`, ...lines, '', ''].join('\r\n');
}

async function ask(head: string): Promise<string> {
  return await sayInside(await openInner(client.proxy, host), requestOf(`${head}\r\nConnection: close`));
}

/** The secret is used for the first time. */
async function useSecret(): Promise<void> {
  expect(await ask(`GET /use\r\nAuthorization: Bearer ${placed.env['TOKEN']}`)).toMatch(/^HTTP\/1\.1 200 OK\r\n.*used/s);
  expect(server.requests.at(-1)).toContain(`Bearer ${VALUE}`);
}

/** A connection that has asked for something, what it is told, and the host's end of it. */
async function open(head: string): Promise<{ readonly inner: TLSSocket; readonly told: () => string; readonly answering: Socket }> {
  const inner = await openInner(client.proxy, host);
  let text = '';
  inner.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  inner.on('error', () => {}); // Its end says all.
  inner.write(requestOf(head));
  return { inner, told: () => text, answering: await held.promise };
}

function end(connection: TLSSocket): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ['end', 'close']) connection.once(event, () => resolve());
  });
}

/** Waits for words of the host to arrive. */
async function until({ inner, told }: { readonly inner: TLSSocket; readonly told: () => string }, wanted: string): Promise<void> {
  while (!told().includes(wanted)) await once(inner, 'data');
}

const refusals = (): readonly unknown[] =>
  client.events.flatMap((event) => (event.kind === 'denied' || event.kind === 'failed' ? [`${event.path} ${event.reason}`] : []));

describe('an answer that began before', () => {
  it('is searched from then on, event by event', async () => {
    const opened = await open('GET /events\r\nConnection: close');
    opened.answering.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n');
    await until(opened, 'data: one\n\n');
    await useSecret();
    opened.answering.end(`data: ${VALUE}\n\ndata: ${Buffer.from(VALUE).toString('base64')}\n\n`);
    await end(opened.inner);
    expect(opened.told()).not.toContain(VALUE);
    expect(opened.told().match(/\[redacted:token\]/g)).toHaveLength(2);
  });

  it('is searched when it is small and waited for in whole', async () => {
    const opened = await open('GET /small\r\nConnection: close');
    await useSecret();
    opened.answering.end(`HTTP/1.1 200 OK\r\nX-Seen: ${VALUE}\r\nContent-Length: ${VALUE.length}\r\n\r\n${VALUE}`);
    await end(opened.inner);
    expect(opened.told()).toMatch(/^HTTP\/1\.1 200 OK\r\nx-seen: \[redacted:token\]\r\n.*\[redacted:token\]/is);
    expect(opened.told()).not.toContain(VALUE);
  });
});

describe('a part of an answer', () => {
  it('is not asked for once a value went out, by whichever request', async () => {
    const before = await open('GET /file\r\nRange: bytes=0-7\r\nIf-Range: "x"');
    expect(server.requests[0]).toMatch(/^range: bytes=0-7\r$/im);
    await useSecret();
    held = Promise.withResolvers();
    const { inner, answering } = await open('GET /file\r\nRange: bytes=8-\r\nIf-Range: "x"\r\nRequest-Range: bytes=8-\r\nX-Other: range');
    expect(server.requests.at(-1)).toMatch(/^GET \/file .*x-other: range\r\n/is);
    expect(server.requests.at(-1)).not.toMatch(/^(?:if-|request-)?range:/im);
    for (const each of [before.answering, answering, before.inner, inner]) each.destroy();
  });

  it('that was asked for before, and comes after, is refused', async () => {
    const { inner, told, answering } = await open('GET /file\r\nRange: bytes=0-7\r\nConnection: close');
    await useSecret();
    answering.end(`HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-7/26\r\nContent-Length: 8\r\n\r\n${VALUE.slice(0, 8)}`);
    await end(inner);
    expect(reasonIn(told())).toBe('protocol_error');
    expect(told()).not.toContain(VALUE.slice(0, 8));
    expect(refusals()).toEqual(['/file protocol_error']);
  });

  it('that is on its way ends', async () => {
    const opened = await open('GET /file\r\nRange: bytes=0-99');
    opened.answering.write(
      'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-99/200\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n',
    );
    await until(opened, 'first');
    const closed = end(opened.inner);
    await useSecret();
    await closed;
    expect(refusals()).toEqual(['/file protocol_error']);
  });
});

describe('a WebSocket', () => {
  it('is not opened once a value went out, with or without a placeholder', async () => {
    await useSecret();
    expect(reasonIn(await ask(`GET /ws\r\n${UPGRADE}`))).toBe('secret_misplaced');
    expect(server.requests).toHaveLength(1);
  });

  it('that is open ends before the value goes out', async () => {
    const opened = await open(`GET /ws\r\n${UPGRADE}`);
    opened.answering.write(`${SWITCHED}hello`);
    await until(opened, 'hello');
    const closed = end(opened.inner);
    await useSecret();
    await closed;
    opened.answering.write(VALUE);
    expect(opened.told()).toBe(`${SWITCHED}hello`);
    expect(refusals()).toEqual(['/ws secret_misplaced']);
  });

  it('that was asked for before, and is granted after, is refused', async () => {
    const { inner, told, answering } = await open(`GET /ws\r\n${UPGRADE}`);
    await useSecret();
    answering.write(`${SWITCHED}${VALUE}`);
    await end(inner);
    expect(reasonIn(told())).toBe('secret_misplaced');
    expect(told()).not.toContain(VALUE);
    expect(refusals()).toEqual(['/ws secret_misplaced']);
  });

  it('goes through as long as none did', async () => {
    const opened = await open(`GET /ws\r\n${UPGRADE}`);
    opened.answering.write(`${SWITCHED}hello`);
    await until(opened, 'hello');
    opened.inner.write('back');
    const [frame] = await once(opened.answering, 'data');
    expect(String(frame)).toBe('back');
    opened.inner.destroy();
  });
});
