/**
 * `npm run demo`: shows what Warren does, by doing it to real commands on real files. Each step prints the command a reader can type, runs it, and checks
 * that it ended as it should; the demo fails when one does not. Everything it makes is in one temporary directory and goes with it.
 */
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { styleText } from 'node:util';
import { type Client, connect } from '@warren/client';
import type { OperationName } from '@warren/protocol/contract';
import { openSandboxes } from '@warren/sandbox';

const WARREN = resolve(import.meta.dirname, '../packages/cli/bin/warren.cjs');
const directory = mkdtempSync(join(tmpdir(), 'warren-demo-'));
const repository = join(directory, 'shop');
const environment = { ...process.env, WARREN_STATE: join(directory, 'state'), DEMO_SECRET: 'hunter2', WARREN_DEBUG: '' };
let failures = 0;

type Expectation = { readonly exit: number; readonly says?: RegExp; readonly hides?: RegExp };

function title(text: string): void {
  console.log(`\n${styleText('bold', `■ ${text}`)}`);
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Runs `warren …` as typed, shows what it said, and checks how it ended. */
function warren(args: readonly string[], expected: Expectation, cwd = directory): string {
  console.log(styleText('dim', `$ warren ${args.map(quote).join(' ')}`));
  const done = spawnSync(process.execPath, [WARREN, ...args], { cwd, env: environment, encoding: 'utf8' });
  return judge(done, expected);
}

function judge(done: SpawnSyncReturns<string>, expected: Expectation): string {
  const said = `${done.stdout}${done.stderr}`;
  const lines = said.trimEnd().split('\n');
  for (const line of lines.slice(0, 24)) if (line !== '') console.log(`  ${line}`);
  if (lines.length > 24) console.log(`  … ${lines.length - 24} more lines`);
  const problem =
    done.status !== expected.exit
      ? `exit code ${done.status}, not ${expected.exit}`
      : expected.says !== undefined && !expected.says.test(said)
        ? `it does not say ${expected.says}`
        : expected.hides?.test(said) === true
          ? `it says ${expected.hides}`
          : undefined;
  check(problem === undefined, problem ?? `exit code ${done.status}, as it should be`);
  return said;
}

function check(isRight: boolean, words: string): void {
  if (!isRight) failures++;
  console.log(isRight ? styleText('green', `  ✓ ${words}`) : styleText('red', `  ✗ ${words}`));
}

function showCommands(): void {
  title('Any command, in a sandbox of its own');
  warren(['run', '--', 'python3', '-c', 'print(sum(range(101)))'], { exit: 0, says: /^5050$/m });
  warren(['run', '--', 'node', '-e', 'console.log(process.version, process.getuid())'], { exit: 0, says: /^v\d+.* 1000$/m });
  warren(['run', '--', 'sh', '-c', 'echo "on $(hostname), $(ls /proc | grep -c "^[0-9]") processes in sight"; exit 3'], {
    exit: 3,
    says: /on warren/,
  });
}

function showSecrets(): void {
  title('The keys of the host are not there to be read');
  const key = join(directory, 'id_ed25519');
  writeFileSync(key, 'PRIVATE KEY', { mode: 0o600 });
  warren(['run', '--', 'cat', key], { exit: 1, says: /No such file/, hides: /PRIVATE KEY/ });
  warren(['run', '--', 'sh', '-c', 'env; cat /proc/1/environ /etc/shadow'], { exit: 1, hides: /hunter2|root:[*$!]/ });
}

async function showNetwork(): Promise<void> {
  title('No network: not even to a server on this very machine');
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const attempt = `import socket; socket.create_connection(("127.0.0.1", ${port}), 2)`;
  const child = spawn(process.execPath, [WARREN, 'run', '--', 'python3', '-c', attempt], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  console.log(styleText('dim', `$ warren run -- python3 -c ${quote(attempt)}`));
  let said = '';
  for await (const chunk of child.stderr) said += String(chunk);
  console.log(`  ${said.trimEnd().split('\n').at(-1) ?? ''}`);
  check(connections === 0 && /refused/i.test(said), `the server saw ${connections} connections`);
  server.close();
}

function showLimits(): void {
  title('A fork bomb and a memory hog, stopped');
  const bomb = 'bomb() { bomb | bomb & }; bomb 2>/dev/null; while :; do :; done';
  warren(['run', '--pids', '50', '--timeout', '2s', '--', 'sh', '-c', bomb], { exit: 124, says: /deadline|2 ?s|2,?000/ });
  warren(['run', '--memory', '64m', '--', 'python3', '-c', 'x = bytearray(10**9)'], { exit: 137, says: /memory/ });
  const left = spawnSync('pgrep', ['-f', 'bomb\\(\\)'], { encoding: 'utf8' }).stdout.trim();
  check(left === '', 'no process of theirs is left');
}

function git(...args: readonly string[]): string {
  const identity = ['-c', 'user.name=demo', '-c', 'user.email=demo@localhost', '-c', 'init.defaultBranch=main'];
  return spawnSync('git', [...identity, ...args], { cwd: repository, encoding: 'utf8' }).stdout;
}

const AGENT = `
import pathlib, subprocess
code = pathlib.Path("price.py")
code.write_text(code.read_text().replace("net - net * rate", "net + net * rate"))
pathlib.Path("CHANGES.md").write_text("- gross() adds the tax\\n")
pathlib.Path("notes.txt").rename("docs.txt")
subprocess.run(["python3", "-m", "unittest", "-q"], check=True)
`;

function showReview(): void {
  title('An agent edits a git repository; you review, apply, undo');
  mkdirSync(repository);
  writeFileSync(join(repository, 'price.py'), 'def gross(net, rate):\n    return net - net * rate\n');
  writeFileSync(
    join(repository, 'test_price.py'),
    'import unittest, price\n\nclass Gross(unittest.TestCase):\n    def test_adds_tax(self):\n        self.assertEqual(price.gross(100, 0.2), 120)\n',
  );
  writeFileSync(join(repository, 'notes.txt'), 'Prices are net unless said otherwise.\n');
  writeFileSync(join(repository, '.gitignore'), '__pycache__/\n');
  writeFileSync(join(directory, 'agent.py'), AGENT);
  git('init', '-q');
  git('add', '.');
  git('commit', '-q', '-m', 'A shop');
  const before = readFileSync(join(repository, 'price.py'), 'utf8');

  warren(['run', '--dir', '.', '--env', 'PYTHONDONTWRITEBYTECODE=1', '--', 'python3', '-c', AGENT], { exit: 0, says: /OK/ }, repository);
  check(git('status', '--porcelain') === '', 'the repository itself is untouched');
  warren(['diff'], { exit: 0, says: /\+ {4}return net \+ net \* rate/ }, repository);
  warren(['diff', '--stat'], { exit: 0, says: /price\.py/ }, repository);
  warren(['apply'], { exit: 0 }, repository);
  check(
    git('status', '--porcelain').includes('M price.py'),
    `git sees it now: ${git('status', '--porcelain').trim().replaceAll('\n', ', ')}`,
  );
  warren(['undo'], { exit: 0 }, repository);
  check(git('status', '--porcelain') === '' && readFileSync(join(repository, 'price.py'), 'utf8') === before, 'everything is as it was');
}

/** The unix socket answers like any web server; the answer of an operation stands in `result`. */
async function rpc(client: Client, method: OperationName, params: object): Promise<Record<string, unknown>> {
  console.log(styleText('dim', `→ ${method} ${JSON.stringify(params)}`));
  const result: unknown = await client.call(method, params as never); // What is shown is what a reader would type.
  console.log(`  ${JSON.stringify(result).slice(0, 160)}`);
  return result as Record<string, unknown>; // Every result is an object.
}

async function showKernel(): Promise<void> {
  title('The kernel: agents, their work and their budgets survive anything');
  const state = join(directory, 'state');
  const serve = ['serve', '--detach', '--no-tcp'];
  warren(serve, { exit: 0 });
  const pid = Number(/\d+/.exec(readFileSync(join(state, 'kernel.pid'), 'utf8'))?.[0]);
  try {
    await using client = connect({ socketPath: join(state, 'warren.sock') });
    const alice = Number((await rpc(client, 'kernel.agent.create', { name: 'alice', template: 'coder' }))['pid']);
    await rpc(client, 'kernel.ledger.create', { pid: alice, grants: { tokens: 1_000 } });
    await rpc(client, 'queue.enqueue', { pid: alice, payload: { task: 'review the shop' } });
    await rpc(client, 'queue.claim', { worker_id: 'demo', lease_ms: 2_000 });
    await rpc(client, 'kernel.ledger.charge', { pid: alice, dim: 'tokens', amount: 1_500 });
    warren(['kernel', 'proc', `${alice}`], { exit: 0, says: /SUSPENDED/ });
    check(true, 'a spent budget suspended alice in the middle of her work');
    await rpc(client, 'kernel.ledger.update_grant', { pid: alice, dim: 'tokens', new_grant: 5_000 });
  } finally {
    console.log(styleText('dim', `$ kill -9 ${pid}   # the daemon`));
    process.kill(pid, 'SIGKILL');
  }
  warren(['kernel', 'summary'], { exit: 0, says: /agents/ });
  check(true, 'that was read from the disk: no daemon runs');
  warren(serve, { exit: 0 });
  warren(['kernel', 'queue'], { exit: 0, says: /alice|dispatched|queued/ });
  warren(['kernel', 'events', '--limit', '8'], { exit: 0, says: /kernel\.ledger\.granted/ });
  warren(['stop'], { exit: 0 });
}

/** What a program that speaks MCP sends over standard input of `warren mcp`, and gets back. */
function mcp(agent: string, calls: readonly object[]): readonly Record<string, unknown>[] {
  const client = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'demo', version: '1' } };
  const messages = [
    { id: 0, method: 'initialize', params: client },
    { method: 'notifications/initialized' },
    ...calls.map((call, index) => ({ id: index + 1, ...call })),
  ];
  console.log(styleText('dim', `$ warren mcp --agent ${agent}   # as a coding agent starts it`));
  const input = messages.map((message) => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`).join('');
  const done = spawnSync(process.execPath, [WARREN, 'mcp', '--agent', agent], {
    cwd: directory,
    env: environment,
    encoding: 'utf8',
    input,
  });
  check(done.status === 0, `exit code ${done.status}, as it should be`);
  const answers = done.stdout
    .trimEnd()
    .split('\n')
    .filter((line) => line.includes('"id"'));
  return answers.map((line) => JSON.parse(line) as Record<string, unknown>); // Every message is an object.
}

function showGate(): void {
  title('The gate: an agent over MCP, policy, an approval, and a record that cannot be changed unseen');
  warren(['policy', 'init', 'team-moderate'], { exit: 0 });
  warren(['serve', '--detach', '--no-tcp'], { exit: 0 });
  try {
    warren(['agent', 'create', 'ada', '--purpose', 'looks after the shop', '--tool', 'filesystem.*', '--tool', 'process.run'], {
      exit: 0,
      says: /wrn_/,
    });
    warren(['agent', 'connect', 'ada', '--client', 'claude-code'], { exit: 0, says: /claude mcp add warren/ });
    const write = { name: 'filesystem__write', arguments: { path: 'note.txt', content: 'written over MCP\n' } };
    const fetch = { name: 'network__http_request', arguments: { url: 'http://169.254.169.254/' } };
    const answers = mcp(
      'ada',
      [write, fetch].map((params) => ({ method: 'tools/call', params })),
    );
    const isError = (id: number): unknown => (answers.find((answer) => answer['id'] === id)?.['result'] as { isError?: boolean })?.isError;
    check(isError(1) !== true, 'it wrote a file in its workspace');
    check(
      isError(2) === true || answers.some((answer) => answer['id'] === 2 && 'error' in answer),
      'what it was not granted it could not call',
    );
    warren(['call', 'process.run', 'command=cat', 'args:=["note.txt"]', '--as', 'ada'], {
      exit: 0,
      says: /written over MCP/,
    });
    const asked = warren(['call', 'filesystem.delete', 'path=note.txt', '--as', 'ada', '--reason', 'not needed any more'], {
      exit: 3,
      says: /warren approvals approve approval_/,
    });
    warren(['approvals', 'approve', /approval_\w+/.exec(asked)?.[0] ?? ''], { exit: 0 });
    warren(['audit', 'tail', '--limit', '4'], { exit: 0, says: /filesystem\.delete/ });
    warren(['audit', 'verify'], { exit: 0 });
  } finally {
    warren(['stop'], { exit: 0 });
  }
}

async function measure(rounds: number, once: () => Promise<void>): Promise<string> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now();
    await once();
    times.push(performance.now() - startedAt);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): string => (times[Math.floor(times.length * share)] ?? 0).toFixed(2).padStart(8);
  return `${at(0)} ${at(0.5)} ${at(0.95)}`;
}

async function showTimes(): Promise<void> {
  title('What it costs, on this machine, now (milliseconds)');
  await using sandboxes = await openSandboxes();
  await using sandbox = await sandboxes.start({});
  const spawned = (): Promise<void> => new Promise((done) => spawn('/bin/true', { stdio: 'ignore' }).once('close', () => done()));
  const rows = [
    [
      'new sandbox, /bin/true in it, gone again',
      await measure(100, async () => {
        await using fresh = await sandboxes.start({});
        await fresh.run(['/bin/true']);
      }),
    ],
    ['/bin/true in a running sandbox', await measure(100, async () => void (await sandbox.run(['/bin/true'])))],
    ['/bin/true without any sandbox (spawn of Node)', await measure(100, spawned)],
  ] as const;
  console.log(`  ${''.padEnd(48)}     best   median      95%`);
  for (const [name, times] of rows) console.log(`  ${name.padEnd(48)} ${times}`);
}

try {
  showCommands();
  showSecrets();
  await showNetwork();
  showLimits();
  showReview();
  await showKernel();
  showGate();
  await showTimes();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
console.log(
  failures === 0 ? '\nEverything went as it should. Next: npm start -- run --help' : `\n${failures} steps did not end as they should`,
);
process.exitCode = failures === 0 ? 0 : 1;
