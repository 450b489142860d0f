import { openSandboxes, type Sandboxes } from '@warren/sandbox';
import { Bubblewrap } from '../comparators/bubblewrap.ts';
import { FloorProgram } from '../comparators/floor.ts';
import { Runc } from '../comparators/runc.ts';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { interleave, type Subject } from '../harness/interleave.ts';
import { atLeast, atMost, type Bound, measured, notMeasured, type Row, type RowOptions, ratio } from '../harness/row.ts';
import { type Life, liveOnce, missingLimits } from '../harness/warren.ts';

export const create: Benchmark = {
  name: 'create',
  title: 'A sandbox of its own for `true`: create, run, destroy',
  method:
    'Warren: through the library with its launcher running, default profile, every wall and limit, until the launcher has said that nothing is left. ' +
    'Floor: clone3 with all seven namespaces, id maps, exec, wait, timed in C. bubblewrap: spawned from Node, all namespaces, no limits, no seccomp ' +
    'filter. They take turns with a rest of 20 ms after each, in which the launcher can build blanks ahead; "without blanks" is Warren where it never ' +
    'does, "back to back" where it has no time to. runc takes turns with Warren alone, fewer, because each of its turns is long.',
  run,
};

async function run(context: Context): Promise<readonly Row[]> {
  await using sandboxes = await openSandboxes();
  return [
    ...(await againstLight(sandboxes, context)),
    ...(await againstRunc(sandboxes, context)),
    measured('Warren, back to back', 'ms', await backToBack(sandboxes, context)),
  ];
}

async function againstLight(sandboxes: Sandboxes, context: Context): Promise<readonly Row[]> {
  await using stack = new AsyncDisposableStack();
  const warren = new WarrenTurns(sandboxes);
  const plain = new WarrenTurns(stack.use(await openSandboxes({ spares: 0 })));
  const compiled = await FloorProgram.compile();
  const floor = 'note' in compiled ? compiled : stack.use(stack.use(compiled).start());
  const bubblewrap = Bubblewrap.open(context);
  const subjects: readonly Subject[] = [warren, plain, floor, bubblewrap].filter((one) => 'turn' in one);
  const samplesOf = await interleave(subjects, context.isQuick ? 20 : 400, context);
  const whole = samplesOf(warren);
  const againstFloor = (samples: readonly number[], bound?: Bound): RowOptions =>
    'note' in floor ? {} : { ratio: ratio('this ÷ floor', samples, samplesOf(floor), bound) };
  return [
    measured('Warren', 'ms', whole, { bound: atMost(4.5), ...againstFloor(whole, atMost(1.6)), ...missingLimits(sandboxes) }),
    ...warren.phases(whole.length),
    measured('Warren without blanks', 'ms', samplesOf(plain), againstFloor(samplesOf(plain))),
    ...plain.phases(whole.length),
    'note' in floor ? notMeasured('floor: bare clone3', 'ms', floor.note) : measured('floor: bare clone3', 'ms', samplesOf(floor)),
    'note' in bubblewrap
      ? notMeasured('bubblewrap, from Node', 'ms', bubblewrap.note)
      : measured('bubblewrap, from Node', 'ms', samplesOf(bubblewrap), {
          ratio: ratio('this ÷ Warren', samplesOf(bubblewrap), whole, atLeast(2)),
        }),
  ];
}

async function againstRunc(sandboxes: Sandboxes, context: Context): Promise<readonly Row[]> {
  const opened = await Runc.open(context);
  if ('note' in opened) return [notMeasured('runc run, from Node', 'ms', opened.note)];
  await using runc = opened;
  const warren = new WarrenTurns(sandboxes);
  const samplesOf = await interleave([warren, runc], context.isQuick ? 5 : 60, context, { warmups: 2 });
  return [
    measured('runc run, from Node', 'ms', samplesOf(runc), {
      ratio: ratio('this ÷ Warren', samplesOf(runc), samplesOf(warren), atLeast(10)),
    }),
    measured('Warren, taking turns with runc', 'ms', samplesOf(warren)),
  ];
}

async function backToBack(sandboxes: Sandboxes, context: Context): Promise<readonly number[]> {
  const warren = new WarrenTurns(sandboxes);
  const samples: number[] = [];
  for (let turn = 0; turn < (context.isQuick ? 20 : 400); turn += 1) {
    context.signal.throwIfAborted();
    samples.push(await warren.turn());
  }
  return samples;
}

class WarrenTurns implements Subject {
  readonly name = 'Warren';
  readonly #sandboxes: Sandboxes;
  readonly #lives: Life[] = [];

  constructor(sandboxes: Sandboxes) {
    this.#sandboxes = sandboxes;
  }

  async turn(): Promise<number> {
    const life = await liveOnce(this.#sandboxes);
    this.#lives.push(life);
    return life.wholeMs;
  }

  /** Where the time went in the last `count` turns: those before were to warm up. */
  phases(count: number): readonly Row[] {
    const lives = this.#lives.slice(-count);
    const phase = (what: string, pick: (life: Life) => number): Row => measured(`  ${what}`, 'ms', lives.map(pick));
    return [phase('start', ({ startMs }) => startMs), phase('run', ({ runMs }) => runMs), phase('destroy', ({ destroyMs }) => destroyMs)];
  }
}
