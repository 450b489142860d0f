import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import type { ExitKind } from '../store/tables/process-table.ts';
import { openTestKernel, type TestKernel } from '../test-support/open-test-kernel.ts';
import type { RunLease, RunOutcome } from './runs.ts';

const TASK = { text: 'mend the test' };
const FOR = { for: { text: 'people' } };

async function spawn({ mine }: TestKernel, parentPid?: number, onParentEnd: 'end' | 'detach' = 'end'): Promise<number> {
  return (await mine.processes.create({ name: 'a', template: 't', agent: 'ada', parentPid, onParentEnd })).pid;
}

async function create(under: TestKernel, pid?: number): Promise<number> {
  return (await under.mine.runs.create({ pid: pid ?? (await spawn(under)), task: TASK })).id;
}

/** The lease under which this run is worked off, once it is claimed. */
async function claim({ mine }: TestKernel, run: number): Promise<RunLease> {
  const claims = await mine.queue.claim({ worker: 'w', areRuns: true, limit: 100 });
  const mineOf = claims.find(({ entry }) => entry.payload['run'] === run);
  if (mineOf === undefined) throw new Error(`Run ${run} cannot be claimed`);
  return { entry: mineOf.entry.id, fence: mineOf.fence };
}

async function kinds({ mine }: TestKernel, run: number): Promise<readonly string[]> {
  return (await mine.runs.steps(run)).map(({ kind }) => kind);
}

const events = async ({ mine }: TestKernel) =>
  (await mine.events.newest({ limit: 1_000 })).flatMap(({ kind, payload }) =>
    kind.startsWith('kernel.run.') ? [[kind.slice(11), payload]] : [],
  );
const state = async ({ mine }: TestKernel, run: number) => (await mine.runs.get(run)).state;

describe('a run', () => {
  it('is queued with its task as its first step, all at once', async () => {
    await using under = await openTestKernel();
    const pid = await spawn(under);
    const run = await under.mine.runs.create({ pid, task: TASK, terms: { model: 'm' }, title: 'Mend', session: 's', priority: 3 });
    expect(run).toMatchObject({ id: 1, pid, agent: 'ada', parent: undefined, session: 's', title: 'Mend', priority: 3, state: 'queued', task: TASK, terms: { model: 'm' }, result: undefined, steps: 1 }); // biome-ignore format: one line
    expect(await under.mine.runs.steps(1)).toMatchObject([{ seq: 0, kind: 'task', body: { task: TASK, terms: { model: 'm' } } }]);
    expect((await under.mine.queue.list()).entries).toMatchObject([
      { id: 1, pid, trigger: 'kernel.run', payload: { run: 1 }, priority: 3 },
    ]);
    expect(await events(under)).toEqual([
      ['created', { run: 1, agent: 'ada', parent: null, session: 's', title: 'Mend', priority: 3, sched_id: 1 }],
      ['stepped', { run: 1, seq: 0, kind: 'task' }],
    ]);
    expect(await under.mine.runs.current(pid)).toMatchObject({ id: 1 });
    expect(await under.mine.runs.find(2)).toBeUndefined();
    await expect(under.mine.runs.get(2)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is worked off under a lease, and ends with its process', async () => {
    await using under = await openTestKernel();
    const id = await create(under);
    const lease = await claim(under, id);
    expect(await state(under, id)).toBe('running');
    under.clock.advance(5);
    expect(await under.mine.runs.append(id, lease, [{ kind: 'model', body: { a: 1 } }, { kind: 'call', body: {} }], { tokens: 7, costMicro: 2 })).toBe(1); // biome-ignore format: one line
    expect(await under.mine.runs.append(id, lease, [{ kind: 'note', body: {} }], { tokens: 1 })).toBe(3);
    const run = await under.mine.runs.end(id, lease, 'completed', { answer: 'ключ' });
    expect(run).toMatchObject({ state: 'ended', outcome: 'completed', result: { answer: 'ключ' }, tokens: 8, costMicro: 2, steps: 5, startedAt: under.clock.now(), endedAt: under.clock.now() }); // biome-ignore format: one line
    expect(await kinds(under, id)).toEqual(['task', 'model', 'call', 'note', 'end']);
    expect(await under.mine.processes.get(run?.pid ?? 0)).toMatchObject({
      state: 'DEAD',
      exitKind: 'completed',
      exitDetail: { run: id, outcome: 'completed' },
    });
    expect((await under.mine.queue.get(lease.entry)).state).toBe('completed');
    expect((await events(under)).slice(2)).toEqual([
      ['started', { run: id, sched_id: lease.entry }],
      ['stepped', { run: id, seq: 1, kind: 'model' }],
      ['stepped', { run: id, seq: 2, kind: 'call', tokens: 7, cost_micro: 2 }],
      ['stepped', { run: id, seq: 3, kind: 'note', tokens: 1, cost_micro: 0 }],
      ['stepped', { run: id, seq: 4, kind: 'end' }],
      ['ended', { run: id, outcome: 'completed', steps: 5, tokens: 8, cost_micro: 2, parent: null }],
    ]);
    await under.reopen();
    expect(await under.mine.runs.get(id)).toEqual(run);
  });

  it('is the only one of its process that has not ended, and needs one that lives', async () => {
    await using under = await openTestKernel();
    const pid = await spawn(under);
    await create(under, pid);
    await expect(create(under, pid)).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('it has run 1') });
    await under.mine.processes.end(pid, 'failed');
    await expect(create(under, pid)).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('it has ended') });
    await expect(create(under, 99)).rejects.toMatchObject({ code: 'unknown_pid' });
  });

  it('waits as a row: no entry, and a process that waits', async () => {
    await using under = await openTestKernel();
    const id = await create(under);
    const lease = await claim(under, id);
    expect(await under.mine.runs.park(id, lease, { ...FOR, after: 0 })).toBe('waiting');
    const { pid, entry, waitsFor } = await under.mine.runs.get(id);
    expect([entry, waitsFor, (await under.mine.processes.get(pid)).state]).toEqual([undefined, FOR, 'WAITING']);
    expect((await under.mine.queue.list({ state: 'queued' })).total).toBe(0);
    expect(await under.mine.runs.wake(id)).toBe(true);
    expect([await state(under, id), await under.mine.runs.wake(id), (await under.mine.runs.get(id)).waitsFor]).toEqual([
      'queued',
      false,
      undefined,
    ]);
    await claim(under, id);
    expect([await state(under, id), await under.mine.runs.wake(id)]).toEqual(['running', false]);
  });

  it('does not miss a message that came before it waits, and is woken by one that comes after', async () => {
    await using under = await openTestKernel();
    const id = await create(under);
    const first = await claim(under, id);
    expect(await under.mine.runs.post(id, { text: 'one' })).toBe(1);
    expect(await state(under, id)).toBe('running');
    expect(await under.mine.runs.park(id, first, { ...FOR, after: 0 })).toBe('queued'); // It has not read it.
    const second = await claim(under, id);
    expect(await under.mine.runs.park(id, second, { ...FOR, after: 1 })).toBe('waiting');
    expect(await under.mine.runs.post(id, { text: 'two' })).toBe(2);
    expect([await state(under, id), (await under.mine.queue.list({ state: 'queued' })).total]).toEqual(['queued', 1]);
    expect(await under.mine.runs.post(id, { text: 'three' })).toBe(3);
    expect((await under.mine.queue.list({ state: 'queued' })).total).toBe(1);
  });

  it('that waits until a time is queued then, and sooner if something comes', async () => {
    await using under = await openTestKernel();
    const id = await create(under);
    const until = under.clock.now() + 60_000;
    expect(await under.mine.runs.park(id, await claim(under, id), { ...FOR, after: 0, until })).toBe('waiting');
    under.clock.advance(59_999);
    await expect(claim(under, id)).rejects.toThrow();
    under.clock.advance(1);
    const lease = await claim(under, id);
    expect(await state(under, id)).toBe('running');
    expect(await under.mine.runs.park(id, lease, { ...FOR, after: 0, until: under.clock.now() + 60_000 })).toBe('waiting');
    expect(await under.mine.runs.wake(id)).toBe(true);
    expect(await state(under, id)).toBe('queued');
    await claim(under, id);
    under.clock.advance(20_000); // The alarm has gone, and does not come twice.
    expect((await under.mine.queue.list()).entries.map((entry) => entry.state)).toEqual([
      'completed',
      'completed',
      'cancelled',
      'dispatched',
    ]);
    expect(await under.mine.runs.get(id)).toMatchObject({ state: 'running', outcome: undefined });
  });

  it('that waits until a time that has passed is queued at once', async () => {
    await using under = await openTestKernel();
    const id = await create(under);
    expect(await under.mine.runs.park(id, await claim(under, id), { ...FOR, after: 0, until: 5 })).toBe('queued');
    expect(await state(under, id)).toBe('queued');
    await claim(under, id);
  });

  it('goes on from its journal when a lease was lost, and who lost it writes nothing', async () => {
    await using under = await openTestKernel();
    const id = await create(under);
    const lost = await claim(under, id);
    await under.mine.runs.append(id, lost, [{ kind: 'model', body: {} }]);
    under.clock.advance(30_000);
    await under.kernel.scheduler.tick();
    expect(await state(under, id)).toBe('queued');
    under.clock.advance(2_000); // The pause before the next attempt.
    const lease = await claim(under, id);
    for (const late of [
      under.mine.runs.append(id, lost, [{ kind: 'note', body: {} }]),
      under.mine.runs.park(id, lost, { ...FOR, after: 1 }),
      under.mine.runs.end(id, lost, 'completed', {}),
      under.mine.runs.append(id, { ...lease, fence: lease.fence + 1 }, [{ kind: 'note', body: {} }]),
      under.mine.runs.append(id, { ...lease, entry: 99 }, [{ kind: 'note', body: {} }]),
    ])
      await expect(late).rejects.toMatchObject({ code: 'lease_lost' });
    expect(await kinds(under, id)).toEqual(['task', 'model']);
    await under.mine.runs.end(id, lease, 'completed', {});
    await expect(under.mine.runs.append(id, lease, [{ kind: 'note', body: {} }])).rejects.toMatchObject({ code: 'lease_lost' });
  });

  it('does not end before what was said to it was heard, where that is asked for', async () => {
    await using under = await openTestKernel();
    const id = await create(under);
    const lease = await claim(under, id);
    await under.mine.runs.post(id, { text: 'and this' });
    expect(await under.mine.runs.end(id, lease, 'completed', {}, { after: 0 })).toBeUndefined();
    expect(await state(under, id)).toBe('running');
    expect(await under.mine.runs.end(id, lease, 'completed', {}, { after: 1 })).toMatchObject({ outcome: 'completed' });
  });

  it('is worked off by whoever claims runs, and by nobody else; nobody can queue what looks like one', async () => {
    await using under = await openTestKernel();
    const id = await create(under);
    const other = await spawn(under);
    await under.mine.queue.enqueue({ pid: other });
    const pidsOf = async (areRuns: boolean | undefined) =>
      (await under.kernel.scheduler.claim({ worker: 'w', limit: 9, areRuns })).map(({ entry }) => entry.pid);
    expect(await pidsOf(undefined)).toEqual([other]);
    expect(await pidsOf(true)).toEqual([(await under.mine.runs.get(id)).pid]);
    await expect(under.mine.queue.enqueue({ pid: other, trigger: 'kernel.run' })).rejects.toMatchObject({ code: 'queue_entry_invalid' });
  });

  it('is not had by who queues an entry that looks like its own', async () => {
    await using under = await openTestKernel();
    const id = await create(under);
    const { pid } = await under.mine.runs.get(id);
    const other = await spawn(under);
    await under.mine.queue.enqueue({ pid: other, trigger: 'run', payload: { run: id }, priority: 9 });
    const [forged] = await under.mine.queue.claim({ worker: 'w' });
    const lease = { entry: forged?.entry.id ?? 0, fence: forged?.fence ?? 0 };
    await expect(under.mine.runs.end(id, lease, 'completed', {})).rejects.toMatchObject({ code: 'lease_lost' });
    await under.mine.queue.complete(lease.entry, 'failed');
    const same = await under.mine.queue.enqueue({ pid, trigger: 'run', payload: { run: id } });
    await under.mine.queue.cancel(same.id);
    expect(await state(under, id)).toBe('queued');
  });

  it('that never gets a step further fails in the end; one that does may lose any number of leases', async () => {
    await using under = await openTestKernel();
    const [stuck, busy] = [await create(under), await create(under)];
    for (let life = 0; life < 12; life++) {
      for (const { entry, fence } of await under.mine.queue.claim({ worker: 'w', areRuns: true, limit: 9 })) {
        if (entry.payload['run'] === busy)
          await under.mine.runs.append(busy, { entry: entry.id, fence }, [{ kind: 'note', body: { life } }]);
      }
      under.clock.advance(100_000); // Leases run out, and pauses end.
    }
    await under.kernel.scheduler.tick();
    expect(await under.mine.runs.get(stuck)).toMatchObject({
      outcome: 'failed',
      result: { reason: 'queue:dead', error: 'the lease ran out' },
    });
    expect((await under.mine.runs.get(busy)).state).not.toBe('ended');
    expect((await under.mine.processes.get((await under.mine.runs.get(stuck)).pid)).state).toBe('DEAD');
  });
});

describe('the end of a run', () => {
  it.each<[ExitKind, RunOutcome, object | undefined]>([
    ['completed', 'completed', undefined],
    ['cancelled', 'stopped', { signal: 'kill' }],
    ['failed', 'failed', undefined],
    ['failed', 'budget', { reason: 'budget' }],
    ['crashed', 'failed', undefined],
  ])('follows from that of its process: %s is %s', async (exitKind, outcome, detail) => {
    await using under = await openTestKernel();
    const id = await create(under);
    const { pid } = await under.mine.runs.get(id);
    await claim(under, id);
    await under.mine.processes.end(pid, exitKind, detail as never);
    expect(await under.mine.runs.get(id)).toMatchObject({
      state: 'ended',
      outcome,
      result: { exit_kind: exitKind, exit_detail: detail ?? null },
    });
    expect(await kinds(under, id)).toEqual(['task', 'end']);
  });

  it('follows from a budget that is spent', async () => {
    await using under = await openTestKernel();
    const id = await create(under);
    const { pid } = await under.mine.runs.get(id);
    await under.mine.ledger.create({ kind: 'process', pid }, { tokens: 5 }, { onBreach: 'kill' });
    await under.mine.ledger.charge(pid, 'tokens', 6);
    expect(await under.mine.runs.get(id)).toMatchObject({ outcome: 'budget' });
  });

  it('follows from that of its entry, whoever ended it, and its process ends too', async () => {
    await using under = await openTestKernel();
    const [cancelled, completed, interrupted] = [await create(under), await create(under), await create(under)];
    await under.mine.queue.cancel(1);
    await under.mine.queue.claim({ worker: 'w', areRuns: true, limit: 9 });
    await under.mine.queue.complete(2, 'completed');
    await under.mine.queue.complete(3, 'cancelled');
    const ends = await Promise.all([cancelled, completed, interrupted].map((id) => under.mine.runs.get(id)));
    expect(ends.map(({ outcome, result }) => [outcome, result?.['reason']])).toEqual([
      ['stopped', 'queue:cancelled'],
      ['failed', 'queue:completed'],
      ['stopped', 'queue:completed'],
    ]);
    for (const { pid } of ends) expect((await under.mine.processes.get(pid)).state).toBe('DEAD');
  });

  it('wakes the run that started it and waits for it, in the same transaction', async () => {
    await using under = await openTestKernel();
    const parent = await create(under);
    const lease = await claim(under, parent);
    const parentPid = (await under.mine.runs.get(parent)).pid;
    const [one, two] = [await create(under, await spawn(under, parentPid)), await create(under, await spawn(under, parentPid))];
    expect((await under.mine.runs.list({ parent })).map(({ id }) => id)).toEqual([two, one]);
    expect(await under.mine.runs.park(parent, lease, { ...FOR, after: 0, runs: [two] })).toBe('waiting');
    const [first, second] = await under.mine.queue.claim({ worker: 'w', areRuns: true, limit: 9 });
    const leaseOf = (each: typeof first) => ({ entry: each?.entry.id ?? 0, fence: each?.fence ?? 0 });
    await under.mine.runs.end(one, leaseOf(first), 'completed', {});
    expect(await state(under, parent)).toBe('waiting'); // It does not wait for that one.
    await under.mine.runs.end(two, leaseOf(second), 'completed', {});
    expect(await state(under, parent)).toBe('queued');
    const again = await claim(under, parent);
    expect(await under.mine.runs.park(parent, again, { ...FOR, after: 0, runs: [one, two] })).toBe('queued'); // They have ended already.
  });

  it('is waited for by nobody but who started it', async () => {
    await using under = await openTestKernel();
    const [id, stranger] = [await create(under), await create(under)];
    const lease = await claim(under, id);
    await expect(under.mine.runs.park(id, lease, { ...FOR, after: 0, runs: [stranger] })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    expect(await state(under, id)).toBe('running');
  });
});

describe('stopping a run', () => {
  it('ends what waits or is queued at once, with the runs below it', async () => {
    await using under = await openTestKernel();
    const parent = await create(under);
    const parentPid = (await under.mine.runs.get(parent)).pid;
    const child = await create(under, await spawn(under, parentPid));
    const apart = await create(under, await spawn(under, parentPid, 'detach'));
    await under.mine.runs.park(parent, await claim(under, parent), { ...FOR, after: 0, runs: [child] });
    expect(await under.mine.runs.stop(parent, 'not needed')).toMatchObject({ state: 'ended', outcome: 'stopped' });
    expect((await under.mine.runs.get(parent)).result).toEqual({ reason: 'not needed' });
    expect(await under.mine.runs.get(child)).toMatchObject({ outcome: 'stopped', result: { reason: 'parent_ended' } });
    expect(await state(under, apart)).toBe('running');
    const before = await under.mine.events.extent();
    expect(await under.mine.runs.stop(parent, 'again')).toMatchObject({ outcome: 'stopped' });
    expect(await under.mine.events.extent()).toEqual(before);
  });

  it('asks who works it off to end it, and says why', async () => {
    await using under = await openTestKernel();
    const id = await create(under);
    const lease = await claim(under, id);
    for (const why of ['enough', 'enough!']) expect(await under.mine.runs.stop(id, why)).toMatchObject({ state: 'running' });
    expect((await under.mine.queue.heartbeat(lease.entry, lease.fence)).pendingSignal).toBe('terminate');
    expect((await under.mine.runs.steps(id)).at(-1)).toMatchObject({ seq: 1, kind: 'note', body: { kind: 'stop', reason: 'enough' } });
    expect(await under.mine.runs.end(id, lease, 'stopped', { partial: true })).toMatchObject({
      outcome: 'stopped',
      result: { partial: true },
    });
  });

  it.each([
    [
      'parks',
      async ({ mine }: TestKernel, id: number, lease: RunLease) =>
        expect(await mine.runs.park(id, lease, { ...FOR, after: 0 })).toBe('ended'),
    ],
    [
      'gives its lease back',
      async ({ mine }: TestKernel, _: number, lease: RunLease) => void (await mine.queue.release(lease.entry, lease.fence)),
    ],
    ['loses its lease', async ({ kernel, clock }: TestKernel) => { clock.advance(30_000); await kernel.scheduler.tick(); }], // biome-ignore format: one line
  ])('ends it also when who works it off only %s', async (_, act) => {
    await using under = await openTestKernel();
    const id = await create(under);
    const lease = await claim(under, id);
    await under.mine.runs.stop(id, 'enough');
    await act(under, id, lease);
    expect(await under.mine.runs.get(id)).toMatchObject({ state: 'ended', outcome: 'stopped' });
  });

  it('ends one at once whose process is suspended, and its lease is lost', async () => {
    await using under = await openTestKernel();
    const id = await create(under);
    const lease = await claim(under, id);
    await under.mine.processes.signal((await under.mine.runs.get(id)).pid, 'stop');
    expect(await under.mine.runs.stop(id, 'enough')).toMatchObject({ outcome: 'stopped' });
    await expect(under.mine.runs.append(id, lease, [{ kind: 'note', body: {} }])).rejects.toMatchObject({ code: 'lease_lost' });
  });
});

describe('what is asked of runs', () => {
  it('is refused with a fault that names it, and nothing happens', async () => {
    await using under = await openTestKernel();
    const { runs } = under.mine;
    const id = await create(under);
    const lease = await claim(under, id);
    const pid = await spawn(under);
    const before = await under.mine.events.extent();
    const large = { text: 'x'.repeat(1_048_576) };
    const hostile: readonly [() => Promise<unknown>, string][] = [
      [() => runs.create({ pid, task: 'text' as never }), 'invalid_payload'],
      [() => runs.create({ pid, task: large }), 'too_large'],
      [() => runs.create({ pid, task: {}, terms: [] as never }), 'invalid_payload'],
      [() => runs.create({ pid, task: {}, title: '\u001b[2J' }), 'invalid_payload'],
      [() => runs.create({ pid, task: {}, session: '' }), 'invalid_payload'],
      [() => runs.create({ pid, task: {}, priority: 0.5 }), 'invalid_payload'],
      [() => runs.append(id, lease, []), 'invalid_payload'],
      [() => runs.append(id, lease, Array(257).fill({ kind: 'note', body: {} })), 'invalid_payload'],
      [() => runs.append(id, lease, [{ kind: 'end' as never, body: {} }]), 'invalid_payload'],
      [() => runs.append(id, lease, [{ kind: 'task' as never, body: {} }]), 'invalid_payload'],
      [() => runs.append(id, lease, [{ kind: 'gone' as never, body: {} }]), 'invalid_payload'],
      [() => runs.append(id, lease, [null as never]), 'invalid_payload'],
      [() => runs.append(id, lease, [{ kind: 'note', body: large }]), 'too_large'],
      [() => runs.append(id, lease, [{ kind: 'note', body: {} }], { tokens: -1 }), 'invalid_payload'],
      [() => runs.append(id, lease, [{ kind: 'note', body: {} }], { costMicro: Number.NaN }), 'invalid_payload'],
      [() => runs.append(id, undefined as never, [{ kind: 'note', body: {} }]), 'invalid_payload'],
      [() => runs.append('1' as never, lease, [{ kind: 'note', body: {} }]), 'not_found'],
      [() => runs.post(id, null as never), 'invalid_payload'],
      [() => runs.post(99, {}), 'not_found'],
      [() => runs.park(id, lease, { for: { text: 'x'.repeat(4_096) }, after: 0 }), 'too_large'],
      [() => runs.park(id, lease, { ...FOR, after: 0, runs: Array(257).fill(1) }), 'invalid_payload'],
      [() => runs.park(id, lease, { ...FOR, after: 0, calls: [''] }), 'invalid_payload'],
      [() => runs.park(id, lease, { ...FOR, after: 0, until: Number.POSITIVE_INFINITY }), 'invalid_payload'],
      [() => runs.park(id, lease, { ...FOR, after: undefined as never }), 'invalid_payload'],
      [() => runs.end(id, lease, 'won' as never, {}), 'invalid_payload'],
      [() => runs.end(id, lease, 'completed', large), 'too_large'],
      [() => runs.list({ state: 'gone' as never }), 'invalid_payload'],
      [() => runs.steps(99), 'not_found'],
      [() => runs.stop(99, 'why'), 'not_found'],
      [() => runs.stop(id, ''), 'invalid_payload'],
      [() => runs.wake(99), 'not_found'],
    ];
    for (const [ask, code] of hostile) await expect(ask(), String(ask)).rejects.toMatchObject({ code });
    expect(await under.mine.events.extent()).toEqual(before);
    expect(await state(under, id)).toBe('running');
  });

  it('is written as it was when it was asked', async () => {
    await using under = await openTestKernel();
    const id = await create(under);
    const lease = await claim(under, id);
    const body: { text: string } = { text: 'before' };
    const appending = under.mine.runs.append(id, lease, [{ kind: 'note', body }]);
    body.text = 'after';
    await appending;
    const result: { text: string } = { text: 'before' };
    const ending = under.mine.runs.end(id, lease, 'completed', result);
    result.text = 'after';
    expect((await ending)?.result).toEqual({ text: 'before' });
    expect((await under.mine.runs.steps(id))[1]?.body).toEqual({ text: 'before' });
  });

  it('of one that has ended is refused, and messages cannot fill a journal', async () => {
    await using under = await openTestKernel({ isRehearsing: false });
    const id = await create(under);
    const lease = await claim(under, id);
    await under.kernel.store.workspace(under.mine.id).write(({ runs }) => {
      const row = runs.find(id);
      if (row !== undefined)
        runs.append(
          row,
          Array.from({ length: 49_999 }, () => ({ kind: 'note', json: '{}' }) as const),
        );
    });
    await expect(under.mine.runs.post(id, {})).rejects.toMatchObject({ code: 'too_large' });
    expect(await under.mine.runs.append(id, lease, [{ kind: 'note', body: {} }])).toBe(50_000);
    expect((await under.mine.runs.steps(id, { after: 49_998 })).map(({ seq }) => seq)).toEqual([49_999, 50_000]);
    await under.mine.runs.end(id, lease, 'completed', {});
    await expect(under.mine.runs.post(id, {})).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('runs of a workspace', () => {
  it('go with it to another store, where they go on', async () => {
    await using from = await openTestKernel();
    await using to = await openTestKernel({ isRehearsing: false });
    const [waiting, leased] = [await create(from), await create(from)];
    await from.mine.runs.park(waiting, await claim(from, waiting), { ...FOR, after: 0 });
    await from.kernel.scheduler.tick();
    const id = 'moved' as WorkspaceId; // Valid.
    await to.kernel.workspaces.import(id, {}, async (into) => {
      for await (const batch of from.kernel.store.exportRows(DEFAULT_WORKSPACE)) await into.rows(batch);
    });
    const { runs, queue } = to.kernel.workspace(id);
    expect((await runs.list()).map((run) => [run.id, run.state])).toEqual([[leased, 'running'], [waiting, 'waiting']]); // biome-ignore format: one line
    expect(await runs.post(waiting, {})).toBe(1);
    to.clock.advance(60_000); // Whoever had the other is not here.
    await to.kernel.scheduler.tick();
    to.clock.advance(60_000);
    const claims = await queue.claim({ worker: 'w', areRuns: true, limit: 9 });
    for (const { entry, fence } of claims) await runs.end(Number(entry.payload['run']), { entry: entry.id, fence }, 'completed', {});
    expect((await runs.list({ state: 'ended' })).length).toBe(2);
    expect(
      (await runs.create({ pid: (await to.kernel.workspace(id).processes.create({ name: 'a', template: 't' })).pid, task: {} })).id,
    ).toBe(3);
    await to.kernel.workspaces.delete(id);
    expect(await to.kernel.store.check()).toEqual([]);
  });
});
