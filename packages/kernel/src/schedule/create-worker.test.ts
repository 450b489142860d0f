import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { createClock } from '../internal/clock.ts';
import { openTestKernel, type TestKernel } from '../test-support/open-test-kernel.ts';
import { createWorker, type RunResult, type Worker, type WorkerParts } from './create-worker.ts';
import type { ScheduledClaim } from './queue.ts';

const POLL = { interval: 1, timeout: 10_000 };
const DONE: RunResult = { exitKind: 'completed' };

type Running = { readonly claim: ScheduledClaim; readonly signal: AbortSignal; end(result: RunResult): void; fail(error: unknown): void };

/** A worker whose runs end when the test says so. */
function startWorker(test: TestKernel, options: Partial<WorkerParts> = {}) {
  const runs: Running[] = [];
  const errors: unknown[] = [];
  const worker = createWorker({
    worker: 'w',
    scheduler: test.kernel.scheduler,
    queueOf: (id) => test.kernel.workspace(id).queue,
    onCommit: (listener) => test.kernel.store.onCommit(listener),
    run: (claim, signal) => new Promise((end, fail) => runs.push({ claim, signal, end, fail })),
    onError: (error) => errors.push(error),
    ...options,
  });
  const started = (count: number) => expect.poll(() => runs.length, POLL).toBe(count);
  return { worker, runs, errors, started, [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose]() };
}

async function enqueue(test: TestKernel, count = 1): Promise<readonly number[]> {
  return await Promise.all(
    Array.from({ length: count }, async () => {
      const { pid } = await test.mine.processes.create({ name: 'a', template: 't' });
      await test.mine.queue.enqueue({ pid, backoffMs: 0 });
      return pid;
    }),
  );
}

/** Rejects when the signal fires, as most work does. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}

const at = (runs: readonly Running[], index: number): Running => {
  const run = runs[index];
  if (run === undefined) throw new Error(`No run ${index}`);
  return run;
};
const states = async (test: TestKernel) => (await test.mine.queue.list()).entries.map(({ state }) => state);
const untilStates = (test: TestKernel, expected: readonly string[]) => expect.poll(() => states(test), POLL).toEqual(expected);
const stop = async (worker: Worker) => worker.stop({ graceMs: 5_000 });

describe('a worker', () => {
  it('runs what is queued, and says how it ended', async () => {
    await using test = await openTestKernel();
    const [pid = 0] = await enqueue(test);
    await using working = startWorker(test);
    await working.started(1);
    expect(at(working.runs, 0).claim).toMatchObject({ workspace: DEFAULT_WORKSPACE, fence: 1, entry: { pid, worker: 'w' } });
    at(working.runs, 0).end({ exitKind: 'failed', detail: { code: 2 }, endsProcess: true });
    await untilStates(test, ['completed']);
    expect(await test.mine.processes.get(pid)).toMatchObject({ state: 'DEAD', exitKind: 'failed', exitDetail: { code: 2 } });
  });

  it('never has more than its slots under way, and fills each as it becomes free', async () => {
    await using test = await openTestKernel();
    await enqueue(test, 5);
    await using working = startWorker(test, { concurrency: 2 });
    await working.started(2);
    for (let done = 0; done < 5; done++) {
      expect(working.worker.running).toBeLessThanOrEqual(2);
      at(working.runs, done).end(DONE);
      await working.started(Math.min(5, done + 3));
    }
    await untilStates(
      test,
      Array.from({ length: 5 }, () => 'completed'),
    );
    expect(await stop(working.worker)).toBe(0);
  });

  it('runs two entries of one process one after the other', async () => {
    await using test = await openTestKernel();
    const [pid = 0] = await enqueue(test);
    await test.mine.queue.enqueue({ pid });
    await using working = startWorker(test);
    await working.started(1);
    at(working.runs, 0).end(DONE);
    await working.started(2);
    at(working.runs, 1).end(DONE);
    await untilStates(test, ['completed', 'completed']);
  });

  it('leaves entries alone whose process spent its budget', async () => {
    await using test = await openTestKernel();
    const [rich = 0, poor = 0] = await enqueue(test, 2);
    await test.mine.ledger.create({ kind: 'process', pid: poor }, { tokens: 1 }, { onBreach: 'deny' });
    await test.mine.ledger.charge(poor, 'tokens', 2);
    await using working = startWorker(test);
    await working.started(1);
    expect(at(working.runs, 0).claim.entry.pid).toBe(rich);
    at(working.runs, 0).end(DONE);
    await untilStates(test, ['completed', 'queued']);
    expect(working.runs.length).toBe(1);
  });

  it.each<[string, (run: Running) => void, string]>([
    ['throws', (run) => run.fail(new Error('boom')), 'boom'],
    ['throws what is no error', (run) => run.fail('just text'), 'just text'],
    ['ends with an unknown kind', (run) => run.end({ exitKind: 'exploded' } as unknown as RunResult), 'without one of the kinds'],
    ['ends with nothing', (run) => run.end(undefined as unknown as RunResult), 'without one of the kinds'],
    ['ends with details that are no object', (run) => run.end({ exitKind: 'failed', detail: 5 } as unknown as RunResult), 'detail'],
  ])('takes a run that %s for a failed attempt', async (_, act, error) => {
    await using test = await openTestKernel();
    await enqueue(test);
    await using working = startWorker(test);
    await working.started(1);
    act(at(working.runs, 0));
    await working.started(2);
    expect(at(working.runs, 1).claim.entry).toMatchObject({ id: 1, attempts: 2 });
    expect(at(working.runs, 1).claim.entry.error).toContain(error);
    at(working.runs, 1).end(DONE);
    await untilStates(test, ['completed']);
  });

  it('fails a run that throws before it begins', async () => {
    await using test = await openTestKernel();
    await enqueue(test);
    let calls = 0;
    await using _ = startWorker(test, {
      run: () => {
        if (++calls === 1) throw new Error('at once');
        return Promise.resolve(DONE);
      },
    });
    await untilStates(test, ['completed']);
    expect(calls).toBe(2);
  });

  it('hands on terminate at once: the entry is cancelled and the process ends', async () => {
    await using test = await openTestKernel();
    const [pid = 0] = await enqueue(test);
    await using _ = startWorker(test, { run: (__, signal) => untilAborted(signal) });
    await untilStates(test, ['dispatched']);
    await test.mine.processes.signal(pid, 'terminate');
    await untilStates(test, ['completed']);
    expect((await test.mine.queue.get(1)).exitKind).toBe('cancelled');
    expect(await test.mine.processes.get(pid)).toMatchObject({ state: 'DEAD', exitKind: 'cancelled' });
  });

  it('hands on interrupt at once: the entry is cancelled and the process waits for more', async () => {
    await using test = await openTestKernel();
    const [pid = 0] = await enqueue(test);
    await using _ = startWorker(test, { run: (__, signal) => untilAborted(signal) });
    await untilStates(test, ['dispatched']);
    await test.mine.processes.signal(pid, 'interrupt');
    await untilStates(test, ['completed']);
    expect([(await test.mine.queue.get(1)).exitKind, (await test.mine.processes.get(pid)).state]).toEqual(['cancelled', 'WAITING']);
  });

  it('tells a run why it shall end, and believes a result it gives nevertheless', async () => {
    await using test = await openTestKernel();
    const [pid = 0] = await enqueue(test);
    await using working = startWorker(test);
    await working.started(1);
    const { signal, end } = at(working.runs, 0);
    await test.mine.processes.signal(pid, 'interrupt');
    await expect.poll(() => signal.aborted, POLL).toBe(true);
    expect(signal.reason).toMatchObject({ code: 'aborted', details: { why: 'interrupt' } });
    end(DONE);
    await untilStates(test, ['completed']);
    expect((await test.mine.queue.get(1)).exitKind).toBe('completed');
  });

  it('ends the run of a process that was killed', async () => {
    await using test = await openTestKernel();
    const [pid = 0] = await enqueue(test);
    await using _ = startWorker(test, { run: (__, signal) => untilAborted(signal) });
    await untilStates(test, ['dispatched']);
    await test.mine.processes.signal(pid, 'kill');
    await untilStates(test, ['completed']);
  });

  it('ends a run whose lease was lost, and says nothing about an entry that others have', async () => {
    await using test = await openTestKernel();
    await enqueue(test);
    await using working = startWorker(test, { concurrency: 1 });
    await working.started(1);
    const { signal, end } = at(working.runs, 0);
    test.clock.advance(30_000);
    const [claim] = await test.mine.queue.claim({ worker: 'other' }); // Takes back what ran out, and has it.
    await expect.poll(() => signal.aborted, POLL).toBe(true);
    expect(signal.reason).toMatchObject({ details: { why: 'lease_lost' } });
    end(DONE);
    await expect.poll(() => working.worker.running, POLL).toBe(0);
    expect(await test.mine.queue.get(1)).toMatchObject({ state: 'dispatched', worker: 'other', attempts: 2 });
    await test.mine.queue.complete(1, 'completed', { fence: claim?.fence });
    expect(working.errors).toEqual([]);
  });

  it('keeps the lease of a run for as long as it takes', async () => {
    await using test = await openTestKernel({ clock: createClock(), isRehearsing: false });
    await enqueue(test);
    await using working = startWorker(test, { leaseMs: 1_000 });
    await working.started(1);
    const prolonged = async () => (await test.mine.events.tail({ kind: 'kernel.queue.lease_prolonged' })).events.length;
    await expect.poll(prolonged, POLL).toBeGreaterThan(3); // A lease is three heartbeats long.
    expect(at(working.runs, 0).signal.aborted).toBe(false);
    at(working.runs, 0).end(DONE);
    await untilStates(test, ['completed']);
    expect((await test.mine.queue.get(1)).attempts).toBe(1);
  });

  it('goes on after the store was in trouble', async () => {
    await using test = await openTestKernel();
    const trouble = new Error('the disk is on fire');
    let isBroken = true;
    await using working = startWorker(test, {
      scheduler: {
        claim: (options, signal) => (isBroken ? Promise.reject(trouble) : test.kernel.scheduler.claim(options, signal)),
      },
    });
    await expect.poll(() => working.errors, POLL).toEqual([trouble]);
    isBroken = false;
    await enqueue(test);
    await working.started(1);
    at(working.runs, 0).end(DONE);
    await untilStates(test, ['completed']);
  });

  it.each([[{ concurrency: 0 }], [{ concurrency: 1_001 }], [{ leaseMs: 5 }]])('is refused with %j', async (options) => {
    await using test = await openTestKernel();
    expect(() => startWorker(test, options)).toThrow(expect.objectContaining({ code: 'queue_entry_invalid' }));
  });
});

describe('stopping a worker', () => {
  it('with draining claims no more and lets what runs finish', async () => {
    await using test = await openTestKernel();
    await enqueue(test, 2);
    await using working = startWorker(test, { concurrency: 1 });
    await working.started(1);
    const stopping = stop(working.worker);
    at(working.runs, 0).end(DONE);
    expect(await stopping).toBe(0);
    expect([await states(test), working.runs.length]).toEqual([['completed', 'queued'], 1]);
  });

  it('without draining tells what runs to end: what gives up is queued again and the attempt does not count', async () => {
    await using test = await openTestKernel();
    await enqueue(test, 3);
    await using working = startWorker(test, { run: (_, signal) => untilAborted(signal) });
    await untilStates(test, ['dispatched', 'dispatched', 'dispatched']);
    expect(await working.worker.stop({ drain: false })).toBe(3);
    expect((await test.mine.queue.list()).entries.map(({ state, attempts }) => [state, attempts])).toEqual([['queued', 0], ['queued', 0], ['queued', 0]]); // biome-ignore format: one line
  });

  it('does not wait for ever: what ignores it is given back, and what it says later is not heard', async () => {
    await using test = await openTestKernel();
    await enqueue(test);
    await using working = startWorker(test);
    await working.started(1);
    expect(await working.worker.stop({ drainMs: 1, graceMs: 1 })).toBe(1);
    expect(at(working.runs, 0).signal.reason).toMatchObject({ details: { why: 'stopped' } });
    expect(await states(test)).toEqual(['queued']);
    at(working.runs, 0).end(DONE);
    await expect.poll(() => working.worker.running, POLL).toBe(0);
    expect([await states(test), working.errors]).toEqual([['queued'], []]);
  });

  it('twice is the same as once, and while it waits for work takes no time', async () => {
    await using test = await openTestKernel();
    await using working = startWorker(test);
    expect(await Promise.all([stop(working.worker), stop(working.worker)])).toEqual([0, 0]);
    await enqueue(test);
    expect([await states(test), working.runs.length]).toEqual([['queued'], 0]);
  });
});
