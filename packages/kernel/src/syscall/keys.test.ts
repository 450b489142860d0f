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

  test('keeps an answer that failed, but none of a call that never began', async () => {
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
    t.policy = createTestPolicy({ 'x.count': { tier: 'blocked' } });
    expect(await t.call(t.pid, 'x.count', { idempotencyKey: 'n' })).toMatchObject({ kind: 'failed' });
    t.policy = createTestPolicy({});
    expect(await t.call(t.pid, 'x.count', { idempotencyKey: 'n' })).toMatchObject({ kind: 'done' });
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
