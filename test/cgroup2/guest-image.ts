/** The guest's file system: a busybox, this very Node, the launcher and the bundled `guest/main.ts`. No distribution, no modules. */
import { spawnSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'rolldown';
import { ROOT } from '../boundaries/read-tree.ts';
import { type Member, packInitramfs } from './initramfs.ts';

export async function makeGuestImage(parts: { readonly busybox: string; readonly launcher: string }): Promise<Buffer> {
  const libraries = listLibraries(process.execPath).map((path) => executable(merged(path), path));
  const files = [
    executable('usr/bin/busybox', parts.busybox),
    executable('usr/bin/node', process.execPath),
    executable('warren/warren-launcher', parts.launcher),
    executable('init', join(import.meta.dirname, 'guest/init.sh')),
    { kind: 'file', path: 'warren/main.mjs', mode: 0o644, content: await bundle(join(import.meta.dirname, 'guest/main.ts')) },
    ...libraries,
  ] as const satisfies readonly Member[];
  const directories = new Set(
    ['dev', 'new', 'usr/sbin', 'usr/lib', 'usr/lib64', ...files.map(({ path }) => dirname(path))].flatMap(ancestry),
  );
  return packInitramfs([
    ...[...directories].map((path) => ({ kind: 'directory', path, mode: 0o755 }) as const),
    // As distributions have it, so that the plan of a sandbox is theirs too.
    ...['bin', 'sbin', 'lib', 'lib64'].map((name) => ({ kind: 'link', path: name, target: `usr/${name}` }) as const),
    { kind: 'character device', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
    ...files,
  ]);
}

function executable(path: string, source: string): Member & { readonly kind: 'file' } {
  return { kind: 'file', path, mode: 0o755, content: readFileSync(realpathSync(source)) };
}

/** What the dynamic linker would load, itself included, under the names it looks for. A static program has none. */
function listLibraries(program: string): readonly string[] {
  const lines = spawnSync('ldd', [program], { encoding: 'utf8' }).stdout ?? '';
  return [...new Set([...lines.matchAll(/(?:=>\s*|^\s*)(\/\S+) \(0x/gm)].map(([, path = '']) => path))];
}

/** Where a file of /lib is when /lib is a link into /usr. */
function merged(path: string): string {
  return path.replace(/^\/(?:usr\/)?/, 'usr/');
}

function ancestry(path: string): readonly string[] {
  return path === '.' ? [] : [...ancestry(dirname(path)), path];
}

/** One file without imports, so that the guest needs neither our packages nor a compiler. */
async function bundle(input: string): Promise<Buffer> {
  const { output } = await build({
    cwd: ROOT,
    input,
    platform: 'node',
    external: [/^node:/],
    resolve: { conditionNames: ['warren-source', 'node', 'import'] },
    write: false,
    output: { format: 'esm', codeSplitting: false },
  });
  return Buffer.from(output[0].code);
}
