/** What people who supervise agents follow: each type from a real run, from a backlog to what happens, without a gap or a repeat. */
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openTestGateway, type TestGateway } from '../test-support/open-test-gateway.ts';

const POLICY = `
rules:
  - { id: no-time, capability: system.time, tier: blocked, reason: "time is a secret" }
  - { capability: system.health, tier: approval_required }
  - { capability: system.info, tier: autonomous, limit: { max: 1, per: 1h } }
  - { capability: "*", tier: autonomous }
`;

type Event = {
  readonly id: string;
  readonly type: string;
  readonly agent: string;
  readonly session_id: string;
  readonly data: Record<string, unknown>;
};

async function openWithAgent(): Promise<{
  readonly on: TestGateway;
  readonly pid: number;
  call(capability: string, input?: object): Promise<unknown>;
}> {
  const on = await openTestGateway({ policy: POLICY });
  const { pid } = (await on.call('agent.start', { agent: 'coder', tool_grants: ['*'] })).result as { readonly pid: number }; // It is started.
  return { on, pid, call: (capability, input = {}) => on.call('call.make', { pid, capability, input, on_ask: 'return' }) };
}

/** Over the unix socket, as the operator. */
function follow(on: TestGateway, query: string) {
  const socket = new WebSocket(`ws+unix://${on.socketPath}:/events?view=supervision&${query}`);
  socket.on('error', () => {}); // Who lets go before it is open wants nothing of it.
  const events: Event[] = [];
  let wake = (): void => {};
  socket.on('message', (data) => {
    events.push(JSON.parse(String(data)));
    wake();
  });
  return {
    async take(count: number): Promise<readonly Event[]> {
      while (events.length < count) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return events.splice(0, count);
    },
    [Symbol.dispose]: () => socket.terminate(),
  };
}

it('tells what agents do, each in its type', async () => {
  const { on, pid, call } = await openWithAgent();
  await using _ = on;
  using feed = follow(on, 'after=0.0.0');
  const [started] = await feed.take(1);
  expect(started).toMatchObject({
    type: 'session_started',
    agent: 'coder',
    session_id: `sess-${pid}`,
    data: { session_id: `sess-${pid}` },
  });
  await call('system.info');
  expect((await feed.take(2)).map(({ type, data }) => [type, data])).toMatchObject([
    ['capability_invoked', { capability: 'system.info', arguments: {}, permission_tier: 'autonomous', duration_ms: expect.any(Number) }],
    ['capability_result', { capability: 'system.info', success: true }],
  ]);
  await call('system.info');
  expect(await feed.take(1)).toMatchObject([
    { type: 'rate_limit_hit', data: { capability_pattern: 'system.info', limit: 1, window: 3_600 } },
  ]);
  await call('system.time');
  expect(await feed.take(1)).toMatchObject([
    { type: 'policy_violation', data: { capability: 'system.time', rule: 'no-time', reason: 'time is a secret', tier: 'blocked' } },
  ]);
  await call('state.persistent.get', { key: 7 });
  const [invoked, failed] = await feed.take(2);
  expect(invoked).toMatchObject({ type: 'capability_invoked', data: { capability: 'state.persistent.get' } });
  expect(failed).toEqual({
    ...{ id: expect.stringMatching(/^\d+\.\d+\.0$/), type: 'capability_error', timestamp: expect.stringMatching(/Z$/) },
    ...{ agent: 'coder', session_id: `sess-${pid}` },
    data: {
      ...{ call_id: expect.stringMatching(/^call_/), capability: 'state.persistent.get' },
      ...{ error_type: 'InvalidInput', message: expect.stringContaining('key'), tier: null },
    },
  });
  await call('system.health');
  using approvals = follow(on, 'after=0.0.0&types=approval_requested,approval_resolved');
  const [asked] = await approvals.take(1);
  expect(asked).toMatchObject({ type: 'approval_requested', agent: 'coder', data: { capability: 'system.health', arguments: {} } });
  await on.call('approval.reject', { approval_id: asked?.data['approval_id'], reason: 'no' });
  expect(await approvals.take(1)).toMatchObject([
    { type: 'approval_resolved', data: { decision: 'rejected', decided_by: expect.any(String) } },
  ]);
  using sent = follow(on, 'after=0.0.0&types=health_alert,session_ended');
  await on.kernel.workspace(DEFAULT_WORKSPACE).alerts.send({ message: 'the disk is full', severity: 'critical' });
  await on.call('kernel.agent.terminate', { pid, exit_kind: 'completed' });
  expect(await sent.take(2)).toMatchObject([
    { type: 'health_alert', agent: null, data: { component: 'warren', severity: 'critical', message: 'the disk is full' } },
    { type: 'session_ended', agent: 'coder', data: { session_id: `sess-${pid}`, capabilities_invoked: expect.any(Number) } },
  ]);
});

it('goes on where a client left off: nothing twice, nothing left out, also within one call', async () => {
  const { on, call } = await openWithAgent();
  await using _ = on;
  const state = (key: number) => call('state.persistent.set', { key: `k${key}`, value: key });
  for (let key = 0; key < 5; key++) await state(key);
  using first = follow(on, 'after=0.0.0');
  const all = await first.take(11);
  expect(new Set(all.map(({ id }) => id)).size).toBe(11);
  for (const [index, { id }] of all.entries()) {
    using again = follow(on, `after=${id}`);
    expect((await again.take(10 - index)).map((event) => event.id)).toEqual(all.slice(index + 1).map((event) => event.id));
  }
  using late = follow(on, `after=${all[4]?.id}`);
  const [calls, seen] = await Promise.all([Promise.all([5, 6, 7, 8, 9].map(state)), late.take(16)]);
  expect(calls).toHaveLength(5);
  expect(new Set(seen.map(({ id }) => id)).size).toBe(16);
  expect(seen.slice(0, 6).map(({ id }) => id)).toEqual(all.slice(5).map(({ id }) => id));
});

it('is a stream of server-sent events, too, for whoever may read what is recorded', async () => {
  const { on, call } = await openWithAgent();
  await using _ = on;
  const refused = async (query: string, token?: string): Promise<number> =>
    (await on.send({ path: `/events?${query}`, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })).status;
  expect(await refused('view=nonsense')).toBe(400);
  expect(await refused('view=supervision&types=nonsense')).toBe(400);
  for (const session of ['7', 'sess-', 'sess-07', 'sess-7x', 'sess-7 '])
    expect([session, await refused(`view=supervision&session=${encodeURIComponent(session)}`)]).toEqual([session, 400]);
  expect(await refused('view=supervision&after=1')).toBe(400);
  const process = await on.tokenFor({ kind: 'process', workspace: DEFAULT_WORKSPACE, pid: 1 });
  expect(await refused('view=supervision', process)).toBe(403);
  const answer = await fetch(`http://127.0.0.1:${on.port}/events?view=supervision&after=0.0.0&agent=coder&session=sess-1`, {
    headers: { authorization: `Bearer ${await on.tokenFor({ kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'viewer' })}` },
  });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  await call('system.info');
  let text = '';
  for await (const piece of answer.body ?? []) {
    text += Buffer.from(piece).toString();
    if (text.includes('capability_result')) break;
  }
  expect(text).toMatch(/^id: 0\.0\.0\n\nid: \d+\.0\.0\nevent: session_started\ndata: \{.*\}\n\n/);
});
