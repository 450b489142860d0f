/** The client in a browser, against the real gateway over TCP. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer, type Server } from 'node:net';
import { join } from 'node:path';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { PASSPHRASE, signIn } from '../../packages/gateway/src/test-support/browser.ts';
import { openTestGateway, type TestGateway } from '../../packages/gateway/src/test-support/open-test-gateway.ts';
import { ROOT } from '../boundaries/read-tree.ts';
import { bundleForBrowsers, runAsInBrowser } from './browser.ts';

type Browser = ReturnType<typeof runAsInBrowser>;
let code = '';
let browser: Browser;

beforeAll(async () => {
  ({ code } = await bundleForBrowsers());
  browser = runAsInBrowser(code);
});

async function operator(on: TestGateway): Promise<string> {
  return await on.tokenFor({ kind: 'operator' });
}

async function serving(server: Server): Promise<{ readonly url: string } & AsyncDisposable> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // It listens on TCP.
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('the bundle for browsers', () => {
  it('needs nothing of Node, nor the schemas of the contract', async () => {
    const { imports } = await bundleForBrowsers();
    expect(imports).toEqual([]);
    expect(code).not.toMatch(/['"`]node:|\brequire\(/);
    expect(code.length).toBeLessThan(64_000);
  });

  it('would be seen to need Node', async () => {
    const directory = mkdtempSync(join(ROOT, 'build', 'planted-'));
    try {
      writeFileSync(join(directory, 'planted.ts'), "import { connect } from 'node:net';\nexport const planted = connect;\n");
      expect((await bundleForBrowsers(join(directory, 'planted.ts'))).imports).toEqual(['node:net']);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

describe('a client in a browser', () => {
  it('calls operations, as methods too, and throws the faults of the daemon', async () => {
    await using gateway = await openTestGateway();
    await using client = browser.connect({ url: `http://127.0.0.1:${gateway.port}`, token: await operator(gateway) });
    const { pid } = await client.call('kernel.agent.create', { name: 'one', template: 'test' });
    expect(await browser.operationsOf(client).kernel.agent.get({ pid })).toMatchObject({ pid, name: 'one' });
    const unknown = await client.call('kernel.agent.get', { pid: 99 }).catch((error: unknown) => error);
    expect(browser.isFault(unknown, 'unknown_pid') && unknown.details).toMatchObject({ pid: 99 });
    await using nobody = browser.connect({ url: `http://127.0.0.1:${gateway.port}`, token: 'wrong' });
    await expect(nobody.call('kernel.info', {})).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('follows events, without gaps or repeats when the connection is cut again and again', async () => {
    await using gateway = await openTestGateway();
    await using cutting = await serving(cuttingProxy(gateway.port, 800));
    await using direct = browser.connect({ url: `http://127.0.0.1:${gateway.port}`, token: await operator(gateway) });
    const { pid } = await direct.call('kernel.agent.create', { name: 'one', template: 'test' });
    for (let n = 0; n < 20; n++) await direct.call('kernel.events.append', { pid, kind: 'test.counted', payload: { n } });
    await using client = browser.connect({ url: cutting.url, token: await operator(gateway) });
    const [seen, interruptions, controller] = [[] as unknown[], [] as string[], new AbortController()];
    const onInterruption = ({ code: why }: { readonly code: string }): void => void interruptions.push(why);
    for await (const event of client.events({ after: 0, kind: 'test.counted' }, { signal: controller.signal, onInterruption })) {
      seen.push(event.payload['n']);
      if (seen.length === 20) controller.abort();
    }
    expect(seen).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(interruptions.length).toBeGreaterThan(3);
  });

  it('takes up a stream that has gone silent', async () => {
    const server = createServer((request, response) => {
      const id = Number(request.headers['last-event-id'] ?? 0) + 1;
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`id: ${id}\ndata: {"event_id":${id}}\n\n`);
    });
    await using silent = await serving(server);
    await using client = browser.connect({ url: silent.url, token: 'x' });
    const ids: number[] = [];
    for await (const { event_id } of client.events({}, { signal: new AbortController().signal, silenceMs: 50 })) {
      ids.push(event_id);
      if (ids.length === 2) break;
    }
    expect(ids).toEqual([1, 2]);
    server.closeAllConnections();
  });

  it('drops events that somebody in between sends again', async () => {
    const event = (id: number): string => `id: ${id}\ndata: {"event_id":${id}}\n\n`;
    const server = createServer((_, response) =>
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end([1, 2, 2, 1, 3].map(event).join('')),
    );
    await using repeating = await serving(server);
    await using client = browser.connect({ url: repeating.url, token: 'x' });
    const [ids, controller] = [[] as number[], new AbortController()];
    for await (const { event_id } of client.events({}, { signal: controller.signal, onInterruption: () => controller.abort() }))
      ids.push(event_id);
    expect(ids).toEqual([1, 2, 3]);
  });

  it('acts for who is signed in, by cookie and csrf', async () => {
    await using gateway = await openTestGateway();
    await gateway.kernel.people.create({ name: 'ann', workspace: DEFAULT_WORKSPACE, role: 'viewer', groups: [], passphrase: PASSPHRASE });
    const { cookie, csrf } = await signIn(gateway, 'ann');
    const origin = `http://127.0.0.1:${gateway.port}`;
    // What a browser adds to what a page of this origin asks for.
    const asPage: typeof fetch = (url, init) =>
      fetch(url, {
        ...init,
        headers: {
          ...(init?.headers as object),
          ...(init?.credentials === 'same-origin' && { cookie }),
          origin,
          'sec-fetch-site': 'same-origin',
        },
      });
    const page = runAsInBrowser(code, { fetch: asPage });
    await using client = page.connect({ url: origin, csrf });
    expect(await client.call('kernel.info', {})).toBeDefined();
    await using forged = page.connect({ url: origin, csrf: 'forged' });
    await expect(forged.call('kernel.info', {})).rejects.toMatchObject({ code: 'permission_denied' });
    await using byToken = page.connect({ url: origin, token: 'wrong' });
    await expect(byToken.call('kernel.info', {})).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});

describe('a peer that is no daemon', () => {
  const once = { attemptsMax: 1, token: 'x' };
  const head = (length: number): string => `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

  it.each([
    ['half an answer', `${head(100)}{"jsonrpc":`, 'unavailable'],
    ['a frame that is no HTTP', '\x16\x03\x01\x02\x00', 'unavailable'],
    ['nothing', '', 'unavailable'],
    ['wrong JSON', `${head(7)}{"a":1,`, 'protocol_error'],
    ['an answer to something else', `${head(36)}{"jsonrpc":"2.0","id":9,"result":{}}`, 'protocol_error'],
    [
      'a redirect to somebody who wants the token',
      'HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n',
      'unavailable',
    ],
  ])('%s is a typed error', async (_, answer, code_) => {
    await using server = await serving(createTcpServer((socket) => socket.on('error', () => {}).once('data', () => socket.end(answer))));
    await using client = browser.connect({ url: server.url, ...once });
    await expect(client.call('kernel.info', {})).rejects.toMatchObject({ code: code_ });
  });

  it('an answer without end is cut off', async () => {
    const server = createServer((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(2 ** 20, 'x')));
      };
      response.on('drain', more);
      more();
    });
    await using endless = await serving(server);
    await using client = browser.connect({ url: endless.url, ...once });
    await expect(client.call('kernel.info', {})).rejects.toMatchObject({ code: 'too_large' });
    server.closeAllConnections();
  });

  it('no answer at all ends at the deadline, when the signal fires, and when the client closes', async () => {
    const sockets = new Set<{ destroy(): void }>();
    const asked = Promise.withResolvers<void>();
    await using server = await serving(
      createTcpServer((socket) => {
        sockets.add(socket.on('error', () => {}));
        if (sockets.size === 3) socket.once('data', () => asked.resolve());
      }),
    );
    const client = browser.connect({ url: server.url, ...once });
    await expect(client.call('kernel.info', {}, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'deadline' });
    await expect(client.call('kernel.info', {}, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ code: 'aborted' });
    const call = client.call('kernel.info', {}).catch((error: unknown) => error);
    await asked.promise;
    await client.close();
    expect(await call).toMatchObject({ code: 'unavailable' });
    for (const socket of sockets) socket.destroy();
  });
});

/** Passes bytes on to a daemon, under its name, and cuts each connection after so many bytes of the answer, wherever that is. */
function cuttingProxy(port: number, bytesMax: number): Server {
  return createTcpServer((near) => {
    const far = connectTcp(port, '127.0.0.1');
    const cut = (): void => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on('error', cut).on('close', cut);
    near.on('data', (data) => far.write(data.toString('latin1').replace(/^host: .*$/im, `host: 127.0.0.1:${port}`), 'latin1'));
    let bytes = 0;
    far.on('data', (data) => {
      const left = bytesMax - bytes;
      bytes += data.length;
      if (data.length < left) near.write(data);
      else near.write(data.subarray(0, left), cut);
    });
  });
}
