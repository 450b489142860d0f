/** Where this process may make cgroups, in the v1 hierarchies and in the v2 one. Reads /proc only; decides nothing about limits. */
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';

export type Controller = 'memory' | 'cpu' | 'pids' | 'freezer';

/** A directory that may get children, and which kind of hierarchy it is in. */
export type CgroupBase = { readonly version: 1 | 2; readonly path: string };

export type CgroupLayout = {
  /** Absent: not here, or not ours to use. */
  readonly controllers: Readonly<Partial<Record<Controller, CgroupBase>>>;
  /** The v2 hierarchy, also when no controller is on it: it can still freeze and kill. */
  readonly unified: string | undefined;
};

type Mount = { readonly root: string; readonly point: string; readonly version: 1 | 2; readonly options: readonly string[] };

/** What is asked of the kernel; a test answers for another one. Reading and writing throw as `node:fs` does. */
export type CgroupFiles = {
  readonly read: (path: string) => string;
  readonly write: (path: string, text: string) => void;
  /** Whether this process may make cgroups below this one, and move processes there. */
  readonly mayMakeChildren: (path: string) => boolean;
};

const KERNEL: CgroupFiles = { read: (path) => readFileSync(path, 'utf8'), write: writeFileSync, mayMakeChildren };

export function readCgroupLayout(files: CgroupFiles = KERNEL): CgroupLayout {
  const mounts = parseMounts(files.read('/proc/self/mountinfo'));
  const memberships = parseMemberships(files.read('/proc/self/cgroup'));
  const controllers: Partial<Record<Controller, CgroupBase>> = {};
  for (const controller of ['memory', 'cpu', 'pids', 'freezer'] as const) {
    const mount = mounts.find((candidate) => candidate.version === 1 && candidate.options.includes(controller));
    const path = mount === undefined ? undefined : ownDirectory(mount, memberships.get(controller) ?? '/');
    if (path !== undefined && files.mayMakeChildren(path)) controllers[controller] = { version: 1, path };
  }
  const unifiedMount = mounts.find((candidate) => candidate.version === 2);
  const ownUnified = unifiedMount === undefined ? undefined : ownDirectory(unifiedMount, memberships.get('') ?? '/');
  const unified = unifiedMount === undefined || ownUnified === undefined ? undefined : findUnified(ownUnified, unifiedMount.point, files);
  if (unified !== undefined) {
    const available = readWords(files, `${unified}/cgroup.subtree_control`);
    for (const controller of ['memory', 'cpu', 'pids'] as const) {
      if (controllers[controller] === undefined && available.includes(controller)) controllers[controller] = { version: 2, path: unified };
    }
  }
  return { controllers, unified };
}

/**
 * The nearest ancestor of our own v2 cgroup that may hold sandboxes. A cgroup with processes cannot give controllers to its children (the
 * "no internal processes" rule of cgroups(7)), so a parent that already does is better than our own.
 */
function findUnified(own: string, mountPoint: string, files: CgroupFiles): string | undefined {
  let fallback: string | undefined;
  for (let path = own; path.startsWith(mountPoint); path = path.slice(0, path.lastIndexOf('/'))) {
    if (!files.mayMakeChildren(path)) break;
    // A cgroup that is "threaded" or "domain invalid" takes no sandbox at all; the root of the tree has no type.
    const type = readWords(files, `${path}/cgroup.type`).join(' ');
    if (type !== '' && type !== 'domain') continue;
    fallback ??= path;
    // Asking a cgroup that holds processes would leave it with the threaded controllers only, and every child of it unusable.
    if (type === '' || readWords(files, `${path}/cgroup.procs`).length === 0) enableControllers(path, files);
    if (readWords(files, `${path}/cgroup.subtree_control`).includes('memory')) return path;
  }
  return fallback;
}

/** Asks for each one by one: a kernel that lacks one should still give the others. */
function enableControllers(path: string, files: CgroupFiles): void {
  const enabled = readWords(files, `${path}/cgroup.subtree_control`);
  for (const controller of readWords(files, `${path}/cgroup.controllers`)) {
    if (!['memory', 'cpu', 'pids'].includes(controller) || enabled.includes(controller)) continue;
    try {
      files.write(`${path}/cgroup.subtree_control`, `+${controller}`);
    } catch {
      // Processes are in it, or it is not ours: the caller looks further up.
    }
  }
}

function mayMakeChildren(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    accessSync(`${path}/cgroup.procs`, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function readWords(files: CgroupFiles, path: string): readonly string[] {
  try {
    return files
      .read(path)
      .split(/\s+/)
      .filter((word) => word !== '');
  } catch {
    return []; // No such file: nothing is on offer there.
  }
}

/** Lines of mountinfo(5): id parent major:minor root point options … - type source superOptions. */
function parseMounts(text: string): readonly Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const [before, after] = line.split(' - ');
    const [, , , root, point] = before?.split(' ') ?? [];
    const [type, , options] = after?.split(' ') ?? [];
    if ((type !== 'cgroup' && type !== 'cgroup2') || root === undefined || point === undefined) continue;
    mounts.push({ root, point: unescapeOctal(point), version: type === 'cgroup2' ? 2 : 1, options: options?.split(',') ?? [] });
  }
  return mounts;
}

function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Lines `id:controllers:path`; the v2 hierarchy has no controllers. */
function parseMemberships(text: string): ReadonlyMap<string, string> {
  const memberships = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, controllers, ...path] = line.split(':');
    for (const controller of controllers?.split(',') ?? []) memberships.set(controller, path.join(':'));
  }
  return memberships;
}

/** Absent: outside of what this process sees of the hierarchy, where a cgroup namespace says "/..". */
function ownDirectory(mount: Mount, membership: string): string | undefined {
  if (`${mount.root}${membership}/`.includes('/../')) return undefined;
  const inside = mount.root === '/' ? membership : membership.startsWith(`${mount.root}/`) ? membership.slice(mount.root.length) : '/';
  return inside === '/' ? mount.point : mount.point + inside;
}
