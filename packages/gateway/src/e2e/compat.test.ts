/** What agents of an earlier system call over JSON-RPC, in its shapes and numbers. */
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { openTestGateway, type RpcAnswer, type TestGateway } from '../test-support/open-test-gateway.ts';

const POLICY = `
rules:
  - { capability: system.time, tier: blocked, reason: "time is a secret" }
  - { capability: system.health, tier: approval_required }
  - { capability: system.info, tier: autonomous, limit: { max: 1, per: 1h } }
  - { capability: "*", tier: autonomous }
`;

async function openWithAgent() {
  const on = await openTestGateway({ policy: POLICY });
  const { pid } = (await on.call('agent.start', { agent: 'coder', tool_grants: ['system.*', 'state.*'] })).result as {
    readonly pid: number;
  }; // It is started.
  const token = await on.tokenFor({ kind: 'process', workspace: DEFAULT_WORKSPACE, pid });
  const call = (method: string, params?: unknown): Promise<RpcAnswer> => on.call(method, params, { token });
  return { on, pid, token, call, [Symbol.asyncDispose]: () => on[Symbol.asyncDispose]() };
}

async function agentToken(on: TestGateway): Promise<string> {
  await on.kernel.workspace(DEFAULT_WORKSPACE).agents.create('writer', { grants: { tools: ['system.*'] } });
  return await on.tokenFor({ kind: 'agent', workspace: DEFAULT_WORKSPACE, agent: 'writer' });
}

describe('capabilities.*', () => {
  it('lists and describes what is offered, and nothing that is blocked', async () => {
    await using with_ = await openWithAgent();
    const { result } = await with_.call('capabilities.list', { category: 'system' });
    const items = result?.['capabilities'] as readonly { readonly name: string }[]; // Looked at here.
    expect(items.find(({ name }) => name === 'system.echo')).toEqual({
      ...{ name: 'system.echo', version: expect.any(String), purpose: expect.any(String), permission_tier: 'autonomous' },
      inputs: expect.arrayContaining([expect.objectContaining({ name: expect.any(String), type: expect.any(String) })]),
      outputs: expect.any(Array),
    });
    expect(items.filter(({ name }) => name === 'system.time' || !name.startsWith('system.'))).toEqual([]);
    const all = (await with_.call('capabilities.list')).result?.['capabilities'] as readonly unknown[]; // As above.
    expect(all.length).toBeGreaterThan(items.length);
    expect((await with_.call('capabilities.describe', { name: 'system.echo' })).result).toMatchObject({
      ...{ name: 'system.echo', when_to_use: expect.any(String), common_patterns: expect.any(Array), errors: expect.any(Array) },
    });
    expect((await with_.call('capabilities.describe', { name: 'system.time' })).error).toMatchObject({ data: { fault: 'not_found' } });
  });

  it.each([
    ['capabilities.invoke', 'arguments'],
    ['capabilities.call', 'inputs'],
  ])('%s takes %s and answers with success and data', async (method, key) => {
    await using with_ = await openWithAgent();
    const answer = await with_.call(method, { capability: 'state.persistent.set', [key]: { key: 'a', value: 1 } });
    expect(answer.result).toMatchObject({ success: true, data: {} });
  });

  it('a call that fails is an answer: the long error, and its short names', async () => {
    await using with_ = await openWithAgent();
    const { result } = await with_.call('capabilities.invoke', { capability: 'state.persistent.set', arguments: { key: 7 } });
    expect(result).toMatchObject({ success: false, error: { error_type: 'InvalidInput', type: 'InvalidInput', retryable: false } });
    expect(Object.keys((result?.['error'] ?? {}) as object).toSorted()).toEqual([
      ...['agent_description', 'context', 'description', 'error_type', 'message', 'recovery', 'recovery_actions'],
      ...['retry_after', 'retryable', 'type'],
    ]);
  });

  it('policy, people and rates are errors with the numbers of that system', async () => {
    await using with_ = await openWithAgent();
    const invoke = (capability: string) => with_.call('capabilities.invoke', { capability, arguments: {} });
    expect((await invoke('system.time')).error).toMatchObject({
      code: -32_001,
      data: { error_type: 'PolicyDenied', context: expect.any(Object) },
    });
    expect((await invoke('system.health')).error).toMatchObject({
      code: -32_002,
      data: { error_type: 'ApprovalPending', request_id: expect.stringMatching(/^approval_/), capability: 'system.health' },
    });
    expect((await invoke('system.info')).result).toMatchObject({ success: true });
    expect((await invoke('system.info')).error).toMatchObject({
      code: -32_000,
      data: { error_type: 'RateLimited', retry_after_seconds: expect.any(Number), limit: 1, window: 3_600 },
    });
  });

  it.each([
    ['capabilities.invoke', {}],
    ['capabilities.invoke', { capability: 7 }],
    ['capabilities.invoke', { capability: 'system.echo', arguments: [] }],
    ['capabilities.list', { category: 7 }],
    ['capabilities.describe', {}],
    ['session.end', {}],
  ])('%s of %j is refused with -32602', async (method, params) => {
    await using with_ = await openWithAgent();
    expect((await with_.call(method, params)).error).toMatchObject({ code: -32_602, data: { fault: 'invalid_argument' } });
  });

  it('who may act for nobody is refused: a viewer, and an agent that asks for another', async () => {
    await using with_ = await openWithAgent();
    const { on } = with_;
    const viewer = await on.tokenFor({ kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'viewer' });
    expect((await on.call('capabilities.list', {}, { token: viewer })).error).toMatchObject({ code: -32_003 });
    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'capabilities.list' });
    const answer = await on.post(text, { headers: { authorization: `Bearer ${await agentToken(on)}`, 'warren-agent': 'coder' } });
    expect(JSON.parse(answer.text).error).toMatchObject({ code: -32_003, data: { error_type: 'NotAuthenticated' } });
  });

  it('an operator says in a header for whom', async () => {
    await using with_ = await openWithAgent();
    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'session.create' });
    const answer = await with_.on.post(text, { headers: { 'warren-agent': 'coder' } });
    expect(JSON.parse(answer.text).result).toMatchObject({ agent: 'coder', session_id: `sess-${with_.pid}` });
    expect((await with_.on.call('session.create')).error).toMatchObject({ code: -32_602 });
  });
});

describe('session.*', () => {
  it('begins a process of the agent, finds it again, and ends it', async () => {
    await using on = await openTestGateway({ policy: POLICY });
    const token = await agentToken(on);
    const made = (await on.call('session.create', {}, { token })).result;
    expect(made).toEqual({ session_id: expect.stringMatching(/^sess-\d+$/), agent: 'writer', created_at: expect.stringMatching(/Z$/) });
    expect((await on.call('session.create', {}, { token })).result).toEqual(made);
    expect((await on.call('capabilities.invoke', { capability: 'system.info' }, { token })).result).toMatchObject({ success: true });
    expect((await on.call('session.end', { session_id: 'sess-77' }, { token })).error).toMatchObject({ data: { fault: 'not_found' } });
    const ended = await on.call('session.end', { session_id: made?.['session_id'] }, { token });
    expect(ended.result).toEqual({ session_id: made?.['session_id'], ended: true });
    const pid = Number(String(made?.['session_id']).slice('sess-'.length));
    expect((await on.call('kernel.agent.get', { pid })).result).toMatchObject({ state: 'DEAD' });
    const { entries } = await on.platformAudit().search({ action: 'session.end' });
    expect(entries.map(({ outcome, actor, input }) => [outcome, actor, input])).toEqual([
      ['begun', { kind: 'process', pid: 0, agent: 'writer' }, { session_id: made?.['session_id'] }],
      ['success', { kind: 'process', pid: 0, agent: 'writer' }, { session_id: made?.['session_id'] }],
    ]);
    expect((await on.call('session.end', { session_id: made?.['session_id'] }, { token })).error).toMatchObject({
      data: { fault: 'not_found' },
    });
    expect((await on.call('session.create', {}, { token })).result?.['session_id']).not.toBe(made?.['session_id']);
  });
});
