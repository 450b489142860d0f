/** Leaks of this suite alone. Other tests run at the same time and also kill launchers and leave orphans for a moment. */
import { readFileSync } from 'node:fs';
import { leaksSince, type Snapshot, snapshot } from '@warren/testkit';
import { isAlive, userOf } from './host-processes.ts';

export function takeSnapshot(): Snapshot {
  return snapshot({ isOurs: (path) => path.includes(`/warren/${process.pid}-`) });
}

/** With a user: only processes of that user count. */
export async function ownLeaks(before: Snapshot, uid?: number): Promise<readonly string[]> {
  const leaks = await leaksSince(before);
  return leaks.filter((line) => {
    const pid = Number(/^process (\d+) /.exec(line)?.[1] ?? 0);
    return pid === 0 || (isAlive(pid) && !isAnothers(pid) && (uid === undefined || userOf(pid) === uid));
  });
}

/** In a cgroup of another process's launcher. */
function isAnothers(pid: number): boolean {
  try {
    const owner = /\/warren\/(\d+)-/.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
    return owner !== undefined && Number(owner) !== process.pid;
  } catch {
    return true; // It has ended meanwhile.
  }
}
