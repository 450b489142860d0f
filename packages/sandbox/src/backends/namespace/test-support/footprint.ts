/**
 * What somebody in particular left behind on this host. The test kit's `snapshot` takes everything that looks like ours; this one looks for marks (a host's
 * process id in the names of its cgroups, a word in an environment), so that others may start and kill sandboxes at the same time.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 20_000;

/** Everything with one of these marks: processes (in their command line, environment or cgroup), cgroups and sockets (in their name), mounts. */
export function footprint(marks: readonly string[]): readonly string[] {
  const isMarked = (text: string): boolean => marks.some((mark) => text.includes(mark));
  return [
    ...processes().flatMap((pid) => {
      const texts = ['cmdline', 'environ', 'cgroup'].map((file) => maybeRead(`/proc/${pid}/${file}`) ?? '');
      return pid !== process.pid && isMarked(texts.join('\n')) ? [`process ${pid} ${maybeRead(`/proc/${pid}/comm`)?.trim()}`] : [];
    }),
    ...cgroupsNamed(isMarked),
    ...lines('/proc/self/mountinfo')
      .filter(isMarked)
      .map((line) => `mount ${line}`),
    ...lines('/proc/net/unix')
      .filter(isMarked)
      .map((line) => `socket ${line.split(' ').at(-1)}`),
  ];
}

/** The mark that everything of a host's backend has: its process id begins the names of its cgroups. */
export function markOfHost(pid: number = process.pid): string {
  return `/warren/${pid}-`;
}

/**
 * The footprint once there is none or patience is over: the kernel takes its time to reap, and a janitor to clean up. `before`: what had the same marks
 * already, because process ids come back.
 */
export async function leftBehind(marks: readonly string[], before: readonly string[] = []): Promise<readonly string[]> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const left = footprint(marks).filter((line) => !before.includes(line));
    if (left.length === 0 || performance.now() > deadline) return left;
    await sleep(10);
  }
}

/** Processes below this one, with their names. */
export function descendants(ancestor: number = process.pid): readonly string[] {
  const parents = new Map<number, number>();
  for (const pid of processes()) {
    const stat = maybeRead(`/proc/${pid}/stat`);
    if (stat !== undefined) parents.set(pid, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const isBelow = (pid: number): boolean => {
    for (let at = parents.get(pid); at !== undefined && at !== 0; at = parents.get(at)) if (at === ancestor) return true;
    return false;
  };
  return [...parents.keys()].filter(isBelow).map((pid) => `${pid} ${maybeRead(`/proc/${pid}/comm`)?.trim()}`);
}

export function openDescriptors(pid: number | 'self' = 'self'): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function processes(): readonly number[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}

function cgroupsNamed(isMarked: (path: string) => boolean): readonly string[] {
  const points = lines('/proc/self/mountinfo').flatMap((line) => (/ - cgroup2? /.test(line) ? [line.split(' ')[4] ?? ''] : []));
  const below = (directory: string): readonly string[] => {
    const entries = maybe(() => readdirSync(directory, { withFileTypes: true })) ?? [];
    return entries
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) => [join(directory, entry.name), ...below(join(directory, entry.name))]);
  };
  return points
    .flatMap(below)
    .filter(isMarked)
    .map((path) => `cgroup ${path}`);
}

function lines(path: string): readonly string[] {
  return (maybeRead(path) ?? '').split('\n');
}

function maybeRead(path: string): string | undefined {
  return maybe(() => readFileSync(path, 'latin1'));
}

function maybe<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined; // It has gone meanwhile: so it is not left behind.
  }
}
