import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventRecord } from '../store/tables/event-table.ts';
import { openTestKernel, type TestKernel } from '../test-support/open-test-kernel.ts';

async function withProcess(test: TestKernel): Promise<number> {
  return (await test.mine.processes.create({ name: 'a', template: 't' })).pid;
}

const NEVER = new AbortController().signal;

describe('appending events', () => {
  it("numbers them without holes and moves the process's newest event", async () => {
    await using test = await openTestKernel();
    const pid = await withProcess(test);
    const ids = await Promise.all(
      Array.from({ length: 80 }, (_, index) => test.mine.events.append({ pid, kind: 'x', payload: { index } })),
    );
    expect(ids).toEqual(Array.from({ length: 80 }, (_, index) => index + 2));
    expect((await test.mine.processes.get(pid)).lastEventId).toBe(81);
  });

  it("refuses the kernel's own kinds, an empty kind and an unknown process", async () => {
    await using test = await openTestKernel();
    const pid = await withProcess(test);
    const append = (event: object) => test.mine.events.append({ pid, kind: 'x', payload: {}, ...event });
    await expect(append({ kind: 'kernel.process.created' })).rejects.toMatchObject({ code: 'invalid_payload', details: { field: 'kind' } });
    await expect(append({ kind: '' })).rejects.toMatchObject({ code: 'invalid_payload' });
    await expect(append({ pid: 99 })).rejects.toMatchObject({ code: 'unknown_pid' });
    await expect(append({ payload: [] })).rejects.toMatchObject({ code: 'invalid_payload', details: { field: 'payload' } });
  });
});

describe('reading events', () => {
  it('pages by cursor; filters compose', async () => {
    await using test = await openTestKernel();
    const [one, two] = [await withProcess(test), await withProcess(test)];
    for (const [pid, kind] of [[one, 'x'], [two, 'x'], [one, 'y'], [one, 'x']] as const) await test.mine.events.append({ pid, kind, payload: {} }); // biome-ignore format: a table
    const first = await test.mine.events.tail({ pid: one, kind: 'x', limit: 1 });
    expect(first).toMatchObject({ events: [{ id: 3 }], nextCursor: 3 });
    const rest = await test.mine.events.tail({ pid: one, kind: 'x', since: first.nextCursor });
    expect(rest).toMatchObject({ events: [{ id: 6 }], nextCursor: 6 });
    expect(await test.mine.events.tail({ since: 6 })).toEqual({ events: [], nextCursor: 6 });
    expect((await test.mine.events.newest({ limit: 2 })).map(({ id }) => id)).toEqual([5, 6]);
    expect(await test.mine.events.extent()).toEqual({ firstId: 1, nextId: 7, count: 6 });
  });

  it('traces what led to an event, as far as asked and as far as it is kept', async () => {
    await using test = await openTestKernel();
    const pid = await withProcess(test);
    let causationId = 1;
    for (let index = 0; index < 5; index++) causationId = await test.mine.events.append({ pid, kind: 'x', payload: {}, causationId });
    expect(await test.mine.events.trace(causationId)).toMatchObject({
      depth: 10,
      truncated: false,
      events: [{ id: 6 }, {}, {}, {}, {}, { id: 1 }],
    });
    expect(await test.mine.events.trace(causationId, 2)).toMatchObject({ depth: 2, truncated: true, events: [{ id: 6 }, { id: 5 }] });
    expect(await test.mine.events.trace(99)).toMatchObject({ events: [], truncated: true });
  });
});

describe('following events', () => {
  async function take(events: AsyncIterable<EventRecord>, count: number): Promise<readonly number[]> {
    const ids: number[] = [];
    for await (const { id } of events) {
      ids.push(id);
      if (ids.length === count) break;
    }
    return ids;
  }

  it('gives the backlog and then what happens, each once and in order, to any number of followers', async () => {
    await using test = await openTestKernel({ isRehearsing: false });
    const pid = await withProcess(test);
    for (let index = 0; index < 700; index++) void test.mine.events.append({ pid, kind: 'x', payload: {} });
    await test.mine.events.append({ pid, kind: 'x', payload: {} });
    const followers = [0, 3, 250, 701].map((after) => take(test.mine.events.subscribe({ after }, NEVER), 2_202 - after));
    for (let index = 0; index < 1_500; index++) void test.mine.events.append({ pid, kind: 'x', payload: {} });
    for (const [index, ids] of (await Promise.all(followers)).entries()) {
      const after = [0, 3, 250, 701][index] ?? 0;
      expect(ids).toEqual(Array.from({ length: 2_202 - after }, (_, offset) => after + offset + 1));
    }
  });

  it('begins now unless told otherwise', async () => {
    await using test = await openTestKernel();
    const pid = await withProcess(test);
    const following = test.mine.events.subscribe({}, NEVER)[Symbol.asyncIterator]();
    const next = following.next();
    await test.mine.events.extent(); // The follower has looked where now is.
    const id = await test.mine.events.append({ pid, kind: 'x', payload: {} });
    expect((await next).value.id).toBe(id);
    await following.return?.();
  });

  it('filters what it gives, from the log as from memory', async () => {
    await using test = await openTestKernel();
    const [one, two] = [await withProcess(test), await withProcess(test)];
    const following = take(test.mine.events.subscribe({ pid: one, kind: 'x', after: 0 }, NEVER), 2);
    for (const [pid, kind] of [[two, 'x'], [one, 'y'], [one, 'x'], [two, 'x'], [one, 'x']] as const) await test.mine.events.append({ pid, kind, payload: {} }); // biome-ignore format: a table
    expect(await following).toEqual([5, 7]);
  });

  it('ends when its signal fires, also while it waits', async () => {
    await using test = await openTestKernel();
    const controller = new AbortController();
    const following = take(test.mine.events.subscribe({ after: 0 }, controller.signal), 99);
    await test.mine.events.extent();
    controller.abort();
    expect(await following).toEqual([]);
  });

  it('says when events it should have given are gone', async () => {
    await using test = await openTestKernel();
    const pid = await withProcess(test);
    for (let index = 0; index < 5; index++) await test.mine.events.append({ pid, kind: 'x', payload: {} });
    await test.kernel.store.workspace(test.mine.id).write(({ events }) => events.purge(3, 100));
    await test.reopen();
    const refused = take(test.mine.events.subscribe({ after: 1 }, NEVER), 1);
    await expect(refused).rejects.toMatchObject({ code: 'conflict', details: { oldest: 4 } });
    expect(await take(test.mine.events.subscribe({ after: 1, gaps: 'skip' }, NEVER), 3)).toEqual([4, 5, 6]);
  });

  it('says when it is asked to begin after what has not happened yet, as after a backup was restored', async () => {
    await using test = await openTestKernel();
    const refused = take(test.mine.events.subscribe({ after: 1_000 }, NEVER), 1);
    await expect(refused).rejects.toMatchObject({ code: 'conflict', details: { newest: 0 } });
  });

  it('loses and repeats nothing, however appends, pages and restarts fall', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(1_200), { minLength: 1, maxLength: 4 }), fc.nat(1_500), async (bursts, after) => {
        await using test = await openTestKernel({ isRehearsing: false });
        const pid = await withProcess(test);
        const append = (count: number) =>
          Promise.all(Array.from({ length: count }, () => test.mine.events.append({ pid, kind: 'x', payload: {} })));
        const [first = 0, ...later] = bursts;
        await append(first);
        const from = Math.min(after, 1 + first);
        const total = 1 + bursts.reduce((sum, each) => sum + each, 0);
        const following = from === total ? undefined : take(test.mine.events.subscribe({ after: from }, NEVER), total - from);
        for (const burst of later) await append(burst);
        if (following !== undefined) expect(await following).toEqual(Array.from({ length: total - from }, (_, index) => from + index + 1));
      }),
      { numRuns: 10 },
    );
  });
});

it('purging keeps the numbering', async () => {
  await using test = await openTestKernel();
  const pid = await withProcess(test);
  for (let index = 0; index < 4; index++) await test.mine.events.append({ pid, kind: 'x', payload: {} });
  const mine = test.kernel.store.workspace(test.mine.id);
  expect(await mine.write(({ events }) => events.purge(99, 2))).toBe(2);
  expect(await mine.write(({ events }) => events.purge(99, 99))).toBe(3);
  await test.reopen();
  expect(await test.mine.events.extent()).toEqual({ firstId: 6, nextId: 6, count: 0 });
  expect(await test.mine.events.append({ pid, kind: 'x', payload: {} })).toBe(6);
});

it('large payloads are neither kept in memory nor read all at once, and followers get every one of them', async () => {
  await using test = await openTestKernel({ isRehearsing: false });
  const pid = await withProcess(test);
  const text = 'x'.repeat(1_000_000);
  const controller = new AbortController();
  const following = test.mine.events.subscribe({ after: 0, kind: 'large' }, controller.signal)[Symbol.asyncIterator]();
  const seen: number[] = [];
  for (let index = 0; index < 20; index++) await test.mine.events.append({ pid, kind: 'large', payload: { text } });
  for (let index = 0; index < 20; index++) seen.push((await following.next()).value.id);
  controller.abort();
  expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => index + 2));
  const page = await test.mine.events.tail({ limit: 10_000 });
  expect(page.events.length).toBeLessThan(12);
  expect((await test.mine.events.tail({ since: page.nextCursor, limit: 1 })).events[0]?.id).toBe(page.nextCursor + 1);
  expect((await test.mine.events.newest({ limit: 10_000 })).at(-1)?.id).toBe(21);
});
