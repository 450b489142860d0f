import { spawnSync } from 'node:child_process';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileFilter } from './compile.ts';
import type { SeccompProfileName } from './profiles.ts';
import { architectureOf } from './syscalls.ts';
import { buildProbe } from './test-support/probe.ts';

/** What agents run has to work under both filters: with the real errors, so that fallbacks are tried too. */
let probe = '';

beforeAll(() => {
  probe = buildProbe();
});

const PYTHON = `
import asyncio, multiprocessing, os, socket, stat, subprocess, sys, tempfile, threading
assert subprocess.run([sys.executable, '-c', 'print(6 * 7)'], capture_output=True, text=True).stdout == '42\\n'
thread = threading.Thread(target=print, args=('thread',)); thread.start(); thread.join()
a, b = socket.socketpair(); a.send(b'x'); assert b.recv(1) == b'x'
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, 'f'); open(path, 'w').close(); os.chmod(path, 0o755); os.mkfifo(path + 'ifo')
    assert stat.S_ISFIFO(os.stat(path + 'ifo').st_mode)
async def child():
    process = await asyncio.create_subprocess_exec('true'); return await process.wait()
assert asyncio.run(child()) == 0
with multiprocessing.get_context('fork').Pool(2) as pool: assert pool.map(abs, [-1, -2]) == [1, 2]
print('python works')
`;

const NODE = `
const { execFileSync, spawn } = require('node:child_process');
const { Worker } = require('node:worker_threads');
const net = require('node:net'), fs = require('node:fs'), assert = require('node:assert');
(async () => {
  assert.equal(execFileSync('sh', ['-c', 'echo out'], { encoding: 'utf8' }), 'out\\n');
  assert.equal(await new Promise((done) => spawn('false').on('exit', done)), 1);
  const worker = new Worker('require("node:worker_threads").parentPort.postMessage(42)', { eval: true });
  assert.equal(await new Promise((done) => worker.on('message', done)), 42);
  await worker.terminate();
  const server = net.createServer((socket) => socket.end('hello')).listen('./socket');
  const socket = net.connect('./socket');
  assert.equal(String((await socket.toArray())[0]), 'hello');
  server.close();
  fs.watch('.').close();
  await fs.promises.writeFile('copy', 'x'); await fs.promises.cp('copy', 'copy2'); fs.chmodSync('copy2', 0o755);
  console.log('node works');
})();
`;

const SHELL = `
set -e
mkdir -p a/b; echo one > a/b/f; chmod 750 a/b/f; ln -s f a/b/l; mkfifo a/p; touch -d 2001-01-01 a/b/f
cp -a a c; tar cf t.tar a; mkdir u; tar xf t.tar -C u; mv u/a/b/f u/g; rm -r a
(sleep 0.1; echo late) | cat; seq 3 | sort -r | head -1; wait
test "$(stat -c %a c/b/f)" = 750
`;

const GIT = `
set -e
git init -q r; cd r; echo x > x; git add x; git commit -qm one; git tag v1; git gc -q; cd ..
git clone -q r s; git -C s log --oneline | wc -l
`;

const GCC = `
set -e
printf '#include <stdio.h>\\n#include <pthread.h>\\nstatic void *run(void *p) { return puts(p) < 0 ? p : NULL; }\\n' > p.c
printf 'int main(void) { pthread_t t; pthread_create(&t, NULL, run, "compiled"); return pthread_join(t, NULL); }\\n' >> p.c
gcc -O1 -pthread -o p p.c; ./p
`;

describe.each(['default', 'restrictive'] as const)('under the %s filter', (name) => {
  it.for([
    ['sh and its tools', 'tar', ['sh', '-c', SHELL], 'late\n3\n'],
    ['git', 'git', ['sh', '-c', GIT], '1\n'],
    ['node', process.execPath, [process.execPath, '-e', NODE], 'node works\n'],
    ['python', 'python3', ['python3', '-c', PYTHON], 'thread\npython works\n'],
    ['gcc', 'gcc', ['sh', '-c', GCC], 'compiled\n'],
  ] as const)('%s works', ([, program, argv, stdout], { skip }) => {
    skip(!isInstalled(program), `${program} is not installed`);
    expect(run(name, argv)).toEqual({ status: 0, stderr: '', stdout });
  });

  it('chmod, install and mknod make neither set-id programs nor devices', () => {
    const script = 'cp /bin/true t; chmod u+s t; chmod g+s t; install -m 4755 t t2; mknod n c 1 3; stat -c %a t; ls';
    const { stdout, stderr } = run(name, ['sh', '-c', `${script}; true`]);
    expect(stderr.match(/not permitted/g)?.length).toBe(4);
    expect(stdout).toMatch(/^755\nt\n/);
  });

  it('python sees refusals as the errors it knows', ({ skip }) => {
    skip(!isInstalled('python3'), 'python3 is not installed');
    const script = `
import socket
for family in (socket.AF_VSOCK, socket.AF_PACKET, socket.AF_INET):
    try: socket.socket(family, socket.SOCK_STREAM).close(); print('open')
    except OSError as error: print(error.strerror)
`;
    const inet = name === 'default' ? 'open' : 'Address family not supported by protocol';
    const refused = 'Address family not supported by protocol';
    expect(run(name, ['python3', '-c', script]).stdout).toBe(`${refused}\n${refused}\n${inet}\n`);
  });
});

/** Runs a program in an empty folder of its own, with the filter that is shipped. */
function run(name: SeccompProfileName, argv: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  using folder = mkdtempDisposableSync(`${tmpdir()}/warren-seccomp-`);
  using filter = mkdtempDisposableSync(`${tmpdir()}/warren-seccomp-`);
  const architecture = architectureOf(process.arch);
  if (architecture === undefined) throw new Error(`There are no filters for ${process.arch}`);
  writeFileSync(`${filter.path}/filter`, compileFilter(name, architecture));
  const who = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@b' };
  const env = { PATH: process.env['PATH'], HOME: folder.path, LC_ALL: 'C', ...who };
  const { status, stdout, stderr } = spawnSync(probe, ['--filter', `${filter.path}/filter`, '--', ...argv], {
    cwd: folder.path,
    env,
    encoding: 'utf8',
    timeout: 15_000,
  });
  return { status, stdout, stderr };
}

function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$0"', program]).status === 0;
}
