import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TestDaemon } from './daemon.ts';
import { PATIENCE_MS, User } from './warren.ts';

const PASSPHRASE = 'correct horse battery staple';

it('people are made, let in over HTTP, changed, kept out and forgotten', { timeout: PATIENCE_MS }, async () => {
  await using user = await User.create();
  await using daemon = await TestDaemon.start(user);
  const warren = (words: readonly string[], input?: string) => user.warren(words, input === undefined ? {} : { input });
  const signIn = (passphrase: string) =>
    fetch(`${daemon.url}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'ann', passphrase, token: true }),
    });
  const made = await warren(['person', 'create', 'ann', '--role', 'approver', '--group', 'ops', '--json'], `${PASSPHRASE}\n`);
  expect([made.code, made.stderr]).toEqual([0, '']);
  expect(JSON.parse(made.stdout)).toMatchObject({
    name: 'ann',
    workspace: 'default',
    role: 'approver',
    groups: ['ops'],
    has_passphrase: true,
  });
  expect((await signIn(PASSPHRASE)).status).toBe(200);
  const file = join(user.home, 'passphrase');
  writeFileSync(file, 'another passphrase\n');
  expect((await warren(['person', 'update', 'ann', '--passphrase-file', file])).stdout).toContain('earlier sessions have ended');
  expect([(await signIn(PASSPHRASE)).status, (await signIn('another passphrase')).status]).toEqual([401, 200]);
  expect((await warren(['person', 'list'])).stdout).toMatch(/^ann +approver of workspace default +ops +passphrase +enabled /m);
  await warren(['person', 'disable', 'ann']);
  expect((await signIn('another passphrase')).status).toBe(401);
  await warren(['person', 'enable', 'ann']);
  expect((await signIn('another passphrase')).status).toBe(200);
  expect((await warren(['person', 'delete', 'ann'])).code).toBe(0);
  expect((await warren(['person', 'delete', 'ann'])).code).toBe(1);
  const short = await warren(['person', 'create', 'bob'], 'short\n');
  expect([short.code, short.stderr]).toEqual([
    2,
    expect.stringMatching(/^warren: cannot use the passphrase: it is too short: it has 5 bytes/),
  ]);
  expect((await warren(['person', 'create', 'bob'], 'just enough!\n')).stderr).toContain('hint: several words');
  expect((await warren(['person', 'create', 'root', '--operator', '--no-passphrase'])).stdout).toBe('root may sign in as operator\n');
});

it('serve says the fingerprint of a certificate of its own, and so does status', { timeout: PATIENCE_MS }, async () => {
  await using user = await User.create();
  await using daemon = await TestDaemon.start(user, ['--listen', 'tcp:127.0.0.1:0', '--tls', 'self-signed']);
  const { fingerprint } = daemon.document as { fingerprint?: string };
  expect(fingerprint).toMatch(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  expect((await user.warren(['status'])).stdout).toContain(`SHA-256 ${fingerprint}`);
  const refused = await user.warren(['serve', '--listen', 'tcp:0.0.0.0:0', '--state', join(user.home, 'other')]);
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('without TLS')]);
});
