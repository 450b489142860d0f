/** Which wall a failed step of the launcher belongs to, and what to do about it. */
import type { ExplainFailure } from '../../guest/start-failure.ts';

const WALLS: Readonly<Record<string, string>> = {
  prepare: 'launcher',
  serve: 'launcher',
  janitor: 'launcher',
  spec: 'launcher',
  guest: 'launcher',
  descriptors: 'descriptors',
  identity: 'user namespace',
  namespaces: 'namespaces',
  idmap: 'id-mapped mounts',
  cgroup: 'cgroups',
  mount: 'file system',
  mask: 'file system',
  read_only: 'file system',
  root: 'file system',
  hostname: 'uts namespace',
  network: 'network namespace',
  limits: 'rlimits',
  capabilities: 'capabilities',
  privileges: 'no new privileges',
  landlock: 'landlock',
  seccomp: 'seccomp',
};

export const explainFailure: ExplainFailure = ({ stage, call, error }) => {
  const wall = Object.hasOwn(WALLS, stage) ? WALLS[stage] : undefined;
  return { wall: wall ?? stage, fix: fixFor(stage, call, error) };
};

function fixFor(stage: string, call: string, error: string): string {
  if (stage === 'namespaces' && (error === 'EPERM' || error === 'EACCES'))
    return 'allow user namespaces for this user; warren doctor names the setting';
  if (stage === 'namespaces' && error === 'ENOSPC') return 'sysctl user.max_user_namespaces=15000';
  if (stage === 'identity' && call === 'exec') return 'apt-get install uidmap, and a line for this user in /etc/subuid and /etc/subgid';
  if (stage === 'identity' && error === 'EUSERS') return 'end some sandboxes: all 4096 ranges of ids are in use';
  if (stage === 'idmap')
    return 'keep the directory on a file system that can map ids (ext4, xfs, btrfs, tmpfs), or run as its owner instead of root';
  if (stage === 'mount' && call === 'proc')
    return 'inside a container, give it an unmasked /proc (docker run --security-opt systempaths=unconfined)';
  if (stage === 'mount' && call === 'overlay')
    return 'keep the state directory on a file system that overlays can write to (ext4, xfs, btrfs, tmpfs): WARREN_STATE=…';
  if (error === 'ENOMEM' || error === 'EMFILE' || error === 'ENFILE')
    return 'end some sandboxes, or raise the limit of open files (ulimit -n)';
  return 'warren doctor';
}
