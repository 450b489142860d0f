/** Processes below this one, from /proc: what a library believes about itself does not matter. */
import { readdirSync, readFileSync } from 'node:fs';

/** Every process below this one. */
export function descendants(): readonly number[] {
  const parents = new Map(readProcesses().map(({ pid, parent }) => [pid, parent]));
  const isOurs = (pid: number | undefined): boolean => pid !== undefined && (pid === process.pid || isOurs(parents.get(pid)));
  return [...parents.keys()].filter((pid) => pid !== process.pid && isOurs(pid));
}

/** The launcher this process has started. Only a child of ours: what it forks bears its name for a moment. */
export function findLauncherProcess(): number {
  const launcher = readProcesses().find(({ parent, name }) => parent === process.pid && name === 'warren-launcher');
  if (launcher === undefined) throw new Error('No launcher is running below this process');
  return launcher.pid;
}

/** Anonymous pages of one process, in MiB; what is shared with others is divided among them. Nothing for a process that is gone, or not for us to see. */
export function anonymousPages(pid: number): number {
  return Number(/^Pss_Anon:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1_024;
}

/** Of the kernel's clock in /proc. */
const TICKS_PER_SECOND = 100;

/** What all threads of a process took until now, in milliseconds. */
export function processorMs(pid: number): number {
  const stat = read(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND; // utime and stime, see proc_pid_stat(5).
}

type Process = { readonly pid: number; readonly name: string; readonly parent: number };

function readProcesses(): readonly Process[] {
  return readdirSync('/proc').flatMap((name) => {
    // pid (name) state parent ...: the name may hold spaces and parentheses, so it ends at the last one (proc_pid_stat(5)).
    const match = /^\d+$/.test(name) ? /^(\d+) \((.*)\) \S+ (\d+)/s.exec(read(`/proc/${name}/stat`)) : null;
    return match === null ? [] : [{ pid: Number(match[1]), name: match[2] ?? '', parent: Number(match[3]) }];
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // Gone meanwhile, or not for us to see.
  }
}
