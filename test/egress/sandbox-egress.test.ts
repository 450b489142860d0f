/** Commands in real sandboxes, reaching real servers of this machine under names that a real DNS server knows, and trying to reach anything else. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import type { EgressEvent, EgressNetwork, Sandbox, Sandboxes } from '@warren/sandbox';
import { openSandboxes } from '@warren/sandbox';
import { TemporaryDirectory } from '@warren/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificate, TestAuthority } from '../ssrf/certificates.ts';
import { addresses, DnsServer } from '../ssrf/dns-server.ts';
import { answer, RawServer } from '../ssrf/raw-server.ts';
import { Tripwire } from '../ssrf/tripwire.ts';

let dns: DnsServer;
let sandboxes: Sandboxes;
beforeAll(async () => {
  dns = await DnsServer.start({
    'web.test': addresses('127.0.0.1'),
    'private.test': addresses('10.0.0.1'),
    'metadata.test': addresses('169.254.169.254'),
  });
  sandboxes = await openSandboxes({ egress: { dns: { servers: [dns.address] }, privateNetworks: ['127.0.0.1/32'] } });
});
afterAll(async () => {
  await sandboxes[Symbol.asyncDispose]();
  await dns[Symbol.asyncDispose]();
});

async function startWith(rules: EgressNetwork['rules'], network: Partial<EgressNetwork> = {}): Promise<Sandbox> {
  return await sandboxes.start({ network: { kind: 'egress', rules, ...network } });
}

async function say(sandbox: Sandbox, ...argv: readonly string[]): Promise<{ readonly exit: unknown; readonly out: string }> {
  const { exit, stdout, stderr } = await sandbox.run(argv, { timeoutMs: 60_000 });
  return { exit: exit.kind === 'exited' ? exit.code : exit.kind, out: Buffer.concat([stdout, stderr]).toString() };
}

/** A Python program: its words, and what it printed. */
function python(sandbox: Sandbox, program: string): Promise<{ readonly exit: unknown; readonly out: string }> {
  return say(sandbox, '/usr/bin/python3', '-c', program);
}

async function serveHttp(serve: RequestListener, tls?: Certificate): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('tools need no special care', () => {
  it('curl reaches an allowed host over HTTP, and is told in words what is not allowed', async () => {
    await using web = await RawServer.start((_request, connection) => answer(connection, '200 OK', 'hello'));
    const events: EgressEvent[] = [];
    await using sandbox = await startWith([{ host: `web.test:${web.port}` }], { onEvent: (event) => events.push(event) });
    expect(await say(sandbox, 'curl', '-s', `http://web.test:${web.port}/a`)).toEqual({ exit: 0, out: 'hello' });
    const refused = await say(sandbox, 'curl', '-s', 'http://other.test/');
    expect(JSON.parse(refused.out)).toEqual({
      error: {
        type: 'egress_denied',
        reason: 'host_not_allowed',
        host: 'other.test',
        message: 'Cannot reach other.test: no rule of this sandbox allows other.test:80',
      },
    });
    expect((await say(sandbox, 'curl', '-sv', 'https://other.test/')).out).toContain('403 Forbidden (warren: host_not_allowed)');
    expect(events.filter(({ kind }) => kind !== 'ended')).toMatchObject([
      { kind: 'allowed', method: 'GET', host: 'web.test', port: web.port, path: '/a' },
      { kind: 'denied', method: 'GET', host: 'other.test', port: 80, reason: 'host_not_allowed' },
      { kind: 'denied', method: 'CONNECT', host: 'other.test', port: 443, reason: 'host_not_allowed' },
    ]);
    const { egress } = await sandbox.stats();
    expect(egress).toEqual({ bytesSent: web.requests[0]?.length, bytesReceived: expect.any(Number) });
  });

  it('curl speaks TLS with an allowed host, end to end', async () => {
    await using authority = await TestAuthority.create();
    const tls = await authority.issue(['DNS:web.test']);
    await using web = await RawServer.start((_request, connection) => answer(connection, '200 OK', 'secret'), { tls });
    await using sandbox = await startWith([{ host: `web.test:${web.port}` }]);
    await sandbox.writeFile('/tmp/ca.crt', authority.ca);
    expect(await say(sandbox, 'curl', '-s', '--cacert', '/tmp/ca.crt', `https://web.test:${web.port}/`)).toEqual({
      exit: 0,
      out: 'secret',
    });
  });

  it('Python urllib and Node fetch reach it, and hear a refusal', async () => {
    await using web = await serveHttp((_request, response) => response.end('hello'));
    await using sandbox = await startWith([{ host: `web.test:${web.port}` }]);
    const program = (url: string): string =>
      `import urllib.request as u\ntry: print(u.urlopen("${url}").read().decode())\nexcept Exception as e: print(e)`;
    expect((await python(sandbox, program(`http://web.test:${web.port}/`))).out).toBe('hello\n');
    expect((await python(sandbox, program('http://other.test/'))).out).toContain('403');
    expect((await python(sandbox, program('https://other.test/'))).out).toContain('host_not_allowed');
    const node = await sandboxes.start({
      network: { kind: 'egress', rules: [{ host: `web.test:${web.port}` }] },
      mounts: [{ source: process.execPath, target: '/opt/node' }],
    });
    await using _node = node;
    const fetching = `fetch("http://web.test:${web.port}/").then((r) => r.text()).then(console.log)`;
    expect(await say(node, '/opt/node', '-e', fetching)).toEqual({ exit: 0, out: 'hello\n' });
  });

  it('git clones over HTTP and over TLS', async () => {
    await using directory = await TemporaryDirectory.create();
    const git = (...words: readonly string[]): void => void execFileSync('git', words, { cwd: directory.join(), stdio: 'ignore' });
    git('init', '-q', '-b', 'main', 'work');
    git('-C', 'work', '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '--allow-empty', '-m', 'first words');
    git('clone', '-q', '--bare', 'work', 'bare.git');
    git('-C', 'bare.git', 'update-server-info');
    const serve: RequestListener = (request, response) => {
      readFile(join(directory.join(), new URL(request.url ?? '', 'http://x').pathname)).then(
        (bytes) => response.end(bytes),
        () => response.writeHead(404).end(),
      );
    };
    await using authority = await TestAuthority.create();
    await using plain = await serveHttp(serve);
    await using tls = await serveHttp(serve, await authority.issue(['DNS:web.test']));
    await using sandbox = await startWith([
      { host: `web.test:${plain.port}`, methods: ['GET'], paths: ['/bare.git/*'] },
      { host: `web.test:${tls.port}` },
    ]);
    await sandbox.writeFile('/tmp/ca.crt', authority.ca);
    const clone = (url: string, to: string): Promise<unknown> =>
      say(sandbox, 'sh', '-c', `cd /tmp && GIT_SSL_CAINFO=/tmp/ca.crt git clone -q ${url} ${to} && git -C ${to} log --format=%s`);
    expect(await clone(`http://web.test:${plain.port}/bare.git`, 'plain')).toEqual({ exit: 0, out: 'first words\n' });
    expect(await clone(`https://web.test:${tls.port}/bare.git`, 'tls')).toEqual({ exit: 0, out: 'first words\n' });
    expect(await clone(`http://web.test:${plain.port}/other.git`, 'other')).toMatchObject({ exit: 128 });
  });

  it('npm and pip use a registry', async () => {
    await using directory = await TemporaryDirectory.create();
    const wheel = 'thing-1.0-py3-none-any.whl';
    const program = `import zipfile
with zipfile.ZipFile("${directory.join(wheel)}", "w") as z:
    z.writestr("thing.py", "")
    z.writestr("thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: thing\\nVersion: 1.0\\n")
    z.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    z.writestr("thing-1.0.dist-info/RECORD", "")`;
    execFileSync('/usr/bin/python3', ['-c', program]);
    const bytes = await readFile(directory.join(wheel));
    await using web = await serveHttp((request, response) => {
      if (request.url === `/${wheel}`) response.end(bytes);
      else if (request.url === '/simple/thing/') response.setHeader('content-type', 'text/html').end(`<a href="/${wheel}">${wheel}</a>`);
      else
        response.end(
          JSON.stringify({ name: 'thing', 'dist-tags': { latest: '1.2.3' }, versions: { '1.2.3': { name: 'thing', version: '1.2.3' } } }),
        );
    });
    await using sandbox = await startWith([{ host: `web.test:${web.port}` }]);
    const url = `http://web.test:${web.port}`;
    expect(await say(sandbox, '/usr/bin/npm', 'view', 'thing', 'version', '--registry', `${url}/`)).toEqual({ exit: 0, out: '1.2.3\n' });
    const options = [
      '--no-deps',
      '-q',
      '--disable-pip-version-check',
      '-d',
      '/tmp/wheels',
      '--trusted-host',
      'web.test',
      '-i',
      `${url}/simple`,
    ];
    expect((await say(sandbox, '/usr/bin/python3', '-m', 'pip', 'download', ...options, 'thing')).exit).toBe(0);
    expect((await say(sandbox, 'ls', '/tmp/wheels')).out).toBe(`${wheel}\n`);
  });
});

describe('nothing else is reached', () => {
  it('not the services of this machine, however they are called', async () => {
    await using wire = await Tripwire.start();
    await using sandbox = await startWith([{ host: '*' }, { host: `*:${wire.port}` }]);
    const { port } = wire;
    const program = `
import socket
for host in ["127.0.0.1", "::1", "169.254.169.254", "10.0.0.1", "192.0.2.1", "web.test"]:
    try: socket.create_connection((host, ${port}), 3); print("REACHED", host)
    except OSError as e: print("no")
for kind in [(socket.AF_INET, socket.SOCK_RAW, 1), (socket.AF_PACKET, socket.SOCK_RAW, 3)]:
    try: socket.socket(*kind); print("REACHED", kind)
    except OSError as e: print("no")
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try: s.sendto(b"x" * 12, ("${dns.address.split(':')[0]}", ${dns.address.split(':')[1]})); s.settimeout(1); s.recv(100); print("REACHED dns")
except OSError as e: print("no")
try: s.sendto(b"x" * 12, ("8.8.8.8", 53)); s.recv(100); print("REACHED dns")
except OSError as e: print("no")
`;
    const asked = dns.queries.length;
    expect((await python(sandbox, program)).out).toBe('no\n'.repeat(10));
    expect(dns.queries.length).toBe(asked);
    const through = async (host: string): Promise<string> =>
      (await say(sandbox, 'curl', '-s', '-m', '20', '--noproxy', '', `http://${host}:${port}/`)).out;
    expect(await through('private.test')).toContain('address_not_public');
    expect(await through('metadata.test')).toContain('address_not_public');
    expect(await through('169.254.169.254')).toContain('address_not_public');
    expect(await through('localhost')).toContain('host_not_allowed');
    expect(await through('[::1]')).toContain('address_not_public');
    expect(wire.connections).toBe(0);
  });

  it('not ssh or mail through a tunnel, unless a rule names the port', async () => {
    await using sandbox = await startWith([{ host: '*' }]);
    for (const port of [22, 25, 53, 6_379]) {
      const { out } = await python(
        sandbox,
        `import socket; s = socket.create_connection(("127.0.0.1", 3128)); s.sendall(b"CONNECT web.test:${port} HTTP/1.1\\r\\n\\r\\n"); print(s.recv(999).decode())`,
      );
      expect(out).toContain('host_not_allowed');
    }
  });

  it('not the way out of another sandbox: each has its own rules', async () => {
    await using web = await RawServer.start((_request, connection) => answer(connection, '200 OK', 'hello'));
    await using one = await startWith([{ host: `web.test:${web.port}` }]);
    await using other = await startWith([]);
    await using none = await sandboxes.start({});
    expect((await say(one, 'curl', '-s', `http://web.test:${web.port}/`)).out).toBe('hello');
    expect((await say(other, 'curl', '-s', `http://web.test:${web.port}/`)).out).toContain('host_not_allowed');
    expect((await say(none, 'sh', '-c', 'env | grep -ic proxy; curl -s -x http://127.0.0.1:3128 http://web.test/')).out).toBe('0\n');
    expect(web.connections).toBe(1);
  });

  it('not by taking the port: it is taken before any command starts', async () => {
    await using sandbox = await startWith([]);
    const program = `
import socket
for reuse in [0, 1]:
    for host in ["127.0.0.1", "0.0.0.0"]:
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, reuse)
        try: s.bind((host, 3128)); s.listen(); print("TAKEN")
        except OSError as e: print("no")
`;
    expect((await python(sandbox, program)).out).toBe('no\n'.repeat(4));
  });

  it('is refused to commands that have no sockets', async () => {
    await expect(sandboxes.start({ profile: 'restrictive', network: { kind: 'egress', rules: [] } })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    await expect(startWith([{ host: 'a b' }])).rejects.toMatchObject({ code: 'invalid_argument' });
  });
});

describe('the host holds out', () => {
  it('when a command opens 10,000 connections, and serves others after that', async () => {
    await using web = await RawServer.start((_request, connection) => answer(connection, '200 OK', 'hello'));
    await using sandbox = await startWith([{ host: `web.test:${web.port}` }]);
    const program = `
import socket, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
kept, tried = [], 0
for i in range(10000):
    s = socket.socket(); s.setblocking(False); tried += 1
    try: s.connect(("127.0.0.1", 3128))
    except BlockingIOError: pass
    except OSError: break
    kept.append(s)
    if len(kept) > 900: kept.pop(0).close()
print(tried)
`;
    expect((await python(sandbox, program)).out).toBe('10000\n');
    expect((await say(sandbox, 'curl', '-s', '-m', '60', `http://web.test:${web.port}/`)).out).toBe('hello');
  });

  it('when 300 clients say half a head and wait: a command runs, and ends the wait by ending', async () => {
    await using sandbox = await startWith([]);
    const program = `
import socket, time
held = []
for i in range(300):
    s = socket.socket(); s.setblocking(False)
    try: s.connect(("127.0.0.1", 3128))
    except BlockingIOError: pass
    held.append(s)
time.sleep(1)
for s in held:
    try: s.send(b"GET http://a.test/ HT")
    except OSError: pass
print("held", flush=True)
time.sleep(600)
`;
    const slow = sandbox.exec(['/usr/bin/python3', '-c', program]);
    for await (const chunk of slow.stdout) {
      expect(Buffer.from(chunk).toString()).toBe('held\n');
      break;
    }
    expect((await say(sandbox, 'echo', 'ok')).out).toBe('ok\n');
    slow.kill('SIGKILL');
    await slow.exit;
    expect((await say(sandbox, 'curl', '-s', '-m', '60', 'http://other.test/')).out).toContain('host_not_allowed');
  });

  it('when a command holds as many tunnels as it can: there are 256', async () => {
    await using web = await RawServer.start(() => {});
    const events: EgressEvent[] = [];
    await using sandbox = await startWith([{ host: `web.test:${web.port}` }], { onEvent: (event) => events.push(event) });
    const program = `
import select, socket, time
held = []
for i in range(350):
    s = socket.socket(); s.setblocking(False)
    try: s.connect(("127.0.0.1", 3128))
    except BlockingIOError: pass
    held.append(s)
asked, got, until = set(), set(), time.time() + 20
while time.time() < until and len(got) < 256:
    readable, writable, _ = select.select([s for s in held if s in asked and s not in got], [s for s in held if s not in asked], [], 1)
    for s in writable:
        asked.add(s); s.send(b"CONNECT web.test:${web.port} HTTP/1.1\\r\\n\\r\\n")
    got.update(s for s in readable if b" 200 " in s.recv(999))
for i in range(10):
    readable, _, _ = select.select([s for s in held if s in asked and s not in got], [], [], 0.1)
    got.update(readable)
print(len(got), flush=True)
`;
    expect((await python(sandbox, program)).out).toBe('256\n');
    expect(web.connections).toBeGreaterThanOrEqual(256); // When the command ends, each of its that closes makes room for one that waits.
    expect(events.filter(({ kind }) => kind === 'failed' || kind === 'denied')).toEqual([]);
  });

  it('when 1 GB goes through it, with flat memory', async () => {
    const total = 1_000_000_000;
    await using web = await serveHttp((_request, response) => {
      const chunk = Buffer.alloc(1_000_000);
      let left = total / chunk.length;
      response.writeHead(200, { 'content-length': total });
      const pump = (): void => {
        while (left > 0) {
          left -= 1;
          if (!response.write(chunk)) return;
        }
        response.end();
      };
      response.on('drain', pump);
      pump();
    });
    await using sandbox = await startWith([{ host: `web.test:${web.port}` }]);
    const before = process.memoryUsage().rss;
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss);
    }, 20);
    const { out } = await say(sandbox, 'sh', '-c', `curl -s http://web.test:${web.port}/ | wc -c`);
    clearInterval(watch);
    expect(out.trim()).toBe(`${total}`);
    expect((most - before) / 2 ** 20).toBeLessThan(150);
    expect((await sandbox.stats()).egress?.bytesReceived).toBeGreaterThan(total);
  });

  it('when the sandbox ends while a tunnel is open: what it leads to is closed', async () => {
    await using web = await RawServer.start(() => {});
    const sandbox = await startWith([{ host: `web.test:${web.port}` }]);
    const program = `import socket, time; s = socket.create_connection(("127.0.0.1", 3128)); s.sendall(b"CONNECT web.test:${web.port} HTTP/1.1\\r\\n\\r\\n"); print(s.recv(99)[:12], flush=True); time.sleep(600)`;
    const open = sandbox.exec(['/usr/bin/python3', '-c', program]);
    for await (const chunk of open.stdout) {
      expect(Buffer.from(chunk).toString()).toContain('HTTP/1.1 200');
      break;
    }
    await sandbox[Symbol.asyncDispose]();
    await web.idle();
  });

  it('when a client breaks off, and when one ends its side first', async () => {
    const server = createTcpServer({ allowHalfOpen: true }, (connection) => {
      connection.on('error', () => {});
      let bytes = 0;
      connection.on('data', (chunk) => {
        bytes += chunk.length;
      });
      connection.on('end', () => connection.end(`${bytes} bytes`));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await using sandbox = await startWith([{ host: `web.test:${port}` }]);
    const program = `
import socket, struct
def tunnel():
    s = socket.create_connection(("127.0.0.1", 3128)); s.sendall(b"CONNECT web.test:${port} HTTP/1.1\\r\\n\\r\\n"); s.recv(999); return s
for i in range(20):
    s = tunnel(); s.sendall(b"x" * 100000)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); s.close()
s = tunnel(); s.sendall(b"x" * 3000000); s.shutdown(socket.SHUT_WR)
print(s.makefile().read())
`;
    expect((await python(sandbox, program)).out).toBe('3000000 bytes\n');
    server.close();
  });
});

it('the machine has what these tests run', () => {
  for (const program of ['/usr/bin/python3', '/usr/bin/git', '/usr/bin/curl']) expect(existsSync(program)).toBe(true);
});
