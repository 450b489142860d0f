import { expect } from 'vitest';
import { createWorker, type RunResult, type Worker } from '../../packages/kernel/src/schedule/create-worker.ts';
import type { Client } from './client.ts';
import { Daemon } from './daemon.ts';
import { proves } from './proves.ts';

type Run = {
  readonly pid: number;
  readonly signal: AbortSignal;
  readonly end: (result: RunResult) => void;
  readonly fail: (error: Error) => void;
};

/** A worker whose runs end when the test says so. */
class Workshop implements AsyncDisposable {
  readonly worker: Worker;
  readonly #started: Run[] = [];
  readonly #awaiting: ((run: Run) => void)[] = [];
  readonly #running = new Set<Run>();
  #runningMost = 0;

  constructor({ kernel }: Daemon, concurrency?: number) {
    this.worker = createWorker({
      worker: 'workshop',
      scheduler: kernel.scheduler,
      queueOf: (id) => kernel.workspace(id).queue,
      onCommit: (listener) => kernel.store.onCommit(listener),
      concurrency,
      run: ({ entry }, signal) =>
        new Promise((resolve, reject) => {
          const ending = <Value>(end: (value: Value) => void) => {
            return (value: Value): void => {
              this.#running.delete(run);
              end(value);
            };
          };
          const run: Run = { pid: entry.pid, signal, end: ending(resolve), fail: ending(reject) };
          this.#start(run);
        }),
    });
  }

  #start(run: Run): void {
    this.#running.add(run);
    this.#runningMost = Math.max(this.#runningMost, this.#running.size);
    const waiter = this.#awaiting.shift();
    if (waiter === undefined) this.#started.push(run);
    else waiter(run);
  }

  get runningMost(): number {
    return this.#runningMost;
  }

  get startedAndNotTaken(): number {
    return this.#started.length;
  }

  /** The next run that starts. */
  next(): Promise<Run> {
    const run = this.#started.shift();
    return run === undefined ? new Promise((resolve) => this.#awaiting.push(resolve)) : Promise.resolve(run);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { end } of this.#started) end({ exitKind: 'completed' });
    await this.worker[Symbol.asyncDispose]();
  }
}

/** Processes with an entry each; returns their pids, which are the ids of the entries. */
async function enqueueFor(os: Client, count: number): Promise<readonly number[]> {
  const pids = Array.from({ length: count }, (_, index) => index + 1);
  await os.batch(pids.map(() => ['kernel.agent.create', { name: 'a', template: 't' }] as const));
  await os.batch(pids.map((pid) => ['kernel.sched.enqueue', { pid }] as const));
  return pids;
}

async function statesOf(os: Client): Promise<readonly string[]> {
  return (await os.call('kernel.sched.list')).entries.map(({ state }) => state);
}

proves('worker:concurrency', 'two at once of five, all of which are done in the end', async () => {
  await using own = await Daemon.start();
  await using workshop = new Workshop(own, 2);
  const pids = await enqueueFor(own.client, 5);
  const running = [await workshop.next(), await workshop.next()];
  const done: number[] = [];
  while (done.length < 5) {
    expect((await statesOf(own.client)).filter((state) => state === 'dispatched')).toHaveLength(Math.min(2, 5 - done.length));
    const run = running.shift();
    if (run === undefined) throw new Error('Nothing runs');
    run.end({ exitKind: 'completed', endsProcess: true });
    done.push(run.pid);
    if (done.length <= 3) running.push(await workshop.next());
  }
  expect(await workshop.worker.stop()).toBe(0);
  expect([done.toSorted((one, other) => one - other), workshop.runningMost]).toEqual([pids, 2]);
  expect(await statesOf(own.client)).toEqual(Array(5).fill('completed'));
  for (const pid of pids)
    expect(await own.client.call('kernel.agent.get', { pid })).toMatchObject({ state: 'DEAD', exit_kind: 'completed' });
});

proves('worker:concurrency', 'stopping waits for what runs, and claims no more', async () => {
  await using own = await Daemon.start();
  await using workshop = new Workshop(own, 1);
  await enqueueFor(own.client, 2);
  const run = await workshop.next();
  const stopped = workshop.worker.stop({ drain: true });
  expect(run.signal.aborted).toBe(false);
  run.end({ exitKind: 'failed', detail: { why: 'tired' } });
  expect(await stopped).toBe(0);
  expect(await statesOf(own.client)).toEqual(['completed', 'queued']);
  expect(await own.client.call('kernel.sched.get', { sched_id: 1 })).toMatchObject({ exit_kind: 'failed' });
  expect((await own.client.call('kernel.agent.get', { pid: 1 })).state).toBe('WAITING');
});

proves('worker:concurrency', 'stopping without waiting tells what runs, and its work is back in the queue', async () => {
  await using own = await Daemon.start();
  await using workshop = new Workshop(own, 2);
  await enqueueFor(own.client, 2);
  const [obedient, stubborn] = [await workshop.next(), await workshop.next()];
  obedient.signal.addEventListener('abort', () => obedient.fail(new Error('Stopped')));
  expect(await workshop.worker.stop({ drain: false, graceMs: 0 })).toBe(2);
  expect([obedient.signal.aborted, stubborn.signal.aborted]).toEqual([true, true]);
  expect(await statesOf(own.client)).toEqual(['queued', 'queued']);
  stubborn.end({ exitKind: 'completed' });
  expect((await own.client.call('kernel.sched.claim', { worker_id: 'next', max_n: 5 })).entries.map(({ attempts }) => attempts)).toEqual([
    1, 1,
  ]);
});

proves('worker:concurrency', 'a run that throws is tried again later, and one without an end is a failed attempt', async () => {
  await using own = await Daemon.start();
  await using workshop = new Workshop(own, 2);
  await enqueueFor(own.client, 2);
  const [throwing, odd] = [await workshop.next(), await workshop.next()];
  throwing.fail(new Error('The tool broke'));
  odd.end({ exitKind: 'exploded' } as unknown as RunResult); // What a program without types may hand in.
  await workshop.worker.stop();
  const { entries } = await own.client.call('kernel.sched.list');
  expect(entries).toMatchObject([
    { state: 'queued', attempts: 1, error: 'The tool broke' },
    { state: 'queued', attempts: 1, error: expect.stringContaining('completed, cancelled, failed, crashed') },
  ]);
});

proves('worker:concurrency', 'what is beyond its budget is never started', async () => {
  await using own = await Daemon.start();
  const os = own.client;
  await enqueueFor(os, 2);
  await os.call('kernel.ledger.create', { pid: 1, grants: { tokens: 1 } });
  await os.call('kernel.ledger.charge', { pid: 1, dim: 'tokens', amount: 2 });
  await using workshop = new Workshop(own, 2);
  const run = await workshop.next();
  expect(run.pid).toBe(2);
  run.end({ exitKind: 'completed' });
  // It is claimed without a delay once there is budget.
  await os.call('kernel.ledger.update_grant', { pid: 1, dim: 'tokens', new_grant: 2 });
  const late = await workshop.next();
  expect([late.pid, workshop.startedAndNotTaken]).toEqual([1, 0]);
  late.end({ exitKind: 'completed' });
  await workshop.worker.stop();
  expect(await statesOf(os)).toEqual(['completed', 'completed']);
});

proves('worker:concurrency', 'a run hears that its process shall end, and is cancelled when it obeys', async () => {
  await using own = await Daemon.start();
  await using workshop = new Workshop(own);
  await enqueueFor(own.client, 1);
  const run = await workshop.next();
  run.signal.addEventListener('abort', () => run.fail(new Error('Stopped')));
  const heard = new Promise<unknown>((resolve) => run.signal.addEventListener('abort', () => resolve(run.signal.reason)));
  await own.client.call('process.signal', { pid: 1, signal: 'terminate' });
  expect(await heard).toMatchObject({ code: 'aborted', details: { why: 'terminate' } });
  await workshop.worker.stop();
  expect(await own.client.call('kernel.sched.get', { sched_id: 1 })).toMatchObject({ state: 'completed', exit_kind: 'cancelled' });
  expect(await own.client.call('kernel.agent.get', { pid: 1 })).toMatchObject({ state: 'DEAD', exit_kind: 'cancelled' });
});
