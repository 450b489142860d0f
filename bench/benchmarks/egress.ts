import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { openSandboxes, type Sandbox } from '@warren/sandbox';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { ComparatorProcess } from '../harness/comparator-process.ts';
import { atLeast, atMost, measured, type Row, ratio } from '../harness/row.ts';
import { summarize } from '../harness/statistics.ts';

export const egress: Benchmark = {
  name: 'egress',
  title: 'HTTP out of a sandbox, through its proxy',
  method:
    'One Python program on raw sockets asks a Node server of this machine, in a process of its own, for 5 bytes: on the host directly, and in a sandbox through its ' +
    'proxy. One request after the other on a kept connection, or each on a new one; requests per second with 16 connections kept. They take turns; what is added is the ' +
    'difference of the medians of a round.',
  run,
};

const PYTHON = '/usr/bin/python3';
/** Prints the time of each request in µs, then what all of them took. */
const CLIENT = `
import socket, sys, threading, time
host, port, path, name, count, threads, kept = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5]), int(sys.argv[6]), sys.argv[7] == "kept"
text = ("GET %s HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n" % (path, name)).encode()
times = []
def connect():
    s = socket.create_connection((host, port)); s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1); return s
def ask(s):
    s.sendall(text); got = b""
    while not got.endswith(b"hello"):
        piece = s.recv(65536)
        if not piece: raise SystemExit("ended: %r" % got)
        got += piece
def work(n):
    s = connect() if kept else None
    for i in range(n):
        at = time.perf_counter()
        if kept: ask(s)
        else:
            t = connect(); ask(t); t.close()
        times.append((time.perf_counter() - at) * 1e6)
at = time.perf_counter()
all = [threading.Thread(target=work, args=(count // threads,)) for i in range(threads)]
for t in all: t.start()
for t in all: t.join()
print(time.perf_counter() - at); print(" ".join("%.1f" % t for t in times))
`;

type Asking = { readonly count: number; readonly connections: number; readonly isKept: boolean };
type Answered = { readonly micros: readonly number[]; readonly perSecond: number };

async function run(context: Context): Promise<readonly Row[]> {
  await using server = await ComparatorProcess.start('web-server.ts');
  const { port } = server;
  await using sandboxes = await openSandboxes();
  const rules = [{ host: `127.0.0.1:${port}` }];
  await using sandbox = await sandboxes.start({ network: { kind: 'egress', rules, privateNetworks: ['127.0.0.1/32'] } });
  const rounds = context.isQuick ? 2 : 20;
  const kept = await compare(sandbox, port, rounds, { count: 300, connections: 1, isKept: true }, context);
  const fresh = await compare(sandbox, port, rounds, { count: 100, connections: 1, isKept: false }, context);
  const many = await compare(sandbox, port, rounds, { count: 4_000, connections: 16, isKept: true }, context);
  return [
    measured('added to a request, connection kept', 'ms', kept.added, { bound: atMost(1) }),
    measured('added to a request on a new connection', 'ms', fresh.added),
    measured('direct, connection kept', 'ms', kept.direct),
    measured('direct, new connection', 'ms', fresh.direct),
    measured('through the proxy, 16 connections', '/s', many.proxiedRate, { bound: atLeast(2_000) }),
    measured('direct, 16 connections', '/s', many.directRate, { ratio: ratio('Warren ÷ this', many.proxiedRate, many.directRate) }),
  ];
}

async function compare(sandbox: Sandbox, port: number, rounds: number, asking: Asking, { signal }: Context) {
  const added: number[] = [];
  const direct: number[] = [];
  const proxiedRate: number[] = [];
  const directRate: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    signal.throwIfAborted();
    const straight = await askDirectly(port, asking);
    const through = await askThrough(sandbox, port, asking);
    added.push((summarize(through.micros).p50 - summarize(straight.micros).p50) / 1_000);
    direct.push(summarize(straight.micros).p50 / 1_000);
    proxiedRate.push(through.perSecond);
    directRate.push(straight.perSecond);
  }
  return { added, direct, proxiedRate, directRate };
}

async function askDirectly(port: number, asking: Asking): Promise<Answered> {
  const { stdout } = await promisify(execFile)(PYTHON, wordsOf('127.0.0.1', port, '/', port, asking), { maxBuffer: 2 ** 24 });
  return read(stdout, asking);
}

async function askThrough(sandbox: Sandbox, port: number, asking: Asking): Promise<Answered> {
  const { stdout, stderr, exit } = await sandbox.run([PYTHON, ...wordsOf('127.0.0.1', 3_128, `http://127.0.0.1:${port}/`, port, asking)]);
  if (exit.kind !== 'exited' || exit.code !== 0) throw new Error(`The client in the sandbox failed: ${Buffer.from(stderr).toString()}`);
  return read(Buffer.from(stdout).toString(), asking);
}

function wordsOf(host: string, port: number, path: string, serverPort: number, { count, connections, isKept }: Asking): readonly string[] {
  return ['-c', CLIENT, host, `${port}`, path, `127.0.0.1:${serverPort}`, `${count}`, `${connections}`, isKept ? 'kept' : 'new'];
}

function read(text: string, { count }: Asking): Answered {
  const [seconds = '', times = ''] = text.split('\n');
  return { perSecond: count / Number(seconds), micros: times.split(' ').map(Number) };
}
