import type { WorkspaceKernel } from '@warren/kernel';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { interleave, type Subject } from '../harness/interleave.ts';
import { ratePerSecond } from '../harness/rate.ts';
import { atLeast, atMost, type Bound, measured, type Row, ratio } from '../harness/row.ts';
import { openTemporaryKernel } from '../harness/temporary-kernel.ts';

const CALLERS = 64;
const SUBSCRIBERS = 100;
const BLOCKED = 100_000;

export const kernel: Benchmark = {
  name: 'kernel',
  title: 'What the kernel does in a second, each step on disk before it is acknowledged',
  method:
    `${CALLERS} callers, each its next operation when the last is acknowledged. A queue cycle is enqueue, claim and complete; a mail cycle is send, receive and acknowledge, ` +
    `each caller with a box of its own; a publication reaches ${SUBSCRIBERS} boxes, which are emptied between turns, untimed. Claims: one caller, an entry enqueued and claimed, on a queue ` +
    `that is otherwise empty and on one where ${BLOCKED} entries wait for a suspended process.`,
  run,
};

async function run(context: Context): Promise<readonly Row[]> {
  await using opened = await openTemporaryKernel();
  const { mine } = opened;
  const size = context.isQuick ? 500 : 5_000;
  const subjects: readonly { readonly subject: Subject; readonly bound: Bound }[] = [
    { subject: { name: 'process create', turn: () => ratePerSecond(size, CALLERS, () => create(mine)) }, bound: atLeast(10_000) },
    { subject: await queueCycles(mine, size), bound: atLeast(8_000) },
    { subject: await mailCycles(mine, size), bound: atLeast(10_000) },
    { subject: await publications(mine, size / 5), bound: atLeast(1_500) },
  ];
  const samplesOf = await interleave(
    subjects.map(({ subject }) => subject),
    context.isQuick ? 2 : 15,
    context,
    { warmups: 2 },
  );
  return [
    ...subjects.map(({ subject, bound }) => measured(`Warren: ${subject.name}`, '/s', samplesOf(subject), { bound })),
    ...(await claims(context)),
  ];
}

const create = (mine: WorkspaceKernel) => mine.processes.create({ name: 'bench', template: 'bench' });

async function queueCycles(mine: WorkspaceKernel, count: number): Promise<Subject> {
  const pids = await Promise.all(Array.from({ length: CALLERS }, async () => (await create(mine)).pid));
  const cycle = async (_: number, caller: number) => {
    await mine.queue.enqueue({ pid: pids[caller] ?? 0, payload: { caller } });
    for (const { entry, fence } of await mine.queue.claim({ worker: 'bench' })) await mine.queue.complete(entry.id, 'completed', { fence });
  };
  return { name: 'enqueue + claim + complete', turn: () => ratePerSecond(count, CALLERS, cycle) };
}

async function mailCycles(mine: WorkspaceKernel, count: number): Promise<Subject> {
  const pids = await boxes(mine, CALLERS);
  const cycle = async (index: number, caller: number) => {
    const pid = pids[caller] ?? 0;
    await mine.mail.send(undefined, pid, { kind: 'bench', payload: { index } });
    const letters = await mine.mail.receive(pid);
    await mine.mail.acknowledge(
      pid,
      letters.map(({ id }) => id),
    );
  };
  return { name: 'send + receive + acknowledge', turn: () => ratePerSecond(count, CALLERS, cycle) };
}

async function publications(mine: WorkspaceKernel, count: number): Promise<Subject> {
  const pids = await boxes(mine, SUBSCRIBERS, count + 10);
  for (const pid of pids) await mine.mail.subscribe(pid, 'bench.news');
  const empty = async (pid: number) => {
    for (;;) {
      const letters = await mine.mail.receive(pid, { limit: 1_000 });
      if (letters.length === 0) return;
      await mine.mail.acknowledge(
        pid,
        letters.map(({ id }) => id),
      );
    }
  };
  const publish = (index: number) => mine.mail.publish(undefined, 'bench.news', { kind: 'bench', payload: { index } });
  return {
    name: `publish to ${SUBSCRIBERS}`,
    async turn() {
      const rate = await ratePerSecond(count, CALLERS, publish);
      await Promise.all(pids.map(empty));
      return rate;
    },
  };
}

async function boxes(mine: WorkspaceKernel, count: number, capacity = 1_024): Promise<readonly number[]> {
  return await Promise.all(
    Array.from({ length: count }, async () => {
      const { pid } = await create(mine);
      await mine.mail.createBox(pid, { capacity });
      return pid;
    }),
  );
}

/** Two kernels of their own, so that one queue is empty. */
async function claims(context: Context): Promise<readonly Row[]> {
  await using empty = await openTemporaryKernel();
  await using full = await openTemporaryKernel();
  await block(full.mine, context.isQuick ? BLOCKED / 20 : BLOCKED);
  const onEmpty = await claimer('empty', empty.mine);
  const onFull = await claimer('full', full.mine);
  const samplesOf = await interleave([onEmpty, onFull], context.isQuick ? 20 : 500, context, { restMs: 2 });
  return [
    measured('Warren: claim from a queue that is otherwise empty', 'ms', samplesOf(onEmpty)),
    measured(`Warren: claim past ${BLOCKED} blocked entries`, 'ms', samplesOf(onFull), {
      ratio: ratio('this ÷ empty', samplesOf(onFull), samplesOf(onEmpty), atMost(2)),
    }),
  ];
}

/** Entries of greater priority than any other, of processes that are suspended: half of one process, half of many. */
async function block(mine: WorkspaceKernel, count: number): Promise<void> {
  const pids = await Promise.all(Array.from({ length: 5_000 }, async () => (await create(mine)).pid));
  for (const pid of pids) {
    void mine.processes.transition(pid, 'RUNNING');
    void mine.processes.transition(pid, 'SUSPENDED');
  }
  await ratePerSecond(count, 512, (index) => {
    const pid = (index % 2 === 0 ? pids[index % 2_000] : pids[index % 5_000]) ?? 0;
    return mine.queue.enqueue({ pid, priority: 1_000 });
  });
}

async function claimer(name: string, mine: WorkspaceKernel): Promise<Subject> {
  const { pid } = await create(mine);
  return {
    name,
    async turn() {
      await mine.queue.enqueue({ pid });
      const startedAt = performance.now();
      const [claim] = await mine.queue.claim({ worker: 'bench' });
      const tookMs = performance.now() - startedAt;
      if (claim?.entry.pid !== pid) throw new Error('The claim did not get the entry that can run');
      await mine.queue.complete(claim.entry.id, 'completed', { fence: claim.fence });
      return tookMs;
    },
  };
}
