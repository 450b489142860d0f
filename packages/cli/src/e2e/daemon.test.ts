/** The daemon as its users know it: started, asked, killed, started again, stopped. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { type Client, connect } from '@warren/client';
import { openKernel } from '@warren/kernel';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, it, vi } from 'vitest';
import { leaveNoDaemon, runs, type ServeDocument, TestDaemon } from './daemon.ts';
import { PATIENCE_MS, User, WARREN } from './warren.ts';

vi.setConfig({ testTimeout: PATIENCE_MS });

function clientOf(user: User): Client {
  return connect({ socketPath: join(user.state, 'warren.sock') });
}

/** Whatever the mask says. */
function makeDirectory(path: string, mode: number): string {
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
}

describe('warren serve', () => {
  it('answers on both addresses, and writes where it is for others to find', async () => {
    await using user = await User.create();
    await using daemon = await TestDaemon.start(user);
    const { pid, addresses, state } = daemon.document;
    expect(state).toBe(user.state);
    expect(addresses).toEqual([`unix:${user.state}/warren.sock`, expect.stringMatching(/^tcp:127\.0\.0\.1:\d+$/)]);
    expect((await fetch(`${daemon.url}/health`)).status).toBe(200);
    expect((await fetch(`${daemon.url}/metrics`)).status).toBe(401);

    const discovery = JSON.parse(readFileSync(join(user.state, 'daemon.json'), 'utf8')) as ServeDocument;
    expect(discovery).toMatchObject({ pid, addresses, version: daemon.document.version });
    for (const file of readdirSync(user.state)) expect([file, statSync(join(user.state, file)).mode & 0o077]).toEqual([file, 0]);
    expect(statSync(user.state).mode & 0o777).toBe(0o700);

    const status = await user.warren(['status']);
    expect(status).toMatchObject({ code: 0, stderr: '' });
    for (const line of [`pid          ${pid}`, `listens      unix:${user.state}/warren.sock`])
      expect(status.stdout.split('\n')).toContain(line);
    expect(JSON.parse((await user.warren(['status', '--json'])).stdout)).toMatchObject({ running: true, system_pid: pid, workspaces: 1 });
  });

  it('ends in order at SIGTERM, and leaves no trace but what it keeps', async () => {
    await using user = await User.create();
    await using daemon = await TestDaemon.start(user);
    expect(await daemon.kill('SIGTERM')).toMatchObject({ code: 0, signal: null });
    expect(readdirSync(user.state).toSorted()).toEqual([
      ...['audit', 'audit.key', 'capabilities', 'kernel.db', 'kernel.lock', 'kernel.pid', 'notify', 'policies', 'skills'],
    ]);
    expect((await user.warren(['status'])).code).toBe(1);
  });

  it('refuses a second start, and names the first', async () => {
    await using user = await User.create();
    await using daemon = await TestDaemon.start(user);
    const second = await user.warren(['serve', '--no-tcp']);
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toContain(`process ${daemon.document.pid} has it open`);
    expect(second.stderr).toContain('fix: warren status, or: warren stop');
    expect((await user.warren(['status'])).code).toBe(0);
  });

  it('loses nothing it acknowledged when it is killed, and starts again', async () => {
    await using user = await User.create();
    const made: number[] = [];
    {
      await using daemon = await TestDaemon.start(user);
      await using client = clientOf(user);
      for (let index = 0; index < 20; index++)
        made.push((await client.call('kernel.agent.create', { name: `agent ${index}`, template: 't' })).pid);
      await daemon.kill('SIGKILL');
    }
    expect((await user.warren(['status'])).code).toBe(1);
    // Nobody wrote that it is gone, and yet nobody is fooled.
    expect(existsSync(join(user.state, 'daemon.json'))).toBe(true);

    const found = JSON.parse((await user.warren(['kernel', 'agents', '--json'])).stdout) as {
      readonly agents: readonly { readonly pid: number }[];
    };
    expect(found.agents.map(({ pid }) => pid)).toEqual(made);
    await using again = await TestDaemon.start(user);
    const later = JSON.parse((await user.warren(['kernel', 'agents', '--json'])).stdout) as typeof found;
    expect(later.agents.map(({ pid }) => pid)).toEqual(made);
    expect(again.document.pid).not.toBe(0);
  });

  it('says which port is taken, and how to choose another', async () => {
    await using user = await User.create();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { readonly port: number }; // Of a TCP server.
    const { code, stderr } = await user.warren(['serve', '--listen', `tcp:127.0.0.1:${port}`]);
    const elsewhere = await user.warren(['serve', '--listen', `tcp:127.0.0.1:${port}`, '--state', user.state]);
    other.close();
    expect(code).toBe(1);
    expect(stderr).toContain(`cannot listen on tcp:127.0.0.1:${port}`);
    expect(stderr).toContain('--listen');
    expect(elsewhere.stderr).toContain(`warren serve --listen tcp:127.0.0.1:0 --state ${user.state} (any free port)`);
    // It let go of everything.
    await using daemon = await TestDaemon.start(user);
    expect(daemon.document.addresses).toHaveLength(2);
  });

  it('says which certificate cannot be used, and nothing of addresses', async () => {
    await using user = await User.create();
    const { code, stderr } = await user.warren(['serve', '--tls-cert', '/nope', '--tls-key', '/nope', '--state', user.state]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('cannot serve TLS with the certificate /nope: there is no such file')]);
    expect(stderr).toContain(`or let Warren make them: warren serve --tls self-signed --state ${user.state}\n`);
    expect(stderr).not.toContain('--no-tcp');
  });

  it('listens where it is told, and is found there', async () => {
    await using user = await User.create();
    mkdirSync(join(user.home, 'run'), { mode: 0o700 });
    await using daemon = await TestDaemon.start(user, ['--no-tcp', '--listen', 'unix:run/w.sock']);
    expect(daemon.document.addresses).toEqual([`unix:${user.home}/run/w.sock`]);
    expect((await user.warren(['status'])).code).toBe(0);
  });

  it('sends a span of each call to the collector it is told of', async () => {
    await using user = await User.create();
    const posted: string[] = [];
    const collector = createHttpServer(async (request, response) => {
      let body = '';
      for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
      posted.push(`${request.url} ${body}`);
      response.setHeader('content-type', 'application/json').end('{}');
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const { port } = collector.address() as { readonly port: number }; // Of a TCP server.
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_SERVICE_NAME: 'my-warren' };
    await using daemon = await TestDaemon.start(user, ['--no-tcp'], { env });
    await user.warren(['kernel', 'summary']);
    expect(await daemon.kill('SIGTERM')).toMatchObject({ code: 0 });
    collector.close();
    expect(posted.join('\n')).toMatch(/^\/v1\/traces /);
    for (const word of ['my-warren', 'kernel.observe.summary', 'daemon.status']) expect(posted.join('\n')).toContain(word);
  });

  it('ends in order also when the collector of traces is gone', async () => {
    await using user = await User.create();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };
    await using daemon = await TestDaemon.start(user, ['--no-tcp'], { env });
    await user.warren(['kernel', 'summary']);
    expect(await daemon.kill('SIGTERM')).toMatchObject({ code: 0, stderr: expect.stringContaining('The last traces were not sent') });
  });

  it.each([
    ['a relative address', ['--listen', '7700'], 'unix:PATH or tcp:HOST:PORT'],
    ['TCP and no TCP', ['--no-tcp', '--listen', 'tcp:127.0.0.1:0'], 'leave out --no-tcp'],
    ['an unknown policy', ['--recovery', 'forget'], 'resume, suspend, mark-dead'],
    ['a path that no socket can have', ['--state', `/tmp/${'x'.repeat(120)}`], 'the path has'],
  ])('refuses %s as wrong usage', async (_, args, why) => {
    await using user = await User.create();
    const { code, stderr } = await user.warren(['serve', ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
    rmSync(`/tmp/${'x'.repeat(120)}`, { recursive: true, force: true });
  });
});

describe('a state directory that cannot be used', () => {
  it.each<[string, (state: string) => void, string]>([
    ['a file', (state) => writeFileSync(state, 'precious'), 'it is not a directory'],
    ['a link that leads nowhere', (state) => symlinkSync('/nowhere/at/all', state), 'no such file or directory'],
    ['one that others may write to', (state) => makeDirectory(state, 0o777), 'other users may write to it'],
    [
      'a store that is none',
      (state) => writeFileSync(join(makeDirectory(state, 0o700), 'kernel.db'), 'x'.repeat(8_192)),
      'the store is damaged',
    ],
    [
      'a directory in place of the store',
      (state) => mkdirSync(join(state, 'kernel.db'), { recursive: true, mode: 0o700 }),
      'cannot be opened',
    ],
  ])('%s: exit code 3, and what to do', async (_, prepare, why) => {
    await using user = await User.create();
    prepare(user.state);
    const { code, stdout, stderr } = await user.warren(['serve', '--no-tcp']);
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toContain(why);
    expect(stderr).toMatch(/^ {2}fix: /m);
    expect(stderr).not.toContain('    at ');
  });

  it('a link to a directory of ours is followed', async () => {
    await using user = await User.create();
    mkdirSync(join(user.home, 'real'), { mode: 0o700 });
    symlinkSync(join(user.home, 'real'), user.state);
    await using daemon = await TestDaemon.start(user);
    expect(daemon.document.state).toBe(join(user.home, 'real'));
    expect((await user.warren(['status'])).code).toBe(0);
  });

  it('a full disk: exit code 3, and what to do', async ({ skip }) => {
    skip(spawnSync('unshare', ['-m', 'true']).status !== 0, 'no file system can be mounted here');
    await using user = await User.create();
    makeDirectory(user.state, 0o700);
    const script = 'mount -t tmpfs -o size=64k,mode=700 none "$0" && exec "$@"';
    const options = { env: user.env(), encoding: 'utf8' } as const;
    const { status, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', script, user.state, ...WARREN, 'serve', '--no-tcp'], options);
    expect([status, stderr]).toEqual([3, expect.stringContaining('the disk is full')]);
    expect(stderr).toContain('fix: free some space (df -h), then: warren doctor --store');
  });

  it('of another user, or shut: exit code 3, and what to do', async ({ skip }) => {
    skip(process.geteuid?.() !== 0, 'only root can become another user');
    await using user = await User.create();
    const anybody = { uid: 54_321, gid: 54_321 };
    for (const path of [join(user.home, '..'), user.home]) chmodSync(path, 0o755);
    const shut = makeDirectory(join(user.home, 'shut'), 0o500);
    chownSync(shut, anybody.uid, anybody.gid);
    const options = { cwd: '/', user: anybody, env: { NODE_COMPILE_CACHE: '' } };
    for (const [state, why] of [
      [user.home, 'it belongs to user 0'],
      [shut, `chmod 700 ${shut}`],
      [join(user.home, 'none'), 'EACCES'],
    ] as const) {
      const { code, stderr } = await user.warren(['serve', '--no-tcp', '--state', state], options);
      expect([state, code, stderr]).toEqual([state, 3, expect.stringContaining(why)]);
      expect(stderr).toMatch(/^ {2}fix: /m);
    }
  });

  it.each([
    ['policies/system.yaml', 'rules: [{ tier: nonsense }]', 'cannot use the policies in', 'warren policy check'],
    ['config.yaml', 'audit: { retention: soon }', 'cannot use ', 'correct it, then: warren serve'],
  ])('a mistake in %s: which, where, and what to do', async (name, text, what, fix) => {
    await using user = await User.create();
    const file = join(user.state, name);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    chmodSync(user.state, 0o700);
    writeFileSync(file, text);
    const { code, stderr } = await user.warren(['serve', '--no-tcp']);
    expect([code, stderr]).toEqual([2, expect.stringContaining(what)]);
    expect(stderr).toContain(`${basename(name)}:1: `);
    expect(stderr).toMatch(/^ {2}fix: /m);
    expect(stderr).toContain(fix);
    expect(stderr).not.toContain('stay in force');
    rmSync(file);
    // It let go of everything.
    await using daemon = await TestDaemon.start(user);
    expect(daemon.document.state).toBe(user.state);
  });

  it('without a name is refused, and is not where one happens to be', async () => {
    await using user = await User.create();
    const { code, stderr } = await user.warren(['serve', '--no-tcp', '--state', '']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('cannot use "" as the state directory')]);
  });

  it('says the same as JSON', async () => {
    await using user = await User.create();
    writeFileSync(user.state, 'precious');
    const { code, stdout } = await user.warren(['serve', '--json']);
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'store_failed', fix: expect.any(String) } });
    expect(readFileSync(user.state, 'utf8')).toBe('precious');
  });
});

describe('warren serve --detach', () => {
  it('returns when the daemon answers, and the daemon outlives it', async () => {
    await using user = await User.create();
    using _none = leaveNoDaemon(user);
    const { code, stdout, stderr } = await user.warren(['serve', '--detach', '--json', '--no-tcp', '--recovery', 'suspend']);
    expect([code, stderr]).toEqual([0, '']);
    const { pid, addresses } = JSON.parse(stdout) as ServeDocument;
    expect(runs(pid)).toBe(true);
    expect(addresses).toEqual([`unix:${user.state}/warren.sock`]);
    // A session of its own: no terminal can take it along.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    expect(Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3])).toBe(pid);
    expect((await user.warren(['kernel', 'summary'])).code).toBe(0);
    const again = await user.warren(['serve', '--detach', '--no-tcp']);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain(`process ${pid} has it open`);

    expect(await user.warren(['stop'])).toMatchObject({ code: 0, stdout: `Stopped process ${pid}.\n`, stderr: '' });
    expect(runs(pid)).toBe(false);
    const log = readFileSync(join(user.state, 'daemon.log'), 'utf8');
    expect(log).toContain('"message":"Stopped"');
    expect(statSync(join(user.state, 'daemon.log')).mode & 0o777).toBe(0o600);
  });

  it('says why the daemon did not start, with its exit code', async () => {
    await using user = await User.create();
    mkdirSync(user.state, { mode: 0o700 });
    writeFileSync(join(user.state, 'kernel.db'), 'x'.repeat(8_192));
    const { code, stdout, stderr } = await user.warren(['serve', '--detach', '--no-tcp']);
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toContain('the store is damaged');
    expect(stderr).toContain(`its log is ${user.state}/daemon.log`);
  });

  it('keeps its log small, and follows no link in its place', async () => {
    await using user = await User.create();
    makeDirectory(user.state, 0o700);
    using _none = leaveNoDaemon(user);
    const log = join(user.state, 'daemon.log');
    writeFileSync(log, 'x'.repeat(17 * 2 ** 20));
    expect((await user.warren(['serve', '--detach', '--no-tcp'])).code).toBe(0);
    expect((await user.warren(['stop'])).code).toBe(0);
    expect(statSync(`${log}.1`).size).toBe(17 * 2 ** 20);
    expect(statSync(log).size).toBeLessThan(10_000);

    rmSync(log);
    writeFileSync(join(user.home, 'precious'), '');
    symlinkSync(join(user.home, 'precious'), log);
    expect(await user.warren(['serve', '--detach', '--no-tcp'])).toMatchObject({ code: 3, stderr: expect.stringContaining('ELOOP') });
    expect(readFileSync(join(user.home, 'precious'), 'utf8')).toBe('');
  });
});

describe('warren stop', () => {
  it('is content when there is nothing to stop', async () => {
    await using user = await User.create();
    expect(await user.warren(['stop'])).toMatchObject({ code: 0, stdout: `No daemon runs on ${user.state}.\n` });
    expect(JSON.parse((await user.warren(['stop', '--json'])).stdout)).toEqual({ stopped: false, reason: 'not running' });
  });

  it('touches no process that only a file calls the daemon', async () => {
    await using user = await User.create();
    mkdirSync(user.state, { mode: 0o700 });
    const bystander = user.start(['serve', '--no-tcp', '--state', join(user.home, 'other')]);
    await new Promise<void>((resolve) => bystander.stdout.once('data', () => resolve()));
    try {
      writeFileSync(
        join(user.state, 'daemon.json'),
        JSON.stringify({ pid: bystander.pid, started_at: 1, version: '0', addresses: ['unix:/nowhere'] }),
      );
      writeFileSync(join(user.state, 'kernel.pid'), `${bystander.pid}\n`);
      writeFileSync(join(user.state, 'kernel.lock'), '');
      expect((await user.warren(['stop'])).stdout).toContain('No daemon runs');
      expect(runs(bystander.pid ?? 0)).toBe(true);
    } finally {
      bystander.kill('SIGKILL');
      await new Promise((resolve) => bystander.once('close', resolve));
    }
  });

  it('has patience with a daemon that hangs, and then says how to get rid of it', async () => {
    await using user = await User.create();
    await using daemon = await TestDaemon.start(user, ['--no-tcp']);
    process.kill(daemon.document.pid, 'SIGSTOP');
    const { code, stderr } = await user.warren(['stop', '--timeout', '300ms']);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`kill -KILL ${daemon.document.pid}`)]);
    // It was asked all the same, and ends when it wakes.
    process.kill(daemon.document.pid, 'SIGCONT');
    expect(await daemon.ended).toMatchObject({ code: 0 });
  });

  it('leaves a program alone that has the store open and is no daemon; what it has can be looked at', async () => {
    await using user = await User.create();
    const kernel = await openKernel({ directory: user.state });
    await kernel.workspace(DEFAULT_WORKSPACE).processes.create({ name: 'embedded', template: 't' });
    for (const words of [['stop'], ['status'], ['serve', '--no-tcp']]) {
      const { code, stderr } = await user.warren(words);
      expect([words, code, stderr]).toEqual([words, 1, expect.stringContaining(`process ${process.pid} has it open`)]);
    }
    const shown = await user.warren(['kernel', 'agents']);
    expect([shown.code, shown.stdout]).toEqual([0, expect.stringContaining('embedded')]);
    expect(shown.stderr).toContain('reading its store instead');
    await kernel.close();
  });

  it('answers what is under way before it ends', async () => {
    await using user = await User.create();
    await using daemon = await TestDaemon.start(user);
    await using client = clientOf(user);
    const calls = Array.from({ length: 50 }, (_, index) => client.call('kernel.agent.create', { name: `agent ${index}`, template: 't' }));
    await calls[0];
    const [stopped] = await Promise.all([user.warren(['stop']), ...calls]);
    expect(stopped.code).toBe(0);
    expect(await daemon.ended).toMatchObject({ code: 0 });
  });
});
