import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TestDaemon } from './daemon.ts';
import { PATIENCE_MS, User } from './warren.ts';

const PASSPHRASE = 'correct horse battery staple';
const TLS = ['--listen', 'tcp:127.0.0.1:0', '--tls', 'self-signed'];

/** Somebody at another machine: with a home directory, and without the state directory of the daemon. */
function elsewhere(user: User) {
  const env = { HOME: user.home, XDG_CONFIG_HOME: '', WARREN_STATE: join(user.home, 'no-state') };
  const file = join(user.home, '.config/warren/credentials.json');
  return {
    file,
    warren: (words: readonly string[], input = '', more: Record<string, string> = {}) =>
      user.warren(words, { input, env: { ...env, ...more } }),
  };
}

it('somebody logs in on a server, works there, and logs out', { timeout: PATIENCE_MS }, async () => {
  await using user = await User.create();
  await using daemon = await TestDaemon.start(user);
  const { warren, file } = elsewhere(user);
  const server = daemon.url;
  await user.warren(['person', 'create', 'root', '--operator'], { input: PASSPHRASE });
  expect((await user.warren(['whoami'])).stdout).toBe('operator\n');
  const early = await warren(['agent', 'list', '--server', server]);
  expect([early.code, early.stderr]).toEqual([1, expect.stringContaining(`fix: warren login --server ${server}`)]);

  const wrong = await warren(['login', '--server', server, '--name', 'root'], 'guess guess guess');
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('passphrase is wrong')]);
  const login = await warren(['login', '--server', `${server}/`, '--name', 'root'], `${PASSPHRASE}\n`);
  expect([login.code, login.stdout, login.stderr]).toEqual([0, `Logged in on ${server} as root, operator.\n`, '']);
  expect([statSync(file).mode & 0o777, statSync(join(file, '..')).mode & 0o777]).toEqual([0o600, 0o700]);

  // By the environment, too, unless a state directory is asked for.
  const env = { WARREN_SERVER: server };
  expect((await warren(['whoami'], '', env)).stdout).toBe(`root, operator on ${server}\n`);
  expect((await warren(['agent', 'create', 'builder'], '', env)).code).toBe(0);
  expect((await warren(['agent', 'list', '--server', server])).stdout).toContain('builder');
  // What to type next goes to the same server, if it was named by a word.
  const there = await warren(['agent', 'pause', 'builder', '--server', server]);
  expect(there.stderr).toBe(`  let it go on: warren agent resume builder --server ${server}\n`);
  const nobody = await warren(['agent', 'stop', 'nobody', '--server', server]);
  expect(nobody.stderr).toContain(`fix: warren agent create nobody --server ${server}\n`);
  expect((await warren(['agent', 'resume', 'builder'], '', env)).code).toBe(0);
  expect((await warren(['agent', 'pause', 'builder'], '', env)).stderr).toBe('  let it go on: warren agent resume builder\n');
  expect((await warren(['kernel', 'summary', '--server', server])).code).toBe(0);
  expect(JSON.parse((await warren(['status', '--json'], '', env)).stdout)).toMatchObject({
    running: true,
    server,
    system_pid: daemon.document.pid,
  });
  for (const words of [['stop'], ['backup', 'never'], ['mcp', '--agent', 'builder'], ['doctor', '--store']]) {
    const { code, stderr } = await warren(words, '', env);
    expect([words[0], code === 0, stderr]).toEqual([words[0], false, expect.stringContaining('unset WARREN_SERVER, or --state')]);
  }
  expect((await warren(['agent', 'list', '--state', user.state], '', { WARREN_SERVER: 'https://192.0.2.1' })).stdout).toContain('builder');
  const both = await warren(['agent', 'list', '--state', user.state, '--server', server]);
  expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('leave out --server or --state')]);

  // A session that has ended says what to do.
  await user.warren(['person', 'disable', 'root']);
  const ended = await warren(['agent', 'list'], '', env);
  expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining(`fix: warren login --server ${server}`)]);
  await user.warren(['person', 'enable', 'root']);
  await warren(['login', '--server', server, '--name', 'root'], PASSPHRASE);
  const { token } = (JSON.parse(readFileSync(file, 'utf8')) as { servers: Record<string, { token: string }> }).servers[server] ?? {
    token: '',
  };
  expect((await warren(['logout'], '', env)).stdout).toBe(`Logged out on ${server}.\n`);
  expect(readFileSync(file, 'utf8')).not.toContain(token);
  const gone = await fetch(`${server}/api/session`, { headers: { authorization: `Bearer ${token}` } });
  expect(gone.status).toBe(401);
  expect((await warren(['logout'], '', env)).code).toBe(1);
});

it('a program logs in with a token, which stays good when it is forgotten', { timeout: PATIENCE_MS }, async () => {
  await using user = await User.create();
  await using daemon = await TestDaemon.start(user);
  const { warren, file } = elsewhere(user);
  const token = (await user.warren(['token', 'create'])).stdout;
  const login = await warren(['login', '--server', daemon.url, '--token-file', '-', '--json'], token);
  expect(JSON.parse(login.stdout)).toMatchObject({ server: daemon.url, principal: { kind: 'member', workspace: 'default' } });
  expect(login.stdout).not.toContain(token.trim());
  chmodSync(file, 0o640);
  const seen = await warren(['whoami', '--server', daemon.url]);
  expect([seen.code, seen.stderr]).toEqual([1, expect.stringContaining(`fix: chmod 600 ${file}`)]);
  chmodSync(file, 0o600);
  const logout = await warren(['logout', '--server', daemon.url]);
  expect([logout.code, logout.stderr]).toEqual([0, expect.stringContaining('good until an operator revokes it: warren token revoke ID')]);
  expect((await fetch(`${daemon.url}/api/session`, { headers: { authorization: `Bearer ${token.trim()}` } })).status).toBe(200);
  const bad = await warren(['login', '--server', daemon.url, '--token-file', '-'], 'wrn_guess');
  expect(bad.code).toBe(1);
  writeFileSync(file, 'nonsense', { mode: 0o600 });
  expect((await warren(['whoami', '--server', daemon.url])).stderr).toContain('log in again');
});

it('a server is known by the fingerprint of its certificate, and another one with its address gets nothing', {
  timeout: PATIENCE_MS,
}, async () => {
  await using user = await User.create();
  const { warren } = elsewhere(user);
  let server: string;
  let port: string;
  {
    await using daemon = await TestDaemon.start(user, TLS);
    server = daemon.url.replace('http:', 'https:');
    port = new URL(server).port;
    await user.warren(['person', 'create', 'ann'], { input: PASSPHRASE });
    const { fingerprint } = daemon.document as { fingerprint?: string };
    const words = ['login', '--server', server, '--name', 'ann'];
    const plain = await warren(['login', '--server', server.replace('https:', 'http:'), '--name', 'ann'], PASSPHRASE);
    expect([plain.code, plain.stderr]).toEqual([1, expect.stringContaining(`this port speaks TLS\n  fix: use ${server}\n`)]);
    const unknown = await warren(words, PASSPHRASE);
    expect([unknown.code, unknown.stderr]).toEqual([
      1,
      expect.stringMatching(/vouches for its certificate\n {2}fix: .* --fingerprint SHA256/),
    ]);
    const other = await warren([...words, '--fingerprint', '00'.repeat(32)], PASSPHRASE);
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining(`its certificate has SHA-256 ${fingerprint}`)]);
    expect((await warren([...words, '--fingerprint', 'nonsense'], PASSPHRASE)).code).toBe(2);
    const known = await warren([...words, '--fingerprint', (fingerprint ?? '').toLowerCase().replaceAll(':', '')], PASSPHRASE);
    expect([known.code, known.stderr]).toEqual([0, '']);
    expect((await warren(['whoami', '--server', server])).stdout).toContain('ann, viewer of workspace default');
    // It is known from now on.
    expect((await warren(words, PASSPHRASE)).code).toBe(0);
    await daemon.kill('SIGTERM');
  }
  // Somebody else takes its place: with a certificate of their own.
  await using mallory = await User.create();
  await using _imposter = await TestDaemon.start(mallory, ['--listen', `tcp:127.0.0.1:${port}`, '--tls', 'self-signed']);
  for (const words of [['whoami'], ['agent', 'list'], ['login', '--name', 'ann']]) {
    const refused = await warren([...words, '--server', server], PASSPHRASE);
    expect([words, refused.code, refused.stderr]).toEqual([words, 1, expect.stringContaining('cannot trust the server')]);
  }
});

it.each([
  [['login'], 'no server is named'],
  [['login', '--server', 'example.org'], 'cannot use this as a server'],
  [['login', '--server', 'https://ann:secret@example.org'], 'it is https://NAME'],
  [['login', '--server', 'http://192.0.2.1:7700', '--name', 'ann'], 'could be read on the way'],
  [['login', '--server', 'http://127.example.org', '--name', 'ann'], 'could be read on the way'],
  [['login', '--server', 'http://127.0.0.1:1'], 'nobody is named'],
  [['login', '--server', 'http://127.0.0.1:1', '--name', 'ann', '--token-file', '-'], 'leave out --name or --token-file'],
  [['logout'], 'no server is named'],
])('%j is used wrongly', async (words, message) => {
  await using user = await User.create();
  const refused = await elsewhere(user).warren(words, PASSPHRASE);
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(message)]);
  expect(refused.stderr).not.toContain('secret');
});
