/** What was approved is carried out as it was approved, once, or ends; whatever happens in between. */
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, test } from 'vitest';
import type { Approver } from '../approval/approvals.ts';
import type { CallRow } from '../store/tables/call-table.ts';
import type { Effect } from './capability.ts';
import { openTestGate, type TestGate } from './test-support/open-test-gate.ts';
import { done } from './test-support/test-capabilities.ts';
import { createTestPolicy, type TestRule } from './test-support/test-policy.ts';

const ANN: Approver = { name: 'ann', groups: ['ops'], isOperator: false };

type Asking = TestGate & { readonly pid: number; readonly acted: unknown[] };

async function openAsking(effect: Effect = 'once', rule: Partial<TestRule> = {}): Promise<Asking> {
  const t = await openTestGate();
  const acted: unknown[] = [];
  t.capabilities.define('pay.set', {
    effect,
    act: ({ input }) => {
      acted.push(input);
      return done({ paid: input['amount'] ?? null });
    },
  });
  t.capabilities.define('x.other');
  t.policy = createTestPolicy({ 'pay.set': { tier: 'approval_required', ...rule } });
  return Object.assign(t, { pid: await t.start(), acted });
}

async function ask(t: Asking, more: Parameters<TestGate['call']>[2] = {}) {
  const answer = await t.call(t.pid, 'pay.set', { input: { amount: 1_000_000 }, ...more });
  if (answer.kind !== 'pending') throw new Error(`It is ${answer.kind}`);
  return answer;
}

const store = (t: TestGate) => t.test.kernel.store.workspace(DEFAULT_WORKSPACE);
const result = (t: TestGate, callId: string, waitMs = 10_000) => t.gate.result(DEFAULT_WORKSPACE, callId, { waitMs });
const rowOf = (t: TestGate, callId: string) => store(t).read(({ calls }) => calls.find(callId));
const suspend = async (t: TestGate, pid: number) => {
  await t.test.mine.processes.transition(pid, 'RUNNING');
  await t.test.mine.processes.transition(pid, 'SUSPENDED');
};

/** Until nothing is under way. */
async function idle(t: TestGate): Promise<void> {
  do await new Promise(setImmediate);
  while (t.gate.active > 0);
}

/** As a kill between the two transactions of a call leaves it: begun, and without an outcome. The audit has nothing of it. */
async function unfinish(t: TestGate, callId: string, input: CallRow['input']): Promise<void> {
  await t.gate.close();
  const record = { agent: 'ada', tier: 'approval_required', policy: 'test', input: {}, inputHash: '', taint: [], deadlineMs: 1_000 };
  await store(t).write(({ calls }) =>
    calls.update(callId, { state: 'open', endedAt: undefined, answer: undefined, input, openedAt: 1, attempts: 1, record }),
  );
  const left = t.audit.entries.filter((entry) => entry.callId !== callId || entry.kind !== 'syscall');
  t.audit.entries.splice(0, t.audit.entries.length, ...left);
}

describe('a call that was approved with other arguments, and was open at a kill', () => {
  async function openKilled(): Promise<Asking & { readonly callId: string }> {
    const t = await openAsking('idempotent');
    const { callId, approvalId } = await ask(t, { idempotencyKey: 'k' });
    await t.test.mine.approvals.approve(approvalId, ANN, { input: { amount: 1 } });
    await result(t, callId);
    await unfinish(t, callId, { amount: 1 });
    t.acted.splice(0);
    return Object.assign(t, { callId });
  }

  test('is carried out again with those at the next start', async () => {
    await using t = await openKilled();
    await t.restart();
    expect(await result(t, t.callId)).toMatchObject({ kind: 'done', output: { paid: 1 } });
    expect(t.acted).toEqual([{ amount: 1 }]);
  });

  test('is carried out with those when its process goes on, and a key used again never brings its own', async () => {
    await using t = await openKilled();
    await suspend(t, t.pid);
    await t.restart();
    await idle(t);
    expect(t.acted).toEqual([]);
    await t.test.mine.processes.transition(t.pid, 'READY');
    const again = await t.call(t.pid, 'pay.set', { input: { amount: 1_000_000 }, idempotencyKey: 'k', onAsk: 'wait' });
    expect(again).toMatchObject({ kind: 'done', callId: t.callId, output: { paid: 1 } });
    await idle(t);
    expect(t.acted).toEqual([{ amount: 1 }]);
  });

  test('with its key, before the gate has begun, waits and brings nothing of its own', async () => {
    await using t = await openKilled();
    await t.test.reopen();
    await using gate = await t.test.kernel.openGate({ capabilities: t.capabilities, policyOf: () => t.policy, audit: t.audit });
    const call = { pid: t.pid, capability: 'pay.set', input: { amount: 1_000_000 }, idempotencyKey: 'k' };
    expect(await gate.call(DEFAULT_WORKSPACE, call)).toMatchObject({ kind: 'pending', callId: t.callId });
    expect(t.acted).toEqual([]);
    await gate.begin();
    expect(await gate.call(DEFAULT_WORKSPACE, { ...call, onAsk: 'wait' })).toMatchObject({ kind: 'done', output: { paid: 1 } });
    expect(t.acted).toEqual([{ amount: 1 }]);
  });

  test('has an unknown outcome when its process has ended', async () => {
    await using t = await openKilled();
    await suspend(t, t.pid);
    await t.restart();
    await t.test.mine.processes.end(t.pid, 'cancelled');
    expect(await result(t, t.callId)).toMatchObject({ kind: 'failed', error: { type: 'OutcomeUnknown' } });
    expect(t.audit.of(t.callId).at(-1)).toMatchObject({ kind: 'syscall', outcome: 'unknown' });
    expect(t.acted).toEqual([]);
  });
});

test('a gate that has not begun carries out nothing, also when a process goes on', async () => {
  await using t = await openAsking();
  const { callId, approvalId } = await ask(t);
  await suspend(t, t.pid);
  await t.test.mine.approvals.approve(approvalId, ANN);
  await idle(t);
  await t.gate.close();
  await t.test.reopen();
  await using gate = await t.test.kernel.openGate({ capabilities: t.capabilities, policyOf: () => t.policy, audit: t.audit });
  await t.test.mine.processes.transition(t.pid, 'READY');
  await new Promise(setImmediate);
  expect({ active: gate.active, acted: t.acted }).toEqual({ active: 0, acted: [] });
  await gate.begin();
  expect(await gate.result(DEFAULT_WORKSPACE, callId, { waitMs: 10_000 })).toMatchObject({ kind: 'done' });
});

test('a decision that could not be recorded at once is recorded and carried out when the audit is well', async () => {
  await using t = await openAsking();
  const { callId, approvalId } = await ask(t);
  t.audit.gate = Promise.reject(new Error('torn'));
  t.audit.gate.catch(() => {});
  await expect(t.test.mine.approvals.approve(approvalId, ANN)).rejects.toThrow('torn');
  expect(await t.test.mine.approvals.get(approvalId)).toMatchObject({ state: 'approved' });
  await idle(t);
  expect(t.acted).toEqual([]);
  t.audit.gate = Promise.resolve();
  await t.call(t.pid, 'x.other');
  expect(await result(t, callId)).toMatchObject({ kind: 'done' });
  expect(t.acted).toHaveLength(1);
  expect(t.audit.of(callId).map(({ kind, outcome }) => `${kind} ${outcome}`)).toEqual([
    'question pending',
    'answer success',
    'syscall success',
  ]);
});

test('while the audit cannot be written nothing is decided', async () => {
  await using t = await openAsking();
  const [one, two] = [await ask(t), await ask(t)];
  t.audit.isBroken = true;
  await expect(t.call(t.pid, 'x.other')).rejects.toMatchObject({ code: 'storage_full' });
  const { approvals } = t.test.mine;
  const always = { scope: { kind: 'capability' }, forMs: 1_000 } as const;
  await expect(approvals.approve(one.approvalId, ANN, { always })).rejects.toMatchObject({ code: 'storage_full' });
  await expect(approvals.reject(two.approvalId, ANN)).rejects.toMatchObject({ code: 'storage_full' });
  await expect(approvals.cancel(two.approvalId, ANN, 'no')).rejects.toMatchObject({ code: 'storage_full' });
  t.audit.isBroken = false;
  expect((await approvals.list({ state: 'pending' })).approvals).toHaveLength(2);
  expect(await approvals.listRules()).toEqual([]);
});

test('a process that goes on while its refusal is being recorded is heard', async () => {
  await using t = await openAsking();
  const { callId, approvalId } = await ask(t);
  await suspend(t, t.pid);
  const slow = Promise.withResolvers<void>();
  await t.test.mine.approvals.approve(approvalId, ANN);
  t.audit.gate = slow.promise;
  await new Promise(setImmediate);
  await t.test.mine.processes.transition(t.pid, 'READY');
  await new Promise(setImmediate);
  slow.resolve();
  expect(await result(t, callId)).toMatchObject({ kind: 'done' });
  expect(t.acted).toHaveLength(1);
});

describe('what was approved and not yet begun', () => {
  async function openHeld(): Promise<Asking & { readonly callId: string; readonly approvalId: string }> {
    const t = await openAsking();
    const { callId, approvalId } = await ask(t);
    await suspend(t, t.pid);
    await t.test.mine.approvals.approve(approvalId, ANN);
    await idle(t);
    return Object.assign(t, { callId, approvalId });
  }

  test('ends with its process', async () => {
    await using t = await openHeld();
    await t.test.mine.processes.end(t.pid, 'cancelled');
    expect(await result(t, t.callId)).toMatchObject({ kind: 'failed', error: { type: 'Cancelled' } });
    expect(await t.test.mine.approvals.get(t.approvalId)).toMatchObject({ state: 'cancelled', reason: 'the process ended' });
    expect(await t.gate.unfinished(DEFAULT_WORKSPACE)).toEqual([]);
    await t.restart();
    expect(await result(t, t.callId)).toMatchObject({ error: { type: 'Cancelled' } });
    expect(await rowOf(t, t.callId)).toMatchObject({ state: 'done' });
    const states = t.audit.of(t.callId).flatMap(({ kind, details }) => (kind === 'answer' ? [details?.['state']] : []));
    expect(states).toEqual(['approved', 'cancelled']);
  });

  test('can be cancelled', async () => {
    await using t = await openHeld();
    expect(await t.gate.cancel(DEFAULT_WORKSPACE, t.callId)).toBe(true);
    expect(await result(t, t.callId)).toMatchObject({ kind: 'failed', error: { type: 'Cancelled' } });
    await t.test.mine.processes.transition(t.pid, 'READY');
    await idle(t);
    expect(t.acted).toEqual([]);
  });

  test('ends when the approval is over, so that nothing happens days later', async () => {
    await using t = await openHeld();
    t.test.clock.advance(1_000 * 86_400_000);
    await t.test.mine.processes.transition(t.pid, 'READY');
    expect(await result(t, t.callId)).toMatchObject({ kind: 'failed', error: { type: 'ApprovalExpired', retryable: true } });
    expect(t.acted).toEqual([]);
  });

  test('is refused once in the audit, however often it is tried', async () => {
    await using t = await openHeld();
    for (let life = 0; life < 3; life++) await t.gate.begin().then(() => idle(t));
    expect(t.audit.of(t.callId).filter(({ outcome }) => outcome === 'denied')).toHaveLength(1);
  });
});

describe('an approval', () => {
  test('holds for the version of the capability that people were asked about', async () => {
    await using t = await openAsking();
    const { callId, approvalId } = await ask(t);
    t.capabilities.define('pay.set', {
      version: '2.0.0',
      effect: 'once',
      act: ({ input }) => {
        t.acted.push(input);
        return done();
      },
    });
    await t.test.mine.approvals.approve(approvalId, ANN);
    expect(await result(t, callId)).toMatchObject({
      kind: 'failed',
      error: { type: 'ApprovalExpired', retryable: true, context: { reason: 'capability_changed' } },
    });
    expect(t.acted).toEqual([]);
    expect(t.audit.of(callId).at(-1)).toMatchObject({ kind: 'syscall', outcome: 'failure', error: { type: 'ApprovalExpired' } });
  });

  test('is not used up by a rate limit: the call is carried out when there is room', async () => {
    await using t = await openAsking('once', { limit: { max: 1, perMs: 60 } });
    const [one, two] = [await ask(t), await ask(t)];
    await t.test.mine.approvals.approve(one.approvalId, ANN);
    expect(await result(t, one.callId)).toMatchObject({ kind: 'done' });
    await t.test.mine.approvals.approve(two.approvalId, ANN);
    await idle(t);
    expect(await result(t, two.callId, 0)).toMatchObject({ kind: 'pending', approvalId: two.approvalId });
    expect(t.audit.of(two.callId).at(-1)).toMatchObject({ kind: 'syscall', outcome: 'denied', error: { type: 'RateLimited' } });
    t.test.clock.advance(1_000);
    expect(await result(t, two.callId)).toMatchObject({ kind: 'done' });
    expect(t.acted).toHaveLength(2);
  });

  test('is not used up by a budget that others have spent: it is carried out when there is more', async () => {
    await using t = await openAsking();
    const account = { kind: 'process', pid: t.pid } as const;
    await t.test.mine.ledger.create(account, { tool_calls: 1 });
    const { callId, approvalId } = await ask(t);
    await t.call(t.pid, 'x.other');
    await t.test.mine.approvals.approve(approvalId, ANN);
    await idle(t);
    expect(await result(t, callId, 0)).toMatchObject({ kind: 'pending' });
    expect(t.acted).toEqual([]);
    await t.test.mine.ledger.updateGrant(account, 'tool_calls', 10);
    expect(await result(t, callId)).toMatchObject({ kind: 'done' });
  });

  test('ends with what stands in its way when its time is over', async () => {
    await using t = await openAsking();
    const account = { kind: 'process', pid: t.pid } as const;
    await t.test.mine.ledger.create(account, { tool_calls: 1 });
    const { callId, approvalId } = await ask(t);
    await t.call(t.pid, 'x.other');
    await t.test.mine.approvals.approve(approvalId, ANN);
    await idle(t);
    t.test.clock.advance(1_000 * 86_400_000);
    await t.gate.begin(); // As a timer does.
    expect(await result(t, callId)).toMatchObject({
      kind: 'failed',
      error: { type: 'ApprovalExpired', context: { stood_in_the_way: 'BudgetExceeded' } },
    });
  });
});
