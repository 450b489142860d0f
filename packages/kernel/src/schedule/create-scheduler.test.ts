import { DEFAULT_WORKSPACE, parseWorkspaceId, type WorkspaceId } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Kernel } from '../kernel.ts';
import { openTestKernel, type TestKernel } from '../test-support/open-test-kernel.ts';
import type { ScheduledClaim } from './queue.ts';

const LONG = 600_000;
const SHARE = { worker: 'w', startsProcess: false } as const;

async function createProcess(kernel: Kernel, workspace: WorkspaceId = DEFAULT_WORKSPACE): Promise<number> {
  return (await kernel.workspace(workspace).processes.create({ name: 'a', template: 't' })).pid;
}

async function createWorkspaces(test: TestKernel, weights: Readonly<Record<string, number>>): Promise<readonly WorkspaceId[]> {
  const ids = Object.keys(weights).map(parseWorkspaceId);
  for (const id of ids) await test.kernel.workspaces.create(id, { weight: weights[id] ?? 1 });
  return ids;
}

/** Whether a promise has settled by now, once all that was going on has come to rest. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => {
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

const idsOf = (claims: readonly ScheduledClaim[]) => claims.map(({ entry }) => entry.id);

describe('waiting for work', () => {
  it('ends with nothing at once when nobody wants to wait, and after the time that was asked for', async () => {
    await using test = await openTestKernel();
    expect(await test.kernel.scheduler.claim({ worker: 'w' })).toEqual([]);
    expect(await test.kernel.scheduler.claim({ worker: 'w', waitMs: 5 })).toEqual([]);
  });

  it('ends as soon as there is an entry', async () => {
    await using test = await openTestKernel();
    const pid = await createProcess(test.kernel);
    const waiting = test.kernel.scheduler.claim({ worker: 'w', waitMs: LONG });
    expect(await isSettled(waiting)).toBe(false);
    await test.mine.queue.enqueue({ pid });
    expect(await waiting).toMatchObject([{ workspace: DEFAULT_WORKSPACE, fence: 1, entry: { id: 1, pid } }]);
  });

  it('finds what was enqueued before the kernel was opened', async () => {
    await using test = await openTestKernel();
    await test.mine.queue.enqueue({ pid: await createProcess(test.kernel) });
    await test.reopen();
    expect(idsOf(await test.kernel.scheduler.claim({ worker: 'w' }))).toEqual([1]);
  });

  it('ends when a delayed entry becomes due, by the timer alone', async () => {
    await using test = await openTestKernel();
    const pid = await createProcess(test.kernel);
    await test.mine.queue.enqueue({ pid, runnableAt: test.clock.now() + 20 });
    const waiting = test.kernel.scheduler.claim({ worker: 'w', waitMs: LONG });
    expect(await isSettled(waiting)).toBe(false);
    test.clock.advance(20);
    expect(idsOf(await waiting)).toEqual([1]);
  });

  it.each<[string, (test: TestKernel, pid: number) => Promise<void>, (test: TestKernel, pid: number) => Promise<unknown>]>([
    [
      'an entry of the same process is done',
      async ({ mine, kernel }, pid) => {
        await mine.queue.enqueue({ pid, priority: 9 });
        await kernel.scheduler.claim({ worker: 'x' });
      },
      ({ mine }) => mine.queue.complete(2, 'completed'),
    ],
    [
      'an entry of the same process is given back',
      async ({ mine, kernel }, pid) => {
        await mine.queue.enqueue({ pid, priority: 9 });
        await kernel.scheduler.claim({ worker: 'x' });
        await mine.queue.cancel(1);
      },
      ({ mine }) => mine.queue.release(2, 1),
    ],
    [
      'the process goes on',
      async ({ mine }, pid) => {
        await mine.processes.transition(pid, 'RUNNING');
        await mine.processes.signal(pid, 'stop');
      },
      ({ mine }, pid) => mine.processes.signal(pid, 'continue'),
    ],
    [
      'the process ran without a claim and waits',
      async ({ mine }, pid) => void (await mine.processes.transition(pid, 'RUNNING')),
      ({ mine }, pid) => mine.processes.transition(pid, 'WAITING'),
    ],
    [
      'the budget grows',
      async ({ mine }, pid) => {
        await mine.ledger.create({ kind: 'process', pid }, { tokens: 1 }, { onBreach: 'deny' });
        await mine.ledger.charge(pid, 'tokens', 2);
      },
      ({ mine }, pid) => mine.ledger.updateGrant({ kind: 'process', pid }, 'tokens', 9),
    ],
    [
      'a lease runs out',
      async ({ mine, kernel }, pid) => {
        await mine.queue.enqueue({ pid, priority: 9 });
        await kernel.scheduler.claim({ worker: 'gone' });
      },
      async ({ clock, kernel }) => {
        clock.advance(30_000);
        await kernel.scheduler.tick();
      },
    ],
    [
      'a dead letter is queued again',
      async ({ mine, kernel }, pid) => {
        await mine.queue.enqueue({ pid, priority: 9, attemptsMax: 1 });
        await kernel.scheduler.claim({ worker: 'x' });
        await mine.queue.fail(2, 1, 'no');
        await mine.queue.cancel(1);
      },
      ({ mine }) => mine.queue.retry(2),
    ],
    [
      'there is room for one more in the workspace',
      async ({ mine, kernel }) => {
        const other = await createProcess(kernel);
        await mine.queue.enqueue({ pid: other, priority: 9 });
        await kernel.workspaces.update(DEFAULT_WORKSPACE, { runningMax: 1 });
        await kernel.scheduler.claim({ worker: 'x' });
      },
      ({ mine }) => mine.queue.complete(2, 'completed'),
    ],
  ])('ends when %s', async (_, prepare, act) => {
    await using test = await openTestKernel();
    const pid = await createProcess(test.kernel);
    await test.mine.queue.enqueue({ pid });
    await prepare(test, pid);
    const waiting = test.kernel.scheduler.claim({ worker: 'w', waitMs: LONG });
    expect(await isSettled(waiting)).toBe(false);
    await act(test, pid);
    expect((await waiting).length).toBe(1);
  });

  it('is possible in one workspace alone, where work of others does not count', async () => {
    await using test = await openTestKernel();
    const [a, b] = await createWorkspaces(test, { a: 1, b: 1 });
    if (a === undefined || b === undefined) throw new Error('Two were created');
    const enqueue = async (id: WorkspaceId) => test.kernel.workspace(id).queue.enqueue({ pid: await createProcess(test.kernel, id) });
    const ofA = test.kernel.scheduler.claim({ worker: 'w', waitMs: LONG, workspace: a });
    await enqueue(b);
    expect(await isSettled(ofA)).toBe(false);
    expect(await test.kernel.scheduler.claim({ worker: 'w', workspace: a })).toEqual([]);
    await enqueue(a);
    expect(await ofA).toMatchObject([{ workspace: 'a' }]);
    expect(await test.kernel.scheduler.claim({ worker: 'w', workspace: a })).toEqual([]);
    expect(await test.kernel.scheduler.claim({ worker: 'w', workspace: b })).toMatchObject([{ workspace: 'b' }]);
    expect(await test.kernel.scheduler.claim({ worker: 'w', workspace: parseWorkspaceId('nobody') })).toEqual([]);
  });

  it('gives one entry to one of many, and the others go on waiting', async () => {
    await using test = await openTestKernel();
    const pid = await createProcess(test.kernel);
    const waits = Array.from({ length: 20 }, (_, index) => test.kernel.scheduler.claim({ worker: `w${index}`, waitMs: LONG }));
    await test.mine.queue.enqueue({ pid });
    expect(idsOf((await Promise.race(waits)) ?? [])).toEqual([1]);
    const settled = await Promise.all(waits.map(isSettled));
    expect(settled.filter(Boolean).length).toBe(1);
    await test.mine.queue.complete(1, 'completed');
    await Promise.all(Array.from({ length: 19 }, async () => test.mine.queue.enqueue({ pid: await createProcess(test.kernel) })));
    expect((await Promise.all(waits)).flatMap(idsOf).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  it('wakes who can use the work, whatever kind of claim waits in front', async () => {
    await using test = await openTestKernel();
    const pid = await createProcess(test.kernel);
    await test.mine.processes.transition(pid, 'RUNNING');
    const alone = test.kernel.scheduler.claim({ worker: 'alone', waitMs: LONG });
    const sharing = test.kernel.scheduler.claim({ ...SHARE, waitMs: LONG });
    await test.mine.queue.enqueue({ pid });
    expect(idsOf(await sharing)).toEqual([1]);
    expect(await isSettled(alone)).toBe(false);
  });

  it('ends with nothing when the signal fires: before, during, and while something is being claimed, which is then given back', async () => {
    await using test = await openTestKernel();
    const { scheduler } = test.kernel;
    const pid = await createProcess(test.kernel);
    expect(await scheduler.claim({ worker: 'w', waitMs: LONG }, AbortSignal.abort())).toEqual([]);
    const during = new AbortController();
    const waiting = scheduler.claim({ worker: 'w', waitMs: LONG }, during.signal);
    during.abort();
    expect(await waiting).toEqual([]);
    await test.mine.queue.enqueue({ pid, attemptsMax: 1 });
    const while_ = new AbortController();
    const claiming = scheduler.claim({ worker: 'w', waitMs: LONG }, while_.signal);
    using _ = test.kernel.store.onCommit((__, events) => {
      if (events.some(({ kind }) => kind === 'kernel.queue.claimed')) while_.abort();
    });
    expect(await claiming).toEqual([]);
    expect(await test.mine.queue.get(1)).toMatchObject({ state: 'queued', attempts: 0 });
    expect((await test.mine.processes.get(pid)).state).toBe('WAITING');
  });

  it('is refused with bad options, when 10,000 wait already, and after the kernel was closed', async () => {
    await using test = await openTestKernel();
    const { scheduler } = test.kernel;
    const stop = new AbortController();
    for (const waitMs of [-1, 0.5, 3_600_001, Number.NaN]) {
      await expect(scheduler.claim({ worker: 'w', waitMs })).rejects.toMatchObject({
        code: 'queue_entry_invalid',
        details: { field: 'wait_ms' },
      });
    }
    const waits = Array.from({ length: 10_000 }, () => scheduler.claim({ worker: 'w', waitMs: LONG }, stop.signal));
    await expect(scheduler.claim({ worker: 'w', waitMs: LONG })).rejects.toMatchObject({ code: 'busy' });
    expect(await scheduler.claim({ worker: 'w' })).toEqual([]);
    stop.abort();
    await Promise.all(waits);
    const last = scheduler.claim({ worker: 'w', waitMs: LONG });
    await test.kernel.close();
    expect(await last).toEqual([]);
    await expect(scheduler.claim({ worker: 'w' })).rejects.toMatchObject({ code: 'aborted' });
  });

  it('never misses work: whatever is enqueued while claims come and go is claimed, with no help from a timer', async () => {
    const step = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ kind: fc.constant('enqueue' as const), process: fc.nat({ max: 4 }), count: fc.integer({ min: 1, max: 4 }) }),
      },
      {
        weight: 3,
        arbitrary: fc.record({ kind: fc.constant('claim' as const), limit: fc.integer({ min: 1, max: 3 }), isSharing: fc.boolean() }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const), which: fc.nat({ max: 20 }) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('rest' as const) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        await using test = await openTestKernel({ isRehearsing: false });
        const { scheduler } = test.kernel;
        const { queue } = test.mine;
        const pids = await Promise.all(Array.from({ length: 5 }, () => createProcess(test.kernel)));
        const done: number[] = [];
        const enqueued: Promise<unknown>[] = [];
        const stops: AbortController[] = [];
        /** Claims until it is told to stop, and completes what it gets. */
        const work = async (limit: number, startsProcess: boolean, signal: AbortSignal): Promise<void> => {
          while (!signal.aborted) {
            for (const { entry, fence } of await scheduler.claim({ worker: 'w', limit, startsProcess, waitMs: LONG }, signal)) {
              await queue.complete(entry.id, 'completed', { fence });
              done.push(entry.id);
            }
          }
        };
        const start = (limit: number, isSharing: boolean): Promise<void> => {
          const stop = new AbortController();
          stops.push(stop);
          return work(limit, !isSharing, stop.signal);
        };
        const workers: Promise<void>[] = [];
        for (const each of steps) {
          if (each.kind === 'rest') await new Promise((resolve) => setImmediate(resolve));
          else if (each.kind === 'abort') stops[each.which % Math.max(1, stops.length)]?.abort();
          else if (each.kind === 'claim') workers.push(start(each.limit, each.isSharing));
          else for (let count = 0; count < each.count; count++) enqueued.push(queue.enqueue({ pid: pids[each.process] ?? 0 }));
        }
        workers.push(start(1, false));
        await Promise.all(enqueued);
        await expect.poll(() => done.length, { timeout: 10_000, interval: 1 }).toBe(enqueued.length);
        expect(new Set(done).size).toBe(enqueued.length);
        for (const stop of stops) stop.abort();
        await Promise.all(workers);
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});

describe('workspaces', () => {
  /** Fills each with entries of processes of their own. */
  async function fill(test: TestKernel, ids: readonly WorkspaceId[], count: number): Promise<void> {
    for (const id of ids) {
      const pid = await createProcess(test.kernel, id);
      await Promise.all(Array.from({ length: count }, () => test.kernel.workspace(id).queue.enqueue({ pid })));
    }
  }

  async function claimed(test: TestKernel, count: number, limit = 1): Promise<Readonly<Record<string, number>>> {
    const counts: Record<string, number> = {};
    for (let got = 0; got < count; ) {
      const claims = await test.kernel.scheduler.claim({ ...SHARE, limit });
      if (claims.length === 0) break;
      for (const { workspace, entry } of claims) {
        counts[workspace] = (counts[workspace] ?? 0) + 1;
        await test.kernel.workspace(workspace).queue.complete(entry.id, 'completed');
      }
      got += claims.length;
    }
    return counts;
  }

  it('are served as their weights say, one at a time or many at once', async () => {
    await using test = await openTestKernel({ isRehearsing: false });
    const ids = await createWorkspaces(test, { a: 1, b: 3, c: 2 });
    await fill(test, ids, 200);
    expect(await claimed(test, 60)).toEqual({ a: 10, b: 30, c: 20 });
    expect(await claimed(test, 60, 12)).toEqual({ a: 10, b: 30, c: 20 });
  });

  it('are served from others’ shares when those have nothing, and get theirs when they come back', async () => {
    await using test = await openTestKernel({ isRehearsing: false });
    const [a, b] = await createWorkspaces(test, { a: 1, b: 1 });
    if (a === undefined || b === undefined) throw new Error('Two were created');
    await fill(test, [a], 100);
    expect(await claimed(test, 40)).toEqual({ a: 40 });
    await fill(test, [b], 100);
    expect(await claimed(test, 40)).toEqual({ a: 20, b: 20 });
  });

  it('follow a weight that changes', async () => {
    await using test = await openTestKernel({ isRehearsing: false });
    const ids = await createWorkspaces(test, { a: 1, b: 1 });
    await fill(test, ids, 200);
    await claimed(test, 10);
    await test.kernel.workspaces.update(parseWorkspaceId('a'), { weight: 4 });
    const { a = 0, b = 0 } = await claimed(test, 100);
    expect(a / b).toBeGreaterThan(3.5);
  });

  it('have no more running than they may, and leave the rest to others', async () => {
    await using test = await openTestKernel({ isRehearsing: false });
    const ids = await createWorkspaces(test, { a: 1, b: 1 });
    await test.kernel.workspaces.update(parseWorkspaceId('a'), { runningMax: 2 });
    await fill(test, ids, 10);
    const found: string[] = [];
    for (;;) {
      const claims = await test.kernel.scheduler.claim({ ...SHARE, limit: 4 });
      if (claims.length === 0) break;
      found.push(...claims.map(({ workspace }) => workspace));
    }
    expect([found.filter((id) => id === 'a').length, found.filter((id) => id === 'b').length]).toEqual([2, 10]);
  });

  it('that are created later are heard of', async () => {
    await using test = await openTestKernel();
    const waiting = test.kernel.scheduler.claim({ worker: 'w', waitMs: LONG });
    await createWorkspaces(test, { late: 1 });
    const id = parseWorkspaceId('late');
    const pid = await createProcess(test.kernel, id);
    await test.kernel.workspace(id).queue.enqueue({ pid });
    expect(await waiting).toMatchObject([{ workspace: 'late' }]);
  });
});

describe('time', () => {
  it('does everything that is due in all workspaces, in as many steps as it takes', async () => {
    await using test = await openTestKernel({ isRehearsing: false });
    const ids = await createWorkspaces(test, { a: 1, b: 1 });
    for (const id of ids) {
      const { queue } = test.kernel.workspace(id);
      const pid = await createProcess(test.kernel, id);
      const runnableAt = test.clock.now() + 1_000;
      await Promise.all(
        Array.from({ length: 1_200 }, (_, index) => queue.enqueue({ pid, runnableAt, deadline: index < 600 ? runnableAt : undefined })),
      );
    }
    test.clock.advance(1_000);
    await test.kernel.scheduler.tick();
    for (const id of ids) {
      const { queue } = test.kernel.workspace(id);
      expect((await queue.list({ state: 'expired' })).total).toBe(600);
      expect((await queue.claim({ ...SHARE, limit: 600 })).length).toBe(600);
    }
  });
});
