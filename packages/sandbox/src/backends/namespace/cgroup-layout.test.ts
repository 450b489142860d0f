import { describe, expect, it } from 'vitest';
import { readCgroupLayout } from './cgroup-layout.ts';
import { CgroupHost, HYBRID, unifiedGroup, V1, V2 } from './test-support/cgroup-hosts.ts';

const ROOT = '/sys/fs/cgroup';

describe('readCgroupLayout on a host with v1', () => {
  it('finds the cgroup of this process in each hierarchy, also where two share one and a name holds a colon', () => {
    const host = new CgroupHost(V1);
    expect(readCgroupLayout(host)).toEqual({
      controllers: {
        memory: { version: 1, path: `${ROOT}/memory/service/a:b` },
        cpu: { version: 1, path: `${ROOT}/cpu,cpuacct/service` },
        pids: { version: 1, path: `${ROOT}/pids` },
        freezer: { version: 1, path: `${ROOT}/freezer` },
      },
      unified: undefined,
    });
    expect(host.written).toEqual([]);
  });

  it('leaves out what it may not write to', () => {
    const host = new CgroupHost(V1, (path) => path.includes('memory') || path.includes('freezer'));
    expect(Object.keys(readCgroupLayout(host).controllers)).toEqual(['cpu', 'pids']);
    expect(readCgroupLayout(new CgroupHost(V1, () => true))).toEqual({ controllers: {}, unified: undefined });
  });
});

describe('readCgroupLayout on a hybrid host', () => {
  it('takes the controllers from v1 and the tree from v2', () => {
    const layout = readCgroupLayout(new CgroupHost(HYBRID));
    expect(Object.values(layout.controllers).map(({ version }) => version)).toEqual([1, 1, 1, 1]);
    expect(layout.unified).toBe(`${ROOT}/unified`);
  });

  it('takes from v2 what v1 does not have, and asks for it', () => {
    const files = { ...HYBRID, ...unifiedGroup(`${ROOT}/unified`, { controllers: 'cpu pids hugetlb', enabled: 'pids' }) };
    const host = new CgroupHost(files, (path) => /\/(cpu|pids)/.test(path));
    expect(readCgroupLayout(host).controllers).toEqual({
      memory: { version: 1, path: `${ROOT}/memory/service/a:b` },
      freezer: { version: 1, path: `${ROOT}/freezer` },
      cpu: { version: 2, path: `${ROOT}/unified` },
      pids: { version: 2, path: `${ROOT}/unified` },
    });
    expect(host.written).toEqual([`${ROOT}/unified/cgroup.subtree_control=+cpu`]);
  });
});

describe('readCgroupLayout on a host with v2 alone', () => {
  it('goes up to the nearest cgroup that may give memory to its children', () => {
    const host = new CgroupHost(V2);
    expect(readCgroupLayout(host)).toEqual({
      controllers: {
        memory: { version: 2, path: `${ROOT}/system.slice` },
        pids: { version: 2, path: `${ROOT}/system.slice` },
        cpu: { version: 2, path: `${ROOT}/system.slice` },
      },
      unified: `${ROOT}/system.slice`,
    });
    // Never its own cgroup, which holds processes: that one would become useless to all its children.
    expect(host.written).toEqual([`${ROOT}/system.slice/cgroup.subtree_control=+cpu`]);
  });

  it('stays in its own cgroup when a manager has delegated that and left it empty', () => {
    const own = `${ROOT}/user.slice/user@1000.service`;
    const host = new CgroupHost(
      {
        ...V2,
        '/proc/self/cgroup': '0::/user.slice/user@1000.service\n',
        ...unifiedGroup(own, { type: 'domain', controllers: 'cpu memory pids' }),
      },
      (path) => path !== own,
    );
    expect(readCgroupLayout(host).controllers.memory).toEqual({ version: 2, path: own });
    expect(host.written).toEqual(['cpu', 'memory', 'pids'].map((name) => `${own}/cgroup.subtree_control=+${name}`));
  });

  it('can freeze and kill, but not limit, where it may only use its own cgroup', () => {
    const own = `${ROOT}/system.slice/warren.service`;
    const host = new CgroupHost(V2, (path) => path !== own);
    expect(readCgroupLayout(host)).toEqual({ controllers: {}, unified: own });
    expect(host.written).toEqual([]);
  });

  it('passes by cgroups that take no sandbox', () => {
    for (const type of ['threaded', 'domain invalid', 'domain threaded']) {
      const files = { ...V2, ...unifiedGroup(`${ROOT}/system.slice`, { type, controllers: 'memory', enabled: 'memory' }) };
      const host = new CgroupHost({ ...files, ...unifiedGroup(`${ROOT}/system.slice/warren.service`, { type }) });
      expect(readCgroupLayout(host).unified).toBe(ROOT);
    }
  });

  it('uses nothing that is mounted read-only', () => {
    expect(readCgroupLayout(new CgroupHost(V2, () => true))).toEqual({ controllers: {}, unified: undefined });
  });
});

describe('readCgroupLayout in a container', () => {
  const mountinfo = (root: string, point: string): string => `31 23 0:28 ${root} ${point} ro,nosuid - cgroup2 cgroup2 rw\n`;

  it('counts from the cgroup that the mount begins with', () => {
    const files = { '/proc/self/mountinfo': mountinfo('/docker/4f1', ROOT), '/proc/self/cgroup': '0::/docker/4f1/inner\n' };
    const host = new CgroupHost({ ...files, ...unifiedGroup(`${ROOT}/inner`, { type: 'domain', enabled: 'memory' }) });
    expect(readCgroupLayout(host).unified).toBe(`${ROOT}/inner`);
    const outer = new CgroupHost({ ...files, '/proc/self/cgroup': '0::/docker/4f1\n', ...unifiedGroup(ROOT, { type: 'domain' }) });
    expect(readCgroupLayout(outer).unified).toBe(ROOT);
  });

  it('finds nothing when it is somewhere outside of what it sees', () => {
    for (const [root, own] of [
      ['/', '/../other'],
      ['/..', '/'],
      ['/../..', '/a'],
    ] as const) {
      const host = new CgroupHost({
        '/proc/self/mountinfo': mountinfo(root, ROOT),
        '/proc/self/cgroup': `0::${own}\n`,
        ...unifiedGroup(ROOT, { enabled: 'memory' }),
        ...unifiedGroup(`${ROOT}/../other`, { enabled: 'memory' }),
      });
      expect(readCgroupLayout(host)).toEqual({ controllers: {}, unified: undefined });
    }
  });

  it('reads escaped mount points', () => {
    const host = new CgroupHost({
      '/proc/self/mountinfo': mountinfo('/', '/a\\040b\\134c'),
      '/proc/self/cgroup': '0::/\n',
      ...unifiedGroup('/a b\\c', { enabled: 'memory' }),
    });
    expect(readCgroupLayout(host).unified).toBe('/a b\\c');
  });

  it('finds nothing where there is nothing', () => {
    expect(readCgroupLayout(new CgroupHost({ '/proc/self/mountinfo': '', '/proc/self/cgroup': '' }))).toEqual({
      controllers: {},
      unified: undefined,
    });
  });
});

describe('readCgroupLayout here', () => {
  it('agrees with the kernel of this machine', () => {
    const { controllers, unified } = readCgroupLayout();
    for (const base of Object.values(controllers)) expect(base.path).toMatch(/^\//);
    expect(unified === undefined || unified.startsWith('/')).toBe(true);
  });
});
