import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../internal/json.ts';
import type { Acted } from './capability.ts';
import { openTestGate } from './test-support/open-test-gate.ts';
import { done } from './test-support/test-capabilities.ts';
import { createTestPolicy } from './test-support/test-policy.ts';

const cyclic: Record<string, unknown> = {};
cyclic['self'] = cyclic;
const deep = JSON.parse(`${'{"a":'.repeat(200)}1${'}'.repeat(200)}`);
const throwing = {
  get output() {
    throw new Error('gotcha');
  },
};

describe('an implementation that', () => {
  const garbage: readonly (readonly [string, unknown, string])[] = [
    ['returns a cycle', { kind: 'done', output: cyclic }, 'InternalError'],
    ['returns a BigInt', { kind: 'done', output: { n: 1n } }, 'InternalError'],
    ['returns 100 MB', { kind: 'done', output: { text: 'x'.repeat(100_000_000) } }, 'OutputTooLarge'],
    ['returns a million values', { kind: 'done', output: { list: new Array(1_000_000).fill(0) } }, 'OutputTooLarge'],
    ['returns a sparse list without end', { kind: 'done', output: { list: new Array(4_000_000_000) } }, 'OutputTooLarge'],
    ['nests too deep', { kind: 'done', output: deep }, 'InternalError'],
    ['returns nothing', undefined, 'InternalError'],
    ['returns a text', 'done', 'InternalError'],
    ['returns another kind', { kind: 'perhaps' }, 'InternalError'],
    ['returns no output', { kind: 'done' }, 'InternalError'],
    ['returns a list as output', { kind: 'done', output: [] }, 'InternalError'],
    ['returns a function', { kind: 'done', output: { f: () => 1 } }, 'InternalError'],
    ['returns a date', { kind: 'done', output: { d: new Date(0) } }, 'InternalError'],
    ['has accessors that throw', { kind: 'done', ...Object.getOwnPropertyDescriptors({}), __proto__: throwing }, 'InternalError'],
    ['fails without an error', { kind: 'failed' }, 'InternalError'],
    [
      'fails with a strange error',
      { kind: 'failed', error: { type: '../x', message: 3, agentMessage: null, recovery: [], retryable: 'yes' } },
      'InternalError',
    ],
  ];

  test.each(garbage)('%s gets an error, and the effect is recorded as one that happened', async (_, returned, type) => {
    await using t = await openTestGate({}, { isRehearsing: false });
    t.capabilities.define('x.y', { act: () => returned as Acted });
    const pid = await t.start();
    const answer = await t.call(pid, 'x.y');
    expect(answer).toMatchObject({ kind: 'failed', error: { type } });
    expect(t.audit.of(answer.callId)).toMatchObject([{ outcome: 'failure', error: { type } }]);
    expect(JSON.parse(JSON.stringify(answer))).toBeDefined();
    t.capabilities.define('x.y');
    expect(await t.call(pid, 'x.y')).toMatchObject({ kind: 'done' });
  });

  test('throws is answered without what it said, which stands in the audit alone', async () => {
    await using t = await openTestGate();
    const token = `wrn_${'a'.repeat(43)}`;
    t.capabilities.define('x.y', {
      act: () => {
        throw new Error(`ENOENT /root/host/path ${token}`);
      },
    });
    const answer = await t.call(await t.start(), 'x.y');
    expect(answer).toMatchObject({ kind: 'failed', error: { type: 'InternalError' } });
    expect(JSON.stringify(answer)).not.toContain('/root/host');
    expect(JSON.stringify(t.audit.entries)).toContain('/root/host/path [REDACTED:token]');
    expect(JSON.stringify(t.audit.entries)).not.toContain(token);
  });

  test('shows secrets has them taken out of results, names, errors, progress and what people read', async () => {
    const redact = (text: string) => text.replaceAll('hunter2', '***');
    await using t = await openTestGate({ redactorOf: () => redact });
    const heard: string[] = [];
    t.capabilities.define('x.y', {
      act: ({ progress }) => {
        progress('using hunter2', 0.5);
        return done({ 'hunter2-key': ['a hunter2 b'], nested: { deep: 'hunter2' } });
      },
    });
    t.capabilities.define('x.fail', {
      act: () => ({
        kind: 'failed',
        error: {
          type: 'Bad',
          message: 'hunter2',
          agentMessage: 'hunter2',
          recovery: [{ action: 'a', description: 'hunter2', input: { p: 'hunter2' } }],
          retryable: false,
          context: { p: 'hunter2' },
        },
      }),
    });
    t.policy = createTestPolicy({ 'x.ask': { tier: 'approval_required' } });
    t.capabilities.define('x.ask');
    const pid = await t.start();
    const more = {
      input: { password: 'hunter2' },
      reasoning: 'the password is hunter2',
      onProgress: (message: string) => void heard.push(message),
    };
    const answers = [await t.call(pid, 'x.y', more), await t.call(pid, 'x.fail', more), await t.call(pid, 'x.ask', more)];
    const { approvals } = await t.test.mine.approvals.list();
    const events = await t.test.mine.events.newest({ limit: 1_000 });
    expect(heard).toEqual(['using ***']);
    expect(answers.map(({ kind }) => kind)).toEqual(['done', 'failed', 'pending']);
    expect(JSON.stringify([answers, approvals, events, t.audit.entries])).not.toContain('hunter2');
  });

  test('shows secrets has them taken out by what was had when its call began, whatever is forgotten meanwhile', async () => {
    let isForgotten = false;
    await using t = await openTestGate({
      redactorOf: () => (isForgotten ? (text) => text : (text) => text.replaceAll('hunter2', '***')),
      prepare: async () => {
        isForgotten = true;
      },
    });
    for (const name of ['x.y', 'x.ask']) t.capabilities.define(name, { act: () => done({ password: 'hunter2' }) });
    t.policy = createTestPolicy({ 'x.ask': { tier: 'approval_required' } });
    const pid = await t.start();
    const answer = await t.call(pid, 'x.y', { input: { password: 'hunter2' } });
    isForgotten = false;
    const asked = await t.call(pid, 'x.ask', { input: { password: 'hunter2' } });
    if (asked.kind !== 'pending') throw new Error(`It is ${asked.kind}`);
    isForgotten = false;
    await t.test.mine.approvals.approve(asked.approvalId, { name: 'ann', groups: ['ops'], isOperator: false });
    const approved = await t.gate.result(DEFAULT_WORKSPACE, asked.callId, { waitMs: 10_000 });
    expect([answer, approved]).toMatchObject([{ output: { password: '***' } }, { output: { password: '***' } }]);
    expect(JSON.stringify([answer, asked, approved, t.audit.entries])).not.toContain('hunter2');
  });
});

describe('arguments that', () => {
  const inputs: readonly (readonly [string, () => unknown])[] = [
    ['name __proto__', () => JSON.parse('{"__proto__":{"isAdmin":true}}')],
    ['name it deep inside', () => JSON.parse('{"a":[{"__proto__":1}]}')],
    ['have 50 MB', () => ({ text: 'x'.repeat(50_000_000) })],
    ['are nested without end', () => cyclic],
    ['are nested deep', () => deep],
    ['are a list', () => []],
    ['are null', () => null],
    ['are a text', () => 'x'],
    ['have a BigInt', () => ({ n: 1n })],
    [
      'have accessors that throw',
      () => Object.defineProperty({}, 'x', { enumerable: true, get: () => cyclic['no']?.toString() ?? JSON.parse('{') }),
    ],
  ];

  test.each(inputs)('%s are refused before anything looks at them', async (_, make) => {
    await using t = await openTestGate();
    let looked = 0;
    t.capabilities.define('x.y', {
      parse: (input) => {
        looked += 1;
        return { kind: 'valid', input };
      },
    });
    expect(await t.call(await t.start(), 'x.y', { input: make() as JsonObject })).toMatchObject({
      kind: 'failed',
      error: { type: 'InvalidInput' },
    });
    expect(looked).toBe(0);
    expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined();
  });

  test('are long are recorded with their beginning and their hash', async () => {
    await using t = await openTestGate();
    t.capabilities.define('x.y');
    const answer = await t.call(await t.start(), 'x.y', { input: { content: 'y'.repeat(2_000_000), name: 'z' } });
    expect(answer).toMatchObject({ kind: 'done' });
    expect(JSON.stringify(t.audit.entries).length).toBeLessThan(20_000);
    expect(t.audit.entries[0]?.input).toMatchObject({ name: 'z' });
  });
});

test('a request of the wrong shape is a fault with its field', async () => {
  await using t = await openTestGate();
  t.capabilities.define('x.y');
  const pid = await t.start();
  const wrong: readonly (readonly [string, object])[] = [
    ['pid', { pid: 1.5 }],
    ['pid', { pid: '1' }],
    ['capability', { capability: 3 }],
    ['capability', { capability: '' }],
    ['capability', { capability: 'x'.repeat(300) }],
    ['capability', { capability: 'a\u0000' }],
    ['reasoning', { reasoning: 'x'.repeat(10_000) }],
    ['taint', { taint: 'web' }],
    ['taint', { taint: [''] }],
    ['taint', { taint: new Array(33).fill('x') }],
    ['on_ask', { onAsk: 'never' }],
    ['wait_ms', { waitMs: -1 }],
    ['deadline_ms', { deadlineMs: 0 }],
  ];
  for (const [field, more] of wrong)
    await expect(t.call(pid, 'x.y', more), field).rejects.toMatchObject({ code: 'invalid_argument', details: { field } });
});

test('a policy that is replaced while calls are decided counts whole, before or after', async () => {
  await using t = await openTestGate();
  t.capabilities.define('x.y');
  const pid = await t.start();
  const policies = [createTestPolicy({}, 'a'), createTestPolicy({ 'x.y': { tier: 'blocked' } }, 'b')];
  const answers = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      t.policy = policies[index % 2] ?? t.policy;
      return await t.call(pid, 'x.y');
    }),
  );
  for (const { callId, kind } of answers) expect(t.audit.of(callId)).toMatchObject([{ decision: { policy: kind === 'done' ? 'a' : 'b' } }]);
  expect(new Set(answers.map(({ kind }) => kind))).toEqual(new Set(['done', 'failed']));
});
