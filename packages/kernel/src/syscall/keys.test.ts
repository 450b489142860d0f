import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, test } from 'vitest';
import { openTestGate } from './test-support/open-test-gate.ts';
import { done } from './test-support/test-capabilities.ts';
import { createTestPolicy } from './test-support/test-policy.ts';

async function openCounting() {
  const t = await openTestGate();
  let count = 0;
  t.capabilities.define('x.count', {
    effect: 'once',
    act: async () => {
      count += 1;
      const mine = count;
      await new Promise(setImmediate);
      return done({ count: mine });
    },
  });
  return Object.assign(t, { pid: await t.start(), times: () => count });
}

describe('a call with a key', () => {
  test('is carried out once, however often and at once it is made, also after a restart', async () => {
    await using t = await openCounting();
    const make = () => t.call(t.pid, 'x.count', { input: { a: 1, b: 2 }, idempotencyKey: 'k' });
    const answers = await Promise.all(Array.from({ length: 20 }, make));
    answers.push(await t.call(t.pid, 'x.count', { input: { b: 2, a: 1 }, idempotencyKey: 'k' }));
    await t.restart();
    answers.push(await make());
    await t.restart();
    answers.push(await make());
    expect(t.times()).toBe(1);
    for (const answer of answers) expect(answer).toMatchObject({ kind: 'done', output: { count: 1 }, callId: answers[0]?.callId ?? '' });
    expect(t.audit.entries.filter(({ kind }) => kind === 'syscall')).toHaveLength(1);
  });

  test('is a conflict with other arguments, and another call for another process', async () => {
    await using t = await openCounting();
    await t.call(t.pid, 'x.count', { input: { a: 1 }, idempotencyKey: 'k' });
    await expect(t.call(t.pid, 'x.count', { input: { a: 2 }, idempotencyKey: 'k' })).rejects.toMatchObject({ code: 'conflict' });
    expect(await t.call(await t.start(), 'x.count', { input: { a: 2 }, idempotencyKey: 'k' })).toMatchObject({ output: { count: 2 } });
  });

  test('keeps an answer that failed', async () => {
    await using t = await openCounting();
    let times = 0;
    t.capabilities.define('x.fail', {
      act: () => {
        times += 1;
        return { kind: 'failed', error: { type: 'NoSuchThing', message: 'no', agentMessage: 'no', recovery: [], retryable: false } };
      },
    });
    const fail = () => t.call(t.pid, 'x.fail', { idempotencyKey: 'f' });
    expect([await fail(), await fail()]).toMatchObject([{ error: { type: 'NoSuchThing' } }, { error: { type: 'NoSuchThing' } }]);
    expect(times).toBe(1);
  });

  test('keeps the answer that policy blocks it or a grant is missing, with one entry, also after a restart', async () => {
    await using t = await openCounting();
    const poor = await t.start({ grants: { tools: [] } });
    t.policy = createTestPolicy({ 'x.count': { tier: 'blocked' } });
    const blocked = () => t.call(t.pid, 'x.count', { idempotencyKey: 'n' });
    const first = await Promise.all([blocked(), blocked(), blocked()]);
    t.policy = createTestPolicy({});
    const missing = await t.call(poor, 'x.count', { idempotencyKey: 'n' });
    await t.restart();
    const later = [await blocked(), await blocked()];
    for (const answer of [...first, ...later]) expect(answer).toEqual(first[0]);
    expect(first[0]).toMatchObject({ kind: 'failed', error: { type: 'PolicyDenied' } });
    expect(missing).toMatchObject({ kind: 'failed', error: { type: 'GrantMissing' } });
    expect(await t.call(poor, 'x.count', { idempotencyKey: 'n' })).toEqual(missing);
    expect(t.audit.entries.map(({ kind, outcome }) => `${kind} ${outcome}`)).toEqual(['syscall denied', 'syscall denied']);
    expect(t.times()).toBe(0);
    await expect(t.call(t.pid, 'x.count', { input: { other: 1 }, idempotencyKey: 'n' })).rejects.toMatchObject({ code: 'conflict' });
    expect(await t.call(t.pid, 'x.count', { idempotencyKey: 'new' })).toMatchObject({ kind: 'done' });
  });

  test('is not answered by a refusal whose entry is not on disk, and is after it is', async () => {
    await using t = await openCounting();
    t.policy = createTestPolicy({ 'x.count': { tier: 'blocked' } });
    t.audit.isBroken = true;
    const make = () => t.call(t.pid, 'x.count', { idempotencyKey: 'n' });
    for (let time = 0; time < 2; time++) await expect(make()).rejects.toMatchObject({ code: 'storage_full' });
    t.audit.isBroken = false;
    expect(await make()).toMatchObject({ error: { type: 'PolicyDenied' } });
    expect(t.audit.entries).toHaveLength(1);
  });

  test('may be made again when what refused it passes: a rate limit, a budget, a suspension, arguments that were not understood', async () => {
    await using t = await openCounting();
    const make = (idempotencyKey: string) => t.call(t.pid, 'x.count', { idempotencyKey });
    t.policy = createTestPolicy({ 'x.count': { tier: 'autonomous', limit: { max: 1, perMs: 60_000 } } });
    await make('first');
    expect(await make('rate')).toMatchObject({ error: { type: 'RateLimited' } });
    t.policy = createTestPolicy({});
    expect(await make('rate')).toMatchObject({ kind: 'done' });
    const account = { kind: 'process', pid: t.pid } as const;
    await t.test.mine.ledger.create(account, { tool_calls: 1 });
    await make('second');
    expect(await make('budget')).toMatchObject({ error: { type: 'BudgetExceeded' } });
    await t.test.mine.ledger.updateGrant(account, 'tool_calls', 100);
    expect(await make('budget')).toMatchObject({ kind: 'done' });
    await t.test.mine.processes.transition(t.pid, 'RUNNING');
    await t.test.mine.processes.transition(t.pid, 'SUSPENDED');
    expect(await make('suspended')).toMatchObject({ error: { type: 'ProcessSuspended' } });
    await t.test.mine.processes.transition(t.pid, 'READY');
    expect(await make('suspended')).toMatchObject({ kind: 'done' });
    expect(await t.call(t.pid, 'x.none', { idempotencyKey: 'none' })).toMatchObject({ error: { type: 'UnknownCapability' } });
    t.capabilities.define('x.none');
    expect(await t.call(t.pid, 'x.none', { idempotencyKey: 'none' })).toMatchObject({ kind: 'done' });
  });

  test('keeps that a person said no', async () => {
    await using t = await openCounting();
    t.policy = createTestPolicy({ 'x.count': { tier: 'approval_required' } });
    const make = () => t.call(t.pid, 'x.count', { idempotencyKey: 'k' });
    const asked = await make();
    if (asked.kind !== 'pending') throw new Error(`It is ${asked.kind}`);
    await t.test.mine.approvals.reject(asked.approvalId, { name: 'ann', groups: [], isOperator: true }, { reason: 'no' });
    t.policy = createTestPolicy({});
    const answer = await make();
    expect(answer).toMatchObject({ kind: 'failed', callId: asked.callId, error: { type: 'ApprovalRejected' } });
    await t.restart();
    expect(await make()).toEqual(answer);
    expect(t.times()).toBe(0);
  });

  test('of which another process knows the id tells it nothing', async () => {
    await using t = await openCounting();
    const { callId } = await t.call(t.pid, 'x.count', { idempotencyKey: 'k' });
    expect(await t.gate.result(DEFAULT_WORKSPACE, callId, { pid: t.pid })).toMatchObject({ kind: 'done' });
    await expect(t.gate.result(DEFAULT_WORKSPACE, callId, { pid: t.pid + 1 })).rejects.toMatchObject({ code: 'not_found' });
    await expect(t.gate.result(DEFAULT_WORKSPACE, 'call_0000000000000000')).rejects.toMatchObject({ code: 'not_found' });
  });

  test.each([
    ['', 'empty'],
    ['x'.repeat(129), 'long'],
    ['a\u0000b', 'NUL'],
  ])('is refused with a bad one (%#)', async (idempotencyKey) => {
    await using t = await openCounting();
    await expect(t.call(t.pid, 'x.count', { idempotencyKey })).rejects.toMatchObject({
      code: 'invalid_argument',
      details: { field: 'idempotency_key' },
    });
  });
});
