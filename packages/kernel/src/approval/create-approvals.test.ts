import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, test } from 'vitest';
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
    await t.test.mine.approvals.reject(approvalId, ANN, 'not to her');
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

  test('goes with the deciding vote only, and is bounded', async () => {
    await using t = await openAsking({ ask: { quorum: 2 } });
    const { approvals } = t.test.mine;
    const { approvalId } = await ask(t);
    const always = { scope: { kind: 'exact' }, forMs: 1_000 } as const;
    await expect(approvals.approve(approvalId, ANN, { always })).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(await approvals.get(approvalId)).toMatchObject({ votes: [] });
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
