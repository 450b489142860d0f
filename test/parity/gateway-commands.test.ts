import type { JsonObject } from '@warren/protocol';
import { expect, vi } from 'vitest';
import { LocalServer, shareAgents } from './agents.ts';
import { provesGate } from './proves-gate.ts';

vi.setConfig({ testTimeout: 60_000 }); // Limits are reached by processes that have to be started first.

const agents = shareAgents();
const NEEDS_ROOT = 'a user has no cgroup controllers unless a manager delegates some';
const isRoot = process.getuid?.() === 0;
const SLEEPERS = 'n=0; for f in /proc/[0-9]*/comm; do read -r name < $f && [ "$name" = sleep ] && n=$((n+1)); done; echo $n';

function shell(script: string, more: JsonObject = {}): JsonObject {
  return { command: 'sh', args: ['-c', script], ...more };
}

provesGate('command:timeout', async () => {
  const agent = await agents().agent();
  const ran = await agent.call('process.run', shell('echo early; sleep 600 & sleep 601', { timeout: 1 }));
  expect(ran).toMatchObject({ state: 'timed_out', exit_code: null, stdout_summary: 'early\n' });
  expect(await agent.shell(SLEEPERS)).toBe('0\n');
});

provesGate('command:clamped', async () => {
  const agent = await agents().agent();
  expect(await agent.call('process.run', { command: 'true', timeout: 7_200 })).toMatchObject({ timeout: 3_600, exit_code: 0 });
});

provesGate('command:destruction', async () => {
  const agent = await agents().agent();
  for (const [command, ...args] of [
    ['rm', '-rf', '/'],
    ['rm', '-r', '-f', '/etc'],
    ['sh', '-c', 'cd / && rm -rf usr'],
  ]) {
    const answer = await agent.ask('process.run', { command: command ?? '', args });
    const context = { rule: { layer: 'builtin', id: 'mass_destruction' } };
    expect(answer, args.join(' ')).toMatchObject({ kind: 'failed', tier: 'blocked', error: { type: 'PolicyDenied', context } });
  }
});

provesGate('command:kill', async () => {
  const agent = await agents().agent();
  const { process_id } = await agent.call('process.run', shell("trap '' TERM; while :; do sleep 600; done", { background: true }));
  // It has to ignore the signal before it gets it.
  await agent.shell('until grep -q "^SigIgn:.*4...$" /proc/[0-9]*/status 2>/dev/null; do sleep 0.01; done');
  expect(await agent.call('process.kill', { process_id: process_id ?? '', force_after: 1 })).toMatchObject({
    killed: true,
    signal_sent: 'SIGKILL',
  });
});

provesGate('command:fork-bomb', async ({ skip }) => {
  skip(!isRoot, NEEDS_ROOT);
  const agent = await agents().agent();
  const many = await agent.ask('process.run', shell('while :; do sleep 600 & done', { timeout: 20 }));
  expect(many).toMatchObject({ kind: 'failed', error: { type: 'ResourceExhausted', context: { resource: 'pids' } } });
  const bomb = 'import os\nwhile True:\n  try: os.fork()\n  except BlockingIOError: pass';
  const answer = await agent.ask('process.run', { command: 'python3', args: ['-c', bomb], timeout: 20 });
  expect(answer).toMatchObject({ kind: 'failed', error: { type: 'ResourceExhausted' } });
  expect(await agent.call('process.run', { command: 'true' })).toMatchObject({ exit_code: 0 });
});

provesGate('command:memory', async ({ skip }) => {
  skip(!isRoot, NEEDS_ROOT);
  const agent = await agents().agent();
  const answer = await agent.ask('process.run', shell('head -c 4000000000 /dev/zero | tail -c 4000000000 > /dev/null'));
  expect(answer).toMatchObject({ kind: 'failed', error: { type: 'ResourceExhausted', context: { resource: 'memory' } } });
});

provesGate('command:no-network', async () => {
  await using server = await LocalServer.start((_, response) => response.end());
  const agent = await agents().agent({ hosts: ['*'] });
  const connect = `import socket,sys
try: socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)
except OSError as error: print(type(error).__name__)`;
  const { stdout_summary } = await agent.call('process.run', {
    command: 'python3',
    args: ['-c', connect, '127.0.0.1', String(server.port)],
  });
  expect(stdout_summary).toBe('ConnectionRefusedError\n');
  expect(await agent.shell('ls /sys/class/net 2>/dev/null || tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "')).toBe('lo\n');
  expect(server.asked).toEqual([]);
});

provesGate('agent:paused', async () => {
  const agent = await agents().agent();
  await agents().mine.processes.transition(agent.pid, 'RUNNING');
  await agents().mine.processes.signal(agent.pid, 'stop');
  expect(await agent.errorOf('system.echo', { text: 'x' })).toBe('ProcessSuspended');
  await agents().mine.processes.signal(agent.pid, 'continue');
  expect(await agent.call('system.echo', { text: 'x' })).toMatchObject({ text: 'x' });
});
