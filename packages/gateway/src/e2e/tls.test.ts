import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type RequestOptions, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { makeCertificate } from '@warren/platform';
import { expect, it } from 'vitest';
import { SERVE_LIMITS } from '../http/serve-limits.ts';
import { TlsDoor } from '../http/tls/tls-door.ts';
import { PASSPHRASE } from '../test-support/browser.ts';
import { type Answer, openTestGateway, type TestGateway } from '../test-support/open-test-gateway.ts';
import { openRaw } from '../test-support/raw-connection.ts';

class Directory implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'warren-tls-'));
  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

const caOf = (directory: Directory): string => readFileSync(join(directory.path, 'cert.pem'), 'utf8');

function ask(on: TestGateway, options: RequestOptions, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: on.port, agent: false, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    sent.on('error', reject).end(body);
  });
}

it('who knows the certificate is answered over TLS 1.2 and 1.3, and by no older one', async () => {
  using directory = new Directory();
  await using on = await openTestGateway({ tls: { kind: 'self-signed', directory: directory.path } });
  const ca = caOf(directory);
  for (const host of ['127.0.0.1', 'localhost']) expect((await ask(on, { host, ca, path: '/health' })).status).toBe(200);
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) expect((await ask(on, { ca, maxVersion, path: '/health' })).status).toBe(200);
  const old = { ca, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0', path: '/health' } as const;
  await expect(ask(on, old)).rejects.toThrow(/alert|protocol/i);
  await expect(ask(on, { path: '/health' })).rejects.toThrow(/self-signed/);
  // The unix socket stays as it is.
  expect((await on.send({ path: '/health' })).status).toBe(200);
});

it('a page over TLS gets a cookie that nobody else can set, and that is sent over TLS only', async () => {
  using directory = new Directory();
  await using on = await openTestGateway({ tls: { kind: 'self-signed', directory: directory.path } });
  await on.kernel.people.create({ name: 'root', passphrase: PASSPHRASE });
  const ca = caOf(directory);
  const origin = `https://127.0.0.1:${on.port}`;
  const headers = { origin, 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' };
  const body = JSON.stringify({ name: 'root', passphrase: PASSPHRASE });
  const signedIn = await ask(on, { ca, method: 'POST', path: '/api/session', headers }, body);
  const set = signedIn.headers['set-cookie']?.[0] ?? '';
  expect(set).toMatch(/^__Host-warren=wrn_[\w-]+; Path=\/; HttpOnly; SameSite=Strict; Secure; Max-Age=\d+$/);
  const cookie = set.split(';')[0] ?? '';
  expect((await ask(on, { ca, path: '/api/session', headers: { ...headers, cookie } })).status).toBe(200);
  const planted = cookie.replace('__Host-', '');
  expect((await ask(on, { ca, path: '/api/session', headers: { ...headers, cookie: planted } })).status).toBe(401);
  const overHttp = { ...headers, cookie, origin: origin.replace('https', 'http') };
  expect((await ask(on, { ca, path: '/api/session', headers: overHttp })).status).toBe(403);
});

it('plain HTTP is told what to speak, and who says nothing, or nonsense, is cut off', async () => {
  using directory = new Directory();
  await using on = await openTestGateway({ tls: { kind: 'self-signed', directory: directory.path }, limits: { headersMs: 200 } });
  using plain = await openRaw({ port: on.port });
  plain.send(`GET /health HTTP/1.1\r\nhost: 127.0.0.1:${on.port}\r\n\r\n`);
  expect(await plain.closed()).toMatch(/^HTTP\/1.1 400 Bad Request\r\n.*This port speaks TLS: use https/s);
  for (const bytes of ['', '\x16', '\x16\x03\x01\x02\x00\x01\x00']) {
    using raw = await openRaw({ port: on.port });
    if (bytes !== '') raw.send(Buffer.from(bytes, 'latin1'));
    await raw.closed();
  }
  expect((await ask(on, { ca: caOf(directory), path: '/health' })).status).toBe(200);
});

it('files that are replaced are taken when they can be used, and connections there are stay', async () => {
  using directory = new Directory();
  const paths = { cert: join(directory.path, 'c.pem'), key: join(directory.path, 'k.pem') };
  const put = () => {
    const made = makeCertificate(['127.0.0.1'], new Date());
    writeFileSync(paths.cert, made.cert);
    writeFileSync(paths.key, made.key);
  };
  put();
  const said: string[] = [];
  const log = { info: (text: string) => said.push(text), warn: () => {}, error: (text: string) => said.push(text) };
  using door = new TlsDoor({ kind: 'files', ...paths }, [], { limits: SERVE_LIMITS, log });
  const server = await door.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const open = async (): Promise<TLSSocket> => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    return socket;
  };
  const first = await open();
  const before = door.fingerprint;
  expect(first.getPeerCertificate().fingerprint256).toBe(before);
  door.reload();
  writeFileSync(paths.cert, 'nonsense');
  door.reload();
  door.reload();
  expect([door.fingerprint, said]).toEqual([before, ['The certificate there is now cannot be used: the one before stays']]);
  put();
  door.reload();
  const second = await open();
  expect(door.fingerprint).not.toBe(before);
  expect(second.getPeerCertificate().fingerprint256).toBe(door.fingerprint);
  expect(first.destroyed).toBe(false);
  for (const socket of [first, second]) socket.destroy();
  server.close();
});

it('files that cannot be used keep it from starting', async () => {
  using directory = new Directory();
  const tls = { kind: 'files', cert: join(directory.path, 'none.pem'), key: join(directory.path, 'none.key') } as const;
  await expect(openTestGateway({ tls })).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringMatching(/none.pem: there is no such file/),
  });
});

it('people are told of a certificate that stays broken, and not of one that is being replaced', () => {
  using directory = new Directory();
  const paths = { cert: join(directory.path, 'c.pem'), key: join(directory.path, 'k.pem') };
  const make = () => makeCertificate(['localhost'], new Date());
  const put = ({ cert, key }: ReturnType<typeof make>): void => {
    writeFileSync(paths.cert, cert);
    writeFileSync(paths.key, key);
  };
  put(make());
  const told: (string | undefined)[] = [];
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  using door = new TlsDoor({ kind: 'files', ...paths }, [], { limits: SERVE_LIMITS, log }, (reason) => told.push(reason));
  const next = make();
  writeFileSync(paths.cert, next.cert);
  door.reload(); // The key is not there yet.
  expect(told).toEqual([]);
  writeFileSync(paths.key, next.key);
  door.reload();
  expect(told).toEqual([undefined]);
  writeFileSync(paths.cert, 'nonsense');
  for (let count = 0; count < 4; count++) door.reload();
  expect(told).toEqual([undefined, expect.stringContaining('c.pem')]);
  door.reload({ isAsked: true });
  expect(told).toHaveLength(3);
  put(make());
  door.reload();
  expect(told.at(-1)).toBeUndefined();
});
