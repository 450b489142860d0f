/** What the kernel does to a sandbox that wants more than its limits, and what the library says of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Exit } from '../../../packages/sandbox/src/contract.ts';
import { CGROUPS, children, isIdle, members, onlySandbox, read, readField, until } from './cgroup-tree.ts';
import { allocate, ending, MIB, open, openWithout, textOf } from './walls.ts';

export async function memory() {
  await using sandboxes = await open();
  await using sandbox = await sandboxes.start({ limits: { memoryBytes: 48 * MIB } });
  const cgroup = onlySandbox();
  const inShell = await sandbox.run(['sh', '-c', `${allocate(100).join(' ')}; echo $?`]);
  const alone = await sandbox.run(allocate(100));
  const modest = await sandbox.run(allocate(16));
  return {
    max: read(cgroup, 'memory.max'),
    swapMax: read(cgroup, 'memory.swap.max'),
    inShell: { ending: ending(inShell.exit), says: textOf(inShell), limitsHit: hit(inShell.exit) },
    alone: { ending: ending(alone.exit), limitsHit: hit(alone.exit) },
    modest: { ending: ending(modest.exit), limitsHit: hit(modest.exit) },
    oomKills: readField(cgroup, 'memory.events', 'oom_kill'),
    stats: await sandbox.stats(),
  };
}

/** Files in a tmpfs are memory of the sandbox too. */
export async function scratch() {
  await using sandboxes = await open();
  await using sandbox = await sandboxes.start({ limits: { memoryBytes: 48 * MIB, scratchBytes: 512 * MIB } });
  const filling = await sandbox.run(['dd', 'if=/dev/zero', 'of=/tmp/file', 'bs=1M', 'count=100']);
  return { ending: ending(filling.exit), stats: await sandbox.stats() };
}

export async function pids() {
  await using sandboxes = await open();
  await using sandbox = await sandboxes.start({ limits: { pids: 8 } });
  const cgroup = onlySandbox();
  const bomb = await sandbox.run(['sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 100 & done; wait']);
  await sandbox.run(['killall', 'sleep']);
  await until('the crowd has gone', () => isIdle(cgroup));
  const modest = await sandbox.run(['sh', '-c', 'sleep 0 & wait']);
  return {
    max: read(cgroup, 'pids.max'),
    bomb: { ending: ending(bomb.exit), says: textOf(bomb), limitsHit: hit(bomb.exit) },
    modest: ending(modest.exit),
    denied: readField(cgroup, 'pids.events', 'max'),
    stats: await sandbox.stats(),
  };
}

export async function cpu() {
  await using sandboxes = await open();
  await using sandbox = await sandboxes.start({ limits: { cpus: 0.25 } });
  const cgroup = onlySandbox();
  const busy = sandbox.exec(['sh', '-c', 'while :; do :; done']);
  await busy.pid;
  const [before, since] = [await sandbox.stats(), performance.now()];
  await sleep(1_500);
  const [after, elapsedMs] = [await sandbox.stats(), performance.now() - since];
  busy.kill('SIGKILL');
  await busy.exit;
  return {
    max: read(cgroup, 'cpu.max'),
    share: ((after.cpuMs ?? Number.NaN) - (before.cpuMs ?? Number.NaN)) / elapsedMs,
    throttled: readField(cgroup, 'cpu.stat', 'nr_throttled'),
    stats: after,
  };
}

/** The second sandbox of a kind is made from a spare, a process that has been in its cgroups for a while. */
export async function spares() {
  await using sandboxes = await open(2);
  const spec = { limits: { memoryBytes: 48 * MIB } };
  await using first = await sandboxes.start(spec);
  await first.run(['true']);
  const slots = (): readonly string[] => children(`${CGROUPS}/warren`).flatMap(children);
  const started = (): readonly string[] => slots().filter((slot) => members(slot).includes('warren-init'));
  await until('there are two spares', () => slots().length === 3);
  const ready = slots().filter((slot) => !started().includes(slot));
  await using second = await sandboxes.start(spec);
  const [cgroup = ''] = started().filter((slot) => ready.includes(slot));
  const greedy = ending((await second.run(allocate(100))).exit);
  return { wasSpare: cgroup !== '', max: read(cgroup, 'memory.max'), greedy, oomKills: (await second.stats()).oomKills };
}

/** The other half: without the wall, nothing stops what it stops. */
export async function withoutLimits() {
  await using sandboxes = await openWithout('cgroup_limits');
  await using sandbox = await sandboxes.start({ limits: { memoryBytes: 48 * MIB } });
  return { ending: ending((await sandbox.run(allocate(100))).exit) };
}

function hit(exit: Exit): readonly string[] {
  return exit.kind === 'not_started' ? [] : exit.limitsHit;
}
