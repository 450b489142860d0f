/** What people install: packed, put into a folder of a program's own without a network, and used by what they wrote for an earlier system. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FakeModelServer, MODEL_KEY, TemporaryDirectory } from '@warren/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { shippedTypes } from '../../scripts/shipped-types.ts';
import { finish, startNode } from './start-node.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PATIENCE_MS = 600_000;

let directory: TemporaryDirectory;
let app: string;

beforeAll(async () => {
  directory = await TemporaryDirectory.create();
  app = directory.join('app');
  run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-b', 'packages/cli'], ROOT);
  const packed = run(process.execPath, ['--conditions=warren-source', 'scripts/pack.ts', directory.join('package')], ROOT);
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  run('npm', ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--cache', directory.join('cache'), packed], app);
}, PATIENCE_MS);
afterAll(() => directory[Symbol.asyncDispose]());

/** What it printed. */
function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: PATIENCE_MS });
  expect([status, status === 0 ? '' : stdout + stderr]).toEqual([0, '']);
  return stdout.trim().split('\n').at(-1) ?? '';
}

it('is one package that depends on nothing, with its launcher and without its sources', () => {
  const made = join(app, 'node_modules/warren');
  expect(readdirSync(join(app, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['warren']);
  expect(JSON.parse(readFileSync(join(made, 'package.json'), 'utf8'))).not.toHaveProperty('dependencies');
  expect(readdirSync(made).toSorted()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'bin', 'dist', 'package.json', 'prebuilds']);
  expect(existsSync(join(made, `prebuilds/linux-${process.arch}/warren-launcher`))).toBe(true);
  const types = readdirSync(join(made, 'dist/types'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.d.ts'));
  for (const name of types) expect(readFileSync(join(made, 'dist/types', name), 'utf8')).not.toMatch(/from '(?!\.)/);
});

it('runs a program that was written for an earlier system, of which only the import is another', async () => {
  cpSync(join(import.meta.dirname, 'earlier-program.ts'), join(app, 'program.ts'));
  cpSync(join(import.meta.dirname, 'redirect.mjs'), join(app, 'redirect.mjs'));
  await using server = await FakeModelServer.start([
    { calls: [{ name: 'memory__store', input: { text: 'Prefers tea' } }] },
    { calls: [{ name: 'skill__run', input: { name: 'shout', params: { text: 'hi' } } }] },
    { text: 'Noted.' },
  ]);
  const child = startNode([`--import=${pathToFileURL(join(app, 'redirect.mjs'))}`, 'program.ts', directory.join('state')], app, {
    ANTHROPIC_TEST_URL: server.url('anthropic'),
    ANTHROPIC_API_KEY: MODEL_KEY,
  });
  expect(await finish(child)).toEqual({ code: 0, stdout: 'all as before\n', stderr: '' });
  expect(server.asked.map(({ problems }) => problems)).toEqual([[], [], []]);
  expect(JSON.stringify(server.asked.at(-1))).toContain('HI');
});

it('is typed for programs that look at every declaration', () => {
  cpSync(join(import.meta.dirname, 'earlier-program.ts'), join(app, 'program.ts'));
  cpSync(join(import.meta.dirname, 'typed-program.ts'), join(app, 'typed-program.ts'));
  const options = { strict: true, noEmit: true, skipLibCheck: false, target: 'ESNext', lib: ['ESNext'], types: ['node'], allowImportingTsExtensions: true }; // biome-ignore format: one line
  mkdirSync(join(app, 'types'), { recursive: true });
  for (const name of ['@types/node', 'undici-types'])
    cpSync(join(ROOT, 'node_modules', name), join(app, 'types/node_modules', name), { recursive: true });
  for (const module of ['NodeNext', 'Preserve']) {
    const config = {
      compilerOptions: { ...options, module, typeRoots: ['./types/node_modules/@types'] },
      files: ['program.ts', 'typed-program.ts'],
    };
    writeFileSync(join(app, 'tsconfig.json'), JSON.stringify(config));
    run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', app], app);
  }
  writeFileSync(
    join(app, 'typed-program.ts'),
    `${readFileSync(join(import.meta.dirname, 'typed-program.ts'), 'utf8')}\ncreatePlatform({});\n`,
  );
  const wrong = spawnSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', app], { cwd: app, encoding: 'utf8' });
  expect(wrong.stdout).toContain("'stateDir'");
});

it('types that reach what is not shipped are refused', () => {
  const packages = directory.join('packages');
  mkdirSync(join(packages, 'cli/dist/types'), { recursive: true });
  writeFileSync(join(packages, 'cli/dist/types/index.d.ts'), "export { type ZodType } from 'zod';\n");
  expect(() => shippedTypes(packages, join(packages, 'cli/dist/types/index.d.ts'))).toThrow('they reach zod');
});
