/** Servers that try to hold, flood, crash or mislead whoever asks them. */
import type { Socket } from 'node:net';
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createEgress } from '../../packages/sandbox/src/egress/create-egress.ts';
import type { EgressRequest } from '../../packages/sandbox/src/egress/egress.ts';
import { ManualClock } from './manual-clock.ts';
import { answer, RawServer } from './raw-server.ts';
import { readAll, refusalOf } from './refusal-of.ts';

const RULES = { hosts: ['*'], privateNetworks: ['127.0.0.1/32', '::1/128'] };
const never = new AbortController().signal;
const OK = 'HTTP/1.1 200 OK\r\n';

async function ask(serve: (connection: Socket, request: string) => void, request: Partial<EgressRequest> = {}) {
  await using server = await RawServer.start((text, connection) => serve(connection, text));
  await using egress = createEgress();
  const response = await egress.fetch(RULES, { ...request, url: `http://127.0.0.1:${server.port}/` }, never);
  const body = await readAll(response);
  return { response, body, text: body.toString('latin1') };
}

/** Writes for as long as somebody reads. */
function flood(connection: Socket, piece: string): void {
  const more = (): void => {
    while (!connection.destroyed && connection.write(piece));
  };
  connection.on('drain', more);
  more();
}

describe('a server that', () => {
  it('drips is ended by the deadline, whatever arrives meanwhile', async () => {
    const clock = new ManualClock();
    let drip = (): void => {};
    await using server = await RawServer.start((_text, connection) => {
      connection.write(`${OK}content-length: 1000\r\n\r\n`);
      drip = () => connection.write('x');
    });
    await using egress = createEgress({ clock });
    const response = await egress.fetch(RULES, { url: `http://127.0.0.1:${server.port}/`, deadlineMs: 1_000 }, never);
    const chunks = response.body[Symbol.asyncIterator]();
    for (let at = 0; at < 4; at++) {
      drip();
      expect((await chunks.next()).done).toBe(false);
      clock.pass(240);
    }
    const next = refusalOf(chunks.next());
    clock.pass(40);
    expect((await next).reason).toBe('deadline');
    await server.idle();
    expect(clock.waiting).toBe(0);
  });

  it('drips headers, or says nothing, is ended by the deadline', async () => {
    for (const start of ['', 'HTTP/1.1 20', `${OK}x: y\r\n`, 'HTTP/1.1 302 Found\r\nlocation: /\r\n']) {
      const clock = new ManualClock();
      const asked = Promise.withResolvers<void>();
      await using server = await RawServer.start((_text, connection) => {
        connection.write(start);
        asked.resolve();
      });
      await using egress = createEgress({ clock });
      const late = refusalOf(egress.fetch(RULES, { url: `http://127.0.0.1:${server.port}/`, deadlineMs: 1_000 }, never));
      await asked.promise;
      clock.pass(1_000);
      expect((await late).reason).toBe('deadline');
      await server.idle();
    }
  });

  it('never ends its body is ended by the limit', async () => {
    const endless = `${OK}transfer-encoding: chunked\r\n\r\n`;
    for (const [head, piece] of [
      [`${OK}\r\n`, 'x'.repeat(10_000)],
      [endless, `2710\r\n${'x'.repeat(10_000)}\r\n`],
      [endless, '1\r\nx\r\n'.repeat(1_000)],
      [`${OK}content-length: 99999999999\r\n\r\n`, 'x'.repeat(10_000)],
    ] as const) {
      const refusal = await refusalOf(
        ask(
          (connection) => {
            connection.write(head);
            flood(connection, piece);
          },
          { bodyBytesMax: 100_000 },
        ),
      );
      expect(refusal.reason).toBe('too_large');
    }
  });

  it('sends endless framing instead of a body is ended', async () => {
    for (const [head, piece] of [
      [`${OK}transfer-encoding: chunked\r\n\r\n1`, ';x=y'.repeat(1_000)],
      [`${OK}transfer-encoding: chunked\r\n\r\n`, '1;x=yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\nx\r\n'.repeat(100)],
      [`${OK}transfer-encoding: chunked\r\n\r\n0\r\n`, 'trailer: x\r\n'.repeat(100)],
      [`${OK}transfer-encoding: chunked\r\n\r\n`, '0'.repeat(1_000)],
    ] as const) {
      const refusal = await refusalOf(
        ask(
          (connection) => {
            connection.write(head);
            flood(connection, piece);
          },
          { bodyBytesMax: 100_000 },
        ),
      );
      expect(['too_large', 'protocol_error']).toContain(refusal.reason);
    }
  });

  it('sends endless headers, or answers before the answer, is ended', async () => {
    for (const [head, piece, reason] of [
      [OK, 'x-y: zzzzzzzzzzzzzzzzzzz\r\n'.repeat(100), 'too_large'],
      [`${OK}x: `, 'y'.repeat(1_000), 'too_large'],
      ['HTTP/1.1 200 ', 'O'.repeat(1_000), 'too_large'],
      ['', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(10), 'protocol_error'],
      ['', 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'.repeat(10), 'protocol_error'],
      ['', 'HTTP/1.1 199 X\r\n\r\n', 'protocol_error'],
    ] as const) {
      const refusal = await refusalOf(
        ask((connection) => {
          connection.write(head);
          flood(connection, piece);
        }),
      );
      expect([piece.slice(0, 20), refusal.reason]).toEqual([piece.slice(0, 20), reason]);
    }
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', (bytes: Buffer) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 2 } })],
    ['zstd', zstdCompressSync],
  ])('sends a bomb of %s is ended by the limit, with little memory', async (encoding, compress) => {
    const bomb = compress(Buffer.alloc(128 * 1024 * 1024));
    const before = process.memoryUsage().rss;
    const refusal = await refusalOf(
      ask((connection) => answer(connection, `200 OK\r\ncontent-encoding: ${encoding}`, bomb), { bodyBytesMax: 1024 * 1024 }),
    );
    expect(refusal.reason).toBe('too_large');
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  });

  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZIP', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
    ['identity', (bytes: Buffer) => bytes],
  ])('compresses with %s is read', async (encoding, compress) => {
    const { text } = await ask((connection) =>
      answer(connection, `200 OK\r\ncontent-encoding: ${encoding}`, compress(Buffer.from('hello '.repeat(1_000)))),
    );
    expect(text).toBe('hello '.repeat(1_000));
  });

  it.each([
    ['a compression nobody knows', (c: Socket) => answer(c, '200 OK\r\ncontent-encoding: compress', 'x')],
    ['two compressions', (c: Socket) => answer(c, '200 OK\r\ncontent-encoding: gzip, gzip', gzipSync(gzipSync('x')))],
    ['what is not compressed', (c: Socket) => answer(c, '200 OK\r\ncontent-encoding: gzip', 'plain text')],
    [
      'half of what is compressed',
      (c: Socket) => answer(c, '200 OK\r\ncontent-encoding: gzip', gzipSync('x'.repeat(9_999)).subarray(0, 30)),
    ],
    ['less than it said', (c: Socket) => c.end(`${OK}content-length: 100\r\n\r\nshort`)],
    ['a chunk that ends early', (c: Socket) => c.end(`${OK}transfer-encoding: chunked\r\n\r\n64\r\nshort`)],
    ['no last chunk', (c: Socket) => c.end(`${OK}transfer-encoding: chunked\r\n\r\n5\r\nshort\r\n`)],
    ['a chunk without a size', (c: Socket) => c.end(`${OK}transfer-encoding: chunked\r\n\r\nzz\r\nshort\r\n0\r\n\r\n`)],
    ['a chunk of a negative size', (c: Socket) => c.end(`${OK}transfer-encoding: chunked\r\n\r\n-5\r\nshort\r\n0\r\n\r\n`)],
    ['a chunk of a huge size', (c: Socket) => c.end(`${OK}transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nx\r\n0\r\n\r\n`)],
    ['two lengths', (c: Socket) => c.end(`${OK}content-length: 1\r\ncontent-length: 2\r\n\r\nab`)],
    ['a length and chunks', (c: Socket) => c.end(`${OK}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`)],
    ['a negative length', (c: Socket) => c.end(`${OK}content-length: -1\r\n\r\nab`)],
    ['a length that is none', (c: Socket) => c.end(`${OK}content-length: 0x5\r\n\r\nabcde`)],
    ['a header folded over lines', (c: Socket) => c.end(`${OK}x: a\r\n b\r\ncontent-length: 0\r\n\r\n`)],
    ['a header with a lone CR', (c: Socket) => c.end(`${OK}x: a\rb: c\r\ncontent-length: 0\r\n\r\n`)],
    ['a header with a NUL', (c: Socket) => c.end(`${OK}x: a\0b\r\ncontent-length: 0\r\n\r\n`)],
    ['a header without a name', (c: Socket) => c.end(`${OK}: a\r\ncontent-length: 0\r\n\r\n`)],
    ['a space before a colon', (c: Socket) => c.end(`${OK}x : a\r\ncontent-length: 0\r\n\r\n`)],
    ['another protocol', (c: Socket) => c.end('SSH-2.0-OpenSSH_9.2\r\n')],
    ['HTTP/2', (c: Socket) => c.end('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
    ['HTTP/0.9', (c: Socket) => c.end('<html>hello</html>')],
    ['a change of protocol', (c: Socket) => c.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n')],
    ['a status that is none', (c: Socket) => c.end('HTTP/1.1 99999 X\r\n\r\n')],
    ['random bytes', (c: Socket) => c.end(Buffer.from(Array.from({ length: 4_096 }, (_, index) => (index * 7919) & 255)))],
    ['nothing', (c: Socket) => c.end()],
    ['a reset', (c: Socket) => c.resetAndDestroy()],
    ['a reset in the middle', (c: Socket) => c.write(`${OK}content-length: 99\r\n\r\nx`, () => c.resetAndDestroy())],
  ])('sends %s is a typed refusal', async (_name, serve) => {
    expect((await refusalOf(ask((connection) => serve(connection)))).reason).toBe('protocol_error');
  });

  it('sends a second answer along has it dropped', async () => {
    const { text, response } = await ask((c) =>
      c.end(`${OK}content-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nx-evil: 1\r\ncontent-length: 4\r\n\r\nevil`),
    );
    expect([text, response.headers['x-evil']]).toEqual(['ok', undefined]);
  });

  it('answers before it was asked is not believed', async () => {
    await using server = await RawServer.start(() => {});
    await using egress = createEgress();
    server.greet = `${OK}content-length: 4\r\n\r\nearl`;
    const outcome = await egress.fetch(RULES, { url: `http://127.0.0.1:${server.port}/`, deadlineMs: 5_000 }, never).then(
      async (response) => String(await readAll(response)),
      (error: unknown) => error,
    );
    expect(['earl', 'EgressRefusal']).toContain(outcome instanceof Error ? outcome.name : outcome); // Its own answer either way, to its own client.
  });

  it('sends headers with names of the language has them as they are', async () => {
    const { response } = await ask((c) =>
      answer(c, '200 OK\r\n__proto__: x\r\nconstructor: y\r\nSet-Cookie: a=1, 2\r\nset-cookie: b\r\nvia: p\r\nvia: q'),
    );
    expect(Object.getPrototypeOf(response.headers)).toBe(Object.prototype);
    expect(Object.entries(response.headers)).toEqual(
      expect.arrayContaining([
        ['__proto__', 'x'],
        ['constructor', 'y'],
        ['set-cookie', 'a=1, 2\nb'],
        ['via', 'p, q'],
      ]),
    );
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it.each([
    ['HEAD', '200 OK\r\ncontent-encoding: gzip'],
    ['GET', '204 No Content'],
    ['GET', '304 Not Modified\r\ncontent-encoding: gzip'],
  ])('has no body for %s and %j is not waited for', async (method, head) => {
    const { text } = await ask((c) => c.write(`HTTP/1.1 ${head}\r\nconnection: keep-alive\r\n\r\n`), { method });
    expect(text).toBe('');
  });
});

describe('the caller', () => {
  it.each([
    ['before', false],
    ['while the answer is awaited', true],
  ])('may leave %s: its reason comes back and the connection ends', async (_name, isLater) => {
    const caller = new AbortController();
    const reason = new Error('the caller left');
    await using server = await RawServer.start(() => caller.abort(reason));
    await using egress = createEgress();
    if (!isLater) caller.abort(reason);
    await expect(egress.fetch(RULES, { url: `http://127.0.0.1:${server.port}/` }, caller.signal)).rejects.toBe(reason);
    await server.idle();
    expect(server.connections).toBe(isLater ? 1 : 0);
  });

  it('may leave while the body comes, dispose of it, or stop reading', async () => {
    await using server = await RawServer.start((_text, connection) => {
      connection.write(`${OK}\r\n`);
      flood(connection, 'x'.repeat(10_000));
    });
    await using egress = createEgress({ openMax: 1 });
    const request = { url: `http://127.0.0.1:${server.port}/` };
    const caller = new AbortController();
    const left = await egress.fetch(RULES, request, caller.signal);
    const chunks = left.body[Symbol.asyncIterator]();
    await chunks.next();
    caller.abort(new Error('the caller left'));
    await expect(async () => {
      while ((await chunks.next()).done !== true);
    }).rejects.toThrow('the caller left');
    await server.idle();
    for await (const _ of (await egress.fetch(RULES, request, never)).body) break;
    await server.idle();
    const disposed = await egress.fetch(RULES, request, never);
    disposed.dispose();
    disposed.dispose();
    await server.idle();
    expect(server.connections).toBe(3);
  });

  it('is told when too many are open, and places come back', async () => {
    await using server = await RawServer.start((_text, connection) => connection.write(`${OK}\r\nx`));
    await using egress = createEgress({ openMax: 2 });
    const url = `http://127.0.0.1:${server.port}/`;
    const open = [await egress.fetch(RULES, { url }, never), await egress.fetch(RULES, { url }, never)];
    await expect(egress.fetch(RULES, { url }, never)).rejects.toMatchObject({ code: 'busy' });
    open[0]?.dispose();
    (await egress.fetch(RULES, { url }, never)).dispose();
    open[1]?.dispose();
  });

  it('is ended when the guard closes', async () => {
    await using server = await RawServer.start((_text, connection) => connection.write(`${OK}\r\nx`));
    const egress = createEgress();
    const url = `http://127.0.0.1:${server.port}/`;
    const response = await egress.fetch(RULES, { url }, never);
    const reading = readAll(response);
    await egress[Symbol.asyncDispose]();
    await egress[Symbol.asyncDispose]();
    await expect(reading).rejects.toThrow('the egress guard is closed');
    await expect(egress.fetch(RULES, { url }, never)).rejects.toMatchObject({ code: 'unavailable' });
    await server.idle();
  });

  it('sends exactly what it gave, over IPv6 too, and nothing of the environment', async () => {
    process.env['HTTP_PROXY'] = 'http://127.0.0.1:1/';
    process.env['NODE_USE_ENV_PROXY'] = '1';
    try {
      await using server = await RawServer.start((text, connection) => answer(connection, '200 OK', text), { host: '::1' });
      await using egress = createEgress();
      const request = {
        url: `http://[::1]:${server.port}/a%20b?c=d#e`,
        method: 'POST',
        headers: { 'X-One': 'two', Accept: 'a/b' },
        body: Buffer.from('three'),
      };
      const response = await egress.fetch(RULES, request, never);
      expect(String(await readAll(response)).split('\r\n')).toEqual([
        'POST /a%20b?c=d HTTP/1.1',
        `host: [::1]:${server.port}`,
        'accept-encoding: gzip, deflate, br, zstd',
        'user-agent: warren',
        'x-one: two',
        'accept: a/b',
        'content-length: 5',
        'connection: close',
        '',
        'three',
      ]);
      expect(response.url).toBe(`http://[::1]:${server.port}/a%20b?c=d`);
    } finally {
      delete process.env['HTTP_PROXY'];
      delete process.env['NODE_USE_ENV_PROXY'];
    }
  });

  it('probes what it may reach', async () => {
    await using server = await RawServer.start(() => {});
    await using egress = createEgress();
    expect((await egress.probe(RULES, { host: '127.0.0.1', port: server.port, timeoutMs: 5_000 }, never)).latencyMs).toBeGreaterThan(0);
    const { port } = server;
    await server[Symbol.asyncDispose]();
    const refusal = await refusalOf(egress.probe(RULES, { host: '127.0.0.1', port, timeoutMs: 5_000 }, never));
    expect([refusal.reason, refusal.message]).toEqual(['not_connected', expect.stringContaining('ECONNREFUSED')]);
  });
});
