/** What snapshots of the test kit do not look at: the inside of the launcher, memory, and what the kernel has not freed yet. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { collectGarbage } from '../harness/memory.ts';
import { findLauncherProcess } from '../harness/processes.ts';

export type Holdings = {
  /** Of the launcher, by number. */
  readonly descriptors: ReadonlyMap<string, string>;
  /** What is told, and not judged: others on the machine have a part in it. */
  readonly facts: Readonly<Record<string, number | undefined>>;
};

/** Reads what our launcher holds, and what there is of the machine. */
export function readHoldings(): Holdings {
  const launcher = findLauncherProcess();
  collectGarbage();
  return {
    descriptors: new Map(
      readdirSync(`/proc/${launcher}/fd`).map((name) => [name, maybe(() => readlinkSync(`/proc/${launcher}/fd/${name}`)) ?? '']),
    ),
    facts: {
      'launcher memory, KiB': field(`/proc/${launcher}/status`, /^VmRSS:\s+(\d+)/m),
      'heap of Node, KiB': Math.round(process.memoryUsage().heapUsed / 1_024),
      'memory of Node, KiB': Math.round(process.memoryUsage.rss() / 1_024),
      'slab of the machine, KiB': field('/proc/meminfo', /^Slab:\s+(\d+)/m),
      'percpu of the machine, KiB': field('/proc/meminfo', /^Percpu:\s+(\d+)/m),
      'network namespaces of the machine': field('/proc/slabinfo', /^net_namespace\s+(\d+)/m),
      'memory cgroups of the machine, the dying among them': field('/proc/cgroups', /^memory\s+\d+\s+(\d+)/m),
    },
  };
}

/** One line for each fact, before and after. */
export function compareHoldings(before: Holdings, after: Holdings): readonly string[] {
  return Object.entries(after.facts).map(([name, value]) => `${name}: ${before.facts[name] ?? 'unknown'} → ${value ?? 'unknown'}`);
}

/** Descriptors the launcher has more than before. Their numbers may differ: which is free changes. */
export function addedDescriptors(before: Holdings, after: Holdings): readonly string[] {
  if (after.descriptors.size <= before.descriptors.size) return [];
  const known = new Set(before.descriptors.values());
  const added = [...after.descriptors].filter(([, target]) => !known.has(target)).map(([name, target]) => `${name} ${target}`);
  return [`the launcher has ${after.descriptors.size} descriptors, it had ${before.descriptors.size}: ${added.join(', ')}`];
}

/** Those named after this process, and the directory all launchers share once nobody uses it. Other launchers on the machine are not our business. */
export function isOurCgroup(path: string): boolean {
  if (path.includes(`/warren/${process.pid}-`)) return true;
  if (!path.endsWith('/warren')) return false;
  return maybe(() => readdirSync(path, { withFileTypes: true }))?.every((entry) => !entry.isDirectory()) === true;
}

function field(path: string, pattern: RegExp): number | undefined {
  const value = pattern.exec(maybe(() => readFileSync(path, 'utf8')) ?? '')?.[1];
  return value === undefined ? undefined : Number(value);
}

function maybe<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined; // Gone meanwhile, or not for us to see.
  }
}
