/** Pausing, killing and ending, which v2 does for a whole group at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { children, members, onlySandbox, readField, until } from './cgroup-tree.ts';
import { ending, open } from './walls.ts';

const BUSY = ['sh', '-c', 'while :; do :; done'] as const;

export async function pause() {
  await using sandboxes = await open();
  await using sandbox = await sandboxes.start({});
  const cgroup = onlySandbox();
  const used = (): number => readField(cgroup, 'cpu.stat', 'usage_usec');
  const busy = sandbox.exec(BUSY);
  await busy.pid;
  await sandbox.pause();
  const frozen = { events: readField(cgroup, 'cgroup.events', 'frozen'), from: used(), to: 0 };
  await sleep(300);
  frozen.to = used();
  await sandbox.resume();
  const thawed = { events: readField(cgroup, 'cgroup.events', 'frozen') };
  await until('it goes on', () => used() > frozen.to);
  busy.kill('SIGKILL');
  return { frozen, thawed, ending: ending(await busy.exit) };
}

/** A frozen sandbox can be ended as it is. */
export async function destroyPaused() {
  await using sandboxes = await open();
  const sandbox = await sandboxes.start({});
  const busy = sandbox.exec(BUSY);
  await busy.pid;
  await sandbox.pause();
  const since = performance.now();
  await sandbox[Symbol.asyncDispose]();
  return { ending: ending(await busy.exit), gone: await sandbox.gone, elapsedMs: performance.now() - since };
}

/** No descendant of a command gets away, whatever sessions it makes; other commands do not notice. */
export async function killTree() {
  await using sandboxes = await open();
  await using sandbox = await sandboxes.start({});
  const cgroup = onlySandbox();
  const bystander = sandbox.exec(['sleep', '100']);
  await bystander.pid;
  const [group = ''] = children(cgroup);
  const tree = sandbox.exec([
    'sh',
    '-c',
    'setsid sh -c "trap : TERM; sleep 100 & setsid sleep 100 & wait" & (trap : TERM; sleep 100) & wait',
  ]);
  await until(
    'the tree has grown',
    () =>
      children(cgroup)
        .flatMap(members)
        .filter((name) => name === 'sleep').length === 4,
  );
  const before = children(cgroup).length;
  tree.kill('SIGKILL', 'tree');
  const exit = ending(await tree.exit);
  await until('the group of the tree is gone', () => children(cgroup).length === 1);
  const left = { isBystanders: children(cgroup)[0] === group, members: children(cgroup).flatMap(members) };
  bystander.kill('SIGTERM');
  return { groups: before, ending: exit, left, bystander: ending(await bystander.exit) };
}
