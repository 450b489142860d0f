/** `warren workspace`: tenants are made, looked at, bounded and deleted. */
import { existsSync, writeFileSync } from 'node:fs';
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

it('goes into a file and comes back under another name, while no daemon runs', async () => {
  await gate.warren(['workspace', 'create', 'tea']);
  await gate.warren(['memory', 'store', 'Releases are cut on Tuesdays', '--workspace', 'tea']);
  const passphrase = gate.path('passphrase');
  writeFileSync(passphrase, 'several words that nobody guesses\n');
  const file = gate.path('tea.warren');
  const locked = ['--passphrase-file', passphrase];
  const refused = await gate.warren(['workspace', 'export', 'tea', file, ...locked]);
  expect([refused.code === 0, refused.stderr]).toEqual([false, expect.stringContaining('warren stop')]);
  expect((await gate.warren(['stop'])).code).toBe(0);
  expect(await gate.json(['workspace', 'export', 'tea', file, ...locked])).toMatchObject({ workspace: 'tea', file });
  expect((await gate.warren(['workspace', 'export', 'tea', file, ...locked])).stderr).toContain('it exists');
  expect((await gate.warren(['workspace', 'import', file, ...locked])).stderr).toContain('already exists');
  expect((await gate.warren(['workspace', 'import', file, '--as', 'copy', ...locked])).stdout).toBe('Workspace copy is there.\n');
  writeFileSync(passphrase, 'not those\n');
  expect((await gate.warren(['workspace', 'import', file, '--as', 'other', ...locked])).stderr).toContain('not what it was locked with');
  const { workspaces } = await gate.json<{ workspaces: { workspace: string }[] }>(['workspace', 'list']);
  expect(workspaces.map(({ workspace }) => workspace)).toEqual(['copy', 'default', 'tea']);
});
