/** `warren agent` and `warren call`: what an agent may do, what it is told, and what the tool ends with. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { GateDaemon } from './gate-daemon.ts';
import { finish, PATIENCE_MS } from './warren.ts';

vi.setConfig({ testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS });

const POLICY = `name: tried
rules:
  - id: no-secrets
    capability: "filesystem.*"
    when: { path: { under: /workspace/secret } }
    tier: blocked
    reason: What is in there is not for agents
`;

let gate: GateDaemon;
/** The agent `builder`, which may do all within its workspace. */
let pid: number;

beforeAll(async () => {
  // As of a user who shows their files to nobody: the walls must stand all the same.
  const mask = process.umask(0o077);
  const starting = GateDaemon.start();
  try {
    gate = await starting;
  } finally {
    process.umask(mask);
  }
  await gate.setPolicy(POLICY);
  pid = await gate.startAgent('builder');
});

afterAll(async () => await gate?.[Symbol.asyncDispose]());

function onDisk(...path: readonly string[]): string {
  return join(gate.path('workspaces', 'default', 'files'), ...path);
}

describe('warren agent', () => {
  it('starts with what it is granted, lists, and stops', async () => {
    const started = await gate.warren(['agent', 'start', 'reader', '--tool', 'filesystem.read', '--path', '/workspace/docs:r']);
    expect(started).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Agent reader runs as process \d+\.\n$/) });
    expect(started.stderr).toBe('  let it act: warren capability list --as reader\n');
    const { agents } = await gate.json<{ agents: { agent: string; pid: number; state: string }[] }>(['agent', 'list']);
    expect(agents.map(({ agent }) => agent).toSorted()).toEqual(['builder', 'reader']);
    const reader = agents.find(({ agent }) => agent === 'reader');
    const grants = await gate.client.call('kernel.cap.get', { pid: reader?.pid ?? 0 });
    expect(grants).toMatchObject({
      tool_grants: ['filesystem.read'],
      fs_grants: [{ prefix: '/workspace/docs', mode: 'r' }],
      net_grants: [],
    });

    const stopped = await gate.warren(['agent', 'stop', 'reader']);
    expect(stopped).toMatchObject({ code: 0, stdout: `Agent reader: process ${reader?.pid} has ended.\n` });
    expect((await gate.warren(['agent', 'list'])).stdout).toMatch(/^reader +idle/m);
    const again = await gate.warren(['agent', 'stop', 'reader']);
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toMatch(/it is idle, and has no live process\n {2}fix: nothing to do; .* warren agent pause reader\n$/);
    expect((await gate.warren(['agent', 'stop', 'nobody'])).stderr).toContain('fix: warren agent create nobody');
  });

  it('says what of it is of no use, and what to do first', async () => {
    const flags = ['--tool', 'filesystem.*', '--tool', 'gti.*', '--path', '/workspace/docs:r', '--path', '/srv:r'];
    const { code, stderr } = await gate.warren(['agent', 'start', 'odd', ...flags]);
    expect(code).toBe(0);
    expect(stderr).toContain('--tool gti.* is the name of no capability now: `warren capability list`');
    expect(stderr).toContain('--path /srv holds no files of an agent: they are below /workspace');
    expect(stderr).toContain('let it act: warren call filesystem.list path=/workspace/docs --as odd');
    await gate.warren(['agent', 'stop', 'odd']);
  });

  it.each([
    ['a mode that is none', ['--path', '/workspace:rwx'], 2, 'its mode is "rwx", give r or rw'],
    ['a budget of nothing', ['--budget', 'tool_call=3'], 2, 'nothing measures "tool_call"; did you mean tool_calls?'],
    [
      'a path that is none',
      ['--path', '/workspace/a\nb:rw'],
      1,
      'the entry with prefix "/workspace/a\\nb", mode "rw" is not an absolute path',
    ],
  ])('refuses %s, and leaves no process behind', async (_, flags, exit, message) => {
    const before = await gate.client.call('kernel.agent.list', {});
    const { code, stderr } = await gate.warren(['agent', 'start', 'x', ...flags]);
    expect([code, stderr]).toEqual([exit, expect.stringContaining(message)]);
    expect(await gate.client.call('kernel.agent.list', {})).toEqual(before);
  });

  it('refuses a budget that is none', async () => {
    const { code, stderr } = await gate.warren(['agent', 'start', 'x', '--budget', 'tool_calls=many']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('cannot use --budget "tool_calls=many": give dimension=amount')]);
  });
});

describe('warren call', () => {
  it('writes a file that is then on the disk, and prints the answer alone', async () => {
    const { code, stdout, stderr } = await gate.warren(['call', 'filesystem.write', 'path=hello.txt', 'content=héllo', '--as', 'builder']);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({ path: '/workspace/hello.txt', size: 6 });
    expect(readFileSync(onDisk('hello.txt'), 'utf8')).toBe('héllo');
    expect(statSync(onDisk('..')).mode & 0o077).toBe(0);
    expect(statSync(onDisk()).mode & 0o077).toBe(0);
  });

  it('runs commands behind walls that the mask of the daemon does not open or break', async () => {
    const command = ['sh', '-c', 'id -u; cat /etc/passwd | wc -l; cat /workspace/hello.txt; touch /etc/x || echo walled'];
    const { code, stdout } = await gate.warren([
      ...['call', 'process.run', 'command=sh', `args:=${JSON.stringify(command.slice(1))}`, '--as', 'builder'],
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ exit_code: 0, stdout_summary: expect.stringMatching(/^1000\n\d+\nhéllo\s*walled\n$/) });
  });

  it('takes each type by what the capability says it is', async () => {
    // Integer, Boolean and text that looks like a number; a list needs :=.
    const written = await gate.json(['call', 'filesystem.write', 'path=a/42', 'content=12345', 'create_parents=true', '--as', 'builder']);
    expect(written).toMatchObject({ state: 'done', output: { path: '/workspace/a/42', size: 5 } });
    const part = await gate.json(['call', 'filesystem.read', 'path=a/42', 'offset=1', 'limit:=2', '--as', 'builder']);
    expect(part).toMatchObject({ output: { content: '23', truncated: true } });
    const kept = await gate.json([
      'call',
      'state.session.set',
      'key=k',
      'value:={"list":[1,null,true,"x"],"deep":{"n":-1.5}}',
      '--as',
      'builder',
    ]);
    expect(kept).toMatchObject({ state: 'done' });
    const found = await gate.json(['call', 'state.session.get', 'key=k', '--pid', `${pid}`]);
    expect(found).toMatchObject({ output: { value: { list: [1, null, true, 'x'], deep: { n: -1.5 } } } });
  });

  it('takes all arguments as one object: a text, a file, standard input; words win', async () => {
    const input = { path: 'input.txt', content: 'from --input' };
    writeFileSync(join(gate.user.home, 'input.json'), JSON.stringify({ ...input, content: 'from a file' }));
    const write = async (given: string, words: readonly string[] = [], text = ''): Promise<string> => {
      const { code, stderr } = await gate.warren(['call', 'filesystem.write', ...words, '--input', given, '--as', 'builder'], {
        input: text,
      });
      expect([code, stderr]).toEqual([0, '']);
      return readFileSync(onDisk('input.txt'), 'utf8');
    };
    expect(await write(JSON.stringify(input))).toBe('from --input');
    expect(await write('@input.json')).toBe('from a file');
    expect(await write('-', [], JSON.stringify({ ...input, content: 'from standard input' }))).toBe('from standard input');
    expect(await write(JSON.stringify(input), ['content=from a word'])).toBe('from a word');
  });

  it.each([
    [['--input', '[1]'], 'cannot use --input: it is no object'],
    [['--input', '{'], 'cannot use --input: it is no JSON'],
    [['path'], 'cannot use the argument "path": give key=value, or key:=JSON'],
    [['path:=nope'], 'cannot use path:=…: it is no JSON'],
    [['../x=1'], 'cannot use the argument "../x=1"'],
    [['path=a', 'path=b'], 'cannot use the argument "path=b": path is given twice'],
    [['path=a', '--pid', '1'], 'cannot call: give --as AGENT or --pid PID, not both'],
  ])('says what is wrong with %j', async (words, message) => {
    const { code, stdout, stderr } = await gate.warren(['call', 'filesystem.read', ...words, '--as', 'builder']);
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(message)]);
  });

  it('ends with 2 when it is used wrongly, with 1 when a file is not there', async () => {
    expect((await gate.warren(['call'])).code).toBe(2);
    expect((await gate.warren(['call', 'filesystem.read', '--nope'])).code).toBe(2);
    const { code, stderr } = await gate.warren(['call', 'filesystem.read', 'path=x']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('say as whom, with --as AGENT or --pid PID')]);
    const file = await gate.warren(['call', 'filesystem.read', '--input', '@nowhere.json', '--as', 'builder']);
    expect([file.code, file.stderr]).toEqual([1, expect.stringContaining('nowhere.json": ENOENT')]);
  });

  it('has arguments of 50 MB and of 3 MB refused in words, whichever way they come, and goes on', async () => {
    const big = { path: 'big.txt', content: 'x'.repeat(50_000_000) };
    await expect(gate.call(pid, 'filesystem.write', big)).rejects.toMatchObject({ code: 'too_large' });
    const more = { path: 'big.txt', content: 'x'.repeat(3_000_000) };
    await expect(gate.call(pid, 'filesystem.write', more)).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('2097152'),
    });
    for (const [input, message] of [
      [big, 'it has more than 33554432 bytes'],
      [more, 'is larger than 2097152 bytes'],
    ] as const) {
      writeFileSync(join(gate.user.home, 'big.json'), JSON.stringify(input));
      const { code, stdout, stderr } = await gate.warren(['call', 'filesystem.write', '--input', '@big.json', '--as', 'builder']);
      expect([code === 0, stdout, stderr]).toEqual([false, '', expect.stringContaining(message)]);
    }
    expect(existsSync(onDisk('big.txt'))).toBe(false);
    // What the definition says is let through by all that stand before it.
    const described = await gate.client.call('capability.describe', { name: 'filesystem.write' });
    const most = (described.input_schema as { properties: { content: { maxLength: number } } }).properties.content.maxLength; // As JSON Schema is.
    expect(await gate.call(pid, 'filesystem.write', { path: 'big.txt', content: 'x'.repeat(most) })).toMatchObject({ state: 'done' });
    expect(await gate.call(pid, 'filesystem.read', { path: 'big.txt', encoding: 'binary', limit: 9_000_000 })).toMatchObject({
      state: 'done',
      output: { truncated: true, size: most },
    });
  });

  it('names those that are close to an unknown capability, and records it', async () => {
    const { code, stdout, stderr } = await gate.warren(['call', 'filesystem.reed', 'path=x', '--as', 'builder']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('UnknownCapability: Cannot call "filesystem.reed": there is no capability of this name');
    expect(stderr.split('\n')[2]).toContain('Call filesystem.read instead');
    const { entries } = await gate.client.call('audit.search', { action: 'filesystem.reed' });
    expect(entries).toMatchObject([{ outcome: 'failure', error: { type: 'UnknownCapability' } }]);
  });

  it('names the field that is wrong', async () => {
    const call = async (...words: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await gate.warren(['call', 'filesystem.read', ...words, '--as', 'builder']);
      expect([code, stdout]).toEqual([1, '']);
      return stderr;
    };
    expect(await call()).toContain('path: is missing');
    expect(await call('path:=3')).toContain('path: is the number 3, not a text');
    expect(await call('path=a', 'offset=-1')).toMatch(/InvalidInput: .*offset: /);
    expect(await call('path=a', 'pth=b')).toMatch(/InvalidInput: .*pth/);
    expect(await call('path=a', '__proto__:={"limit":1}')).toMatch(/InvalidInput: .*__proto__/);
  });

  it('is held to the grants of the agent, whatever policy says', async () => {
    const narrow = await gate.startAgent('narrow', {
      tool_grants: ['filesystem.read'],
      fs_grants: [{ prefix: '/workspace/docs', mode: 'r' }],
    });
    const byTool = await gate.warren(['call', 'filesystem.write', 'path=docs/x', 'content=1', '--as', 'narrow']);
    expect([byTool.code, byTool.stdout]).toEqual([1, '']);
    expect(byTool.stderr).toContain('GrantMissing: ');
    const byPath = await gate.outcome(['call', 'filesystem.read', 'path=hello.txt', '--pid', `${narrow}`]);
    expect(byPath).toMatchObject({ code: 1, document: { state: 'failed', error: { type: 'PathOutOfScope' } } });
    const dots = await gate.call(narrow, 'filesystem.read', { path: 'docs/../hello.txt' });
    expect(dots).toMatchObject({ state: 'failed', error: { type: 'PathOutOfScope' } });
    expect(JSON.stringify([byPath, dots])).not.toContain(gate.user.state);
  });

  it('is told the rule, the file and the line that deny it', async () => {
    const { code, stdout, stderr } = await gate.warren(['call', 'filesystem.read', 'path=secret/key', '--as', 'builder', '--json']);
    expect(code).toBe(1);
    const answer = JSON.parse(stdout) as { error: { type: string; context: unknown } };
    expect(answer).toMatchObject({ state: 'failed', error: { type: 'PolicyDenied' } });
    expect(JSON.stringify(answer.error)).toContain('workspace.yaml');
    expect(JSON.stringify(answer.error)).toContain('no-secrets');
    expect(stderr).toContain('rule "no-secrets" (workspace.yaml, line 3) blocks it: What is in there is not for agents');
  });

  it('cannot do what no policy can allow', async () => {
    await gate.setPolicy('rules: [{ id: all, capability: "*", tier: autonomous }]', 'agents/reckless.yaml');
    await gate.startAgent('reckless');
    const { code, stderr } = await gate.warren(['call', 'process.run', 'command=rm', 'args:=["-rf","/"]', '--as', 'reckless']);
    expect(code).toBe(1);
    expect(stderr).toContain('rule "mass_destruction" (built in) blocks it');
    expect(stderr).not.toContain('Ask an operator');
    expect(readdirSync('/')).toContain('usr');
  });

  it('ends with 3 when somebody has to approve, and says how', async () => {
    const { code, stdout, stderr } = await gate.warren(['call', 'filesystem.delete', 'path=hello.txt', '--as', 'builder']);
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/approve: warren approvals approve approval_\w+\n/);
    expect(readFileSync(onDisk('hello.txt'), 'utf8')).toBe('héllo');
    const pending = await gate.outcome(['call', 'filesystem.delete', 'path=hello.txt', '--as', 'builder']);
    expect(pending).toMatchObject({ code: 3, document: { state: 'pending', approval_id: expect.stringMatching(/^approval_/) } });
  });

  it('carries out the same key once', async () => {
    const append = ['call', 'filesystem.append', 'path=once.txt', 'content=x', '--key', 'one', '--as', 'builder'];
    await gate.call(pid, 'filesystem.write', { path: 'once.txt', content: '' });
    const [first, second] = [await gate.json(append), await gate.json(append)];
    expect(second).toEqual(first);
    expect(readFileSync(onDisk('once.txt'), 'utf8')).toBe('x');
    const other = await gate.warren(append.map((word) => (word === 'content=x' ? 'content=y' : word)));
    expect(other.code).toBe(1);
    expect(readFileSync(onDisk('once.txt'), 'utf8')).toBe('x');
  });

  it('ends a command at --timeout', async () => {
    const { code, stderr } = await gate.warren([
      ...['call', 'process.run', 'command=sleep', 'args:=["1000"]', '--timeout', '300ms', '--as', 'builder'],
    ]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/Deadline|Timeout/)]);
  });

  it('says nothing to the terminal that an agent could have planted', async () => {
    await gate.call(pid, 'filesystem.write', { path: 'evil.txt', content: '\u001b[2Jgone\u202e' });
    const { stdout } = await gate.warren(['call', 'filesystem.read', 'path=evil.txt', '--as', 'builder']);
    expect(stdout).not.toContain('\u001b');
    expect(JSON.parse(stdout)).toMatchObject({ content: '\u001b[2Jgone\u202e' });
  });

  it('is cancelled by Ctrl-C, and says so', async () => {
    const patient = await gate.startAgent('patient');
    const child = gate.user.start(['call', 'process.run', 'command=sleep', 'args:=["1000"]', '--as', 'patient']);
    const ended = finish(child);
    const underWay = async () => (await gate.client.call('call.list', { pid: patient })).calls.length;
    while ((await underWay()) === 0) await new Promise(setImmediate);
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect([code, stderr]).toEqual([
      130,
      expect.stringMatching(/^warren: interrupted: the call is cancelled; .*: warren audit search --action process\.run --limit 1\n$/),
    ]);
    while ((await underWay()) > 0) await new Promise(setImmediate);
    const { entries } = await gate.client.call('audit.search', { action: 'process.run', newest: true, limit: 1 });
    expect(entries[0]?.error).toMatchObject({ type: 'Cancelled' });
  });
});
