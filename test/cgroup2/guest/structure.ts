/** Where processes are in the tree, whose the files are, and what a command sees of it. */
import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { readCgroupLayout } from '../../../packages/sandbox/src/backends/namespace/cgroup-layout.ts';
import { CGROUPS, countSleepers, isIdle, members, occupied, onlySandbox, read, until } from './cgroup-tree.ts';
import { open, openWithout, textOf } from './walls.ts';

export async function layout() {
  const found = readCgroupLayout();
  await using sandboxes = await open();
  return {
    layout: found,
    capabilities: sandboxes.capabilities,
    passedOn: read(CGROUPS, 'cgroup.subtree_control').split(' ').toSorted().join(' '),
  };
}

/** A group for each command, below the one of the sandbox, which holds pid 1 alone. */
export async function groups() {
  await using sandboxes = await open();
  await using sandbox = await sandboxes.start({});
  const cgroup = onlySandbox();
  const one = sandbox.exec(['sleep', '100']);
  await until('the first command runs', () => countSleepers(cgroup) === 1);
  const two = sandbox.exec(['sh', '-c', 'sleep 100 & sleep 100']);
  await until('both commands run', () => countSleepers(cgroup) === 3);
  const ownerOf = (file: string): number => statSync(`${cgroup}/${file}`).uid;
  const seen = {
    above: [`${CGROUPS}/warren`, dirname(cgroup)].flatMap(members),
    init: members(cgroup),
    running: Object.fromEntries(occupied(cgroup).map((group) => [basename(group), members(group)])),
    theirs: ['.', 'cgroup.procs', basename(occupied(cgroup)[0] ?? '')].map(ownerOf),
    ours: ['cgroup.subtree_control', 'cgroup.freeze', 'memory.max', 'memory.swap.max', 'pids.max', 'cpu.max'].map(ownerOf),
    passedOn: read(cgroup, 'cgroup.subtree_control'),
  };
  one.kill('SIGKILL');
  two.kill('SIGKILL', 'tree');
  await Promise.all([one.exit, two.exit]);
  await until('the groups are gone', () => isIdle(cgroup));
  return seen;
}

/** What a command leaves behind keeps its group, and no longer. */
export async function orphan() {
  await using sandboxes = await open();
  await using sandbox = await sandboxes.start({});
  const cgroup = onlySandbox();
  await sandbox.run(['sh', '-c', 'setsid sleep 100 >/dev/null 2>&1 &']);
  await until('the orphan runs', () => countSleepers(cgroup) === 1);
  await sandbox.run(['true']);
  const kept = occupied(cgroup).map(members);
  await sandbox.run(['killall', 'sleep']);
  await until('its group is gone', () => isIdle(cgroup));
  return { kept };
}

export async function namespace() {
  const look = ['sh', '-c', 'cat /proc/1/cgroup /proc/self/cgroup; echo $(grep -c " - cgroup" /proc/self/mountinfo) mounts'];
  await using sandboxes = await open();
  await using sandbox = await sandboxes.start({});
  const seen = textOf(await sandbox.run(look)).split('\n');
  await using weakened = await openWithout('cgroup');
  await using weak = await weakened.start({});
  return { seen, seenWithoutTheWall: textOf(await weak.run(['cat', '/proc/1/cgroup'])) };
}
