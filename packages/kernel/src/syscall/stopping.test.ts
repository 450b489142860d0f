import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, test } from 'vitest';
import { NO_FACTS } from '../policy/policy.ts';
import type { ActContext } from './capability.ts';
import { openTestGate } from './test-support/open-test-gate.ts';
import { done } from './test-support/test-capabilities.ts';
import { createTestPolicy } from './test-support/test-policy.ts';

/** Runs until it is told to end, and says why it was. */
function untilStopped() {
  const started = Promise.withResolvers<void>();
  const act = ({ signal }: ActContext) =>
    new Promise<never>((_, reject) => {
      started.resolve();
      signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
    });
  return { started: started.promise, act };
}

describe('a call under way is told to end', () => {
  test('when its caller gives up', async () => {
    await using t = await openTestGate();
    const { started, act } = untilStopped();
    t.capabilities.define('x.y', { effect: 'once', act });
    const caller = new AbortController();
    const answering = t.call(await t.start(), 'x.y', {}, caller.signal);
    await started;
    caller.abort();
    expect(await answering).toMatchObject({ kind: 'failed', error: { type: 'Cancelled', context: { effect: 'unknown' } } });
    await expect(t.call(1, 'x.y', {}, caller.signal)).rejects.toMatchObject({ code: 'aborted' });
    expect(t.audit.entries).toHaveLength(1);
  });

  test('when its deadline passes, which is at most what its definition allows', async () => {
    await using t = await openTestGate();
    const { act } = untilStopped();
    t.capabilities.define('x.y', { deadlineMs: { default: 5, max: 10 }, act });
    const pid = await t.start();
    expect(await t.call(pid, 'x.y')).toMatchObject({
      kind: 'failed',
      error: { type: 'Timeout', retryable: true, context: { timeout_seconds: 0.005 } },
    });
    expect(await t.call(pid, 'x.y', { deadlineMs: 60_000 })).toMatchObject({ error: { context: { timeout_seconds: 0.01 } } });
  });

  test('when its process ends', async () => {
    await using t = await openTestGate();
    const { started, act } = untilStopped();
    t.capabilities.define('x.y', { act });
    const pid = await t.start();
    const answering = t.call(pid, 'x.y');
    await started;
    await t.test.mine.processes.end(pid, 'cancelled');
    expect(await answering).toMatchObject({ kind: 'failed', error: { type: 'Cancelled' } });
  });

  test('when it loses a grant it needs, and only then', async () => {
    await using t = await openTestGate();
    const { started, act } = untilStopped();
    t.capabilities.define('x.y', { facts: () => ({ ...NO_FACTS, paths: [{ path: '/a/b', mode: 'rw' }] }), act });
    const pid = await t.start({
      grants: {
        tools: ['*'],
        paths: [
          { prefix: '/a', mode: 'rw' },
          { prefix: '/c', mode: 'rw' },
        ],
        hosts: ['*'],
      },
    });
    let isAnswered = false;
    const answering = t.call(pid, 'x.y').finally(() => {
      isAnswered = true;
    });
    await started;
    await t.test.mine.grants.narrow(pid, { tools: ['*'], paths: [{ prefix: '/a', mode: 'rw' }] });
    expect(isAnswered).toBe(false);
    await t.test.mine.grants.narrow(pid, { tools: ['*'], paths: [{ prefix: '/a', mode: 'r' }] });
    expect(await answering).toMatchObject({ kind: 'failed', error: { type: 'PathOutOfScope', context: { path: '/a/b' } } });
  });

  test('when somebody cancels it, but not by another process', async () => {
    await using t = await openTestGate();
    const { started, act } = untilStopped();
    t.capabilities.define('x.y', { act });
    const pid = await t.start();
    let callId = '';
    t.capabilities.define('x.z', {
      act: (context) => {
        callId = context.callId;
        return act(context);
      },
    });
    const answering = t.call(pid, 'x.z');
    await started;
    await expect(t.gate.cancel(DEFAULT_WORKSPACE, callId, { pid: pid + 1 })).rejects.toMatchObject({ code: 'not_found' });
    expect(await t.gate.cancel(DEFAULT_WORKSPACE, callId, { pid })).toBe(true);
    expect(await answering).toMatchObject({ kind: 'failed', error: { type: 'Cancelled' } });
    await expect(t.gate.cancel(DEFAULT_WORKSPACE, 'call_0000000000000000')).rejects.toMatchObject({ code: 'not_found' });
  });
});

test('a grant that is revoked with the same flush keeps a call from beginning', async () => {
  await using t = await openTestGate();
  let acted = 0;
  t.capabilities.define('x.y', {
    act: () => {
      acted += 1;
      return done();
    },
  });
  for (let round = 0; round < 20; round++) {
    const pid = await t.start();
    const [answer] = await Promise.all([
      t.call(pid, 'x.y'),
      round % 2 === 0 ? t.test.mine.grants.revoke(pid) : t.test.mine.processes.end(pid, 'cancelled'),
    ]).catch((error: unknown) => [error]);
    if (answer instanceof Error) expect(answer).toMatchObject({ code: 'conflict' });
    else expect(answer).toMatchObject({ kind: 'failed' });
  }
  expect(acted).toBe(0);
});

test('what was finished although it was told to end counts as done', async () => {
  await using t = await openTestGate();
  t.capabilities.define('x.y', {
    act: ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(done({ sent: true })), { once: true })),
  });
  expect(await t.call(await t.start(), 'x.y', { deadlineMs: 5 })).toMatchObject({ kind: 'done', output: { sent: true } });
});

test('an implementation that does not end is left behind after its grace, its late result is recorded, and it stays in the way of its process only', async () => {
  await using t = await openTestGate({ limits: { graceMs: 5, gateMax: 1 } });
  const release = Promise.withResolvers<void>();
  t.capabilities.define('x.hang', {
    effect: 'once',
    concurrencyMax: 1,
    act: async () => {
      await release.promise;
      return done({ late: true });
    },
  });
  const pid = await t.start();
  const answer = await t.call(pid, 'x.hang', { deadlineMs: 5 });
  expect(answer).toMatchObject({ kind: 'failed', error: { type: 'Timeout', retryable: false, context: { effect: 'unknown' } } });
  expect(await t.call(pid, 'x.hang', { deadlineMs: 5 })).toMatchObject({ error: { type: 'Timeout', context: { effect: 'none' } } });
  t.capabilities.define('x.y');
  expect(await t.call(await t.start(), 'x.y')).toMatchObject({ kind: 'done' });
  release.resolve();
  while (t.audit.of(answer.callId).length < 2) await new Promise(setImmediate);
  expect(t.audit.of(answer.callId)).toMatchObject([
    { kind: 'syscall', outcome: 'failure', error: { type: 'Timeout' } },
    { kind: 'system', outcome: 'success', details: { late: true } },
  ]);
  expect(await t.call(pid, 'x.hang', { deadlineMs: 1_000 })).toMatchObject({ kind: 'done' });
});

test('closing lets calls under way end and refuses more', async () => {
  await using t = await openTestGate();
  const release = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  t.capabilities.define('x.y', {
    act: async () => {
      started.resolve();
      await release.promise;
      return done();
    },
  });
  const pid = await t.start();
  const answering = t.call(pid, 'x.y');
  await started.promise;
  const closing = t.gate.close();
  await expect(t.call(pid, 'x.y')).rejects.toMatchObject({ code: 'unavailable' });
  release.resolve();
  expect(await answering).toMatchObject({ kind: 'done' });
  await closing;
  await t.gate.close();
});

describe('a gate that closes', () => {
  test('stops what has not ended after a while, and says so', async () => {
    await using t = await openTestGate();
    const { started, act } = untilStopped();
    t.capabilities.define('x.y', { effect: 'once', act });
    const answering = t.call(await t.start(), 'x.y', { idempotencyKey: 'k' });
    await started;
    await t.gate.close({ drainMs: 1 });
    const answer = await answering;
    expect(answer).toMatchObject({ kind: 'failed', error: { type: 'Cancelled', context: { effect: 'unknown' } } });
    expect(t.audit.of(answer.callId)).toMatchObject([{ outcome: 'failure', error: { message: 'Cannot finish x.y: Warren is stopping' } }]);
    await t.restart();
    expect(await t.gate.result(DEFAULT_WORKSPACE, answer.callId)).toMatchObject({ error: { type: 'Cancelled' } });
  });

  test('is cut off by whoever closes it once more with less time, and answers everybody', async () => {
    await using t = await openTestGate();
    const { started, act } = untilStopped();
    t.capabilities.define('x.y', { act });
    const answering = t.call(await t.start(), 'x.y');
    await started;
    const closing = t.gate.close({ drainMs: 60_000 });
    await t.gate.close({ drainMs: 0 });
    expect(await answering).toMatchObject({ error: { type: 'Cancelled', message: 'Cannot finish x.y: Warren is stopping' } });
    await closing;
  });

  test('lets go of who waits for people, who may look at it as long as anything is under way', async () => {
    await using t = await openTestGate();
    const end = Promise.withResolvers<void>();
    t.capabilities.define('x.y', { act: () => end.promise.then(() => done()) });
    t.capabilities.define('x.asked');
    t.policy = createTestPolicy({ 'x.asked': { tier: 'approval_required' } });
    const pid = await t.start();
    const answering = t.call(pid, 'x.y');
    const waiting = t.call(pid, 'x.asked', { onAsk: 'wait', waitMs: 60_000 });
    while (t.audit.entries.every(({ kind }) => kind !== 'question')) await new Promise(setImmediate);
    const closing = t.gate.close({ drainMs: 60_000 });
    const pending = await waiting;
    expect(pending).toMatchObject({ kind: 'pending' });
    expect(await t.gate.result(DEFAULT_WORKSPACE, pending.callId, { waitMs: 60_000 })).toMatchObject({ kind: 'pending' });
    end.resolve();
    expect(await answering).toMatchObject({ kind: 'done' });
    await closing;
  });

  test('waits for what ends in time, and stops nothing', async () => {
    await using t = await openTestGate();
    const end = Promise.withResolvers<void>();
    t.capabilities.define('x.y', {
      act: async ({ signal }) => {
        await end.promise;
        return done({ isStopped: signal.aborted });
      },
    });
    const answering = t.call(await t.start(), 'x.y');
    while (t.gate.active === 0) await new Promise(setImmediate);
    const closing = t.gate.close({ drainMs: 60_000 });
    end.resolve();
    await closing;
    expect(await answering).toMatchObject({ kind: 'done', output: { isStopped: false } });
  });

  test('leaves what was approved and waits for its turn to the next start', async () => {
    await using t = await openTestGate();
    const { started, act } = untilStopped();
    let times = 0;
    t.capabilities.define('x.y', {
      effect: 'once',
      concurrencyMax: 1,
      act: (context) => {
        times += 1;
        return times === 1 ? act(context) : done();
      },
    });
    t.policy = createTestPolicy({ 'x.y': { tier: 'approval_required' } });
    const pid = await t.start();
    const calls = [await t.call(pid, 'x.y'), await t.call(pid, 'x.y')];
    for (const call of calls) {
      if (call.kind !== 'pending') throw new Error(`It is ${call.kind}`);
      await t.test.mine.approvals.approve(call.approvalId, { name: 'ann', groups: [], isOperator: true });
    }
    await started;
    await t.gate.close({ drainMs: 1 });
    await t.restart();
    const [one, two] = await Promise.all(calls.map(({ callId }) => t.gate.result(DEFAULT_WORKSPACE, callId, { waitMs: 10_000 })));
    expect([one, two]).toMatchObject([{ kind: 'failed', error: { type: 'Cancelled' } }, { kind: 'done' }]);
    expect(times).toBe(2);
  });
});
