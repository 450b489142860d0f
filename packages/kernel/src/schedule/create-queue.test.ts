import { DEFAULT_WORKSPACE } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../internal/json.ts';
import type { ProcessState } from '../store/tables/process-table.ts';
import { openTestKernel, type TestKernel } from '../test-support/open-test-kernel.ts';
import type { Claim, ClaimOptions, Enqueue, QueueEntry } from './queue.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const SHARE: ClaimOptions = { worker: 'w', startsProcess: false };

async function createProcess(test: TestKernel): Promise<number> {
  return (await test.mine.processes.create({ name: 'a', template: 't' })).pid;
}

/** A kernel with a process. */
async function openWithProcess() {
  const test = await openTestKernel();
  const pid = await createProcess(test);
  return { test, pid, queue: test.mine.queue, [Symbol.asyncDispose]: () => test[Symbol.asyncDispose]() };
}

async function claimOne(test: TestKernel, options: Partial<ClaimOptions> = {}): Promise<Claim> {
  const [claim] = await test.mine.queue.claim({ worker: 'w', ...options });
  if (claim === undefined) throw new Error('There is nothing to claim');
  return claim;
}

async function claimIds(test: TestKernel, options: Partial<ClaimOptions> = {}): Promise<readonly number[]> {
  return (await test.mine.queue.claim({ worker: 'w', limit: 1_000, ...options })).map(({ entry }) => entry.id);
}

async function stateOf(test: TestKernel, pid: number): Promise<ProcessState> {
  return (await test.mine.processes.get(pid)).state;
}

/** Kinds and payloads of the events of the queue. */
async function events(test: TestKernel) {
  const { events } = await test.mine.events.tail({ limit: 10_000 });
  return events
    .filter(({ kind }) => kind.startsWith('kernel.queue.'))
    .map(({ kind, payload }) => [kind.slice('kernel.queue.'.length), payload] as const);
}

async function kinds(test: TestKernel): Promise<readonly string[]> {
  return (await events(test)).map(([kind]) => kind);
}

describe('enqueueing', () => {
  it('answers with a queued entry that has what was asked for and the defaults, and tells of it', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    const now = test.clock.now();
    const entry: QueueEntry = {
      ...{
        id: 1,
        pid,
        priority: 0,
        runnableAt: now,
        deadline: undefined,
        trigger: 'manual',
        payload: {},
        state: 'queued',
        worker: undefined,
      },
      ...{
        createdAt: now,
        dispatchedAt: undefined,
        completedAt: undefined,
        exitKind: undefined,
        attempts: 0,
        attemptsMax: 5,
        backoffMs: 1_000,
      },
      ...{ leaseUntil: undefined, error: undefined, cron: undefined },
    };
    expect(await queue.enqueue({ pid })).toEqual(entry);
    expect(await queue.get(1)).toEqual(entry);
    const request: Enqueue = {
      pid,
      priority: -3,
      runnableAt: now + 5,
      deadline: now + 9,
      trigger: 'mail',
      payload: { a: [1] },
      attemptsMax: 1,
      backoffMs: 0,
    };
    expect(await queue.enqueue(request)).toMatchObject({ ...request, id: 2 });
    const none = { deadline: null, cron: null, dedupe_key: null };
    expect(await events(test)).toEqual([
      ['enqueued', { sched_id: 1, priority: 0, trigger: 'manual', delay_ms: 0, runnable_at: now, attempts_max: 5, ...none }],
      [
        'enqueued',
        { sched_id: 2, priority: -3, trigger: 'mail', delay_ms: 5, runnable_at: now + 5, attempts_max: 1, ...none, deadline: now + 9 },
      ],
    ]);
  });

  it.each<[string, Partial<Record<keyof Enqueue, unknown>>]>([
    ['pid', { pid: -1 }],
    ['pid', { pid: 1.5 }],
    ['pid', { pid: '1' }],
    ['pid', { pid: true }],
    ['priority', { priority: 1_000_001 }],
    ['priority', { priority: 0.5 }],
    ['priority', { priority: Number.NaN }],
    ['runnable_at', { runnableAt: -1 }],
    ['runnable_at', { runnableAt: Number.POSITIVE_INFINITY }],
    ['runnable_at', { runnableAt: 8_640_000_000_000_001 }],
    ['deadline', { deadline: -1 }],
    ['deadline', { runnableAt: 2_000_000_000_000, deadline: 1_999_999_999_999 }],
    ['deadline', { deadline: 5 }],
    ['trigger', { trigger: '' }],
    ['trigger', { trigger: 'a\nb' }],
    ['trigger', { trigger: 'x'.repeat(257) }],
    ['payload', { payload: [] }],
    ['payload', { payload: 'text' }],
    ['payload', { payload: JSON.parse(`${'{"a":'.repeat(70)}1${'}'.repeat(70)}`) }],
    ['attempts_max', { attemptsMax: 0 }],
    ['attempts_max', { attemptsMax: 1_001 }],
    ['backoff_ms', { backoffMs: -1 }],
    ['backoff_ms', { backoffMs: 3_600_001 }],
    ['dedupe_key', { dedupeKey: '' }],
    ['cron', { cron: { pattern: 'nonsense' } }],
    ['cron', { cron: { pattern: '0 0 31 2 *' } }],
    ['cron', { cron: { pattern: '0 0 0 1 1 * 1999' } }],
  ])('refuses a bad %s: %j', async (field, change) => {
    await using opened = await openWithProcess();
    const request = { pid: opened.pid, ...change } as Enqueue; // What an untyped caller may pass.
    await expect(opened.queue.enqueue(request)).rejects.toMatchObject({ code: 'queue_entry_invalid', details: { field } });
    expect(await kinds(opened.test)).toEqual([]);
  });

  it('refuses an unknown process, one that has ended, and a payload of more than a mebibyte', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    await expect(queue.enqueue({ pid: 99 })).rejects.toMatchObject({ code: 'unknown_pid', details: { pid: 99 } });
    await expect(queue.enqueue({ pid, payload: { text: 'x'.repeat(1_048_576) } })).rejects.toMatchObject({ code: 'too_large' });
    await test.mine.processes.end(pid, 'completed');
    await expect(queue.enqueue({ pid })).rejects.toMatchObject({ code: 'queue_entry_invalid', details: { field: 'pid' } });
  });

  it('refuses more than 10,000 waiting entries of one process, and takes the next when one has gone', async () => {
    await using test = await openTestKernel({ isRehearsing: false });
    const pid = await createProcess(test);
    await Promise.all(Array.from({ length: 10_000 }, () => test.mine.queue.enqueue({ pid })));
    await expect(test.mine.queue.enqueue({ pid })).rejects.toMatchObject({
      code: 'queue_admission_denied',
      details: { pid, dim: 'queued' },
    });
    await test.mine.queue.enqueue({ pid: await createProcess(test) });
    await test.mine.queue.cancel(5);
    await test.mine.queue.enqueue({ pid });
  });

  it('answers with the entry that waits or runs under the same key, for the same process only', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    const first = await queue.enqueue({ pid, dedupeKey: 'daily', payload: { a: 1 } });
    expect(await queue.enqueue({ pid, dedupeKey: 'daily', payload: { a: 2 } })).toEqual(first);
    expect((await queue.enqueue({ pid: await createProcess(test), dedupeKey: 'daily' })).id).toBe(2);
    const { fence } = await claimOne(test);
    expect((await queue.enqueue({ pid, dedupeKey: 'daily' })).state).toBe('dispatched');
    await queue.complete(1, 'completed', { fence });
    expect((await queue.enqueue({ pid, dedupeKey: 'daily' })).id).toBe(3);
    await queue.cancel(3);
    expect((await queue.enqueue({ pid, dedupeKey: 'daily' })).id).toBe(4);
  });

  it('makes one entry of many that ask at once under one key', async () => {
    await using opened = await openWithProcess();
    const ids = await Promise.all(
      Array.from({ length: 50 }, async () => (await opened.queue.enqueue({ pid: opened.pid, dedupeKey: 'k' })).id),
    );
    expect(new Set(ids)).toEqual(new Set([1]));
  });
});

describe('claiming', () => {
  it('gives what came first at the same priority, and the larger priority first', async () => {
    await using opened = await openWithProcess();
    for (const priority of [1, 10, 5, 5, 1]) await opened.queue.enqueue({ pid: opened.pid, priority });
    expect(await claimIds(opened.test, SHARE)).toEqual([2, 3, 4, 1, 5]);
  });

  it('lets a minute of waiting make up for one of priority', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    await queue.enqueue({ pid, priority: 0 });
    test.clock.advance(5 * MINUTE - 1);
    await queue.enqueue({ pid, priority: 5 });
    test.clock.advance(2);
    await queue.enqueue({ pid, priority: 5 });
    expect(await claimIds(test, SHARE)).toEqual([2, 1, 3]);
  });

  it('counts waiting from the time an entry could first run', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    await queue.enqueue({ pid, runnableAt: test.clock.now() + MINUTE });
    await queue.enqueue({ pid, runnableAt: 0 });
    test.clock.advance(MINUTE - 1);
    await queue.enqueue({ pid });
    test.clock.advance(1);
    expect(await claimIds(test, SHARE)).toEqual([2, 3, 1]);
  });

  it('does not see an entry before its time, and sees it from then on', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    const runnableAt = test.clock.now() + SECOND;
    await queue.enqueue({ pid, runnableAt });
    test.clock.advance(SECOND - 1);
    expect(await claimIds(test)).toEqual([]);
    test.clock.advance(1);
    expect(await claimIds(test)).toEqual([1]);
  });

  it('at another time gives what could run then, best first, and changes nothing of the rest', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    const now = test.clock.now();
    await queue.enqueue({ pid, runnableAt: now + 20 });
    await queue.enqueue({ pid, runnableAt: now + 10, deadline: now + 15 });
    await queue.enqueue({ pid, runnableAt: now + 10 });
    await queue.enqueue({ pid, priority: 1, runnableAt: now + 30 });
    await queue.enqueue({ pid });
    const before = await queue.list({ state: 'queued' });
    expect(await claimIds(test, { ...SHARE, now: now - 1 })).toEqual([]);
    expect(await queue.list({ state: 'queued' })).toEqual(before);
    expect(await claimIds(test, { ...SHARE, now: now + 20, limit: 2 })).toEqual([5, 3]);
    expect(await claimIds(test, { ...SHARE, now: now + 20 })).toEqual([1]);
    expect(await claimIds(test, SHARE)).toEqual([]);
    expect(await claimIds(test, { ...SHARE, now: now + 14 })).toEqual([2]);
    expect(await claimIds(test, { now: now + 30 })).toEqual([]); // Others share the process.
  });

  it('returns the claim with its fence and lease, and moves the process to RUNNING with the claim as the cause', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    await queue.enqueue({ pid, payload: { a: 1 } });
    const now = test.clock.now();
    const [claim] = await queue.claim({ worker: 'alice', leaseMs: 5_000 });
    expect(claim).toMatchObject({ fence: 1, leaseUntil: now + 5_000 });
    expect(claim?.entry).toMatchObject({
      id: 1,
      payload: { a: 1 },
      state: 'dispatched',
      worker: 'alice',
      attempts: 1,
      dispatchedAt: now,
      leaseUntil: now + 5_000,
    });
    expect(await queue.get(1)).toEqual(claim?.entry);
    const log = (await test.mine.events.tail({})).events;
    const claimed = log.find(({ kind }) => kind === 'kernel.queue.claimed');
    expect(claimed?.payload).toEqual({ sched_id: 1, worker_id: 'alice', fence: 1, lease_ms: 5_000 });
    expect(log.at(-1)).toMatchObject({
      kind: 'kernel.process.transitioned',
      payload: { prev_state: 'READY', new_state: 'RUNNING' },
      causationId: claimed?.id,
    });
  });

  it('has a process to itself: what else waits for it waits until it is done, then runs', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    for (const _ of [1, 2, 3]) await queue.enqueue({ pid });
    for (const id of [1, 2, 3]) {
      const { entry, fence } = await claimOne(test, { limit: 10 });
      expect([entry.id, await stateOf(test, pid)]).toEqual([id, 'RUNNING']);
      expect([await claimIds(test), await claimIds(test, SHARE)]).toEqual([[], []]);
      await queue.complete(id, 'completed', { fence });
      expect(await stateOf(test, pid)).toBe('WAITING');
    }
    expect(await queue.list({ state: 'completed' })).toMatchObject({ total: 3 });
  });

  it('gives each of 200 entries of one process to exactly one of 8 that share it', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    await Promise.all(Array.from({ length: 200 }, () => queue.enqueue({ pid })));
    const taken: number[] = [];
    await Promise.all(
      Array.from({ length: 8 }, async (_, worker) => {
        for (;;) {
          const claims = await queue.claim({ ...SHARE, worker: `w${worker}`, limit: 3 });
          if (claims.length === 0) return;
          taken.push(...claims.map(({ entry }) => entry.id));
        }
      }),
    );
    expect(taken.sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
    expect(await stateOf(test, pid)).toBe('READY');
  });

  it('shares a process only with those that share, until the last of them is done', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    for (const _ of [1, 2, 3]) await queue.enqueue({ pid });
    await claimIds(test, { ...SHARE, limit: 2 });
    expect(await claimIds(test)).toEqual([]);
    await queue.complete(1, 'completed');
    expect(await claimIds(test)).toEqual([]);
    await queue.complete(2, 'completed');
    expect(await claimIds(test)).toEqual([3]);
  });

  it('leaves a process that runs without a claim to those that share', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    await test.mine.processes.transition(pid, 'RUNNING');
    await queue.enqueue({ pid });
    await queue.enqueue({ pid });
    expect(await claimIds(test)).toEqual([]);
    expect(await claimIds(test, { ...SHARE, limit: 1 })).toEqual([1]);
    await queue.complete(1, 'completed');
    await test.mine.processes.transition(pid, 'WAITING');
    expect(await claimIds(test)).toEqual([2]);
  });

  it('passes over suspended processes until they go on', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    const { processes } = test.mine;
    await queue.enqueue({ pid });
    await processes.transition(pid, 'RUNNING');
    await processes.signal(pid, 'stop');
    await queue.enqueue({ pid, priority: 9 });
    const other = await createProcess(test);
    await queue.enqueue({ pid: other });
    expect(await claimIds(test)).toEqual([3]);
    expect(await claimIds(test, SHARE)).toEqual([]);
    await processes.signal(pid, 'continue');
    expect(await claimIds(test)).toEqual([2]);
  });

  it('skips processes that spent their budget until there is more, unless it is told not to look', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    const account = { kind: 'process', pid } as const;
    await test.mine.ledger.create(account, { tokens: 10 }, { onBreach: 'deny' });
    await test.mine.ledger.charge(pid, 'tokens', 11);
    for (const _ of [1, 2, 3]) await queue.enqueue({ pid, priority: 5 });
    const other = await createProcess(test);
    await queue.enqueue({ pid: other });
    expect(await claimIds(test, SHARE)).toEqual([4]);
    expect(await claimIds(test, { ...SHARE, now: test.clock.now() })).toEqual([]);
    expect(await claimIds(test, { ...SHARE, isAdmissionChecked: false, limit: 1 })).toEqual([1]);
    expect(await claimIds(test, { ...SHARE, isAdmissionChecked: false, limit: 1, now: test.clock.now() })).toEqual([2]);
    expect((await kinds(test)).filter((kind) => kind === 'held')).toEqual(['held']);
    await test.mine.ledger.updateGrant(account, 'tokens', 100);
    expect(await claimIds(test, SHARE)).toEqual([3]);
  });

  it('lets in all processes of a workspace whose budget has grown, however many wait', async () => {
    await using test = await openTestKernel({ isRehearsing: false });
    const { queue, ledger, processes } = test.mine;
    const account = { kind: 'workspace' } as const;
    await ledger.create(account, { tokens: 10 }, { onBreach: 'deny' });
    const first = await createProcess(test);
    await ledger.charge(first, 'tokens', 1).catch(() => {}); // It has no budget of its own.
    await ledger.record(first, { tokens: 11 });
    const count = 1_200;
    await Promise.all(
      Array.from({ length: count }, async () => queue.enqueue({ pid: (await processes.create({ name: 'a', template: 't' })).pid })),
    );
    expect(await claimIds(test)).toEqual([]);
    expect((await kinds(test)).filter((kind) => kind === 'held').length).toBe(count);
    await ledger.updateGrant(account, 'tokens', 1_000);
    const found: number[] = [];
    for (let ids = await claimIds(test); ids.length > 0; ids = await claimIds(test)) {
      found.push(...ids);
      for (const id of ids) await queue.complete(id, 'completed');
    }
    expect(new Set(found).size).toBe(count);
  });

  it('stops at the number that may run at once in the workspace', async () => {
    await using test = await openTestKernel();
    await test.kernel.workspaces.update(DEFAULT_WORKSPACE, { runningMax: 3 });
    const pid = await createProcess(test);
    for (let count = 0; count < 6; count++) await test.mine.queue.enqueue({ pid });
    expect(await claimIds(test, { ...SHARE, limit: 2 })).toEqual([1, 2]);
    expect(await claimIds(test, SHARE)).toEqual([3]);
    expect(await claimIds(test, SHARE)).toEqual([]);
    await test.mine.queue.complete(2, 'failed');
    expect(await claimIds(test, SHARE)).toEqual([4]);
  });

  it.each<[string, Partial<Record<keyof ClaimOptions, unknown>>]>([
    ['worker_id', { worker: '' }],
    ['worker_id', { worker: 5 }],
    ['max_n', { limit: 0 }],
    ['max_n', { limit: 1.5 }],
    ['lease_ms', { leaseMs: 999 }],
    ['lease_ms', { leaseMs: 86_400_001 }],
    ['now', { now: Number.NaN }],
    ['now', { now: -1 }],
  ])('refuses a bad %s: %j', async (field, change) => {
    await using test = await openTestKernel();
    const options = { worker: 'w', ...change } as ClaimOptions; // What an untyped caller may pass.
    await expect(test.mine.queue.claim(options)).rejects.toMatchObject({ code: 'queue_entry_invalid', details: { field } });
  });

  it('takes no more than 1,000 at once, whatever is asked for', async () => {
    await using test = await openTestKernel({ isRehearsing: false });
    await test.kernel.workspaces.update(DEFAULT_WORKSPACE, { runningMax: 5_000 });
    const pid = await createProcess(test);
    await Promise.all(Array.from({ length: 1_001 }, () => test.mine.queue.enqueue({ pid })));
    expect((await claimIds(test, { ...SHARE, limit: 100_000 })).length).toBe(1_000);
  });

  it('sees nothing of other workspaces', async () => {
    await using opened = await openWithProcess();
    const { test, queue, pid } = opened;
    const { id } = await test.kernel.workspaces.create('other' as typeof DEFAULT_WORKSPACE); // A valid id.
    const other = test.kernel.workspace(id);
    await queue.enqueue({ pid });
    expect(await other.queue.claim({ worker: 'w' })).toEqual([]);
    await expect(other.queue.get(1)).rejects.toMatchObject({ code: 'queue_entry_not_found' });
    await expect(other.queue.enqueue({ pid })).rejects.toMatchObject({ code: 'unknown_pid' });
    await expect(other.queue.cancel(1)).rejects.toMatchObject({ code: 'queue_entry_not_found' });
  });
});

describe('a deadline', () => {
  it('makes an entry unclaimable from then on, and expired for whoever looks', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    const deadline = test.clock.now() + SECOND;
    await queue.enqueue({ pid, deadline });
    await queue.enqueue({ pid, deadline });
    test.clock.advance(SECOND - 1);
    const { fence } = await claimOne(test, SHARE);
    test.clock.advance(1);
    expect(await claimIds(test, SHARE)).toEqual([]);
    expect([(await queue.get(1)).state, (await queue.get(2)).state]).toEqual(['dispatched', 'expired']);
    await queue.complete(1, 'completed', { fence });
    expect(await kinds(test)).toEqual(['enqueued', 'enqueued', 'claimed', 'expired', 'completed']);
  });

  it('passes by the clock alone: the timer marks what waited, and nothing that runs', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    for (let count = 0; count < 3; count++) await queue.enqueue({ pid, deadline: test.clock.now() + SECOND });
    await claimOne(test, SHARE);
    test.clock.advance(SECOND);
    await test.kernel.scheduler.tick();
    expect((await queue.list()).entries.map(({ state }) => state)).toEqual(['dispatched', 'expired', 'expired']);
  });

  it('is looked at for another time on request', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    const now = test.clock.now();
    for (const deadline of [now + 10, now + 20, undefined]) await queue.enqueue({ pid, deadline });
    await claimIds(test, { ...SHARE, limit: 1 });
    expect([await queue.expire(), await queue.expire(now + 9), await queue.expire(now + 20), await queue.expire(now + 20)]).toEqual([
      0, 0, 1, 0,
    ]);
    await expect(queue.expire(-1)).rejects.toMatchObject({ code: 'queue_entry_invalid', details: { field: 'now' } });
  });
});

describe('completing', () => {
  it('is final, believed without a fence, and tells what the entry was before', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    await queue.enqueue({ pid });
    await claimOne(test);
    const { prevState, entry } = await queue.complete(1, 'failed', { detail: { why: 'no' } });
    expect([prevState, entry.state, entry.exitKind, entry.completedAt, entry.leaseUntil]).toEqual([
      'dispatched',
      'completed',
      'failed',
      test.clock.now(),
      undefined,
    ]);
    expect(entry.worker).toBe('w');
    expect(await queue.get(1)).toEqual(entry);
    expect((await events(test)).at(-1)).toEqual(['completed', { sched_id: 1, fence: 1, exit_kind: 'failed', detail: { why: 'no' } }]);
    await expect(queue.complete(1, 'completed')).rejects.toMatchObject({
      code: 'queue_illegal_transition',
      details: { prev_state: 'completed', op: 'complete' },
    });
  });

  it('is refused for what is not dispatched, and cancelling for what is, and both for what is unknown', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    await queue.enqueue({ pid });
    await expect(queue.complete(1, 'completed')).rejects.toMatchObject({
      code: 'queue_illegal_transition',
      details: { sched_id: 1, prev_state: 'queued', op: 'complete' },
    });
    await claimOne(test);
    await expect(queue.cancel(1)).rejects.toMatchObject({
      code: 'queue_illegal_transition',
      details: { prev_state: 'dispatched', op: 'cancel' },
    });
    for (const id of [99, -1, 0.5, Number.NaN]) {
      for (const act of [
        () => queue.get(id),
        () => queue.complete(id, 'completed'),
        () => queue.cancel(id),
        () => queue.fail(id, 1, ''),
        () => queue.retry(id),
      ]) {
        await expect(act()).rejects.toMatchObject({ code: 'queue_entry_not_found', details: { sched_id: id } });
      }
    }
  });

  it('refuses an unknown kind of exit and details that are no object', async () => {
    await using opened = await openWithProcess();
    await opened.queue.enqueue({ pid: opened.pid });
    await claimOne(opened.test);
    await expect(opened.queue.complete(1, 'exploded' as 'failed')).rejects.toMatchObject({
      code: 'queue_entry_invalid',
      details: { field: 'exit_kind' },
    }); // Untyped.
    await expect(opened.queue.complete(1, 'failed', { detail: 'x' as unknown as JsonObject })).rejects.toMatchObject({
      details: { field: 'detail' },
    }); // Untyped.
    expect((await opened.queue.get(1)).state).toBe('dispatched');
  });

  it('ends the process with the same kind if it is asked to, and cancels what waits for it', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    for (const _ of [1, 2, 3]) await queue.enqueue({ pid, runnableAt: test.clock.now() });
    const { fence } = await claimOne(test);
    await queue.complete(1, 'failed', { fence, endsProcess: true, detail: { code: 3 } });
    expect(await test.mine.processes.get(pid)).toMatchObject({ state: 'DEAD', exitKind: 'failed', exitDetail: { code: 3 } });
    expect((await queue.list()).entries.map(({ state }) => state)).toEqual(['completed', 'cancelled', 'cancelled']);
    expect((await events(test)).at(-1)).toEqual(['cancelled', { count: 2, reason: 'process_ended' }]);
  });

  it('ends a process that was asked to terminate', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    await queue.enqueue({ pid });
    const { fence } = await claimOne(test);
    await test.mine.processes.signal(pid, 'terminate');
    expect(await queue.heartbeat(1, fence)).toMatchObject({ pendingSignal: 'terminate' });
    await queue.complete(1, 'completed', { fence });
    expect(await test.mine.processes.get(pid)).toMatchObject({ state: 'DEAD', exitKind: 'cancelled', exitDetail: { signal: 'terminate' } });
  });

  it('leaves a process alone that somebody moved meanwhile', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    await queue.enqueue({ pid });
    await queue.enqueue({ pid });
    const { fence } = await claimOne(test);
    await test.mine.processes.signal(pid, 'stop');
    await queue.complete(1, 'completed', { fence });
    expect([await stateOf(test, pid), await claimIds(test)]).toEqual(['SUSPENDED', []]);
    await test.mine.processes.signal(pid, 'continue');
    expect(await claimIds(test)).toEqual([2]);
  });

  it('is possible after the process has ended; whoever runs it is told to stop', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    await queue.enqueue({ pid });
    const { fence } = await claimOne(test);
    await test.mine.processes.signal(pid, 'kill');
    expect(await queue.heartbeat(1, fence)).toMatchObject({ pendingSignal: 'terminate' });
    expect((await queue.complete(1, 'cancelled', { fence })).entry.state).toBe('completed');
  });
});

describe('a lease', () => {
  it('is prolonged by heartbeats, by its own length or another', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    await queue.enqueue({ pid });
    const { fence } = await claimOne(test, { leaseMs: 2_000 });
    test.clock.advance(1_999);
    expect(await queue.heartbeat(1, fence)).toEqual({ leaseUntil: test.clock.now() + 2_000, pendingSignal: undefined });
    test.clock.advance(1_999);
    expect(await queue.heartbeat(1, fence, 9_000)).toMatchObject({ leaseUntil: test.clock.now() + 9_000 });
    test.clock.advance(8_999);
    await test.kernel.scheduler.tick();
    expect((await queue.get(1)).state).toBe('dispatched');
    await expect(queue.heartbeat(1, fence, 5)).rejects.toMatchObject({ code: 'queue_entry_invalid', details: { field: 'lease_ms' } });
  });

  it('that runs out gives the entry back after a pause and the process to WAITING, and its holder is refused from then on', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    await queue.enqueue({ pid, backoffMs: 10_000 });
    const { fence } = await claimOne(test);
    test.clock.advance(30_000);
    await test.kernel.scheduler.tick();
    expect(await queue.get(1)).toMatchObject({
      state: 'queued',
      attempts: 1,
      worker: undefined,
      leaseUntil: undefined,
      error: 'the lease ran out',
    });
    expect(await stateOf(test, pid)).toBe('WAITING');
    expect((await kinds(test)).slice(-2)).toEqual(['lease_expired', 'retried']);
    for (const act of [
      () => queue.heartbeat(1, fence),
      () => queue.complete(1, 'completed', { fence }),
      () => queue.fail(1, fence, 'x'),
      () => queue.release(1, fence),
    ]) {
      await expect(act()).rejects.toMatchObject({ code: 'lease_lost', details: { sched_id: 1, fence } });
    }
    expect(await claimIds(test)).toEqual([]);
    test.clock.advance(11_000);
    const again = await claimOne(test);
    expect([again.fence, again.entry.attempts]).toEqual([2, 2]);
    await expect(queue.complete(1, 'completed', { fence })).rejects.toMatchObject({ code: 'lease_lost' });
    await queue.complete(1, 'completed', { fence: again.fence });
  });

  it('that ran out is found by the next claim too', async () => {
    await using opened = await openWithProcess();
    await opened.queue.enqueue({ pid: opened.pid, backoffMs: 0 });
    await claimOne(opened.test, { worker: 'gone' });
    opened.test.clock.advance(30_000);
    expect((await claimOne(opened.test, { worker: 'next' })).entry).toMatchObject({ id: 1, attempts: 2, worker: 'next' });
  });

  it('makes a dead letter of an entry whose last attempt it was, which can be queued again with fresh attempts', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    await queue.enqueue({ pid, attemptsMax: 2, backoffMs: 0 });
    for (const attempt of [1, 2]) {
      const { fence } = await claimOne(test);
      expect((await queue.fail(1, fence, `no ${attempt}`)).state).toBe(attempt === 1 ? 'queued' : 'dead');
    }
    expect(await queue.get(1)).toMatchObject({ state: 'dead', attempts: 2, error: 'no 2', completedAt: test.clock.now() });
    expect(await claimIds(test)).toEqual([]);
    expect((await kinds(test)).slice(-5)).toEqual(['failed', 'retried', 'claimed', 'failed', 'dead']);
    expect(await queue.retry(1)).toMatchObject({ state: 'queued', attempts: 0, completedAt: undefined });
    await expect(queue.retry(1)).rejects.toMatchObject({
      code: 'queue_illegal_transition',
      details: { prev_state: 'queued', op: 'retry' },
    });
    const claim = await claimOne(test);
    expect([claim.fence, claim.entry.attempts]).toEqual([3, 1]); // Nobody can hold a fence of before.
    await queue.complete(1, 'completed', { fence: 3 });
  });

  it('given back unused does not count, keeps the place in the queue, and is nobody’s any more', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    await queue.enqueue({ pid, attemptsMax: 1 });
    await queue.enqueue({ pid, attemptsMax: 1 });
    for (let count = 1; count <= 4; count++) {
      const { entry, fence } = await claimOne(test);
      expect([entry.id, entry.attempts, fence]).toEqual([1, 1, count]);
      expect(await queue.release(1, fence)).toMatchObject({ state: 'queued', attempts: 0, worker: undefined });
      expect(await stateOf(test, pid)).toBe('WAITING');
      await expect(queue.complete(1, 'completed', { fence })).rejects.toMatchObject({ code: 'lease_lost' });
    }
  });

  it('of a process that ended is not repeated', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    for (const _ of [1, 2, 3]) await queue.enqueue({ pid });
    const claims = await queue.claim({ ...SHARE, limit: 3 });
    await test.mine.processes.end(pid, 'completed');
    expect(await queue.fail(1, claims[0]?.fence ?? 0, 'no')).toMatchObject({ state: 'cancelled' });
    expect(await queue.release(2, claims[1]?.fence ?? 0)).toMatchObject({ state: 'cancelled' });
    test.clock.advance(MINUTE);
    await test.kernel.scheduler.tick();
    expect((await queue.list({ state: 'cancelled' })).total).toBe(3);
  });

  it('that fails while the process shall terminate ends the process, and the entry with it', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    await queue.enqueue({ pid });
    const { fence } = await claimOne(test);
    await test.mine.processes.signal(pid, 'terminate');
    expect(await queue.fail(1, fence, 'no')).toMatchObject({ state: 'cancelled' });
    expect(await stateOf(test, pid)).toBe('DEAD');
  });

  it('keeps what went wrong, but not megabytes of it', async () => {
    await using opened = await openWithProcess();
    await opened.queue.enqueue({ pid: opened.pid });
    const { fence } = await claimOne(opened.test);
    const { error } = await opened.queue.fail(1, fence, `${'x'.repeat(4_095)}😀 and more`);
    expect([error?.length, error?.isWellFormed()]).toEqual([4_096, true]);
    await expect(opened.queue.fail(1, fence, 5 as unknown as string)).rejects.toMatchObject({ details: { field: 'error' } }); // Untyped.
  });
});

describe('cancelling', () => {
  it('takes an entry out of the queue and lets the next come forward', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    for (const _ of [1, 2]) await queue.enqueue({ pid });
    await queue.enqueue({ pid, runnableAt: test.clock.now() + SECOND });
    expect(await queue.cancel(1)).toMatchObject({
      prevState: 'queued',
      entry: { id: 1, state: 'cancelled', completedAt: test.clock.now() },
    });
    await queue.cancel(3);
    test.clock.advance(SECOND);
    expect(await claimIds(test, SHARE)).toEqual([2]);
    await expect(queue.cancel(1)).rejects.toMatchObject({ details: { prev_state: 'cancelled', op: 'cancel' } });
  });

  it('is what the end of a process does to all that waits for it, with one event', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    await Promise.all(Array.from({ length: 500 }, () => queue.enqueue({ pid })));
    await queue.enqueue({ pid, runnableAt: test.clock.now() + SECOND });
    const ended = await test.mine.processes.end(pid, 'completed');
    const { events } = await test.mine.events.tail({ kind: 'kernel.queue.cancelled' });
    expect(events).toMatchObject([{ pid, payload: { count: 501, reason: 'process_ended' }, causationId: ended.eventId }]);
    expect((await queue.list({ state: 'cancelled' })).total).toBe(501);
    test.clock.advance(SECOND);
    await test.kernel.scheduler.tick();
    expect(await claimIds(test, SHARE)).toEqual([]);
  });
});

describe('a cron entry', () => {
  const nine = { pattern: '0 9 * * MON-FRI', zone: 'Europe/Berlin' };
  const iso = (time: number) => new Date(time).toISOString();

  it('first runs at the next time of its pattern, and is queued again when it is done', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened; // The clock stands at 2027-01-15T08:00Z, a Friday.
    const first = await queue.enqueue({ pid, cron: nine, payload: { a: 1 }, priority: 2, dedupeKey: 'nine' });
    expect([iso(first.runnableAt), first.cron]).toEqual(['2027-01-15T08:00:00.000Z', nine]);
    const { fence } = await claimOne(test);
    test.clock.advance(5 * MINUTE);
    await queue.complete(1, 'completed', { fence });
    const second = await queue.get(2);
    expect(second).toMatchObject({
      ...{ pid, payload: { a: 1 }, priority: 2, cron: nine, attempts: 0, state: 'queued' },
      trigger: 'manual',
    });
    expect(iso(second.runnableAt)).toBe('2027-01-18T08:00:00.000Z');
    expect((await queue.enqueue({ pid, dedupeKey: 'nine' })).id).toBe(2);
    const completed = (await test.mine.events.tail({ kind: 'kernel.queue.completed' })).events[0];
    expect((await test.mine.events.tail({ kind: 'kernel.queue.enqueued' })).events.at(-1)?.causationId).toBe(completed?.id);
  });

  it('that missed many times runs once, then at its next time', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    test.clock.advance(MINUTE);
    await queue.enqueue({ pid, cron: { pattern: '*/10 * * * *' } });
    test.clock.advance(24 * 60 * MINUTE);
    const { entry, fence } = await claimOne(test);
    expect(iso(entry.runnableAt)).toBe('2027-01-15T08:10:00.000Z');
    expect(await claimIds(test)).toEqual([]);
    await queue.complete(1, 'completed', { fence });
    expect(iso((await queue.get(2)).runnableAt)).toBe('2027-01-16T08:10:00.000Z');
    expect(await claimIds(test)).toEqual([]);
  });

  it('begins not before it is told to', async () => {
    await using opened = await openWithProcess();
    const runnableAt = Date.parse('2027-02-06T00:00:00Z');
    const entry = await opened.queue.enqueue({ pid: opened.pid, cron: nine, runnableAt });
    expect(iso(entry.runnableAt)).toBe('2027-02-08T08:00:00.000Z');
    expect((await opened.queue.enqueue({ pid: opened.pid, cron: nine, runnableAt: 0 })).runnableAt).toBe(opened.test.clock.now());
  });

  it('goes on when a run became a dead letter, which when retried does not begin a second series', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    await queue.enqueue({ pid, cron: nine, attemptsMax: 1 });
    await queue.fail(1, (await claimOne(test)).fence, 'no');
    expect(iso((await queue.get(2)).runnableAt)).toBe('2027-01-18T08:00:00.000Z');
    expect((await queue.retry(1)).cron).toBeUndefined();
    await queue.complete(1, 'completed', { fence: (await claimOne(test)).fence });
    expect((await queue.list({ state: 'queued' })).total).toBe(1);
  });

  it('keeps its own deadline for each run, and goes on after one that was missed', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    const now = test.clock.now();
    expect((await queue.enqueue({ pid, cron: nine, deadline: now + 10 * MINUTE })).deadline).toBe(now + 10 * MINUTE);
    test.clock.advance(10 * MINUTE);
    await test.kernel.scheduler.tick();
    const next = await queue.get(2);
    expect([(await queue.get(1)).state, iso(next.runnableAt), iso(next.deadline ?? 0)]).toEqual([
      'expired',
      '2027-01-18T08:00:00.000Z',
      '2027-01-18T08:10:00.000Z',
    ]);
  });

  it('ends when a run is cancelled, when its process ends, and when its years are over', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    await queue.enqueue({ pid, cron: nine });
    await queue.cancel(1);
    await queue.enqueue({ pid, cron: { pattern: '0 0 9 * * * 2027', zone: 'Europe/Berlin' } });
    test.clock.advance(360 * 24 * 60 * MINUTE);
    await queue.complete(2, 'completed', { fence: (await claimOne(test)).fence });
    expect((await queue.list({ state: 'queued' })).total).toBe(0);
    await queue.enqueue({ pid, cron: { pattern: '* * * * *' } });
    const { fence } = await claimOne(test);
    await queue.complete(3, 'completed', { fence, endsProcess: true });
    expect((await queue.list({ state: 'queued' })).total).toBe(0);
  });

  it('waits for a process that is suspended', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    await queue.enqueue({ pid, cron: { pattern: '* * * * *' } });
    await test.mine.processes.transition(pid, 'RUNNING');
    await test.mine.processes.signal(pid, 'stop');
    test.clock.advance(60 * MINUTE);
    await test.kernel.scheduler.tick();
    expect(await claimIds(test)).toEqual([]);
    await test.mine.processes.signal(pid, 'continue');
    expect(await claimIds(test)).toEqual([1]);
  });
});

describe('a dead letter', () => {
  it('is not queued again when its process has ended or its key is in use', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    await queue.enqueue({ pid, attemptsMax: 1, dedupeKey: 'k' });
    await queue.fail(1, (await claimOne(test)).fence, 'no');
    await queue.enqueue({ pid, dedupeKey: 'k' });
    await expect(queue.retry(1)).rejects.toMatchObject({ code: 'queue_illegal_transition', details: { prev_state: 'dead', op: 'retry' } });
    await queue.cancel(2);
    await test.mine.processes.end(pid, 'completed');
    await expect(queue.retry(1)).rejects.toMatchObject({ code: 'queue_entry_invalid', details: { field: 'pid' } });
  });
});

describe('a dead letter whose deadline has passed', () => {
  it('is not queued again, only to expire', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    await queue.enqueue({ pid, attemptsMax: 1, deadline: test.clock.now() + 10 });
    await queue.fail(1, (await claimOne(test)).fence, 'no');
    test.clock.advance(10);
    await expect(queue.retry(1)).rejects.toMatchObject({ code: 'queue_entry_invalid', details: { field: 'deadline' } });
    expect((await queue.get(1)).state).toBe('dead');
  });
});

describe('listing', () => {
  it('gives entries by id, in pages, with the total of all that match', async () => {
    await using opened = await openWithProcess();
    const { queue, pid, test } = opened;
    const other = await createProcess(test);
    for (let count = 0; count < 5; count++) await queue.enqueue({ pid: count % 2 === 0 ? pid : other });
    await queue.cancel(3);
    const list = async (...request: Parameters<typeof queue.list>) => {
      const { entries, total } = await queue.list(...request);
      return [entries.map(({ id }) => id), total];
    };
    expect(await list()).toEqual([[1, 2, 3, 4, 5], 5]);
    expect(await list({ pid })).toEqual([[1, 3, 5], 3]);
    expect(await list({ state: 'queued' })).toEqual([[1, 2, 4, 5], 4]);
    expect(await list({ state: 'cancelled', pid })).toEqual([[3], 1]);
    expect(await list({}, { limit: 2, offset: 1 })).toEqual([[2, 3], 5]);
    expect(await list({ pid: 77 })).toEqual([[], 0]);
    await expect(queue.list({ state: 'lost' as 'dead' })).rejects.toMatchObject({
      code: 'queue_state_invalid',
      details: { field: 'state' },
    }); // Untyped.
  });
});

describe('a restart', () => {
  it('keeps the queue as it was, and gives every lease its whole length again', async () => {
    await using opened = await openWithProcess();
    const { pid, test } = opened;
    for (const _ of [1, 2]) await opened.queue.enqueue({ pid });
    const { fence } = await claimOne(test, { leaseMs: 60_000 });
    test.clock.advance(59_000);
    await test.reopen();
    expect(await stateOf(test, pid)).toBe('RUNNING');
    expect((await test.mine.queue.get(1)).leaseUntil).toBe(test.clock.now() + 60_000);
    expect(await claimIds(test)).toEqual([]);
    await test.mine.queue.complete(1, 'completed', { fence });
    expect(await claimIds(test)).toEqual([2]);
  });

  it('takes back in time what nobody asked for any more', async () => {
    await using opened = await openWithProcess();
    const { pid, test } = opened;
    await opened.queue.enqueue({ pid, backoffMs: 0 });
    await claimOne(test);
    test.clock.advance(24 * 60 * MINUTE); // The machine was off.
    await test.reopen();
    expect(await claimIds(test)).toEqual([]);
    test.clock.advance(30_000);
    await test.kernel.scheduler.tick();
    expect([await stateOf(test, pid), await claimIds(test)]).toEqual(['WAITING', [1]]);
  });

  it.each([
    ['suspend', 'SUSPENDED', 'queued'],
    ['mark-dead', 'DEAD', 'cancelled'],
  ] as const)('with recovery %s makes a process with a claim %s, and what waited for it %s', async (recovery, state, waiting) => {
    await using opened = await openWithProcess();
    const { pid, test } = opened;
    for (const _ of [1, 2]) await opened.queue.enqueue({ pid });
    const { fence } = await claimOne(test);
    await test.reopen({ recovery });
    expect([await stateOf(test, pid), (await test.mine.queue.get(2)).state]).toEqual([state, waiting]);
    expect(await claimIds(test, SHARE)).toEqual([]);
    expect((await test.mine.queue.complete(1, 'completed', { fence })).entry.state).toBe('completed');
  });
});

describe('whatever is asked of it', () => {
  const number = fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double(), fc.constantFrom(Number.MAX_SAFE_INTEGER, -0, 1e300));
  const textless = fc.constantFrom({ toString: 0, valueOf: 0 }, Object.create(null), Symbol('none'));
  const anything = fc.oneof(number, fc.string(), fc.boolean(), fc.constant(null), fc.jsonValue(), fc.constant(undefined), textless);

  it('the queue answers or refuses with a fault of the contract, and never with a defect', async () => {
    await using opened = await openWithProcess();
    const { queue, test } = opened;
    const codes = new Set<string>();
    const attempt = async (act: () => Promise<unknown>) => {
      try {
        await act();
      } catch (error) {
        codes.add((error as { code?: string }).code ?? String(error)); // Whatever it is, it is looked at below.
      }
    };
    const keys = [
      'pid',
      'priority',
      'runnableAt',
      'deadline',
      'trigger',
      'payload',
      'attemptsMax',
      'backoffMs',
      'dedupeKey',
      'cron',
    ] as const;
    const requests = fc.record(Object.fromEntries(keys.map((key) => [key, anything])), { requiredKeys: ['pid'] });
    await fc.assert(
      fc.asyncProperty(requests, anything, anything, async (request, first, second) => {
        await attempt(() => queue.enqueue(request as unknown as Enqueue)); // What an untyped caller may pass.
        await attempt(() => queue.claim({ worker: first, limit: second } as ClaimOptions)); // As above.
        await attempt(() => queue.heartbeat(first as number, second as number)); // As above.
        await attempt(() => queue.complete(first as number, second as 'failed')); // As above.
        await attempt(() => queue.fail(first as number, second as number, second as string)); // As above.
        await attempt(() => queue.release(first as number, second as number)); // As above.
        await attempt(() => queue.cancel(first as number)); // As above.
        await attempt(() => queue.retry(first as number)); // As above.
      }),
      { numRuns: 100 },
    );
    const allowed = ['queue_entry_invalid', 'unknown_pid', 'queue_entry_not_found', 'queue_illegal_transition', 'lease_lost', 'too_large'];
    expect([...codes].filter((code) => !allowed.includes(code))).toEqual([]);
    await expect(test.kernel.store.check()).resolves.toEqual([]);
  });
});
