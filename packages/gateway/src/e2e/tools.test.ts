/** Capabilities as functions of models, from the list to the call. */
import { DEFAULT_WORKSPACE, type JsonObject } from '@warren/protocol';
import { toolFormat } from '@warren/protocol/contract';
import { describe, expect, it } from 'vitest';
import type { ServeLimits } from '../http/serve-limits.ts';
import { openTestGateway, type RpcAnswer } from '../test-support/open-test-gateway.ts';
import { VENDOR_SHAPES } from '../tools/test-support/vendor-shapes.ts';

const POLICY = `
rules:
  - { capability: system.time, tier: blocked, reason: "time is a secret" }
  - { capability: system.health, tier: approval_required }
  - { capability: "*", tier: autonomous }
`;

type Exported = {
  readonly tools: readonly JsonObject[];
  readonly names: readonly { readonly name: string; readonly capability: string }[];
};

async function openWithAgent(limits: Partial<ServeLimits> = {}) {
  const on = await openTestGateway({ policy: POLICY, limits });
  const { agents } = on.kernel.workspace(DEFAULT_WORKSPACE);
  await agents.create('coder', { grants: { tools: ['system.*', 'state.*'] } });
  await agents.create('other', { grants: { tools: ['alerts.*'] } });
  const token = await on.tokenFor({ kind: 'agent', workspace: DEFAULT_WORKSPACE, agent: 'coder' });
  const call = (method: string, params: JsonObject): Promise<RpcAnswer> => on.call(method, params, { token });
  const list = async (params: JsonObject): Promise<Exported> => (await call('tool.list', params)).result as Exported; // It is one.
  return { on, token, call, list, [Symbol.asyncDispose]: () => on[Symbol.asyncDispose]() };
}

describe('tool.list', () => {
  it('has what the agent may call, in the shape of each vendor, and the same as over MCP', async () => {
    await using with_ = await openWithAgent();
    const over = await with_.on.send(
      {
        ...{ method: 'POST', path: '/mcp' },
        headers: {
          ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: `Bearer ${with_.token}` },
          ...{ 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' },
        },
      },
      JSON.stringify({
        ...{ jsonrpc: '2.0', id: 1, method: 'tools/list' },
        params: {
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
            'io.modelcontextprotocol/clientCapabilities': {},
          },
        },
      }),
    );
    const text = over.text.startsWith('{') ? over.text : (/^data: (\{.*)$/m.exec(over.text)?.[1] ?? '');
    const listed = JSON.parse(text).result.tools as readonly { readonly name: string }[]; // What is answered there.
    const offered = listed.map(({ name }) => name);
    expect(offered).toEqual(expect.arrayContaining(['system__echo', 'system__health', 'state__persistent__set']));
    expect(offered.filter((name) => name === 'system__time' || name.startsWith('filesystem__'))).toEqual([]);
    for (const format of toolFormat.options) {
      const { tools, names } = await with_.list({ format });
      VENDOR_SHAPES[format].parse(tools);
      expect(names.map(({ name }) => name)).toEqual(offered);
      if (format === 'mcp') expect(tools).toEqual(listed);
    }
  });

  it('an operator asks over HTTP for an agent, whose process begins with it; a viewer begins none', async () => {
    await using with_ = await openWithAgent();
    const get = (path: string) => with_.on.send({ path });
    const viewer = await with_.on.tokenFor({ kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'viewer' });
    const looked = await with_.on.call('tool.list', { format: 'mcp', agent: 'coder' }, { token: viewer });
    expect(looked.error).toMatchObject({ data: { fault: 'not_found', idle: true } });
    expect((await with_.on.call('kernel.agent.list', {})).result).toMatchObject({ total: 0 });
    expect(await get('/api/tools?format=gemini&agent=nobody')).toMatchObject({
      status: 404,
      text: expect.stringContaining('warren agent create nobody'),
    });
    const { status, text } = await get('/api/tools?format=gemini&agent=coder&category=state');
    expect(status).toBe(200);
    expect(JSON.parse(text).tools[0].functionDeclarations.every(({ name }: { name: string }) => /^(state|warren)__/.test(name))).toBe(true);
    expect((await get('/api/tools?format=gemini')).status).toBe(400);
    expect((await get('/api/tools?format=cobol&agent=coder')).status).toBe(400);
  });

  it('nobody sees what another may call: an agent, a process; a viewer sees and makes no call', async () => {
    await using with_ = await openWithAgent();
    const { on, call } = with_;
    expect((await call('tool.list', { format: 'mcp', agent: 'other' })).error).toMatchObject({ data: { fault: 'permission_denied' } });
    expect((await call('tool.call', { name: 'alerts__send', agent: 'other' })).error).toMatchObject({
      data: { fault: 'permission_denied' },
    });
    const { pid } = (await on.call('agent.start', { agent: 'coder' })).result as { readonly pid: number }; // It is started.
    const token = await on.tokenFor({ kind: 'process', workspace: DEFAULT_WORKSPACE, pid });
    expect((await on.call('tool.list', { format: 'mcp', agent: 'other' }, { token })).error).toMatchObject({
      data: { fault: 'permission_denied' },
    });
    expect((await on.call('tool.list', { format: 'mcp', agent: 'coder' }, { token })).result).toMatchObject({ format: 'mcp' });
    const viewer = await on.tokenFor({ kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'viewer' });
    expect((await on.call('tool.list', { format: 'mcp', agent: 'coder' }, { token: viewer })).result).toMatchObject({ format: 'mcp' });
    const denied = await on.call('tool.call', { name: 'system__echo', arguments: { text: 'x' }, agent: 'coder' }, { token: viewer });
    expect(denied.error).toMatchObject({ data: { fault: 'permission_denied' } });
  });
});

describe('tool.call', () => {
  it('is the way back: the name and the arguments as the model gave them', async () => {
    await using with_ = await openWithAgent();
    const { call } = with_;
    const asText = await call('tool.call', { name: 'system__echo', arguments: '{"text":"hello"}' });
    expect(asText.result).toMatchObject({ state: 'done', capability: 'system.echo', output: { text: 'hello' } });
    expect((await call('tool.call', { name: 'system__info', arguments: '' })).result).toMatchObject({ state: 'done' });
    const compat = await call('capabilities.invoke', { capability: 'system__echo', arguments: { text: 'hello' } });
    expect(compat.result).toMatchObject({ success: true, data: { text: 'hello' } });
    expect((await call('tool.call', { name: 'system__time' })).result).toMatchObject({ state: 'failed', error: { type: 'PolicyDenied' } });
    expect((await call('tool.call', { name: 'nothing__here' })).result).toMatchObject({
      state: 'failed',
      error: { type: 'UnknownCapability' },
    });
  });

  it('what a person has to approve is asked for again with the tool for it', async () => {
    await using with_ = await openWithAgent();
    const { on, call } = with_;
    const pending = (await call('tool.call', { name: 'system__health' })).result;
    expect(pending).toMatchObject({ state: 'pending', approval_id: expect.any(String) });
    const later = { name: 'warren__call_result', arguments: { call_id: pending?.['call_id'] as string, wait_ms: null } };
    expect((await call('tool.call', later)).result).toMatchObject({ state: 'pending' });
    await on.call('approval.approve', { approval_id: pending?.['approval_id'] });
    const answered = await call('tool.call', { ...later, arguments: { ...later.arguments, wait_ms: 60_000 } });
    expect(answered.result).toMatchObject({ state: 'done', capability: 'system.health' });
  });

  it('who waits for people, under either name, takes a place of those that wait', async () => {
    await using with_ = await openWithAgent({ waitsPerProcessMax: 1 });
    const { on, call } = with_;
    const asking = { name: 'system__health', on_ask: 'wait' };
    const waiting = [call('tool.call', asking), call('tool.call', asking)];
    expect((await Promise.race(waiting)).error).toMatchObject({ data: { fault: 'busy' } });
    const pending = (await call('tool.call', { name: 'system__health' })).result;
    const look = (wait_ms: number) =>
      call('tool.call', { name: 'warren__call_result', arguments: { call_id: String(pending?.['call_id']), wait_ms } });
    expect((await look(60_000)).error).toMatchObject({ data: { fault: 'busy' } });
    expect((await look(0)).result).toMatchObject({ state: 'pending' });
    const { approvals } = (await on.call('approval.list', { state: 'pending' })).result as {
      readonly approvals: readonly { readonly approval_id: string }[]; // It lists them.
    };
    for (const { approval_id } of approvals) await on.call('approval.approve', { approval_id });
    expect((await Promise.all(waiting)).filter(({ result }) => result?.['state'] === 'done')).toHaveLength(1);
  });

  it('arguments that are no object, or beyond the bounds, are refused', async () => {
    await using with_ = await openWithAgent();
    for (const given of ['[]', '7', '{"a":', '"text"', `{"a":${'['.repeat(200)}${']'.repeat(200)}}`]) {
      const { error } = await with_.call('tool.call', { name: 'system__echo', arguments: given });
      expect(error).toMatchObject({ data: { fault: 'invalid_argument', field: 'arguments' } });
    }
    const wrong = await with_.call('tool.call', { name: 'warren__call_result', arguments: { call_id: 7 } });
    expect(wrong.error).toMatchObject({ data: { fault: 'invalid_argument' } });
  });
});
