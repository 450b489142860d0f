/** What of this host the walls depend on, read once. The plan of a sandbox is a pure function of its spec and these facts. */
import { readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import type { Capabilities } from '../../contract.ts';
import type { CgroupLayout } from './cgroup-layout.ts';

/** A range of ids that /etc/subuid or /etc/subgid gives to a user. */
export type SubordinateRange = { readonly first: number; readonly count: number };

export type HostFacts = {
  readonly uid: number;
  readonly gid: number;
  /** `undefined`: there is none, or it is the whole host. */
  readonly home: string | undefined;
  readonly cgroups: CgroupLayout;
  /** `/bin` and its like: a link to point the same way, or a directory to bind. */
  readonly rootEntries: readonly RootEntry[];
  /** Below /etc, those of the known ones that this host has: what programs need to know of the system, and nothing that says who uses it. */
  readonly systemFiles: readonly SystemFile[];
  /** Below /proc, those of the known ones that this kernel has and lets anybody read. */
  readonly maskedProcFiles: readonly string[];
  /** Only when this user is to have a range of ids through newuidmap. */
  readonly subordinate: { readonly uids: SubordinateRange; readonly gids: SubordinateRange } | undefined;
  /** ABI version; 0: the kernel has none. */
  readonly landlock: number;
};

export type RootEntry = { readonly name: string; readonly link: string | undefined };

const SYSTEM_FILES = [
  'alternatives',
  'ssl',
  'ca-certificates',
  'pki',
  'crypto-policies',
  'ld.so.cache',
  'localtime',
  'services',
  'protocols',
  'mime.types',
  'fonts',
  'os-release',
];

/** `source` has no links left: the new root lies on top of the old one while it is built, and a link that goes up to the root ends there. */
export type SystemFile = { readonly name: string; readonly source: string };

function readSystemFiles(): readonly SystemFile[] {
  const files: SystemFile[] = [];
  for (const name of SYSTEM_FILES) {
    const source = canonical(`/etc/${name}`);
    if (source !== undefined) files.push({ name, source });
  }
  return files;
}

function canonical(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined; // This host has no such thing.
  }
}

function homeDirectory(): string | undefined {
  const home = canonical(homedir());
  return home === '/' ? undefined : home;
}

/** What a process has no business with: kernel memory and logs, keys, timers and interrupts (side channels), firmware tables. */
const MASKED_PROC_FILES = [
  'acpi',
  'buddyinfo',
  'cmdline',
  'config.gz',
  'diskstats',
  'interrupts',
  'kallsyms',
  'kcore',
  'key-users',
  'keys',
  'kmsg',
  'kpagecgroup',
  'kpagecount',
  'kpageflags',
  'latency_stats',
  'modules',
  'partitions',
  'sched_debug',
  'scsi',
  'softirqs',
  'timer_list',
  'timer_stats',
  'vmallocinfo',
];

/** What only the host's root may read needs no mask: nobody inside is the host's root. */
function isReadableByOthers(path: string): boolean {
  return ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o004) !== 0;
}

export type IdentityChoice = 'automatic' | 'subordinate';

export function readHostFacts(cgroups: CgroupLayout, landlock: number, identities: IdentityChoice = 'automatic'): HostFacts {
  const uid = process.geteuid?.() ?? 0; // Always there on Linux.
  const gid = process.getegid?.() ?? 0;
  return {
    uid,
    gid,
    home: homeDirectory(),
    cgroups,
    rootEntries: readRootEntries(),
    systemFiles: readSystemFiles(),
    maskedProcFiles: MASKED_PROC_FILES.filter((name) => isReadableByOthers(`/proc/${name}`)),
    subordinate: uid !== 0 && identities === 'subordinate' ? readSubordinate(uid) : undefined,
    landlock,
  };
}

export function capabilitiesOf(facts: HostFacts): Capabilities {
  const { controllers, unified } = facts.cgroups;
  const versions = new Set(Object.values(controllers).map((base) => base.version));
  if (unified !== undefined) versions.add(2);
  return {
    backend: 'namespace',
    users: facts.uid === 0 || facts.subordinate !== undefined ? 'range' : 'single',
    memory: controllers.memory === undefined ? 'none' : 'cgroup',
    cpus: controllers.cpu === undefined ? 'none' : 'cgroup',
    pids: controllers.pids === undefined ? 'rlimit' : 'cgroup',
    fileBytes: 'rlimit',
    openFiles: 'rlimit',
    diskBytes: 'polled',
    pause: unified === undefined && controllers.freezer === undefined ? 'signals' : 'cgroup',
    // With subordinate ids pid 1 is not the owner of the cgroup, and may make none below it.
    killTree: unified === undefined || facts.subordinate !== undefined ? 'subreaper' : 'cgroup',
    landlock: facts.landlock,
    cgroupVersion: versions.size === 2 ? 'hybrid' : versions.has(2) ? 2 : versions.has(1) ? 1 : 'none',
  };
}

function readRootEntries(): readonly RootEntry[] {
  const entries: RootEntry[] = [];
  for (const name of ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']) {
    try {
      entries.push({ name, link: readlinkSync(`/${name}`) });
    } catch {
      if (statSync(`/${name}`, { throwIfNoEntry: false })?.isDirectory() === true) entries.push({ name, link: undefined });
    }
  }
  return entries;
}

function readSubordinate(uid: number): HostFacts['subordinate'] {
  const uids = readRange('/etc/subuid', uid);
  const gids = readRange('/etc/subgid', uid);
  return uids === undefined || gids === undefined ? undefined : { uids, gids };
}

/** The first range of at least 65,536 ids of this user, by number or by name: `name:first:count` (subuid(5)). */
export function readRange(
  path: string,
  uid: number,
  readText = (file: string): string => readFileSync(file, 'utf8'),
): SubordinateRange | undefined {
  try {
    const name = readText('/etc/passwd')
      .split('\n')
      .map((line) => line.split(':'))
      .find((fields) => fields[2] === String(uid))?.[0];
    for (const line of readText(path).split('\n')) {
      const [owner, first = '', count = ''] = line.split(':');
      if (owner !== String(uid) && (name === undefined || owner !== name)) continue;
      if (/^[1-9]\d{0,9}$/.test(first) && /^\d{1,10}$/.test(count) && Number(count) >= 65_536) {
        return { first: Number(first), count: Number(count) };
      }
    }
  } catch {
    // No such file: no ranges.
  }
  return undefined;
}
