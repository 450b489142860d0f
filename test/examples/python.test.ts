/** The example in Python does what its README says, against the shipped daemon, with the python3 of the machine. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { GateDaemon } from '../../packages/cli/src/e2e/gate-daemon.ts';
import { PATIENCE_MS } from '../../packages/cli/src/e2e/warren.ts';
import { ROOT } from '../boundaries/read-tree.ts';

vi.setConfig({ testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS });

const EXAMPLE = join(ROOT, 'examples/python');
const hasPython = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']).status === 0;
let gate: GateDaemon;

beforeEach(({ skip }) => skip(!hasPython, 'python3, 3.9 or newer, is not installed'));
beforeAll(async () => {
  gate = await GateDaemon.start(['--listen', 'tcp:127.0.0.1:0']);
  await gate.setPolicy(
    'rules: [{ id: ask-first, capability: alerts.send, tier: approval_required }, { capability: system.time, tier: blocked }]',
  );
  await gate.startAgent('builder', {
    tool_grants: ['system.*', 'alerts.send', 'filesystem.read'],
    fs_grants: [{ prefix: '/workspace', mode: 'r' }],
  });
});
afterAll(async () => await gate?.[Symbol.asyncDispose]());

function python(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcessWithoutNullStreams {
  return spawn('python3', ['-B', ...args], { cwd: EXAMPLE, env: { PATH: process.env['PATH'], PYTHONUNBUFFERED: '1', ...env } });
}

async function ended(
  child: ChildProcessWithoutNullStreams,
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  child.stdin.end();
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number, out, err }; // It is not killed.
}

/** Approves the next call that waits, as soon as it is asked about. */
async function approveNext(): Promise<void> {
  const stop = new AbortController();
  for await (const { kind } of gate.client.events({ after: 0 }, { signal: stop.signal })) {
    if (!kind.startsWith('kernel.approval.')) continue;
    const { approvals } = await gate.client.call('approval.list', { state: 'pending' });
    const [waiting] = approvals;
    if (waiting === undefined) continue;
    await gate.client.call('approval.approve', { approval_id: waiting.approval_id });
    return;
  }
}

const SOCKET = (): string => gate.path('warren.sock');
const CLIENT = `import sys
from warren_client import CallFailed, Warren, WarrenFault
warren = Warren(socket_path=sys.argv[1], agent="builder")
`;

describe('hello.py', () => {
  it('says who it is, calls, waits for a person, follows events and handles a failure, over the unix socket', async () => {
    const [{ code, out, err }] = await Promise.all([
      ended(python(['hello.py', '--socket', SOCKET(), '--agent', 'builder', '--wait', '300', '--events', '3'])),
      approveNext(),
    ]);
    expect([code, err]).toEqual([0, '']);
    expect(out.split('\n')).toEqual([
      expect.stringMatching(/^builder is process \d+; it may call \d+ tools$/),
      ...['echo: hello', expect.stringContaining('sent:'), 'failed, as it should: FileNotFound'],
      ...[1, 2, 3].map(() => expect.stringMatching(/^event \d+ kernel\./)),
      '',
    ]);
  });

  it('over the port it is whoever holds the token', async () => {
    await gate.client.call('agent.create', { agent: 'writer', tool_grants: ['system.*', 'alerts.send', 'filesystem.read'] });
    const { token } = await gate.client.call('token.create', { workspace: 'default', agent: 'writer' });
    const env = { WARREN_TOKEN: token };
    const [{ code, out, err }] = await Promise.all([
      ended(python(['hello.py', '--url', gate.daemon.url, '--wait', '300'], env)),
      approveNext(),
    ]);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^writer is process \d+/);
    const nobody = await ended(python(['hello.py', '--url', gate.daemon.url], { WARREN_TOKEN: 'wrong' }));
    expect([nobody.code, nobody.err]).toEqual([1, expect.stringContaining('refused (unauthenticated)')]);
    const other = await ended(python(['hello.py', '--url', gate.daemon.url, '--agent', 'builder'], env));
    expect([other.code, other.err]).toEqual([1, expect.stringContaining('Cannot act as that agent')]);
  });

  it('says what goes wrong: nobody answers', async () => {
    const { code, err } = await ended(python(['hello.py', '--socket', '/nowhere/warren.sock', '--agent', 'builder']));
    expect([code, err]).toEqual([1, expect.stringContaining('nobody answers')]);
  });
});

describe('warren_client.py', () => {
  it('failures are what they are: blocked, not granted, not approved in time; a key is the same call', async () => {
    const { out, err } = await ended(
      python([
        '-c',
        `${CLIENT}
for name, arguments, wait in [("system.time", {}, 0), ("filesystem.write", {"path": "a", "content": "b"}, 0), ("alerts.send", {"message": "x"}, 0.05)]:
    try:
        warren.call(name, arguments, wait_for_approval_s=wait)
    except CallFailed as failed:
        print(failed.error["type"])
try:
    warren.request("GET", "/api/processes/999999/capabilities")
except WarrenFault as fault:
    print(fault.code, fault.status)
print(warren.call("system.echo", {"text": "1"}, key="k") == warren.call("system.echo", {"text": "1"}, key="k"))
`,
        SOCKET(),
      ]),
    );
    expect(err).toBe('');
    expect(out.trim().split('\n')).toEqual(['PolicyDenied', 'GrantMissing', 'ApprovalPending', 'unknown_pid 404', 'True']);
  });

  it('follows events across a restart of the daemon: each once, none left out', async () => {
    const follower = python([
      '-u',
      '-c',
      `${CLIENT}\nfor event in warren.events(after=0):\n    print(event["id"], flush=True)\n`,
      SOCKET(),
    ]);
    try {
      const seen: number[] = [];
      const lines = createInterface({ input: follower.stdout })[Symbol.asyncIterator]();
      const until = async (id: number): Promise<void> => {
        while ((seen.at(-1) ?? 0) < id) seen.push(Number((await lines.next()).value));
      };
      const append = async (): Promise<number> =>
        (await gate.client.call('kernel.events.append', { pid: 1, kind: 'example.told', payload: {} })).event_id;
      await until(await append());
      await gate.killAndStart(['--listen', 'tcp:127.0.0.1:0']);
      const last = await append();
      await until(last);
      expect(seen).toEqual(Array.from({ length: last }, (_, at) => at + 1));
    } finally {
      follower.kill();
      await once(follower, 'close');
    }
  });
});
