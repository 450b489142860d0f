/**
 * Who has a state directory open. The truth is the lock on it: a file may name a process that is long gone, or one that got the number since.
 * Nobody is signalled because of a file alone.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The process that holds the lock. Undefined when nobody does, or it cannot be told. */
export function findHolder(stateDirectory: string): number | undefined {
  try {
    const pid = Number(/^(\d{1,9})\n?$/.exec(readFileSync(join(stateDirectory, 'kernel.pid'), 'latin1'))?.[1]);
    const { ino } = statSync(join(stateDirectory, 'kernel.lock'), { bigint: true });
    return holdsLock(readFileSync('/proc/locks', 'latin1'), pid, ino) ? pid : undefined;
  } catch {
    return undefined; // No directory, no daemon yet, or no /proc.
  }
}

/**
 * Lines such as `1: POSIX  ADVISORY  WRITE 2182 fe:00:9978577 1073741824 1073742335` (proc_locks(5)). The device is left out of it: what
 * stat says about it differs on overlays and subvolumes, and process and inode together are enough.
 */
export function holdsLock(locks: string, pid: number, inode: bigint): boolean {
  return locks.split('\n').some((line) => {
    const [, kind, , access, holder, file] = line.split(/\s+/);
    return kind === 'POSIX' && access === 'WRITE' && Number(holder) === pid && file?.split(':')[2] === `${inode}`;
  });
}

/** Whether a process of this number still runs. One that has ended and was not collected by its parent runs no more. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
    return state !== 'Z' && state !== 'X';
  } catch {
    return false; // Gone.
  }
}
