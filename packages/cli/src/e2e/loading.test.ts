/** What a start loads: a command pays for its own code only. Held by looking at what is loaded, not at a clock. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';
import { TestDaemon } from './daemon.ts';
import { PATIENCE_MS, SHIPPED, User } from './warren.ts';

vi.setConfig({ testTimeout: PATIENCE_MS });

/** Words that stand where the kernel, the gateway and the schemas are defined, in the sources and in the bundle. */
const HEAVY = /\bfunction openSqliteStore\b|\bclass Doors\b|\$ZodType\b|\bclass SqliteStore\b/;

/** Words of what only some daemons ever need: mail, WebSockets, and the schemas of files that most do not have. */
const UNUSUAL = /\bSMTPConnection\b|\bcompleteUpgrade\b|\b(?:definition|config|mcpConfig)Format = /;

/** Every module a command loads, in order; those of Node by name. */
async function loaded(user: User, words: readonly string[]): Promise<readonly string[]> {
  const tracing = trace(user);
  const { code, stderr } = await user.warren(words, { env: tracing.env });
  expect([words, code, stderr]).toEqual([words, 0, '']);
  return tracing.modules();
}

function trace(user: User): { readonly env: Readonly<Record<string, string>>; readonly modules: () => readonly string[] } {
  const tracer = join(user.home, 'tracer.cjs');
  const trace = join(user.home, 'trace');
  writeFileSync(trace, '');
  writeFileSync(
    tracer,
    `const { appendFileSync } = require('node:fs');
     require('node:module').registerHooks({
       load(url, context, next) {
         appendFileSync(${JSON.stringify(trace)}, url + '\\n');
         return next(url, context);
       },
     });`,
  );
  return { env: { NODE_OPTIONS: `--require=${tracer}` }, modules: () => readFileSync(trace, 'utf8').trimEnd().split('\n') };
}

function heavyOnes(modules: readonly string[]): readonly string[] {
  return modules.filter(
    (url) => url === 'node:sqlite' || (url.startsWith('file:') && HEAVY.test(readFileSync(fileURLToPath(url), 'utf8'))),
  );
}

it.each([
  [['--version']],
  [['--help']],
  [['run', '--quiet', '--', 'true']],
  [['runs', '--ids']],
  [['completion', 'bash']],
  [['service', 'install', '--print']],
])('warren %j loads nothing of the kernel, its contract or the gateway', async (words) => {
  await using user = await User.create();
  const modules = await loaded(user, words);
  expect(modules.length).toBeGreaterThan(0);
  expect(heavyOnes(modules)).toEqual([]);
  expect(modules).not.toContain('node:http');
});

it('asking a daemon loads nothing of them either, and reading its store does', async () => {
  await using user = await User.create();
  {
    await using daemon = await TestDaemon.start(user, ['--no-tcp']);
    for (const words of [['status'], ['kernel', 'summary'], ['token', 'create', '--json']])
      expect(heavyOnes(await loaded(user, words))).toEqual([]);
    await daemon.kill('SIGTERM');
  }
  const modules = await loaded(user, ['kernel', 'info']);
  // So that this test would see it.
  expect(heavyOnes(modules)).toContain('node:sqlite');
  expect(heavyOnes(modules).length).toBeGreaterThan(1);
});

it('a daemon listens before it loads what only some ever need', async () => {
  await using user = await User.create(SHIPPED);
  const { env, modules } = trace(user);
  const isUnusual = (url: string): boolean =>
    ['node:tls', 'node:https'].includes(url) || (url.startsWith('file:') && UNUSUAL.test(readFileSync(fileURLToPath(url), 'utf8')));
  {
    await using _daemon = await TestDaemon.start(user, ['--no-tcp'], { env });
    expect(modules().some((url) => HEAVY.test(url.startsWith('file:') ? readFileSync(fileURLToPath(url), 'utf8') : ''))).toBe(true);
    expect(modules().filter(isUnusual)).toEqual([]);
  }
  // So that this test would see it.
  writeFileSync(join(user.state, 'config.yaml'), '{}');
  await using _daemon = await TestDaemon.start(user, ['--no-tcp'], { env });
  expect(modules().filter(isUnusual)).toHaveLength(1);
});
