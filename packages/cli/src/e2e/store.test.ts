/** Backups, restores, checks and tokens, by hand. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@warren/client';
import { describe, expect, it, vi } from 'vitest';
import { atTerminal, hasPython } from '../test-support/terminal.ts';
import { TestDaemon } from './daemon.ts';
import { PATIENCE_MS, User, WARREN } from './warren.ts';

vi.setConfig({ testTimeout: PATIENCE_MS });

/** Makes a process of this name, through a daemon of its own if none runs. */
async function addAgent(user: User, name: string): Promise<void> {
  await using client = connect({ socketPath: join(user.state, 'warren.sock') });
  await client.call('kernel.agent.create', { name, template: 't' });
}

async function agents(user: User): Promise<readonly string[]> {
  const { stdout } = await user.warren(['kernel', 'agents', '--json']);
  return (JSON.parse(stdout) as { readonly agents: readonly { readonly name: string }[] }).agents.map(({ name }) => name);
}

describe('warren backup and restore', () => {
  it('bring back what was there, from a running daemon and from a stopped one', async () => {
    await using user = await User.create();
    {
      await using daemon = await TestDaemon.start(user, ['--no-tcp']);
      await addAgent(user, 'before');
      expect(await user.warren(['backup', 'live.db'])).toMatchObject({ code: 0, stderr: '' });
      await addAgent(user, 'after');
      const running = await user.warren(['restore', '--force', 'live.db']);
      expect(running.code).toBe(1);
      expect(running.stderr).toContain(`process ${daemon.document.pid} has it open`);
      expect(running.stderr).toContain('fix: warren stop');
      await daemon.kill('SIGTERM');
    }
    const cold = await user.warren(['backup', 'cold.db', '--json']);
    expect(JSON.parse(cold.stdout)).toEqual({
      path: join(user.home, 'cold.db'),
      bytes: statSync(join(user.home, 'cold.db')).size,
      from: 'store',
      ...{ files: [], vault_key: null, with_key: false },
    });
    for (const file of ['live.db', 'cold.db']) expect(statSync(join(user.home, file)).mode & 0o777).toBe(0o600);

    const refused = await user.warren(['restore', 'live.db']);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('fix: warren restore --force live.db')]);
    expect(await agents(user)).toEqual(['before', 'after']);
    const restored = JSON.parse((await user.warren(['restore', '--force', '--json', 'live.db'])).stdout) as { readonly kept_as: string };
    expect(await agents(user)).toEqual(['before']);
    expect(restored.kept_as).toMatch(/kernel\.db\.before-restore-\d{8}T\d{6}Z-[0-9a-f]{6}$/);

    await using _daemon = await TestDaemon.start(user, ['--no-tcp']);
    await addAgent(user, 'again');
    expect(await agents(user)).toEqual(['before', 'again']);
  });

  it.each([
    ['a key file that is taken along', true],
    ['a key file that is kept elsewhere', false],
  ])('bring back secrets and policies after the state directory is lost: %s', async (_, withKey) => {
    await using user = await User.create();
    const policy = 'rules:\n  - { capability: "git.*", tier: blocked, reason: "kept" }\n';
    const value = 'planted-value-Zq83Lm';
    {
      await using daemon = await TestDaemon.start(user, ['--no-tcp']);
      await user.warren(['secret', 'set', 'github', '--skill', 'deploy', '--host', 'api.example.com'], { input: value });
      mkdirSync(join(user.state, 'policies'), { recursive: true });
      writeFileSync(join(user.state, 'policies', 'workspace.yaml'), policy);
      const { code, stderr } = await user.warren(['backup', 'b.db', ...(withKey ? ['--with-key'] : [])]);
      expect([code, stderr]).toEqual([
        0,
        expect.stringContaining(withKey ? 'whoever has this file has the secrets' : 'vault.key in another place'),
      ]);
      await daemon.kill('SIGTERM');
    }
    const backup = readFileSync(join(user.home, 'b.db'));
    const key = readFileSync(join(user.state, 'vault.key'));
    expect([statSync(join(user.home, 'b.db')).mode & 0o777, backup.includes(value), backup.includes(key)]).toEqual([0o600, false, withKey]);
    rmSync(user.state, { recursive: true });

    const restored = await user.warren(['restore', 'b.db']);
    expect([restored.code, restored.stderr]).toEqual([0, withKey ? '' : expect.stringContaining('vault.key is gone')]);
    if (!withKey) writeFileSync(join(user.state, 'vault.key'), key, { mode: 0o600 });
    expect(readFileSync(join(user.state, 'kernel.db')).includes(key)).toBe(false);
    for (const name of ['vault.json', 'vault.key', 'policies/workspace.yaml'])
      expect([name, statSync(join(user.state, name)).mode & 0o777]).toEqual([name, 0o600]);
    expect(readFileSync(join(user.state, 'policies', 'workspace.yaml'), 'utf8')).toBe(policy);
    await using _daemon = await TestDaemon.start(user, ['--no-tcp']);
    expect((await user.warren(['secret', 'list', '--names'])).stdout).toBe('github\n');
    expect((await user.warren(['vault', 'status'])).stdout).toContain('The vault is unlocked');
    // Rolling back opens the value and seals it again.
    expect((await user.warren(['secret', 'rollback', 'github', '1'])).stdout).toContain('version 2');
  });

  it('bring back a vault with a passphrase, and the passphrase is in no backup', async () => {
    await using user = await User.create();
    const phrase = join(user.home, 'phrase');
    writeFileSync(phrase, 'correct horse battery\n', { mode: 0o600 });
    {
      await using daemon = await TestDaemon.start(user, ['--no-tcp']);
      await user.warren(['secret', 'set', 'github', '--skill', 'deploy'], { input: 'planted-value' });
      expect((await user.warren(['vault', 'passphrase', '--passphrase-file', phrase])).code).toBe(0);
      const refused = await user.warren(['backup', 'b.db', '--with-key']);
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('nowhere written down')]);
      expect(existsSync(join(user.home, 'b.db'))).toBe(false);
      const made = JSON.parse((await user.warren(['backup', 'b.db', '--json'])).stdout) as object;
      expect(made).toMatchObject({ files: ['vault.json'], vault_key: 'passphrase', with_key: false });
      await daemon.kill('SIGTERM');
    }
    expect(readFileSync(join(user.home, 'b.db')).includes('correct horse')).toBe(false);
    rmSync(user.state, { recursive: true });
    expect((await user.warren(['restore', 'b.db'])).stderr).toContain('the passphrase it had when the backup was made');
    await using _daemon = await TestDaemon.start(user, ['--no-tcp']);
    expect((await user.warren(['secret', 'list', '--names'])).stdout).toBe('github\n');
    expect((await user.warren(['secret', 'rollback', 'github', '1'])).stderr).toContain('warren vault unlock');
    expect((await user.warren(['vault', 'unlock', '--passphrase-file', phrase])).code).toBe(0);
    expect((await user.warren(['secret', 'rollback', 'github', '1'])).stdout).toContain('version 2');
  });

  it('make a state directory where there was none', async () => {
    await using user = await User.create();
    {
      await using daemon = await TestDaemon.start(user, ['--no-tcp']);
      await addAgent(user, 'moved');
      await daemon.kill('SIGTERM');
    }
    await user.warren(['backup', 'b.db']);
    const elsewhere = join(user.home, 'new', 'state');
    expect((await user.warren(['restore', 'b.db', '--state', elsewhere])).code).toBe(0);
    expect((await user.warren(['kernel', 'agents', '--state-dir', elsewhere])).stdout).toContain('moved');
    expect(statSync(elsewhere).mode & 0o777).toBe(0o700);
  });

  it('overwrite nothing, and leave nothing half done', async () => {
    await using user = await User.create();
    await using daemon = await TestDaemon.start(user, ['--no-tcp']);
    writeFileSync(join(user.home, 'mine'), 'precious');
    const taken = await user.warren(['backup', 'mine']);
    expect([taken.code, taken.stderr]).toEqual([1, expect.stringContaining('it exists')]);
    expect(readFileSync(join(user.home, 'mine'), 'utf8')).toBe('precious');
    const nowhere = ['backup', 'no/such/directory/b.db'];
    const missing = [
      `warren: cannot back up to ${join(user.home, 'no/such/directory/b.db')}: there is no directory ${join(user.home, 'no/such/directory')}`,
      `  fix: mkdir -p ${join(user.home, 'no/such/directory')}`,
      '',
    ].join('\n');
    expect(await user.warren(nowhere)).toMatchObject({ code: 1, stderr: missing });
    await daemon.kill('SIGTERM');
    expect(await user.warren(nowhere)).toMatchObject({ code: 1, stderr: missing });
    expect(readdirSync(user.home)).toEqual(['mine']);
  });

  it('blame the file that is damaged or cut short, and restore twice in a second', async () => {
    await using user = await User.create();
    {
      await using daemon = await TestDaemon.start(user, ['--no-tcp']);
      for (let index = 0; index < 20; index++) await addAgent(user, `agent ${index}`);
      await daemon.kill('SIGTERM');
    }
    await user.warren(['backup', 'good.db']);
    const bytes = readFileSync(join(user.home, 'good.db'));
    writeFileSync(join(user.home, 'short.db'), bytes.subarray(0, 4_096 * 3 + 100));
    const damaged = Buffer.from(bytes);
    for (let page = 1; page * 4_096 < damaged.length; page++) damaged.fill(0xa5, page * 4_096, page * 4_096 + 200);
    writeFileSync(join(user.home, 'damaged.db'), damaged);
    for (const file of ['short.db', 'damaged.db']) {
      const { code, stderr } = await user.warren(['restore', '--force', file]);
      expect([file, code, stderr]).toEqual([file, 3, expect.stringContaining(`cannot restore ${join(user.home, file)}: it is damaged`)]);
      expect(stderr).not.toContain('restoring-');
    }
    const twice = await Promise.all([1, 2].map(() => user.warren(['restore', '--force', 'good.db'])));
    for (const { code, stderr } of twice) if (code !== 0) expect(stderr).toContain('has it open'); // They may meet at the lock.
    for (let time = 0; time < 2; time++) expect(await user.warren(['restore', '--force', 'good.db'])).toMatchObject({ code: 0 });
  });

  it('refuse a file that is no backup, and say so', async () => {
    await using user = await User.create();
    writeFileSync(join(user.home, 'text'), 'hello');
    const { code, stderr } = await user.warren(['restore', 'text']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('it is no backup of a store')]);
    expect((await user.warren(['restore', 'none'])).code).toBe(1);
    expect(existsSync(join(user.state, 'kernel.db'))).toBe(false);
    expect((await user.warren(['backup', 'b.db'])).code).toBe(1);
  });

  it('show how far they are on a terminal, and nothing of it afterwards', async ({ skip }) => {
    skip(!hasPython, 'python3 is not installed: nobody can play the terminal');
    await using user = await User.create();
    {
      await using daemon = await TestDaemon.start(user, ['--no-tcp']);
      await daemon.kill('SIGTERM');
    }
    const outcome = await atTerminal({
      argv: [...WARREN, 'backup', 'b.db'],
      cwd: user.home,
      env: user.env(),
      steps: [{ expect: 'backing up: \\d+%' }, { expect: 'Backed up' }],
    });
    expect(outcome).toMatchObject({ code: 0, failedStep: null, timedOut: false });
  });
});

describe('warren doctor --store', () => {
  it('finds all well beside a running daemon, and without one', async () => {
    await using user = await User.create();
    await using daemon = await TestDaemon.start(user, ['--no-tcp']);
    await addAgent(user, 'one');
    const live = await user.warren(['doctor', '--store']);
    expect(live).toMatchObject({ code: 0, stderr: '' });
    expect(live.stdout).toContain(`process ${daemon.document.pid} has the store open`);
    expect(live.stdout).toContain('The store is whole.');
    await daemon.kill('SIGTERM');
    const { checks, ok } = JSON.parse((await user.warren(['doctor', '--store', '--json'])).stdout) as {
      readonly ok: boolean;
      readonly checks: readonly { readonly check: string; readonly state: string; readonly detail: string }[];
    };
    expect(ok).toBe(true);
    expect(checks.map(({ check, state }) => `${check} ${state}`)).toEqual(
      ['directory', 'files', 'space', 'daemon', 'store', 'integrity', 'contents'].map((check) => `${check} good`),
    );
    expect(checks.at(-1)?.detail).toMatch(/^1 workspace, 1 processes, \d+ events?, 0 queue entries, 0 files$/);
  });

  it('exits 1 and says what to do when others may look, and when the store is damaged', async () => {
    await using user = await User.create();
    {
      await using daemon = await TestDaemon.start(user, ['--no-tcp']);
      for (let index = 0; index < 20; index++) await addAgent(user, `agent ${index}`);
      await daemon.kill('SIGTERM');
    }
    chmodSync(user.state, 0o755);
    chmodSync(join(user.state, 'kernel.db'), 0o644);
    const open = await user.warren(['doctor', '--store']);
    expect(open.code).toBe(1);
    expect(open.stdout).toContain(`fix: chmod 700 ${user.state}`);
    expect(open.stdout).toContain(`fix: chmod go= ${user.state}/kernel.db`);
    chmodSync(user.state, 0o700);

    const bytes = readFileSync(join(user.state, 'kernel.db'));
    for (let page = 2; page * 4_096 < bytes.length; page++) bytes.fill(0xa5, page * 4_096, page * 4_096 + 200);
    writeFileSync(join(user.state, 'kernel.db'), bytes);
    const damaged = await user.warren(['doctor', '--store']);
    expect(damaged.code).toBe(1);
    expect(damaged.stdout).toContain('fix: warren restore --force FILE');
    expect(damaged.stdout).not.toContain('    at ');
  });

  it('says that there is nothing to check', async () => {
    await using user = await User.create();
    expect(await user.warren(['doctor', '--store'])).toMatchObject({ code: 1, stderr: expect.stringContaining('there is none') });
  });
});

describe('warren token', () => {
  it('makes a token that works over TCP until it is revoked, and shows it once', async () => {
    await using user = await User.create();
    await using daemon = await TestDaemon.start(user);
    const made = await user.warren(['token', 'create', '--label', 'ci', '--expires', '30d']);
    expect(made.code).toBe(0);
    const token = made.stdout.trim();
    expect(made.stdout).toBe(`${token}\n`);
    expect(made.stderr).not.toContain(token);
    await using client = connect({ url: daemon.url, token });
    expect((await client.call('kernel.agent.create', { name: 'remote', template: 't' })).state).toBe('READY');
    await expect(client.call('daemon.status', {})).rejects.toMatchObject({ code: 'permission_denied' });

    const listed = await user.warren(['token', 'list']);
    expect(listed.stdout).not.toContain(token);
    expect(listed.stdout).toContain('workspace default');
    const { tokens } = JSON.parse((await user.warren(['token', 'list', '--json'])).stdout) as {
      readonly tokens: readonly { readonly token_id: string; readonly expires_at: number }[];
    };
    expect(tokens).toHaveLength(1);
    expect((tokens[0]?.expires_at ?? 0) * 1_000 - Date.now()).toBeGreaterThan(29 * 86_400_000);
    const id = tokens[0]?.token_id ?? '';
    expect(await user.warren(['token', 'revoke', id])).toMatchObject({ code: 0, stdout: '1 token revoked\n' });
    await expect(client.call('kernel.info', {})).rejects.toMatchObject({ code: 'unauthenticated' });
    const again = await user.warren(['token', 'revoke', id, 'nonsense']);
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toContain('fix: warren token list');
  });

  it('makes a token of a person, in groups, and lists whose it is', async () => {
    await using user = await User.create();
    await using daemon = await TestDaemon.start(user);
    expect(daemon.url).toContain('http');
    const made = [
      'token',
      'create',
      '--label',
      'ada-laptop',
      '--owner',
      'ada',
      '--group',
      'security',
      '--group',
      'leads',
      '--expires',
      '30d',
    ];
    expect((await user.warren(made)).code).toBe(0);
    expect(await user.warren(made)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('another is called "ada-laptop"'),
    });
    expect((await user.warren(['token', 'create', '--group', 'No Such'])).stderr).toContain('a group is 1 to 64 of');
    expect((await user.warren(['token', 'list'])).stdout).toMatch(
      /^token_\w+ +admin of workspace default +ada +security leads +\S+Z +\S+Z +ada-laptop$/m,
    );
  });

  it('makes tokens for a process and for an operator, each for no more than that', async () => {
    await using user = await User.create();
    await using daemon = await TestDaemon.start(user);
    await addAgent(user, 'one');
    const process = connect({ url: daemon.url, token: (await user.warren(['token', 'create', '--pid', '1'])).stdout.trim() });
    expect((await process.call('kernel.agent.get', { pid: 1 })).name).toBe('one');
    await expect(process.call('kernel.observe.summary', {})).rejects.toMatchObject({ code: 'permission_denied' });
    const operator = connect({ url: daemon.url, token: (await user.warren(['token', 'create', '--operator'])).stdout.trim() });
    expect((await operator.call('daemon.status', {})).system_pid).toBe(daemon.document.pid);
    await Promise.all([process.close(), operator.close()]);
    const unknown = await user.warren(['token', 'create', '--pid', '99']);
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('fix: warren kernel agents\n')]);
    const elsewhere = await user.warren(['token', 'create', '--pid', '99', '--state', user.state]);
    expect(elsewhere.stderr).toContain(`fix: warren kernel agents --state-dir ${user.state}\n`);
    expect((await user.warren(['token', 'create', '--operator', '--pid', '1'])).code).toBe(2);
    expect((await user.warren(['token', 'create', '--role', 'viewer', '--agent', 'ada'])).code).toBe(2);
    expect((await user.warren(['token', 'create', '--role', 'owner'])).code).toBe(2);
    expect((await user.warren(['token', 'create'])).stderr).toMatch(/admin of workspace default.*\n.*for less: --role viewer/);
    const viewer = await user.warren(['token', 'create', '--role', 'viewer']);
    expect(viewer.stderr).toMatch(/^warren: token \S+ for viewer of workspace default, which never expires; it is not shown again\n$/);
    expect((await user.warren(['agent', 'create', 'ada'])).code).toBe(0);
    const agent = await user.warren(['token', 'create', '--agent', 'ada', '--json']);
    expect(JSON.parse(agent.stdout)).toMatchObject({ principal: { kind: 'agent', agent: 'ada' } });
    const nobody = await user.warren(['token', 'create', '--workspace', 'nobody']);
    expect([nobody.code, nobody.stderr]).toEqual([
      1,
      expect.stringContaining('fix: warren workspace list, or: warren workspace create nobody'),
    ]);
    expect((await user.warren(['token', 'create', '--expires', '30'])).code).toBe(2);
  });

  it('needs a daemon', async () => {
    await using user = await User.create();
    for (const words of [['create'], ['list'], ['revoke', 'x']]) {
      const { code, stderr } = await user.warren(['token', ...words]);
      expect([code, stderr]).toEqual([1, expect.stringContaining('fix: warren serve --detach')]);
    }
  });
});

describe('warren workspace', () => {
  it('makes workspaces and lists them, also without a daemon', async () => {
    await using user = await User.create();
    {
      await using daemon = await TestDaemon.start(user, ['--no-tcp']);
      expect(await user.warren(['workspace', 'create', 'acme'])).toMatchObject({
        code: 0,
        stdout: 'Workspace acme is there.\n',
        stderr: expect.stringContaining('warren token create --workspace acme'),
      });
      const again = await user.warren(['workspace', 'create', 'acme']);
      expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('fix: warren workspace list')]);
      const made = JSON.parse((await user.warren(['workspace', 'create', 'other', '--json'])).stdout) as { readonly workspace: string };
      expect(made.workspace).toBe('other');
      expect((await user.warren(['workspace', 'create', '../etc'])).code).toBe(2);
      expect((await user.warren(['workspace'])).code).toBe(2);
      expect((await user.warren(['kernel', 'summary', '--workspace', 'acme'])).code).toBe(0);
      await daemon.kill('SIGTERM');
    }
    const { stdout } = await user.warren(['workspace', 'list']);
    expect(stdout.split('\n').map((line) => line.split(' ')[0])).toEqual(['WORKSPACE', 'acme', 'default', 'other', '']);
    const { workspaces } = JSON.parse((await user.warren(['workspace', 'list', '--json'])).stdout) as {
      readonly workspaces: readonly { readonly workspace: string }[];
    };
    expect(workspaces.map(({ workspace }) => workspace).toSorted()).toEqual(['acme', 'default', 'other']);
    const alone = await user.warren(['workspace', 'create', 'late']);
    expect([alone.code, alone.stderr]).toEqual([1, expect.stringContaining('fix: warren serve --detach')]);
  });
});

it('a store that is newer than this program is refused by every command, with exit code 3', async () => {
  await using user = await User.create();
  {
    await using daemon = await TestDaemon.start(user, ['--no-tcp']);
    await daemon.kill('SIGTERM');
  }
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(join(user.state, 'kernel.db'));
  database.exec("INSERT INTO migrations (number, name, checksum) VALUES (9999, 'of the future', 'x')");
  database.close();
  for (const words of [
    ['serve', '--no-tcp'],
    ['kernel', 'summary'],
    ['backup', 'b.db'],
  ]) {
    const { code, stderr } = await user.warren(words);
    expect([words, code, stderr]).toEqual([words, 3, expect.stringContaining('fix: upgrade Warren')]);
  }
  expect((await user.warren(['doctor', '--store'])).code).toBe(1);
});
