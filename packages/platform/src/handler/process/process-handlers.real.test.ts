import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { processHandlers as handlers } from './process-handlers.ts';
import { AgentFixture } from './test-support/agent-fixture.ts';

vi.setConfig({ testTimeout: 120_000 }); // Dozens of processes each.

let agent: AgentFixture;
beforeAll(async () => {
  agent = await AgentFixture.start();
});
afterAll(() => agent[Symbol.asyncDispose]());

const shell = (script: string, more: object = {}) => ({ command: 'sh', args: ['-c', script], ...more });
/** Processes in the sandbox whose command line holds this word. */
const alive = async (word: string): Promise<number> => {
  const text = await agent.shell(
    'for p in /proc/[0-9]*; do [ "$p" = /proc/$$ ] || { tr "\\0" " " < $p/cmdline; echo; }; done 2>/dev/null || true',
  );
  return text.split('\n').filter((line) => line.includes(word) && !line.includes('cmdline')).length;
};

describe('process.run', () => {
  it('answers the end of the output, the exit code and what was used', async () => {
    const { output, usage } = await agent.act(handlers, 'process.run', shell('seq 1000; echo bad >&2; exit 3', { stdout_lines: 2 }));
    expect(output).toMatchObject({
      exit_code: 3,
      stdout_summary: '999\n1000\n',
      stderr_summary: 'bad\n',
      state: 'completed',
      timeout: 300,
    });
    expect(output['process_id']).toMatch(/^proc_\d+$/);
    expect(output['resource_usage']).toMatchObject({ memory_peak_bytes: expect.any(Number), io_read_bytes: null });
    expect(usage).toMatchObject({ cpu_s: expect.any(Number), memory_bytes: expect.any(Number) });
    expect(Number.isInteger(usage?.['cpu_s'])).toBe(true);
  });

  it('shows signs of life while it runs: how long, how much, the last line as one', async () => {
    const told: string[] = [];
    const progress = (message: string): void => {
      told.push(message);
      writeFileSync(join(agent.directory, 'go-on'), '');
    };
    const script = `printf 'first\\n\\033[1msecond\\033[0m\\n'; until [ -e go-on ]; do sleep 0.05; done; rm -f go-on`;
    expect(await agent.call(handlers, 'process.run', shell(script), { progress })).toMatchObject({ exit_code: 0 });
    expect(told[0]).toMatch(/^\d+ s, 21 bytes printed: \[1msecond \[0m$/);
    const count = told.length;
    await agent.call(handlers, 'process.run', shell('true'), { progress });
    expect(told.length).toBe(count);
  });

  it('takes values out of signs of life before it cuts them', async () => {
    const told: string[] = [];
    const progress = (message: string): void => {
      told.push(message);
      writeFileSync(join(agent.directory, 'go-on'), '');
    };
    const script = `printf 'a-value-of-the-vault%0190d\\n' 0; until [ -e go-on ]; do sleep 0.05; done; rm -f go-on`;
    await agent.call(handlers, 'process.run', shell(script), { progress });
    expect(told[0]).toMatch(/^\d+ s, 211 bytes printed: \S*\]0{190}$/);
    expect(told[0]).not.toContain('vault');
  });

  it('passes arguments as they are: newlines, quotes, empty ones, ten thousand', async () => {
    const args = ['-c', 'import sys, json; print(json.dumps(sys.argv[1:]))', 'a\nb', '"$(x)"', '', '-x', 'ü', '*'];
    const { stdout_summary } = await agent.call(handlers, 'process.run', { command: 'python3', args });
    expect(JSON.parse(String(stdout_summary))).toEqual(args.slice(2));
    const many = await agent.call(handlers, 'process.run', shell('echo $#', { args: ['-c', 'echo $#', 'sh', ...Array(10_000).fill('x')] }));
    expect(many['stdout_summary']).toBe('10000\n');
  });

  it('refuses a NUL, arguments beyond all bounds, and a command that is neither a name nor absolute', async () => {
    expect(await agent.fail(handlers, 'process.run', { command: 'echo', args: ['a', 'b\0c'] })).toMatchObject({
      type: 'InvalidInput',
      context: { field: 'args[1]' },
    });
    expect(await agent.fail(handlers, 'process.run', { command: 'echo', args: Array(60_000).fill('x'.repeat(100)) })).toMatchObject({
      type: 'InvalidInput',
    });
    for (const command of ['./x', 'bin/x', '../x', '', 'a\0b']) {
      expect((await agent.fail(handlers, 'process.run', { command })).type).toBe('InvalidInput');
    }
  });

  it('says what is wrong with a program or directory', async () => {
    const errors = await Promise.all([
      agent.fail(handlers, 'process.run', { command: 'no-such-program' }),
      agent.fail(handlers, 'process.run', { command: '/etc/passwd' }),
      agent.fail(handlers, 'process.run', { command: 'true', working_directory: '/workspace/none' }),
    ]);
    expect(errors.map(({ type }) => type)).toEqual(['CommandNotFound', 'SpawnFailed', 'DirectoryNotFound']);
  });

  it('feeds stdin, and sets variables that are not protected', async () => {
    const input = shell('read line; echo "$line $COLOR $(pwd)"', { stdin: 'hello\n', environment: { COLOR: 'red' } });
    expect((await agent.call(handlers, 'process.run', input))['stdout_summary']).toBe('hello red /workspace\n');
  });

  it.each([
    'LD_PRELOAD',
    'LD_LIBRARY_PATH',
    'PATH',
    'BASH_ENV',
    'ENV',
    'NODE_OPTIONS',
    'PERL5OPT',
    'GIT_SSH_COMMAND',
    'GIT_CONFIG_COUNT',
    'HOME',
    'A=B',
    '',
    '1A',
    '__proto__\0',
  ])('refuses to set %j', async (name) => {
    const error = await agent.fail(handlers, 'process.run', { command: 'true', environment: { [name]: 'secret' } });
    expect(error.type).toBe('InvalidInput');
    expect(error.message).not.toContain('secret');
  });

  it('a timeout is an outcome: partial output, no exit code, nothing of the tree left', async () => {
    const script = 'echo begun; sh -c "sleep 987 & sleep 988"; echo never';
    const output = await agent.call(handlers, 'process.run', shell(script, { timeout: 1 }));
    expect(output).toMatchObject({ state: 'timed_out', exit_code: null, stdout_summary: 'begun\n' });
    expect(await alive('sleep 98')).toBe(0);
  });

  it('ends what it leaves in the background, and says how many those were', async () => {
    const left = await agent.call(handlers, 'process.run', shell('sleep 654 & (setsid sleep 653 > /dev/null 2>&1 &) ; echo hi'));
    expect(left).toMatchObject({ state: 'completed', exit_code: 0, stdout_summary: 'hi\n', leftovers_ended: 2 });
    while ((await alive('sleep 65')) > 0); // They are killed; dying takes them a moment.
    expect(await agent.call(handlers, 'process.run', shell('echo hi'))).toMatchObject({ leftovers_ended: 0 });
  });

  it('takes a timeout beyond the limit for the limit', async () => {
    expect((await agent.call(handlers, 'process.run', { command: 'true', timeout: 7_200 }))['timeout']).toBe(3_600);
  });

  it('a process that leaves its session and ignores SIGTERM is killed with its tree when the call is cancelled', async () => {
    const cancel = new AbortController();
    const script = `trap "" TERM; (setsid sh -c 'trap "" TERM; sleep 876 & wait' &) ; touch /workspace/up; while :; do sleep 877; done`;
    const running = agent.act(handlers, 'process.run', shell(script), { signal: cancel.signal });
    await agent.shell('while [ ! -e up ]; do :; done; rm up');
    cancel.abort(new Error('given up'));
    await expect(running).rejects.toThrow('given up');
    expect(await alive('sleep 87')).toBe(0);
  });

  it('refuses a call that is cancelled already, and starts nothing', async () => {
    await expect(
      agent.act(handlers, 'process.run', shell('touch /workspace/ran'), { signal: AbortSignal.abort(new Error('late')) }),
    ).rejects.toThrow('late');
    expect(await agent.shell('ls')).toBe('');
  });

  it('memory beyond the limit is an error that names it, also when a shell hides it', async () => {
    const hog = 'x = bytearray(600 * 1024 * 1024)';
    const direct = await agent.fail(handlers, 'process.run', { command: 'python3', args: ['-c', hog] });
    expect(direct).toMatchObject({ type: 'ResourceExhausted', context: { resource: 'memory', limit: 536_870_912 } });
    const hidden = await agent.fail(handlers, 'process.run', shell(`python3 -c "${hog}"; exit 9`));
    expect(hidden).toMatchObject({ type: 'ResourceExhausted', context: { resource: 'memory', exit_code: 9 } });
  });

  it('a fork bomb ends with an error that names processes, and the sandbox goes on', { timeout: 120_000 }, async () => {
    await using small = await AgentFixture.start({ limits: { pids: 32 } });
    const bomb = 'import os\nwhile True:\n  try: os.fork()\n  except OSError: pass';
    const error = await small.fail(handlers, 'process.run', { command: 'python3', args: ['-c', bomb], timeout: 4 });
    expect(error).toMatchObject({ type: 'ResourceExhausted', context: { resource: 'pids', limit: 32 } });
    while (((await small.sandbox.stats()).pids ?? 0) > 5); // They are killed; dying takes them a moment.
    expect((await small.call(handlers, 'process.run', shell('echo well')))['stdout_summary']).toBe('well\n');
  });

  it('a gigabyte of output costs the host what it keeps', { timeout: 120_000 }, async () => {
    global.gc?.();
    const before = process.memoryUsage().rss;
    const output = await agent.call(
      handlers,
      'process.run',
      shell('head -c 1073741824 /dev/zero | tr "\\0" x; echo; echo end', { stdout_lines: 1 }),
    );
    expect(output).toMatchObject({ exit_code: 0, stdout_summary: 'end\n' });
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1_048_576);
    const kept = await agent.call(handlers, 'process.logs', { process_id: String(output['process_id']), limit: 16 });
    expect(kept).toMatchObject({ stdout_size: 1_073_741_824 + 5, truncated: true });
  });

  it('reaches no network', async () => {
    const script = 'import socket; s = socket.socket(); s.settimeout(5); s.connect(("1.1.1.1", 80))';
    expect(await agent.call(handlers, 'process.run', { command: 'python3', args: ['-c', script] })).toMatchObject({ exit_code: 1 });
  });

  it('refuses limits of one command that the sandbox cannot hold, and takes those that stand anyway', async () => {
    const refused = { type: 'ResourceLimitUnavailable', context: { field: 'memory_limit', limit: 536_870_912 } };
    expect(await agent.fail(handlers, 'process.run', { command: 'true', memory_limit: 1_048_576 })).toMatchObject(refused);
    expect((await agent.fail(handlers, 'process.run', { command: 'true', cpu_limit: 0.5 })).type).toBe('ResourceLimitUnavailable');
    expect(await agent.call(handlers, 'process.run', { command: 'true', memory_limit: 2 ** 30, cpu_limit: 1 })).toMatchObject({
      exit_code: 0,
    });
  });

  it('a death by signal reads as in a shell', async () => {
    expect(await agent.call(handlers, 'process.run', shell('kill -SEGV $$'))).toMatchObject({ exit_code: 139, state: 'completed' });
  });
});

describe('commands in the background', () => {
  const start = async (script: string) =>
    String((await agent.call(handlers, 'process.run', shell(script, { background: true })))['process_id']);

  it('run on, are listed, looked at, waited for and read', async () => {
    const slow = await start('mkfifo /workspace/gate; read x < /workspace/gate; echo two; exit 4');
    expect(await agent.call(handlers, 'process.monitor', { process_id: slow })).toMatchObject({ state: 'running', exit_code: null });
    expect(await agent.call(handlers, 'process.wait', { process_id: slow, timeout: 0 })).toMatchObject({ state: 'running' });
    const waiting = agent.call(handlers, 'process.wait', { process_id: slow });
    await agent.shell('while [ ! -p gate ]; do :; done; echo > gate; rm gate');
    expect(await waiting).toMatchObject({ state: 'completed', exit_code: 4, process_id: slow });
    expect(await agent.call(handlers, 'process.info', { process_id: slow })).toMatchObject({ state: 'completed', exit_code: 4 });
    expect(await agent.call(handlers, 'process.logs', { process_id: slow, offset: 1, limit: 2 })).toMatchObject({
      stdout: 'wo',
      stdout_size: 4,
      truncated: true,
    });
    const { processes, total } = await agent.call(handlers, 'process.list', { state_filter: 'completed', limit: 1 });
    expect(processes).toHaveLength(1);
    expect(total).toBeGreaterThan(1);
  });

  it('keep what they started until they are killed', async () => {
    const id = await start('sleep 543 & echo up; wait');
    await agent.shell('until grep -qz 543 /proc/[0-9]*/cmdline; do :; done');
    expect(await agent.call(handlers, 'process.monitor', { process_id: id })).toMatchObject({ state: 'running' });
    expect(await alive('sleep 543')).toBe(2); // The shell, and what it started.
    await agent.call(handlers, 'process.kill', { process_id: id, signal: 'KILL' });
    while ((await alive('sleep 543')) > 0);
  });

  it('a wait that is cancelled leaves the command running', async () => {
    const process_id = await start('sleep 765');
    const cancel = new AbortController();
    const waiting = agent.act(handlers, 'process.wait', { process_id }, { signal: cancel.signal });
    cancel.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(await agent.call(handlers, 'process.kill', { process_id })).toEqual({
      killed: true,
      signal_sent: 'SIGTERM',
      process_id,
      state: 'killed',
    });
    expect((await agent.fail(handlers, 'process.kill', { process_id })).type).toBe('ProcessAlreadyExited');
  });

  it('kill uses force on what ignores SIGTERM, and on its children', async () => {
    const process_id = await start(
      'trap "" TERM; touch /workspace/up; setsid sh -c "trap \\"\\" TERM; sleep 654 & wait" & while :; do sleep 655; done',
    );
    await agent.shell('while [ ! -e up ]; do :; done; rm up');
    expect(await agent.call(handlers, 'process.kill', { process_id, force_after: 0.2 })).toMatchObject({
      killed: true,
      signal_sent: 'SIGKILL',
      state: 'killed',
    });
    expect(await alive('sleep 65')).toBe(0);
  });

  it('a signal that does not ask to end is never followed by force', async () => {
    const process_id = await start('trap "echo got" USR1; touch /workspace/up; while :; do sleep 0.05; done');
    await agent.shell('while [ ! -e up ]; do :; done; rm up');
    expect(await agent.call(handlers, 'process.kill', { process_id, signal: 'USR1', force_after: 0.05 })).toMatchObject({
      killed: false,
      signal_sent: 'SIGUSR1',
    });
    expect(await agent.call(handlers, 'process.kill', { process_id, signal: 'SIGKILL' })).toMatchObject({ killed: true });
  });

  it('refuses ids, signals, filters and streams there are not', async () => {
    for (const name of ['monitor', 'info', 'wait', 'kill', 'logs']) {
      expect((await agent.fail(handlers, `process.${name}`, { process_id: '__proto__' })).type).toBe('ProcessNotFound');
    }
    const process_id = await start('true');
    expect((await agent.fail(handlers, 'process.kill', { process_id, signal: 'constructor' })).type).toBe('InvalidInput');
    expect((await agent.fail(handlers, 'process.list', { state_filter: 'toString' })).type).toBe('InvalidFilter');
    expect((await agent.fail(handlers, 'process.logs', { process_id, stream: 'stdin' })).type).toBe('InvalidStream');
  });

  it('refuses more than may run at once', async () => {
    const started: string[] = [];
    while (agent.background.list().filter(({ state }) => state === 'running').length < 64) started.push(await start('sleep 543'));
    expect(await agent.fail(handlers, 'process.run', shell('true'))).toMatchObject({
      type: 'ResourceExhausted',
      context: { resource: 'commands' },
    });
    await Promise.all(started.map((process_id) => agent.call(handlers, 'process.kill', { process_id, signal: 'SIGKILL' })));
  });
});
