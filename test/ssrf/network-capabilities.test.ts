/** The network capabilities over the real guard, a real sandbox and servers on loopback. */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { NO_FACTS, type WorkspaceKernel } from '@warren/kernel';
import type { JsonObject, WorkspaceId } from '@warren/protocol';
import { openSandboxes, type Sandbox, type Sandboxes } from '@warren/sandbox';
import { TemporaryDirectory } from '@warren/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../packages/platform/src/capability/handler.ts';
import { networkHandlers } from '../../packages/platform/src/handler/network/network-handlers.ts';
import { createEgress } from '../../packages/sandbox/src/egress/create-egress.ts';
import { addresses, DnsServer } from './dns-server.ts';
import { answer, RawServer } from './raw-server.ts';

const DEFAULTS = {
  'network.http_request': { method: 'GET', headers: {}, body_encoding: 'utf-8', timeout: 10, follow_redirects: true },
  'network.download': { overwrite: false },
  'network.dns_lookup': {},
  'network.port_check': { timeout: 5 },
} as const;
type Name = keyof typeof DEFAULTS;

let agent: Agent;
let dns: DnsServer;
beforeAll(async () => {
  dns = await DnsServer.start({
    'api.test': addresses('127.0.0.2'),
    'inside.test': addresses('127.0.0.1'),
    'public.test': addresses('93.184.216.34'),
    'other.test': addresses('127.0.0.2'),
  });
  agent = await Agent.start(dns);
});
afterAll(async () => {
  await agent[Symbol.asyncDispose]();
  await dns[Symbol.asyncDispose]();
});

const serve = (respond: Parameters<typeof RawServer.start>[0]) => RawServer.start(respond, { host: '127.0.0.2' });

describe('network.http_request', () => {
  it('answers status, headers, text, where it came from, and what it used', async () => {
    await using server = await serve((text, connection) =>
      answer(
        connection,
        text.includes('/a ') ? '301 Moved\r\nlocation: /b' : '201 Created\r\ncontent-type: text/plain\r\nX-One: 1',
        'grüße',
      ),
    );
    const url = `http://api.test:${server.port}`;
    const { output, usage, taint } = await agent.act('network.http_request', { url: `${url}/a` });
    expect(output).toMatchObject({ status_code: 201, body: 'grüße', body_encoding: 'utf-8', url: `${url}/b` });
    expect(output['headers']).toMatchObject({ 'x-one': '1', 'content-type': 'text/plain' });
    expect(output['redirects']).toEqual([{ from: `${url}/a`, to: `${url}/b`, status: 301 }]);
    expect(output['duration_ms']).toEqual(expect.any(Number));
    expect(usage?.['net_bytes']).toBeGreaterThan(300);
    expect(taint).toEqual(['web', 'web:api.test']);
  });

  it('sends text and base64, and leaves redirects alone when asked', async () => {
    await using server = await serve((text, connection) => answer(connection, '302 Found\r\nlocation: /b', Buffer.from(text, 'latin1')));
    const url = `http://api.test:${server.port}/`;
    const text = await agent.call('network.http_request', {
      url,
      method: 'POST',
      body: 'grüße',
      headers: { 'content-type': 'text/x' },
      follow_redirects: false,
    });
    expect(text['status_code']).toBe(302);
    expect(String(text['body'])).toMatch(/content-length: 7\r\n.*grüße$/s);
    const binary = await agent.call('network.http_request', {
      url,
      method: 'PUT',
      body: 'AAH/',
      body_encoding: 'base64',
      follow_redirects: false,
    });
    expect(binary['body_encoding']).toBe('base64');
    expect(Buffer.from(String(binary['body']), 'base64').subarray(-3)).toEqual(Buffer.from([0, 1, 255]));
  });

  it.each([
    ['text/plain; charset=iso-8859-1', Buffer.from('gr\xfc\xdfe', 'latin1'), 'grüße', 'utf-8'],
    ['text/plain; charset="utf-16le"', Buffer.from('hi', 'utf16le'), Buffer.from('hi', 'utf16le').toString('base64'), 'base64'],
    ['text/plain; charset=nonsense', Buffer.from('ü'), 'ü', 'utf-8'],
    [undefined, Buffer.from([0xff, 0xfe, 0x41]), '//5B', 'base64'],
    [undefined, Buffer.alloc(0), '', 'utf-8'],
  ])('reads a body of %s', async (type, bytes, body, encoding) => {
    await using server = await serve((_text, connection) =>
      answer(connection, `200 OK${type === undefined ? '' : `\r\ncontent-type: ${type}`}`, bytes),
    );
    expect(await agent.call('network.http_request', { url: `http://api.test:${server.port}/` })).toMatchObject({
      body,
      body_encoding: encoding,
    });
  });

  it.each([
    [{ url: 'ftp://api.test/' }, 'InvalidUrl'],
    [{ url: 'http://user:password@api.test/' }, 'InvalidUrl'],
    [{ url: 'http://0x7f.1/' }, 'InvalidUrl'],
    [{ url: 'http://elsewhere.example/' }, 'DomainNotAllowed'],
    [{ url: 'http://127.0.0.1/' }, 'DomainNotAllowed'],
    [{ url: 'http://inside.test/' }, 'DomainNotAllowed'],
    [{ url: 'http://localhost/' }, 'DomainNotAllowed'],
    [{ url: 'http://unknown.test/' }, 'RequestFailed'],
    [{ url: 'http://api.test:1/' }, 'DomainNotAllowed'],
    [{ url: 'http://api.test:9999/', method: 'GET', body: 'x' }, 'InvalidMethod'],
    [{ url: 'http://api.test:9999/', method: 'POST', body: 'x!', body_encoding: 'base64' }, 'InvalidInput'],
    [{ url: 'http://api.test:9999/', method: 'POST', body: '\ud800' }, 'InvalidInput'],
    [{ url: 'http://api.test:9999/', headers: { host: 'inside.test' } }, 'InvalidInput'],
    [{ url: 'http://api.test:9999/', headers: { 'x-a': 'b\r\nhost: inside.test' } }, 'InvalidInput'],
  ])('refuses %j: %s', async (input, type) => {
    expect((await agent.fail('network.http_request', input)).type).toBe(type);
  });

  it('says where nothing listens, what is too large, and what was used by then', async () => {
    await using server = await serve((_text, connection) => answer(connection, '200 OK', Buffer.alloc(5 * 1024 * 1024)));
    const large = await agent.fail('network.http_request', { url: `http://api.test:${server.port}/` });
    expect([large.type, large.context]).toEqual(['ResponseTooLarge', expect.objectContaining({ host: 'api.test', reason: 'too_large' })]);
    expect(large.usage?.['net_bytes']).toBeGreaterThan(700 * 1024);
    const { port } = server;
    await server[Symbol.asyncDispose]();
    expect((await agent.fail('network.http_request', { url: `http://api.test:${port}/` })).type).toBe('RequestFailed');
  });

  it('does not tell a private address to an agent that only knows a name', async () => {
    const error = await agent.fail('network.http_request', { url: 'http://inside.test/' });
    expect(JSON.stringify([error.message, error.agentMessage, error.context])).not.toContain('127.');
  });

  it('ends when the call is given up', async () => {
    const caller = new AbortController();
    await using server = await serve(() => caller.abort(new Error('given up')));
    await expect(agent.act('network.http_request', { url: `http://api.test:${server.port}/` }, caller.signal)).rejects.toThrow('given up');
    await server.idle();
  });
});

describe('network.download', () => {
  const content = Buffer.from(Array.from({ length: 700_000 }, (_, index) => (index * 31) & 255));
  const checksum = createHash('sha256').update(content).digest('hex');

  it('puts the file into the workspace as it came', async () => {
    await using server = await serve((_text, connection) => answer(connection, '200 OK', content));
    const url = `http://api.test:${server.port}/a.bin`;
    const { output, usage, taint } = await agent.act('network.download', { url, path: 'a.bin', expected_checksum: checksum });
    expect(output).toMatchObject({ path: '/workspace/a.bin', size: content.length, checksum, duration_ms: expect.any(Number) });
    expect(usage).toMatchObject({ fs_w_bytes: content.length, net_bytes: expect.any(Number) });
    expect(taint).toEqual(['web', 'web:api.test']);
    expect(agent.read('a.bin')).toEqual(content);
    expect(server.requests[0]).toContain('accept-encoding: identity\r\n');
  });

  it('replaces a file only when it may, and then as a whole', async () => {
    agent.put('there', 'old');
    await using server = await serve((_text, connection) => answer(connection, '200 OK\r\ncontent-encoding: gzip', gzipSync('new')));
    const input = { url: `http://api.test:${server.port}/`, path: 'there' };
    expect((await agent.fail('network.download', input)).type).toBe('DestinationExists');
    expect([server.connections, String(agent.read('there'))]).toEqual([0, 'old']);
    await agent.act('network.download', { ...input, overwrite: true });
    expect(String(agent.read('there'))).toBe('new');
  });

  it.each([
    ['another checksum', '200 OK', { expected_checksum: '0'.repeat(64) }, 'ChecksumMismatch'],
    ['a status that is no success', '404 Not Found', {}, 'DownloadFailed'],
    ['a file that breaks off', '200 OK\r\ntransfer-encoding: chunked', {}, 'DownloadFailed'],
    ['a broken compression', '200 OK\r\ncontent-encoding: gzip', {}, 'DownloadFailed'],
  ])('keeps nothing of %s, and what was there stays', async (_name, head, more, type) => {
    agent.put('kept', 'old');
    await using server = await serve((_text, connection) =>
      head.includes('chunked') ? connection.end(`HTTP/1.1 ${head}\r\n\r\n5\r\nshort\r\nff\r\n`) : answer(connection, head, 'content'),
    );
    const url = `http://api.test:${server.port}/`;
    const before = agent.list();
    expect((await agent.fail('network.download', { url, path: 'fresh', ...more })).type).toBe(type);
    expect((await agent.fail('network.download', { url, path: 'kept', overwrite: true, ...more })).type).toBe(type);
    expect(agent.list()).toEqual(before);
    expect(String(agent.read('kept'))).toBe('old');
  });

  it('keeps nothing when it is given up half way', async () => {
    const caller = new AbortController();
    await using server = await serve((_text, connection) =>
      connection.write(`HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n${'x'.repeat(9_000)}`),
    );
    const before = agent.list();
    const going = agent.act('network.download', { url: `http://api.test:${server.port}/`, path: 'half' }, caller.signal, () =>
      caller.abort(new Error('given up')),
    );
    await expect(going).rejects.toThrow();
    await server.idle();
    expect(agent.list()).toEqual(before);
  });

  it('writes only where the agent may, wherever links lead', async () => {
    await using server = await serve((_text, connection) => answer(connection, '200 OK', 'x'));
    agent.link('/etc', 'etc');
    agent.directory('directory');
    const url = `http://api.test:${server.port}/`;
    for (const [path, type] of [
      ['../etc/passwd', 'PathOutOfScope'],
      ['/etc/passwd', 'PathOutOfScope'],
      ['etc/fresh', 'PathOutOfScope'],
      ['/tmp/x', 'PathOutOfScope'],
      ['missing/x', 'ParentNotFound'],
      ['directory', 'DestinationExists'],
      ['a\0b', 'InvalidInput'],
    ] as const) {
      expect([path, (await agent.fail('network.download', { url, path, overwrite: true })).type]).toEqual([path, type]);
    }
    expect(server.connections).toBe(0);
  });

  it.each(['http://127.0.0.1/', 'http://inside.test/', 'http://elsewhere.example/', 'http://[::1]/'])('does not fetch %s', async (url) => {
    expect((await agent.fail('network.download', { url, path: 'never' })).type).toBe('DomainNotAllowed');
    expect(agent.list()).not.toContain('never');
  });
});

describe('network.dns_lookup and network.port_check', () => {
  it('answer what may be reached', async () => {
    await using server = await serve(() => {});
    expect(await agent.call('network.dns_lookup', { hostname: 'public.test' })).toEqual({
      addresses: ['93.184.216.34'],
      hostname: 'public.test',
    });
    const open = { host: 'api.test', port: server.port };
    expect(await agent.call('network.port_check', open)).toEqual({ ...open, open: true, latency_ms: expect.any(Number) });
    await server[Symbol.asyncDispose]();
    expect(await agent.call('network.port_check', open)).toEqual({ ...open, open: false, latency_ms: null });
  });

  it.each([
    ['network.dns_lookup', { hostname: 'inside.test' }, 'DomainNotAllowed'],
    ['network.dns_lookup', { hostname: 'elsewhere.example' }, 'DomainNotAllowed'],
    ['network.dns_lookup', { hostname: 'unknown.test' }, 'DnsResolutionFailed'],
    ['network.dns_lookup', { hostname: 'a b' }, 'InvalidInput'],
    ['network.port_check', { host: 'inside.test', port: 80 }, 'DomainNotAllowed'],
    ['network.port_check', { host: '127.0.0.1', port: 80 }, 'DomainNotAllowed'],
    ['network.port_check', { host: 'unknown.test', port: 80 }, 'ConnectionFailed'],
    ['network.port_check', { host: 'api.test', port: 0 }, 'InvalidPort'],
    ['network.port_check', { host: 'api.test', port: 65_536 }, 'InvalidPort'],
  ] as const)('%s refuses %j: %s', async (name, input, type) => {
    expect((await agent.fail(name, input)).type).toBe(type);
  });
});

class Agent implements AsyncDisposable {
  readonly #temporary: TemporaryDirectory;
  readonly #sandboxes: Sandboxes;
  readonly #sandbox: Sandbox;
  readonly #egress;

  private constructor(temporary: TemporaryDirectory, sandboxes: Sandboxes, sandbox: Sandbox, server: DnsServer) {
    this.#temporary = temporary;
    this.#sandboxes = sandboxes;
    this.#sandbox = sandbox;
    this.#egress = createEgress({ dns: { servers: [server.address] }, privateNetworks: ['127.0.0.2/32'] });
  }

  static async start(server: DnsServer): Promise<Agent> {
    const temporary = await TemporaryDirectory.create();
    mkdirSync(temporary.join('files'));
    chmodSync(temporary.join('files'), 0o777);
    const sandboxes = await openSandboxes({ spares: 0 });
    const sandbox = await sandboxes.start({ workspace: { kind: 'writable', directory: temporary.join('files') } });
    return new Agent(temporary, sandboxes, sandbox, server);
  }

  async act(
    name: Name,
    input: JsonObject,
    signal = new AbortController().signal,
    progress: HandlerContext['progress'] = () => {},
  ): Promise<HandlerResult> {
    const handler = networkHandlers[name];
    if (handler === undefined) throw new Error(`There is no handler of ${name}`);
    const whole = { ...DEFAULTS[name], ...input };
    return await handler(whole, this.#context(whole, signal, progress));
  }

  async call(name: Name, input: JsonObject): Promise<JsonObject> {
    return (await this.act(name, input)).output;
  }

  async fail(name: Name, input: JsonObject): Promise<CapabilityError> {
    const error = await this.act(name, input).catch((reason: unknown) => reason);
    if (error instanceof CapabilityError) return error;
    throw new Error(`${name} did not fail as it should`, { cause: error });
  }

  put(name: string, content: string): void {
    writeFileSync(this.#temporary.join('files', name), content);
  }

  link(target: string, name: string): void {
    symlinkSync(target, this.#temporary.join('files', name));
  }

  directory(name: string): void {
    mkdirSync(this.#temporary.join('files', name));
  }

  read(name: string): Buffer {
    return readFileSync(this.#temporary.join('files', name));
  }

  list(): readonly string[] {
    const files = this.#temporary.join('files');
    return existsSync(files) ? readdirSync(files).sort() : [];
  }

  #context(input: JsonObject, signal: AbortSignal, progress: HandlerContext['progress']): HandlerContext {
    const grants = { find: async () => ({ paths: [{ prefix: '/workspace', mode: 'rw' }] }) };
    return {
      actor: { workspace: 'acme' as WorkspaceId, pid: 7, agent: 'ada' }, // Nothing here looks at it.
      callId: 'call_1',
      input,
      taint: [],
      facts: NO_FACTS,
      signal,
      deadlineAt: Date.now() + 600_000,
      progress,
      redact: (text) => text,
      mine: { grants } as unknown as WorkspaceKernel, // Files of the agent ask for its path grants, and for nothing else.
      sandbox: async () => ({ sandbox: this.#sandbox, background: undefined as never, [Symbol.asyncDispose]: async () => {} }),
      egress: this.#egress,
      hosts: ['api.test', 'inside.test', 'public.test', 'unknown.test', '127.0.0.1', '[::1]', 'localhost'],
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#egress[Symbol.asyncDispose]();
    await this.#sandbox[Symbol.asyncDispose]();
    await this.#sandboxes[Symbol.asyncDispose]();
    await this.#temporary[Symbol.asyncDispose]();
  }
}
