/** Who decides about what agents want to do, over the wire: what people who may decide something try, to decide more. */
import type { OperationName, ParamsInput, Result } from '@warren/protocol/contract';
import { describe, expect, it } from 'vitest';
import { openTestGateway, type TestGateway } from '../test-support/open-test-gateway.ts';

type As = { readonly token?: string };

async function ok<Name extends OperationName>(on: TestGateway, name: Name, params: ParamsInput<Name>, as?: As): Promise<Result<Name>> {
  const { result, error } = await on.call(name, params, as);
  expect(error).toBeUndefined();
  return result as Result<Name>; // The contract tests hold this.
}

async function faultOf<Name extends OperationName>(on: TestGateway, name: Name, params: ParamsInput<Name>, as?: As) {
  return (await on.call(name, params, as)).error?.data?.['fault'];
}

const RULE = (ask: string): string => `rules: [{ capability: alerts.send, tier: approval_required, ask: ${ask} }]`;

async function ask(on: TestGateway, message = 'Look') {
  const { pid } = await ok(on, 'agent.start', { agent: 'ada', tool_grants: ['*'] });
  const { approval_id, call_id } = await ok(on, 'call.make', { pid, capability: 'alerts.send', input: { message, severity: 'info' } });
  if (approval_id === null) throw new Error('Nobody was asked');
  return { pid, call_id, approval_id };
}

describe('a vote', () => {
  it('is of a person, however many tokens that person makes', async () => {
    await using on = await openTestGateway({ policy: RULE('{ quorum: 2 }') });
    const mallory = await ok(on, 'token.create', { label: 'mallory' });
    const { approval_id } = await ask(on);
    expect((await ok(on, 'approval.approve', { approval_id }, mallory)).votes).toMatchObject([{ approver: 'mallory' }]);
    for (const label of ['alice', 'mallory2', undefined]) {
      const other = await ok(on, 'token.create', label === undefined ? {} : { label }, mallory);
      expect(await faultOf(on, 'approval.approve', { approval_id }, other)).toBe('permission_denied');
      const further = await ok(on, 'token.create', {}, other);
      expect(await faultOf(on, 'approval.approve', { approval_id }, further)).toBe('permission_denied');
    }
    // Two tokens that an operator made for one person are one person, too.
    const laptop = await ok(on, 'token.create', { label: 'laptop', owner: 'bob' });
    const phone = await ok(on, 'token.create', { label: 'phone', owner: 'bob' });
    const second = await ask(on);
    expect((await ok(on, 'approval.approve', { approval_id: second.approval_id }, laptop)).state).toBe('pending');
    expect(await faultOf(on, 'approval.approve', { approval_id: second.approval_id }, phone)).toBe('permission_denied');
    expect(await ok(on, 'approval.approve', { approval_id }, phone)).toMatchObject({
      state: 'approved',
      votes: [{ approver: 'mallory' }, { approver: 'bob' }],
    });
  });

  it('is of two people who have no labels', async () => {
    await using on = await openTestGateway({ policy: RULE('{ quorum: 2 }') });
    const { approval_id } = await ask(on);
    for (const state of ['pending', 'approved'])
      expect((await ok(on, 'approval.approve', { approval_id }, await ok(on, 'token.create', {}))).state).toBe(state);
  });

  it('is of those who are asked: nobody makes a token in a group it is not in', async () => {
    await using on = await openTestGateway({ policy: RULE('{ approvers: [security] }') });
    const mallory = await ok(on, 'token.create', { label: 'mallory', groups: ['sales'] });
    const { approval_id } = await ask(on);
    expect(await faultOf(on, 'token.create', { groups: ['security'] }, mallory)).toBe('permission_denied');
    const other = await ok(on, 'token.create', { label: 'other' }, mallory);
    expect(other.groups).toEqual(['sales']);
    expect(await faultOf(on, 'approval.approve', { approval_id }, other)).toBe('permission_denied');
    const eve = await ok(on, 'token.create', { label: 'eve', groups: ['security'] });
    const ofEve = await ok(on, 'token.create', { label: 'ci' }, eve);
    expect(await ok(on, 'approval.approve', { approval_id }, ofEve)).toMatchObject({ state: 'approved', votes: [{ approver: 'eve' }] });
  });

  it('is in the audit under the name of whose token it was, whatever that is called', async () => {
    await using on = await openTestGateway({ policy: RULE('{}') });
    const mallory = await ok(on, 'token.create', { label: 'mallory' });
    const disguised = await ok(on, 'token.create', { label: 'alice' }, mallory);
    const { approval_id } = await ask(on);
    await ok(on, 'approval.approve', { approval_id }, disguised);
    const { entries } = await ok(on, 'audit.search', { action: 'approval.approve', outcome: 'success' });
    expect(entries).toMatchObject([{ actor: { kind: 'member', name: 'mallory' }, details: { token_id: disguised.token_id } }]);
  });
});

describe('a call in the name of an agent', () => {
  it('is in the audit, and in its question, with who made it; one of the agent itself with nobody else', async () => {
    await using on = await openTestGateway({ policy: RULE('{}') });
    const { pid } = await ok(on, 'agent.start', { agent: 'ada', tool_grants: ['*'] });
    const member = await ok(on, 'token.create', { label: 'mallory' });
    const agent = await ok(on, 'token.create', { pid });
    const call = { pid, capability: 'agent.whoami', input: {} } as const;
    for (const as of [undefined, member, agent]) await ok(on, 'call.make', call, as);
    await ok(on, 'call.make', { ...call, capability: 'alerts.send', input: { message: 'Look', severity: 'info' } }, member);
    await ok(on, 'call.make', { ...call, capability: 'there.is_none' }, member);
    const { entries } = await ok(on, 'audit.search', { pid });
    const made = entries.filter(({ kind }) => kind === 'syscall' || kind === 'question');
    expect(made.map(({ kind, action, details }) => [kind, action, details?.['via']])).toEqual([
      ['syscall', 'agent.whoami', { kind: 'operator', name: 'operator' }],
      ['syscall', 'agent.whoami', { kind: 'member', name: 'mallory' }],
      ['syscall', 'agent.whoami', undefined],
      ['question', 'alerts.send', { kind: 'member', name: 'mallory' }],
      ['syscall', 'there.is_none', { kind: 'member', name: 'mallory' }],
    ]);
  });
});

describe('a decision', () => {
  it('is about what was read, when it says what that was', async () => {
    await using on = await openTestGateway({ policy: RULE('{}') });
    const { approval_id } = await ask(on);
    const { call_hash } = await ok(on, 'approval.get', { approval_id });
    for (const operation of ['approval.approve', 'approval.reject'] as const)
      expect(await faultOf(on, operation, { approval_id, call_hash: 'f'.repeat(64) })).toBe('conflict');
    expect((await ok(on, 'approval.approve', { approval_id, call_hash })).state).toBe('approved');
  });

  it('about edited arguments leaves in the audit what their definition lets be read', async () => {
    await using on = await openTestGateway({ policy: 'rules: [{ capability: state.session.set, tier: approval_required }]' });
    const { pid } = await ok(on, 'agent.start', { agent: 'ada', tool_grants: ['*'] });
    const asked = await ok(on, 'call.make', { pid, capability: 'state.session.set', input: { key: 'k', value: 1 } });
    const value = { password: 'hunter2-hunter2', text: 'x'.repeat(40_000) };
    await ok(on, 'approval.approve', { approval_id: asked.approval_id ?? '', input: { key: 'k', value } });
    await ok(on, 'call.result', { pid, call_id: asked.call_id, wait_ms: 10_000 });
    const { entries } = await ok(on, 'audit.search', {});
    const text = JSON.stringify(entries);
    expect([text.includes('hunter2'), text.includes('x'.repeat(20_000)), text.includes('[REDACTED:password]')]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('of a person in the place of the process is recorded as that of the person', async () => {
    await using on = await openTestGateway({ policy: RULE('{ approvers: [security] }') });
    const mallory = await ok(on, 'token.create', { label: 'mallory' });
    const { pid, call_id, approval_id } = await ask(on);
    expect(await faultOf(on, 'approval.cancel', { approval_id }, mallory)).toBe('permission_denied');
    expect(await ok(on, 'call.cancel', { pid, call_id }, mallory)).toEqual({ cancelled: true });
    const { entries } = await ok(on, 'audit.search', { newest: true, limit: 2 });
    expect(entries.map(({ kind, action, actor }) => [kind, action, actor])).toMatchObject([
      ['operator', 'call.cancel', { kind: 'member', name: 'mallory' }],
      ['answer', 'alerts.send', { kind: 'member', name: 'mallory' }],
    ]);
  });
});
