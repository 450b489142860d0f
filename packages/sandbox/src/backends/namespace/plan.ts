/**
 * From a resolved spec and the facts of this host to the flags that tell the launcher what to build (launcher/README.md). Pure: the same input
 * gives the same walls, and a test can read them. (Of the disk it asks only who owns the workspace and where credentials are.)
 */
import { realpathSync, statSync } from 'node:fs';
import type { ResolvedSpec } from '../../contract.ts';
import type { CgroupPlan } from './cgroup-plan.ts';
import type { HostFacts } from './host-facts.ts';
import { CREDENTIAL_PATHS, type Profile } from './profiles.ts';

/** Who commands run as inside. Not 0: nothing a command does needs the name of root. */
export const AGENT = { uid: 1_000, gid: 1_000 } as const;
export const AGENT_HOME = '/home/agent';
export const WORKSPACE = '/workspace';

/**
 * Ranges of ids for sandboxes started by root: 4,096 ranges of 65,536 from 0x70000000 up, above what distributions give to users, to containers of
 * systemd-nspawn (below 0x6fffffff) and below 2^31, where programs get the sign wrong (systemd's UIDS-GIDS document).
 */
const LEASE = ['--lease', String(0x7000_0000), '65536', '4096'] as const;

/** Walls a test may leave out to show that something notices. Never reachable from a spec. */
export const REMOVABLE_WALLS = [
  'user',
  'pid',
  'net',
  'ipc',
  'uts',
  'cgroup',
  'seccomp',
  'no_new_privileges',
  'capabilities',
  'landlock',
  'undumpable',
  'pivot',
  'close',
  'parent_death',
  'session',
  'nosuid',
  'nodev',
  'read_only_system',
  'masks',
  'read_only_proc',
  'cgroup_limits',
  'rlimits',
  'scratch_limits',
] as const;
export type RemovableWall = (typeof REMOVABLE_WALLS)[number];
const LAUNCHER_WALLS: ReadonlySet<RemovableWall> = new Set(REMOVABLE_WALLS.slice(0, 15));

export type PlanInput = {
  readonly spec: ResolvedSpec;
  readonly profile: Profile;
  readonly facts: HostFacts;
  readonly cgroups: CgroupPlan;
  readonly without?: ReadonlySet<RemovableWall> | undefined;
};

/**
 * The flags up to `--base-end` are the same for every sandbox of one profile and size: the launcher builds those ahead. What names a sandbox or its
 * caller's files comes after.
 */
export function planWalls(input: PlanInput): readonly string[] {
  const { without } = input;
  const removed = [...(without ?? [])].filter((wall) => LAUNCHER_WALLS.has(wall)).flatMap((wall) => ['--without', wall]);
  return [
    ...removed,
    '--hostname',
    input.spec.hostname,
    ...identityFlags(input),
    '--root',
    rootOptions(input),
    ...systemFlags(input),
    ...deviceFlags(),
    ...scratchFlags(input),
    ...procFlags(input),
    '--read-only-root',
    ...(without?.has('cgroup_limits') === true ? [] : cgroupFlags(input.cgroups)),
    ...(without?.has('rlimits') === true ? [] : rlimitFlags(input)),
    ...landlockFlags(),
    '--base-end',
    ...idmapFlags(input),
    ...homeFlags(input),
    ...workspaceFlags(input),
    ...mountFlags(input),
  ];
}

/** Whether commands may be other users inside than the agent. */
export function hasRange(facts: HostFacts): boolean {
  return facts.uid === 0 || facts.subordinate !== undefined;
}

function identityFlags({ facts }: PlanInput): readonly string[] {
  if (facts.uid === 0)
    return [...LEASE, '--uid-map', '0', '0', '65536', '--gid-map', '0', '0', '65536', '--init', '0', '0', '--switch-users'];
  if (facts.subordinate === undefined) {
    const { uid, gid } = AGENT;
    return ['--uid-map', `${uid}`, `${facts.uid}`, '1', '--gid-map', `${gid}`, `${facts.gid}`, '1', '--init', `${uid}`, `${gid}`];
  }
  // The agent is the caller, so that files of the workspace are the caller's on both sides; everybody else comes from the caller's range.
  const map = (flag: string, agent: number, caller: number, first: number): readonly string[] => [
    flag,
    '0',
    `${first}`,
    `${agent}`,
    flag,
    `${agent}`,
    `${caller}`,
    '1',
    flag,
    `${agent + 1}`,
    `${first + agent}`,
    `${65_535 - agent}`,
  ];
  const { uids, gids } = facts.subordinate;
  return [
    '--map-helper',
    ...map('--uid-map', AGENT.uid, facts.uid, uids.first),
    ...map('--gid-map', AGENT.gid, facts.gid, gids.first),
    '--init',
    '0',
    '0',
    '--switch-users',
  ];
}

/** As root: the owner of the workspace on disk is the agent inside, and what the agent makes belongs to that owner. */
function idmapFlags({ facts, spec, profile }: PlanInput): readonly string[] {
  if (facts.uid !== 0) return [];
  const source =
    spec.workspace?.directory ??
    spec.mounts.find((mount) => mount.writable || isInWorkspace(mount.target))?.source ??
    (profile.showsHome ? facts.home : undefined);
  if (source === undefined) return [];
  const owner = statSync(source);
  return ['--idmap', `${owner.uid}`, `${owner.gid}`, `${AGENT.uid}`, `${AGENT.gid}`];
}

/** Mounts of the host the child may not reach itself are opened by the launcher, which as root may. */
function outside(facts: HostFacts): string {
  return facts.uid === 0 ? ',outside' : '';
}

function idmapped(facts: HostFacts): string {
  return facts.uid === 0 ? ',idmap' : '';
}

function mountOptions({ without }: PlanInput, ...options: readonly string[]): string {
  return options.filter((option) => without?.has(option as RemovableWall) !== true).join(','); // nosuid and nodev are walls too; others never match.
}

function systemFlags(input: PlanInput): readonly string[] {
  const { facts, without, spec } = input;
  const readOnly = without?.has('read_only_system') === true ? [] : ['ro'];
  const options = mountOptions(input, ...readOnly, 'nosuid', 'nodev', 'recursive');
  const flags = ['--bind', '/usr', 'usr', options];
  for (const { name, link } of facts.rootEntries) {
    if (link === undefined) flags.push('--bind', `/${name}`, name, options);
    else flags.push('--symlink', link, name);
  }
  for (const { name, source } of facts.systemFiles) {
    flags.push('--bind', source, `etc/${name}`, mountOptions(input, ...readOnly, 'nosuid', 'nodev', 'noexec'));
  }
  return [
    ...flags,
    '--file',
    'etc/passwd',
    '644',
    PASSWD,
    '--file',
    'etc/group',
    '644',
    GROUP,
    '--file',
    'etc/hosts',
    '644',
    `127.0.0.1 localhost ${spec.hostname}\n::1 localhost\n`,
    '--file',
    'etc/hostname',
    '644',
    `${spec.hostname}\n`,
    '--file',
    'etc/nsswitch.conf',
    '644',
    'passwd: files\ngroup: files\nhosts: files dns\n',
    '--file',
    'etc/resolv.conf',
    '644',
    '# No network but loopback.\n',
    // The workspace may belong to "nobody" as seen from inside; git would refuse to work in it.
    '--file',
    'etc/gitconfig',
    '644',
    `[safe]\n\tdirectory = ${WORKSPACE}\n`,
  ];
}

const PASSWD = `root:x:0:0:root:/:/bin/sh\nagent:x:${AGENT.uid}:${AGENT.gid}:agent:${AGENT_HOME}:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n`;
const GROUP = `root:x:0:\nagent:x:${AGENT.gid}:\nnogroup:x:65534:\n`;

function deviceFlags(): readonly string[] {
  const flags: string[] = [];
  for (const name of ['null', 'zero', 'full', 'random', 'urandom', 'tty'])
    flags.push('--bind', `/dev/${name}`, `dev/${name}`, 'ro,nosuid,noexec'); // Read-only: its times and mode are the host's; writing to a device goes on.
  return [
    ...flags,
    '--devpts',
    'dev/pts',
    '--symlink',
    'pts/ptmx',
    'dev/ptmx',
    '--symlink',
    '/proc/self/fd',
    'dev/fd',
    '--symlink',
    '/proc/self/fd/0',
    'dev/stdin',
    '--symlink',
    '/proc/self/fd/1',
    'dev/stdout',
    '--symlink',
    '/proc/self/fd/2',
    'dev/stderr',
  ];
}

/** The root and all scratch places are one tmpfs: its size bounds them together. */
function rootOptions({ spec, without }: PlanInput): string {
  const bytes = without?.has('scratch_limits') === true ? null : spec.limits.scratchBytes;
  return bytes === null ? 'size=0,nr_inodes=0,mode=0755' : `size=${bytes},nr_inodes=${inodesFor(bytes)},mode=0755`;
}

function scratchFlags(input: PlanInput): readonly string[] {
  const executable = mountOptions(input, 'nosuid', 'nodev', ...(input.profile.isScratchExecutable ? [] : ['noexec']));
  const data = mountOptions(input, 'nosuid', 'nodev', 'noexec');
  const agent = [`${AGENT.uid}`, `${AGENT.gid}`];
  return [
    ...['--scratch', 'tmp', '1777', '0', '0', executable],
    ...['--scratch', AGENT_HOME.slice(1), '700', ...agent, executable],
    ...['--scratch', 'dev/shm', '1777', '0', '0', data],
    ...['--scratch', 'run', '755', ...agent, data],
    ...['--symlink', '/tmp', 'var/tmp'],
    ...['--symlink', '/run', 'var/run'],
  ];
}

/** A tmpfs file costs kernel memory of its own, so their number is bounded with their bytes: one for each 4 KiB, up to a million. */
function inodesFor(bytes: number): number {
  return Math.max(256, Math.min(1_048_576, Math.floor(bytes / 4_096)));
}

function procFlags({ profile, facts, without }: PlanInput): readonly string[] {
  // Read-only as a whole: nothing in it is a setting of the sandbox's.
  const access = without?.has('read_only_proc') === true ? '' : 'ro';
  if (profile.isProcMinimal) return ['--proc', 'proc', 'subset=pid', access];
  const masks = without?.has('masks') === true ? [] : facts.maskedProcFiles.flatMap((name) => ['--mask', `proc/${name}`]);
  return ['--proc', 'proc', '', access, ...masks];
}

function homeFlags(input: PlanInput): readonly string[] {
  const { facts, profile } = input;
  if (!profile.showsHome || facts.home === undefined) return [];
  const flags = ['--bind', facts.home, 'home/user', `ro,nosuid,nodev${idmapped(facts)}`];
  for (const path of credentialsIn(facts.home)) flags.push('--mask', `home/user/${path}`);
  return flags;
}

/** Where they really are: a link is masked by masking what it leads to, and leads nowhere when that is outside the home, which is all that is mounted. */
function credentialsIn(home: string): readonly string[] {
  const found = new Set<string>();
  for (const path of CREDENTIAL_PATHS) {
    try {
      const real = realpathSync(`${home}/${path}`);
      if (real.startsWith(`${home}/`)) found.add(real.slice(home.length + 1));
    } catch {
      // Not there, so nothing to hide.
    }
  }
  return [...found];
}

function workspaceFlags({ spec, facts }: PlanInput): readonly string[] {
  const { workspace } = spec;
  const target = WORKSPACE.slice(1);
  switch (workspace?.kind) {
    case undefined:
      return [];
    case 'overlay':
      return [
        '--overlay',
        target,
        workspace.directory,
        workspace.layer,
        `nosuid,nodev${idmapped(facts)}`,
        '--landlock',
        WORKSPACE,
        'write',
      ];
    case 'writable':
      return ['--bind', workspace.directory, target, `nosuid,nodev${idmapped(facts)}`, '--landlock', WORKSPACE, 'write'];
    case 'read_only':
      return ['--bind', workspace.directory, target, `ro,nosuid,nodev${idmapped(facts)}`];
  }
}

function mountFlags({ spec, facts }: PlanInput): readonly string[] {
  return spec.mounts.flatMap(({ source, target, writable }) =>
    writable
      ? ['--bind', source, target.slice(1), `nosuid,nodev${idmapped(facts)}`, '--landlock', target, 'write']
      : ['--bind', source, target.slice(1), `ro,nosuid,nodev${isInWorkspace(target) ? idmapped(facts) : outside(facts)}`],
  );
}

/** A part of the workspace: what is there belongs to the agent, also where it may only read. */
function isInWorkspace(target: string): boolean {
  return target.startsWith(`${WORKSPACE}/`);
}

function cgroupFlags(plan: CgroupPlan): readonly string[] {
  const flags: string[] = [];
  for (const hierarchy of plan.hierarchies) flags.push('--cgroup', `${hierarchy}`);
  if (plan.unified !== undefined) flags.push('--cgroup2', `${plan.unified}`);
  for (const { hierarchy, file, value } of plan.settings) flags.push('--cgroup-set', `${hierarchy}`, file, value);
  for (const { hierarchy, file } of plan.reports) flags.push('--cgroup-report', `${hierarchy}`, file);
  return flags;
}

function rlimitFlags({ spec }: PlanInput): readonly string[] {
  const { openFiles, fileBytes, pids } = spec.limits;
  const flags = ['--rlimit', 'core', '1', '1', '--rlimit', 'memlock', '67108864', '67108864', '--rlimit', 'msgqueue', '819200', '819200'];
  if (openFiles !== null) flags.push('--rlimit', 'nofile', `${Math.min(1_024, openFiles)}`, `${openFiles}`);
  if (fileBytes !== null) flags.push('--rlimit', 'fsize', `${fileBytes}`, `${fileBytes}`);
  // Counted per user namespace (since Linux 5.14), so it is the sandbox's own; behind the cgroup, and alone where there is none.
  if (pids !== null) flags.push('--rlimit', 'nproc', `${pids + 1}`, `${pids + 1}`);
  return flags;
}

function landlockFlags(): readonly string[] {
  const flags = ['--landlock', '/', 'read', '--landlock', '/dev', 'device', '--landlock', '/proc', 'device'];
  for (const path of ['/tmp', AGENT_HOME, '/dev/shm', '/run']) flags.push('--landlock', path, 'write');
  return flags;
}
