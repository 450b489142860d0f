/**
 * What the virtual machine needs and this machine may lack: QEMU and lz4 (installed, as root on Debian), a kernel with cgroup v2 controllers and a
 * static busybox (Debian packages, unpacked into build/cgroup2 and not installed). The first time that takes a minute; then everything is there.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT } from '../boundaries/read-tree.ts';

export const CACHE: string = join(ROOT, 'build/cgroup2');
const KERNEL = 'linux-image-cloud-amd64'; // Small, with what a virtual machine needs built in.
const TOOLS: Readonly<Record<string, string>> = { 'qemu-system-x86_64': 'qemu-system-x86', lz4: 'lz4', setpriv: 'util-linux' };
/** A machine without a network must notice soon. */
const APT_FLAGS = ['-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=20', '-o', 'DPkg::Lock::Timeout=60'];

export type Prepared = { readonly kernel: string; readonly busybox: string };

/** This machine cannot run the virtual one, for a reason that is no defect: the tests are skipped with it. */
export class Unavailable extends Error {}

/** Throws `Unavailable`. */
export function prepare(): Prepared {
  if (process.arch !== 'x64') throw new Unavailable(`needs an x86_64 machine, this is ${process.arch}`);
  mkdirSync(CACHE, { recursive: true });
  installTools();
  return { kernel: cached('vmlinux-', fetchKernel), busybox: cached('busybox-', fetchBusybox) };
}

// --- Tools ---------------------------------------------------------------------------------------------------------------------------------

function installTools(): void {
  const missing = Object.keys(TOOLS).filter((tool) => !hasTool(tool));
  if (missing.length === 0) return;
  const packages = missing.map((tool) => TOOLS[tool] ?? tool);
  const command = `apt-get install --no-install-recommends ${packages.join(' ')}`;
  if (!hasTool('apt-get') || process.getuid?.() !== 0) throw new Unavailable(`needs ${missing.join(', ')}; to install as root: ${command}`);
  say(`installing the Debian packages ${packages.join(', ')}, to run a virtual machine (${command})`);
  withFreshLists(`${missing.join(', ')} cannot be installed`, () => apt('install', '-y', '--no-install-recommends', ...packages));
}

function hasTool(name: string): boolean {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return directories.some((directory) => isExecutable(join(directory, name)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // Not there, or not for us.
  }
}

// --- Files out of packages -------------------------------------------------------------------------------------------------------------------

/** The newest file in the cache with this prefix; made when there is none. Two test runs may do so at once: each renames a whole file into place. */
function cached(prefix: string, fetch: (work: string) => { readonly version: string; readonly file: string }): string {
  const found = readdirSync(CACHE)
    .filter((name) => name.startsWith(prefix))
    .toSorted()
    .at(-1);
  if (found !== undefined) return join(CACHE, found);
  const work = mkdtempSync(join(CACHE, 'work-'));
  try {
    const { version, file } = fetch(work);
    const path = join(CACHE, `${prefix}${version}`);
    renameSync(file, path);
    return path;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function fetchKernel(work: string): { readonly version: string; readonly file: string } {
  const name = withFreshLists(`the package ${KERNEL} is not known here`, () => {
    const dependencies = run('apt-cache', ['depends', KERNEL]).stdout ?? '';
    return /Depends: (linux-image-\d\S*)/.exec(dependencies)?.[1];
  });
  unpack(work, name, './boot/vmlinuz-*');
  const compressed = readFileSync(join(work, 'boot', readdirSync(join(work, 'boot'))[0] ?? ''));
  const start = compressed.indexOf(Buffer.from([0x02, 0x21, 0x4c, 0x18])); // LZ4, legacy frames.
  if (start < 0) throw new Unavailable(`the kernel of ${name} is not compressed with LZ4`);
  const file = join(work, 'vmlinux');
  writeFileSync(`${file}.lz4`, compressed.subarray(start));
  run('lz4', ['-d', '-f', `${file}.lz4`, file]); // Its status says nothing: what follows the last frame, lz4 takes for a broken one.
  if (!existsSync(file) || readFileSync(file).indexOf('\x7fELF') !== 0) throw new Unavailable(`the kernel of ${name} cannot be decompressed`);
  return { version: name.slice('linux-image-'.length), file };
}

function fetchBusybox(work: string): { readonly version: string; readonly file: string } {
  const version = unpack(work, 'busybox-static', '*bin/busybox');
  const file = [join(work, 'bin/busybox'), join(work, 'usr/bin/busybox')].find((path) => existsSync(path));
  if (file === undefined) throw new Unavailable('the package busybox-static holds no busybox');
  return { version, file };
}

/** Downloads a package and takes from it what matches `pattern`. Returns its version. */
function unpack(work: string, name: string, pattern: string): string {
  say(`downloading the Debian package ${name} into build/cgroup2`);
  const archive = withFreshLists(`the package ${name} cannot be downloaded`, () => {
    const isDone = apt('download', name) !== undefined;
    return isDone ? readdirSync(work).find((file) => file.startsWith(`${name}_`) && file.endsWith('.deb')) : undefined;

    function apt(...args: readonly string[]): true | undefined {
      return run('apt-get', [...APT_FLAGS, ...args], work).status === 0 ? true : undefined;
    }
  });
  const tar = spawnSync('sh', ['-c', 'dpkg-deb --fsys-tarfile "$1" | tar -x --wildcards "$2"', 'sh', archive, pattern], { cwd: work });
  if (tar.status !== 0) throw new Unavailable(`the package ${name} cannot be unpacked: ${tar.stderr.toString().trim()}`);
  return archive.split('_')[1] ?? 'unknown';
}
