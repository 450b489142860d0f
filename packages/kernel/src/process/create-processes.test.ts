import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PARENT_END_POLICIES, PROCESS_STATES, type ProcessState } from '../store/tables/process-table.ts';
import { openTestKernel, type TestKernel } from '../test-support/open-test-kernel.ts';
import { MOVES } from './moves.ts';

const ONE = { name: 'alice', template: 'coder' };

/** A legal way from READY to each state. */
const WAYS: Readonly<Record<ProcessState, readonly ProcessState[]>> = {
  READY: [],
  RUNNING: ['RUNNING'],
  WAITING: ['RUNNING', 'WAITING'],
  SUSPENDED: ['RUNNING', 'SUSPENDED'],
  DEAD: ['DEAD'],
};

async function createIn(test: TestKernel, state: ProcessState): Promise<number> {
  const { pid } = await test.mine.processes.create(ONE);
  for (const step of WAYS[state]) await test.mine.processes.transition(pid, step);
  return pid;
}

async function kinds(test: TestKernel): Promise<readonly string[]> {
  return (await test.mine.events.tail({})).events.map(({ kind }) => kind);
}

describe('creating a process', () => {
  it('makes it READY with one event, and never gives a pid twice', async () => {
    await using test = await openTestKernel();
    const first = await test.mine.processes.create(ONE);
    expect(first).toMatchObject({ pid: 1, state: 'READY', name: 'alice', template: 'coder', parentPid: undefined, lastEventId: 1 });
    await test.mine.processes.end(1, 'completed');
    await test.reopen();
    expect((await test.mine.processes.create(ONE)).pid).toBe(2);
    expect(await kinds(test)).toEqual(['kernel.process.created', 'kernel.process.terminated', 'kernel.process.created']);
  });

  it('refuses an unknown parent, an empty name and a template that is no text', async () => {
    await using test = await openTestKernel();
    const { processes } = test.mine;
    await expect(processes.create({ ...ONE, parentPid: 9 })).rejects.toMatchObject({ code: 'unknown_pid', details: { pid: 9 } });
    await expect(processes.create({ ...ONE, name: '' })).rejects.toMatchObject({ code: 'invalid_payload', details: { field: 'name' } });
    const template = 5 as unknown as string; // What an untyped caller may pass.
    await expect(processes.create({ ...ONE, template })).rejects.toMatchObject({ code: 'invalid_payload', details: { field: 'template' } });
    expect(await kinds(test)).toEqual([]);
  });

  it('refuses a parent that is DEAD: nothing would end the child', async () => {
    await using test = await openTestKernel();
    const { pid } = await test.mine.processes.create(ONE);
    await test.mine.processes.end(pid, 'completed');
    await expect(test.mine.processes.create({ ...ONE, parentPid: pid })).rejects.toMatchObject({ code: 'illegal_transition' });
  });

  it.each([['a\nb'], ['a\0'], ['\ud800'], ['x'.repeat(257)]])('refuses the name %j', async (name) => {
    await using test = await openTestKernel();
    await expect(test.mine.processes.create({ ...ONE, name })).rejects.toMatchObject({ code: 'invalid_payload' });
  });

  it('keeps metadata as it was, also keys that are special to JavaScript', async () => {
    await using test = await openTestKernel();
    const metadata = JSON.parse('{"__proto__":{"admin":true},"constructor":1,"ключ":"値"}');
    const { pid } = await test.mine.processes.create({ ...ONE, metadata });
    const kept = (await test.mine.processes.get(pid)).metadata;
    expect(JSON.stringify(kept)).toBe(JSON.stringify(metadata));
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it('refuses metadata that is too deep or too large', async () => {
    await using test = await openTestKernel();
    let deep = {};
    for (let depth = 0; depth < 10_000; depth++) deep = { deep };
    await expect(test.mine.processes.create({ ...ONE, metadata: deep })).rejects.toMatchObject({ code: 'invalid_payload' });
    const large = { text: 'x'.repeat(1_100_000) };
    await expect(test.mine.processes.create({ ...ONE, metadata: large })).rejects.toMatchObject({ code: 'too_large' });
  });

  it('bounds how deep a family is', async () => {
    await using test = await openTestKernel({ isRehearsing: false });
    let parentPid: number | undefined;
    for (let depth = 0; depth < 32; depth++) parentPid = (await test.mine.processes.create({ ...ONE, parentPid })).pid;
    await expect(test.mine.processes.create({ ...ONE, parentPid })).rejects.toMatchObject({
      code: 'invalid_payload',
      details: { field: 'parent_pid' },
    });
  });
});

describe('moving a process', () => {
  const pairs = PROCESS_STATES.flatMap((from) => PROCESS_STATES.map((to) => ({ from, to, isLegal: MOVES[from].includes(to) })));

  it('knows ten legal moves', () => {
    expect(pairs.filter(({ isLegal }) => isLegal)).toHaveLength(10);
  });

  it.each(pairs)('$from to $to: $isLegal', async ({ from, to, isLegal }) => {
    await using test = await openTestKernel();
    const pid = await createIn(test, from);
    const before = await test.mine.processes.get(pid);
    const moving = test.mine.processes.transition(pid, to, { reason: 'test' });
    if (isLegal) {
      expect(await moving).toMatchObject({ pid, prevState: from, state: to });
      expect(await test.mine.processes.get(pid)).toMatchObject({ state: to, stateReason: 'test' });
    } else {
      await expect(moving).rejects.toMatchObject({ code: 'illegal_transition', details: { prev_state: from, target_state: to } });
      expect(await test.mine.processes.get(pid)).toEqual(before);
    }
  });

  it('records when it first ran, once', async () => {
    await using test = await openTestKernel();
    const pid = await createIn(test, 'RUNNING');
    const { startedAt } = await test.mine.processes.get(pid);
    test.clock.advance(1_000);
    await test.mine.processes.transition(pid, 'WAITING');
    await test.mine.processes.transition(pid, 'RUNNING');
    expect(await test.mine.processes.get(pid)).toMatchObject({ startedAt, updatedAt: (startedAt ?? 0) + 1_000 });
  });

  it('writes exactly the states and the reason into its event', async () => {
    await using test = await openTestKernel();
    const { pid } = await test.mine.processes.create(ONE);
    await test.mine.processes.transition(pid, 'RUNNING', { reason: 'go' });
    await test.mine.processes.end(pid, 'failed', { err: 'oom' });
    const { events } = await test.mine.events.tail({ pid });
    expect(events.map(({ kind }) => kind)).toEqual(['kernel.process.created', 'kernel.process.transitioned', 'kernel.process.terminated']);
    expect(events[1]?.payload).toEqual({ prev_state: 'READY', new_state: 'RUNNING', reason: 'go' });
    expect(events[2]?.payload).toEqual({
      prev_state: 'RUNNING',
      new_state: 'DEAD',
      reason: null,
      exit_kind: 'failed',
      exit_detail: { err: 'oom' },
    });
    expect(await test.mine.processes.get(pid)).toMatchObject({ exitKind: 'failed', exitDetail: { err: 'oom' }, endedAt: test.clock.now() });
  });

  it('moves only from the state that is expected, if one is', async () => {
    await using test = await openTestKernel();
    const { pid } = await test.mine.processes.create(ONE);
    const moving = test.mine.processes.transition(pid, 'RUNNING', { expected: 'WAITING' });
    await expect(moving).rejects.toMatchObject({ code: 'illegal_transition', details: { prev_state: 'READY' } });
  });

  it('refuses a second end', async () => {
    await using test = await openTestKernel();
    const pid = await createIn(test, 'DEAD');
    await expect(test.mine.processes.end(pid, 'completed')).rejects.toMatchObject({ code: 'illegal_transition' });
  });
});

describe('a parent that ends', () => {
  it('ends, leaves or lets go of its children as each was made, and says why', async () => {
    await using test = await openTestKernel();
    const { processes, events } = test.mine;
    const { pid: parentPid } = await processes.create(ONE);
    const [ended, left, freed] = await Promise.all(
      (['end', 'orphan', 'detach'] as const).map((onParentEnd) => processes.create({ ...ONE, parentPid, onParentEnd })),
    );
    const below = await processes.create({ ...ONE, parentPid: ended?.pid });
    const { eventId } = await processes.end(parentPid, 'completed');
    expect(await processes.get(ended?.pid ?? 0)).toMatchObject({ state: 'DEAD', exitKind: 'cancelled', stateReason: 'parent_ended' });
    expect(await processes.get(below.pid)).toMatchObject({ state: 'DEAD' });
    expect(await processes.get(left?.pid ?? 0)).toMatchObject({ state: 'READY', parentPid });
    expect(await processes.get(freed?.pid ?? 0)).toMatchObject({ state: 'READY', parentPid: undefined });
    const cause = (await events.newest({ pid: below.pid, limit: 1 }))[0]?.id ?? 0;
    expect((await events.trace(cause)).events.at(-1)?.id).toBe(eventId);
  });
});

describe('signals', () => {
  it.each([
    ['stop', 'RUNNING', 'SUSPENDED'],
    ['stop', 'WAITING', 'SUSPENDED'],
    ['continue', 'SUSPENDED', 'READY'],
    ['continue', 'RUNNING', 'RUNNING'],
    ['kill', 'RUNNING', 'DEAD'],
    ['kill', 'SUSPENDED', 'DEAD'],
    ['terminate', 'READY', 'DEAD'],
    ['terminate', 'RUNNING', 'RUNNING'],
    ['interrupt', 'RUNNING', 'RUNNING'],
    ['interrupt', 'WAITING', 'WAITING'],
  ] as const)('%s in %s leads to %s', async (signal, from, to) => {
    await using test = await openTestKernel();
    const pid = await createIn(test, from);
    const isPending = from === 'RUNNING' && (signal === 'terminate' || signal === 'interrupt');
    expect(await test.mine.processes.signal(pid, signal)).toMatchObject({ state: to, pendingSignal: isPending ? signal : undefined });
  });

  it('are refused by a process that is DEAD', async () => {
    await using test = await openTestKernel();
    const pid = await createIn(test, 'DEAD');
    await expect(test.mine.processes.signal(pid, 'continue')).rejects.toMatchObject({ code: 'illegal_transition' });
  });
});

describe('listing processes', () => {
  it('filters, pages and counts', async () => {
    await using test = await openTestKernel();
    const { processes } = test.mine;
    const parent = await processes.create({ ...ONE, agent: 'a' });
    for (let index = 0; index < 5; index++) await processes.create({ ...ONE, parentPid: parent.pid });
    await processes.end(6, 'completed');
    const page = await processes.list({ parentPid: parent.pid }, { limit: 2, offset: 1 });
    expect([page.processes.map(({ pid }) => pid), page.total]).toEqual([[3, 4], 5]);
    expect((await processes.list({ state: 'DEAD' })).processes.map(({ pid }) => pid)).toEqual([6]);
    expect((await processes.list({ agent: 'a' })).total).toBe(6); // Children are of the agent of their parent.
    expect((await processes.tree(parent.pid)).map(({ pid }) => pid)).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe('recovery', () => {
  async function four(test: TestKernel): Promise<readonly number[]> {
    return [await createIn(test, 'RUNNING'), await createIn(test, 'WAITING'), await createIn(test, 'READY'), await createIn(test, 'DEAD')];
  }
  const states = async (test: TestKernel) => (await test.mine.processes.list()).processes.map(({ state }) => state);

  it('suspends what ran or waited, once', async () => {
    await using test = await openTestKernel();
    await four(test);
    await test.reopen({ recovery: 'suspend' });
    expect(await states(test)).toEqual(['SUSPENDED', 'SUSPENDED', 'READY', 'DEAD']);
    expect((await test.mine.processes.get(1)).stateReason).toBe('daemon_restart');
    await test.reopen({ recovery: 'suspend' });
    const { events } = await test.mine.events.tail({ kind: 'kernel.process.recovered' });
    expect(events.map(({ pid, payload }) => [pid, payload])).toEqual([
      [1, { prev_state: 'RUNNING', new_state: 'SUSPENDED', policy: 'suspend', reason: 'daemon_restart' }],
      [2, { prev_state: 'WAITING', new_state: 'SUSPENDED', policy: 'suspend', reason: 'daemon_restart' }],
    ]);
  });

  it('ends what ran or waited, if that is the policy', async () => {
    await using test = await openTestKernel();
    await four(test);
    await test.reopen({ recovery: 'mark-dead' });
    expect(await states(test)).toEqual(['DEAD', 'DEAD', 'READY', 'DEAD']);
    expect(await test.mine.processes.get(2)).toMatchObject({ exitKind: 'crashed', stateReason: 'daemon_restart' });
  });

  it('ends, leaves or detaches the children of what it ends, as any end does', async () => {
    await using test = await openTestKernel();
    const parentPid = await createIn(test, 'RUNNING');
    for (const onParentEnd of PARENT_END_POLICIES) await test.mine.processes.create({ ...ONE, parentPid, onParentEnd });
    await test.mine.processes.create({ ...ONE, parentPid: 2 });
    await test.mine.processes.transition(2, 'RUNNING');
    await test.reopen({ recovery: 'mark-dead' });
    const { processes } = await test.mine.processes.list();
    expect(processes.map(({ state, exitKind, parentPid: parent }) => [state, exitKind, parent])).toEqual([
      ['DEAD', 'crashed', undefined],
      ['DEAD', 'crashed', 1],
      ['READY', undefined, 1],
      ['READY', undefined, undefined],
      ['DEAD', 'cancelled', 2],
    ]);
  });

  it('lets who waits go on waiting, by default, and suspends who ran for nobody', async () => {
    await using test = await openTestKernel();
    await four(test);
    await test.reopen();
    expect(await states(test)).toEqual(['SUSPENDED', 'WAITING', 'READY', 'DEAD']);
  });
});

it('a process is in the state its events tell, whatever happened to it', async () => {
  await using test = await openTestKernel({ isRehearsing: false });
  const step = fc.tuple(fc.nat(5), fc.constantFrom(...PROCESS_STATES));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const first = (await test.mine.processes.create(ONE)).pid;
      const pids = [first];
      for (const [choice, target] of steps) {
        const pid = pids[choice % pids.length] ?? first;
        if (choice === 5) {
          const born = await test.mine.processes.create({ ...ONE, parentPid: pid }).catch(() => undefined);
          if (born !== undefined) pids.push(born.pid);
        } else await test.mine.processes.transition(pid, target).catch(() => {}); // Refused moves change nothing, which is what is looked at.
      }
      for (const pid of pids) {
        const last = (await test.mine.events.newest({ pid, limit: 1 }))[0];
        const told = last?.kind === 'kernel.process.created' ? 'READY' : last?.payload['new_state'];
        expect(await test.mine.processes.get(pid)).toMatchObject({ state: told, lastEventId: last?.id });
      }
    }),
    { numRuns: 50 },
  );
});
