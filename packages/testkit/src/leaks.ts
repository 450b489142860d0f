/**
 * Finds what a test left behind on the host: processes, mounts, cgroups, open descriptors, files.
 *
 *     const before = snapshot({ directory: state });
 *     ...
 *     expect(await leaksSince(before)).toEqual([]);
 *
 * Everything is read from /proc and the cgroup file systems, so that what a library believes about itself does not matter. Tests run
 * side by side, and a cgroup or an orphan does not say whose it is: `isOurs` narrows cgroups down, and orphans that go away are waited for.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export type SnapshotOptions = {
  /** Also look at the entries of this directory, however deep. */
  readonly directory?: string;
  /** Which cgroups count, by path. Default: those whose own name begins with `warren`. */
  readonly isOurs?: (path: string) => boolean;
};

/** What there was at one moment: one line for each thing, with enough in it to tell two of them apart. */
export type Snapshot = {
  readonly options: SnapshotOptions;
  readonly processes: readonly string[];
  readonly mounts: readonly string[];
  readonly cgroups: readonly string[];
  readonly descriptors: readonly string[];
  readonly entries: readonly string[];
};

export function snapshot(options: SnapshotOptions = {}): Snapshot {
  const mounts = readMounts();
  const isOurs = options.isOurs ?? ((path: string) => path.slice(path.lastIndexOf('/') + 1).startsWith('warren'));
  return {
    options,
    processes: ourProcesses(),
    mounts: mounts.map(({ id, point, type }) => `${id} ${type} ${point}`),
    cgroups: mounts.filter(({ type }) => type.startsWith('cgroup')).flatMap(({ point }) => directoriesBelow(point).filter(isOurs)),
    descriptors: openDescriptors(),
    entries: options.directory === undefined ? [] : entriesBelow(options.directory),
  };
}

/** What is there after and was not before; of mounts also what is gone, for nothing may take the host's away. Empty: no leak. */
export function diff(before: Snapshot, after: Snapshot): readonly string[] {
  return [
    ...added('process', before.processes, after.processes),
    ...added('mount', before.mounts, after.mounts),
    ...added('mount gone:', after.mounts, before.mounts),
    ...added('cgroup', before.cgroups, after.cgroups),
    ...added('descriptor', before.descriptors, after.descriptors),
    ...added('entry', before.entries, after.entries),
  ];
}

/** The leaks since `before`, once there are none or the time is over: the kernel takes a moment to reap. */
export async function leaksSince(before: Snapshot, options: { readonly deadlineMs?: number } = {}): Promise<readonly string[]> {
  const deadline = performance.now() + (options.deadlineMs ?? 2_000);
  for (;;) {
    const leaks = diff(before, snapshot(before.options));
    if (leaks.length === 0 || performance.now() > deadline) return leaks;
    await sleep(20);
  }
}

function added(kind: string, before: readonly string[], after: readonly string[]): readonly string[] {
  const known = new Set(before);
  return after.filter((line) => !known.has(line)).map((line) => `${kind} ${line}`);
}

type Process = {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  /** Tells a process from a later one with the same pid. */
  readonly startTicks: string;
  readonly isSandboxed: boolean;
};

/**
 * Our descendants, and what looks like a sandbox (a launcher, or a process in another pid namespace) and was left to one of our ancestors:
 * an orphan goes to the nearest ancestor that reaps. What hangs off some other process is that one's own.
 */
function ourProcesses(): readonly string[] {
  const processes = readProcesses();
  const ancestors = new Set<number>();
  for (let at = processes.get(process.pid)?.parent; at !== undefined && !ancestors.has(at); at = processes.get(at)?.parent)
    ancestors.add(at);
  const isOurs = (one: Process): boolean => {
    if (one.pid === process.pid) return false;
    let isOrphan = one.isSandboxed;
    for (let at: Process | undefined = one; at !== undefined; at = processes.get(at.parent)) {
      if (at.pid === process.pid) return true;
      if (ancestors.has(at.pid)) return isOrphan;
      if (!at.isSandboxed) isOrphan = false;
    }
    return isOrphan;
  };
  return [...processes.values()].filter(isOurs).map((one) => `${one.pid} ${one.name} started at tick ${one.startTicks}`);
}

function readProcesses(): ReadonlyMap<number, Process> {
  const processes = new Map<number, Process>();
  const ourNamespace = readlinkSync('/proc/self/ns/pid');
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? maybe(() => readFileSync(`/proc/${name}/stat`, 'latin1')) : undefined;
    if (stat === undefined) continue;
    // pid (name) state parent ...: the name may hold spaces and parentheses, so it ends at the last one (proc_pid_stat(5)).
    const command = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const namespace = maybe(() => readlinkSync(`/proc/${name}/ns/pid`));
    processes.set(Number(name), {
      pid: Number(name),
      parent: Number(fields[1]),
      name: command,
      startTicks: fields[19] ?? '',
      // The kernel keeps 15 bytes of a name, and warren-launcher is exactly that long.
      isSandboxed: command.startsWith('warren-launcher') || (namespace !== undefined && namespace !== ourNamespace),
    });
  }
  return processes;
}

function readMounts(): readonly { readonly id: string; readonly point: string; readonly type: string }[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [left = '', right = ''] = line.split(' - ');
      const fields = left.split(' ');
      return { id: fields[0] ?? '', point: fields[4] ?? '', type: right.split(' ')[0] ?? '' };
    });
}

function openDescriptors(): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap((name) => {
    const target = maybe(() => readlinkSync(`/proc/self/fd/${name}`)); // The one that listed this directory is closed again.
    return target === undefined ? [] : [`${name} ${target}`];
  });
}

function directoriesBelow(directory: string): readonly string[] {
  const entries = maybe(() => readdirSync(directory, { withFileTypes: true })) ?? [];
  return entries
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => [join(directory, entry.name), ...directoriesBelow(join(directory, entry.name))]);
}

function entriesBelow(directory: string): readonly string[] {
  return (maybe(() => readdirSync(directory, { recursive: true, encoding: 'utf8' })) ?? []).toSorted();
}

/** For things that may go while they are looked at: what is gone has not leaked. */
function maybe<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined; // Gone, or somebody else's and not ours to see.
  }
}
