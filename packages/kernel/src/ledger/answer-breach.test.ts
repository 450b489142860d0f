import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { createProcessChanges } from '../process/process-changes.ts';
import type { ProcessState } from '../store/tables/process-table.ts';
import { openTestKernel, type TestKernel } from '../test-support/open-test-kernel.ts';
import type { Readmit } from './answer-breach.ts';
import { createLedger } from './create-ledger.ts';
import type { Account, BreachPolicy } from './ledger.ts';

const ONE = { name: 'alice', template: 'coder' };
const of = (pid: number): Account => ({ kind: 'process', pid });
const WORKSPACE: Account = { kind: 'workspace' };
const agent = (name: string): Account => ({ kind: 'agent', agent: name });

/** A process that runs. */
async function start(test: TestKernel, request: { readonly parentPid?: number; readonly agent?: string } = {}): Promise<number> {
  const { pid } = await test.mine.processes.create({ ...ONE, ...request });
  await test.mine.processes.transition(pid, 'RUNNING');
  return pid;
}

const states = async (test: TestKernel): Promise<readonly ProcessState[]> =>
  (await test.mine.processes.list()).processes.map(({ state }) => state);

const breachOf = (account: Account, onBreach: BreachPolicy) => ({ account, onBreach });

async function limit(test: TestKernel, ...limits: readonly ReturnType<typeof breachOf>[]): Promise<void> {
  for (const { account, onBreach } of limits) await test.mine.ledger.create(account, { tokens: 10 }, { onBreach });
}

describe('a breach', () => {
  it('suspends what runs or waits, and says why, each step caused by the one before', async () => {
    await using test = await openTestKernel();
    await start(test);
    await limit(test, breachOf(of(1), 'suspend'));
    await test.mine.ledger.charge(1, 'tokens', 11);
    expect(await test.mine.processes.get(1)).toMatchObject({ state: 'SUSPENDED', stateReason: 'budget:process:1:tokens' });
    const { events } = await test.mine.events.trace(await test.mine.processes.get(1).then(({ lastEventId }) => lastEventId));
    expect(events.map(({ kind }) => kind)).toEqual(['kernel.process.transitioned', 'kernel.ledger.breached', 'kernel.ledger.charged']);
    expect(events[1]).toMatchObject({
      pid: 1,
      payload: { account: 'process:1', dim: 'tokens', used: 11, granted: 10, policy: 'suspend' },
    });
  });

  it('of the warning line is an event, and stops nothing', async () => {
    await using test = await openTestKernel();
    await start(test);
    await limit(test, breachOf(of(1), 'kill'));
    await test.mine.ledger.charge(1, 'tokens', 8);
    const events = await test.mine.events.newest({ limit: 2 });
    expect(events.map(({ kind, causationId }) => [kind, causationId])).toEqual([
      ['kernel.ledger.charged', undefined],
      ['kernel.ledger.warned', events[0]?.id],
    ]);
    expect(await states(test)).toEqual(['RUNNING']);
  });

  it('kills where that is the policy, and the children by theirs', async () => {
    await using test = await openTestKernel();
    await start(test);
    await start(test, { parentPid: 1 });
    await limit(test, breachOf(of(1), 'kill'));
    await test.mine.ledger.record(2, { tokens: 11 });
    expect(await test.mine.processes.get(1)).toMatchObject({
      state: 'DEAD',
      exitKind: 'failed',
      exitDetail: { reason: 'budget', account: 'process:1', dim: 'tokens' },
    });
    expect(await test.mine.processes.get(2)).toMatchObject({ state: 'DEAD' });
  });

  it('only refuses what is new where that is the policy', async () => {
    await using test = await openTestKernel();
    await start(test);
    await limit(test, breachOf(of(1), 'deny'));
    await test.mine.ledger.charge(1, 'tokens', 11);
    expect(await states(test)).toEqual(['RUNNING']);
    expect(await test.mine.ledger.reserve(1, { tool_calls: 1 })).toEqual({
      kind: 'denied',
      account: of(1),
      dim: 'tokens',
      used: 11,
      reserved: 0,
      granted: 10,
    });
  });

  it('of a parent stops the children and not the other way round', async () => {
    await using test = await openTestKernel();
    await start(test);
    await start(test, { parentPid: 1 });
    await start(test, { parentPid: 2 });
    await start(test);
    await limit(test, breachOf(of(2), 'suspend'));
    await test.mine.ledger.record(3, { tokens: 11 });
    expect(await states(test)).toEqual(['RUNNING', 'SUSPENDED', 'SUSPENDED', 'RUNNING']);
  });

  it('of an agent stops all its processes and theirs, and nobody else', async () => {
    await using test = await openTestKernel();
    for (const name of ['alice', 'bob', 'alice']) await start(test, { agent: name });
    await start(test, { parentPid: 1 });
    await start(test, { parentPid: 2, agent: 'alice' });
    await limit(test, breachOf(agent('alice'), 'suspend'));
    await test.mine.ledger.record(4, { tokens: 11 });
    expect(await states(test)).toEqual(['SUSPENDED', 'RUNNING', 'SUSPENDED', 'SUSPENDED', 'SUSPENDED']);
  });

  it('of the workspace stops all that runs or waits; what is READY stays so and is not admitted', async () => {
    await using test = await openTestKernel();
    await start(test);
    await start(test);
    await test.mine.processes.transition(2, 'WAITING');
    await test.mine.processes.create(ONE);
    await limit(test, breachOf(WORKSPACE, 'suspend'));
    await test.mine.ledger.record(3, { tokens: 11 });
    expect(await states(test)).toEqual(['SUSPENDED', 'SUSPENDED', 'READY']);
    expect(await test.mine.ledger.reserve(3, {})).toMatchObject({ kind: 'denied', account: WORKSPACE });
  });

  it('of two accounts at once does what each of them says', async () => {
    await using test = await openTestKernel();
    await start(test);
    await start(test);
    await limit(test, breachOf(of(1), 'kill'), breachOf(WORKSPACE, 'suspend'));
    await test.mine.ledger.charge(1, 'tokens', 11);
    expect(await states(test)).toEqual(['DEAD', 'SUSPENDED']);
  });

  it('stops again who was set going by hand and uses more', async () => {
    await using test = await openTestKernel();
    await start(test);
    await limit(test, breachOf(of(1), 'suspend'));
    await test.mine.ledger.charge(1, 'tokens', 11);
    await test.mine.processes.signal(1, 'continue');
    await test.mine.processes.transition(1, 'RUNNING');
    await test.mine.ledger.charge(1, 'tokens', 1);
    expect(await test.mine.processes.get(1)).toMatchObject({ state: 'SUSPENDED', stateReason: 'budget:process:1:tokens' });
  });

  it('can be a limit that is lowered below what was used', async () => {
    await using test = await openTestKernel();
    await start(test);
    await limit(test, breachOf(of(1), 'suspend'));
    await test.mine.ledger.charge(1, 'tokens', 5);
    await test.mine.ledger.updateGrant(of(1), 'tokens', 4);
    expect(await states(test)).toEqual(['SUSPENDED']);
  });

  it('found by settling stops as well', async () => {
    await using test = await openTestKernel();
    await start(test);
    await limit(test, breachOf(of(1), 'suspend'));
    const reserved = await test.mine.ledger.reserve(1, { tokens: 10 });
    if (reserved.kind === 'reserved') await test.mine.ledger.settle(reserved.reservation.id, { tokens: 11 });
    expect(await states(test)).toEqual(['SUSPENDED']);
  });
});

describe('the end of a breach', () => {
  it.each([
    ['a larger grant', (test: TestKernel) => test.mine.ledger.updateGrant(of(1), 'tokens', 11), 'kernel.ledger.granted'],
    ['a refund', (test: TestKernel) => test.mine.ledger.refund(of(1), 'tokens', 1), 'kernel.ledger.refunded'],
  ] as const)('by %s makes READY what was suspended for it', async (_, add, cause) => {
    await using test = await openTestKernel();
    await start(test);
    await start(test, { parentPid: 1 });
    await limit(test, breachOf(of(1), 'suspend'));
    await test.mine.ledger.charge(1, 'tokens', 11);
    expect(await states(test)).toEqual(['SUSPENDED', 'SUSPENDED']);
    await add(test);
    expect(await states(test)).toEqual(['READY', 'READY']);
    const { events } = await test.mine.events.trace((await test.mine.processes.get(2)).lastEventId);
    expect(events.map(({ kind }) => kind)).toEqual(['kernel.process.transitioned', cause]);
  });

  it('comes for a child that is detached from the parent whose budget it was, and for all below it', async () => {
    await using test = await openTestKernel();
    await start(test);
    const child = await test.mine.processes.create({ ...ONE, parentPid: 1, onParentEnd: 'detach' });
    await test.mine.processes.transition(child.pid, 'RUNNING');
    await start(test, { parentPid: child.pid });
    const idle = await test.mine.processes.create({ ...ONE, parentPid: child.pid });
    await test.mine.queue.enqueue({ pid: idle.pid });
    await limit(test, breachOf(of(1), 'suspend'));
    await test.mine.ledger.charge(1, 'tokens', 11);
    expect(await test.mine.queue.claim({ worker: 'w' })).toEqual([]);
    expect(await states(test)).toEqual(['SUSPENDED', 'SUSPENDED', 'SUSPENDED', 'READY']);
    await test.mine.processes.end(1, 'completed');
    expect(await states(test)).toEqual(['DEAD', 'READY', 'READY', 'READY']);
    expect(await test.mine.queue.claim({ worker: 'w' })).toMatchObject([{ entry: { pid: idle.pid } }]);
  });

  it('is not reached by adding too little', async () => {
    await using test = await openTestKernel();
    await start(test);
    await limit(test, breachOf(of(1), 'suspend'));
    await test.mine.ledger.charge(1, 'tokens', 20);
    await test.mine.ledger.updateGrant(of(1), 'tokens', 19);
    expect(await states(test)).toEqual(['SUSPENDED']);
  });

  it('leaves alone who was suspended for another reason', async () => {
    await using test = await openTestKernel();
    await start(test);
    await limit(test, breachOf(of(1), 'suspend'));
    await test.mine.processes.signal(1, 'stop');
    await test.mine.ledger.charge(1, 'tokens', 11);
    await test.mine.ledger.updateGrant(of(1), 'tokens', 11);
    expect(await test.mine.processes.get(1)).toMatchObject({ state: 'SUSPENDED', stateReason: 'signal:stop' });
  });

  it.each([[[of(1), WORKSPACE]], [[WORKSPACE, of(1)]]])(
    'waits for the last of several breaches, in whichever order they end',
    async (order) => {
      await using test = await openTestKernel();
      await start(test);
      await start(test);
      await limit(test, breachOf(of(1), 'suspend'), breachOf(WORKSPACE, 'suspend'));
      await test.mine.ledger.charge(1, 'tokens', 11);
      const [first = WORKSPACE, second = WORKSPACE] = order;
      await test.mine.ledger.updateGrant(first, 'tokens', 20);
      expect((await states(test))[0]).toBe('SUSPENDED');
      await test.mine.ledger.updateGrant(second, 'tokens', 20);
      expect(await states(test)).toEqual(['READY', 'READY']);
    },
  );

  it('tells whose work may be admitted again', async () => {
    await using test = await openTestKernel();
    for (const request of [{ agent: 'alice' }, { parentPid: 1 }, {}]) await test.mine.processes.create({ ...ONE, ...request });
    const readmit: Readmit = (transaction, pids) => transaction.events.append({ pid: undefined, kind: 'readmitted', payload: { pids } });
    const changes = createProcessChanges({ onEnd: [], onMove: [] });
    const ledger = createLedger({ store: test.kernel.store.workspace(DEFAULT_WORKSPACE), changes, readmit });
    for (const account of [of(2), agent('alice'), WORKSPACE]) await ledger.create(account, { tokens: 10 }, { onBreach: 'deny' });
    await ledger.record(2, { tokens: 11 });
    for (const account of [of(2), agent('alice'), WORKSPACE]) await ledger.refund(account, 'tokens', 1);
    await ledger.refund(WORKSPACE, 'tokens', 1);
    const { events } = await test.mine.events.tail({ kind: 'readmitted' });
    expect(events.map(({ payload }) => payload['pids'])).toEqual([[2], [1, 2], 'all']);
  });
});
