/** Answers that come bit by bit go on as they come: each step waits for the one before to have arrived, so one that is held back would end the test. */

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EgressNetwork } from '../../packages/sandbox/src/egress/proxy/egress-network.ts';
import type { AnswerRedactor } from '../../packages/sandbox/src/egress/proxy/secret/egress-secrets.ts';
import { type Certificate, TestAuthority } from '../ssrf/certificates.ts';
import { ManualClock } from '../ssrf/manual-clock.ts';
import { RawServer } from '../ssrf/raw-server.ts';
import { openInner, openTunnel } from './inner-client.ts';
import { startProxy } from './proxy-client.ts';

let authority: TestAuthority;
let tls: Certificate;
beforeAll(async () => {
  authority = await TestAuthority.create();
  tls = await authority.issue(['DNS:web.test']);
});
afterAll(async () => await authority[Symbol.asyncDispose]());

/** Gives on what it gets. */
const passing: AnswerRedactor = {
  text: (text) => text,
  bytes: (bytes) => bytes,
  stream: () => ({ push: (chunk) => chunk, flush: () => new Uint8Array(0), end: () => new Uint8Array(0) }),
};
const SECRETS: Partial<EgressNetwork> = { secrets: { substitute: () => ({ kind: 'not_bound' }), redactor: () => passing } };
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const EVENTS = ['data: one\n\n', 'data: two\n\n', 'data: three\n\n'];

/** Reads on until the text is there. */
async function until(connection: Duplex, wanted: string, seen: { text: string }): Promise<void> {
  if (seen.text.includes(wanted)) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const read = (bytes: Buffer): void => {
    seen.text += bytes.toString('latin1');
    if (seen.text.includes(wanted)) resolve();
  };
  const end = (): void => reject(new Error(`It ended before ${JSON.stringify(wanted)}: ${seen.text}`));
  connection.on('data', read);
  connection.once('close', end);
  connection.resume();
  await promise;
  connection.off('data', read);
  connection.off('close', end);
}

type Streaming = AsyncDisposable & { readonly server: RawServer; readonly host: Promise<Socket> };

/** Takes one request and leaves the answer to the test. */
async function serve(isTls: boolean): Promise<Streaming> {
  const { promise, resolve } = Promise.withResolvers<Socket>();
  const server = await RawServer.start((_request, connection) => resolve(connection), isTls ? { tls } : {});
  return { server, host: promise, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

describe('events that a host sends', () => {
  it.each([
    ['in plain HTTP', false, {}],
    ['in opened TLS', true, {}],
    ['in opened TLS, looked through for secrets', true, SECRETS],
    ['in plain HTTP, looked through for secrets', false, SECRETS],
  ])('%s arrive one by one, and the head before the first', async (_, isTls, network) => {
    await using streaming = await serve(isTls);
    const host = `web.test:${streaming.server.port}`;
    const options = { privateNetworks: ['127.0.0.1/32'], tls: { ca: authority.ca }, resolve: async () => ['127.0.0.1'] };
    await using client = startProxy({ rules: [{ host, inspect: true }], ...network }, options);
    const connection = isTls ? await openInner(client.proxy, host) : await openTunnel(client.proxy, host);
    const seen = { text: '' };
    connection.write(`GET /events HTTP/1.1\r\nHost: ${host}\r\nAccept: text/event-stream\r\n\r\n`);
    const answering = await streaming.host;
    answering.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
    await until(connection, '\r\n\r\n', seen);
    for (const event of EVENTS) {
      answering.write(chunk(event));
      await until(connection, event, seen);
    }
    answering.end('0\r\n\r\n');
    await until(connection, '0\r\n\r\n', seen);
    expect(seen.text.match(/data: /g)).toHaveLength(EVENTS.length);
  });

  it('compressed arrive as the host flushes them', async () => {
    await using streaming = await serve(true);
    const host = `web.test:${streaming.server.port}`;
    const options = { privateNetworks: ['127.0.0.1/32'], tls: { ca: authority.ca }, resolve: async () => ['127.0.0.1'] };
    await using client = startProxy({ rules: [{ host, inspect: true }], ...SECRETS }, options);
    const connection = await openInner(client.proxy, host);
    const seen = { text: '' };
    connection.write(`GET /events HTTP/1.1\r\nHost: ${host}\r\nAccept-Encoding: gzip\r\n\r\n`);
    const answering = await streaming.host;
    answering.write('HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (const event of EVENTS) {
      const bytes = gzipSync(event);
      answering.write(`${bytes.length.toString(16)}\r\n`);
      answering.write(bytes);
      answering.write('\r\n');
      await until(connection, event, seen);
    }
  });

  it('with a length are not waited for in whole', async () => {
    await using streaming = await serve(true);
    const clock = new ManualClock();
    const host = `web.test:${streaming.server.port}`;
    const options = { privateNetworks: ['127.0.0.1/32'], tls: { ca: authority.ca }, resolve: async () => ['127.0.0.1'], clock };
    await using client = startProxy({ rules: [{ host, inspect: true }], ...SECRETS }, options);
    const connection = await openInner(client.proxy, host);
    const seen = { text: '' };
    connection.write(`GET /slow HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    const answering = await streaming.host;
    const waitingBefore = clock.waiting;
    answering.write('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nfirst half');
    while (clock.waiting <= waitingBefore) await new Promise((resolve) => setImmediate(resolve));
    clock.pass(20);
    await until(connection, 'first half', seen);
    answering.write(' and other');
    await until(connection, ' and other', seen);
    await until(connection, '0\r\n\r\n', seen);
    expect(seen.text).not.toMatch(/content-length/i);
  });
});

describe('a body that a command sends', () => {
  it('bit by bit arrives so, its head before it', async () => {
    await using streaming = await serve(true);
    const host = `web.test:${streaming.server.port}`;
    const options = { privateNetworks: ['127.0.0.1/32'], tls: { ca: authority.ca }, resolve: async () => ['127.0.0.1'] };
    await using client = startProxy({ rules: [{ host, inspect: true }] }, options);
    const connection = await openInner(client.proxy, host);
    connection.write(`POST /up HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const receiving = await streaming.host; // It has the head.
    const seen = { text: '' };
    for (const event of EVENTS) {
      connection.write(chunk(event));
      await until(receiving, event, seen);
    }
  });
});
