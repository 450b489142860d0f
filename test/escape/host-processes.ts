/** Looks at launchers and sandboxes from the host, in /proc. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The children of `parent` that are launchers. */
export function launchersOf(parent: number): readonly number[] {
  return childrenOf(parent).filter((pid) => maybe(() => readFileSync(`/proc/${pid}/comm`, 'utf8'))?.startsWith('warren-launcher') === true);
}

export function childrenOf(parent: number): readonly number[] {
  const threads = maybe(() => readdirSync(`/proc/${parent}/task`)) ?? [];
  const lists = threads.map((thread) => maybe(() => readFileSync(`/proc/${parent}/task/${thread}/children`, 'utf8')) ?? '');
  return lists
    .flatMap((list) => list.trim().split(' '))
    .filter((pid) => pid !== '')
    .map(Number);
}

/** The names of abstract sockets these processes hold. */
export function heldNames(pids: readonly number[]): readonly string[] {
  const inodes = new Set(pids.flatMap((pid) => descriptorsOf(pid)).flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []));
  return readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => inodes.has(fields[6] ?? '') && fields[7]?.startsWith('@') === true)
    .map((fields) => (fields[7] ?? '').slice(1));
}

/** What the descriptors of a process are. */
export function descriptorsOf(pid: number): readonly string[] {
  const names = maybe(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
  return names.flatMap((name) => maybe(() => readlinkSync(`/proc/${pid}/fd/${name}`)) ?? []);
}

/** The process that is number 1 in this pid namespace (`pid:[…]`), unless it is the host's own. */
export function findInit(namespace: string): number | undefined {
  if (namespace === readlinkSync('/proc/self/ns/pid')) return undefined;
  return processesIn(namespace).find((pid) => /^NSpid:.*\t1$/m.test(maybe(() => readFileSync(`/proc/${pid}/status`, 'utf8')) ?? ''));
}

export function processesIn(namespace: string): readonly number[] {
  return allProcesses().filter((pid) => maybe(() => readlinkSync(`/proc/${pid}/ns/pid`)) === namespace);
}

function allProcesses(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Whether it is there and not just waiting to be reaped. */
export function isAlive(pid: number): boolean {
  const status = maybe(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  return status !== undefined && !['Z', 'X'].includes(status.slice(status.lastIndexOf(')') + 2, status.lastIndexOf(')') + 3));
}

/** The real user of a process, by the host's numbers. */
export function userOf(pid: number): number | undefined {
  const status = maybe(() => readFileSync(`/proc/${pid}/status`, 'utf8'));
  const user = /^Uid:\t(\d+)/m.exec(status ?? '')?.[1];
  return user === undefined ? undefined : Number(user);
}

/** Keeps this process from doing anything else, so that it cannot react to what happens meanwhile. */
export function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function maybe<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined; // It has ended meanwhile.
  }
}
