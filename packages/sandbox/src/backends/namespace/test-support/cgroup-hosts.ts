/** Hosts of other kinds, as /proc and the cgroup file systems describe them. Taken from real ones, shortened. */
import type { CgroupFiles } from '../cgroup-layout.ts';

/** A host whose cgroup files are these. A directory takes children when a `cgroup.procs` of it is among them, unless it is read-only. */
export class CgroupHost implements CgroupFiles {
  readonly #files: Map<string, string>;
  readonly #isReadOnly: (path: string) => boolean;
  /** What was written, in order: `path=text`. */
  readonly written: string[] = [];

  constructor(files: Readonly<Record<string, string>>, isReadOnly: (path: string) => boolean = () => false) {
    this.#files = new Map(Object.entries(files));
    this.#isReadOnly = isReadOnly;
  }

  read = (path: string): string => {
    const text = this.#files.get(path);
    if (text === undefined) throw Object.assign(new Error(`ENOENT ${path}`), { code: 'ENOENT' });
    return text;
  };

  /** As the kernel: a cgroup with processes in it gives no controllers on, but for the root. */
  write = (path: string, text: string): void => {
    const directory = path.slice(0, path.lastIndexOf('/'));
    const isRoot = !this.#files.has(`${directory}/cgroup.type`);
    if (!isRoot && this.read(`${directory}/cgroup.procs`) !== '') throw Object.assign(new Error('EBUSY'), { code: 'EBUSY' });
    this.written.push(`${path}=${text}`);
    this.#files.set(path, `${this.read(path)} ${text.slice(1)}`.trim());
  };

  mayMakeChildren = (path: string): boolean => this.#files.has(`${path}/cgroup.procs`) && !this.#isReadOnly(path);
}

/** The files of one v2 cgroup. `type` is absent in the root of the tree. */
export function unifiedGroup(
  path: string,
  { type, controllers = '', enabled = '', processes = '' }: { type?: string; controllers?: string; enabled?: string; processes?: string },
): Readonly<Record<string, string>> {
  return {
    [`${path}/cgroup.procs`]: processes,
    [`${path}/cgroup.controllers`]: `${controllers}\n`,
    [`${path}/cgroup.subtree_control`]: enabled,
    ...(type === undefined ? {} : { [`${path}/cgroup.type`]: `${type}\n` }),
  };
}

/** Every hierarchy of v1, each with the cgroup of this process in it. */
export const V1 = {
  '/proc/self/mountinfo': `
22 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:10 - cgroup cgroup rw,memory
37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
`,
  '/proc/self/cgroup': `
11:pids:/
8:freezer:/
5:memory:/service/a:b
4:cpu,cpuacct:/service
1:name=systemd:/user.slice
`,
  '/sys/fs/cgroup/pids/cgroup.procs': '',
  '/sys/fs/cgroup/freezer/cgroup.procs': '',
  '/sys/fs/cgroup/memory/service/a:b/cgroup.procs': '',
  '/sys/fs/cgroup/cpu,cpuacct/service/cgroup.procs': '',
} as const;

/** v2 alone; systemd has put this process into a service. */
export const V2 = {
  '/proc/self/mountinfo': '31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n',
  '/proc/self/cgroup': '0::/system.slice/warren.service\n',
  ...unifiedGroup('/sys/fs/cgroup', { controllers: 'cpuset cpu io memory pids', enabled: 'cpu memory pids' }),
  ...unifiedGroup('/sys/fs/cgroup/system.slice', { type: 'domain', controllers: 'cpu memory pids', enabled: 'memory pids' }),
  ...unifiedGroup('/sys/fs/cgroup/system.slice/warren.service', { type: 'domain', controllers: 'memory pids', processes: '812\n' }),
} as const;

/** The reference machine: controllers on v1, a v2 hierarchy with none beside them. */
export const HYBRID = {
  ...V1,
  '/proc/self/mountinfo': `${V1['/proc/self/mountinfo']}41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n`,
  '/proc/self/cgroup': `${V1['/proc/self/cgroup']}0::/\n`,
  ...unifiedGroup('/sys/fs/cgroup/unified', { controllers: 'hugetlb', enabled: '' }),
} as const;
