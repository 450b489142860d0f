/** `warren kernel` on a running daemon, and on what one left. */
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, connect } from '@warren/client';
import { jsonSchema, OPERATIONS } from '@warren/protocol/contract';
import { describe, expect, it, vi } from 'vitest';
import { TestDaemon } from './daemon.ts';
import { finish, PATIENCE_MS, printed, User } from './warren.ts';

vi.setConfig({ testTimeout: PATIENCE_MS });

function clientOf(user: User, workspace?: string): Client {
  return connect({ socketPath: join(user.state, 'warren.sock'), workspace });
}

/** A process with a bit of everything, and another. */
async function fill(client: Client): Promise<number> {
  const { pid } = await client.call('kernel.agent.create', { name: 'writer', template: 'claude', metadata: { team: 'docs' } });
  const child = await client.call('kernel.agent.create', { name: 'reviewer', template: 'codex', parent_pid: pid });
  await client.call('kernel.cap.create', {
    pid,
    tool_grants: ['Read', 'Exec'],
    fs_grants: [{ prefix: '/repo', mode: 'rw' }],
    net_grants: ['*.example.org'],
  });
  await client.call('kernel.ledger.create', { pid, grants: { tokens: 1_000 } });
  await client.call('kernel.ledger.charge', { pid, dim: 'tokens', amount: 250 });
  await client.call('kernel.mbox.create', { pid });
  await client.call('kernel.mbox.subscribe', { pid, topic: 'news' });
  await client.call('kernel.mbox.send', { recipient_pid: pid, kind: 'hello' });
  await client.call('kernel.registry.register', { name: 'the-writer', pid, tags: ['docs', 'de'] });
  await client.call('kernel.fs.write', { pid, path: '/memory/notes', content: Buffer.from('hello').toString('base64') });
  await client.call('kernel.sched.enqueue', { pid, trigger: 'webhook', priority: 5 });
  await client.call('kernel.events.append', { pid, kind: 'note', payload: { text: '\u001b[2Jcleared?' } });
  await client.call('kernel.agent.terminate', { pid: child.pid, exit_kind: 'completed' });
  return pid;
}

/** Everything there is to show, as text and as JSON. */
async function everyView(user: User, pid: number): Promise<Readonly<Record<string, string>>> {
  const views = { summary: [], info: [], agents: [], proc: [`${pid}`], events: [], queue: [], registry: [], methods: [], prometheus: [] };
  const shown: Record<string, string> = {};
  for (const [view, words] of Object.entries(views)) {
    const { code, stdout } = await user.warren(['kernel', view, ...words]);
    expect([view, code]).toEqual([view, 0]);
    shown[view] = stdout;
  }
  return shown;
}

describe('warren kernel', () => {
  it('shows the same on a running daemon and on what it left', async () => {
    await using user = await User.create();
    let pid: number;
    let live: Readonly<Record<string, string>>;
    {
      await using daemon = await TestDaemon.start(user);
      await using client = clientOf(user);
      pid = await fill(client);
      live = await everyView(user, pid);
      await daemon.kill('SIGKILL');
    }
    const left = await everyView(user, pid);
    for (const view of ['info', 'agents', 'proc', 'events', 'queue', 'registry', 'methods'])
      expect([view, left[view]]).toEqual([view, live[view]]);

    expect(live['summary']).toMatch(/^kernel {5}\d+\.\d+\.\d+, schema v\d+\nuptime {5}\d/);
    expect(left['summary']).toContain('no daemon runs; this is what it left');
    for (const line of ['agents     2: READY 1, DEAD 1', 'scheduler  1: queued 1', 'registry   1 name', 'fs         1 file, 5 bytes']) {
      expect(live['summary']?.split('\n')).toContain(line);
    }
    expect(live['agents']?.split('\n').slice(0, 3)).toEqual([
      'PID  PARENT  STATE  EXIT       NAME      TEMPLATE',
      `  ${pid}       -  READY  -          writer    claude`,
      `  ${pid + 1}       ${pid}  DEAD   completed  reviewer  codex`,
    ]);
    for (const line of [
      `process     ${pid} writer`,
      'tools       Exec, Read',
      'files       /repo (rw)',
      'hosts       *.example.org',
      'ledger      tokens used=250/1000 (25%)',
      'mailbox     1 of 1024 pending, subscribed to news',
      'registry    the-writer',
      'metadata    {"team":"docs"}',
    ]) {
      expect(live['proc']?.split('\n')).toContain(line);
    }
    expect(live['queue']).toContain('webhook');
    expect(live['registry']).toContain('the-writer  docs, de');
    const names = (live['methods'] ?? '').split('\n').flatMap((line) => /^ {2}(\S+)/.exec(line)?.[1] ?? []);
    expect(names.toSorted()).toEqual(Object.keys(OPERATIONS).toSorted());
    expect(live['methods']).toMatch(/^kernel\.agent \(\d+\)$/m);
    expect(live['methods']).toContain('Creates a process');
    expect(live['prometheus']).toContain('cheetahclaws_kernel_agents{');
    // What an agent wrote does not reach the terminal as it is.
    expect(live['events']).toContain('\\u001b[2Jcleared?');
    expect(live['events']).not.toContain('\u001b');
  });

  it('prints the document of the contract with --json', async () => {
    await using user = await User.create();
    await using _daemon = await TestDaemon.start(user);
    await using client = clientOf(user);
    const pid = await fill(client);
    const json = async (...words: readonly string[]): Promise<unknown> =>
      JSON.parse((await user.warren(['kernel', ...words, '--json'])).stdout);
    expect(await json('agents')).toEqual(await client.call('kernel.agent.list', {}));
    expect(await json('proc', `${pid}`)).toEqual(await client.call('kernel.observe.proc', { pid }));
    expect(await json('queue')).toEqual(await client.call('kernel.sched.list', {}));
    expect(await json('registry')).toEqual(await client.call('kernel.registry.list', {}));
    expect(await json('info')).toEqual(await client.call('kernel.api.version_info', {}));
    expect(await json('methods', '--tier', 'stable')).toEqual(await client.call('kernel.api.list_methods', { tier: 'stable' }));
    expect(await json('summary')).toMatchObject({ agents: { total: 2 } });
  });

  it('describes a method without asking anybody', async () => {
    await using user = await User.create();
    const { code, stdout } = await user.warren(['kernel', 'methods', 'kernel.agent.create']);
    expect(code).toBe(0);
    for (const part of ['tier     stable', 'effect   once', 'callers  a process for itself and those below it'])
      expect(stdout).toContain(part);
    expect(stdout).toMatch(/^ {2}name +string +required$/m);
    expect(stdout).toMatch(/^ {2}metadata +object +optional$/m);
    expect(stdout).toMatch(/^ {2}state +"READY"$/m);
    const { params, result } = OPERATIONS['kernel.agent.create'];
    expect(JSON.parse((await user.warren(['kernel', 'methods', 'kernel.agent.create', '--json'])).stdout)).toMatchObject({
      method: 'kernel.agent.create',
      tier: 'stable',
      params: jsonSchema(params),
      result: jsonSchema(result),
    });
    const unknown = await user.warren(['kernel', 'methods', 'toString']);
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('fix: warren kernel methods')]);
    const names = await user.warren(['kernel', 'methods', '--names']);
    expect(names.stdout.trimEnd().split('\n')).toEqual(Object.keys(OPERATIONS).toSorted());
  });

  it('shows the newest events unless it is told from where, and filters', async () => {
    await using user = await User.create();
    await using _daemon = await TestDaemon.start(user);
    await using client = clientOf(user);
    const { pid } = await client.call('kernel.agent.create', { name: 'a', template: 't' });
    for (let index = 1; index <= 60; index++) await client.call('kernel.events.append', { pid, kind: `tick`, payload: { index } });
    const lines = (await user.warren(['kernel', 'events'])).stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(50);
    expect(lines.at(-1)).toContain('{"index":60}');
    const oldest = await user.warren(['kernel', 'events', '--since', '0', '--limit', '2']);
    expect(oldest.stdout.split('\n')[0]).toContain('kernel.process.created');
    expect(oldest.stderr).toContain('--since 2');
    const some = await user.warren(['kernel', 'events', '--kind', 'tick', '--limit', '1', '--pid', `${pid}`]);
    expect(some.stdout.split('\n')).toHaveLength(2);
    expect((await user.warren(['kernel', 'events', '--pid', '999'])).stderr).toBe('warren: no events\n');
  });

  it('filters processes and work by state, and finds the directory all the same', async () => {
    await using user = await User.create();
    await using _daemon = await TestDaemon.start(user);
    await using client = clientOf(user);
    await fill(client);
    const elsewhere = { env: { WARREN_STATE: join(user.home, 'none') } };
    const dead = await user.warren(['kernel', 'agents', '--state', 'DEAD', '--state-dir', user.state], elsewhere);
    expect(dead.stdout.split('\n')).toHaveLength(3);
    expect((await user.warren(['kernel', 'queue', '--state', 'dead', '--state-dir', user.state], elsewhere)).stderr).toBe(
      'warren: no entries\n',
    );
    for (const flag of ['--state', '--state-dir'])
      expect((await user.warren(['kernel', 'summary', flag, user.state], elsewhere)).code).toBe(0);
    expect((await user.warren(['kernel', 'agents', '--state', 'IDLE'])).code).toBe(2);
  });

  it('looks at one workspace, and says so when there is none of that name', async () => {
    await using user = await User.create();
    await using _daemon = await TestDaemon.start(user);
    await using operator = clientOf(user);
    await operator.call('workspace.create', { workspace: 'acme' });
    await using acme = clientOf(user, 'acme');
    await acme.call('kernel.agent.create', { name: 'theirs', template: 't' });
    expect((await user.warren(['kernel', 'agents', '--workspace', 'acme'])).stdout).toContain('theirs');
    expect((await user.warren(['kernel', 'agents'])).stdout).not.toContain('theirs');
    const none = await user.warren(['kernel', 'agents', '--workspace', 'nobody']);
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('"nobody"')]);
    expect(none.stderr).toContain('fix: warren workspace list, or: warren workspace create nobody\n');
    expect((await user.warren(['kernel', 'agents', '--workspace', '../etc'])).code).toBe(2);
  });

  it('exits 1 when there is no such process, no daemon and no store, and 2 when used wrongly', async () => {
    await using user = await User.create();
    const nothing = await user.warren(['kernel', 'summary']);
    expect(nothing).toMatchObject({ code: 1, stdout: '' });
    expect(nothing.stderr).toContain('no daemon runs there, and there is no store\n  fix: warren serve --detach');
    await using _daemon = await TestDaemon.start(user);
    const missing = await user.warren(['kernel', 'proc', '999']);
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('process 999')]);
    for (const words of [
      ['proc', 'x'],
      ['proc', '0'],
      ['proc'],
      ['nonsense'],
      [],
      ['methods', '--tier', 'x'],
      ['events', '--limit', '-1'],
    ]) {
      expect([words, (await user.warren(['kernel', ...words])).code]).toEqual([words, 2]);
    }
    const wrong = await user.warren(['kernel', 'events', '--folow']);
    expect(wrong.stderr).toContain('Did you mean --follow?');
    expect(wrong.stderr).toContain('fix: warren kernel events --help');
  });
});

describe('warren kernel --follow', () => {
  it('shows events as they happen, also after the daemon was away, and ends with Ctrl-C', async () => {
    await using user = await User.create();
    const args = ['--no-tcp'];
    let child: ReturnType<User['start']>;
    let ended: ReturnType<typeof finish>;
    {
      await using daemon = await TestDaemon.start(user, args);
      await using client = clientOf(user);
      const { pid } = await client.call('kernel.agent.create', { name: 'a', template: 't' });
      child = user.start(['kernel', 'events', '--follow', '--kind', 'tick', '--json']);
      ended = finish(child);
      // Told to follow from now on, so it follows when it shows what it was asked to.
      const first = printed(child, '"n":1');
      const ticking = setInterval(
        () => void client.call('kernel.events.append', { pid, kind: 'tick', payload: { n: 1 } }).catch(() => {}),
        50,
      ); // Until it is seen.
      await first.finally(() => clearInterval(ticking));
      await daemon.kill('SIGKILL');
    }
    await using _again = await TestDaemon.start(user, args);
    await using client = clientOf(user);
    const second = printed(child, '"n":2');
    await client.call('kernel.events.append', { pid: 1, kind: 'tick', payload: { n: 2 } });
    await second;
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect([code, stderr]).toEqual([130, expect.stringContaining('the daemon is gone')]);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly event_id: number; readonly payload: { readonly n: number } });
    expect(events.filter(({ payload }) => payload.n === 2)).toHaveLength(1);
    const ids = events.map(({ event_id }) => event_id);
    expect(ids).toEqual([...new Set(ids)].toSorted((one, other) => one - other));
  });

  it('shows processes and what becomes of them', async () => {
    await using user = await User.create();
    await using _daemon = await TestDaemon.start(user, ['--no-tcp']);
    await using client = clientOf(user);
    const { pid } = await client.call('kernel.agent.create', { name: 'first', template: 't' });
    const child = user.start(['kernel', 'agents', '--follow']);
    const ended = finish(child);
    await printed(child, 'first');
    const more = printed(child, 'second');
    await client.call('kernel.agent.create', { name: 'second', template: 't' });
    await more;
    const gone = printed(child, 'DEAD');
    await client.call('kernel.agent.terminate', { pid, exit_kind: 'cancelled' });
    await gone;
    child.kill('SIGTERM');
    const { code, stdout } = await ended;
    expect(code).toBe(143);
    expect(stdout.match(/PID/g)).toHaveLength(1);
  });

  it('shows work and what becomes of it', async () => {
    await using user = await User.create();
    await using _daemon = await TestDaemon.start(user, ['--no-tcp']);
    await using client = clientOf(user);
    const { pid } = await client.call('kernel.agent.create', { name: 'a', template: 't' });
    const child = user.start(['kernel', 'queue', '--follow', '--json']);
    const ended = finish(child);
    await client.call('kernel.sched.enqueue', { pid, trigger: 'one' });
    await printed(child, '"one"');
    const done = printed(child, '"completed"');
    const { entries } = await client.call('kernel.sched.claim', { worker_id: 'w' });
    await client.call('kernel.sched.complete', { sched_id: entries[0]?.sched_id ?? 0, exit_kind: 'completed' });
    await done;
    // Also what a process takes along when it ends.
    await client.call('kernel.sched.enqueue', { pid, trigger: 'two' });
    const gone = printed(child, '"cancelled"');
    await client.call('kernel.agent.terminate', { pid, exit_kind: 'failed' });
    await gone;
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
  });

  it('is for what happens: without a daemon nothing does', async () => {
    await using user = await User.create();
    {
      await using daemon = await TestDaemon.start(user, ['--no-tcp']);
      await daemon.kill('SIGTERM');
    }
    const { code, stderr } = await user.warren(['kernel', 'events', '--follow']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('fix: warren serve --detach')]);
  });

  it('ends quietly when nobody reads any more', async () => {
    await using user = await User.create();
    await using _daemon = await TestDaemon.start(user, ['--no-tcp']);
    await using client = clientOf(user);
    const { pid } = await client.call('kernel.agent.create', { name: 'a', template: 't' });
    const child = user.start(['kernel', 'events', '--follow']);
    await printed(child, 'kernel.process.created');
    child.stdout.destroy();
    const ended = new Promise((resolve) => child.once('close', resolve));
    const ticking = setInterval(() => void client.call('kernel.events.append', { pid, kind: 'tick', payload: {} }).catch(() => {}), 50); // Until it notices.
    expect(await ended.finally(() => clearInterval(ticking))).toBe(141);
  });
});

it('an ordinary user needs no root for any of it', async ({ skip }) => {
  skip(process.geteuid?.() !== 0, 'only root can become another user');
  const uid = 54_321;
  await using user = await User.create();
  const home = join(user.home, 'theirs');
  mkdirSync(home, { mode: 0o700 });
  chownSync(home, uid, uid);
  for (const path of [join(user.home, '..'), user.home]) chmodSync(path, 0o755);
  const options = { cwd: home, user: { uid, gid: uid }, env: { HOME: home, WARREN_STATE: '', NODE_COMPILE_CACHE: '' } };
  await using daemon = await TestDaemon.start(user, ['--listen', 'tcp:127.0.0.1:0'], options);
  expect(daemon.document.state).toBe(join(home, '.local/state/warren'));
  expect((await user.warren(['kernel', 'summary'], options)).code).toBe(0);
  expect((await user.warren(['doctor', '--store'], options)).code).toBe(0);
  // Another ordinary user gets nowhere.
  const other = {
    ...options,
    cwd: '/',
    user: { uid: uid + 1, gid: uid + 1 },
    env: { ...options.env, WARREN_STATE: daemon.document.state },
  };
  for (const words of [['kernel', 'summary'], ['status'], ['doctor', '--store']]) {
    const { code, stdout, stderr } = await user.warren(words, other);
    expect([words, code, stdout, stderr]).toEqual([words, 1, '', expect.stringContaining('choose a state directory of your own')]);
  }
  expect(await user.warren(['stop'], options)).toMatchObject({ code: 0 });
});
