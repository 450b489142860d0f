/** Looks at the cgroup tree from outside the library, with nothing but the files the kernel shows. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const CGROUPS = '/sys/fs/cgroup';

/** The one sandbox that is open. */
export function onlySandbox(): string {
  const sandboxes = children(join(CGROUPS, 'warren')).flatMap(children);
  if (sandboxes.length !== 1) throw new Error(`there are ${sandboxes.length} sandboxes: ${sandboxes.join(', ')}`);
  return sandboxes[0] ?? '';
}

export function children(cgroup: string): readonly string[] {
  return readdirSync(cgroup, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(cgroup, entry.name))
    .toSorted();
}

export function read(cgroup: string, file: string): string {
  return readFileSync(join(cgroup, file), 'utf8').trim();
}

/** The number after `name` in a file of such lines. */
export function readField(cgroup: string, file: string, name: string): number {
  const line = read(cgroup, file)
    .split('\n')
    .find((candidate) => candidate.startsWith(`${name} `));
  if (line === undefined) throw new Error(`${cgroup}/${file} has no line ${name}`);
  return Number(line.slice(name.length + 1));
}

/** Names of the processes right in this cgroup. */
export function members(cgroup: string): readonly string[] {
  const pids = ifThere(() => read(cgroup, 'cgroup.procs').split('\n')) ?? [];
  return pids.flatMap((pid) => ifThere(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim()) ?? []);
}

/** Groups of commands that hold something; one that is empty may be there for the next command. */
export function occupied(sandbox: string): readonly string[] {
  return children(sandbox).filter((group) => (ifThere(() => read(group, 'cgroup.procs')) ?? '') !== '');
}

/** Commands here sleep when they have nothing to do; how many do so in the groups of a sandbox. */
export function countSleepers(sandbox: string): number {
  const names = occupied(sandbox).flatMap(members);
  return names.filter((name) => name === 'sleep').length;
}

/** For processes and groups that may end while they are looked at. */
function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined; // Then it is as if it had not been listed.
  }
}

/** Nothing of any command is left, but for that one. */
export function isIdle(sandbox: string): boolean {
  return occupied(sandbox).length === 0 && children(sandbox).length <= 1;
}

/** Waits until `isSo`; throws with the words of `what` when it takes too long. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`waited 20 s: ${what}`);
    await sleep(10);
  }
}
