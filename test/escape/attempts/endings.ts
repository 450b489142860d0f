/** Outliving a command, a sandbox or the launcher; killing what must live; and other sandboxes. */
import { isFault } from '@warren/protocol';
import type { Sandbox, SandboxSpec } from '@warren/sandbox';
import { openTestSandboxes } from '@warren/sandbox/testing';
import { type Arena, ATTACK, endOf } from '../arena.ts';
import { host, type Theme } from '../attempt.ts';
import { childrenOf, descriptorsOf, isAlive, launchersOf, processesIn, standStill, userOf } from '../host-processes.ts';

const FORK_BOMB = 'bomb() { bomb | bomb & }; bomb & exec sleep 1000';
/** A race that is lost now and then shows in a few tries. */
const REAPER_TRIES = 4;

export const ENDINGS: Theme = {
  name: 'endings and neighbours',
  attempts: [
    host('ending-daemon', 'outlive the command by forking twice into a session of its own', ['tree_kill'], 'refused none left', (arena) =>
      outlive(arena, 'setsid sh -c "sleep 1000 & sleep 1000" & sleep 1000'),
    ),
    host('ending-ignored-signal', 'outlive the deadline by ignoring signals', ['deadline', 'tree_kill'], 'refused none left', (arena) =>
      outlive(arena, "trap '' TERM INT HUP; while :; do sleep 1; done"),
    ),
    host('ending-stopped', 'outlive the deadline by being stopped', ['deadline', 'tree_kill'], 'refused none left', (arena) =>
      outlive(arena, 'sleep 1000 & kill -STOP $!; kill -STOP $$'),
    ),
    host(
      'ending-fork-bomb',
      'outlive the command by forking faster than it can be killed',
      ['tree_kill', 'cgroup_limits'],
      'refused none left',
      (arena) => outlive(arena, FORK_BOMB, { limits: { pids: 64 } }),
    ),
    host(
      'ending-fork-bomb-reaper',
      'the same where no cgroup holds the command together',
      ['tree_kill', 'rlimits'],
      'refused none left',
      (arena) => outliveReaper(arena, FORK_BOMB, { limits: { pids: 64 } }),
      { needsRoot: true },
    ),
    host(
      'ending-keeper-reaper',
      'as root inside, kill the process that stands in for the cgroup',
      ['tree_kill'],
      'refused sandbox ended',
      (arena) => outliveReaper(arena, 'kill -9 $PPID; setsid sleep 1000 & sleep 1000', {}, true),
      { needsRoot: true },
    ),
    host(
      'ending-keeper',
      'as root inside, kill the process that holds the command',
      ['tree_kill'],
      'refused none left',
      (arena) => outlive(arena, 'kill -9 $PPID; setsid sleep 1000 & sleep 1000', {}, true),
      { unprivileged: 'refused sandbox ended' },
    ),
    host('ending-kill-init', 'as root inside, kill pid 1', ['pid_1'], 'refused ignored', async (arena) => {
      await using sandbox = await arena.start();
      const sent = (await arena.attack(sandbox, ['process-kill-init'], { user: 'root' })).get('process-kill-init') ?? '';
      if (!sent.startsWith('succeeded')) return sent;
      const { exit } = await arena.run(sandbox, ['/bin/true']);
      return exit.kind === 'exited' && exit.code === 0 ? 'refused ignored' : `succeeded ${endOf(exit)}`;
    }),
    host('ending-sandbox', 'outlive the sandbox', ['pid', 'tree_kill'], 'refused none left', async (arena) => {
      const sandbox = await arena.start();
      const namespace = await arena.script(sandbox, 'readlink /proc/self/ns/pid');
      await arena.script(sandbox, '(trap "" TERM; setsid sleep 1000 >/dev/null 2>&1 </dev/null &)');
      const before = processesIn(namespace).length;
      await sandbox[Symbol.asyncDispose]();
      const left = processesIn(namespace).filter(isAlive);
      return before === 0 ? `inconclusive ${before} processes` : left.length === 0 ? 'refused none left' : `succeeded ${left.length} left`;
    }),
    host('ending-launcher', 'outlive the launcher', ['parent_death', 'cgroup_limits'], 'refused none left', outliveLauncher, {
      needsRoot: true,
    }),
    host(
      'descriptors-of-init',
      'let pid 1 keep descriptors of the launcher',
      ['close'],
      'absent',
      async (arena) => {
        await using other = await arena.start();
        await using sandbox = await arena.start();
        const init = await arena.initOf(sandbox);
        if (init === undefined || other.id === '') return 'inconclusive no pid 1';
        return strangersAmong(descriptorsOf(init));
      },
      { needsRoot: true },
    ),
    host('neighbour-process', 'find a process of another sandbox', ['pid'], 'absent', (arena) =>
      besides(arena, async (one, other) => {
        await arena.script(one, 'sleep 7654.25 >/dev/null 2>&1 </dev/null &');
        return (await arena.script(other, 'cat /proc/[0-9]*/cmdline | tr "\\0" " "')).includes('7654.25') ? 'succeeded found' : 'absent';
      }),
    ),
    host('neighbour-files', 'find a file of another sandbox', ['minimal_root'], 'absent', (arena) =>
      besides(arena, async (one, other) => {
        await arena.script(one, 'for d in /tmp /dev/shm /run "$HOME"; do echo x > $d/neighbour; done');
        const found = await arena.script(other, 'ls /tmp/neighbour /dev/shm/neighbour /run/neighbour "$HOME/neighbour" 2>/dev/null');
        return found === '' ? 'absent' : `succeeded ${found}`;
      }),
    ),
    host('neighbour-memory', 'find shared memory of another sandbox', ['ipc'], 'absent', (arena) =>
      besides(arena, async (one, other) => {
        const holder = one.exec([ATTACK, '--canary', '4242', '/neighbour'], { stdin: 'pipe' });
        for await (const _ready of holder.stdout) break;
        const found = await arena.attack(other, ['ipc-shared-memory', 'ipc-queue'], {
          env: { CANARY_IPC_KEY: '4242', CANARY_QUEUE: '/neighbour' },
        });
        holder.kill('SIGKILL', 'tree');
        await holder.exit;
        return [...found.values()].find((answer) => answer !== 'absent') ?? 'absent';
      }),
    ),
    host(
      'neighbour-user',
      'be the same user of the host as another sandbox',
      ['user'],
      'refused another user',
      (arena) =>
        besides(arena, async (one, other) => {
          const users = await Promise.all([one, other].map((sandbox) => hostUserOf(arena, sandbox)));
          if (users.includes(undefined)) return 'inconclusive no process found';
          return users[0] === users[1] || users.includes(0) || users.includes(1_000)
            ? `succeeded ${users.join(' ')}`
            : 'refused another user';
        }),
      { needsRoot: true },
    ),
  ],
};

/** Runs a script against a deadline and counts what is left of it inside. */
async function outlive(arena: Arena, script: string, spec: SandboxSpec = {}, isInit = false): Promise<string> {
  await using sandbox = await arena.start(spec);
  return await outliveIn(arena, sandbox, script, isInit);
}

/** As on a host without the v2 hierarchy of cgroups, where a process of the launcher's takes its place. */
async function outliveReaper(arena: Arena, script: string, spec: SandboxSpec, isInit = false): Promise<string> {
  await using sandboxes = await openTestSandboxes({ cgroups: 'v1', without: arena.without });
  for (let tries = 0; tries < REAPER_TRIES; tries++) {
    await using sandbox = await sandboxes.start(spec);
    const answer = await outliveIn(arena, sandbox, script, isInit);
    if (!answer.startsWith('refused none') || tries === REAPER_TRIES - 1) return answer;
  }
  return 'inconclusive';
}

async function outliveIn(arena: Arena, sandbox: Sandbox, script: string, isInit: boolean): Promise<string> {
  const options = { timeoutMs: 150, killGraceMs: 50, ...(isInit ? { ...arena.asInit, cwd: '/' } : {}) };
  try {
    const { exit } = await arena.run(sandbox, ['/bin/sh', '-c', script], options);
    if (exit.kind !== 'stopped' || exit.by !== 'deadline') return `inconclusive ${endOf(exit)}`;
    // Who has been killed may still have to be reaped.
    for (let looks = 0; ; looks++) {
      const left = await commandsIn(arena, sandbox);
      if (left.length === 0) return 'refused none left';
      if (looks === 20) return `succeeded ${[...new Set(left)].join(' ')}`;
    }
  } catch (error) {
    if (isFault(error, 'sandbox_gone')) return 'refused sandbox ended';
    throw error;
  }
}

/** Names of processes besides pid 1 and the one that looks. */
async function commandsIn(arena: Arena, sandbox: Sandbox): Promise<readonly string[]> {
  const lines = await arena.script(
    sandbox,
    'for p in /proc/[0-9]*; do read -r n < $p/comm && echo "$(basename $p) $$ $n"; done 2>/dev/null',
  );
  return lines.split('\n').flatMap((line) => {
    const [pid, self, name = ''] = line.split(' ');
    return pid === '1' || pid === self || name.startsWith('warren-') ? [] : [name];
  });
}

/** Stands still after the kill, so that it is the kernel that ends the sandbox and not this library. */
async function outliveLauncher(arena: Arena): Promise<string> {
  await using other = await arena.again();
  const sandbox = await other.start();
  const init = await other.initOf(sandbox);
  const launcher = launchersOf(process.pid).find((pid) => init !== undefined && childrenOf(pid).includes(init));
  if (init === undefined || launcher === undefined) return 'inconclusive no launcher found';
  process.kill(launcher, 'SIGKILL');
  let hasOutlived = true;
  for (let waited = 0; waited < 800 && hasOutlived; waited += 10) {
    standStill(10);
    hasOutlived = isAlive(init);
  }
  if (hasOutlived) process.kill(init, 'SIGKILL');
  await sandbox.gone;
  return hasOutlived ? 'succeeded outlived' : 'refused none left';
}

/** Pid 1 needs its connection, its cgroup, the standard streams, an epoll and a signal descriptor; nothing else. */
function strangersAmong(descriptors: readonly string[]): string {
  const sockets = descriptors.filter((target) => target.startsWith('socket:'));
  const strangers = descriptors.filter(
    (target) =>
      target !== '/dev/null' &&
      !target.startsWith('socket:') &&
      !/^anon_inode:\[(eventpoll|signalfd)\]$/.test(target) &&
      !target.includes('/warren/'),
  );
  if (sockets.length > 1) strangers.push(`${sockets.length} sockets`);
  return strangers.length === 0 ? 'absent' : `succeeded ${strangers.join(' ')}`;
}

async function besides(arena: Arena, make: (one: Sandbox, other: Sandbox) => Promise<string>): Promise<string> {
  await using one = await arena.start();
  await using other = await arena.start();
  return await make(one, other);
}

async function hostUserOf(arena: Arena, sandbox: Sandbox): Promise<number | undefined> {
  const namespace = await arena.script(sandbox, 'readlink /proc/self/ns/pid');
  await arena.script(sandbox, 'sleep 1000 >/dev/null 2>&1 </dev/null &');
  const init = await arena.initOf(sandbox);
  const sleeper = processesIn(namespace).find((pid) => pid !== init);
  return sleeper === undefined ? undefined : userOf(sleeper);
}
