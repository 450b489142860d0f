import { openSandboxes } from '@warren/sandbox';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { interleave } from '../harness/interleave.ts';
import { atMost, below, measured, type Row, ratio } from '../harness/row.ts';
import { timeProgram } from '../harness/run-program.ts';
import { timed } from '../harness/timed.ts';
import { runTrue, TRUE } from '../harness/warren.ts';

export const exec: Benchmark = {
  name: 'exec',
  title: '`true` in a running sandbox',
  method:
    "The library's `run`, output collected, until its answer is there. Against Node's own `child_process.spawn` of the same program on the host, with no " +
    'walls, until its `exit` event; once with stdio ignored, once with pipes as `run` has. They take turns with a rest of 20 ms after ' +
    'each; "back to back" is without it.',
  run,
};

async function run(context: Context): Promise<readonly Row[]> {
  await using sandboxes = await openSandboxes();
  await using sandbox = await sandboxes.start({});
  const warren = { name: 'Warren', turn: () => timed(() => runTrue(sandbox)) };
  const spawned = { name: 'spawn', turn: () => timeProgram(TRUE, []) };
  const piped = { name: 'spawn with pipes', turn: () => timeProgram(TRUE, [], { stdio: 'pipe' }) };
  const samplesOf = await interleave([warren, spawned, piped], context.isQuick ? 30 : 1_000, context);
  const ours = samplesOf(warren);
  const close = await interleave([warren], ours.length, context, { restMs: 0 });
  return [
    measured('Warren: run', 'ms', ours, { bound: atMost(1.6) }),
    measured('Warren: run, back to back', 'ms', close(warren)),
    measured('Node: spawn, stdio ignored', 'ms', samplesOf(spawned), {
      ratio: ratio('Warren ÷ this', ours, samplesOf(spawned), below(1)),
    }),
    measured('Node: spawn, stdio piped', 'ms', samplesOf(piped), { ratio: ratio('Warren ÷ this', ours, samplesOf(piped), below(1)) }),
  ];
}
