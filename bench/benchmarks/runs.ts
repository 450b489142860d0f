import type { RunLease, WorkspaceKernel } from '@warren/kernel';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { interleave } from '../harness/interleave.ts';
import { ratePerSecond } from '../harness/rate.ts';
import { atLeast, atMost, measured, type Row, ratio } from '../harness/row.ts';
import { openTemporaryKernel } from '../harness/temporary-kernel.ts';
import { timed } from '../harness/timed.ts';

const RUNS = 300;
const LONG = 1_000;
const LEASE_MS = 3_600_000;
/** About what a call and its answer take. */
const BODY = { name: 'read', input: { path: 'src/index.ts' }, output: { text: 'x'.repeat(400) } };

export const runs: Benchmark = {
  name: 'runs',
  title: 'Runs of agents: steps on disk before they are acknowledged, and a journal read back',
  method:
    `${RUNS} runs at once, each its next step of ${JSON.stringify(BODY).length} bytes when the last is acknowledged, under its lease. Against as many callers that append events with the same ` +
    `payload, which is the least that a step could cost; they take turns. Then one run of ${LONG} steps is read whole, as whoever goes on with it does, and one run waits and is woken.`,
  run,
};

type Held = { readonly run: number; readonly lease: RunLease };

async function run(context: Context): Promise<readonly Row[]> {
  await using opened = await openTemporaryKernel();
  const { mine } = opened;
  const held = await begin(mine, RUNS);
  const [first] = held;
  if (first === undefined) throw new Error('No run was claimed');
  const count = context.isQuick ? 3_000 : 20_000;
  const step = async (_: number, caller: number) => {
    const { run: id, lease } = held[caller] ?? first;
    await mine.runs.append(id, lease, [{ kind: 'call', body: BODY }], { tokens: 3 });
  };
  const { pid } = await mine.runs.get(first.run);
  const event = (): Promise<number> => mine.events.append({ pid, kind: 'bench.event', payload: BODY });
  const steps = { name: 'steps', turn: () => ratePerSecond(count, RUNS, step) };
  const events = { name: 'events', turn: () => ratePerSecond(count, RUNS, event) };
  const rates = await interleave([steps, events], context.isQuick ? 3 : 15, context, { warmups: 2 });
  const [long] = await begin(mine, 1);
  if (long === undefined) throw new Error('No run was claimed');
  for (let some = 0; some < LONG / 100; some++) await mine.runs.append(long.run, long.lease, Array(100).fill({ kind: 'call', body: BODY }));
  const read = { name: 'read', turn: () => timed(() => mine.runs.steps(long.run)) };
  const cycle = { name: 'cycle', turn: () => timed(() => waitAndGoOn(mine, long)) };
  const times = await interleave([read, cycle], context.isQuick ? 20 : 300, context, { restMs: 2 });
  return [
    measured(`Warren: steps of ${RUNS} runs`, '/s', rates(steps), { bound: atLeast(5_000) }),
    measured('events of as many callers', '/s', rates(events), { ratio: ratio('steps ÷ this', rates(steps), rates(events)) }),
    measured(`Warren: ${LONG} steps read`, 'ms', times(read), { bound: atMost(20) }),
    measured('Warren: park, wake and claim', 'ms', times(cycle)),
  ];
}

/** Runs that are worked off. */
async function begin(mine: WorkspaceKernel, count: number): Promise<readonly Held[]> {
  await Promise.all(
    Array.from({ length: count }, async () => {
      const { pid } = await mine.processes.create({ name: 'bench', template: 'bench', agent: 'bench' });
      await mine.runs.create({ pid, task: { text: 'bench' } });
    }),
  );
  return await claim(mine, count);
}

async function claim(mine: WorkspaceKernel, limit: number): Promise<readonly Held[]> {
  const claims = await mine.queue.claim({ worker: 'bench', areRuns: true, limit, leaseMs: LEASE_MS });
  return claims.map(({ entry, fence }) => ({ run: Number(entry.payload['run']), lease: { entry: entry.id, fence } }));
}

let goingOn: Held | undefined;

async function waitAndGoOn(mine: WorkspaceKernel, begun: Held): Promise<void> {
  const { run: id, lease } = goingOn ?? begun;
  await mine.runs.park(id, lease, { for: {}, after: LONG });
  await mine.runs.wake(id);
  [goingOn] = await claim(mine, 1);
}
