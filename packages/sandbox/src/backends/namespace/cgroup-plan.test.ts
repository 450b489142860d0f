import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import type { ResolvedSpec } from '../../contract.ts';
import { readCgroupLayout } from './cgroup-layout.ts';
import { limitCounter, planCgroups, readStats, rootPaths, rootsOf } from './cgroup-plan.ts';
import { PROFILES } from './profiles.ts';
import { CgroupHost, HYBRID, V1, V2 } from './test-support/cgroup-hosts.ts';

const MODERATE = PROFILES.moderate.limits;
const NONE = Object.fromEntries(Object.keys(MODERATE).map((name) => [name, null])) as ResolvedSpec['limits']; // The same keys.

const rootsOn = (files: Readonly<Record<string, string>>) => rootsOf(readCgroupLayout(new CgroupHost(files)), 'token');

describe('rootsOf', () => {
  it('gives each launcher a directory of its own in every hierarchy, named once', () => {
    expect(rootPaths(rootsOn(HYBRID))).toEqual([
      '/sys/fs/cgroup/memory/service/a:b/warren/token',
      '/sys/fs/cgroup/cpu,cpuacct/service/warren/token',
      '/sys/fs/cgroup/pids/warren/token',
      '/sys/fs/cgroup/unified/warren/token',
    ]);
    expect(rootPaths(rootsOn(V2))).toEqual(['/sys/fs/cgroup/system.slice/warren/token']);
  });

  it('takes the v1 freezer only where there is no v2 to freeze with', () => {
    expect(rootsOn(V1).controllers.freezer?.path).toBe('/sys/fs/cgroup/freezer/warren/token');
    expect(rootsOn(HYBRID).controllers.freezer).toBeUndefined();
  });
});

describe('planCgroups', () => {
  it('sets the limits on v1', () => {
    const { hierarchies, unified, settings, reports } = planCgroups(rootsOn(HYBRID), MODERATE, true);
    expect([hierarchies, unified]).toEqual([[0, 2, 1], 3]);
    expect(settings.map(({ hierarchy, file, value }) => `${hierarchy} ${file} ${value}`)).toEqual([
      '0 memory.limit_in_bytes 536870912',
      '0 memory.memsw.limit_in_bytes 536870912',
      '2 pids.max 513',
      '1 cpu.cfs_quota_us 100000',
    ]);
    expect(reports).toEqual([{ hierarchy: 0, file: 'memory.oom_control' }]);
  });

  it('sets the limits on v2, all in one cgroup', () => {
    const { hierarchies, unified, settings, reports } = planCgroups(rootsOn(V2), MODERATE, true);
    expect([hierarchies, unified]).toEqual([[], 0]);
    expect(settings.map(({ hierarchy, file, value }) => `${hierarchy} ${file} ${value}`)).toEqual([
      '0 memory.max 536870912',
      '0 memory.swap.max 0',
      '0 pids.max 513',
      '0 cpu.max 100000 100000',
    ]);
    expect(reports).toEqual([{ hierarchy: 0, file: 'memory.events' }]);
  });

  it('limits memory before memory with swap, which the kernel wants to be the larger one', () => {
    const files = planCgroups(rootsOn(V1), MODERATE, true).settings.map(({ file }) => file);
    expect(files.indexOf('memory.limit_in_bytes')).toBeLessThan(files.indexOf('memory.memsw.limit_in_bytes'));
  });

  it('says nothing of swap where the kernel does not count it', () => {
    for (const files of [V1, V2]) {
      const settings = planCgroups(rootsOn(files), MODERATE, false).settings.map(({ file }) => file);
      expect(settings.filter((file) => /memsw|swap/.test(file))).toEqual([]);
    }
  });

  it('makes no cgroup for a limit that is taken off', () => {
    const { hierarchies, settings, reports, countersOf } = planCgroups(rootsOn(HYBRID), NONE, true);
    expect([hierarchies, settings, reports]).toEqual([[], [], []]);
    expect(countersOf(1)).toMatchObject({ memory: undefined, pids: undefined, cpu: undefined });
    expect(planCgroups(rootsOn(V1), NONE, true).hierarchies).toHaveLength(1); // The freezer.
  });

  it('rounds a share of a processor to what the kernel takes', () => {
    const quota = (cpus: number): string | undefined => planCgroups(rootsOn(V1), { ...NONE, cpus }, false).settings[0]?.value;
    expect([0.01, 0.014, 0.5, 1.5, 4_096].map(quota)).toEqual(['1000', '1400', '50000', '150000', '409600000']);
  });

  it('is the same for every sandbox, but for where its counters are', () => {
    const plans = [1, 2].map((slot) => planCgroups(rootsOn(HYBRID), MODERATE, true).countersOf(slot));
    expect(plans[0]).toEqual({
      memory: { version: 1, path: '/sys/fs/cgroup/memory/service/a:b/warren/token/1' },
      pids: '/sys/fs/cgroup/pids/warren/token/1',
      cpu: { version: 1, path: '/sys/fs/cgroup/cpu,cpuacct/service/warren/token/1' },
      unified: '/sys/fs/cgroup/unified/warren/token/1',
      freezer: {
        file: '/sys/fs/cgroup/unified/warren/token/1/cgroup.freeze',
        frozen: '1',
        thawed: '0',
        state: '/sys/fs/cgroup/unified/warren/token/1/cgroup.events',
      },
    });
    expect(plans[1]?.pids).toBe('/sys/fs/cgroup/pids/warren/token/2');
    expect(planCgroups(rootsOn(V1), MODERATE, true).countersOf(7).freezer).toEqual({
      file: '/sys/fs/cgroup/freezer/warren/token/7/freezer.state',
      frozen: 'FROZEN',
      thawed: 'THAWED',
      state: '/sys/fs/cgroup/freezer/warren/token/7/freezer.state',
    });
  });
});

describe('counters', () => {
  const files = async (texts: Readonly<Record<string, string>>): Promise<TemporaryDirectory> => {
    const directory = await TemporaryDirectory.create();
    for (const [name, text] of Object.entries(texts)) {
      mkdirSync(dirname(directory.join(name)), { recursive: true });
      writeFileSync(directory.join(name), text);
    }
    return directory;
  };

  it('are read from v1', async () => {
    await using directory = await files({
      'memory/memory.usage_in_bytes': '4096\n',
      'memory/memory.max_usage_in_bytes': '8192\n',
      'memory/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 3\n',
      'pids/pids.current': '2\n',
      'pids/pids.events': 'max 5\n',
      'cpu/cpu.stat': 'nr_periods 9\nnr_throttled 4\nthrottled_time 1500000\n',
      'unified/cpu.stat': 'usage_usec 2500\nuser_usec 1\n',
    });
    const counters = {
      memory: { version: 1, path: directory.join('memory') },
      pids: directory.join('pids'),
      cpu: { version: 1, path: directory.join('cpu') },
      unified: directory.join('unified'),
      freezer: undefined,
    } as const;
    expect(readStats(counters)).toEqual({
      memoryBytes: 4_096,
      memoryBytesMax: 8_192,
      cpuMs: 2.5,
      pids: 2,
      oomKills: 3,
      pidsDenied: 5,
      cpuThrottledMs: 1.5,
    });
    expect(limitCounter(counters)('after', false)).toEqual({ memory: 3, pids: 5 });
  });

  it('are read from v2', async () => {
    await using directory = await files({
      'memory.current': '4096\n',
      'memory.peak': '8192\n',
      'memory.events': 'low 0\noom 9\noom_kill 2\noom_group_kill 7\n',
      'pids.current': '2\n',
      'pids.events': 'max 1\n',
      'cpu.stat': 'usage_usec 1000\nthrottled_usec 2000\n',
    });
    const group = { version: 2, path: directory.path } as const;
    const counters = { memory: group, pids: directory.path, cpu: group, unified: directory.path, freezer: undefined };
    expect(readStats(counters)).toMatchObject({ memoryBytesMax: 8_192, cpuMs: 1, oomKills: 2, cpuThrottledMs: 2 });
    expect(limitCounter(counters)('after', false)).toEqual({ memory: 2, pids: 1 });
  });

  it('of limits begin for a command where they ended for the last one', async () => {
    await using directory = await files({ 'memory.events': 'oom_kill 0\n', 'pids.events': 'max 0\n' });
    const memory = { version: 2, path: directory.path } as const;
    const read = limitCounter({ memory, pids: directory.path, cpu: undefined, unified: undefined, freezer: undefined });
    expect(read('before', false)).toEqual({ memory: 0, pids: 0 });
    writeFileSync(directory.join('memory.events'), 'oom_kill 1\n');
    expect(read('after', false)).toEqual({ memory: 1, pids: 0 }); // A child was killed, not the command.
    expect(read('before', false)).toEqual({ memory: 1, pids: 0 }); // And that is not the next one's fault.
    writeFileSync(directory.join('pids.events'), 'max 4\n');
    expect(read('after', true)).toEqual({ memory: 1, pids: 4 });
  });

  it('are unknown, not wrong, where there is no such file', () => {
    const gone = { version: 1, path: '/proc/none' } as const;
    const counters = { memory: gone, pids: '/proc/none', cpu: gone, unified: '/proc/none', freezer: undefined };
    expect(Object.values(readStats(counters)).every((value) => value === undefined)).toBe(true);
    expect(limitCounter(counters)('after', true)).toEqual({ memory: 0, pids: 0 });
  });
});
