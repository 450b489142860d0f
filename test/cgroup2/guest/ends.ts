/** How sandboxes end, and that nothing is left whoever dies first. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { readCgroupLayout } from '../../../packages/sandbox/src/backends/namespace/cgroup-layout.ts';
import { type CgroupRoots, planCgroups, rootPaths, rootsOf } from '../../../packages/sandbox/src/backends/namespace/cgroup-plan.ts';
import { capabilitiesOf, readHostFacts } from '../../../packages/sandbox/src/backends/namespace/host-facts.ts';
import { LauncherProcess } from '../../../packages/sandbox/src/backends/namespace/launcher-process.ts';
import { planWalls } from '../../../packages/sandbox/src/backends/namespace/plan.ts';
import { resolveSpec } from '../../../packages/sandbox/src/backends/namespace/resolve-spec.ts';
import type { SandboxSpec } from '../../../packages/sandbox/src/contract.ts';
import { Guest } from '../../../packages/sandbox/src/guest/guest.ts';
import { compileFilter } from '../../../packages/sandbox/src/seccomp/index.ts';
import { CGROUPS, children, until } from './cgroup-tree.ts';
import { allocate, ending, LAUNCHER, MIB, open } from './walls.ts';

/** What the launcher reports of a sandbox that is gone: its counters outlive its cgroup. */
export async function report() {
  const layout = readCgroupLayout();
  const roots = rootsOf(layout, `report-${randomBytes(4).toString('hex')}`);
  await using launcher = new LauncherProcess({ path: LAUNCHER, flags: rootPaths(roots).flatMap((root) => ['--cgroup-root', root]) });
  const { landlock } = await launcher.hello;
  const { flags, filter, limits } = plan({ limits: { memoryBytes: 48 * MIB } }, landlock, roots);
  const { client, gone, destroy } = await launcher.launch(1, flags, filter);
  const guest = new Guest(client, {
    cwd: '/tmp',
    env: { PATH: '/usr/bin' },
    user: { uid: 1_000, gid: 1_000 },
    limits,
    readLimitCounts: () => ({}),
  });
  const greedy = ending((await guest.run(allocate(100))).exit);
  destroy();
  const message = await gone;
  return { greedy, ...message, reports: message?.reports.map((text) => text.trim().split('\n')), left: children(roots.unified ?? '') };
}

/** `warren-launcher run`: one command, no library. */
export async function once() {
  const root = `${CGROUPS}/once`;
  mkdirSync(root);
  writeFileSync(`${root}/cgroup.subtree_control`, '+memory +pids +cpu');
  const controller = { version: 2, path: root } as const;
  const roots = { controllers: { memory: controller, pids: controller, cpu: controller }, unified: root };
  try {
    const { flags, filter } = plan({ limits: { memoryBytes: 48 * MIB } }, 0, roots);
    writeFileSync('/tmp/spec', `${flags.join('\0')}\0`);
    writeFileSync('/tmp/filter', filter);
    const where = await runOnce(root, ['cat', '/proc/self/cgroup']);
    const greedy = await runOnce(root, allocate(100));
    return { where, greedy, left: children(root) };
  } finally {
    rmdirSync(root);
  }
}

async function runOnce(root: string, command: readonly string[]): Promise<{ readonly code: number | null; readonly says: string }> {
  const files = [openSync('/tmp/spec', 'r'), openSync('/tmp/filter', 'r')];
  const flags = [
    'run',
    '--spec-fd',
    '3',
    '--filter-fd',
    '4',
    '--cgroup-root',
    root,
    '--cwd',
    '/',
    '--env',
    'PATH=/usr/bin',
    '--',
    ...command,
  ];
  const child = spawn(LAUNCHER, flags, { stdio: ['ignore', 'pipe', 'pipe', ...files] });
  for (const file of files) closeSync(file);
  let says = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      says += chunk;
    });
  }
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.once('close', resolve);
  return { code: await promise, says: says.trim() };
}

/** The launcher dies without a word: the kernel ends its sandboxes, the janitor removes their cgroups. */
export async function launcherKilled() {
  await using sandboxes = await open();
  const sandbox = await sandboxes.start({});
  const sleeping = sandbox.exec(['sleep', '100']);
  await sleeping.pid;
  process.kill(launcherPid(), 'SIGKILL');
  const gone = await sandbox.gone;
  const exit = await sleeping.exit.then(ending, (fault: { code: string }) => fault.code);
  await until('the janitor has removed everything', () => !existsSync(`${CGROUPS}/warren`));
  return { gone: gone.reason, exit };
}

export async function manyAtOnce() {
  await using sandboxes = await open();
  const started = await Promise.all(Array.from({ length: 8 }, () => sandboxes.start({})));
  const cgroups = children(`${CGROUPS}/warren`).flatMap(children).length;
  const runs = started.flatMap((sandbox) => [sandbox.run(['true']), sandbox.run(['sh', '-c', 'sleep 100 & true'])]);
  const endings = (await Promise.all(runs)).map(({ exit }) => ending(exit));
  await Promise.all(started.map((sandbox) => sandbox[Symbol.asyncDispose]()));
  return { cgroups, endings: [...new Set(endings)], left: children(`${CGROUPS}/warren`).flatMap(children) };
}

/** They share a directory, which the last to leave removes, while others may be coming. */
export async function manyLaunchers() {
  const turns = Array.from({ length: 3 }, async () => [await startAndEnd(), await startAndEnd(), await startAndEnd()]);
  return { endings: [...new Set((await Promise.all(turns)).flat())] };
}

async function startAndEnd(): Promise<string> {
  try {
    await using sandboxes = await open();
    await using sandbox = await sandboxes.start({});
    return ending((await sandbox.run(['true'])).exit);
  } catch (error) {
    return String(error); // Not thrown, so that the others come to their end before the next case.
  }
}

function plan(given: SandboxSpec, landlock: number, roots: CgroupRoots) {
  const facts = readHostFacts(readCgroupLayout(), landlock);
  const { spec, profile } = resolveSpec(given, capabilitiesOf(facts), {});
  const cgroups = planCgroups(roots, spec.limits, true);
  return { flags: planWalls({ spec, profile, facts, cgroups }), filter: compileFilter(spec.seccomp, 'x86_64'), limits: spec.limits };
}

/** The launcher we started; pid 1 of a sandbox may have its name too, but is not our child. */
function launcherPid(): number {
  const pids = readdirSync('/proc').filter((pid) => {
    const [, name, parent] = /\((.*)\) \S (\d+)/.exec(readStat(pid)) ?? [];
    return name === 'warren-launcher' && Number(parent) === process.pid;
  });
  if (pids.length !== 1) throw new Error(`${pids.length} launchers run`);
  return Number(pids[0]);
}

function readStat(pid: string): string {
  try {
    return /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
  } catch {
    return ''; // It has just ended.
  }
}
