/** Which cgroups a sandbox gets, what is written into them, and where their counters are. Pure; the launcher makes and removes them. */
import { readFileSync } from 'node:fs';
import type { LimitName, ResolvedSpec, SandboxStats } from '../../contract.ts';
import type { CgroupLayout, Controller } from './cgroup-layout.ts';

/** One launcher's own directory in each hierarchy it uses. */
export type CgroupRoots = {
  readonly controllers: Readonly<Partial<Record<Controller, { readonly version: 1 | 2; readonly path: string }>>>;
  readonly unified: string | undefined;
};

export type CgroupPlan = {
  /** v1 directories; the v2 one apart, because the sandbox is cloned straight into it. */
  readonly directories: readonly string[];
  readonly unified: string | undefined;
  readonly settings: readonly { readonly file: string; readonly value: string }[];
  readonly counters: CgroupCounters;
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

export function planCgroups(roots: CgroupRoots, sandbox: number, limits: ResolvedSpec['limits'], hasMemsw: boolean): CgroupPlan {
  const directories: string[] = [];
  const settings: { file: string; value: string }[] = [];
  const { memory, pids, cpu, freezer } = roots.controllers;
  const unified = roots.unified === undefined ? undefined : `${roots.unified}/${sandbox}`;

  const directory = (
    root: { readonly version: 1 | 2; readonly path: string } | undefined,
  ): { version: 1 | 2; path: string } | undefined => {
    if (root === undefined) return undefined;
    const path = `${root.path}/${sandbox}`;
    if (root.version === 1) directories.push(path);
    return { version: root.version, path };
  };
  const memoryGroup = limits.memoryBytes === null ? undefined : directory(memory);
  const pidsGroup = limits.pids === null ? undefined : directory(pids);
  const cpuGroup = limits.cpus === null ? undefined : directory(cpu);
  const freezerGroup = directory(freezer);

  if (memoryGroup !== undefined) {
    const value = String(limits.memoryBytes);
    if (memoryGroup.version === 1) {
      settings.push({ file: `${memoryGroup.path}/memory.limit_in_bytes`, value });
      // Swap would let it grow past the limit.
      if (hasMemsw) settings.push({ file: `${memoryGroup.path}/memory.memsw.limit_in_bytes`, value });
    } else {
      settings.push({ file: `${memoryGroup.path}/memory.max`, value });
      if (hasMemsw) settings.push({ file: `${memoryGroup.path}/memory.swap.max`, value: '0' });
    }
  }
  // pid 1 is one of ours, not one of the command's.
  if (pidsGroup !== undefined) settings.push({ file: `${pidsGroup.path}/pids.max`, value: String((limits.pids ?? 0) + 1) });
  if (cpuGroup !== undefined) {
    const quota = String(Math.max(1_000, Math.round((limits.cpus ?? 0) * CPU_PERIOD_US)));
    if (cpuGroup.version === 1) settings.push({ file: `${cpuGroup.path}/cpu.cfs_quota_us`, value: quota });
    else settings.push({ file: `${cpuGroup.path}/cpu.max`, value: `${quota} ${CPU_PERIOD_US}` });
  }
  return {
    directories,
    unified,
    settings,
    counters: { memory: memoryGroup, pids: pidsGroup?.path, cpu: cpuGroup, unified, freezer: freezerOf(unified, freezerGroup?.path) },
  };
}

function freezerOf(unified: string | undefined, v1: string | undefined): CgroupCounters['freezer'] {
  if (unified !== undefined) return { file: `${unified}/cgroup.freeze`, frozen: '1', thawed: '0', state: `${unified}/cgroup.events` };
  if (v1 !== undefined) return { file: `${v1}/freezer.state`, frozen: 'FROZEN', thawed: 'THAWED', state: `${v1}/freezer.state` };
  return undefined;
}

/** How often limits of the sandbox were hit so far: OOM kills, refused forks. */
export function readLimitCounts(counters: CgroupCounters): Partial<Record<LimitName, number>> {
  const counts: Partial<Record<LimitName, number>> = {};
  if (counters.memory !== undefined) counts.memory = readField(oomFile(counters.memory), 'oom_kill') ?? 0;
  if (counters.pids !== undefined) counts.pids = readField(`${counters.pids}/pids.events`, 'max') ?? 0;
  return counts;
}

/** The file that counts OOM kills. Also reported by the launcher once the sandbox is gone. */
export function oomFile(memory: { readonly version: 1 | 2; readonly path: string }): string {
  return memory.version === 1 ? `${memory.path}/memory.oom_control` : `${memory.path}/memory.events`;
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
