/** Pausing, killing and ending, which v2 does for a whole group at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { countSleepers, members, occupied, onlySandbox, readField, until } from './cgroup-tree.ts';
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
  await until('the bystander runs', () => countSleepers(cgroup) === 1);
  const [group] = occupied(cgroup);
  const script = 'setsid sh -c "trap : TERM; sleep 100 & setsid sleep 100 & wait" & (trap : TERM; sleep 100) & wait';
  const tree = sandbox.exec(['sh', '-c', script]);
  await until('the tree has grown', () => countSleepers(cgroup) === 4);
  const groups = occupied(cgroup).length;
  tree.kill('SIGKILL', 'tree');
  const exit = ending(await tree.exit);
  await until('nothing is left of the tree', () => occupied(cgroup).length === 1);
  const left = { isBystanders: occupied(cgroup)[0] === group, members: occupied(cgroup).flatMap(members) };
  bystander.kill('SIGTERM');
  return { groups, ending: exit, left, bystander: ending(await bystander.exit) };
}
