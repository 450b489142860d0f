/** Bundles the command line tool and the library into packages/cli/dist: one file loads faster than a hundred. Run by scripts/setup.mjs. */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { build } from 'rolldown';

const root = resolve(import.meta.dirname, '..');
const cli = resolve(root, 'packages/cli');
const made = resolve(cli, `dist.${process.pid}`);

try {
  await build({
    cwd: cli,
    input: { main: 'src/main.ts', index: 'src/index.ts' },
    platform: 'node',
    external: [/^node:/],
    resolve: { conditionNames: ['warren-source', 'node', 'import'] },
    output: {
      dir: made,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: 'chunks/[name]-[hash].js',
      minify: false, // A stack from a user should read.
      sourcemap: false,
    },
  });
  await replace(resolve(cli, 'dist'));
} finally {
  await rm(made, { recursive: true, force: true });
}

/** Puts the new files in place: chunks first, so that whoever starts meanwhile finds what main.js names. Old chunks go last. */
async function replace(dist: string): Promise<void> {
  await mkdir(resolve(dist, 'chunks'), { recursive: true });
  const chunks = await namesIn(resolve(made, 'chunks'));
  for (const name of chunks) await rename(resolve(made, 'chunks', name), resolve(dist, 'chunks', name));
  for (const name of ['index.js', 'main.js']) await rename(resolve(made, name), resolve(dist, name));
  for (const name of await namesIn(resolve(dist, 'chunks'))) {
    if (!chunks.includes(name)) await rm(resolve(dist, 'chunks', name));
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  return await readdir(directory).catch(() => []); // A bundle without chunks has no such directory.
}
