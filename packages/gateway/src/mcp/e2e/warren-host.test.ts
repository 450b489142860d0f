/** What an agent's program sees by MCP: its capabilities, what policy and grants leave of them, and people who have to say yes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_WORKSPACE, type JsonObject } from '@warren/protocol';
import type { OperationName, ParamsInput, Result } from '@warren/protocol/contract';
import { TemporaryDirectory } from '@warren/testkit';
import { describe, expect, it } from 'vitest';
import type { McpOptions } from '../../http/served.ts';
import { openTestGateway, type TestGateway } from '../../test-support/open-test-gateway.ts';
import { type McpAnswer, RawClient } from '../test-support/raw-client.ts';

const ASKING = 'rules: [{ capability: system.echo, tier: approval_required }]';
const ECHO: JsonObject = { name: 'system__echo', arguments: { text: 'hello' } };
const ELICITS = { elicitation: {} };

async function ok<Name extends OperationName>(on: TestGateway, name: Name, params: ParamsInput<Name>): Promise<Result<Name>> {
  const { result, error } = await on.call(name, params);
  expect(error).toBeUndefined();
  return result as Result<Name>; // The contract tests hold this.
}

async function openWarren(
  policy: string,
  mcp: McpOptions = {},
): Promise<{ readonly on: TestGateway; readonly pid: number; readonly token: string } & AsyncDisposable> {
  const on = await openTestGateway({ policy, mcp: { approvalHoldMs: 50, ...mcp } });
  const { pid } = await ok(on, 'agent.start', { agent: 'ada', tool_grants: ['*'], fs_grants: [{ prefix: '/workspace', mode: 'rw' }] });
  const { token } = await ok(on, 'token.create', { workspace: 'default', pid });
  return { on, pid, token, [Symbol.asyncDispose]: () => on[Symbol.asyncDispose]() };
}

async function pendingOf(on: TestGateway): Promise<readonly string[]> {
  const { approvals } = await ok(on, 'approval.list', { state: 'pending' });
  return approvals.map(({ approval_id }) => approval_id);
}

function textOf({ message }: Pick<McpAnswer, 'message'>): JsonObject {
  const [content] = (message.result?.['content'] ?? []) as readonly { readonly text: string }[]; // As results of tools are.
  return JSON.parse(content?.text ?? 'null') as JsonObject;
}

async function toolsOf(client: RawClient): Promise<readonly JsonObject[]> {
  const { message } = await client.ask('tools/list');
  return (message.result?.['tools'] ?? []) as readonly JsonObject[]; // As the protocol has it.
}

async function namesOf(client: RawClient): Promise<readonly string[]> {
  return (await toolsOf(client)).map(({ name }) => String(name));
}

describe('tools', () => {
  it('are the capabilities of the process, with what a client needs to know of each; blocked ones are not there', async () => {
    await using warren = await openWarren(
      'rules: [{ capability: git.*, tier: blocked }, { capability: alerts.send, tier: approval_required }]',
    );
    const client = new RawClient(warren.on, { token: warren.token });
    const tools = new Map((await toolsOf(client)).map((tool) => [tool['name'], tool]));
    expect(tools.get('filesystem__read')).toMatchObject({
      description: expect.stringMatching(/Runs at once/),
      inputSchema: { type: 'object', required: ['path'] },
      outputSchema: { type: 'object' },
      annotations: { readOnlyHint: true, openWorldHint: false },
      _meta: { 'warren/capability': 'filesystem.read', 'warren/tier': 'autonomous' },
    });
    expect(tools.get('filesystem__delete')).toMatchObject({
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false },
    });
    expect(tools.get('network__http_request')).toMatchObject({ annotations: { openWorldHint: true } });
    expect(tools.get('alerts__send')?.['description']).toContain('A person has to approve each call');
    expect([...tools.keys()].filter((name) => String(name).startsWith('git'))).toEqual([]);
    for (const name of tools.keys()) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    expect([...tools.keys()].slice(1)).toEqual([...tools.keys()].slice(1).toSorted());
    const blocked = await client.ask('tools/call', { name: 'git__log', arguments: { path: '/workspace' } });
    expect(blocked.message.result).toMatchObject({ isError: true });
    expect(textOf(blocked)).toMatchObject({ type: 'PolicyDenied', context: { capability: 'git.log' } });
  });

  it('stand beside prompts, of which there are none', async () => {
    await using warren = await openWarren('{}');
    const client = new RawClient(warren.on, { token: warren.token });
    expect((await client.ask('prompts/list')).message.result).toMatchObject({ prompts: [] });
    expect((await client.ask('prompts/list', { cursor: 'x' })).message.error).toMatchObject({ code: -32602 });
    expect((await client.ask('prompts/get', { name: 'x' })).message.error).toMatchObject({ code: -32602 });
  });

  it('stand beside prompts, which are the skills of the workspace', async () => {
    await using warren = await openWarren('{}');
    await using directory = await TemporaryDirectory.create();
    writeFileSync(join(directory.path, 'SKILL.md'), '---\nname: notes\ndescription: Writes notes\n---\nBegin with a heading.\n');
    const { skills } = warren.on.platform;
    await skills.add(directory.path, new AbortController().signal);
    const client = new RawClient(warren.on, { token: warren.token });
    expect((await client.ask('prompts/list')).message.result).toMatchObject({ prompts: [] });
    await skills.enable(DEFAULT_WORKSPACE, 'notes');
    expect((await client.ask('prompts/list')).message.result).toMatchObject({ prompts: [{ name: 'notes', description: 'Writes notes' }] });
    const { result } = (await client.ask('prompts/get', { name: 'notes' })).message;
    expect(JSON.stringify(result)).toContain('Begin with a heading.');
  });

  it('are called by either name; one that is not there is an error of the protocol, what went wrong with one is a result', async () => {
    await using warren = await openWarren('{}');
    const client = new RawClient(warren.on, { token: warren.token });
    for (const name of ['system__echo', 'system.echo']) {
      const { message } = await client.ask('tools/call', { ...ECHO, name });
      expect(message.result).toMatchObject({
        structuredContent: { text: 'hello', len: 5 },
        content: [{ type: 'text', text: '{"text":"hello","len":5}' }],
      });
    }
    const unknown = await client.ask('tools/call', { name: 'system__ekho', arguments: {} });
    expect(unknown.message.error).toMatchObject({ code: -32602, data: { type: 'UnknownCapability' } });
    const wrong = await client.ask('tools/call', { name: 'system__echo', arguments: { text: 5 } });
    expect(textOf(wrong)).toMatchObject({
      type: 'InvalidInput',
      retryable: false,
      recovery: expect.any(Array),
      agent_message: expect.any(String),
    });
  });

  it('of the same key are one call; of the same id of a request they are not', async () => {
    await using warren = await openWarren('{}');
    const client = new RawClient(warren.on, { token: warren.token });
    const callId = async (meta: JsonObject): Promise<unknown> => {
      const { message } = await client.ask('tools/call', { ...ECHO, _meta: meta });
      return ((message.result?.['_meta'] ?? {}) as JsonObject)['warren/callId']; // As results of tools have it.
    };
    expect(await callId({ idempotencyKey: 'once' })).toBe(await callId({ idempotencyKey: 'once' }));
    expect(await callId({})).not.toBe(await callId({}));
    expect((await client.ask('tools/call', { ...ECHO, _meta: { idempotencyKey: 5 } })).message.error?.code).toBe(-32602);
  });

  it('change: who listens is told when policies, grants or the process do, once for each change', async () => {
    await using warren = await openWarren('{}');
    const { on, pid, token } = warren;
    const client = new RawClient(on, { token });
    await client.begin();
    using stream = await client.listen();
    const told = async (): Promise<void> => {
      expect((await stream.next()).message).toEqual({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
    };
    expect(await namesOf(client)).toContain('git__log');
    writeFileSync(join(on.directory, 'policies', 'workspace.yaml'), 'rules: [{ capability: git.*, tier: blocked }]');
    await ok(on, 'policy.reload', {});
    await told();
    expect(await namesOf(client)).not.toContain('git__log');
    await ok(on, 'grant.narrow', { pid, tool_grants: ['system.*'], fs_grants: [] });
    await told();
    expect((await namesOf(client)).every((name) => name.startsWith('system__') || name === 'warren__call_result')).toBe(true);
    await ok(on, 'kernel.agent.transition', { pid, target_state: 'RUNNING' });
    await ok(on, 'kernel.agent.transition', { pid, target_state: 'SUSPENDED' });
    await told();
    expect(textOf(await client.request('tools/call', ECHO))).toMatchObject({ type: 'ProcessSuspended' });
    await ok(on, 'kernel.agent.transition', { pid, target_state: 'READY' });
    await told();
    expect((await client.request('tools/call', ECHO)).message.result).toMatchObject({ structuredContent: { len: 5 } });
  });
});

describe('who acts', () => {
  it('is the process of a token, or the agent that is named, by whoever may', async () => {
    await using warren = await openWarren('{}');
    const { on, token } = warren;
    const { pid: bobs } = await ok(on, 'agent.start', { agent: 'bob', tool_grants: ['system.*'] });
    const viewer = await on.tokenFor({ kind: 'member', workspace: 'default' as never, role: 'viewer' });
    const refusal = async (options: ConstructorParameters<typeof RawClient>[1]): Promise<unknown> =>
      (await new RawClient(on, options).ask('tools/list')).message.error?.data?.['fault'];
    expect(await refusal({})).toBe('invalid_argument');
    expect(await refusal({ headers: { 'warren-agent': 'nobody' } })).toBe('not_found');
    expect(await refusal({ token, headers: { 'warren-agent': 'bob' } })).toBe('permission_denied');
    expect(await refusal({ token, headers: { 'warren-workspace': 'other' } })).toBe('permission_denied');
    expect(await refusal({ token: viewer, headers: { 'warren-agent': 'bob' } })).toBe('permission_denied');
    expect(await refusal({ token, headers: { 'warren-agent': 'ada' } })).toBeUndefined();
    const operator = new RawClient(on, { headers: { 'warren-agent': 'bob' } });
    expect(await namesOf(operator)).toContain('system__echo');
    expect(await namesOf(operator)).not.toContain('filesystem__read');
    // An agent that is started anew is the same agent.
    await ok(on, 'kernel.agent.terminate', { pid: bobs, exit_kind: 'completed' });
    await ok(on, 'agent.start', { agent: 'bob', tool_grants: ['filesystem.*'] });
    expect(await namesOf(operator)).toContain('filesystem__read');
  });
});

describe('an agent that was stopped', () => {
  it('is not started by who only listens, and who listens is told when it is started again', async () => {
    await using warren = await openWarren('{}');
    const { on } = warren;
    const start = async (agent: string): Promise<number> => (await ok(on, 'agent.start', { agent, tool_grants: ['system.*'] })).pid;
    const pid = await start('bob');
    const client = new RawClient(on, { headers: { 'warren-agent': 'bob' } });
    await client.begin();
    using stream = await client.listen();
    await ok(on, 'kernel.agent.terminate', { pid, exit_kind: 'completed' });
    expect((await stream.next()).message).toMatchObject({ method: 'notifications/tools/list_changed' });
    await start('eve');
    const { agents } = await ok(on, 'kernel.agent.list', { agent: 'bob' });
    expect(agents.map(({ state }) => state)).toEqual(['DEAD']);
    await start('bob');
    expect((await stream.next()).message).toMatchObject({ method: 'notifications/tools/list_changed' });
    expect((await client.request('tools/call', ECHO)).message.result).toMatchObject({ structuredContent: { len: 5 } });
  });
});

describe('a call that a person has to approve', () => {
  it('is held, then answers how to ask for it; approved, it is carried out once and its result is there', async () => {
    await using warren = await openWarren(ASKING);
    const { on, token } = warren;
    const client = new RawClient(on, { token });
    await client.begin();
    const held = await client.request('tools/call', { ...ECHO, _meta: { progressToken: 'p', reasoning: 'to see' } });
    expect(held.messages[0]).toMatchObject({
      method: 'notifications/progress',
      params: { message: expect.stringContaining('warren approvals approve') },
    });
    const pending = textOf(held);
    expect(pending).toMatchObject({ type: 'ApprovalPending', context: { capability: 'system.echo' } });
    const { call_id, request_id } = pending['context'] as JsonObject; // As the error has it.
    expect(await pendingOf(on)).toEqual([request_id]);
    const ask = async (wait_ms: number): Promise<McpAnswer> =>
      await client.request('tools/call', { name: 'warren__call_result', arguments: { call_id: call_id ?? null, wait_ms } });
    expect(textOf(await ask(0))).toMatchObject({ type: 'ApprovalPending' });
    const waiting = ask(60_000);
    await ok(on, 'approval.approve', { approval_id: String(request_id) });
    expect((await waiting).message.result).toMatchObject({ structuredContent: { text: 'hello' } });
    expect((await ask(0)).message.result).toMatchObject({ structuredContent: { text: 'hello' } });
  });

  it('is held only where there is a place for one that waits; without it answers at once, and stands', async () => {
    await using on = await openTestGateway({ policy: ASKING, mcp: { approvalHoldMs: 600_000 }, limits: { waitsPerProcessMax: 1 } });
    const { pid } = await ok(on, 'agent.start', { agent: 'ada', tool_grants: ['*'] });
    const { token } = await ok(on, 'token.create', { workspace: 'default', pid });
    const client = new RawClient(on, { token });
    const calls = [client.ask('tools/call', ECHO), client.ask('tools/call', ECHO)];
    const unheld = textOf(await Promise.race(calls));
    expect(unheld).toMatchObject({ type: 'ApprovalPending' });
    const { call_id = null } = unheld['context'] as JsonObject; // As the error has it.
    const look = (wait_ms: number): Promise<McpAnswer> =>
      client.ask('tools/call', { name: 'warren__call_result', arguments: { call_id, wait_ms } });
    expect((await look(60_000)).message.result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('that wait') }] });
    expect(textOf(await look(0))).toMatchObject({ type: 'ApprovalPending' });
    const approvals = await pendingOf(on);
    expect(approvals).toHaveLength(2);
    for (const approval_id of approvals) await ok(on, 'approval.approve', { approval_id });
    expect((await Promise.all(calls)).filter(({ message }) => message.result?.['isError'] !== true)).toHaveLength(1);
  });

  it('is found by nobody else', async () => {
    await using warren = await openWarren(ASKING);
    const { on, token } = warren;
    const pending = textOf(await new RawClient(on, { token }).ask('tools/call', ECHO));
    const { call_id } = pending['context'] as JsonObject; // As the error has it.
    await ok(on, 'agent.start', { agent: 'eve', tool_grants: ['*'] });
    const eve = new RawClient(on, { headers: { 'warren-agent': 'eve' } });
    const answer = await eve.ask('tools/call', { name: 'warren__call_result', arguments: { call_id: call_id ?? null } });
    expect(answer.message.result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('does not exist') }] });
  });

  it('is withdrawn when its request is cancelled', async () => {
    await using warren = await openWarren(ASKING, { approvalHoldMs: 60_000 });
    const { on, token } = warren;
    const client = new RawClient(on, { token });
    await client.begin();
    const body = { jsonrpc: '2.0', id: 9, method: 'tools/call', params: { ...ECHO, _meta: { progressToken: 1 } } };
    using stream = await client.open('POST', client.sessionHeaders(), body);
    await stream.next();
    expect(await pendingOf(on)).toHaveLength(1);
    await client.notify('notifications/cancelled', { requestId: 9 });
    await stream.ended();
    expect(await pendingOf(on)).toEqual([]);
  });

  it('asks whoever uses the client to wait or give up; nothing said there approves it', async () => {
    await using warren = await openWarren(ASKING);
    const { on, token } = warren;
    const client = new RawClient(on, { token });
    const first = await client.ask('tools/call', ECHO, ELICITS);
    expect(first.message.result).toMatchObject({
      resultType: 'input_required',
      inputRequests: {
        approval: { method: 'elicitation/create', params: { message: expect.stringContaining('cannot be approved here') } },
      },
    });
    const [approvalId = ''] = await pendingOf(on);
    let requestState = String(first.message.result?.['requestState']);
    for (const content of [
      { next: 'wait' },
      { next: 'approve' },
      { next: 'wait', approve: true, approved: true, approval: approvalId },
      { action: 'approve', decision: 'approved', state: 'approved' },
    ]) {
      const answer = await client.ask(
        'tools/call',
        { ...ECHO, requestState, inputResponses: { approval: { action: 'accept', content } } },
        ELICITS,
      );
      expect(answer.message.result).toMatchObject({ resultType: 'input_required' });
      expect(await pendingOf(on)).toEqual([approvalId]);
      requestState = String(answer.message.result?.['requestState']);
    }
    await ok(on, 'approval.approve', { approval_id: approvalId });
    const done = await client.ask(
      'tools/call',
      { ...ECHO, requestState, inputResponses: { approval: { action: 'accept', content: { next: 'wait' } } } },
      ELICITS,
    );
    expect(done.message.result).toMatchObject({ resultType: 'complete', structuredContent: { text: 'hello' } });
  });

  it('ends when whoever uses the client gives up, and says so', async () => {
    await using warren = await openWarren(ASKING);
    const { on, token } = warren;
    const client = new RawClient(on, { token });
    for (const approval of [{ action: 'accept', content: { next: 'give up' } }, { action: 'decline' }, { action: 'cancel' }]) {
      const first = await client.ask('tools/call', ECHO, ELICITS);
      const requestState = String(first.message.result?.['requestState']);
      const over = await client.ask('tools/call', { ...ECHO, requestState, inputResponses: { approval } }, ELICITS);
      expect(textOf(over)).toMatchObject({ type: 'Cancelled' });
      expect(await pendingOf(on)).toEqual([]);
    }
  });

  it('in a session is asked about over its stream, and goes on by itself when somebody decides meanwhile', async () => {
    await using warren = await openWarren(ASKING);
    const { on, token } = warren;
    const client = new RawClient(on, { token });
    await client.begin('2025-11-25', ELICITS);
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: ECHO };
    using stream = await client.open('POST', client.sessionHeaders(), body);
    const { message: asked } = await stream.next();
    expect(asked).toMatchObject({ method: 'elicitation/create', params: { requestedSchema: { required: ['next'] } } });
    // An answer that says yes in every way there is.
    const yes = { action: 'accept', content: { next: 'wait', approve: true } };
    expect((await client.post({ jsonrpc: '2.0', id: asked.id, result: yes }, client.sessionHeaders())).status).toBe(202);
    const { message: again } = await stream.next();
    expect(again).toMatchObject({ method: 'elicitation/create' });
    const [approvalId = ''] = await pendingOf(on);
    await ok(on, 'approval.approve', { approval_id: approvalId });
    const rest = [(await stream.next()).message, (await stream.next()).message];
    expect(rest).toMatchObject([
      { method: 'notifications/cancelled', params: { requestId: again.id } },
      { id: 1, result: { structuredContent: { text: 'hello' } } },
    ]);
  });

  it('that is rejected answers why', async () => {
    await using warren = await openWarren(ASKING, { approvalHoldMs: 60_000 });
    const { on, token } = warren;
    const client = new RawClient(on, { token });
    await client.begin();
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { ...ECHO, _meta: { progressToken: 1 } } };
    using stream = await client.open('POST', client.sessionHeaders(), body);
    await stream.next();
    const [approvalId = ''] = await pendingOf(on);
    await ok(on, 'approval.reject', { approval_id: approvalId, reason: 'not today' });
    const { message } = await stream.next();
    expect(textOf({ message })).toMatchObject({ type: 'ApprovalRejected', context: { reason: 'not today' } });
  });

  it('is told to be asked about later when the daemon stops meanwhile', async () => {
    const warren = await openWarren(ASKING, { approvalHoldMs: 60_000 });
    await using on = warren.on;
    const client = new RawClient(on, { token: warren.token });
    await client.begin();
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { ...ECHO, _meta: { progressToken: 1 } } };
    using stream = await client.open('POST', client.sessionHeaders(), body);
    await stream.next();
    const closing = on.served.close();
    const { message } = await stream.next();
    expect(textOf({ message })).toMatchObject({ type: 'ApprovalPending' });
    await closing;
  });
});
