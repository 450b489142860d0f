import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { type EgressNetwork, openSandboxes, type Sandbox } from '@warren/sandbox';
import { makePlaceholder } from '@warren/sandbox/egress';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { ComparatorProcess } from '../harness/comparator-process.ts';
import { atLeast, atMost, measured, type Row, ratio } from '../harness/row.ts';
import { summarize } from '../harness/statistics.ts';

export const proxy: Benchmark = {
  name: 'proxy',
  title: 'HTTPS out of a sandbox: a tunnel, TLS that is opened, and a secret put in',
  method:
    'One Python program asks a Node server of this machine, in a process of its own, for 5 bytes over TLS: on the host directly, and in sandboxes through their proxies, in ' +
    'a tunnel that is not looked into, with TLS opened, and with TLS opened and a placeholder in a header replaced by a secret (the redactor of answers looks for nothing). One request ' +
    'after the other on a kept connection; requests per second with 16 connections kept. They take turns; what is added is the difference of the medians of a round.',
  run,
};

const PYTHON = '/usr/bin/python3';
const VALUE = 'a secret of some thirty characters';
/** Prints the time of each request in µs, then what all of them took. */
const CLIENT = `
import socket, ssl, sys, threading, time
port, through, token, count, threads = int(sys.argv[1]), sys.argv[2] == "proxy", sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
text = ("GET / HTTP/1.1\\r\\nHost: 127.0.0.1:%d\\r\\nAuthorization: Bearer %s\\r\\n\\r\\n" % (port, token)).encode()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
times = []
def connect():
    s = socket.create_connection(("127.0.0.1", 3128 if through else port)); s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if through:
        s.sendall(b"CONNECT 127.0.0.1:%d HTTP/1.1\\r\\n\\r\\n" % port)
        got = b""
        while not got.endswith(b"\\r\\n\\r\\n"): got += s.recv(1)
    return context.wrap_socket(s)
def ask(s):
    s.sendall(text); got = b""
    while b"hello" not in got:
        piece = s.recv(65536)
        if not piece or b" 403 " in piece: raise SystemExit("ended: %r" % (got + piece))
        got += piece
    while not (got.endswith(b"hello") or got.endswith(b"0\\r\\n\\r\\n")): got += s.recv(65536)
def work(n, s):
    for i in range(n):
        at = time.perf_counter(); ask(s); times.append((time.perf_counter() - at) * 1e6)
held = [connect() for i in range(threads)]
for s in held: ask(s)
at = time.perf_counter()
all = [threading.Thread(target=work, args=(count // threads, s)) for s in held]
for t in all: t.start()
for t in all: t.join()
print(time.perf_counter() - at); print(" ".join("%.1f" % t for t in times))
`;

type Asking = { readonly count: number; readonly connections: number };
type Answered = { readonly p50: number; readonly perSecond: number };
type Way = { readonly name: string; readonly ask: (asking: Asking) => Promise<Answered> };

async function run(context: Context): Promise<readonly Row[]> {
  await using server = await ComparatorProcess.start('tls-web-server.ts');
  const { port } = server;
  await using sandboxes = await openSandboxes({ egress: { tls: { ca: await certificateOf(port) }, privateNetworks: ['127.0.0.1/32'] } });
  const start = (rest: Partial<EgressNetwork>, inspect: boolean): Promise<Sandbox> =>
    sandboxes.start({ network: { kind: 'egress', rules: [{ host: `127.0.0.1:${port}`, inspect }], ...rest } });
  const placeholder = makePlaceholder('benchmark');
  const nothing = new Uint8Array(0);
  const redactor = () => ({
    text: (text: string) => text,
    bytes: (bytes: Uint8Array) => bytes,
    stream: () => ({ push: (chunk: Uint8Array) => chunk, flush: () => nothing, end: () => nothing }),
  });
  await using tunnel = await start({}, false);
  await using inspected = await start({}, true);
  await using secret = await start({ secrets: { substitute: () => ({ kind: 'value', value: Buffer.from(VALUE) }), redactor } }, true);
  const ways: readonly Way[] = [
    { name: 'direct', ask: (asking) => askDirectly(port, asking) },
    { name: 'tunnel', ask: (asking) => askThrough(tunnel, port, 'x', asking) },
    { name: 'opened', ask: (asking) => askThrough(inspected, port, 'x', asking) },
    { name: 'secret', ask: (asking) => askThrough(secret, port, placeholder, asking) },
  ];
  const rounds = context.isQuick ? 2 : 20;
  const one = await compare(ways, rounds, { count: 300, connections: 1 }, context);
  const many = await compare(ways, rounds, { count: 4_000, connections: 16 }, context);
  const added = (name: string): readonly number[] =>
    one[name]?.map(({ p50 }, round) => (p50 - (one['direct']?.[round]?.p50 ?? 0)) / 1_000) ?? [];
  const rates = (name: string): readonly number[] => many[name]?.map(({ perSecond }) => perSecond) ?? [];
  return [
    measured('added to a request, tunnel', 'ms', added('tunnel')),
    measured('added to a request, TLS opened', 'ms', added('opened')),
    measured('added to a request, TLS opened and a secret put in', 'ms', added('secret'), { bound: atMost(1) }),
    measured('direct', 'ms', one['direct']?.map(({ p50 }) => p50 / 1_000) ?? []),
    measured('tunnel, 16 connections', '/s', rates('tunnel')),
    measured('TLS opened, 16 connections', '/s', rates('opened')),
    measured('TLS opened and a secret put in, 16 connections', '/s', rates('secret'), { bound: atLeast(2_000) }),
    measured('direct, 16 connections', '/s', rates('direct'), {
      ratio: ratio('Warren with a secret ÷ this', rates('secret'), rates('direct')),
    }),
  ];
}

async function compare(ways: readonly Way[], rounds: number, asking: Asking, { signal }: Context) {
  const found: Record<string, Answered[]> = {};
  for (let round = 0; round < rounds; round += 1)
    for (const { name, ask } of ways) {
      signal.throwIfAborted();
      found[name] = [...(found[name] ?? []), await ask(asking)];
    }
  return found;
}

async function certificateOf(port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  return `-----BEGIN CERTIFICATE-----\n${raw.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
}

async function askDirectly(port: number, asking: Asking): Promise<Answered> {
  const { stdout } = await promisify(execFile)(PYTHON, wordsOf(port, 'direct', 'x', asking), { maxBuffer: 2 ** 24 });
  return read(stdout, asking);
}

async function askThrough(sandbox: Sandbox, port: number, token: string, asking: Asking): Promise<Answered> {
  const { stdout, stderr, exit } = await sandbox.run([PYTHON, ...wordsOf(port, 'proxy', token, asking)]);
  if (exit.kind !== 'exited' || exit.code !== 0) throw new Error(`The client in the sandbox failed: ${Buffer.from(stderr).toString()}`);
  return read(Buffer.from(stdout).toString(), asking);
}

function wordsOf(port: number, way: string, token: string, { count, connections }: Asking): readonly string[] {
  return ['-c', CLIENT, `${port}`, way, token, `${count}`, `${connections}`];
}

function read(text: string, { count }: Asking): Answered {
  const [seconds = '', times = ''] = text.split('\n');
  return { perSecond: count / Number(seconds), p50: summarize(times.split(' ').map(Number)).p50 };
}
