import { OneFlushEach } from '../comparators/one-flush-each.ts';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { interleave } from '../harness/interleave.ts';
import { ratePerSecond } from '../harness/rate.ts';
import { atLeast, atMost, measured, type Row, ratio } from '../harness/row.ts';
import { openTemporaryKernel } from '../harness/temporary-kernel.ts';
import { timed } from '../harness/timed.ts';

const CALLERS = 64;

export const events: Benchmark = {
  name: 'events',
  title: 'Events appended, each on disk before it is acknowledged',
  method:
    `${CALLERS} callers append through the kernel, each its next event when the last is acknowledged; then one caller alone. Against SQLite with the same table ` +
    'and indexes and one flush for each event, on the same disk. They take turns.',
  run,
};

async function run(context: Context): Promise<readonly Row[]> {
  await using opened = await openTemporaryKernel();
  using other = new OneFlushEach();
  const { mine } = opened;
  const { pid } = await mine.processes.create({ name: 'bench', template: 'bench' });
  const append = (index: number) => mine.events.append({ pid, kind: 'bench.event', payload: { index } });
  const count = context.isQuick ? 5_000 : 40_000;
  const grouped = { name: 'grouped', turn: () => ratePerSecond(count, CALLERS, append) };
  const each = { name: 'each', turn: () => ratePerSecond(count / 40, 1, async (index) => other.append({ index })) };
  const rates = await interleave([grouped, each], context.isQuick ? 3 : 20, context, { warmups: 2 });
  const alone = { name: 'alone', turn: () => timed(() => append(0)) };
  const flush = { name: 'flush', turn: () => timed(async () => other.append({ index: 0 })) };
  const times = await interleave([alone, flush], context.isQuick ? 50 : 1_000, context, { restMs: 2 });
  return [
    measured(`Warren: ${CALLERS} callers`, '/s', rates(grouped), { bound: atLeast(50_000) }),
    measured('one flush for each', '/s', rates(each), { ratio: ratio('Warren ÷ this', rates(grouped), rates(each)) }),
    measured('Warren: one caller', 'ms', times(alone)),
    measured('one flush', 'ms', times(flush), { ratio: ratio('Warren ÷ this', times(alone), times(flush), atMost(1.5)) }),
  ];
}
