import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { createFaultPlan } from '../chaos/fault-plan.ts';
import { PlayedCrash } from '../internal/fault-points.ts';
import { openTestKernel, type TestKernel } from '../test-support/open-test-kernel.ts';
import type { Retention } from '../workspace/workspaces.ts';
import { createPurger, type PurgerParts } from './create-purger.ts';
import { AGED_DEFAULT } from './purge-aged.ts';
import type { Purged } from './purger.ts';

const DAY = 86_400_000;
const NOTHING = { events: 0, entries: 0, runs: 0, messages: 0, state: 0, calls: 0, approvals: 0, counters: 0, alerts: 0, fileVersions: 0 };

const CALL = { capability: 'c', version: '1', effect: 'read', hash: 'h', idempotencyKey: undefined, approvalId: undefined, input: undefined, createdAt: 1, openedAt: 1, attempts: 1, reservationId: undefined, record: {}, ending: undefined, answer: undefined } as const; // biome-ignore format: one line
const APPROVAL = { callId: 'c', agent: 'a', capability: 'c', callHash: 'h', input: {}, rule: undefined, reasoning: undefined, terms: {}, createdAt: 1, expiresAt: 2, escalateAt: undefined, escalatedAt: undefined, reason: undefined, editedInput: undefined, votes: [] } as const; // biome-ignore format: one line
const RULE = { id: 'r', agent: 'a', capability: 'c', when: undefined, createdAt: 1, createdBy: 'o', approvalId: undefined, revokedAt: undefined, revokedBy: undefined }; // biome-ignore format: one line

async function keep(under: TestKernel, retention: Partial<Retention>): Promise<void> {
  const before = (await under.kernel.workspaces.get(DEFAULT_WORKSPACE)).settings.retention;
  await under.kernel.workspaces.update(DEFAULT_WORKSPACE, { retention: { ...before, ...retention } });
}

async function spawn({ mine }: TestKernel): Promise<number> {
  return (await mine.processes.create({ name: 'a', template: 't' })).pid;
}

async function append({ mine }: TestKernel, pid: number, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => mine.events.append({ pid, kind: 'note', payload: { index } })));
}

async function kinds({ mine }: TestKernel): Promise<readonly string[]> {
  return (await mine.events.newest({ limit: 10_000 })).map(({ kind }) => kind);
}

describe('a purge', () => {
  it('of what is all to be kept does nothing, and says nothing', async () => {
    await using under = await openTestKernel();
    const pid = await spawn(under);
    await append(under, pid, 10);
    const before = await kinds(under);
    expect(await under.kernel.purger.purge()).toEqual(NOTHING);
    expect(await kinds(under)).toEqual(before);
  });

  it('deletes events that are too old, keeps the younger, and gives no id again', async () => {
    await using under = await openTestKernel();
    const { mine, clock, kernel } = under;
    const pid = await spawn(under);
    await append(under, pid, 30);
    clock.advance(10 * DAY);
    await append(under, pid, 5);
    clock.advance(20 * DAY);
    expect(await kernel.purger.purge()).toMatchObject({ events: 31 });
    const left = await mine.events.newest({ limit: 100 });
    expect(left.map(({ id, kind }) => [id, kind])).toEqual([
      ...[32, 33, 34, 35, 36].map((id) => [id, 'note']),
      [37, 'kernel.store.purged'],
    ]);
    expect(left.at(-1)).toMatchObject({
      pid: undefined,
      payload: { events: 31, entries: 0, runs: 0, messages: 0, state: 0, calls: 0, approvals: 0, counters: 0, alerts: 0, file_versions: 0 },
    });
    expect(await mine.events.extent()).toEqual({ firstId: 32, nextId: 38, count: 6 });
  });

  it('deletes the oldest events beyond the count, in steps, with room for the event about it', async () => {
    await using under = await openTestKernel({ isRehearsing: false });
    const pid = await spawn(under);
    await append(under, pid, 2_500);
    await keep(under, { eventsMax: 100 });
    expect(await under.kernel.purger.purge()).toMatchObject({ events: 2_403 });
    expect(await under.mine.events.extent()).toMatchObject({ count: 100 });
    expect(await under.kernel.purger.purge()).toMatchObject({ events: 0 });
  });

  it('leaves no trace when only traces of earlier ones went', async () => {
    await using under = await openTestKernel();
    const { clock, kernel } = under;
    await spawn(under);
    clock.advance(30 * DAY);
    await kernel.purger.purge();
    expect(await kinds(under)).toEqual(['kernel.store.purged']);
    clock.advance(30 * DAY);
    expect(await kernel.purger.purge()).toMatchObject({ events: 1 });
    expect(await kinds(under)).toEqual([]);
    expect(await kernel.purger.purge()).toMatchObject({ events: 0 });
  });

  it('deletes finished entries of the queue that are too old or too many, and none that wait', async () => {
    await using under = await openTestKernel();
    const { mine, clock, kernel } = under;
    const pid = await spawn(under);
    const finish = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index++) await mine.queue.cancel((await mine.queue.enqueue({ pid })).id);
    };
    await finish(4);
    clock.advance(8 * DAY);
    await finish(6);
    await mine.queue.enqueue({ pid });
    expect(await kernel.purger.purge()).toMatchObject({ entries: 4 });
    await keep(under, { finishedEntriesMax: 2 });
    expect(await kernel.purger.purge()).toMatchObject({ entries: 4 });
    expect((await mine.queue.list({})).entries.map(({ state }) => state).toSorted()).toEqual(['cancelled', 'cancelled', 'queued']);
    expect(await kernel.purger.purge()).toMatchObject({ entries: 0 });
  });

  it('deletes runs that ended too long ago or are too many, with their journals, in steps, and none that has not ended', async () => {
    await using under = await openTestKernel({ isRehearsing: false });
    const { mine, clock, kernel } = under;
    const begin = async (): Promise<number> => (await mine.runs.create({ pid: await spawn(under), task: {} })).id;
    const end = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index++) await mine.runs.stop(await begin(), 'enough');
    };
    const live = await begin();
    const [claim] = await mine.queue.claim({ worker: 'w', areRuns: true });
    const note = { kind: 'note', body: {} } as const;
    const lease = { entry: claim?.entry.id ?? 0, fence: claim?.fence ?? 0 };
    for (let some = 0; some < 3; some++) await mine.runs.append(live, lease, Array(200).fill(note));
    await end(3);
    clock.advance(8 * DAY);
    await end(4);
    expect(await kernel.purger.purge()).toMatchObject({ runs: 3 });
    clock.advance(1);
    await mine.runs.end(live, lease, 'completed', {});
    await keep(under, { finishedEntriesMax: 2 });
    expect(await kernel.purger.purge()).toMatchObject({ runs: 3 });
    expect((await mine.runs.list()).map(({ id }) => id)).toEqual([8, live]);
    clock.advance(8 * DAY);
    const waiting = await begin();
    expect(await kernel.purger.purge()).toMatchObject({ runs: 2 });
    expect((await mine.runs.list()).map(({ id }) => id)).toEqual([waiting]);
    await expect(mine.runs.steps(live)).rejects.toMatchObject({ code: 'not_found' });
    expect(waiting).toBe(9);
    expect(await kernel.purger.purge()).toMatchObject({ runs: 0 });
  });

  it('deletes the history of files that is too old, never what a file is now', async () => {
    await using under = await openTestKernel();
    const { mine, clock, kernel } = under;
    const pid = await spawn(under);
    const write = (path: string, text: string) => mine.files.write(pid, { path }, Buffer.from(text));
    await write('/old', 'x');
    await write('/replaced', 'one');
    await write('/deleted', 'x');
    await mine.files.delete('/deleted');
    clock.advance(DAY);
    await write('/replaced', 'two');
    clock.advance(29 * DAY + 1);
    expect(await kernel.purger.purge()).toMatchObject({ fileVersions: 2 });
    expect(await mine.files.history('/deleted')).toEqual([]);
    expect((await mine.files.history('/replaced')).map(({ version }) => version)).toEqual([2, 1]);
    clock.advance(DAY);
    expect(await kernel.purger.purge()).toMatchObject({ fileVersions: 1 });
    expect((await mine.files.list()).files.map(({ path, version }) => [path, version])).toEqual([['/old', 1], ['/replaced', 2]]); // biome-ignore format: one line
  });

  it('brings files down to fewer versions when fewer shall be kept, of paths that nobody writes any more too', async () => {
    await using under = await openTestKernel({ isRehearsing: false });
    const { mine, kernel } = under;
    const pid = await spawn(under);
    for (let index = 0; index < 8; index++) {
      await Promise.all(['/a', '/b', '/c'].map((path) => mine.files.write(pid, { path }, Buffer.from(`${index}`))));
    }
    await mine.files.delete('/c');
    expect(await kernel.purger.purge()).toMatchObject({ fileVersions: 0 });
    await keep(under, { fileVersionsMax: 3 });
    expect(await kernel.purger.purge()).toMatchObject({ fileVersions: 5 + 5 + 6 });
    expect((await mine.files.history('/a')).map(({ version }) => version)).toEqual([8, 7, 6]);
    expect((await mine.files.history('/c')).map(({ version }) => version)).toEqual([9, 8, 7]);
    expect(await kernel.purger.purge()).toMatchObject({ fileVersions: 0 });
  });

  it('deletes what is done, decided, counted and seen to when it is too old, and nothing that is still asked', async () => {
    await using under = await openTestKernel();
    const { mine, clock, kernel } = under;
    const pid = await spawn(under);
    const rows = kernel.store.workspace(DEFAULT_WORKSPACE);
    const now = clock.now();
    await rows.write(({ calls, approvals, counters }) => {
      for (const [id, endedAt] of [['open', undefined], ['done', now]] as const) calls.insert({ ...CALL, id, pid, state: endedAt === undefined ? 'open' : 'done', endedAt }); // biome-ignore format: one line
      for (const [id, decidedAt] of [['asked', undefined], ['decided', now]] as const) approvals.insert({ ...APPROVAL, id, pid, state: decidedAt === undefined ? 'pending' : 'approved', decidedAt }); // biome-ignore format: one line
      approvals.insertRule({ ...RULE, expiresAt: now });
      counters.add('k', now, 1, 367 * DAY);
    });
    const alert = await mine.alerts.send({ message: 'm', severity: 'info' });
    await mine.alerts.send({ message: 'nobody saw it', severity: 'info' });
    await mine.alerts.acknowledge(alert.id, 'olga');
    await keep(under, { eventAgeMs: 1_000 * DAY });
    clock.advance(7 * DAY + 1);
    expect(await kernel.purger.purge()).toEqual({ ...NOTHING, calls: 1 });
    clock.advance(83 * DAY);
    expect(await kernel.purger.purge()).toEqual({ ...NOTHING, approvals: 2, alerts: 1 });
    clock.advance(277 * DAY + 1);
    expect(await kernel.purger.purge()).toEqual({ ...NOTHING, counters: 1 });
    const left = await rows.read(({ calls, approvals }) => [calls.find('open')?.id, approvals.list({}, 9).map(({ id }) => id)]);
    expect(left).toEqual(['open', ['asked']]);
    expect((await mine.alerts.list()).alerts.map(({ message }) => message)).toEqual(['nobody saw it']);
  });

  it('deletes values that expired and the sessions of processes that ended', async () => {
    await using under = await openTestKernel();
    const { mine, clock, kernel } = under;
    const pid = await spawn(under);
    await mine.state.set({ kind: 'session', pid }, 'a', 1);
    await mine.state.set({ kind: 'agent', agent: 'alice' }, 'a', 1, { ttlMs: 10 });
    clock.advance(10);
    await mine.processes.end(pid, 'completed');
    await kernel.purger.purge(); // Or the timer of state was faster.
    const left = await kernel.store.workspace(DEFAULT_WORKSPACE).read(({ state }) => [state.nextDue(), state.size(`session:${pid}`)]);
    expect(left).toEqual([undefined, { bytes: 0, keys: 0 }]);
    expect(await kernel.purger.purge()).toEqual(NOTHING);
  });

  it('is about each workspace by its own rules', async () => {
    await using under = await openTestKernel();
    const { kernel, clock } = under;
    const other = kernel.workspace((await kernel.workspaces.create('other' as WorkspaceId)).id); // Valid.
    await other.processes.create({ name: 'a', template: 't' });
    await spawn(under);
    await keep(under, { eventAgeMs: 1_000 });
    clock.advance(2_000);
    expect(await kernel.purger.purge()).toMatchObject({ events: 2 });
    expect((await other.events.newest({})).map(({ kind }) => kind)).toEqual(['kernel.process.created']);
    expect(await kinds(under)).toEqual(['kernel.store.purged']);
  });

  it('lets others write between its steps', async () => {
    await using under = await openTestKernel({ isRehearsing: false });
    const { kernel, mine } = under;
    const pid = await spawn(under);
    await append(under, pid, 5_500);
    await keep(under, { eventsMax: 10 });
    const purging = kernel.purger.purge().then(() => 'purged');
    let written = 0;
    while ((await Promise.race([purging, mine.events.append({ pid, kind: 'note', payload: {} })])) !== 'purged') written++;
    expect(written).toBeGreaterThan(5);
  });

  it('asked for while one is under way begins after it, and once for all who ask', async () => {
    const faults = createFaultPlan();
    await using under = await openTestKernel({ faults, isRehearsing: false });
    const { purger } = under.kernel;
    const pid = await spawn(under);
    await append(under, pid, 1_500);
    await keep(under, { eventsMax: 100 });
    const asked: Promise<Purged>[] = [];
    faults.plan('store.purge', 2, { kind: 'call', action: () => asked.push(purger.purge(), purger.purge()) });
    const first = purger.purge();
    expect(purger.purge()).toBe(first); // It has not begun yet.
    expect(await first).toMatchObject({ events: 1_403 });
    expect(asked[0]).toBe(asked[1]);
    expect(asked[0]).not.toBe(first);
    expect(await Promise.all(asked)).toMatchObject([{ events: 0 }, { events: 0 }]);
  });
});

describe('a purger', () => {
  const rules = { ...AGED_DEFAULT, eventAgeMs: DAY, eventsMax: 10, finishedEntryAgeMs: DAY, finishedEntriesMax: 10, fileVersionAgeMs: DAY };
  const idle = {
    purgeEntries: () => 0,
    purgeRuns: () => ({ runs: 0, hasMore: false }),
    purgeMessages: async () => 0,
    purgeState: async () => 0,
    purgeFileVersions: async () => 0,
  };

  function createFor({ kernel }: TestKernel, more: Partial<PurgerParts> = {}) {
    return createPurger({
      store: kernel.store,
      list: async () => [{ id: DEFAULT_WORKSPACE, retention: rules }],
      workspace: () => idle,
      ...more,
    });
  }

  it('runs by itself, again and again, also after a failure, until it is closed', async () => {
    await using under = await openTestKernel();
    let runs = 0;
    let tell = (): void => {};
    const third = new Promise<void>((resolve) => { tell = resolve; }); // biome-ignore format: one line
    const list = async () => {
      if (++runs === 3) tell();
      if (runs === 1) throw new Error('the first fails');
      return [];
    };
    await using purger = createFor(under, { list, intervalMs: 1 });
    purger.begin();
    await third;
    await purger.close();
    const runsAtClose = runs;
    purger.begin();
    expect(await purger.purge()).toEqual(NOTHING);
    expect(runs).toBe(runsAtClose);
  });

  it('that is closed in the middle ends after its step, and the next one goes on', async () => {
    await using under = await openTestKernel({ isRehearsing: false });
    const pid = await spawn(under);
    await append(under, pid, 5_000);
    let closing: Promise<void> | undefined;
    let steps = 0;
    const reach = (point: string): void => {
      if (point === 'store.purge' && ++steps === 11) closing = purger.close();
    };
    const purger = createFor(under, { faults: { reach } });
    const purged = await purger.purge();
    await closing;
    expect(purged.events).toBe(0); // What was counted of a run that did not end is not told.
    const between = (await under.mine.events.extent()).count;
    expect(between).toBeGreaterThan(10);
    expect(between).toBeLessThan(5_001);
    await using next = createFor(under);
    await next.purge();
    expect((await under.mine.events.extent()).count).toBe(10);
  });

  it('purges the other workspaces when one fails, and tells of the failure', async () => {
    await using under = await openTestKernel();
    const pid = await spawn(under);
    await append(under, pid, 50);
    const failure = new Error('a damaged page');
    const retention = rules;
    const ids = ['one', 'two'] as unknown as readonly WorkspaceId[]; // Valid.
    for (const id of ids) await under.kernel.workspaces.create(id);
    const fails = { ...idle, purgeMessages: () => Promise.reject(failure) };
    const list = (failing: readonly WorkspaceId[]) => async () => [...failing, DEFAULT_WORKSPACE].map((id) => ({ id, retention }));
    const workspace = (id: WorkspaceId) => (id === DEFAULT_WORKSPACE ? idle : fails);
    await using one = createFor(under, { list: list(ids.slice(0, 1)), workspace });
    await expect(one.purge()).rejects.toBe(failure);
    expect((await under.mine.events.extent()).count).toBe(10);
    await using both = createFor(under, { list: list(ids), workspace });
    await expect(both.purge()).rejects.toMatchObject({ errors: [failure, failure] });
  });

  it('whose process dies in any step has lost nothing but what was due', async () => {
    for (const nth of [1, 2, 3, 4, 5]) {
      const faults = createFaultPlan();
      await using under = await openTestKernel({ faults, isRehearsing: false });
      const pid = await spawn(under);
      await append(under, pid, 2_500);
      await keep(under, { eventsMax: 1_000 });
      faults.plan('store.purge', nth, { kind: 'crash' });
      await expect(under.kernel.purger.purge()).rejects.toBeInstanceOf(PlayedCrash);
      await under.reopen();
      await under.kernel.purger.purge();
      const events = await under.mine.events.newest({ limit: 10_000 });
      expect(events.map(({ id }) => id - (events[0]?.id ?? 0))).toEqual(events.map((_, index) => index));
      expect(events.filter(({ kind }) => kind === 'note').at(-1)).toMatchObject({ id: 2_501 });
      expect(events.length).toBeLessThanOrEqual(1_000);
      expect(await under.kernel.store.check()).toEqual([]);
    }
  });

  it('of a kernel that only looks does nothing by itself and refuses to be asked', async () => {
    await using under = await openTestKernel();
    await spawn(under);
    await under.reopen({ isReadOnly: true });
    await expect(under.kernel.purger.purge()).rejects.toMatchObject({ code: 'store_failed' });
  });
});
