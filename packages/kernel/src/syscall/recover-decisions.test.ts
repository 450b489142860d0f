/** What a kill between a commit and its entry leaves: the next start writes what the audit lacks, once. */
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { expect, test } from 'vitest';
import type { Approver } from '../approval/approvals.ts';
import type { RecordedEntry } from '../audit/audit.ts';
import { afterKill } from './test-support/after-kill.ts';
import { openTestGate, type TestGate } from './test-support/open-test-gate.ts';
import { done } from './test-support/test-capabilities.ts';
import { createTestPolicy } from './test-support/test-policy.ts';

const ANN: Approver = { name: 'ann', groups: [], isOperator: false };
const BOB: Approver = { name: 'bob', groups: [], isOperator: false };

type Asking = TestGate & { readonly pid: number };

async function openAsking(quorum = 1): Promise<Asking> {
  const t = await openTestGate();
  t.capabilities.define('x.y', { effect: 'once', act: () => done() });
  t.policy = createTestPolicy({ 'x.y': { tier: 'approval_required', ask: { quorum } } });
  return Object.assign(t, { pid: await t.start() });
}

async function ask(t: Asking) {
  const answer = await t.call(t.pid, 'x.y');
  if (answer.kind !== 'pending') throw new Error(`It is ${answer.kind}`);
  return answer;
}

/** The next life, after this change was committed and its entry was not written. */
async function killBefore(t: Asking, change: () => Promise<unknown>): Promise<Asking> {
  const torn = Promise.reject(new Error('killed'));
  torn.catch(() => {});
  t.audit.gate = torn;
  await change().catch(() => {});
  while (t.gate.active > 0) await new Promise(setImmediate);
  return Object.assign(await afterKill(t), { pid: t.pid });
}

const answers = (entries: readonly RecordedEntry[]) =>
  entries.flatMap(({ kind, outcome, details }) =>
    kind === 'answer' ? [{ outcome, state: details?.['state'], recovered: details?.['recovered'] ?? false }] : [],
  );

test.each([
  ['rejected', (t: Asking, id: string) => t.test.mine.approvals.reject(id, ANN, { reason: 'no' })],
  ['cancelled', (t: Asking, id: string) => t.test.mine.approvals.cancel(id, ANN, 'no')],
  [
    'expired',
    async (t: Asking, _: string) => {
      t.test.clock.advance(1_000 * 86_400_000);
      await t.test.mine.approvals.tick();
    },
  ],
  ['cancelled', (t: Asking, _: string) => t.test.mine.processes.end(t.pid, 'cancelled')],
] as const)('that a call was %s is in the audit after the next start, and once (%#)', async (state, change) => {
  await using first = await openAsking();
  const { callId, approvalId } = await ask(first);
  await using t = await killBefore(first, () => change(first, approvalId));
  expect(answers(first.audit.of(callId))).toEqual([]);
  expect(answers(t.audit.of(callId))).toEqual([{ outcome: 'denied', state, recovered: true }]);
  await t.restart();
  expect(answers(t.audit.of(callId))).toHaveLength(1);
  expect(await t.gate.result(DEFAULT_WORKSPACE, callId)).toMatchObject({ kind: 'failed', approvalId });
});

test('a vote that the audit lacks is written with who cast it, and the next is not confused with it', async () => {
  await using first = await openAsking(2);
  const { callId, approvalId } = await ask(first);
  await using second = await killBefore(first, () => first.test.mine.approvals.approve(approvalId, ANN, { note: 'fine' }));
  expect(second.audit.of(callId).at(-1)).toMatchObject({
    kind: 'answer',
    outcome: 'pending',
    actor: { kind: 'system' },
    details: { state: 'pending', by: 'ann', votes: 1, note: 'fine', recovered: true },
  });
  await using t = await killBefore(second, () => second.test.mine.approvals.approve(approvalId, BOB));
  expect(await t.gate.result(DEFAULT_WORKSPACE, callId, { waitMs: 10_000 })).toMatchObject({ kind: 'done' });
  await t.restart();
  expect(t.audit.of(callId).map(({ kind, outcome, details }) => [kind, outcome, details?.['by']])).toEqual([
    ['question', 'pending', undefined],
    ['answer', 'pending', 'ann'],
    ['answer', 'success', 'bob'],
    ['syscall', 'success', undefined],
  ]);
});

test('a standing rule that was made or revoked is in the audit after the next start, and once', async () => {
  await using first = await openAsking();
  const rules = (t: TestGate) =>
    t.audit.entries.flatMap(({ action, details }) => (details?.['rule_id'] === undefined ? [] : [[action, details['by']]]));
  const { approvalId } = await ask(first);
  const always = { scope: { kind: 'capability' }, forMs: 86_400_000 } as const;
  await using second = await killBefore(first, () => first.test.mine.approvals.approve(approvalId, ANN, { always }));
  expect(rules(first)).toEqual([]);
  expect(rules(second)).toEqual([['approval.allow_always', 'ann']]);
  const [rule] = await second.test.mine.approvals.listRules();
  await using t = await killBefore(second, () => second.test.mine.approvals.revokeRule(rule?.id ?? '', BOB));
  await t.restart();
  expect(rules(t)).toEqual([
    ['approval.allow_always', 'ann'],
    ['approval.revoke_rule', 'bob'],
  ]);
});

test('an attempt that was refused does not hide that the entry of the outcome is missing', async () => {
  await using first = await openAsking();
  const { callId, approvalId } = await ask(first);
  await first.test.mine.processes.transition(first.pid, 'RUNNING');
  await first.test.mine.processes.transition(first.pid, 'SUSPENDED');
  await first.test.mine.approvals.approve(approvalId, ANN);
  const syscalls = (t: TestGate) => t.audit.of(callId).flatMap(({ kind, outcome }) => (kind === 'syscall' ? [outcome] : []));
  while (syscalls(first).length === 0) await new Promise(setImmediate);
  expect(syscalls(first)).toEqual(['denied']);
  await using t = await killBefore(first, async () => {
    await first.test.mine.processes.transition(first.pid, 'READY');
    while ((await first.test.mine.events.newest({ kind: 'kernel.call.ended' })).length === 0) await new Promise(setImmediate);
  });
  expect(syscalls(t)).toEqual(['denied', 'success']);
  await t.restart();
  expect(syscalls(t)).toEqual(['denied', 'success']);
});
