/** Where processes are in the tree, whose the files are, and what a command sees of it. */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { readCgroupLayout } from '../../../packages/sandbox/src/backends/namespace/cgroup-layout.ts';
import { CGROUPS, children, members, onlySandbox, read, until } from './cgroup-tree.ts';
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
  const two = sandbox.exec(['sh', '-c', 'sleep 100 & sleep 100']);
  await Promise.all([one.pid, two.pid]);
  await until(
    'both commands run',
    () =>
      children(cgroup)
        .flatMap(members)
        .filter((name) => name === 'sleep').length === 3,
  );
  const running = Object.fromEntries(children(cgroup).map((group) => [basename(group), members(group)]));
  const path = children(cgroup)[0] ?? '';
  const above = children(`${CGROUPS}/warren`).flatMap((token) => [...members(token), ...members(`${CGROUPS}/warren`)]);
  const result = {
    init: members(cgroup),
    running,
    above,
    owners: Object.fromEntries(
      ['.', 'cgroup.procs', 'cgroup.subtree_control', 'memory.max', 'pids.max', 'cpu.max', 'cgroup.freeze'].map((file) => [
        file,
        statSync(`${cgroup}/${file}`).uid,
      ]),
    ),
    groupOwner: statSync(path).uid,
    passedOn: read(cgroup, 'cgroup.subtree_control'),
  };
  one.kill('SIGKILL');
  two.kill('SIGKILL', 'tree');
  await Promise.all([one.exit, two.exit]);
  await until('the groups are gone', () => children(cgroup).length === 0);
  return result;
}

/** What a command leaves behind keeps its group, and no longer. */
export async function orphan() {
  await using sandboxes = await open();
  await using sandbox = await sandboxes.start({});
  const cgroup = onlySandbox();
  await sandbox.run(['sh', '-c', 'setsid sleep 1 >/dev/null 2>&1 &']);
  await until('the orphan runs', () => children(cgroup).flatMap(members).includes('sleep'));
  const kept = children(cgroup).map(members);
  await until('the orphan has ended and its group is gone', () => children(cgroup).length === 0);
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
