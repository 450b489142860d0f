import { openSandboxes } from '@warren/sandbox';
import { type Floor, FloorProgram } from '../comparators/floor.ts';
import { atOnce } from '../harness/at-once.ts';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { interleave } from '../harness/interleave.ts';
import { atLeast, measured, notMeasured, type Row, ratio } from '../harness/row.ts';
import { liveOnce, missingLimits } from '../harness/warren.ts';

const WIDTH = 8;
/** After each batch, for the kernel to free what it had. */
const REST_MS = 300;

export const wide: Benchmark = {
  name: 'wide',
  title: `Sandboxes per second, ${WIDTH} at a time`,
  method:
    `${WIDTH} workers, each: create, run \`true\`, destroy, again. One sample is the rate over a batch. The floor is ${WIDTH} of the C programs ` +
    'doing nothing but clone3, maps, exec, wait; batches take turns.',
  run,
};

async function run(context: Context): Promise<readonly Row[]> {
  const batch = context.isQuick ? 40 : 400;
  await using stack = new AsyncDisposableStack();
  const sandboxes = stack.use(await openSandboxes());
  const compiled = await FloorProgram.compile();
  const perSandboxMs: number[] = [];
  const warren = {
    name: 'Warren',
    turn: () =>
      rate(batch, async () => {
        perSandboxMs.push((await liveOnce(sandboxes)).wholeMs);
      }),
  };
  const floors = 'note' in compiled ? [] : startFloors(stack.use(compiled), stack);
  const floor = {
    name: 'floor',
    turn: () => rate(batch, (_, worker) => (floors[worker] as Floor).turn()), // There is one for each worker.
  };
  const samplesOf = await interleave('note' in compiled ? [warren] : [warren, floor], context.isQuick ? 2 : 8, context, {
    warmups: 1,
    restMs: REST_MS,
  });
  return [
    measured('Warren', 'sandboxes/s', samplesOf(warren), { bound: atLeast(250), ...missingLimits(sandboxes) }),
    measured('  each of them, meanwhile', 'ms', perSandboxMs.slice(batch)),
    'note' in compiled
      ? notMeasured('floor', 'sandboxes/s', compiled.note)
      : measured('floor', 'sandboxes/s', samplesOf(floor), { ratio: ratio('this ÷ Warren', samplesOf(floor), samplesOf(warren)) }),
  ];
}

function startFloors(program: FloorProgram, stack: AsyncDisposableStack): readonly Floor[] {
  return Array.from({ length: WIDTH }, () => stack.use(program.start()));
}

async function rate(count: number, task: (index: number, worker: number) => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await atOnce(count, WIDTH, task);
  return (count / (performance.now() - startedAt)) * 1_000;
}
