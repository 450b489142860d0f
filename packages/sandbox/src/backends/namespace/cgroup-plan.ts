/** Which cgroups a sandbox gets, what is written into them, and where their counters are. Pure; the launcher makes and removes them. */
import { readFileSync } from 'node:fs';
import type { ResolvedSpec, SandboxStats } from '../../contract.ts';
import type { ReadLimitCounts } from '../../guest/command-run.ts';
import type { CgroupLayout, Controller } from './cgroup-layout.ts';

type CgroupRoot = { readonly version: 1 | 2; readonly path: string };

/** One launcher's own directory in each hierarchy it uses. */
export type CgroupRoots = {
  readonly controllers: Readonly<Partial<Record<Controller, CgroupRoot>>>;
  readonly unified: string | undefined;
};

/** What the launcher makes for one sandbox. Hierarchies are named by their place in `rootPaths`, so that the plan is the same for every sandbox. */
export type CgroupPlan = {
  /** The v2 hierarchy last and apart: pid 1 is given its directory, for a cgroup per command. */
  readonly hierarchies: readonly number[];
  readonly unified: number | undefined;
  readonly settings: readonly { readonly hierarchy: number; readonly file: string; readonly value: string }[];
  readonly reports: readonly { readonly hierarchy: number; readonly file: string }[];
  /** Where the counters of the sandbox in this slot are. */
  readonly countersOf: (slot: number) => CgroupCounters;
};

/** Files to read; absent where the sandbox has no such cgroup. */
export type CgroupCounters = {
  readonly memory: { readonly version: 1 | 2; readonly path: string } | undefined;
  readonly pids: string | undefined;
  readonly cpu: { readonly version: 1 | 2; readonly path: string } | undefined;
  readonly unified: string | undefined;
  /** Writing to it pauses and resumes. */
  readonly freezer: { readonly file: string; readonly frozen: string; readonly thawed: string; readonly state: string } | undefined;
};

const CPU_PERIOD_US = 100_000;

export function rootsOf(layout: CgroupLayout, token: string): CgroupRoots {
  const root = (path: string): string => `${path}/warren/${token}`;
  const controllers: Partial<Record<Controller, { version: 1 | 2; path: string }>> = {};
  for (const [name, base] of Object.entries(layout.controllers)) {
    // The freezer is only for hosts without a v2 hierarchy, which freezes without asking anybody's attention.
    if (name === 'freezer' && layout.unified !== undefined) continue;
    controllers[name as Controller] = { version: base.version, path: root(base.path) }; // Object.entries forgets the keys.
  }
  return { controllers, unified: layout.unified === undefined ? undefined : root(layout.unified) };
}

/** Every directory of `roots`, once. */
export function rootPaths(roots: CgroupRoots): readonly string[] {
  const paths = Object.values(roots.controllers).map((root) => root.path);
  return [...new Set(roots.unified === undefined ? paths : [...paths, roots.unified])];
}

export function planCgroups(roots: CgroupRoots, limits: ResolvedSpec['limits'], hasMemsw: boolean): CgroupPlan {
  const paths = rootPaths(roots);
  const hierarchies: number[] = [];
  const settings: { hierarchy: number; file: string; value: string }[] = [];
  const { memory, pids, cpu, freezer } = roots.controllers;
  const unified = roots.unified === undefined ? undefined : paths.indexOf(roots.unified);

  const use = (root: CgroupRoot | undefined): CgroupRoot | undefined => {
    if (root?.version === 1) hierarchies.push(paths.indexOf(root.path));
    return root;
  };
  const set = (root: CgroupRoot, file: string, value: number | string): void => {
    settings.push({ hierarchy: paths.indexOf(root.path), file, value: String(value) });
  };
  const memoryRoot = limits.memoryBytes === null ? undefined : use(memory);
  const pidsRoot = limits.pids === null ? undefined : use(pids);
  const cpuRoot = limits.cpus === null ? undefined : use(cpu);
  const freezerRoot = use(freezer);

  // Swap would let memory grow past its limit.
  if (memoryRoot !== undefined && limits.memoryBytes !== null) {
    set(memoryRoot, memoryRoot.version === 1 ? 'memory.limit_in_bytes' : 'memory.max', limits.memoryBytes);
    if (hasMemsw) {
      if (memoryRoot.version === 1) set(memoryRoot, 'memory.memsw.limit_in_bytes', limits.memoryBytes);
      else set(memoryRoot, 'memory.swap.max', 0);
    }
  }
  // pid 1 is one of ours, not one of the command's.
  if (pidsRoot !== undefined && limits.pids !== null) set(pidsRoot, 'pids.max', limits.pids + 1);
  if (cpuRoot !== undefined && limits.cpus !== null) {
    const quota = Math.max(1_000, Math.round(limits.cpus * CPU_PERIOD_US));
    if (cpuRoot.version === 1) set(cpuRoot, 'cpu.cfs_quota_us', quota);
    else set(cpuRoot, 'cpu.max', `${quota} ${CPU_PERIOD_US}`);
  }
  return {
    hierarchies,
    unified,
    settings,
    reports: memoryRoot === undefined ? [] : [{ hierarchy: paths.indexOf(memoryRoot.path), file: oomFileName(memoryRoot.version) }],
    countersOf: (slot) => ({
      memory: memoryRoot === undefined ? undefined : { version: memoryRoot.version, path: `${memoryRoot.path}/${slot}` },
      pids: pidsRoot === undefined ? undefined : `${pidsRoot.path}/${slot}`,
      cpu: cpuRoot === undefined ? undefined : { version: cpuRoot.version, path: `${cpuRoot.path}/${slot}` },
      unified: roots.unified === undefined ? undefined : `${roots.unified}/${slot}`,
      freezer: freezerOf(
        roots.unified === undefined ? undefined : `${roots.unified}/${slot}`,
        freezerRoot === undefined ? undefined : `${freezerRoot.path}/${slot}`,
      ),
    }),
  };
}

function freezerOf(unified: string | undefined, v1: string | undefined): CgroupCounters['freezer'] {
  if (unified !== undefined) return { file: `${unified}/cgroup.freeze`, frozen: '1', thawed: '0', state: `${unified}/cgroup.events` };
  if (v1 !== undefined) return { file: `${v1}/freezer.state`, frozen: 'FROZEN', thawed: 'THAWED', state: `${v1}/freezer.state` };
  return undefined;
}

/**
 * Tells how often limits of the sandbox were hit so far. What the last command left is what the next one starts from, so each command costs one look. Also
 * memory is looked at every time: a child may be killed and its parent live on, and the next command may not be blamed for that.
 */
export function limitCounter(counters: CgroupCounters): ReadLimitCounts {
  let last: { readonly memory: number; readonly pids: number } = { memory: 0, pids: 0 };
  return (moment) => {
    if (moment === 'before') return last;
    const { memory, pids } = counters;
    last = {
      memory: memory === undefined ? 0 : (readField(oomFile(memory), 'oom_kill') ?? last.memory),
      pids: pids === undefined ? 0 : (readField(`${pids}/pids.events`, 'max') ?? last.pids),
    };
    return last;
  };
}

function oomFileName(version: 1 | 2): string {
  return version === 1 ? 'memory.oom_control' : 'memory.events';
}

function oomFile(memory: CgroupRoot): string {
  return `${memory.path}/${oomFileName(memory.version)}`;
}

export function readStats(counters: CgroupCounters): SandboxStats {
  const { memory, pids, cpu, unified } = counters;
  const cpuUs = unified === undefined ? undefined : readField(`${unified}/cpu.stat`, 'usage_usec');
  const throttled =
    cpu === undefined
      ? undefined
      : cpu.version === 1
        ? scaled(readField(`${cpu.path}/cpu.stat`, 'throttled_time'), 1e-6)
        : scaled(readField(`${cpu.path}/cpu.stat`, 'throttled_usec'), 1e-3);
  return {
    memoryBytes:
      memory === undefined ? undefined : readNumber(`${memory.path}/${memory.version === 1 ? 'memory.usage_in_bytes' : 'memory.current'}`),
    memoryBytesMax:
      memory === undefined ? undefined : readNumber(`${memory.path}/${memory.version === 1 ? 'memory.max_usage_in_bytes' : 'memory.peak'}`),
    cpuMs: scaled(cpuUs, 1e-3),
    pids: pids === undefined ? undefined : readNumber(`${pids}/pids.current`),
    oomKills: memory === undefined ? undefined : readField(oomFile(memory), 'oom_kill'),
    pidsDenied: pids === undefined ? undefined : readField(`${pids}/pids.events`, 'max'),
    cpuThrottledMs: throttled,
  };
}

function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // The sandbox has just gone, or this kernel has no such file.
  }
}

function readNumber(path: string): number | undefined {
  const value = Number.parseInt(readText(path) ?? '', 10);
  return Number.isNaN(value) ? undefined : value;
}

/** The number after `name ` in a file of such lines. */
function readField(path: string, name: string): number | undefined {
  for (const line of readText(path)?.split('\n') ?? []) {
    if (line.startsWith(name) && line[name.length] === ' ') return Number.parseInt(line.slice(name.length + 1), 10);
  }
  return undefined;
}
