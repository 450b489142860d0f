import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSandboxes, type Sandbox, type Sandboxes } from '@warren/sandbox';
import { atOnce } from '../harness/at-once.ts';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { interleave } from '../harness/interleave.ts';
import { available, type Memory, settledMemory } from '../harness/memory.ts';
import { anonymousPages, descendants } from '../harness/processes.ts';
import { atMost, measured, notMeasured, type Row, type RowOptions, ratio, type Unit } from '../harness/row.ts';
import { timeProgram } from '../harness/run-program.ts';
import { missingLimits, runTrue, TRUE } from '../harness/warren.ts';

const WIDTH = 16;
const NODE_PROCESSES = 10;
/** Where the kernel keeps what a sandbox costs; none is part of another. */
const PARTS = ['Slab', 'Percpu', 'PageTables', 'KernelStack', 'Shmem'] as const;

const OURS = ['pages of the launcher and pid 1', 'pages of our Node'] as const;

export const idle: Benchmark = {
  name: 'idle',
  title: '1,000 idle sandboxes',
  method:
    `${WIDTH} are started at a time, from none to all. Memory is what MemAvailable of /proc/meminfo loses meanwhile: kernel memory of every kind, the ` +
    'launcher and what the library holds are in it. Before and after, medians over a second are taken until two in a row agree within 1 MiB, and a round ' +
    'after which the memory does not come back is not counted. Below it the parts: counters of /proc/meminfo, which others disturb less, and pages of ' +
    'our own processes; their sum is more than MemAvailable loses, for a part of the slab can be reclaimed. Then `true` runs in one after the other, taking turns with spawn of Node, and all are destroyed at once.',
  run,
};

async function run(context: Context): Promise<readonly Row[]> {
  const count = context.isQuick ? 100 : 1_000;
  const rounds: Round[] = [];
  let note: { readonly note?: string } = {};
  for (let round = 0; round < (context.isQuick ? 1 : 3); round += 1) {
    await using sandboxes = await openSandboxes();
    note = missingLimits(sandboxes);
    rounds.push(await fillOnce(sandboxes, count, context));
    context.say(`idle: round ${round + 1} is done`);
  }
  const row = (what: string, unit: Unit, pick: (round: Round) => number, options?: RowOptions): Row =>
    measured(what, unit, rounds.map(pick), options);
  const executed = rounds.flatMap(({ execMs }) => execMs);
  const spawned = rounds.flatMap(({ spawnMs }) => spawnMs);
  return [
    row(`create ${count}`, 's', ({ createMs }) => createMs / 1_000, bound(6, count)),
    ...memoryRows(rounds, count, note, await measureNode(context)),
    ...[...PARTS, ...OURS].map((part) => row(`  of each: ${part}`, 'MiB', ({ parts }) => (parts[part] ?? 0) / count)),
    row('  of each: all these', 'MiB', ({ parts }) => sum(Object.values(parts)) / count),
    row('memory not back afterwards', 'MiB', ({ lostMiB }) => lostMiB),
    measured(`\`true\` in one of ${count} running`, 'ms', executed),
    measured('Node: spawn, stdio ignored', 'ms', spawned, { ratio: ratio('Warren ÷ this', executed, spawned) }),
    row(`destroy ${count}`, 's', ({ destroyMs }) => destroyMs / 1_000),
  ];
}

function memoryRows(rounds: readonly Round[], count: number, note: RowOptions, nodeMiB: number): readonly Row[] {
  const [one, all, node] = ['memory of each', `memory of ${count}`, 'memory of an idle Node process'] as const;
  const samples = rounds.filter(isAtRest).map(({ memoryMiB }) => memoryMiB);
  if (samples.length === 0)
    return [notMeasured(one, 'MiB', 'others on this machine took or gave memory meanwhile: repeat it when it is quiet')];
  const each = samples.map((memory) => memory / count);
  return [
    measured(one, 'MiB', each, { bound: atMost(0.6), ...note }),
    measured(all, 'MiB', samples, bound(600, count)),
    measured(node, 'MiB', [nodeMiB], { ratio: ratio('this ÷ sandbox', [nodeMiB], each) }),
  ];
}

/** What was taken came back, but for a quarter: others did not take or give much meanwhile. */
function isAtRest({ memoryMiB, lostMiB }: Round): boolean {
  return Math.abs(lostMiB) < memoryMiB / 4;
}

/** The targets are for a thousand. */
function bound(value: number, count: number): RowOptions {
  return count === 1_000 ? { bound: atMost(value) } : {};
}

type Round = {
  readonly createMs: number;
  readonly memoryMiB: number;
  readonly parts: Memory;
  readonly execMs: readonly number[];
  readonly spawnMs: readonly number[];
  readonly destroyMs: number;
  readonly lostMiB: number;
};

async function fillOnce(sandboxes: Sandboxes, count: number, context: Context): Promise<Round> {
  const { signal } = context;
  await using first = await sandboxes.start({}); // What the first one sets up once is not counted with it.
  await runTrue(first);
  const before = await settledMemory(signal);
  const oursBefore = ourMemory();
  const startedAt = performance.now();
  const all = await atOnce(count, WIDTH, () => sandboxes.start({}, signal));
  const createMs = performance.now() - startedAt;
  const during = await settledMemory(signal);
  const oursDuring = ourMemory();
  const ours = OURS.map((part) => [part, oursDuring[part] - oursBefore[part]] as const);
  const times = await executeAmong(all, context);
  const endsAt = performance.now();
  await Promise.all(all.map((sandbox) => sandbox[Symbol.asyncDispose]()));
  const destroyMs = performance.now() - endsAt;
  const after = await settledMemory(signal);
  return {
    createMs,
    memoryMiB: available(before) - available(during),
    parts: Object.fromEntries([...PARTS.map((part) => [part, (during[part] ?? 0) - (before[part] ?? 0)]), ...ours]),
    ...times,
    destroyMs,
    lostMiB: available(before) - available(after),
  };
}

/** Anonymous pages of the processes that are there for the sandboxes, in MiB. */
function ourMemory(): Readonly<Record<(typeof OURS)[number], number>> {
  return { 'pages of the launcher and pid 1': sum(descendants().map(anonymousPages)), 'pages of our Node': anonymousPages(process.pid) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

async function executeAmong(all: readonly Sandbox[], context: Context): Promise<Pick<Round, 'execMs' | 'spawnMs'>> {
  let turns = 0;
  const warren = {
    name: 'Warren',
    turn: async () => {
      const sandbox = all[(turns * 7) % all.length] as Sandbox; // Never the same twice in a row: its pages and caches are cold.
      turns += 1;
      const startedAt = performance.now();
      await runTrue(sandbox);
      return performance.now() - startedAt;
    },
  };
  const spawned = { name: 'spawn', turn: () => timeProgram(TRUE, []) };
  const samplesOf = await interleave([warren, spawned], context.isQuick ? 20 : 200, context);
  return { execMs: samplesOf(warren), spawnMs: samplesOf(spawned) };
}

/** What one Node process costs, of several: their shared pages are counted once, as those of the sandboxes are. */
async function measureNode({ signal }: Context): Promise<number> {
  const children: ChildProcess[] = [];
  try {
    const before = await settledMemory(signal);
    for (let index = 0; index < NODE_PROCESSES; index += 1) {
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e9); console.log()'], { stdio: ['ignore', 'pipe', 'ignore'] });
      children.push(child);
      await once(child.stdout, 'data');
    }
    return (available(before) - available(await settledMemory(signal))) / NODE_PROCESSES;
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(children.map((child) => (child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined)));
  }
}
