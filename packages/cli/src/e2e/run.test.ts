/** `warren run` as a user meets it. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { finish, PATIENCE_MS, printed, type Result, User, WARREN } from './warren.ts';

vi.setConfig({ testTimeout: PATIENCE_MS });

const sh = (script: string): readonly string[] => ['--', 'sh', '-c', script];

describe('warren run passes on what the command does', () => {
  it('prints what python prints', async () => {
    await using user = await User.create();
    const result = await user.warren(['run', '/usr/bin/python3', '-c', 'print(1+1)']);
    expect(result).toMatchObject({ code: 0, stdout: '2\n', stderr: '' });
  });

  it.each([0, 1, 42, 124, 125, 255])('exits with %i as the command', async (code) => {
    await using user = await User.create();
    expect(await user.warren(['run', ...sh(`exit ${code}`)])).toMatchObject({ code, stdout: '', stderr: '' });
  });

  it.each([
    ['HUP', 129],
    ['INT', 130],
    ['ABRT', 134],
    ['KILL', 137],
    ['SEGV', 139],
    ['TERM', 143],
  ])('exits with 128+n when the command dies of SIG%s', async (signal, code) => {
    await using user = await User.create();
    expect(await user.warren(['run', ...sh(`kill -${signal} $$`)])).toMatchObject({ code, stdout: '' });
  });

  it('keeps standard output and standard error apart', async () => {
    await using user = await User.create();
    expect(await user.warren(['run', ...sh('echo a; echo b >&2')])).toMatchObject({ code: 0, stdout: 'a\n', stderr: 'b\n' });
  });

  it('never joins words into a shell line', async () => {
    await using user = await User.create();
    const words = ['a  b; id', '$HOME', '`id`', '*', '', '-x', '--', "'", '"', '\n', 'ü'];
    const { stdout } = await user.warren(['run', '--', 'printf', '[%s]', ...words]);
    expect(stdout).toBe(words.map((word) => `[${word}]`).join(''));
  });

  it('runs a pipeline in a shell', async () => {
    await using user = await User.create();
    expect((await user.warren(['run', ...sh('echo hello | cat')])).stdout).toBe('hello\n');
  });

  it('passes eight million random bytes through a pipe, in and out, unchanged', async () => {
    await using user = await User.create();
    const input = randomBytes(8_000_001);
    const { code, bytes } = await user.warren(['run', '--', 'cat'], { input });
    expect(code).toBe(0);
    expect(hash(bytes)).toBe(hash(input));
  });

  it('reads a file as standard input, to its end', async () => {
    await using user = await User.create();
    const content = randomBytes(300_000);
    await writeFile(join(user.home, 'input'), content);
    const [node = '', ...rest] = WARREN;
    const input = openSync(join(user.home, 'input'), 'r');
    const child = spawn(node, [...rest, 'run', '--', 'sha256sum'], { cwd: user.home, env: user.env(), stdio: [input, 'pipe', 'inherit'] });
    closeSync(input);
    let text = '';
    for await (const chunk of child.stdout ?? []) text += String(chunk);
    expect(text.split(' ')[0]).toBe(hash(content));
  });

  it('reads nothing from /dev/null', async () => {
    await using user = await User.create();
    const [node = '', ...rest] = WARREN;
    const child = spawn(node, [...rest, 'run', '--', 'wc', '-c'], {
      cwd: user.home,
      env: user.env(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    for await (const chunk of child.stdout) text += String(chunk);
    expect(text).toBe('0\n');
  });

  it('says what it cannot read, and what it cannot write', async () => {
    await using user = await User.create();
    const command = WARREN.map((word) => `'${word}'`).join(' ');
    const shell = async (script: string): Promise<Result> =>
      await finish(spawn('bash', ['-c', script], { env: user.env(), cwd: user.home }));
    expect(await shell(`${command} run -- wc -c < /`)).toMatchObject({
      code: 0,
      stdout: '0\n',
      stderr: expect.stringContaining('it is a directory'),
    });
    expect(await shell(`${command} run -- echo x > /dev/full`)).toMatchObject({ code: 125, stderr: 'warren: cannot write: ENOSPC\n' });
    expect(await shell(`${command} run -- yes > /dev/full`)).toMatchObject({ code: 125, stderr: 'warren: cannot write: ENOSPC\n' });
    expect(await shell(`${command} run -- sh -c 'exit 4' >&- 2>&- <&-`)).toMatchObject({ code: 4 });
  });

  it('refuses words that are not UTF-8', async () => {
    await using user = await User.create();
    const command = WARREN.map((word) => `'${word}'`).join(' ');
    const result = await finish(spawn('bash', ['-c', `${command} run -- echo $'\\xff'`], { env: user.env(), cwd: user.home }));
    expect(result).toMatchObject({ code: 125, stdout: '' });
    expect((await user.warren(['run', '--', 'echo', '\ufffd'])).stdout).toBe('\ufffd\n');
  });

  it('ends with its command although standard input is still open', async () => {
    await using user = await User.create();
    const child = user.start(['run', ...sh('exit 3')]);
    expect(await finish(child)).toMatchObject({ code: 3 });
  });

  it('streams: a line comes out while the command still runs', async () => {
    await using user = await User.create();
    const child = user.start(['run', ...sh('echo first; read line; echo "$line"')]);
    const rest = finish(child);
    await printed(child, 'first');
    child.stdin.end('second\n');
    expect(await rest).toMatchObject({ code: 0, stdout: 'first\nsecond\n' });
  });

  it('is slowed by whoever reads slowly, and holds little meanwhile', async () => {
    await using user = await User.create();
    const child = user.start(['run', ...sh('i=0; while [ $i -lt 2000 ]; do head -c 65536 /dev/zero; i=$((i+1)); echo $i >&2; done')]);
    let blocks = '';
    child.stderr.on('data', (chunk) => {
      blocks += String(chunk);
    });
    await sleep(2_500);
    const written = Number(blocks.trimEnd().split('\n').at(-1));
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThan(64); // 4 MiB of 125: the window, some pipes and the buffers between.
    let size = 0;
    for await (const chunk of child.stdout) size += (chunk as Buffer).length; // Streams of processes give buffers.
    expect(size).toBe(2000 * 65_536);
  });
});

describe('warren run and pipes', () => {
  it('ends quietly when its reader leaves, as the command would without us', async () => {
    await using user = await User.create();
    const command = WARREN.map((word) => `'${word}'`).join(' ');
    for (const endless of ['yes', "/usr/bin/python3 -c 'while True: print(1)'"]) {
      const shell = spawn('bash', ['-c', `${command} run -- ${endless} | head -n 1; echo "\${PIPESTATUS[0]}"`], {
        env: user.env(),
        cwd: user.home,
      });
      const { stdout, stderr } = await finish(shell);
      expect(stderr).toBe('');
      expect(stdout).toMatch(/^(?:y|1)\n141\n$/);
    }
  });
});

describe('warren run and signals', () => {
  it('passes Ctrl-C to the command, which may answer as it likes', async () => {
    await using user = await User.create();
    const child = user.start(['run', ...sh("trap 'echo caught; exit 7' INT; echo ready; while :; do sleep 0.05; done")]);
    const rest = finish(child);
    await printed(child, 'ready');
    child.kill('SIGINT');
    expect(await rest).toMatchObject({ code: 7, stderr: '' });
  });

  it('kills everything at the second Ctrl-C', async () => {
    await using user = await User.create();
    const child = user.start(['run', ...sh("trap '' INT TERM; setsid sleep 4711.1 & echo ready; while :; do sleep 0.05; done")]);
    const rest = finish(child);
    await printed(child, 'ready');
    child.kill('SIGINT');
    await sleep(200);
    expect(child.exitCode).toBeNull();
    child.kill('SIGINT');
    expect(await rest).toMatchObject({ code: 130 });
    expect(await survivors('4711.1')).toEqual([]);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('passes %s on, and kills what ignores it two seconds later', async (signal, code) => {
    await using user = await User.create();
    const child = user.start(['run', ...sh("trap '' TERM HUP; echo ready; while :; do sleep 0.05; done")]);
    const rest = finish(child);
    await printed(child, 'ready');
    const startedAt = performance.now();
    child.kill(signal);
    expect(await rest).toMatchObject({ code });
    expect(performance.now() - startedAt).toBeGreaterThan(1_900);
  });

  it('leaves nothing behind when it is killed with SIGKILL', async () => {
    await using user = await User.create();
    const child = user.start(['run', ...sh('sleep 4711.2 & setsid sleep 4711.2 & echo ready; sleep 4711.2')]);
    child.on('error', () => {});
    await printed(child, 'ready');
    try {
      // The shell says that it is ready before its children have become what they are to be.
      await vi.waitFor(async () => expect((await survivors('4711.2', 0)).length).toBeGreaterThan(0), { timeout: 10_000 });
    } finally {
      child.kill('SIGKILL');
    }
    expect(await survivors('4711.2')).toEqual([]);
  });

  it('takes background processes with it when the command ends', async () => {
    await using user = await User.create();
    const result = await user.warren(['run', ...sh('setsid sleep 4711.3 & exit 0')]);
    expect(result.code).toBe(0);
    expect(await survivors('4711.3')).toEqual([]);
  });
});

describe('warren run builds walls', () => {
  it('gives every run its own files', async () => {
    await using user = await User.create();
    const path = `/tmp/warren-e2e-${process.pid}`;
    expect((await user.warren(['run', ...sh(`echo x > ${path}`)])).code).toBe(0);
    expect((await user.warren(['run', '--', 'cat', path])).code).not.toBe(0);
    expect(existsSync(path)).toBe(false);
  });

  it.each([[['--no-network']], [['--profile', 'restrictive']], [[]]])('has no network but loopback with %j', async (flags) => {
    await using user = await User.create();
    const program = 'import socket; socket.create_connection(("192.0.2.1", 80), 2)';
    const { code, stderr } = await user.warren(['run', ...flags, '--', '/usr/bin/python3', '-c', program]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/unreachable|not permitted|Permission denied|not supported/i);
  });

  it('reaches the hosts it is given, and is told in words what it may not reach', async () => {
    await using user = await User.create();
    const server = createServer((_request, response) => response.end('hello'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const curl = (...words: readonly string[]): Promise<{ readonly code: number | null; readonly stdout: string }> =>
      user.warren(['run', ...words, '--', 'curl', '-s', '--noproxy', '', `http://127.0.0.1:${port}/`]);
    expect(await curl('--allow-host', `127.0.0.1:${port}`)).toMatchObject({ code: 0, stdout: 'hello' });
    expect(JSON.parse((await curl('--allow-host', 'example.org')).stdout)).toMatchObject({ error: { reason: 'host_not_allowed' } });
    expect((await curl()).code).not.toBe(0);
    server.close();
  });

  it('is read-only but for scratch space with the strictest profile', async () => {
    await using user = await User.create();
    expect((await user.warren(['run', '--profile', 'restrictive', '--', 'touch', '/x'])).code).not.toBe(0);
    expect((await user.warren(['run', '--profile', 'restrictive', '--', 'touch', '/tmp/x'])).code).toBe(0);
  });

  it.each(['permissive', 'moderate', 'restrictive'])('runs with the profile %s', async (profile) => {
    await using user = await User.create();
    expect(await user.warren(['run', '--profile', profile, '--', 'echo', 'ok'])).toMatchObject({ code: 0, stdout: 'ok\n' });
  });

  it('does not show the files of the caller', async () => {
    await using user = await User.create();
    await writeFile(join(user.home, 'key'), 'secret');
    const { stdout, code } = await user.warren(['run', '--', 'cat', join(user.home, 'key')]);
    expect([stdout, code]).toEqual(['', 1]);
  });

  it('does not show the environment of the caller, but what is given', async () => {
    await using user = await User.create();
    const flags = ['-e', 'A=1', '--env', 'B', '-e', 'EMPTY='];
    const { stdout } = await user.warren(['run', ...flags, '--', 'env'], { env: { B: 'from here', SECRET_OF_CALLER: 'x' } });
    const lines = stdout.split('\n');
    expect(lines).toEqual(expect.arrayContaining(['A=1', 'B=from here', 'EMPTY=']));
    expect(stdout).not.toContain('SECRET_OF_CALLER');
  });
});

describe('warren run --dir', () => {
  it('shows the directory and never changes it', async () => {
    await using user = await User.create();
    await writeFile(join(user.home, 'a'), 'before');
    const result = await user.warren(['run', '--dir', '.', ...sh('pwd; cat a; echo after > a; echo new > b; cat a')]);
    expect(result).toMatchObject({ code: 0, stdout: '/workspace\nbeforeafter\n' });
    expect(result.stderr).toMatch(/^warren: 2 files changed · warren diff (\w+) · warren apply \1\n$/);
    expect(readdirSync(user.home)).toEqual(['a']);
    expect(await readFile(join(user.home, 'a'), 'utf8')).toBe('before');
  });

  it('says nothing when nothing changed, and keeps no record', async () => {
    await using user = await User.create();
    expect(await user.warren(['run', '--dir', '.', '--', 'true'])).toMatchObject({ code: 0, stderr: '' });
    expect((await user.warren(['runs', '--ids'])).stdout).toBe('');
  });

  it('keeps the record when told to, and is silent when told to', async () => {
    await using user = await User.create();
    expect((await user.warren(['run', '--dir', '.', '--keep', '-q', '--', 'true'])).stderr).toBe('');
    expect((await user.warren(['runs', '--ids'])).stdout).toMatch(/^\w+\n$/);
  });

  it('changes the directory itself with --rw', async () => {
    await using user = await User.create();
    expect(await user.warren(['run', '--dir', '.', '--rw', ...sh('echo new > b')])).toMatchObject({ code: 0, stderr: '' });
    expect(await readFile(join(user.home, 'b'), 'utf8')).toBe('new\n');
  });

  it('starts in --workdir', async () => {
    await using user = await User.create();
    await mkdir(join(user.home, 'src'));
    expect((await user.warren(['run', '--dir', '.', '--workdir', 'src', '--', 'pwd'])).stdout).toBe('/workspace/src\n');
    expect((await user.warren(['run', '--workdir', '/usr', '--', 'pwd'])).stdout).toBe('/usr\n');
    const { code, stderr } = await user.warren(['run', '--workdir', '/nowhere', '--', 'pwd']);
    expect(code).toBe(125);
    expect(stderr).toContain('/nowhere');
  });

  it('mounts further directories, read-only unless told otherwise', async () => {
    await using user = await User.create();
    await mkdir(join(user.home, 'data'));
    await writeFile(join(user.home, 'data', 'x'), 'x');
    const read = await user.warren(['run', '--mount', 'data:/data', ...sh('cat /data/x; echo y > /data/y')]);
    expect(read.stdout).toBe('x');
    expect(read.code).not.toBe(0);
    const write = await user.warren(['run', '--mount', 'data:/data:rw', ...sh('echo y > /data/y')]);
    expect(write.code).toBe(0);
    expect(await readFile(join(user.home, 'data', 'y'), 'utf8')).toBe('y\n');
  });

  it('can still be reviewed after the command line was killed', async () => {
    await using user = await User.create();
    const child = user.start(['run', '--dir', '.', ...sh('echo work > done; echo ready; sleep 4711.4')]);
    await printed(child, 'ready');
    child.kill('SIGKILL');
    expect(await survivors('4711.4')).toEqual([]);
    const list = JSON.parse((await user.warren(['runs', '--json'])).stdout) as { runs: { status: string }[] }; // Ours.
    expect(list.runs.map(({ status }) => status)).toEqual(['crashed']);
    expect((await user.warren(['diff'])).stdout).toContain('+work');
    expect((await user.warren(['apply'])).code).toBe(0);
    expect(await readFile(join(user.home, 'done'), 'utf8')).toBe('work\n');
  });
});

describe('warren run holds limits and says so', () => {
  it('memory: 137', async () => {
    await using user = await User.create();
    const { code, stderr } = await user.warren([
      'run',
      '--memory',
      '64m',
      '--',
      '/usr/bin/python3',
      '-c',
      'x = bytearray(300_000_000); print(len(x))',
    ]);
    expect(code).toBe(137);
    expect(stderr).toMatch(/^warren: stopped by memory: .*64.*\n$/);
  });

  it('time: 124, also for a command that ignores being asked', async () => {
    await using user = await User.create();
    const { code, stderr } = await user.warren(['run', '--timeout', '300ms', ...sh("trap '' TERM; while :; do sleep 0.05; done")]);
    expect(code).toBe(124);
    expect(stderr).toMatch(/^warren: stopped by deadline: .*300.*\n$/);
  });

  it('size of a file: 153', async () => {
    await using user = await User.create();
    const { code, stderr } = await user.warren([
      'run',
      '--file-size',
      '1m',
      '--',
      'dd',
      'if=/dev/zero',
      'of=/tmp/x',
      'bs=1M',
      'count=2',
      'status=none',
    ]);
    expect(code).toBe(153);
    expect(stderr).toContain('file_size');
  });

  it('output: 137, and what was printed until then', async () => {
    await using user = await User.create();
    const { code, bytes, stderr } = await user.warren(['run', '--output-limit', '100k', '--', 'yes']);
    expect(code).toBe(137);
    expect(bytes.length).toBeLessThanOrEqual(102_400);
    expect(stderr).toMatch(/^warren: stopped by output: .*\n$/);
  });

  it('changes in a directory: 137', async () => {
    await using user = await User.create();
    const script = 'i=0; while [ $i -lt 100 ]; do head -c 1000000 /dev/zero > x$i; sleep 0.05; i=$((i+1)); done';
    const { code, stderr } = await user.warren(['run', '--disk', '5m', '--dir', '.', ...sh(script)]);
    expect(code).toBe(137);
    expect(stderr).toMatch(/^warren: stopped by disk: .*\nwarren: \d+ files changed/);
  });

  it('processes: the command sees it', async () => {
    await using user = await User.create();
    const { code } = await user.warren(['run', '--pids', '8', ...sh('i=0; while [ $i -lt 30 ]; do sleep 2 & i=$((i+1)); done')]);
    expect(code).not.toBe(0);
  });

  it('lets a command use more when a limit is taken off', async () => {
    await using user = await User.create();
    expect(await user.warren(['run', '--memory', 'none', '--timeout', 'none', '--', 'true'])).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('warren run --json', () => {
  it('is one document', async () => {
    await using user = await User.create();
    const { code, stdout, stderr } = await user.warren([
      'run',
      '--json',
      '--dir',
      '.',
      ...sh("echo out; printf '\\377' >&2; echo x > f; exit 3"),
    ]);
    expect([code, stderr]).toEqual([3, '']);
    const document = JSON.parse(stdout) as Record<string, unknown>; // Ours.
    expect(document).toMatchObject({
      exit: { kind: 'exited', code: 3 },
      exitCode: 3,
      stdout: 'out\n',
      stdoutEncoding: 'utf8',
      stderr: '/w==',
      stderrEncoding: 'base64',
      changes: 1,
    });
    expect(document['usage']).toMatchObject({ wallMs: expect.any(Number), memoryBytesMax: expect.any(Number) });
    expect((await user.warren(['runs', '--ids'])).stdout).toBe(`${String(document['run'])}\n`);
  });

  it('says which limit stopped the command', async () => {
    await using user = await User.create();
    const { code, stdout } = await user.warren(['run', '--json', '--timeout', '200ms', '--', 'sleep', '10']);
    expect(code).toBe(124);
    expect(JSON.parse(stdout)).toMatchObject({ exit: { kind: 'stopped', by: 'deadline' }, exitCode: 124 });
  });

  it('says what is wrong as a document', async () => {
    await using user = await User.create();
    const { code, stdout, stderr } = await user.warren(['run', '--json', '--dir', 'nowhere', '--', 'true']);
    expect([code, stderr]).toEqual([125, '']);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'not_found', message: expect.stringContaining('nowhere') } });
  });
});

describe('warren run refuses, with an error that names the thing', () => {
  it.each<[string, readonly string[], number, string]>([
    ['a program that is not there', ['--', 'no-such-program'], 127, 'cannot run "no-such-program"'],
    ['a program that is a directory', ['--', '/usr'], 126, 'cannot run "/usr"'],
    ['a program that is not executable', ['--', '/etc/passwd'], 126, 'cannot run "/etc/passwd"'],
    ['a directory that is not there', ['--dir', 'nowhere', '--', 'true'], 125, 'nowhere'],
    ['a file as directory', ['--dir', '/etc/passwd', '--', 'true'], 125, 'not a directory'],
    ['a mount that is not there', ['--mount', 'nowhere:/x', '--', 'true'], 125, 'nowhere'],
    ['a mount over the system', ['--mount', '/tmp:/proc', '--', 'true'], 125, '/proc'],
    ['an absurd limit', ['--pids', '999999999999', '--', 'true'], 125, 'pids'],
    ['absurd memory', ['--memory', '1k', '--', 'true'], 125, 'memory'],
  ])('%s', async (_, args, code, named) => {
    await using user = await User.create();
    const result = await user.warren(['run', ...args]);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toMatch(/^warren: /);
    expect(result.stderr).toContain(named);
    expect(result.stderr).not.toContain('    at ');
  });

  it('two megabytes of arguments', async () => {
    await using user = await User.create();
    const words = Array.from({ length: 15 }, () => 'x'.repeat(125_000));
    const { code, stderr } = await user.warren(['run', '--', 'true', ...words]);
    expect(code).toBe(125);
    expect(stderr).toMatch(/^warren: .*(?:argument|large|bytes)/i);
    expect(stderr.length).toBeLessThan(1_000);
  });

  it('a state directory that it may not use', async () => {
    await using user = await User.create();
    await writeFile(user.state, '');
    const { code, stderr } = await user.warren(['run', '--dir', '.', '--', 'true']);
    expect(code).toBe(125);
    expect(stderr).toContain(user.state);
    expect(stderr).toContain('  fix: ');
  });

  it('a state directory that others may write to', async () => {
    await using user = await User.create();
    await mkdir(user.state);
    await chmod(user.state, 0o777);
    const { code, stderr } = await user.warren(['run', '--dir', '.', '--', 'true']);
    expect(code).toBe(125);
    expect(stderr).toContain(user.state);
  });
});

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Processes of this machine with this word in their command line, once there are none or time is up. */
async function survivors(word: string, patienceMs = 3_000): Promise<readonly string[]> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const found = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && commandLine(name).split('\0').includes(word));
    if (found.length === 0 || performance.now() > deadline) return found;
    await sleep(20);
  }
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // It has ended.
  }
}
