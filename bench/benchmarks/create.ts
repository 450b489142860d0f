import { openSandboxes, type Sandboxes } from '@warren/sandbox';
import { Bubblewrap } from '../comparators/bubblewrap.ts';
import { FloorProgram } from '../comparators/floor.ts';
import { Runc } from '../comparators/runc.ts';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { interleave, type Subject } from '../harness/interleave.ts';
import { atLeast, atMost, measured, notMeasured, type Row, ratio } from '../harness/row.ts';
import { type Life, liveOnce, missingLimits } from '../harness/warren.ts';

export const create: Benchmark = {
  name: 'create',
  title: 'A sandbox of its own for `true`: create, run, destroy',
  method:
    'Warren: through the library with its launcher running, default profile, every wall and limit, until the launcher has said that nothing is left. ' +
    'Floor: clone3 with all seven namespaces, id maps, exec, wait, timed in C. bubblewrap: spawned from Node, all namespaces, no limits, no seccomp filter. ' +
    'They take turns. runc takes turns with Warren alone, fewer, because each of its turns is long.',
  run,
};

const WARREN = 'Warren: start + run + destroy';

async function run(context: Context): Promise<readonly Row[]> {
  await using sandboxes = await openSandboxes();
  return [...(await againstLight(sandboxes, context)), ...(await againstRunc(sandboxes, context))];
}

async function againstLight(sandboxes: Sandboxes, context: Context): Promise<readonly Row[]> {
  await using program = new AsyncDisposableStack();
  const warren = new WarrenTurns(sandboxes);
  const compiled = await FloorProgram.compile();
  const floor = 'note' in compiled ? compiled : program.use(program.use(compiled).start());
  const bubblewrap = Bubblewrap.open(context);
  const subjects = [warren, floor, bubblewrap].filter((one): one is Subject & typeof one => 'turn' in one);
  const samplesOf = await interleave(subjects, context.isQuick ? 20 : 400, context);
  const whole = samplesOf(warren);
  return [
    measured(WARREN, 'ms', whole, { bound: atMost(4.5), ...missingLimits(sandboxes) }),
    ...warren.phases(whole.length),
    'note' in floor
      ? notMeasured('floor: bare clone3', 'ms', floor.note)
      : measured('floor: bare clone3', 'ms', samplesOf(floor), { ratio: ratio('Warren ÷ floor', whole, samplesOf(floor), atMost(1.6)) }),
    'note' in bubblewrap
      ? notMeasured('bubblewrap, spawned from Node', 'ms', bubblewrap.note)
      : measured('bubblewrap, spawned from Node', 'ms', samplesOf(bubblewrap), {
          ratio: ratio('bubblewrap ÷ Warren', samplesOf(bubblewrap), whole, atLeast(2)),
        }),
  ];
}

async function againstRunc(sandboxes: Sandboxes, context: Context): Promise<readonly Row[]> {
  const opened = await Runc.open(context);
  if ('note' in opened) return [notMeasured('runc run', 'ms', opened.note)];
  await using runc = opened;
  const warren = new WarrenTurns(sandboxes);
  const samplesOf = await interleave([warren, runc], context.isQuick ? 5 : 60, context, 2);
  return [
    measured('Warren, taking turns with runc', 'ms', samplesOf(warren)),
    measured('runc run', 'ms', samplesOf(runc), { ratio: ratio('runc ÷ Warren', samplesOf(runc), samplesOf(warren), atLeast(10)) }),
  ];
}

class WarrenTurns {
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

  /** Where the time went, of the last `count` turns: those before were to warm up. */
  phases(count: number): readonly Row[] {
    const lives = this.#lives.slice(-count);
    return [
      measured(
        '  of which start',
        'ms',
        lives.map((life) => life.startMs),
      ),
      measured(
        '  of which run',
        'ms',
        lives.map((life) => life.runMs),
      ),
      measured(
        '  of which destroy',
        'ms',
        lives.map((life) => life.destroyMs),
      ),
    ];
  }
}
