import { expect, test } from 'vitest';
import { NO_FACTS } from '../policy/policy.ts';
import { openTestGate } from './test-support/open-test-gate.ts';
import { done } from './test-support/test-capabilities.ts';
import { createTestPolicy } from './test-support/test-policy.ts';

test('50 calls at once with a budget for 10: exactly 10 act', async () => {
  await using t = await openTestGate();
  let acted = 0;
  const act = () => {
    acted += 1;
    return done();
  };
  t.capabilities.define('x.y', { act });
  const pid = await t.start();
  await t.test.mine.ledger.create({ kind: 'process', pid }, { tool_calls: 10 });
  const answers = await Promise.all(Array.from({ length: 50 }, () => t.call(pid, 'x.y')));
  expect(acted).toBe(10);
  expect(answers.filter(({ kind }) => kind === 'done')).toHaveLength(10);
  for (const answer of answers)
    if (answer.kind === 'failed')
      expect(answer.error).toMatchObject({ type: 'BudgetExceeded', context: { dimension: 'tool_calls', granted: 10 } });
});

test('what is estimated is set aside while the call is under way, and replaced by what was used', async () => {
  await using t = await openTestGate();
  let acted = 0;
  t.capabilities.define('x.y', {
    facts: () => ({ ...NO_FACTS, estimate: { net_bytes: 100 } }),
    act: () => {
      acted += 1;
      return { kind: 'done', output: {}, usage: { net_bytes: 40, cpu_s: 1.2, tool_calls: 1_000, 'bad dim': 3, fs_w_bytes: -5 } };
    },
  });
  const pid = await t.start();
  await t.test.mine.ledger.create({ kind: 'workspace' }, { net_bytes: 1_000, cpu_s: 100, tool_calls: 100, fs_w_bytes: 10 });
  const answers = await Promise.all(Array.from({ length: 50 }, () => t.call(pid, 'x.y')));
  expect(acted).toBe(10);
  expect(answers.filter(({ kind }) => kind === 'done')).toHaveLength(10);
  const entries = await t.test.mine.ledger.list({ kind: 'workspace' });
  expect(Object.fromEntries(entries.map(({ dim, used, reserved }) => [dim, { used, reserved }]))).toEqual({
    net_bytes: { used: 400, reserved: 0 },
    cpu_s: { used: 20, reserved: 0 },
    tool_calls: { used: 10, reserved: 0 },
    fs_w_bytes: { used: 0, reserved: 0 },
  });
});

test('a rate limit holds for calls at once and over a restart, and says when there is room', async () => {
  await using t = await openTestGate();
  let acted = 0;
  t.capabilities.define('x.y', {
    act: () => {
      acted += 1;
      return done();
    },
  });
  const limited = createTestPolicy({ 'x.y': { tier: 'autonomous', limit: { max: 5, perMs: 60_000 } } });
  t.policy = limited;
  const pid = await t.start();
  const answers = await Promise.all(Array.from({ length: 20 }, () => t.call(pid, 'x.y')));
  expect(acted).toBe(5);
  const refused = answers.find(({ kind }) => kind === 'failed');
  expect(refused).toMatchObject({ error: { type: 'RateLimited', retryable: true, context: { limit: 5, window_seconds: 60 } } });
  expect(refused).toMatchObject({
    error: { message: expect.stringMatching(/allows 5 calls in 1m, and they are used; there is room again in 1m( 1s)?$/) },
  });
  await t.restart();
  expect(await t.call(pid, 'x.y')).toMatchObject({ error: { type: 'RateLimited' } });
  t.test.clock.advance(59_000);
  expect(await t.call(pid, 'x.y')).toMatchObject({ error: { type: 'RateLimited' } });
  t.test.clock.advance(3_000);
  expect(await t.call(pid, 'x.y')).toMatchObject({ kind: 'done' });
});

test('a window counts what was used of a dimension', async () => {
  await using t = await openTestGate();
  t.capabilities.define('x.y', { act: () => ({ kind: 'done', output: {}, usage: { net_bytes: 60 } }) });
  t.policy = createTestPolicy({ 'x.y': { tier: 'autonomous', limit: { max: 100, perMs: 60_000, what: 'net_bytes' } } });
  const pid = await t.start();
  expect([(await t.call(pid, 'x.y')).kind, (await t.call(pid, 'x.y')).kind, (await t.call(pid, 'x.y')).kind]).toEqual([
    'done',
    'done',
    'failed',
  ]);
});

test('no more calls act at once than capability, process and gate allow, and each gets its turn', async () => {
  await using t = await openTestGate({ limits: { processMax: 3, gateMax: 4, processWaitingMax: 100 } });
  let now = 0;
  let most = 0;
  const act = async () => {
    now += 1;
    most = Math.max(most, now);
    await new Promise(setImmediate);
    now -= 1;
    return done();
  };
  t.capabilities.define('x.two', { concurrencyMax: 2, act });
  t.capabilities.define('x.many', { concurrencyMax: 50, act });
  const [a, b] = [await t.start(), await t.start()];
  const all = (pid: number, name: string, count: number) => Array.from({ length: count }, () => t.call(pid, name));
  expect((await Promise.all(all(a, 'x.two', 10))).every(({ kind }) => kind === 'done')).toBe(true);
  expect(most).toBe(2);
  most = 0;
  expect((await Promise.all(all(a, 'x.many', 10))).every(({ kind }) => kind === 'done')).toBe(true);
  expect(most).toBe(3);
  most = 0;
  expect(
    (await Promise.all([...all(a, 'x.many', 20), ...all(b, 'x.many', 20), ...all(b, 'x.two', 5)])).every(({ kind }) => kind === 'done'),
  ).toBe(true);
  expect(most).toBe(4);
  expect(t.gate.active).toBe(0);
});

test('who finds the line full is told to come back, and who waits too long that its turn did not come', async () => {
  await using t = await openTestGate({ limits: { processWaitingMax: 2 } });
  const release = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  t.capabilities.define('x.y', {
    concurrencyMax: 1,
    act: async () => {
      started.resolve();
      await release.promise;
      return done();
    },
  });
  const pid = await t.start();
  const first = t.call(pid, 'x.y');
  await started.promise;
  const second = t.call(pid, 'x.y', { deadlineMs: 20 });
  const caller = new AbortController();
  const third = t.call(pid, 'x.y', {}, caller.signal);
  await new Promise(setImmediate);
  expect(await t.call(pid, 'x.y')).toMatchObject({ kind: 'failed', error: { type: 'TooManyCalls', retryable: true } });
  expect(await second).toMatchObject({ kind: 'failed', error: { type: 'Timeout', context: { effect: 'none' } } });
  caller.abort();
  await expect(third).rejects.toMatchObject({ code: 'aborted' });
  const fourth = t.call(pid, 'x.y');
  release.resolve();
  expect([await first, await fourth]).toMatchObject([{ kind: 'done' }, { kind: 'done' }]);
});
