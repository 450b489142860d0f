/**
 * runc with a bundle that comes near to what Warren builds: the host's /usr read-only, fresh proc, dev and tmp, no capabilities, the same limits. It has
 * no user namespace and no seccomp filter, so it does less.
 */
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { TemporaryDirectory } from '@warren/testkit';
import type { Context } from '../harness/benchmark.ts';
import { outputOf, timeProgram } from '../harness/run-program.ts';
import { findOrInstall, type Missing, missing } from './find-command.ts';
import { hostRoot } from './host-root.ts';

export class Runc implements AsyncDisposable {
  readonly name = 'runc';
  readonly #path: string;
  readonly #directory: TemporaryDirectory;
  #runs = 0;

  private constructor(path: string, directory: TemporaryDirectory) {
    this.#path = path;
    this.#directory = directory;
  }

  static async open(context: Context): Promise<Runc | Missing> {
    if (process.getuid?.() !== 0) return missing('runc with limits needs root: sudo npm run bench');
    const path = findOrInstall('runc', 'runc', context);
    if (typeof path !== 'string') return path;
    const runc = new Runc(path, await TemporaryDirectory.create());
    try {
      await runc.#prepare();
      await runc.turn();
      return runc;
    } catch (error) {
      await runc[Symbol.asyncDispose]();
      return missing(`runc does not run here: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  turn(): Promise<number> {
    this.#runs += 1;
    const id = `warren-bench-${process.pid}-${this.#runs}`;
    return timeProgram(this.#path, [...this.#state(), 'run', '--bundle', this.#directory.path, id]);
  }

  /** A run that was interrupted leaves a container and its cgroups; both go. */
  async [Symbol.asyncDispose](): Promise<void> {
    const left = await readdir(this.#directory.join('state')).catch(() => []); // runc makes it with its first container.
    for (const id of left) outputOf(this.#path, [...this.#state(), 'delete', '--force', id]);
    await this.#directory[Symbol.asyncDispose]();
  }

  #state(): readonly string[] {
    return ['--root', this.#directory.join('state')];
  }

  async #prepare(): Promise<void> {
    const root = hostRoot();
    await mkdir(this.#directory.join('rootfs'));
    for (const { name, link } of root) if (link !== undefined) await symlink(link, this.#directory.join('rootfs', name));
    const binds = ['usr', ...root.filter(({ link }) => link === undefined).map(({ name }) => name)];
    for (const name of [...binds, 'proc', 'dev', 'tmp']) await mkdir(this.#directory.join('rootfs', name));
    await writeFile(this.#directory.join('config.json'), JSON.stringify(bundle(binds)));
  }
}

/** The parts of the OCI runtime specification that are needed. */
function bundle(binds: readonly string[]): object {
  const tmpfs = (destination: string, ...options: readonly string[]): object => ({
    destination,
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', ...options],
  });
  return {
    ociVersion: '1.0.2',
    hostname: 'runc',
    root: { path: 'rootfs', readonly: true },
    process: {
      user: { uid: 1_000, gid: 1_000 },
      args: ['/bin/true'],
      env: ['PATH=/usr/bin:/bin'],
      cwd: '/',
      capabilities: {},
      noNewPrivileges: true,
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1_024, hard: 1_024 }],
    },
    mounts: [
      ...binds.map((name) => ({ destination: `/${name}`, type: 'bind', source: `/${name}`, options: ['rbind', 'ro', 'nosuid', 'nodev'] })),
      { destination: '/proc', type: 'proc', source: 'proc' },
      tmpfs('/dev', 'strictatime', 'mode=755', 'size=65536k'),
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'],
      },
      tmpfs('/dev/shm', 'noexec', 'nodev', 'mode=1777', 'size=65536k'),
      tmpfs('/tmp', 'nodev', 'mode=1777', 'size=256m'),
    ],
    linux: {
      namespaces: ['pid', 'network', 'ipc', 'uts', 'mount', 'cgroup'].map((type) => ({ type })),
      resources: { memory: { limit: 512 * 1_048_576 }, cpu: { quota: 100_000, period: 100_000 }, pids: { limit: 512 } },
      maskedPaths: ['/proc/acpi', '/proc/kcore', '/proc/keys', '/proc/timer_list', '/proc/scsi'],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  };
}
