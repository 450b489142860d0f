/** Bundles the command line tool and the library into packages/cli/dist: one file loads faster than a hundred. Run by scripts/setup.mjs. */
import { cp, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { build } from 'rolldown';
import { readDefinitionTexts } from '../packages/platform/src/capability/load-definitions.ts';
import { BUILT_FILE, buildDefinitions } from '../packages/platform/src/capability/shipped-definitions.ts';

const root = resolve(import.meta.dirname, '..');
const cli = resolve(root, 'packages/cli');
const platform = resolve(root, 'packages/platform');
const made = resolve(cli, `dist.${process.pid}`);
/** What is read at run time: of the languages outlines know, and the library that reads them. */
const GRAMMARS = ['python', 'typescript', 'tsx', 'javascript', 'go', 'rust', 'java', 'cpp'].map((name) => `tree-sitter-${name}.wasm`);

try {
  // The tool as CommonJS: `import` of a built-in module reads every one of its exports, some of which load more; 10 ms of each start.
  await bundle('main', 'cjs', 'cjs');
  await bundle('index', 'esm', 'js');
  await bundleThread();
  await copyAssets();
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
    plugins: [{ name: 'ascii', renderChunk: (code) => escapeNonAscii(code) }],
    output: {
      dir: made,
      format,
      entryFileNames: `[name].${extension}`,
      chunkFileNames: `chunks/[name]-[hash].${extension}`,
      minify: false, // A stack from a user should read.
      comments: { legal: true, annotation: true, jsdoc: false }, // A start reads every byte.
      sourcemap: false,
    },
  });
}

/** One character beyond ASCII doubles what a whole chunk takes in memory, and the time to read it. They stand in texts, where an escape is the same. */
function escapeNonAscii(code: string): string {
  return code.replace(/[^\0-\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The program of the threads that look at hostile text. */
async function bundleThread(): Promise<void> {
  await build({
    cwd: platform,
    input: 'src/handler/internal/worker-main.ts',
    platform: 'node',
    external: [/^node:/, '@vscode/tree-sitter-wasm'],
    resolve: { conditionNames: ['warren-source', 'node', 'import'] },
    output: { file: resolve(made, 'assets/threads/worker-main.cjs'), format: 'cjs', minify: false, sourcemap: false, codeSplitting: false },
  });
}

async function copyAssets(): Promise<void> {
  await cp(resolve(platform, 'policies'), resolve(made, 'assets/policies'), { recursive: true });
  await mkdir(resolve(made, 'assets/definitions'));
  const built = await buildDefinitions(await readDefinitionTexts(resolve(platform, 'definitions')));
  await writeFile(resolve(made, 'assets/definitions', BUILT_FILE), built);
  const grammars = resolve(root, 'node_modules/@vscode/tree-sitter-wasm/wasm');
  for (const name of ['tree-sitter.js', 'tree-sitter.wasm', ...GRAMMARS])
    await cp(resolve(grammars, name), resolve(made, 'assets/grammars', name));
}

/** Puts the new files in place: chunks first, so that whoever starts meanwhile finds what main.cjs names. Old chunks go last. */
async function replace(dist: string): Promise<void> {
  await mkdir(resolve(dist, 'chunks'), { recursive: true });
  const chunks = await namesIn(resolve(made, 'chunks'));
  for (const name of chunks) await rename(resolve(made, 'chunks', name), resolve(dist, 'chunks', name));
  await rm(resolve(dist, 'assets'), { recursive: true, force: true });
  await rename(resolve(made, 'assets'), resolve(dist, 'assets'));
  for (const name of ['index.js', 'main.cjs']) await rename(resolve(made, name), resolve(dist, name));
  for (const name of await namesIn(resolve(dist, 'chunks'))) {
    if (!chunks.includes(name)) await rm(resolve(dist, 'chunks', name));
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  return await readdir(directory).catch(() => []); // A bundle without chunks has no such directory.
}
