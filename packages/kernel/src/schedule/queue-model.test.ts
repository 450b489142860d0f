/** The queue against a plain model of it: whatever is done in whatever order, both give out the same entries and end in the same states. */
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { QUEUE_STATES, type QueueState } from '../store/tables/queue-table.ts';
import { openTestKernel, type TestKernel } from '../test-support/open-test-kernel.ts';
import { backoffAfter } from './backoff.ts';
import type { Claim } from './queue.ts';

type ModelEntry = {
  readonly id: number;
  readonly pid: number;
  readonly priority: number;
  readonly createdAt: number;
  readonly deadline: number | undefined;
  readonly attemptsMax: number;
  readonly backoffMs: number;
  runnableAt: number;
  state: QueueState;
  attempts: number;
  fence: number;
  isAlone: boolean;
  leaseMs: number;
  leaseUntil: number;
};

class Model {
  readonly entries: ModelEntry[] = [];
  readonly processes = new Map<number, 'READY' | 'RUNNING' | 'WAITING' | 'SUSPENDED' | 'DEAD'>();
  /** Claims ever given, newest last; most of them are over. */
  readonly claims: { readonly id: number; readonly fence: number }[] = [];

  rank({ priority, runnableAt, createdAt }: ModelEntry): number {
    return Math.max(runnableAt, createdAt) - priority * 60_000;
  }

  /** What becomes of entries because it is this late. */
  pass(now: number): void {
    for (const entry of this.entries) {
      if (entry.state === 'queued' && entry.deadline !== undefined && entry.deadline <= now) entry.state = 'expired';
      if (entry.state === 'dispatched' && entry.leaseUntil <= now) this.endFailed(entry, now);
    }
    for (const entry of this.entries)
      if (entry.state === 'queued' && entry.deadline !== undefined && entry.deadline <= now) entry.state = 'expired';
  }

  canClaim(pid: number, isAlone: boolean): boolean {
    const running = this.entries.filter((entry) => entry.pid === pid && entry.state === 'dispatched');
    const state = this.processes.get(pid);
    if (state === 'DEAD' || state === 'SUSPENDED' || running.some((entry) => entry.isAlone)) return false;
    return !isAlone || (running.length === 0 && state !== 'RUNNING');
  }

  claim(now: number, isAlone: boolean, limit: number, leaseMs: number): readonly number[] {
    this.pass(now);
    const ids: number[] = [];
    while (ids.length < limit) {
      const [best] = this.entries
        .filter((entry) => entry.state === 'queued' && entry.runnableAt <= now && this.canClaim(entry.pid, isAlone))
        .sort((left, right) => this.rank(left) - this.rank(right) || left.id - right.id);
      if (best === undefined) break;
      Object.assign(best, {
        state: 'dispatched',
        attempts: best.attempts + 1,
        fence: best.fence + 1,
        isAlone,
        leaseMs,
        leaseUntil: now + leaseMs,
      });
      if (isAlone) this.processes.set(best.pid, 'RUNNING');
      ids.push(best.id);
    }
    return ids;
  }

  endFailed(entry: ModelEntry, now: number): void {
    if (entry.attempts >= entry.attemptsMax) entry.state = 'dead';
    else {
      entry.state = 'queued';
      entry.runnableAt = now + backoffAfter(entry, entry.attempts);
    }
    this.leave(entry);
  }

  leave(entry: ModelEntry): void {
    const state = this.processes.get(entry.pid);
    if (state === 'DEAD' && entry.state === 'queued') entry.state = 'cancelled';
    if (state === 'RUNNING' && entry.isAlone) this.processes.set(entry.pid, 'WAITING');
  }
}

type Real = { readonly test: TestKernel };
type Command = fc.AsyncCommand<Model, Real>;

/** Both do the same; then both have the same. */
function command(title: string, run: (model: Model, real: Real, now: number) => Promise<void>): Command {
  return {
    check: () => true,
    async run(model, real) {
      await run(model, real, real.test.clock.now());
      model.pass(real.test.clock.now());
      await real.test.kernel.scheduler.tick();
      const { entries } = await real.test.mine.queue.list({}, { limit: 1_000 });
      expect(entries.map(({ id, state, attempts, runnableAt }) => [id, state, attempts, runnableAt])).toEqual(
        model.entries.map(({ id, state, attempts, runnableAt }) => [id, state, attempts, runnableAt]),
      );
      for (const [pid, state] of model.processes) expect([pid, (await real.test.mine.processes.get(pid)).state]).toEqual([pid, state]);
    },
    toString: () => title,
  };
}

const process = fc.integer({ min: 1, max: 3 });
const which = fc.nat({ max: 30 });
const delay = fc.constantFrom(0, 0, 0, 10, 5_000);

const enqueue = fc
  .record({
    pid: process,
    priority: fc.integer({ min: -1, max: 2 }),
    delay,
    patience: fc.option(fc.constantFrom(5, 20_000), { nil: undefined }),
    attemptsMax: fc.integer({ min: 1, max: 3 }),
    backoffMs: fc.constantFrom(0, 700),
  })
  .map(({ delay, patience, ...request }) =>
    command(`enqueue ${JSON.stringify({ ...request, delay, patience })}`, async (model, { test }, now) => {
      if (model.processes.get(request.pid) === 'DEAD') return;
      const runnableAt = now + delay;
      const deadline = patience === undefined ? undefined : runnableAt + patience;
      const { id } = await test.mine.queue.enqueue({ ...request, runnableAt, deadline });
      const rest = { state: 'queued', attempts: 0, fence: 0, isAlone: false, leaseMs: 0, leaseUntil: 0 } as const;
      model.entries.push({ ...request, ...rest, id, createdAt: now, runnableAt, deadline });
    }),
  );

const claim = fc
  .record({ isAlone: fc.boolean(), limit: fc.integer({ min: 1, max: 4 }), leaseMs: fc.constantFrom(1_000, 30_000) })
  .map(({ isAlone, limit, leaseMs }) =>
    command(`claim ${limit} ${isAlone ? 'alone' : 'sharing'}`, async (model, { test }, now) => {
      const claims = await test.mine.queue.claim({ worker: 'w', startsProcess: isAlone, limit, leaseMs });
      expect(claims.map(({ entry }) => entry.id)).toEqual(model.claim(now, isAlone, limit, leaseMs));
      model.claims.push(...claims.map(({ entry, fence }: Claim) => ({ id: entry.id, fence })));
    }),
  );

/** Uses a claim, perhaps one that is long over: then it is refused and changes nothing. */
function useClaim(
  title: string,
  real: (test: TestKernel, id: number, fence: number) => Promise<unknown>,
  model: (model: Model, entry: ModelEntry, now: number) => void,
) {
  return which.map((index) =>
    command(`${title} ${index}`, async (all, { test }, now) => {
      const claim = all.claims.at(-1 - (index % Math.max(1, all.claims.length)));
      const entry = all.entries.find(({ id }) => id === claim?.id);
      if (claim === undefined || entry === undefined) return;
      const isHeld = entry.state === 'dispatched' && entry.fence === claim.fence;
      if (!isHeld) return await expect(real(test, claim.id, claim.fence)).rejects.toMatchObject({ code: 'lease_lost' });
      await real(test, claim.id, claim.fence);
      model(all, entry, now);
    }),
  );
}

const complete = useClaim(
  'complete',
  (test, id, fence) => test.mine.queue.complete(id, 'completed', { fence }),
  (model, entry) => {
    entry.state = 'completed';
    model.leave(entry);
  },
);
const fail = useClaim(
  'fail',
  (test, id, fence) => test.mine.queue.fail(id, fence, 'no'),
  (model, entry, now) => model.endFailed(entry, now),
);
const release = useClaim(
  'release',
  (test, id, fence) => test.mine.queue.release(id, fence),
  (model, entry) => {
    entry.state = 'queued';
    entry.attempts--;
    model.leave(entry);
  },
);
const heartbeat = useClaim(
  'heartbeat',
  (test, id, fence) => test.mine.queue.heartbeat(id, fence),
  (_, entry, now) => {
    entry.leaseUntil = now + entry.leaseMs;
  },
);

function useEntry(
  title: string,
  from: QueueState,
  real: (test: TestKernel, id: number) => Promise<unknown>,
  model: (entry: ModelEntry, now: number) => void,
) {
  return which.map((index) =>
    command(`${title} ${index}`, async (all, { test }, now) => {
      const entry = all.entries[index % Math.max(1, all.entries.length)];
      if (entry === undefined) return;
      if (entry.state !== from) return await expect(real(test, entry.id)).rejects.toMatchObject({ code: 'queue_illegal_transition' });
      const isTooLate = entry.deadline !== undefined && entry.deadline <= now;
      if (title === 'retry' && (isTooLate || all.processes.get(entry.pid) === 'DEAD'))
        return await expect(real(test, entry.id)).rejects.toMatchObject({ code: 'queue_entry_invalid' });
      await real(test, entry.id);
      model(entry, now);
    }),
  );
}

const cancel = useEntry(
  'cancel',
  'queued',
  (test, id) => test.mine.queue.cancel(id),
  (entry) => {
    entry.state = 'cancelled';
  },
);
const retry = useEntry(
  'retry',
  'dead',
  (test, id) => test.mine.queue.retry(id),
  (entry, now) => {
    Object.assign(entry, { state: 'queued', attempts: 0, runnableAt: now });
  },
);

const stop = process.map((pid) =>
  command(`stop ${pid}`, async (model, { test }) => {
    const state = model.processes.get(pid);
    if (state !== 'RUNNING' && state !== 'WAITING') return;
    await test.mine.processes.signal(pid, 'stop');
    model.processes.set(pid, 'SUSPENDED');
  }),
);
const goOn = process.map((pid) =>
  command(`continue ${pid}`, async (model, { test }) => {
    if (model.processes.get(pid) !== 'SUSPENDED') return;
    await test.mine.processes.signal(pid, 'continue');
    model.processes.set(pid, 'READY');
  }),
);
const end = process.map((pid) =>
  command(`end ${pid}`, async (model, { test }) => {
    if (model.processes.get(pid) === 'DEAD') return;
    await test.mine.processes.end(pid, 'completed');
    model.processes.set(pid, 'DEAD');
    for (const entry of model.entries) if (entry.pid === pid && entry.state === 'queued') entry.state = 'cancelled';
  }),
);
const advance = fc.constantFrom(1, 10, 900, 5_000, 31_000).map((ms) =>
  command(`advance ${ms}`, async (_, { test }) => {
    test.clock.advance(ms);
  }),
);
const reopen = fc.constant(
  command('reopen', async (model, { test }, now) => {
    await test.reopen();
    for (const entry of model.entries) if (entry.state === 'dispatched') entry.leaseUntil = now + entry.leaseMs;
  }),
);

/** What is counted beside the entries is what there is of them. */
async function checkCounts(test: TestKernel): Promise<void> {
  const { entries } = await test.mine.queue.list({}, { limit: 1_000 });
  await test.kernel.store.workspace(DEFAULT_WORKSPACE).read(({ queue, processes }) => {
    const count = (state: QueueState, pid?: number) =>
      entries.filter((entry) => entry.state === state && (pid === undefined || entry.pid === pid)).length;
    for (const state of QUEUE_STATES) expect([state, queue.totals()[state]]).toEqual([state, count(state)]);
    for (const pid of [1, 2, 3]) {
      const { queued = 0, dispatched = 0 } = queue.lane(pid) ?? {};
      const expected = processes.find(pid)?.state === 'DEAD' ? [0, 0] : [count('queued', pid), count('dispatched', pid)];
      expect([pid, queued, dispatched]).toEqual([pid, ...expected]);
    }
  });
}

it('the queue gives out what a plain model of it gives out, and ends where it ends', async () => {
  const commands = fc.commands(
    [
      enqueue,
      enqueue,
      enqueue,
      claim,
      claim,
      claim,
      complete,
      complete,
      fail,
      release,
      heartbeat,
      cancel,
      retry,
      stop,
      goOn,
      end,
      advance,
      advance,
      reopen,
    ],
    { maxCommands: 150, size: 'max' },
  );
  await fc.assert(
    fc.asyncProperty(commands, fc.boolean(), async (all, isRehearsing) => {
      await using test = await openTestKernel({ isRehearsing });
      const model = new Model();
      for (const _ of [1, 2, 3]) {
        const { pid, state } = await test.mine.processes.create({ name: 'a', template: 't' });
        if (state === 'READY') model.processes.set(pid, state);
      }
      await fc.asyncModelRun(() => ({ model, real: { test } }), all);
      expect(model.entries.every(({ attempts, attemptsMax }) => attempts <= attemptsMax)).toBe(true);
      await checkCounts(test);
      await test.reopen();
      await checkCounts(test);
      expect(await test.kernel.store.check()).toEqual([]);
    }),
    { numRuns: 30 },
  );
}, 60_000);
