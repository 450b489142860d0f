/** Bundles the command line tool and the library into packages/cli/dist: one file loads faster than a hundred. Run by scripts/setup.mjs. */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { build } from 'rolldown';

const root = resolve(import.meta.dirname, '..');
const cli = resolve(root, 'packages/cli');
const made = resolve(cli, `dist.${process.pid}`);

try {
  // The tool as CommonJS: `import` of a built-in module reads every one of its exports, some of which load more; 10 ms of each start.
  await bundle('main', 'cjs', 'cjs');
  await bundle('index', 'esm', 'js');
  await replace(resolve(cli, 'dist'));
} finally {
  await rm(made, { recursive: true, force: true });
}

async function bundle(name: string, format: 'cjs' | 'esm', extension: string): Promise<void> {
  await build({
    cwd: cli,
    input: { [name]: `src/${name}.ts` },
    platform: 'node',
    external: [/^node:/],
    resolve: { conditionNames: ['warren-source', 'node', 'import'] },
    output: {
      dir: made,
      format,
      entryFileNames: `[name].${extension}`,
      chunkFileNames: `chunks/[name]-[hash].${extension}`,
      minify: false, // A stack from a user should read.
      sourcemap: false,
    },
  });
}

/** Puts the new files in place: chunks first, so that whoever starts meanwhile finds what main.cjs names. Old chunks go last. */
async function replace(dist: string): Promise<void> {
  await mkdir(resolve(dist, 'chunks'), { recursive: true });
  const chunks = await namesIn(resolve(made, 'chunks'));
  for (const name of chunks) await rename(resolve(made, 'chunks', name), resolve(dist, 'chunks', name));
  for (const name of ['index.js', 'main.cjs']) await rename(resolve(made, name), resolve(dist, name));
  for (const name of await namesIn(resolve(dist, 'chunks'))) {
    if (!chunks.includes(name)) await rm(resolve(dist, 'chunks', name));
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  return await readdir(directory).catch(() => []); // A bundle without chunks has no such directory.
}
