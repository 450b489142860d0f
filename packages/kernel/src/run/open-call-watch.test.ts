import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import type { Approver } from '../approval/approvals.ts';
import { createFaultPlan } from '../chaos/fault-plan.ts';
import { afterKill } from '../syscall/test-support/after-kill.ts';
import { openTestGate, type TestGate } from '../syscall/test-support/open-test-gate.ts';
import { done } from '../syscall/test-support/test-capabilities.ts';
import { createTestPolicy } from '../syscall/test-support/test-policy.ts';
import type { RunLease } from './runs.ts';

const ANN: Approver = { name: 'ann', groups: [], isOperator: true };

type Waiting = TestGate & { readonly run: number; readonly callId: string; readonly approvalId: string };

/** A run that waits for a call, which waits for people. */
async function openWaiting(kernelOptions: Parameters<typeof openTestGate>[1] = {}): Promise<Waiting> {
  const t = await openTestGate({}, kernelOptions);
  t.capabilities.define('pay.set', { effect: 'once', act: () => done({ paid: true }) });
  t.policy = createTestPolicy({ 'pay.set': { tier: 'approval_required' } });
  const pid = await t.start();
  const { id: run } = await t.test.mine.runs.create({ pid, task: {} });
  const lease = await claim(t);
  const answer = await t.call(pid, 'pay.set', { input: { amount: 1 }, idempotencyKey: 'run/1/1/0' });
  if (answer.kind !== 'pending') throw new Error(`It is ${answer.kind}`);
  expect(await t.test.mine.runs.park(run, lease, { for: { kind: 'approval' }, after: 0, calls: [answer.callId] })).toBe('waiting');
  return Object.assign(t, { run, callId: answer.callId, approvalId: answer.approvalId });
}

async function claim({ test }: TestGate): Promise<RunLease> {
  const [found] = await test.mine.queue.claim({ worker: 'w', areRuns: true });
  if (found === undefined) throw new Error('There is nothing to claim');
  return { entry: found.entry.id, fence: found.fence };
}

const untilQueued = (t: TestGate, run: number) => expect.poll(async () => (await t.test.mine.runs.get(run)).state).toBe('queued');

describe('a run that waits for a call', () => {
  it('is woken when people approved it and it was carried out', async () => {
    await using t = await openWaiting();
    await t.test.mine.approvals.approve(t.approvalId, ANN);
    await untilQueued(t, t.run);
    const lease = await claim(t);
    expect(await t.test.mine.runs.park(t.run, lease, { for: {}, after: 0, calls: [t.callId] })).toBe('queued'); // It is over.
    expect((await t.gate.result(DEFAULT_WORKSPACE, t.callId, { waitMs: 0 })).kind).toBe('done');
  });

  it.each([
    ['rejected', async (t: Waiting) => void (await t.test.mine.approvals.reject(t.approvalId, ANN, { reason: 'no' }))],
    ['expired', async (t: Waiting) => { t.test.clock.advance(30 * 86_400_000); await t.test.mine.approvals.tick(); }], // biome-ignore format: one line
  ])('is woken when it is %s', async (_, act) => {
    await using t = await openWaiting();
    await act(t);
    await untilQueued(t, t.run);
  });

  it('is not woken by the end of another', async () => {
    await using t = await openWaiting();
    const pid = await t.start();
    t.capabilities.define('x.other');
    await t.call(pid, 'x.other');
    expect((await t.test.mine.runs.get(t.run)).state).toBe('waiting');
  });

  it('is woken by the next start when Warren was killed before it could be', async () => {
    await using t = await openWaiting();
    await t.test.kernel.store.workspace(DEFAULT_WORKSPACE).write(({ calls }) => {
      const record = { ...calls.find(t.callId)?.record, decided: { state: 'rejected', by: 'ann' } };
      calls.update(t.callId, { state: 'open', input: undefined, record }); // As it is on disk, and nobody was told.
    });
    await using next = await afterKill(t);
    expect((await next.test.mine.runs.get(t.run)).state).toBe('queued');
  });

  it('is heard of also after a start', async () => {
    await using t = await openWaiting();
    await t.restart();
    expect((await t.test.mine.runs.get(t.run)).state).toBe('waiting');
    await t.test.mine.approvals.reject(t.approvalId, ANN, { reason: 'no' });
    await untilQueued(t, t.run);
  });

  it('is woken when the disk has room again, if there was none', async () => {
    const faults = createFaultPlan();
    await using t = await openWaiting({ faults });
    const commits = t.test.kernel.store.onCommit((_, events) => {
      if (events.some(({ kind }) => kind === 'kernel.approval.decided')) faults.plan('store.begin', 1, { kind: 'disk_full' });
    });
    await t.test.mine.approvals.reject(t.approvalId, ANN, { reason: 'no' });
    commits[Symbol.dispose]();
    const { pid } = await t.test.mine.runs.get(t.run);
    await expect
      .poll(async () => {
        await t.test.mine.events.append({ pid, kind: 'note', payload: {} }).catch(() => {}); // The one that finds the disk full.
        return (await t.test.mine.runs.get(t.run)).state;
      })
      .toBe('queued');
  });
});
