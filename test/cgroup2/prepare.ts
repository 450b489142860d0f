/**
 * What the virtual machine needs and this one may lack: QEMU (installed, as root on Debian), a kernel with the cgroup v2 controllers and a static
 * busybox (out of Debian packages that are not installed, kept in build/cgroup2). The first time that takes half a minute, later nothing.
 */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT } from '../boundaries/read-tree.ts';

export const CACHE: string = join(ROOT, 'build/cgroup2');

const PACKAGES_OF_TOOLS: Readonly<Record<string, string>> = { 'qemu-system-x86_64': 'qemu-system-x86', setpriv: 'util-linux' };
/** Names the newest of its kind, which is small and has all that matters here built in. */
const KERNEL_PACKAGE = 'linux-image-cloud-amd64';
/** A machine without a network must notice soon. */
const APT_FLAGS = ['-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=20', '-o', 'DPkg::Lock::Timeout=60'];

export type Prepared = { readonly kernel: string; readonly busybox: string };

/** This machine cannot run the virtual one for a reason that is no defect of ours: the tests are skipped with it. */
export class Unavailable extends Error {}

/** Throws `Unavailable`. */
export function prepare(): Prepared {
  if (process.arch !== 'x64') throw new Unavailable(`needs a processor of the x86_64 kind, this is ${process.arch}`);
  mkdirSync(CACHE, { recursive: true });
  installTools();
  return { kernel: cached('vmlinuz-', fetchKernel), busybox: cached('busybox-', fetchBusybox) };
}

function installTools(): void {
  const missing = Object.keys(PACKAGES_OF_TOOLS).filter((tool) => !hasTool(tool));
  if (missing.length === 0) return;
  const packages = missing.map((tool) => PACKAGES_OF_TOOLS[tool] ?? tool);
  const command = `apt-get install --no-install-recommends ${packages.join(' ')}`;
  if (!hasTool('apt-get') || process.getuid?.() !== 0) throw new Unavailable(`needs ${missing.join(', ')}; to install: ${command}`);
  say(`installing the Debian packages ${packages.join(', ')}, to run a virtual machine (${command})`);
  withFreshLists(() => aptGet(['install', '-y', '--no-install-recommends', ...packages]));
  const stillMissing = missing.filter((tool) => !hasTool(tool));
  if (stillMissing.length > 0) throw new Unavailable(`needs ${stillMissing.join(', ')}, which ${packages.join(', ')} has not brought`);
}

/** The newest file of the cache with this prefix; fetched when there is none, and renamed into place whole: others may be fetching too. */
function cached(prefix: string, fetch: (work: string) => Fetched): string {
  const found = readdirSync(CACHE).filter((name) => name.startsWith(prefix));
  const newest = found.toSorted((one, other) => one.localeCompare(other, 'en', { numeric: true })).at(-1);
  if (newest !== undefined) return join(CACHE, newest);
  if (!hasTool('apt-get') || !hasTool('dpkg-deb')) throw new Unavailable('needs a kernel from a Debian package, and this is no Debian');
  const work = mkdtempSync(join(CACHE, 'work-'));
  try {
    const { version, file } = withFreshLists(() => fetch(work));
    renameSync(file, join(CACHE, prefix + version));
    return join(CACHE, prefix + version);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

type Fetched = { readonly version: string; readonly file: string };

function fetchKernel(work: string): Fetched {
  const name = /Depends: (linux-image-\d\S*)/.exec(run('apt-cache', ['depends', KERNEL_PACKAGE]).stdout)?.[1];
  if (name === undefined) throw new Unavailable(`no package list here knows ${KERNEL_PACKAGE}`);
  return download(name, /^\.\/boot\/vmlinuz-/, work);
}

function fetchBusybox(work: string): Fetched {
  return download('busybox-static', /\/bin\/busybox$/, work);
}

/** Downloads a package and takes one file out of it. */
function download(name: string, wanted: RegExp, work: string): Fetched {
  say(`downloading the Debian package ${name} into build/cgroup2`);
  aptGet(['download', name], work);
  const archive = readdirSync(work).find((file) => file.startsWith(`${name}_`)) ?? '';
  const listing = run('sh', ['-c', 'dpkg-deb --fsys-tarfile "$0" | tar -t', archive], work).stdout;
  const member = listing.split('\n').find((path) => wanted.test(path));
  if (member === undefined) throw new Unavailable(`the package ${name} is not what it was`);
  const unpacked = run('sh', ['-c', 'dpkg-deb --fsys-tarfile "$0" | tar -x "$1"', archive, member], work);
  if (unpacked.status !== 0) throw new Unavailable(`the package ${name} cannot be unpacked: ${unpacked.stderr.trim()}`);
  return { version: archive.split('_')[1] ?? '', file: join(work, member) };
}

/** A fresh machine has no package lists yet, and old ones name packages that are gone. */
function withFreshLists<T>(attempt: () => T): T {
  try {
    return attempt();
  } catch (error) {
    if (!(error instanceof Unavailable) || process.getuid?.() !== 0) throw error;
    say('fetching the package lists (apt-get update)');
    aptGet(['update']);
    return attempt();
  }
}

function aptGet(args: readonly string[], directory?: string): void {
  const done = run('apt-get', [...APT_FLAGS, ...args], directory);
  if (done.status !== 0) throw new Unavailable(`apt-get ${args.join(' ')} failed: ${done.stderr.trim().split('\n').at(-1)}`);
}

function run(command: string, args: readonly string[], cwd?: string): SpawnSyncReturns<string> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  return spawnSync(command, args, { cwd, env, encoding: 'utf8', maxBuffer: 16_777_216 });
}

function hasTool(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => isExecutable(join(directory, name)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // Not there, or not ours to run.
  }
}

function say(line: string): void {
  console.error(`test/cgroup2: ${line}`);
}
