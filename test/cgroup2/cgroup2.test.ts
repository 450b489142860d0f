/**
 * The cgroup v2 driver, on a machine where v2 is all there is. Few machines of developers are like that, and on one that is, a test could harm its
 * neighbours; so it is a virtual one: a kernel, this Node, the real launcher and the real library. `guest/` runs in there and tells what it saw; what
 * that should be stands here. `npm test -- test/cgroup2`; WARREN_CGROUP2_SHOW=1 shows the machine's console.
 */
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ROOT } from '../boundaries/read-tree.ts';
import type { Observations } from './guest/main.ts';
import { makeGuestImage } from './guest-image.ts';
import { type Prepared, prepare, Unavailable } from './prepare.ts';
import { type Report, readReports } from './reports.ts';
import { runMachine } from './virtual-machine.ts';

const MIB = 1_048_576;
const MACHINE_MS_MAX = 240_000;
/** Installing QEMU and downloading a kernel come on top the first time. */
const SETUP_MS_MAX = 240_000 + MACHINE_MS_MAX;

let reports: ReadonlyMap<string, Report> = new Map();
let missing: string | undefined;

beforeAll(async () => {
  const prepared = tryToPrepare();
  if (prepared !== undefined) reports = readReports(await boot(prepared));
}, SETUP_MS_MAX);

beforeEach(({ skip }) => {
  skip(missing !== undefined, missing);
});

/** What a case saw in the guest. Nothing it left behind there goes unnoticed. */
function observed<Name extends keyof Observations>(name: Name): Observations[Name] {
  const report = reports.get(name);
  if (report === undefined) throw new Error(`the guest has not reported ${name}`);
  if (report.error !== undefined) throw new Error(`in the guest: ${report.error}`);
  expect(report.leaks).toEqual([]);
  return report.value as Observations[Name]; // The guest is built from the same sources.
}

describe('the cgroups of this process', () => {
  it('are found with all controllers, which are made to reach the sandboxes', () => {
    const base = { version: 2, path: '/sys/fs/cgroup' };
    const { layout, capabilities, passedOn } = observed('layout');
    expect(layout).toEqual({ controllers: { memory: base, cpu: base, pids: base }, unified: base.path });
    expect(passedOn).toBe('cpu memory pids');
    const expected = { memory: 'cgroup', cpus: 'cgroup', pids: 'cgroup', pause: 'cgroup', killTree: 'cgroup', cgroupVersion: 2 };
    expect(capabilities).toMatchObject(expected);
  });

  it('are those of the slice for a service of root, whose own are left as they are', () => {
    const { layout, passedOn, greedy, modest } = observed('rootHosts').service;
    expect(layout.unified).toBe('/sys/fs/cgroup/system.slice');
    expect(passedOn).toEqual({ slice: 'cpu memory pids', service: '' });
    expect({ greedy, modest }).toEqual({ greedy: 'stopped by memory', modest: 'exited 0' });
  });

  it('are those of the slice for a scope of a user to whom it is delegated', () => {
    const { layout, capabilities, passedOn, greedy, modest } = observed('userHosts').scope;
    expect(layout.unified).toBe('/sys/fs/cgroup/app.slice');
    expect(passedOn).toEqual({ slice: 'cpu memory pids', scope: '' });
    expect(capabilities).toMatchObject({ users: 'single', memory: 'cgroup', cpus: 'cgroup', pids: 'cgroup' });
    expect({ greedy, modest }).toEqual({ greedy: 'stopped by memory', modest: 'exited 0' });
  });

  it('can pause and kill but not limit where they are delegated with processes in them, and a limit asked for is refused', () => {
    const { layout, capabilities, passedOn, greedy, modest } = observed('userHosts').service;
    expect(layout).toEqual({ controllers: {}, unified: '/sys/fs/cgroup/system.slice/warren.service' });
    expect(passedOn).toEqual({ service: '' });
    expect(capabilities).toMatchObject({ memory: 'none', cpus: 'none', pids: 'rlimit', pause: 'cgroup', killTree: 'cgroup' });
    expect({ greedy, modest }).toEqual({ greedy: 'limit_unavailable', modest: 'exited 0' });
  });

  it('can limit where they are delegated and the processes are in a subgroup', () => {
    const { layout, passedOn, greedy, modest } = observed('userHosts').subgroup;
    expect(layout.unified).toBe('/sys/fs/cgroup/system.slice/warren.service');
    expect(passedOn).toEqual({ service: 'cpu memory pids' });
    expect({ greedy, modest }).toEqual({ greedy: 'stopped by memory', modest: 'exited 0' });
  });

  it('are none for a user to whom nothing is delegated', () => {
    const { layout, capabilities, greedy, modest } = observed('userHosts').session;
    expect(layout).toEqual({ controllers: {} });
    expect(capabilities).toMatchObject({ memory: 'none', pids: 'rlimit', pause: 'signals', killTree: 'subreaper', cgroupVersion: 'none' });
    expect({ greedy, modest }).toEqual({ greedy: 'limit_unavailable', modest: 'exited 0' });
  });
});

describe('a limit', () => {
  it('of memory kills the command that exceeds it, says so, and spares the sandbox', () => {
    const { max, inShell, alone, modest, oomKills, stats } = observed('memory');
    expect(max).toBe(String(48 * MIB));
    expect(inShell).toEqual({ ending: 'exited 0', says: expect.stringContaining('137'), limitsHit: ['memory'] });
    expect(alone).toEqual({ ending: 'stopped by memory', limitsHit: ['memory'] });
    expect(modest).toEqual({ ending: 'exited 0', limitsHit: [] });
    expect(oomKills).toBe(2);
    expect(stats).toMatchObject({ oomKills: 2, pids: 1 });
    expect(stats.memoryBytesMax).toBeGreaterThan(32 * MIB);
    expect(stats.memoryBytesMax).toBeLessThanOrEqual(48 * MIB);
  });

  it('of memory leaves no way out into swap', () => {
    expect(observed('memory').swapMax).toBe('0');
  });

  it('of memory counts files in scratch places', () => {
    const { ending, stats } = observed('scratch');
    expect(ending).toBe('stopped by memory');
    expect(stats.memoryBytesMax).toBeLessThanOrEqual(48 * MIB);
  });

  it('of processes refuses the one too many, says so, and passes with the crowd', () => {
    const { max, bomb, modest, denied, stats } = observed('pids');
    expect(max).toBe('9'); // pid 1 is not the command's.
    expect(bomb).toEqual({ ending: 'exited 2', says: expect.stringContaining("can't fork"), limitsHit: ['pids'] });
    expect(modest).toBe('exited 0');
    expect(denied).toBeGreaterThan(0);
    expect(stats).toMatchObject({ pids: 1, pidsDenied: denied });
  });

  it('of processor time slows a busy command down to its share', () => {
    const { max, share, throttled, stats } = observed('cpu');
    expect(max).toBe('25000 100000');
    expect(share).toBeGreaterThan(0.1);
    expect(share).toBeLessThan(0.4);
    expect(throttled).toBeGreaterThan(5);
    expect(stats.cpuThrottledMs).toBeGreaterThan(500);
  });

  it('holds for a sandbox that was prepared before it was asked for', () => {
    expect(observed('spares')).toEqual({ wasSpare: true, max: String(48 * MIB), greedy: 'stopped by memory', oomKills: 1 });
  });

  it('is missed when it is left out', () => {
    expect(observed('withoutLimits').ending).toBe('exited 0');
  });
});

describe('the cgroup of a sandbox', () => {
  it('holds pid 1, and one group for each command', () => {
    const { above, init, running } = observed('groups');
    expect({ init, running }).toEqual({ init: ['warren-init'], running: { e1: ['sleep'], e2: ['sleep', 'sleep'] } });
    expect(above).toEqual([]); // No internal processes: those are to give controllers on.
  });

  it('belongs to the sandbox as far as groups are made in it, and its limits belong to the host', () => {
    const { theirs, ours, passedOn } = observed('groups');
    expect(theirs[0]).toBeGreaterThanOrEqual(0x7000_0000);
    expect(new Set(theirs).size).toBe(1);
    expect(new Set(ours)).toEqual(new Set([0]));
    expect(passedOn).toBe(''); // The groups of commands limit nothing themselves.
  });

  it('keeps the group of a command as long as something runs in it', () => {
    expect(observed('orphan').kept).toEqual([['sleep']]);
  });

  it('is the root of the tree as seen from inside, where the tree is mounted nowhere', () => {
    const { seen, seenWithoutTheWall } = observed('namespace');
    expect(seen).toEqual(['0::/', '0::/e1', '0 mounts']);
    expect(seenWithoutTheWall).toMatch(/^0::\/warren\/[^/]+\/1$/);
  });

  it('freezes and thaws', () => {
    const { frozen, thawed, ending } = observed('pause');
    expect(frozen).toEqual({ events: 1, from: frozen.to, to: frozen.to });
    expect(thawed.events).toBe(0);
    expect(ending).toBe('signalled SIGKILL');
  });

  it('can be ended while it is frozen', () => {
    const { ending, gone } = observed('destroyPaused');
    expect(ending).toBe('stopped by destroyed');
    expect(gone.reason).toBe('destroyed');
  });

  it('lets the whole tree of one command be killed, whatever sessions it made, and no other', () => {
    const { groups, ending, left, bystander } = observed('killTree');
    expect({ groups, ending }).toEqual({ groups: 2, ending: 'signalled SIGKILL' });
    expect(left).toEqual({ isBystanders: true, members: ['sleep'] });
    expect(bystander).toBe('signalled SIGTERM');
  });
});

describe('when a sandbox ends', () => {
  it('its counters are reported, and its cgroup is gone', () => {
    const { greedy, kind, value, reports: contents, left } = observed('report');
    expect({ greedy, kind, value }).toEqual({ greedy: 'signalled SIGKILL', kind: 'signalled', value: 9 });
    expect(contents).toEqual([expect.arrayContaining(['oom_kill 1'])]);
    expect(left).toEqual([]);
  });

  it('among many, nothing is left of any', () => {
    expect(observed('manyAtOnce')).toEqual({ cgroups: 8, endings: ['exited 0'], left: [] });
  });

  it('and its launcher with it, other launchers go on', () => {
    expect(observed('manyLaunchers')).toEqual({ endings: ['exited 0'] });
  });

  it('because its launcher was killed, the janitor removes what is left', () => {
    expect(observed('launcherKilled')).toEqual({ gone: 'lost', exit: 'sandbox_gone' });
  });

  it('that was made for one command, nothing is left either', () => {
    const { where, greedy, left } = observed('once');
    expect(where).toEqual({ code: 0, says: '0::/' });
    expect(greedy.code).toBe(137);
    expect(left).toEqual([]);
  });
});

function tryToPrepare(): Prepared | undefined {
  try {
    return prepare();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    missing = error.message;
    return undefined;
  }
}

async function boot({ kernel, busybox }: Prepared): Promise<string> {
  const initramfs = await makeGuestImage({ busybox, launcher: join(ROOT, 'build/warren-launcher') });
  const machine = { kernel, initramfs, memoryMib: 768, environment: { LIFE_S: String(MACHINE_MS_MAX / 1_000) } };
  const isShown = process.env['WARREN_CGROUP2_SHOW'] === '1';
  return await runMachine(machine, AbortSignal.timeout(MACHINE_MS_MAX), isShown ? (text) => process.stderr.write(text) : undefined);
}
