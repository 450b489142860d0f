/**
 * Makes the package that people install, in build/package, and packs it: `node --conditions=warren-source scripts/pack.ts [FOLDER]`. What it has is bundled, so it depends on nothing; what only developers need is left out. The path of
 * the packed file is the last line that it prints.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { shippedTypes } from './shipped-types.ts';

const root = resolve(import.meta.dirname, '..');
const cli = join(root, 'packages/cli');
const made = resolve(process.argv[2] ?? join(root, 'build/package'));
const launcher = join(root, 'build/warren-launcher');

for (const [path, command] of [
  [join(cli, 'dist/index.js'), 'node scripts/setup.mjs'],
  [join(cli, 'dist/types/index.d.ts'), 'npm run build'],
  [launcher, 'node scripts/setup.mjs'],
] as const)
  if (!existsSync(path)) throw new Error(`Cannot pack: ${path} is missing; make it: ${command}`);

rmSync(made, { recursive: true, force: true });
mkdirSync(join(made, 'dist'), { recursive: true });
for (const name of ['index.js', 'main.cjs', 'chunks', 'assets'])
  cpSync(join(cli, 'dist', name), join(made, 'dist', name), { recursive: true });
cpSync(join(cli, 'bin'), join(made, 'bin'), { recursive: true });
for (const [name, text] of shippedTypes(join(root, 'packages'), join(cli, 'dist/types/index.d.ts'))) write(join('dist/types', name), text);
const prebuilt = join(made, `prebuilds/linux-${process.arch}/warren-launcher`);
mkdirSync(dirname(prebuilt), { recursive: true });
cpSync(launcher, prebuilt);
chmodSync(prebuilt, 0o755);
for (const name of ['README.md', 'LICENSE', 'CHANGELOG.md']) cpSync(join(root, name), join(made, name));
write('package.json', `${JSON.stringify(manifest(), undefined, 2)}\n`);

const [packed] = JSON.parse(
  execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', dirname(made)], {
    cwd: made,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }),
) as [{ filename: string }]; // What npm prints.
console.log(join(dirname(made), packed.filename));

function write(name: string, text: string): void {
  mkdirSync(dirname(join(made, name)), { recursive: true });
  writeFileSync(join(made, name), text);
}

/** Without what is in the bundle, and without the sources. */
function manifest(): object {
  const { name, version, description, license, type, engines, bin } = JSON.parse(readFileSync(join(cli, 'package.json'), 'utf8')) as Record<string, unknown>; // biome-ignore format: one line
  return {
    ...{ name, version, description, license, type, engines, bin },
    os: ['linux'],
    sideEffects: ['./dist/main.cjs'],
    exports: { '.': { types: './dist/types/index.d.ts', default: './dist/index.js' }, './package.json': './package.json' },
    files: ['bin', 'dist', 'prebuilds', 'CHANGELOG.md'],
  };
}
