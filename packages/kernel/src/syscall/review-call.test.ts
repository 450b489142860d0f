import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, test } from 'vitest';
import type { Approver } from '../approval/approvals.ts';
import type { JsonObject } from '../internal/json.ts';
import type { Answer } from './gate.ts';
import type { Review, ReviewedCall, Verdict } from './review.ts';
import { openTestGate } from './test-support/open-test-gate.ts';
import { done } from './test-support/test-capabilities.ts';
import { createTestPolicy } from './test-support/test-policy.ts';

/** Somebody who looks at every call and says what the test says. */
function reviewer() {
  const seen: ReviewedCall[] = [];
  const told: Answer[] = [];
  const mine = {
    seen,
    told,
    say: async (call: ReviewedCall, _signal: AbortSignal): Promise<Verdict> => ({ kind: 'call', input: call.input }),
    review: (call: ReviewedCall): Review => ({
      before: async (signal) => {
        seen.push(call);
        return await mine.say(call, signal);
      },
      after: (answer) => void told.push(answer),
    }),
  };
  return mine;
}

const ANN: Approver = { name: 'ann', groups: ['ops'], isOperator: false };
const noting = (note: () => unknown): ReturnType<typeof done> => {
  note();
  return done();
};
const veto = async (): Promise<Verdict> => ({ kind: 'vetoed', by: 'the-check', reason: 'not on Sundays' });
const change =
  (input: JsonObject): (() => Promise<Verdict>) =>
  async () => ({ kind: 'call', input });

describe('a call that somebody looks at', () => {
  test('is looked at when it is understood, and told of when it is done', async () => {
    const by = reviewer();
    await using t = await openTestGate({ review: by.review });
    t.capabilities.define('x.y', { act: () => done({ ok: true }) });
    t.capabilities.define('x.strict', { parse: () => ({ kind: 'invalid', problems: [{ field: 'a', reason: 'is wrong' }] }) });
    const pid = await t.start();
    const answer = await t.call(pid, 'x.y', { input: { a: 1 } });
    await t.call(pid, 'x.none');
    await t.call(pid, 'x.strict');
    expect(by.seen).toEqual([{ workspace: DEFAULT_WORKSPACE, pid, callId: answer.callId, capability: 'x.y', input: { a: 1 } }]);
    expect(by.told).toEqual([answer]);
  });

  test('that is vetoed is not decided, not carried out, and in the audit with what was asked for', async () => {
    const by = reviewer();
    by.say = veto;
    await using t = await openTestGate({ review: by.review });
    let times = 0;
    t.capabilities.define('x.y', { act: () => noting(() => times++) });
    t.policy = createTestPolicy({ 'x.y': { tier: 'approval_required' } });
    const answer = await t.call(await t.start(), 'x.y', { input: { a: 1 }, idempotencyKey: 'k' });
    expect(answer).toMatchObject({
      kind: 'failed',
      error: { type: 'Vetoed', message: 'Cannot call x.y: the-check vetoes it: not on Sundays' },
    });
    expect([times, by.told]).toEqual([0, []]);
    expect(t.audit.of(answer.callId)).toMatchObject([{ kind: 'syscall', outcome: 'denied', input: { a: 1 }, error: { type: 'Vetoed' } }]);
    expect((await t.test.mine.approvals.list()).approvals).toEqual([]);
  });

  test('is decided, approved, carried out and recorded with the arguments that were made', async () => {
    const by = reviewer();
    by.say = change({ to: 'nobody' });
    await using t = await openTestGate({ review: by.review });
    const made: JsonObject[] = [];
    t.capabilities.define('x.y', { act: ({ input }) => noting(() => made.push(input)) });
    const answer = await t.call(await t.start(), 'x.y', { input: { to: 'everybody' } });
    expect(made).toEqual([{ to: 'nobody' }]);
    expect(t.audit.of(answer.callId)).toMatchObject([{ input: { to: 'nobody' }, details: { asked_hash: expect.any(String) } }]);
  });

  test('whose arguments are made wrong is not made', async () => {
    const by = reviewer();
    by.say = change({ a: 'wrong' });
    await using t = await openTestGate({ review: by.review });
    t.capabilities.define('x.y', {
      parse: (input) =>
        input['a'] === 'wrong' ? { kind: 'invalid', problems: [{ field: 'a', reason: 'is wrong' }] } : { kind: 'valid', input },
    });
    expect(await t.call(await t.start(), 'x.y', { input: { a: 1 } })).toMatchObject({
      error: { type: 'Vetoed', message: expect.stringContaining('a: is wrong') },
    });
  });

  test.each([
    ['it throws', () => Promise.reject(new Error('out of tea')), 'it failed: out of tea'],
    ['it throws at once', () => { throw new Error('at once'); }, 'it failed: at once'], // biome-ignore format: a table
  ])('is not made when %s', async (_, say, reason) => {
    const by = reviewer();
    by.say = say as typeof by.say;
    await using t = await openTestGate({ review: by.review });
    t.capabilities.define('x.y');
    expect(await t.call(await t.start(), 'x.y')).toMatchObject({ error: { type: 'Vetoed', message: expect.stringContaining(reason) } });
  });

  test('with a key is the same call whatever was made of it, and its first answer is given again without looking', async () => {
    const by = reviewer();
    by.say = change({ n: 2 });
    await using t = await openTestGate({ review: by.review });
    let times = 0;
    t.capabilities.define('x.y', { effect: 'once', act: () => noting(() => times++) });
    const pid = await t.start();
    const first = await t.call(pid, 'x.y', { input: { n: 1 }, idempotencyKey: 'k' });
    by.say = veto;
    const again = await t.call(pid, 'x.y', { input: { n: 1 }, idempotencyKey: 'k' });
    expect([again.callId, again.kind, times]).toEqual([first.callId, 'done', 1]);
    await expect(t.call(pid, 'x.y', { input: { n: 3 }, idempotencyKey: 'k' })).rejects.toMatchObject({ code: 'conflict' });
  });

  test('that people approved is carried out as they approved it, whatever would be said now', async () => {
    const by = reviewer();
    by.say = change({ n: 2 });
    await using t = await openTestGate({ review: by.review });
    const made: JsonObject[] = [];
    t.capabilities.define('x.y', { effect: 'once', act: ({ input }) => noting(() => made.push(input)) });
    t.policy = createTestPolicy({ 'x.y': { tier: 'approval_required' } });
    const pending = await t.call(await t.start(), 'x.y', { input: { n: 1 } });
    if (pending.kind !== 'pending') throw new Error(`It is ${pending.kind}`);
    by.say = veto;
    await t.test.mine.approvals.approve(pending.approvalId, ANN);
    expect(await t.gate.result(DEFAULT_WORKSPACE, pending.callId, { waitMs: 10_000 })).toMatchObject({ kind: 'done' });
    expect([made, by.told.length]).toEqual([[{ n: 2 }], 1]);
  });

  test('ends when its caller gives up, and when the gate closes, and is not made', async () => {
    const by = reviewer();
    const looking = Promise.withResolvers<void>();
    by.say = (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        looking.resolve();
      });
    await using t = await openTestGate({ review: by.review });
    let times = 0;
    t.capabilities.define('x.y', { act: () => noting(() => times++) });
    const pid = await t.start();
    const caller = new AbortController();
    const given = t.call(pid, 'x.y', {}, caller.signal);
    await looking.promise;
    caller.abort();
    await expect(given).rejects.toMatchObject({ code: 'aborted' });
    const cut = t.call(pid, 'x.y');
    while (by.seen.length < 2) await new Promise(setImmediate);
    await Promise.all([expect(cut).rejects.toMatchObject({ code: 'unavailable' }), t.gate.close({ drainMs: 0 })]);
    expect(times).toBe(0);
  });
});
