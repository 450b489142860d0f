import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, test } from 'vitest';
import type { Policy } from '../policy/policy.ts';
import { openTestGate, type TestGate } from '../syscall/test-support/open-test-gate.ts';
import { done } from '../syscall/test-support/test-capabilities.ts';
import { createTestPolicy, type TestRule } from '../syscall/test-support/test-policy.ts';
import type { Approver } from './approvals.ts';

const ANN: Approver = { name: 'ann', groups: ['ops'], isOperator: false };
const BOB: Approver = { name: 'bob', groups: ['law'], isOperator: false };
const ROOT: Approver = { name: 'root', groups: [], isOperator: true };

type Asking = TestGate & { readonly pid: number; readonly acted: readonly unknown[] };

/** A process whose calls of `mail.send` have to be approved. */
async function openAsking(rule: Partial<TestRule> = {}): Promise<Asking> {
  const t = await openTestGate();
  const acted: unknown[] = [];
  t.capabilities.define('mail.send', {
    effect: 'once',
    parse: (input) =>
      typeof input['to'] === 'string'
        ? { kind: 'valid', input }
        : { kind: 'invalid', problems: [{ field: 'to', reason: 'it is no text' }] },
    redact: ({ body: _, ...input }) => input,
    act: ({ input }) => {
      acted.push(input);
      return done({ sent: input['to'] ?? null });
    },
  });
  t.policy = createTestPolicy({ 'mail.send': { tier: 'approval_required', ...rule } });
  return Object.assign(t, { pid: await t.start(), acted });
}

const ask = async (t: Asking, input: Record<string, string> = { to: 'eve', body: 'secret' }, more = {}) => {
  const answer = await t.call(t.pid, 'mail.send', { input, reasoning: 'she asked for it', ...more });
  if (answer.kind !== 'pending') throw new Error(`It is ${answer.kind}`);
  return answer;
};

const outcome = (t: Asking, callId: string) => t.gate.result(DEFAULT_WORKSPACE, callId, { waitMs: 10_000 });

describe('a call that has to be approved', () => {
  test('is kept with its exact arguments, shown redacted, and carried out once when it is approved', async () => {
    await using t = await openAsking();
    const { approvals } = t.test.mine;
    const { callId, approvalId } = await ask(t);
    expect(t.acted).toEqual([]);
    const shown = await approvals.get(approvalId);
    expect(shown).toMatchObject({
      state: 'pending',
      callId,
      pid: t.pid,
      agent: 'ada',
      input: { to: 'eve' },
      reasoning: 'she asked for it',
      rule: { line: 7 },
    });
    expect(JSON.stringify(shown)).not.toContain('secret');
    expect(await approvals.approve(approvalId, ANN, { note: 'fine' })).toMatchObject({
      state: 'approved',
      reason: 'fine',
      votes: [{ approver: 'ann' }],
    });
    expect(await outcome(t, callId)).toMatchObject({ kind: 'done', output: { sent: 'eve' }, tier: 'approval_required', approvalId });
    expect(t.acted).toEqual([{ to: 'eve', body: 'secret' }]);
    expect(t.audit.of(callId).map(({ kind, outcome }) => [kind, outcome])).toEqual([
      ['question', 'pending'],
      ['answer', 'success'],
      ['syscall', 'success'],
    ]);
    expect(JSON.stringify(t.audit.entries)).not.toContain('secret');
    await expect(approvals.approve(approvalId, BOB)).rejects.toMatchObject({ code: 'conflict', details: { state: 'approved' } });
    await expect(approvals.reject(approvalId, BOB)).rejects.toMatchObject({ code: 'conflict' });
    expect(t.acted).toHaveLength(1);
  });

  test('is shown in all its length to whoever reads it, however long, and says in lists that it is cut', async () => {
    await using t = await openAsking();
    const { approvals } = t.test.mine;
    const note = `${'harmless '.repeat(20_000)}rm -rf everything`;
    const { approvalId } = await ask(t, { to: 'eve', note });
    const [listed] = (await approvals.list()).approvals;
    expect(listed?.isInputWhole).toBe(false);
    expect(JSON.stringify(listed)).not.toContain('everything');
    const read = await approvals.get(approvalId);
    expect(read).toMatchObject({ isInputWhole: true, input: { to: 'eve', note } });
    const other = `${note} and more`;
    await approvals.approve(approvalId, ANN, { input: { to: 'bob', note: other }, callHash: read.callHash });
    // It is carried out, and its exact arguments are kept no more.
    expect(await outcome(t, read.callId)).toMatchObject({ kind: 'done' });
    expect(t.acted).toEqual([{ to: 'bob', note: other }]);
    expect(await approvals.get(approvalId)).toMatchObject({ isInputWhole: false });
    const short = await ask(t, { to: 'eve' });
    expect((await approvals.list()).approvals[0]).toMatchObject({ id: short.approvalId, isInputWhole: true });
  });

  test('is shown with the arguments somebody put in their place, all of them', async () => {
    await using t = await openAsking({ ask: { quorum: 2, approvers: [], expiresMs: 60_000 } });
    const { approvals } = t.test.mine;
    const { approvalId } = await ask(t, { to: 'eve' });
    const note = 'x'.repeat(100_000);
    await approvals.approve(approvalId, ANN, { input: { to: 'bob', note } });
    expect(await approvals.get(approvalId)).toMatchObject({ isInputWhole: true, input: { to: 'eve' }, editedInput: { to: 'bob', note } });
    expect((await approvals.list()).approvals[0]).toMatchObject({ isInputWhole: false, input: { to: 'eve' } });
  });

  test.each(['rejected', 'expired', 'cancelled'] as const)('that is %s is no news before the audit has it', async (how) => {
    await using t = await openAsking();
    const { approvals } = t.test.mine;
    const { callId, approvalId } = await ask(t);
    const flushed = Promise.withResolvers<void>();
    const decided = t.test.mine.approvals.wait(approvalId, 10_000);
    t.audit.gate = flushed.promise;
    if (how === 'expired') t.test.clock.advance(30 * 86_400_000);
    const deciding =
      how === 'rejected'
        ? approvals.reject(approvalId, ANN)
        : how === 'cancelled'
          ? approvals.cancel(approvalId, ANN, 'not now')
          : approvals.tick();
    expect(await decided).toMatchObject({ state: how });
    const held = outcome(t, callId);
    let isTold = false;
    void held.then(() => (isTold = true));
    expect(await t.gate.result(DEFAULT_WORKSPACE, callId, { waitMs: 0 })).toMatchObject({ kind: 'pending' });
    expect([isTold, t.audit.of(callId).map(({ kind }) => kind)]).toEqual([false, ['question']]);
    flushed.resolve();
    expect(await held).toMatchObject({ kind: 'failed' });
    expect(t.audit.of(callId).map(({ kind }) => kind)).toEqual(['question', 'answer']);
    await deciding;
  });

  test('answers whoever holds it', async () => {
    await using t = await openAsking();
    const held = t.call(t.pid, 'mail.send', { input: { to: 'eve' }, onAsk: 'wait', waitMs: 10_000 });
    const [pending] = await untilPending(t);
    await t.test.mine.approvals.approve(pending?.id ?? '', ANN);
    expect(await held).toMatchObject({ kind: 'done', output: { sent: 'eve' } });
  });

  test('is rejected with the reason, and its answer stays', async () => {
    await using t = await openAsking();
    const { callId, approvalId } = await ask(t, { to: 'eve' }, { idempotencyKey: 'k' });
    await t.test.mine.approvals.reject(approvalId, ANN, { reason: 'not to her' });
    const rejected = { kind: 'failed', error: { type: 'ApprovalRejected', context: { reason: 'not to her' } } };
    expect(await outcome(t, callId)).toMatchObject(rejected);
    expect(await t.call(t.pid, 'mail.send', { input: { to: 'eve' }, idempotencyKey: 'k' })).toMatchObject(rejected);
    expect(t.acted).toEqual([]);
    expect(t.audit.of(callId).at(-1)).toMatchObject({ kind: 'answer', outcome: 'denied', actor: { kind: 'member', name: 'ann' } });
  });

  test('expires, and who approves it then is too late', async () => {
    await using t = await openAsking({ ask: { expiresMs: 60_000 } });
    const late = await ask(t);
    t.test.clock.advance(60_000);
    await expect(t.test.mine.approvals.approve(late.approvalId, ANN)).rejects.toMatchObject({
      code: 'conflict',
      details: { state: 'expired' },
    });
    const { callId, approvalId } = await ask(t);
    t.test.clock.advance(60_000);
    await t.test.mine.approvals.tick();
    expect(await t.test.mine.approvals.get(approvalId)).toMatchObject({ state: 'expired' });
    expect(await outcome(t, callId)).toMatchObject({ kind: 'failed', error: { type: 'ApprovalExpired', retryable: true } });
    expect(t.acted).toEqual([]);
    expect(t.audit.of(callId).map(({ kind, outcome }) => [kind, outcome])).toEqual([
      ['question', 'pending'],
      ['answer', 'denied'],
    ]);
  });

  test('is put to others when nobody decides', async () => {
    await using t = await openAsking({ ask: { approvers: ['ops'], escalate: { afterMs: 1_000, to: ['law'] } } });
    const { approvalId } = await ask(t);
    const { approvals } = t.test.mine;
    await expect(approvals.approve(approvalId, BOB)).rejects.toMatchObject({ code: 'permission_denied' });
    t.test.clock.advance(1_000);
    await approvals.tick();
    expect(await t.test.mine.events.newest({ kind: 'kernel.approval.escalated' })).toMatchObject([{ payload: { to: ['law'] } }]);
    expect(await approvals.approve(approvalId, BOB)).toMatchObject({ state: 'approved' });
  });

  test('needs as many people as its rule says, each once, of the groups that are asked', async () => {
    await using t = await openAsking({ ask: { quorum: 2, approvers: ['ops', 'law'] } });
    const { approvalId, callId } = await ask(t);
    const { approvals } = t.test.mine;
    await expect(approvals.approve(approvalId, { name: 'eve', groups: ['sales'], isOperator: false })).rejects.toMatchObject({
      code: 'permission_denied',
    });
    expect(await approvals.approve(approvalId, ANN)).toMatchObject({ state: 'pending', votes: [{ approver: 'ann' }] });
    await expect(approvals.approve(approvalId, ANN)).rejects.toMatchObject({ code: 'permission_denied' });
    expect(t.acted).toEqual([]);
    expect(await approvals.approve(approvalId, ROOT)).toMatchObject({ state: 'approved' });
    expect(await outcome(t, callId)).toMatchObject({ kind: 'done' });
  });

  test('is carried out with edited arguments when they are valid and not blocked, which starts the votes anew', async () => {
    await using t = await openAsking({
      tier: ({ input }) => (input['to'] === 'mallory' ? 'blocked' : 'approval_required'),
      ask: { quorum: 2 },
    });
    const { approvals } = t.test.mine;
    const { approvalId, callId } = await ask(t);
    await approvals.approve(approvalId, ANN);
    await expect(approvals.approve(approvalId, BOB, { input: { to: 3 } })).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(approvals.approve(approvalId, BOB, { input: { to: 'mallory' } })).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(approvals.approve(approvalId, BOB, { input: JSON.parse('{"to":"x","__proto__":{"a":1}}') })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    const { callHash } = await approvals.get(approvalId);
    const edited = await approvals.approve(approvalId, BOB, { input: { to: 'carol', body: 'secret' } });
    expect(edited).toMatchObject({ state: 'pending', editedInput: { to: 'carol' }, input: { to: 'eve' }, votes: [{ approver: 'bob' }] });
    await expect(approvals.approve(approvalId, ANN, { callHash })).rejects.toMatchObject({ code: 'conflict' });
    await approvals.approve(approvalId, ANN, { callHash: edited.callHash });
    expect(await outcome(t, callId)).toMatchObject({ kind: 'done', output: { sent: 'carol' } });
    expect(t.acted).toEqual([{ to: 'carol', body: 'secret' }]);
    expect(t.audit.of(callId).at(-1)).toMatchObject({ kind: 'syscall', input: { to: 'carol' } });
  });

  test('of which two people decide at once gets one decision', async () => {
    await using t = await openAsking();
    const { approvals } = t.test.mine;
    let approved = 0;
    for (let round = 0; round < 10; round++) {
      const { approvalId, callId } = await ask(t, { to: `eve${round}` });
      const settled = await Promise.allSettled([
        approvals.approve(approvalId, ANN),
        ...(round % 2 === 0 ? [approvals.reject(approvalId, BOB)] : []),
        approvals.approve(approvalId, ROOT),
      ]);
      expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const each of settled) if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'conflict' });
      if ((await outcome(t, callId)).kind === 'done') approved += 1;
    }
    expect(approved).toBeGreaterThan(0);
    expect(t.acted).toHaveLength(approved);
  });

  test('is withdrawn by the end of its process', async () => {
    await using t = await openAsking();
    const { callId, approvalId } = await ask(t);
    await t.test.mine.processes.end(t.pid, 'completed');
    expect(await t.test.mine.approvals.get(approvalId)).toMatchObject({ state: 'cancelled', reason: 'the process ended' });
    await expect(t.test.mine.approvals.approve(approvalId, ANN)).rejects.toMatchObject({ code: 'conflict' });
    expect(await outcome(t, callId)).toMatchObject({ kind: 'failed', error: { type: 'Cancelled' } });
    expect(t.audit.of(callId).at(-1)).toMatchObject({ kind: 'answer', actor: { kind: 'system' }, outcome: 'denied' });
    expect(t.acted).toEqual([]);
  });

  test('is withdrawn by a cancel', async () => {
    await using t = await openAsking();
    const { callId } = await ask(t);
    await expect(t.gate.cancel(DEFAULT_WORKSPACE, callId, { pid: t.pid + 1 })).rejects.toMatchObject({ code: 'not_found' });
    expect(await t.gate.cancel(DEFAULT_WORKSPACE, callId)).toBe(true);
    expect(await t.gate.cancel(DEFAULT_WORKSPACE, callId)).toBe(false);
    expect(await outcome(t, callId)).toMatchObject({ kind: 'failed', error: { type: 'Cancelled' } });
  });

  test('survives a restart, before and after it is approved', async () => {
    await using t = await openAsking();
    const first = await ask(t, { to: 'eve' });
    const second = await ask(t, { to: 'carol' });
    await t.restart();
    await t.test.mine.approvals.approve(first.approvalId, ANN);
    expect(await outcome(t, first.callId)).toMatchObject({ kind: 'done', output: { sent: 'eve' } });

    // Approved on disk, and nobody there to carry it out: that is for the next start.
    await t.test.kernel.store.workspace(DEFAULT_WORKSPACE).write(({ approvals, now }) => {
      const votes = [{ approver: 'ann', at: now, note: undefined }];
      approvals.update(second.approvalId, { state: 'approved', decidedAt: now, escalateAt: undefined, votes });
    });
    await t.restart();
    expect(await outcome(t, second.callId)).toMatchObject({ kind: 'done', output: { sent: 'carol' } });
    expect(t.audit.of(second.callId).map(({ kind }) => kind)).toEqual(['question', 'answer', 'syscall']);
    await t.restart();
    expect(t.acted).toHaveLength(2);
    expect(await outcome(t, first.callId)).toMatchObject({ kind: 'done', output: { sent: 'eve' } });
  });

  test('is refused at last when meanwhile it is blocked, its grant is gone or its capability reads it otherwise', async () => {
    await using t = await openAsking();
    const { approvals } = t.test.mine;
    const blocked = await ask(t, { to: 'a' });
    t.policy = createTestPolicy({ 'mail.send': { tier: 'blocked' } });
    await approvals.approve(blocked.approvalId, ANN);
    expect(await outcome(t, blocked.callId)).toMatchObject({ kind: 'failed', error: { type: 'PolicyDenied' } });

    t.policy = createTestPolicy({ 'mail.send': { tier: 'approval_required' } });
    const changed = await ask(t, { to: 'b' });
    const definition = t.capabilities.find('mail.send');
    if (definition === undefined) throw new Error('It is gone');
    t.capabilities.define('mail.send', { ...definition, parse: (input) => ({ kind: 'valid', input: { ...input, bcc: 'all' } }) });
    await approvals.approve(changed.approvalId, ANN);
    expect(await outcome(t, changed.callId)).toMatchObject({ kind: 'failed', error: { type: 'ApprovalExpired' } });
    t.capabilities.define('mail.send', definition);

    const ungranted = await ask(t, { to: 'c' });
    await t.test.mine.grants.revoke(t.pid);
    await approvals.approve(ungranted.approvalId, ANN);
    expect(await outcome(t, ungranted.callId)).toMatchObject({ kind: 'failed', error: { type: 'GrantMissing' } });
    expect(t.acted).toEqual([]);
  });

  test('waits until its process goes on when that is suspended', async () => {
    await using t = await openAsking();
    const { callId, approvalId } = await ask(t);
    await t.test.mine.processes.transition(t.pid, 'RUNNING');
    await t.test.mine.processes.signal(t.pid, 'stop');
    await t.test.mine.approvals.approve(approvalId, ANN);
    expect(await t.gate.result(DEFAULT_WORKSPACE, callId, { waitMs: 50 })).toMatchObject({ kind: 'pending' });
    expect(t.acted).toEqual([]);
    await t.test.mine.processes.signal(t.pid, 'continue');
    expect(await outcome(t, callId)).toMatchObject({ kind: 'done' });
    expect(t.acted).toHaveLength(1);
  });

  test('is decided only where a gate is open to record it', async () => {
    await using t = await openAsking();
    const { approvalId } = await ask(t);
    await t.gate.close();
    await expect(t.test.mine.approvals.approve(approvalId, ANN)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(t.test.mine.approvals.reject(approvalId, ANN)).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('is not carried out before its approval is in the audit', async () => {
    await using t = await openAsking();
    const { approvalId, callId } = await ask(t);
    t.audit.isBroken = true;
    await expect(t.test.mine.approvals.approve(approvalId, ANN)).rejects.toMatchObject({ code: 'storage_full' });
    expect(await t.gate.result(DEFAULT_WORKSPACE, callId)).toMatchObject({ kind: 'pending' });
    expect(t.acted).toEqual([]);
    t.audit.isBroken = false;
    await t.restart();
    expect(await outcome(t, callId)).toMatchObject({ kind: 'done' });
    expect(t.audit.of(callId).map(({ kind }) => kind)).toEqual(['question', 'answer', 'syscall']);
  });
});

/** Mail to the bank is for two of `law` or `board`, other mail for one of `ops`, mail to oneself for nobody. */
function createBankPolicy(): Policy {
  const base = createTestPolicy({ 'mail.send': { tier: ({ input }) => (input['to'] === 'me' ? 'autonomous' : 'approval_required') } });
  return {
    ...base,
    decide(request, read, allowances) {
      const decision = base.decide(request, read, allowances);
      const isBank = request.input['to'] === 'bank';
      return { ...decision, ask: { ...decision.ask, ...(isBank ? { approvers: ['law', 'board'], quorum: 2 } : { approvers: ['ops'] }) } };
    },
  };
}

describe('arguments that an approver edits', () => {
  const KIM: Approver = { name: 'kim', groups: ['ops', 'law'], isOperator: false };

  test('are not approved by who could not have approved them', async () => {
    await using t = await openAsking();
    t.policy = createBankPolicy();
    const { approvals } = t.test.mine;
    const { approvalId, callId } = await ask(t, { to: 'friend' });
    const before = await approvals.get(approvalId);
    await expect(approvals.approve(approvalId, ANN, { input: { to: 'bank' } })).rejects.toMatchObject({ code: 'permission_denied' });
    expect(await approvals.get(approvalId)).toEqual(before);
    await approvals.approve(approvalId, ANN);
    expect(await outcome(t, callId)).toMatchObject({ kind: 'done' });
    expect(t.acted).toEqual([{ to: 'friend' }]);
  });

  test('are put to those who are asked about such, and the vote of the editor is one of theirs', async () => {
    await using t = await openAsking();
    t.policy = createBankPolicy();
    const { approvals } = t.test.mine;
    const { approvalId, callId } = await ask(t, { to: 'friend' });
    expect(await approvals.approve(approvalId, KIM, { input: { to: 'bank' } })).toMatchObject({
      state: 'pending',
      terms: { quorum: 2, approvers: ['law', 'board'] },
      votes: [{ approver: 'kim' }],
    });
    await expect(approvals.approve(approvalId, ANN)).rejects.toMatchObject({ code: 'permission_denied' });
    await expect(approvals.approve(approvalId, KIM)).rejects.toMatchObject({ code: 'permission_denied' });
    expect(t.acted).toEqual([]);
    await approvals.approve(approvalId, BOB);
    expect(await outcome(t, callId)).toMatchObject({ kind: 'done', output: { sent: 'bank' } });
    expect(t.acted).toEqual([{ to: 'bank' }]);
  });

  test('need no fewer people than those that were asked about', async () => {
    await using t = await openAsking();
    t.policy = createBankPolicy();
    const { approvals } = t.test.mine;
    for (const to of ['friend', 'me']) {
      const { approvalId, callId } = await ask(t, { to: 'bank' });
      expect(await approvals.approve(approvalId, KIM, { input: { to } })).toMatchObject({ state: 'pending', terms: { quorum: 2 } });
      await approvals.approve(approvalId, ROOT);
      expect(await outcome(t, callId)).toMatchObject({ kind: 'done', output: { sent: to } });
    }
  });

  test('are escalated as such are', async () => {
    await using t = await openAsking();
    const base = createTestPolicy({ 'mail.send': { tier: 'approval_required', ask: { approvers: ['ops'] } } });
    t.policy = {
      ...base,
      decide: (request, ...more) => {
        const decision = base.decide(request, ...more);
        const to = request.input['to'] === 'bank' ? ['law'] : ['sales'];
        return { ...decision, ask: { ...decision.ask, quorum: 2, escalate: { afterMs: 1_000, to } } };
      },
    };
    const { approvals } = t.test.mine;
    const { approvalId } = await ask(t, { to: 'friend' });
    t.test.clock.advance(1_000);
    await approvals.tick();
    await approvals.approve(approvalId, ANN, { input: { to: 'bank' } });
    await expect(approvals.approve(approvalId, BOB)).rejects.toMatchObject({ code: 'permission_denied' });
    t.test.clock.advance(1_000);
    await approvals.tick();
    expect(await approvals.approve(approvalId, BOB)).toMatchObject({ state: 'approved' });
    expect(t.audit.entries.filter(({ details }) => details?.['escalated_to'] !== undefined)).toMatchObject([
      { kind: 'question', actor: { kind: 'system' }, approvalId, outcome: 'pending', details: { escalated_to: ['sales'] } },
      { kind: 'question', actor: { kind: 'system' }, approvalId, outcome: 'pending', details: { escalated_to: ['law'] } },
    ]);
  });
});

test('an agent has so many questions at a time, in all its processes, and is told how many wait', async () => {
  await using t = await openAsking();
  const other = await t.start();
  const asked = await Promise.all(
    Array.from({ length: 100 }, (_, index) => t.call(index % 2 === 0 ? t.pid : other, 'mail.send', { input: { to: `${index}` } })),
  );
  expect(asked.map(({ kind }) => kind)).toEqual(Array.from({ length: 100 }, () => 'pending'));
  expect(await t.call(t.pid, 'mail.send', { input: { to: 'more' } })).toMatchObject({
    kind: 'failed',
    error: {
      type: 'TooManyCalls',
      recovery: [{ action: 'poll' }, { action: 'cancel' }, { action: 'wait_and_retry' }],
      context: { pending: 100, limit: 100, of: 'agent' },
    },
  });
  expect(await t.call(await t.start({ agent: 'otto' }), 'mail.send', { input: { to: 'more' } })).toMatchObject({ kind: 'pending' });
  await t.gate.cancel(DEFAULT_WORKSPACE, asked[0]?.callId ?? '');
  expect(await t.call(other, 'mail.send', { input: { to: 'more' } })).toMatchObject({ kind: 'pending' });
});

describe('a decision', () => {
  test('is about what was read', async () => {
    await using t = await openAsking();
    const { approvals } = t.test.mine;
    const { approvalId } = await ask(t);
    const { callHash } = await approvals.get(approvalId);
    const other = { code: 'conflict', details: { state: 'pending', call_hash: callHash } };
    await expect(approvals.approve(approvalId, ANN, { callHash: 'f'.repeat(64) })).rejects.toMatchObject(other);
    await expect(approvals.reject(approvalId, ANN, { callHash: 'f'.repeat(64) })).rejects.toMatchObject(other);
    expect(await approvals.reject(approvalId, ANN, { callHash })).toMatchObject({ state: 'rejected' });
  });

  test('is not made while something that happened is not in the audit', async () => {
    await using t = await openAsking();
    const { approvals } = t.test.mine;
    const [first, second] = [await ask(t, { to: 'a' }), await ask(t, { to: 'b' })];
    const always = { scope: { kind: 'exact' }, forMs: 60_000 } as const;
    const { approvalId: ruled } = await ask(t, { to: 'c' });
    await approvals.approve(ruled, ANN, { always });
    const [rule] = await approvals.listRules();
    t.audit.isBroken = true;
    await expect(approvals.reject(first.approvalId, ANN)).rejects.toMatchObject({ code: 'storage_full' });
    const { approvalId } = second;
    for (const decided of [
      approvals.approve(approvalId, ANN, { always: { scope: { kind: 'capability' }, forMs: 1_000 } }),
      approvals.reject(approvalId, ANN),
      approvals.cancel(approvalId, ANN, 'no'),
      approvals.withdraw(approvalId, undefined, 'no'),
      approvals.revokeRule(rule?.id ?? '', ANN),
      t.gate.cancel(DEFAULT_WORKSPACE, second.callId),
    ])
      await expect(decided).rejects.toMatchObject({ code: 'storage_full' });
    expect(await approvals.get(approvalId)).toMatchObject({ state: 'pending', votes: [] });
    expect(await approvals.listRules()).toEqual([rule]);
    t.audit.isBroken = false;
    await approvals.approve(approvalId, ANN);
    expect(await outcome(t, second.callId)).toMatchObject({ kind: 'done' });
    expect(t.audit.of(first.callId).map(({ kind, outcome }) => [kind, outcome])).toContainEqual(['answer', 'denied']);
  });

  test('to take a question off the table is for those who are asked; who acts for the process withdraws the call', async () => {
    await using t = await openAsking({ ask: { approvers: ['ops'] } });
    const { approvals } = t.test.mine;
    const [first, second, third] = [await ask(t, { to: 'a' }), await ask(t, { to: 'b' }), await ask(t, { to: 'c' })];
    await expect(approvals.cancel(first.approvalId, BOB, 'no')).rejects.toMatchObject({ code: 'permission_denied' });
    expect(await approvals.cancel(first.approvalId, ANN, 'not now')).toMatchObject({ state: 'cancelled', reason: 'not now' });
    expect(await t.gate.cancel(DEFAULT_WORKSPACE, second.callId, { by: BOB })).toBe(true);
    expect(await t.gate.cancel(DEFAULT_WORKSPACE, third.callId, { pid: t.pid })).toBe(true);
    expect([first, second, third].map(({ callId }) => t.audit.of(callId).at(-1)?.actor)).toEqual([
      { kind: 'member', name: 'ann' },
      { kind: 'member', name: 'bob' },
      { kind: 'process', pid: t.pid, agent: 'ada' },
    ]);
  });
});

describe('a standing answer', () => {
  test('for the same arguments allows exactly these, tells people, and ends', async () => {
    await using t = await openAsking();
    const { approvals } = t.test.mine;
    const { approvalId } = await ask(t, { to: 'eve' });
    await approvals.approve(approvalId, ANN, { always: { scope: { kind: 'exact' }, forMs: 60_000 } });
    const [rule] = await approvals.listRules();
    expect(rule).toMatchObject({ agent: 'ada', capability: 'mail.send', createdBy: 'ann', approvalId });
    expect(await t.call(t.pid, 'mail.send', { input: { to: 'eve' } })).toMatchObject({ kind: 'done', tier: 'notify' });
    expect(await t.call(t.pid, 'mail.send', { input: { to: 'eve', cc: 'all' } })).toMatchObject({ kind: 'pending' });
    expect(await t.call(t.pid, 'mail.send', { input: { to: 'mallory' } })).toMatchObject({ kind: 'pending' });
    const other = await t.start({ agent: 'otto' });
    expect(await t.call(other, 'mail.send', { input: { to: 'eve' } })).toMatchObject({ kind: 'pending' });
    t.test.clock.advance(60_000);
    expect(await t.call(t.pid, 'mail.send', { input: { to: 'eve' } })).toMatchObject({ kind: 'pending' });
    expect(await approvals.listRules()).toEqual([]);
    expect(await approvals.listRules({ all: true })).toHaveLength(1);
  });

  test('for a capability is taken back at once', async () => {
    await using t = await openAsking();
    const { approvals } = t.test.mine;
    const { approvalId } = await ask(t, { to: 'eve' });
    await approvals.approve(approvalId, ANN, { always: { scope: { kind: 'capability' }, forMs: 60_000 } });
    expect(await t.call(t.pid, 'mail.send', { input: { to: 'carol' } })).toMatchObject({ kind: 'done' });
    const [rule] = await approvals.listRules();
    expect(await approvals.revokeRule(rule?.id ?? '', BOB)).toBe(true);
    expect(await approvals.revokeRule(rule?.id ?? '', BOB)).toBe(false);
    expect(await t.call(t.pid, 'mail.send', { input: { to: 'carol' } })).toMatchObject({ kind: 'pending' });
    expect(t.audit.entries.filter(({ kind }) => kind === 'operator').map(({ action }) => action)).toEqual([
      'approval.allow_always',
      'approval.revoke_rule',
      'approval.revoke_rule',
    ]);
  });

  test('is given by as many people as the question needs, for the shortest of their times', async () => {
    await using t = await openAsking({ ask: { quorum: 2 } });
    const { approvals } = t.test.mine;
    const { approvalId } = await ask(t);
    const scope = { kind: 'capability' } as const;
    expect(await approvals.approve(approvalId, ANN, { always: { scope, forMs: 1_000 } })).toMatchObject({
      state: 'pending',
      votes: [{ approver: 'ann', always: { scope, forMs: 1_000 } }],
    });
    expect(await approvals.listRules()).toEqual([]);
    await approvals.approve(approvalId, BOB, { always: { scope, forMs: 31_536_000_000 } });
    const [rule] = await approvals.listRules();
    expect(rule).toMatchObject({ createdBy: 'bob', approvalId, expiresAt: t.test.clock.now() + 1_000 });
    expect(await t.call(t.pid, 'mail.send', { input: { to: 'carol' } })).toMatchObject({ kind: 'done' });
  });

  test.each([
    ['the others did not give', undefined],
    ['the others gave to fewer calls', { scope: { kind: 'exact' }, forMs: 1_000 } as const],
  ])('is not given by the last of several people when it is one that %s', async (_, always) => {
    await using t = await openAsking({ ask: { quorum: 2 } });
    const { approvals } = t.test.mine;
    const { approvalId, callId } = await ask(t);
    await approvals.approve(approvalId, ANN, { always });
    const wide = { scope: { kind: 'capability' }, forMs: 31_536_000_000 } as const;
    await expect(approvals.approve(approvalId, BOB, { always: wide })).rejects.toMatchObject({
      code: 'permission_denied',
      details: { field: 'always' },
    });
    expect(await approvals.get(approvalId)).toMatchObject({ state: 'pending', votes: [{ approver: 'ann' }] });
    await approvals.approve(approvalId, BOB);
    expect(await outcome(t, callId)).toMatchObject({ kind: 'done' });
    expect(await approvals.listRules()).toEqual([]);
    expect(await t.call(t.pid, 'mail.send', { input: { to: 'carol' } })).toMatchObject({ kind: 'pending' });
  });

  test('is bounded', async () => {
    await using t = await openAsking();
    const { approvals } = t.test.mine;
    const { approvalId } = await ask(t);
    const always = { scope: { kind: 'exact' }, forMs: 1_000 } as const;
    for (const forMs of [0, -1, 1.5, 40_000_000_000, Number.NaN]) {
      await expect(approvals.approve(approvalId, ANN, { always: { ...always, forMs } })).rejects.toMatchObject({
        code: 'invalid_argument',
      });
    }
    await expect(approvals.approve(approvalId, ANN, { always: { scope: { kind: 'when', when: {} }, forMs: 1 } })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    await expect(approvals.approve('approval_0000000000000000', ANN)).rejects.toMatchObject({ code: 'not_found' });
    await expect(approvals.approve('\u0000', ANN)).rejects.toMatchObject({ code: 'invalid_argument' });
  });
});

async function untilPending(t: Asking) {
  for (;;) {
    const { approvals } = await t.test.mine.approvals.list({ state: 'pending' });
    if (approvals.length > 0) return approvals;
    await new Promise(setImmediate);
  }
}
