import type { Answer, Approver } from '@warren/kernel';
import { DEFAULT_WORKSPACE, isFault } from '@warren/protocol';
import { expect } from 'vitest';
import { type Agent, shareAgents } from './agents.ts';
import { provesGate } from './proves-gate.ts';

const agents = shareAgents({
  'policies/system.yaml': `default: autonomous
rules:
  - { id: short, capability: state.session.set, tier: approval_required, ask: { expires: 1s } }
  - { id: ask, capability: filesystem.write, tier: approval_required }
`,
});

const ada: Approver = { name: 'ada', groups: [], isOperator: true };
const grace: Approver = { name: 'grace', groups: [], isOperator: true };
const WRITE = { path: '/workspace/asked', content: 'approved' };

async function askedBy(agent: Agent): Promise<Extract<Answer, { readonly kind: 'pending' }>> {
  const answer = await agent.ask('filesystem.write', WRITE, { reasoning: 'because' });
  if (answer.kind !== 'pending') throw new Error(`it did not wait: ${JSON.stringify(answer)}`);
  return answer;
}

function resultOf({ callId }: Answer): Promise<Answer> {
  return agents().platform.gate.result(DEFAULT_WORKSPACE, callId, { waitMs: 10_000 });
}

provesGate('approval:waits', async () => {
  const agent = await agents().agent();
  const waiting = agent.ask('filesystem.write', WRITE, { onAsk: 'wait', waitMs: 15_000 });
  const { approvals } = agents().mine;
  await expect.poll(async () => (await approvals.list({ pid: agent.pid, state: 'pending' })).pending, { timeout: 10_000 }).toBe(1);
  const { approvals: asked } = await approvals.list({ pid: agent.pid, state: 'pending' });
  const id = asked[0]?.id ?? '';
  await approvals.approve(id, ada);
  const answer = await waiting;
  expect(answer).toMatchObject({ kind: 'done', output: { size: 8 }, approvalId: id });
  const { entries } = await agents().platform.audit.search({ callId: answer.callId, kind: 'syscall' });
  expect(entries.at(-1)).toMatchObject({ approvalId: id, outcome: 'success', decision: { tier: 'approval_required' } });
});

provesGate('approval:expired', async () => {
  const agent = await agents().agent();
  const answer = await agent.ask('state.session.set', { key: 'k', value: 1 });
  if (answer.kind !== 'pending') throw new Error('it did not wait');
  const { approvals } = agents().mine;
  expect(await approvals.wait(answer.approvalId, 15_000)).toMatchObject({ state: 'expired' });
  const refused = await approvals.approve(answer.approvalId, ada).catch((error: unknown) => error);
  expect(isFault(refused, 'conflict') && refused.details).toMatchObject({ state: 'expired' });
  expect(await resultOf(answer)).toMatchObject({ kind: 'failed', error: { type: 'ApprovalExpired' } });
  expect(await agent.call('state.session.get', { key: 'k' })).toMatchObject({ found: false });
});

provesGate('approval:rejected', async () => {
  const answer = await askedBy(await agents().agent());
  await agents().mine.approvals.reject(answer.approvalId, ada, { reason: 'use the other file' });
  expect(await resultOf(answer)).toMatchObject({
    kind: 'failed',
    error: { type: 'ApprovalRejected', context: { reason: 'use the other file' } },
  });
});

provesGate('approval:once', async () => {
  const { approvals } = agents().mine;
  const answer = await askedBy(await agents().agent());
  const decided = await Promise.allSettled([
    approvals.approve(answer.approvalId, ada),
    approvals.reject(answer.approvalId, grace, { reason: 'no' }),
  ]);
  const lost = decided.filter(({ status }) => status === 'rejected');
  expect(lost).toMatchObject([{ reason: { code: 'conflict', details: { state: expect.stringMatching(/^(approved|rejected)$/) } } }]);
});
