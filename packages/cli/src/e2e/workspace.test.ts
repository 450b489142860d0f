/** `warren workspace`: tenants are made, looked at, bounded and deleted. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { GateDaemon } from './gate-daemon.ts';
import { PATIENCE_MS } from './warren.ts';

vi.setConfig({ testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS });

let gate: GateDaemon;

beforeAll(async () => {
  gate = await GateDaemon.start();
});

afterAll(async () => await gate?.[Symbol.asyncDispose]());

it('shows what a workspace has and may use, sets that, and deletes it when its name is said or --yes', async () => {
  const folder = gate.path('workspaces', 'Acme_1');
  expect((await gate.warren(['workspace', 'create', 'Acme_1'])).code).toBe(0);
  await gate.warren(['memory', 'store', 'Releases are cut on Tuesdays', '--workspace', 'Acme_1']);
  const quota = await gate.json(['workspace', 'quota', 'Acme_1', 'tokens=5000', 'running_max=7']);
  expect(quota).toMatchObject({ workspace: 'Acme_1', settings: { running_max: 7 }, budget: [{ dim: 'tokens', granted: 5_000 }] });
  expect((await gate.warren(['workspace', 'quota', 'Acme_1', 'tokens=6000'])).stdout).toMatch(/tokens +0 +≤ 6000/);
  const shown = await gate.json(['workspace', 'show', 'Acme_1']);
  expect(shown).toMatchObject({ workspace: 'Acme_1', usage: { memories: { count: 1 }, agents: 0 }, budget: [{ granted: 6_000 }] });
  expect((await gate.warren(['workspace', 'show', 'Acme_1'])).stdout).toMatch(/memories +1, /);
  expect(shown).toMatchObject({ usage: { stored_bytes: expect.any(Number) }, settings: { stored_bytes_max: 107_374_182_400 } });
  expect((await gate.warren(['workspace', 'quota', 'Acme_1', 'stored_bytes_max=10'])).stdout).toMatch(/stored_bytes_max +≤ 10 bytes/);
  const full = await gate.warren(['memory', 'store', 'One more', '--workspace', 'Acme_1']);
  expect([full.code, full.stderr]).toEqual([
    1,
    expect.stringMatching(/in memories, and stored_bytes_max is 10\n.*fix: warren workspace quota Acme_1 stored_bytes_max=NUMBER/s),
  ]);
  await gate.warren(['workspace', 'quota', 'Acme_1', 'stored_bytes_max=1000000000']);
  expect((await gate.warren(['memory', 'store', 'One more', '--workspace', 'Acme_1'])).code).toBe(0);
  expect((await gate.warren(['workspace', 'quota', 'Acme_1', 'tokens'])).stderr).toContain('NAME=NUMBER');
  expect((await gate.warren(['workspace', 'show', 'nobody'])).stderr).toContain('workspace create nobody');

  const unasked = await gate.warren(['workspace', 'delete', 'Acme_1']);
  expect([unasked.code === 0, unasked.stderr]).toEqual([false, expect.stringContaining('workspace delete Acme_1 --yes')]);
  expect(existsSync(folder)).toBe(true);
  expect((await gate.warren(['workspace', 'delete', 'Acme_1', '--yes'])).stdout).toBe(
    'Workspace Acme_1 is deleted, with everything of it.\n',
  );
  expect(existsSync(folder)).toBe(false);
  expect((await gate.warren(['workspace', 'delete', 'Acme_1', '--yes'])).stderr).toContain('workspace list');
  expect((await gate.warren(['workspace', 'delete', 'default', '--yes'])).stderr).toContain('Warren keeps its own alerts there');
});

it('goes into a file with its secrets and comes back under another name, while no daemon runs', async () => {
  const value = 'planted-value-Zq83Lm';
  await gate.warren(['workspace', 'create', 'tea']);
  await gate.warren(['memory', 'store', 'Releases are cut on Tuesdays', '--workspace', 'tea']);
  await gate.warren(['secret', 'set', 'kettle', '--host', 'api.example.com', '--workspace', 'tea'], { input: value });
  const passphrase = gate.path('passphrase');
  writeFileSync(passphrase, 'several words that nobody guesses\n');
  const file = gate.path('tea.warren');
  const locked = ['--passphrase-file', passphrase];
  const refused = await gate.warren(['workspace', 'export', 'tea', file, ...locked]);
  expect([refused.code === 0, refused.stderr]).toEqual([false, expect.stringContaining('warren stop')]);
  expect((await gate.warren(['stop'])).code).toBe(0);
  const counts = { secrets: 1, secrets_left_out: 0 };
  expect(await gate.json(['workspace', 'export', 'tea', file, ...locked])).toMatchObject({ workspace: 'tea', file, ...counts });
  expect([readFileSync(file).includes(value), statSync(file).mode & 0o777]).toEqual([false, 0o600]);
  expect((await gate.warren(['workspace', 'export', 'tea', file, ...locked])).stderr).toContain('it exists');
  expect((await gate.warren(['workspace', 'import', file, ...locked])).stderr).toContain('already exists');
  expect((await gate.warren(['workspace', 'import', file, '--as', 'copy', ...locked])).stdout).toBe(
    'Workspace copy is there, with 1 secret.\n',
  );
  expect((await gate.warren(['workspace', 'import', file, '--as', 'bare', '--without-secrets', ...locked])).stdout).toBe(
    'Workspace bare is there, without 1 secret of it, left out as asked.\n',
  );
  const bare = gate.path('bare.warren');
  expect((await gate.warren(['workspace', 'export', 'tea', bare, '--without-secrets', ...locked])).stdout).toContain('without 1 secret');
  const other = gate.path('other');
  writeFileSync(other, 'not those\n');
  expect((await gate.warren(['workspace', 'import', file, '--as', 'other', '--passphrase-file', other])).stderr).toContain(
    'not what it was locked with',
  );
  await gate.start();
  const { workspaces } = await gate.json<{ workspaces: { workspace: string }[] }>(['workspace', 'list']);
  expect(workspaces.map(({ workspace }) => workspace)).toEqual(['bare', 'copy', 'default', 'tea']);
  expect((await gate.warren(['secret', 'list', '--workspace', 'copy'])).stdout).toMatch(/kettle .*api.example.com/);
  expect((await gate.warren(['secret', 'list', '--workspace', 'bare', '--names'])).stdout).toBe('');
  expect((await gate.warren(['audit', 'search', '--action', 'workspace.export', '--json'])).stdout).toContain('tea');
});

it('takes its secrets along only when the vault is unlocked, and says how', async () => {
  const [key, vault] = [gate.path('passphrase'), gate.path('of-the-vault')];
  writeFileSync(vault, 'correct horse battery\n');
  expect((await gate.warren(['vault', 'passphrase', '--passphrase-file', vault])).code).toBe(0);
  expect((await gate.warren(['stop'])).code).toBe(0);
  const file = gate.path('locked.warren');
  const locked = await gate.warren(['workspace', 'export', 'tea', file, '--passphrase-file', key]);
  expect([locked.code, locked.stderr]).toEqual([
    1,
    expect.stringMatching(
      /vault.*is locked.*fix: warren workspace export tea \S+ --vault-passphrase-file FILE, or with --without-secrets/s,
    ),
  ]);
  expect(existsSync(file)).toBe(false);
  const open = ['--passphrase-file', key, '--vault-passphrase-file', vault];
  expect((await gate.warren(['workspace', 'export', 'tea', file, ...open.slice(0, 3), key])).stderr).toContain(
    'is not the one it was locked',
  );
  expect((await gate.warren(['workspace', 'export', 'tea', file, ...open])).code).toBe(0);
  const unread = await gate.warren(['workspace', 'import', file, '--as', 'milk', '--passphrase-file', key]);
  expect([unread.code, unread.stderr]).toEqual([1, expect.stringContaining('--as milk --vault-passphrase-file FILE')]);
  expect((await gate.warren(['workspace', 'import', file, '--as', 'milk', ...open])).stdout).toContain('with 1 secret');
  const both = ['--passphrase-file', '-', '--vault-passphrase-file', '-'];
  expect((await gate.warren(['workspace', 'import', file, '--as', 'none', ...both], { input: 'x' })).code).toBe(2);
  expect((await gate.json<{ workspaces: unknown[] }>(['workspace', 'list'])).workspaces.length).toBe(5);
});
