/**
 * Which attempts notice that a wall is gone. Walls stand behind each other, so often the first one hides the next: `alsoWithout` takes away those in
 * front. Without them the attempt is still refused, by the wall in question alone; without that one too it is answered otherwise.
 */
import { REMOVABLE_WALLS, type RemovableWall } from '@warren/sandbox/testing';
import { Arena, type Ground } from './arena.ts';
import { runAsUser } from './as-user.ts';
import { getAttempt } from './attempts.ts';
import { type Answers, runAttempts } from './run-attempts.ts';
import type { Setting } from './setting.ts';

export type WallTrial = {
  readonly wall: RemovableWall;
  readonly alsoWithout: readonly RemovableWall[];
  readonly setting: Extract<Setting, 'moderate' | 'unprivileged'>;
  /** By attempt: how the answer begins once the wall is gone too. */
  readonly changes: Readonly<Record<string, string>>;
};

type Changes = WallTrial['changes'];

export const WALL_TRIALS: readonly WallTrial[] = [
  trial('user', [], {
    'root-private-file': 'succeeded',
    'neighbour-user': 'succeeded',
  }),
  trial('user', ['read_only_proc'], { 'proc-core-pattern-as-root': 'succeeded', 'proc-irq': 'succeeded' }),
  // The host's /proc can be mounted only by the host's root.
  trial('pid', ['user'], {
    'proc-host-command-line': 'succeeded',
    'proc-host-process': 'succeeded',
    'process-pidfd-host': 'succeeded',
  }),
  trial('pid', ['user', 'seccomp'], { 'process-limits-of-host': 'succeeded' }),
  trial('pid', ['user', 'landlock'], { 'process-signal-host-as-root': 'succeeded' }),
  trial('net', [], {
    'network-host-loopback': 'succeeded',
    'network-host-loopback6': 'succeeded',
    'network-host-address': 'succeeded',
    'network-lease-name': 'succeeded',
  }),
  trial('net', ['landlock'], { 'network-abstract': 'succeeded', 'network-launcher': 'succeeded' }),
  trial('ipc', [], { 'ipc-shared-memory': 'succeeded', 'ipc-semaphore': 'succeeded', 'neighbour-memory': 'succeeded' }),
  trial('ipc', ['landlock'], { 'ipc-queue': 'succeeded' }),
  trial('uts', [], { 'kernel-read-host-name': 'succeeded' }),
  trial('cgroup', [], { 'proc-cgroup-path': 'succeeded' }),
  trial('seccomp', [], {
    'root-name-handle': 'succeeded',
    'process-trace-child': 'succeeded',
    'process-be-traced': 'succeeded',
    'namespace-unshare-user': 'succeeded',
    'namespace-clone-user': 'succeeded',
    'namespace-clone3-user': 'succeeded',
    'namespace-join-user': 'refused EINVAL',
    'setid-chmod': 'succeeded',
    'setid-fchmodat2': 'succeeded',
    'setid-create': 'succeeded',
    'setid-mknod': 'succeeded',
    'setid-directory': 'succeeded',
    'filter-is-there': 'succeeded',
    'filter-loosen': 'succeeded',
    'filter-continue': 'succeeded',
    'keys-session': 'succeeded',
    'keys-add': 'succeeded',
    'terminal-discipline': 'succeeded',
    'netlink-audit': 'succeeded',
    'netlink-netfilter': 'succeeded',
    'netlink-diag': 'succeeded',
    'netlink-uevent': 'succeeded',
    'network-packet': 'refused EPERM',
    'kernel-security-modules': 'succeeded',
    'kernel-personality': 'succeeded',
    'device-make-whiteout': 'refused EACCES',
  }),
  trial('no_new_privileges', ['capabilities'], {
    'filter-no-new-privileges': 'succeeded',
    'privilege-capabilities-by-exec': 'succeeded',
    'privilege-become-another': 'succeeded',
    'privilege-give-away': 'succeeded',
    'privilege-enter-home': 'succeeded',
    'privilege-change-network': 'succeeded',
    'privilege-file-capabilities': 'succeeded',
    'netlink-route': 'succeeded',
    'network-mark': 'succeeded',
  }),
  trial('no_new_privileges', ['user', 'capabilities', 'nosuid'], { 'root-setuid-program': 'succeeded' }),
  trial('capabilities', [], { 'privilege-bounding-set': 'succeeded' }),
  // Without no_new_privs neither Landlock nor the filter can be had without capabilities.
  trial('capabilities', ['no_new_privileges', 'landlock', 'seccomp'], {
    'privilege-capabilities-by-exec': 'succeeded',
    'privilege-become-another': 'succeeded',
    'privilege-give-away': 'succeeded',
    'mount-tmpfs': 'succeeded',
    'mount-remount': 'succeeded',
    'mount-cgroup': 'succeeded',
    'network-raw': 'succeeded',
    'kernel-host-name': 'succeeded',
  }),
  trial('landlock', [], { 'landlock-layers': 'succeeded' }),
  trial('landlock', ['net'], { 'network-abstract': 'succeeded', 'network-launcher': 'succeeded' }),
  trial('landlock', ['seccomp'], { 'device-make-whiteout': 'succeeded', 'mount-in-user-namespace': 'succeeded' }),
  trial('landlock', ['user', 'pid'], { 'process-signal-host-as-root': 'succeeded' }),
  trial('landlock', ['user', 'read_only_system'], { 'root-write-system': 'succeeded' }),
  trial('landlock', ['seccomp', 'capabilities', 'no_new_privileges'], {
    'mount-tmpfs': 'succeeded',
    'mount-bind': 'succeeded',
    'mount-cgroup': 'succeeded',
    'mount-overlay': 'succeeded',
    'mount-remount': 'succeeded',
    'mount-uncover': 'succeeded',
    'mount-fsopen': 'succeeded',
  }),
  // As root the change of ids has already closed the files of pid 1; where there is one id, nothing else does.
  trial(
    'undumpable',
    [],
    {
      'proc-init-environment': 'succeeded',
      'proc-init-descriptors': 'succeeded',
      'proc-init-binary': 'succeeded',
      'proc-init-root': 'succeeded',
      'proc-init-namespace': 'succeeded',
      'proc-init-owner': 'succeeded',
      'process-robust-list': 'succeeded',
      'files-magic-root': 'succeeded',
      'files-own-environment': 'succeeded',
    },
    'unprivileged',
  ),
  trial('pivot', [], { 'root-old-root': 'succeeded', 'root-old-root-file': 'succeeded' }),
  trial('close', [], { 'descriptors-of-init': 'succeeded' }),
  // What is left in a cgroup is killed by the janitor that the launcher leaves behind.
  trial('parent_death', ['cgroup_limits'], { 'ending-launcher': 'succeeded' }),
  trial('session', [], { 'process-session': 'succeeded' }),
  trial('nosuid', [], { 'mount-flags-nosuid': 'succeeded' }),
  trial('nosuid', ['user', 'no_new_privileges', 'capabilities'], { 'root-setuid-program': 'succeeded' }),
  trial('nodev', [], { 'mount-flags-nodev': 'succeeded' }),
  trial('read_only_system', ['user', 'landlock'], { 'root-write-system': 'succeeded' }),
  trial('masks', [], { 'proc-kallsyms': 'succeeded', 'proc-interrupts': 'succeeded' }),
  trial('read_only_proc', [], { 'proc-shmmax': 'succeeded', 'kernel-dirty-cow': 'refused unchanged', 'proc-uid-map': 'refused EPERM' }),
  trial('read_only_proc', ['user'], { 'proc-core-pattern-as-root': 'succeeded', 'proc-irq': 'succeeded' }),
  trial('cgroup_limits', [], {
    'limit-memory': 'succeeded',
    'limit-memory-file': 'succeeded',
    'limit-shared-memory': 'succeeded',
    'limit-scratch-memory': 'succeeded',
    'limit-share': 'succeeded',
  }),
  trial('rlimits', [], {
    'limit-descriptors': 'succeeded',
    'limit-file-size': 'succeeded',
    'limit-file-size-signal': 'succeeded',
    'limit-core': 'succeeded',
  }),
  trial('rlimits', ['cgroup_limits'], { 'limit-processes': 'succeeded', 'limit-threads': 'succeeded' }),
  trial('scratch_limits', [], {
    'limit-scratch': 'succeeded',
    'limit-home': 'succeeded',
    'limit-shm': 'succeeded',
    'limit-run': 'succeeded',
    'limit-inodes': 'succeeded',
    'limit-operations': 'succeeded',
  }),
];

export function trialsOf(wall: RemovableWall): readonly WallTrial[] {
  return WALL_TRIALS.filter((candidate) => candidate.wall === wall);
}

function trial(
  wall: RemovableWall,
  alsoWithout: readonly RemovableWall[],
  changes: Changes,
  setting: WallTrial['setting'] = 'moderate',
): WallTrial {
  return { wall, alsoWithout, changes, setting };
}

export type TrialResult = {
  /** With the walls in front gone, and this one standing. */
  readonly before: Answers;
  readonly after: Answers;
};

export async function runTrial(ground: Ground, { wall, alsoWithout, changes, setting }: WallTrial): Promise<TrialResult> {
  const ids = Object.keys(changes);
  // With nothing else gone, what they answer is in the table, and escape.test.ts has seen to it.
  const table = new Map(ids.map((id) => [id, getAttempt(id).answers[setting] ?? '']));
  return {
    before: alsoWithout.length === 0 ? table : await answersWithout(ground, ids, alsoWithout, setting),
    after: await answersWithout(ground, ids, [...alsoWithout, wall], setting),
  };
}

async function answersWithout(
  ground: Ground,
  ids: readonly string[],
  without: readonly RemovableWall[],
  setting: WallTrial['setting'],
): Promise<Answers> {
  if (setting === 'unprivileged') return await runAsUser(ids, without);
  // In the order of the list, so that what the table says does not depend on how a trial was written down.
  await using arena = await Arena.open(
    ground,
    REMOVABLE_WALLS.filter((wall) => without.includes(wall)),
  );
  return await runAttempts(arena, ids.map(getAttempt), 'moderate');
}
