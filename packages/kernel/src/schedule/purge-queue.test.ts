import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { openTestKernel } from '../test-support/open-test-kernel.ts';
import { purgeFinished } from './purge-queue.ts';

/** A kernel with entries in every state: 1 to 6 finished a minute apart, then one that runs and one that waits. */
async function openWithEntries() {
  const test = await openTestKernel();
  const { pid } = await test.mine.processes.create({ name: 'a', template: 't' });
  const { queue } = test.mine;
  for (let id = 1; id <= 8; id++) {
    const deadline = id === 3 ? test.clock.now() + 60_000 : undefined;
    await queue.enqueue({ pid, attemptsMax: 1, deadline });
    if (id === 1) await queue.cancel(id);
    else if (id !== 3 && id < 8) {
      const [claim] = await queue.claim({ worker: 'w', startsProcess: false, leaseMs: 3_600_000 });
      if (id === 5) await queue.fail(id, claim?.fence ?? 0, 'no');
      else if (id < 7) await queue.complete(id, 'completed');
    }
    test.clock.advance(60_000);
    await test.kernel.scheduler.tick();
  }
  const ids = async () => (await queue.list()).entries.map(({ id }) => id);
  const purge = (before: number, keepMax: number, limit: number) =>
    test.kernel.store.workspace(DEFAULT_WORKSPACE).write((transaction) => purgeFinished(transaction, before, keepMax, limit));
  return { test, queue, ids, purge, [Symbol.asyncDispose]: () => test[Symbol.asyncDispose]() };
}

describe('purging finished entries', () => {
  it('deletes what finished before a time, the longest finished first, and no more than it is told', async () => {
    await using opened = await openWithEntries();
    const { completedAt = 0 } = await opened.queue.get(5);
    expect(await opened.purge(completedAt, 1_000, 2)).toBe(2);
    expect(await opened.ids()).toEqual([3, 4, 5, 6, 7, 8]);
    expect([await opened.purge(completedAt, 1_000, 10), await opened.purge(completedAt, 1_000, 10)]).toEqual([2, 0]);
    expect(await opened.ids()).toEqual([5, 6, 7, 8]);
    const { events } = await opened.test.mine.events.tail({ kind: 'kernel.queue.purged' });
    expect(events.map(({ payload }) => payload)).toEqual([{ count: 2 }, { count: 2 }]);
  });

  it('deletes the oldest beyond a count, and never what waits or runs', async () => {
    await using opened = await openWithEntries();
    expect(await opened.purge(0, 4, 10)).toBe(2);
    expect(await opened.ids()).toEqual([3, 4, 5, 6, 7, 8]);
    expect([await opened.purge(0, 0, 3), await opened.purge(0, 0, 10), await opened.purge(Number.MAX_SAFE_INTEGER, 0, 10)]).toEqual([
      3, 1, 0,
    ]);
    expect((await opened.queue.list()).entries.map(({ id, state }) => [id, state])).toEqual([[7, 'dispatched'], [8, 'queued']]); // biome-ignore format: one line
    expect(await opened.test.kernel.store.check()).toEqual([]);
  });
});
