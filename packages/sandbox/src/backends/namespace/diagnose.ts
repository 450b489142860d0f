/**
 * What stands between a command and this host, one line a wall: for `warren doctor`. What can be tried is tried, by starting a real sandbox and
 * looking from inside; what cannot (because the sandbox does not start) is read off the host, with the setting that is in the way and how to change it.
 */
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, readlinkSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fault, isFault } from '@warren/protocol';
import type { Capabilities, Sandbox } from '../../contract.ts';
import { Pace } from '../../layer/internal/pace.ts';
import { removeTree } from '../../layer/remove-tree.ts';
import { findLauncher, type OpenOptions, openSandboxes } from './open-sandboxes.ts';

export type WallReport = {
  readonly wall: string;
  /** `degraded`: it stands, but weaker than it could; what was asked for by name is refused rather than weakened. */
  readonly state: 'enforced' | 'degraded' | 'missing';
  readonly detail: string;
  readonly reason?: string;
  /** What to type or to change. */
  readonly fix?: string;
};

/** Checks every wall. Never throws for a wall that is missing: that is its answer. */
export async function diagnose(options: OpenOptions = {}): Promise<readonly WallReport[]> {
  const reports: WallReport[] = [kernelReport(), launcherReport(options)];
  const directory = mkdtempSync(join(tmpdir(), 'warren-doctor-'));
  try {
    for (const name of ['lower', 'layer', 'layer/upper', 'layer/work']) mkdirSync(join(directory, name));
    await using sandboxes = await openSandboxes(options);
    const spec = { workspace: { kind: 'overlay', directory: join(directory, 'lower'), layer: join(directory, 'layer') } } as const;
    await using sandbox = await sandboxes.start(spec);
    reports.push(...(await insideReports(sandbox)), ...capabilityReports(sandboxes.capabilities));
  } catch (error) {
    reports.push(startReport(error), ...hostReports());
  } finally {
    await removeTree(directory, new Pace());
  }
  return reports;
}

function kernelReport(): WallReport {
  const [major = 0, minor = 0] = release()
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  const detail = `Linux ${release()}`;
  // 5.14: limits of processes count per user namespace; idmapped mounts and overlay in a user namespace are older (5.12, 5.11).
  if (major > 5 || (major === 5 && minor >= 14)) return { wall: 'kernel', state: 'enforced', detail };
  return { wall: 'kernel', state: 'missing', detail, reason: 'Warren needs Linux 5.14 or newer', fix: 'install a newer kernel' };
}

function launcherReport(options: OpenOptions): WallReport {
  try {
    const path = options.launcher ?? findLauncher();
    accessSync(path, constants.X_OK);
    return { wall: 'launcher', state: 'enforced', detail: path };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { wall: 'launcher', state: 'missing', detail: 'warren-launcher', reason, fix: 'npm run setup' };
  }
}

/** What a command sees of its own walls. */
async function insideReports(sandbox: Sandbox): Promise<readonly WallReport[]> {
  const look = async (...argv: string[]): Promise<string> => new TextDecoder().decode((await sandbox.run(argv)).stdout);
  const status = new Map(
    (await look('cat', '/proc/self/status')).split('\n').map((line) => [line.split(':')[0], line.split(':')[1]?.trim()] as const),
  );
  const mounts = (await look('cat', '/proc/self/mountinfo')).trim().split('\n');
  const hostMounts = new Set(
    readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[0]),
  );
  const processes = (await look('sh', '-c', 'echo /proc/[0-9]*')).trim().split(' ').length;
  const interfaces = (await look('sh', '-c', 'cat /proc/net/dev')).trim().split('\n').slice(2);
  const hasWritten = (await sandbox.run(['sh', '-c', 'echo x > /workspace/doctor'])).exit;
  const uidMap = (await look('cat', '/proc/self/uid_map')).trim().replaceAll(/\s+/g, ' ');
  const own = namespaceChecks(await look('sh', '-c', 'for n in user mnt pid net ipc uts cgroup; do readlink /proc/self/ns/$n; done'));

  const verdict = (wall: string, stands: boolean, detail: string): WallReport => ({ wall, state: stands ? 'enforced' : 'missing', detail });
  return [
    verdict('user namespace', own.user && !uidMap.endsWith(' 4294967295'), `ids inside → outside: ${uidMap}`),
    verdict(
      'mount namespace',
      own.mnt && mounts.every((line) => !hostMounts.has(line.split(' ')[0])),
      `${mounts.length} mounts, none of the host's`,
    ),
    verdict('pid namespace', own.pid && processes < 10, `${processes} processes are to be seen`),
    verdict(
      'network namespace',
      own.net && interfaces.length === 1,
      `interfaces: ${interfaces.map((line) => line.split(':')[0]?.trim()).join(', ')}`,
    ),
    verdict('ipc namespace', own.ipc, 'own shared memory, semaphores and queues'),
    verdict('uts namespace', own.uts, 'own host name'),
    verdict('cgroup namespace', own.cgroup, 'own view of the cgroup tree'),
    verdict(
      'capabilities',
      ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].every((name) => /^0+$/.test(status.get(name) ?? 'x')),
      'none, and none can be regained',
    ),
    verdict('no new privileges', status.get('NoNewPrivs') === '1', 'set-user-id programs gain nothing'),
    verdict('seccomp', status.get('Seccomp') === '2', `filters: ${status.get('Seccomp_filters') ?? '?'}`),
    verdict(
      'nosuid',
      mounts.every((line) => line.split(' ')[5]?.includes('nosuid') === true || line.includes(' /dev/')),
      'every mount',
    ),
    verdict('overlay', hasWritten.kind === 'exited' && hasWritten.code === 0, 'changes to a workspace land in a layer'),
  ];
}

type NamespaceName = 'user' | 'mnt' | 'pid' | 'net' | 'ipc' | 'uts' | 'cgroup';

/** Whether each namespace is another than ours. */
function namespaceChecks(listing: string): Readonly<Record<NamespaceName, boolean>> {
  const inside = new Set(listing.trim().split('\n'));
  const names: readonly NamespaceName[] = ['user', 'mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup'];
  const isOther = (name: NamespaceName): boolean => inside.size === names.length && !inside.has(readNamespace(name));
  return Object.fromEntries(names.map((name) => [name, isOther(name)])) as Record<NamespaceName, boolean>; // Object.fromEntries forgets the keys.
}

function readNamespace(name: NamespaceName): string {
  return readlinkSync(`/proc/self/ns/${name}`); // "name:[inode]"
}

function capabilityReports(capabilities: Capabilities): readonly WallReport[] {
  const delegate = 'systemd-run --user --scope -p Delegate=yes warren …, or run as root';
  const limit = (wall: string, how: string, without: string): WallReport =>
    how === 'none' || how === 'rlimit'
      ? { wall, state: 'degraded', detail: how === 'none' ? 'not limited' : 'by rlimit', reason: without, fix: delegate }
      : { wall, state: 'enforced', detail: `by ${how}` };
  const noCgroup = 'no cgroup controller that this user may use';
  return [
    capabilities.users === 'range'
      ? { wall: 'ids', state: 'enforced', detail: 'each sandbox has a range of its own' }
      : {
          wall: 'ids',
          state: 'degraded',
          detail: 'one id inside, the caller outside',
          reason: 'not started by root',
          fix: 'run as root for a range of ids per sandbox',
        },
    limit('memory limit', capabilities.memory, noCgroup),
    limit('cpu limit', capabilities.cpus, noCgroup),
    limit('process limit', capabilities.pids, noCgroup),
    capabilities.killTree === 'cgroup'
      ? { wall: 'kill of a tree', state: 'enforced', detail: 'by cgroup' }
      : { wall: 'kill of a tree', state: 'degraded', detail: 'by subreaper', reason: 'no v2 cgroup that this user may use', fix: delegate },
    capabilities.landlock > 0
      ? { wall: 'landlock', state: 'enforced', detail: `ABI ${capabilities.landlock}` }
      : {
          wall: 'landlock',
          state: 'degraded',
          detail: 'absent',
          reason: 'the kernel has none, or it is not enabled',
          fix: 'boot with lsm=landlock,…',
        },
    capabilities.cgroupVersion === 'none'
      ? { wall: 'cgroups', state: 'degraded', detail: 'none', reason: 'none that this user may use', fix: delegate }
      : { wall: 'cgroups', state: 'enforced', detail: `version ${capabilities.cgroupVersion}` },
  ];
}

function startReport(error: unknown): WallReport {
  if (!isFault(error)) throw error; // A defect of ours is no diagnosis.
  const fix =
    error instanceof Fault && error.code === 'wall_unavailable' ? (error.details as { fix?: string } | undefined)?.fix : undefined;
  return {
    wall: 'sandbox',
    state: 'missing',
    detail: 'a sandbox does not start',
    reason: error.message,
    ...(fix === undefined ? {} : { fix }),
  };
}

/** Settings known to be in the way of a sandbox that does not start. */
function hostReports(): readonly WallReport[] {
  const reports: WallReport[] = [];
  const block = (wall: string, path: string, isBlocking: (value: string) => boolean, reason: string, fix: string): void => {
    const value = readSetting(path);
    if (value !== undefined && isBlocking(value)) reports.push({ wall, state: 'missing', detail: `${path} is ${value}`, reason, fix });
  };
  block(
    'user namespace',
    '/proc/sys/user/max_user_namespaces',
    (value) => value === '0',
    'user namespaces are switched off',
    'sysctl user.max_user_namespaces=15000',
  );
  block(
    'user namespace',
    '/proc/sys/kernel/unprivileged_userns_clone',
    (value) => value === '0',
    'only root may make user namespaces',
    'sysctl kernel.unprivileged_userns_clone=1',
  );
  block(
    'user namespace',
    '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
    (value) => value === '1',
    'AppArmor lets only named programs make user namespaces',
    'add an AppArmor profile for warren-launcher with "userns,", or: sysctl kernel.apparmor_restrict_unprivileged_userns=0',
  );
  block(
    'network namespace',
    '/proc/sys/user/max_net_namespaces',
    (value) => value === '0',
    'network namespaces are switched off',
    'sysctl user.max_net_namespaces=15000',
  );
  if (readSetting('/proc/filesystems')?.includes('overlay') !== true) {
    reports.push({
      wall: 'overlay',
      state: 'missing',
      detail: 'not in /proc/filesystems',
      reason: 'the kernel has no overlay filesystem loaded',
      fix: 'modprobe overlay',
    });
  }
  if (readSetting('/proc/sys/kernel/seccomp/actions_avail')?.includes('errno') !== true) {
    reports.push({
      wall: 'seccomp',
      state: 'missing',
      detail: 'not available',
      reason: 'the kernel is built without CONFIG_SECCOMP_FILTER',
      fix: 'install another kernel',
    });
  }
  return reports;
}

function readSetting(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined; // This kernel has no such setting.
  }
}
