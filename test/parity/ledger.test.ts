import { parseWorkspaceId } from '@warren/protocol';
import { expect } from 'vitest';
import type { Client, Refusal } from './client.ts';
import { shareDaemon } from './daemon.ts';
import { proves } from './proves.ts';

const daemon = shareDaemon();

type Params = Readonly<Record<string, unknown>>;

/** A process with these budgets. */
async function createWith(os: Client, grants: Readonly<Record<string, number>>, more: Params = {}): Promise<number> {
  const { pid } = await os.call('kernel.agent.create', { name: 'a', template: 't' });
  await os.call('kernel.ledger.create', { pid, grants, ...more });
  return pid;
}

async function run(os: Client, pid: number): Promise<void> {
  await os.call('kernel.agent.transition', { pid, target_state: 'RUNNING' });
}

proves('ledger:charge', async () => {
  const os = await daemon.workspace();
  const pid = await createWith(os, { tokens: 1_000 }, { warn_at: 0.8 });
  const charge = async (amount: number) => {
    const { used, over_limit, warned, first_breach, ...rest } = await os.call('kernel.ledger.charge', { pid, dim: 'tokens', amount });
    expect(rest).toEqual({ pid, dim: 'tokens', amount, granted: 1_000 });
    return [used, over_limit, warned, first_breach];
  };
  expect(await charge(300)).toEqual([300, false, false, false]);
  expect(await charge(600)).toEqual([900, false, true, false]);
  expect(await charge(100)).toEqual([1_000, false, false, false]);
  expect(await charge(100)).toEqual([1_100, true, false, true]);
  expect(await charge(50)).toEqual([1_150, true, false, false]);
  expect((await os.call('kernel.ledger.list_breached')).entries).toMatchObject([{ pid, dim: 'tokens', used: 1_150, granted: 1_000 }]);
  expect(await os.call('kernel.ledger.refund', { pid, dim: 'tokens', amount: 350 })).toEqual({
    pid,
    dim: 'tokens',
    used: 800,
    granted: 1_000,
  });
  expect((await os.call('kernel.ledger.list_breached')).entries).toEqual([]);
  expect(await os.call('kernel.ledger.update_grant', { pid, dim: 'tokens', new_grant: 2_000 })).toEqual({
    pid,
    dim: 'tokens',
    granted: 2_000,
    used: 800,
  });
  expect(await os.call('kernel.ledger.check', { pid, dim: 'tokens', amount: 500 })).toEqual({
    pid,
    dim: 'tokens',
    used: 800,
    reserved: 0,
    granted: 2_000,
    would_use: 1_300,
    would_exceed: false,
  });
  expect(await os.call('kernel.ledger.check', { pid, dim: 'tokens', amount: 1_201 })).toMatchObject({
    would_use: 2_001,
    would_exceed: true,
  });
  expect(await os.call('kernel.ledger.check', { pid, dim: 'tokens', amount: 1_200 })).toMatchObject({ would_exceed: false });
  expect((await os.call('kernel.ledger.get', { pid })).entries).toMatchObject([{ used: 800, granted: 2_000 }]);
});

proves('ledger:charge', 'what is set aside for a call under way counts as used until it is settled', async () => {
  const os = await daemon.workspace();
  const pid = await createWith(os, { tokens: 10 });
  const check = () => os.call('kernel.ledger.check', { pid, dim: 'tokens', amount: 4 });
  const reserved = await os.call('ledger.reserve', { pid, amounts: { tokens: 7 } });
  if (reserved.kind === 'denied') throw new Error('Nothing was set aside');
  expect(await check()).toMatchObject({ used: 0, reserved: 7, would_use: 11, would_exceed: true });
  await os.call('ledger.settle', { reservation_id: reserved.reservation_id, used: { tokens: 5 } });
  expect(await check()).toMatchObject({ used: 5, reserved: 0, would_use: 9, would_exceed: false });
});

proves('ledger:charge', 'crossing a line a second time is said a second time', async () => {
  const os = await daemon.workspace();
  const pid = await createWith(os, { tokens: 10 }, { warn_at: 0.5, on_breach: 'deny' });
  const charge = async (amount: number) => {
    const { warned, first_breach } = await os.call('kernel.ledger.charge', { pid, dim: 'tokens', amount });
    return [warned, first_breach];
  };
  expect(await charge(11)).toEqual([true, true]);
  await os.call('kernel.ledger.refund', { pid, dim: 'tokens', amount: 10 });
  expect(await charge(4)).toEqual([true, false]);
  expect(await charge(6)).toEqual([false, true]);
  await os.call('kernel.ledger.update_grant', { pid, dim: 'tokens', new_grant: 20 });
  expect(await charge(10)).toEqual([false, true]);
});

proves('ledger:charge', 'budgets are created all or none, and listed in their order', async () => {
  const os = await daemon.workspace();
  const pid = await createWith(os, { tokens: 5, anything: 7 }, { warn_at: null });
  expect(await os.refused('kernel.ledger.create', { pid, grants: { cpu_s: 1, tokens: 1 } })).toEqual({
    code: -32122,
    data: { account: `process:${pid}`, pid, dim: 'tokens', fault: 'ledger_exists' },
  });
  expect(await os.call('kernel.ledger.create', { pid, grants: { cost_micro: 3 }, warn_at: 0 })).toEqual({ pid, dims: ['cost_micro'] });
  const entry = { pid, used: 0, reserved: 0, on_breach: 'suspend' };
  expect(await os.call('kernel.ledger.get', { pid })).toEqual({
    pid,
    entries: [
      { ...entry, dim: 'tokens', granted: 5, hard_limit: 5, warn_at: 0.8 },
      { ...entry, dim: 'anything', granted: 7, hard_limit: 7, warn_at: 0.8 },
      { ...entry, dim: 'cost_micro', granted: 3, hard_limit: 3, warn_at: 0 },
    ],
  });
  expect(await os.call('kernel.ledger.get', { pid: 99 })).toEqual({ pid: 99, entries: [] });
});

proves('ledger:charge', 'what is breached is listed by pid and dimension', async () => {
  const os = await daemon.workspace();
  const pids = [await createWith(os, { tokens: 1, cpu_s: 1 }), await createWith(os, { tokens: 1 }), await createWith(os, { tokens: 1 })];
  const [one = 0, , three = 0] = pids;
  for (const [pid, dim] of [
    [three, 'tokens'],
    [one, 'tokens'],
    [one, 'cpu_s'],
  ] as const)
    await os.call('kernel.ledger.charge', { pid, dim, amount: 2 });
  const breached = async (params: Params) =>
    (await os.call('kernel.ledger.list_breached', params)).entries.map(({ pid, dim }) => [pid, dim]);
  expect(await breached({})).toEqual([
    [one, 'cpu_s'],
    [one, 'tokens'],
    [three, 'tokens'],
  ]);
  expect(await breached({ limit: '2' })).toEqual([
    [one, 'cpu_s'],
    [one, 'tokens'],
  ]);
});

proves('ledger:refused', async () => {
  const os = await daemon.workspace();
  const pid = await createWith(os, { tokens: 10 });
  await os.call('kernel.ledger.charge', { pid, dim: 'tokens', amount: 4 });
  const bad = (amount: number): Refusal => ({ code: -32123, data: { amount, fault: 'ledger_amount_invalid' } });
  const mistyped = (field: string): Refusal => ({ code: -32602, data: { field, fault: 'invalid_argument' } });
  const unknown: Refusal = { code: -32121, data: { account: `process:${pid}`, pid, dim: 'wishes', fault: 'ledger_not_found' } };
  for (const [method, params, refusal] of [
    ['kernel.ledger.create', { grants: { cpu_s: 0 } }, bad(0)],
    ['kernel.ledger.create', { grants: { cpu_s: -3 } }, bad(-3)],
    ['kernel.ledger.create', { grants: {} }, mistyped('grants')],
    ['kernel.ledger.create', { grants: { cpu_s: 1.5 } }, mistyped('grants.cpu_s')],
    ['kernel.ledger.create', { grants: { cpu_s: '1' } }, mistyped('grants.cpu_s')],
    ['kernel.ledger.create', { grants: { cpu_s: 1 }, warn_at: 1.5 }, { code: -32125, data: { value: 1.5, fault: 'ledger_warn_invalid' } }],
    [
      'kernel.ledger.create',
      { grants: { cpu_s: 1 }, warn_at: -0.1 },
      { code: -32125, data: { value: -0.1, fault: 'ledger_warn_invalid' } },
    ],
    ['kernel.ledger.create', { pid: 99, grants: { cpu_s: 1 } }, { code: -32102, data: { pid: 99, fault: 'unknown_pid' } }],
    ['kernel.ledger.charge', { dim: 'tokens', amount: -1 }, bad(-1)],
    ['kernel.ledger.charge', { dim: 'tokens', amount: true }, mistyped('amount')],
    ['kernel.ledger.charge', { dim: 'wishes', amount: 1 }, unknown],
    ['kernel.ledger.check', { dim: 'tokens', amount: -1 }, bad(-1)],
    ['kernel.ledger.check', { dim: 'wishes', amount: 1 }, unknown],
    ['kernel.ledger.refund', { dim: 'tokens', amount: -1 }, bad(-1)],
    ['kernel.ledger.refund', { dim: 'wishes', amount: 1 }, unknown],
    [
      'kernel.ledger.refund',
      { dim: 'tokens', amount: 5 },
      { code: -32124, data: { account: `process:${pid}`, pid, dim: 'tokens', used: 4, refund: 5, fault: 'ledger_refund_invalid' } },
    ],
    ['kernel.ledger.update_grant', { dim: 'tokens', new_grant: 0 }, bad(0)],
    ['kernel.ledger.update_grant', { dim: 'wishes', new_grant: 1 }, unknown],
  ] as const) {
    expect(await os.refused(method, { pid, ...params }), `${method} ${JSON.stringify(params)}`).toEqual(refusal);
  }
  expect(await os.call('kernel.ledger.charge', { pid, dim: 'tokens', amount: 0 })).toMatchObject({
    used: 4,
    warned: false,
    first_breach: false,
  });
  expect((await os.call('kernel.ledger.get', { pid })).entries).toMatchObject([{ dim: 'tokens', used: 4, granted: 10 }]);
});

proves('ledger:concurrent', async () => {
  const os = await daemon.workspace();
  const pid = await createWith(os, { tool_calls: 60 }, { on_breach: 'deny' });
  const charges = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const own = [];
      for (let index = 0; index < 25; index++) own.push(await os.call('kernel.ledger.charge', { pid, dim: 'tool_calls', amount: 1 }));
      return own;
    }),
  );
  const all = charges.flat();
  expect(new Set(all.map(({ used }) => used)).size).toBe(100);
  expect(all.filter(({ first_breach }) => first_breach).map(({ used }) => used)).toEqual([61]);
  expect(all.filter(({ warned }) => warned).map(({ used }) => used)).toEqual([48]);
  expect((await os.call('kernel.ledger.get', { pid })).entries).toMatchObject([{ used: 100 }]);
});

proves('ledger:measured', async () => {
  const os = await daemon.workspace();
  const pid = await createWith(os, { tool_calls: 10, tokens: 5 }, { on_breach: 'deny' });
  await os.call('kernel.ledger.charge', { pid, dim: 'tool_calls', amount: 7 });
  expect((await os.call('kernel.ledger.get', { pid })).entries).toMatchObject([
    { dim: 'tool_calls', used: 7 },
    { dim: 'tokens', used: 0 },
  ]);
  for (const amount of [4, 4, 4]) await os.call('kernel.ledger.charge', { pid, dim: 'tokens', amount });
  const breaches = (await os.call('kernel.events.tail', { pid, kind: 'kernel.ledger.breached' })).events;
  expect(breaches.map(({ payload }) => payload)).toEqual([
    { account: `process:${pid}`, dim: 'tokens', used: 8, granted: 5, policy: 'deny' },
  ]);
  const charged = (await os.call('kernel.events.tail', { pid, kind: 'kernel.ledger.charged' })).events;
  expect(charged).toHaveLength(4);
  expect(breaches[0]?.causation_id).toBe(charged[2]?.event_id);
});

proves('ledger:measured', 'what a run measures is charged where there is a budget, and silently not where there is none', async () => {
  const os = await daemon.workspace();
  const pid = await createWith(os, { wall_s: 10 });
  const { ledger } = daemon.kernel.workspace(parseWorkspaceId(os.workspace));
  const charged = await ledger.record(pid, { wall_s: 2, cpu_s: 1 });
  expect(charged.map(({ charged: { dim, used } }) => [dim, used])).toEqual([['wall_s', 2]]);
  expect((await os.call('kernel.ledger.get', { pid })).entries).toMatchObject([{ dim: 'wall_s', used: 2 }]);
});

proves('ledger:breach-stops', 'a process beyond its budget is suspended, and goes on with more of it', async () => {
  const os = await daemon.workspace();
  const pid = await createWith(os, { tokens: 10 });
  await run(os, pid);
  await os.call('kernel.ledger.charge', { pid, dim: 'tokens', amount: 10 });
  expect((await os.call('kernel.agent.get', { pid })).state).toBe('RUNNING');
  expect(await os.call('kernel.ledger.charge', { pid, dim: 'tokens', amount: 1 })).toMatchObject({ over_limit: true, first_breach: true });
  expect(await os.call('kernel.agent.get', { pid })).toMatchObject({ state: 'SUSPENDED', state_reason: `budget:process:${pid}:tokens` });
  await os.call('kernel.ledger.update_grant', { pid, dim: 'tokens', new_grant: 10 });
  expect((await os.call('kernel.agent.get', { pid })).state).toBe('SUSPENDED');
  await os.call('kernel.ledger.update_grant', { pid, dim: 'tokens', new_grant: 11 });
  expect(await os.call('kernel.agent.get', { pid })).toMatchObject({ state: 'READY', state_reason: 'budget_restored' });
});

proves('ledger:breach-stops', 'or ended, or only refused more, as its budget says', async () => {
  const os = await daemon.workspace();
  const { ledger } = daemon.kernel.workspace(parseWorkspaceId(os.workspace));
  const [killed, denied] = [
    await createWith(os, { wall_s: 1 }, { on_breach: 'kill' }),
    await createWith(os, { wall_s: 1 }, { on_breach: 'deny' }),
  ];
  for (const pid of [killed, denied]) {
    await run(os, pid);
    await ledger.record(pid, { wall_s: 1 });
    expect((await os.call('kernel.agent.get', { pid })).state).toBe('RUNNING');
    await ledger.record(pid, { wall_s: 1 });
  }
  expect(await os.call('kernel.agent.get', { pid: killed })).toMatchObject({
    state: 'DEAD',
    exit_kind: 'failed',
    exit_detail: { reason: 'budget', account: `process:${killed}`, dim: 'wall_s' },
  });
  expect((await os.call('kernel.agent.get', { pid: denied })).state).toBe('RUNNING');
  expect(await os.call('ledger.reserve', { pid: denied, amounts: { wall_s: 1 } })).toMatchObject({ kind: 'denied', dim: 'wall_s' });
});

proves('ledger:breach-stops', 'children spend the budget of their parent, and stop with it', async () => {
  const os = await daemon.workspace();
  const parent = await createWith(os, { tokens: 10 });
  const { pid: child } = await os.call('kernel.agent.create', { name: 'b', template: 't', parent_pid: parent });
  await os.call('kernel.ledger.create', { pid: child, grants: { tokens: 100 } });
  await run(os, child);
  expect(await os.call('kernel.ledger.charge', { pid: child, dim: 'tokens', amount: 11 })).toMatchObject({ used: 11, over_limit: false });
  expect((await os.call('kernel.ledger.get', { pid: parent })).entries).toMatchObject([{ used: 11 }]);
  expect(await os.call('kernel.agent.get', { pid: child })).toMatchObject({
    state: 'SUSPENDED',
    state_reason: `budget:process:${parent}:tokens`,
  });
});
