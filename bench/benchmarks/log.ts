import { rmSync } from 'node:fs';
import { openKernel } from '@warren/kernel';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { interleave } from '../harness/interleave.ts';
import { ratePerSecond } from '../harness/rate.ts';
import { atMost, measured, type Row } from '../harness/row.ts';
import { temporaryDirectory } from '../harness/temporary-kernel.ts';
import { timed } from '../harness/timed.ts';

export const log: Benchmark = {
  name: 'log',
  title: 'A log of a million events',
  method:
    'Opening a kernel on it, until it answers; then the newest 100 events, 100 from a random place, and the newest 100 of one process.',
  run,
};

async function run(context: Context): Promise<readonly Row[]> {
  const directory = temporaryDirectory();
  try {
    const count = context.isQuick ? 20_000 : 1_000_000;
    await fill(directory, count, context);
    const opening = { name: 'open', turn: () => timed(async () => await (await openKernel({ directory })).close()) };
    const opened = await interleave([opening], context.isQuick ? 3 : 30, context);
    await using kernel = await openKernel({ directory });
    const { events } = kernel.workspace(DEFAULT_WORKSPACE);
    let place = 1;
    const next = () => {
      place = (place * 48_271) % 2_147_483_647;
      return place % count;
    };
    const newest = { name: 'newest', turn: () => timed(() => events.newest({ limit: 100 })) };
    const somewhere = { name: 'somewhere', turn: () => timed(() => events.tail({ since: next(), limit: 100 })) };
    const ofOne = { name: 'of one', turn: () => timed(() => events.newest({ pid: 7, limit: 100 })) };
    const samplesOf = await interleave([newest, somewhere, ofOne], context.isQuick ? 20 : 500, context, { restMs: 2 });
    return [
      measured('Warren: open and close', 'ms', opened(opening), { bound: atMost(300) }),
      measured('Warren: the newest 100', 'ms', samplesOf(newest), { bound: atMost(2) }),
      measured('Warren: 100 from somewhere', 'ms', samplesOf(somewhere), { bound: atMost(2) }),
      measured('Warren: the newest 100 of one process', 'ms', samplesOf(ofOne), { bound: atMost(2) }),
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function fill(directory: string, count: number, context: Context): Promise<void> {
  await using kernel = await openKernel({ directory });
  const mine = kernel.workspace(DEFAULT_WORKSPACE);
  const pids = await Promise.all(
    Array.from({ length: 100 }, async () => (await mine.processes.create({ name: 'bench', template: 'bench' })).pid),
  );
  context.say(`log: appending ${count} events`);
  await ratePerSecond(count, 1_000, (index) => {
    context.signal.throwIfAborted();
    return mine.events.append({
      pid: pids[index % pids.length] ?? 0,
      kind: `bench.${index % 20}`,
      payload: { index, text: 'some text of the usual length' },
    });
  });
}
