import { expect } from 'vitest';
import type { Client, Refusal } from './client.ts';
import { Daemon, shareDaemon } from './daemon.ts';
import { proves } from './proves.ts';

const daemon = shareDaemon();

type Params = Readonly<Record<string, unknown>>;

async function create(os: Client): Promise<number> {
  return (await os.call('kernel.agent.create', { name: 'a', template: 't' })).pid;
}

async function enqueue(os: Client, params: Params): Promise<number> {
  return (await os.call('kernel.sched.enqueue', params)).sched_id;
}

async function claim(os: Client, params: Params = {}) {
  return (await os.call('kernel.sched.claim', { worker_id: 'w', max_n: 10, ...params })).entries;
}

/** The ids of what is claimed, in their order. */
async function claimIds(os: Client, params: Params = {}): Promise<readonly number[]> {
  return (await claim(os, params)).map(({ sched_id }) => sched_id);
}

async function stateOf(os: Client, sched_id: number): Promise<string> {
  return (await os.call('kernel.sched.get', { sched_id })).state;
}

proves('queue:order', 'an entry has every field, and defaults where nothing was said', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  const waiting = {
    sched_id: 1,
    pid,
    priority: 0,
    runnable_at: 0,
    deadline: null,
    trigger: 'manual',
    payload: {},
    state: 'queued',
    worker_id: null,
    created_at: daemon.now,
    dispatched_at: null,
    completed_at: null,
    exit_kind: null,
    attempts: 0,
    attempts_max: 5,
    backoff_ms: 1_000,
    lease_until: null,
    error: null,
    cron: null,
  };
  expect(await os.call('kernel.sched.enqueue', { pid })).toEqual({ sched_id: 1 });
  expect(await os.call('kernel.sched.get', { sched_id: 1 })).toEqual(waiting);
  const [claimed] = await claim(os);
  expect(claimed).toEqual({
    ...waiting,
    state: 'dispatched',
    worker_id: 'w',
    dispatched_at: daemon.now,
    attempts: 1,
    lease_until: daemon.now + 300,
    fence: 1,
  });
  expect(await os.call('kernel.sched.complete', { sched_id: 1, exit_kind: 'failed' })).toEqual({
    sched_id: 1,
    prev_state: 'dispatched',
    state: 'completed',
  });
  expect(await os.call('kernel.sched.get', { sched_id: 1 })).toMatchObject({
    state: 'completed',
    exit_kind: 'failed',
    completed_at: daemon.now,
    lease_until: null,
  });
});

proves('queue:order', 'numbers may be written as text, and null stands for what is left out', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  const sched_id = await enqueue(os, { pid, priority: '7', runnable_at: '12.5', deadline: '9e9', trigger: null, payload: null });
  expect(await os.call('kernel.sched.get', { sched_id })).toMatchObject({
    priority: 7,
    runnable_at: 12.5,
    deadline: 9e9,
    trigger: 'manual',
    payload: {},
  });
  expect(await claimIds(os, { max_n: '2', now: '15' })).toEqual([sched_id]);
  for (const [field, value] of [
    ['priority', 'high'],
    ['priority', 1.5],
    ['runnable_at', 'soon'],
    ['payload', []],
    ['pid', '1'],
    ['trigger', 3],
  ] as const) {
    expect(await os.refused('kernel.sched.enqueue', { pid, [field]: value })).toEqual({
      code: -32602,
      data: { field, fault: 'invalid_argument' },
    });
  }
});

proves('queue:order', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  const first = [await enqueue(os, { pid }), await enqueue(os, { pid }), await enqueue(os, { pid })];
  expect([await claimIds(os, { max_n: 1 }), await claimIds(os, { max_n: 2 })].flat()).toEqual(first);
  const [low, high, middle] = [
    await enqueue(os, { pid, priority: 1 }),
    await enqueue(os, { pid, priority: 10 }),
    await enqueue(os, { pid, priority: 5 }),
  ];
  expect(await claimIds(os)).toEqual([high, middle, low]);
  const later = await enqueue(os, { pid, runnable_at: daemon.now + 100, priority: 100 });
  expect(await claimIds(os)).toEqual([]);
  expect(await claimIds(os, { now: daemon.now + 99.9 })).toEqual([]);
  await daemon.pass(100);
  expect(await claimIds(os)).toEqual([later]);
  const replayed = await enqueue(os, { pid, runnable_at: daemon.now + 100 });
  expect(await claimIds(os, { now: daemon.now + 100 })).toEqual([replayed]);
});

proves('queue:order', 'over processes, too', async () => {
  const os = await daemon.workspace();
  const pids = [await create(os), await create(os), await create(os)];
  const ids: number[] = [];
  for (const [index, pid] of pids.entries()) ids.push(await enqueue(os, { pid, priority: index }));
  expect(await claimIds(os, { max_n: 2 })).toEqual([ids[2], ids[1]]);
});

proves('queue:order', 'what waits long enough overtakes what is more important', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  const patient = await enqueue(os, { pid, runnable_at: daemon.now });
  await daemon.pass(121);
  const important = await enqueue(os, { pid, priority: 2, runnable_at: daemon.now });
  expect(await claimIds(os)).toEqual([patient, important]);
});

proves('queue:order', 'a list is by id, of one state and one process where those are given', async () => {
  const os = await daemon.workspace();
  const [one, other] = [await create(os), await create(os)];
  for (const pid of [one, other, one, other]) await enqueue(os, { pid });
  await os.call('kernel.sched.cancel', { sched_id: 3 });
  const list = async (params: Params) => {
    const { entries, total } = await os.call('kernel.sched.list', params);
    return [entries.map(({ sched_id }) => sched_id), total];
  };
  expect(await list({})).toEqual([[1, 2, 3, 4], 4]);
  expect(await list({ pid: one })).toEqual([[1, 3], 2]);
  expect(await list({ pid: one, state: 'queued' })).toEqual([[1], 1]);
  expect(await list({ limit: 1, offset: 2 })).toEqual([[3], 4]);
  expect(await os.refused('kernel.sched.list', { state: 'lost' })).toEqual({
    code: -32602,
    data: { field: 'state', fault: 'invalid_argument' },
  });
});

proves('queue:deadline', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  const [dispatched, waiting, later, endless] = [
    await enqueue(os, { pid, deadline: daemon.now + 10 }),
    await enqueue(os, { pid, deadline: daemon.now + 10 }),
    await enqueue(os, { pid, deadline: daemon.now + 30 }),
    await enqueue(os, { pid }),
  ];
  expect(await claimIds(os, { max_n: 1, lease_s: 1_000 })).toEqual([dispatched]);
  expect(await os.call('kernel.sched.gc_expired', { now: daemon.now + 9 })).toEqual({ swept: 0 });
  expect(await os.call('kernel.sched.gc_expired', { now: daemon.now + 11 })).toEqual({ swept: 1 });
  expect([await stateOf(os, dispatched), await stateOf(os, waiting), await stateOf(os, later)]).toEqual([
    'dispatched',
    'expired',
    'queued',
  ]);
  await daemon.pass(31);
  expect(await claimIds(os)).toEqual([endless]);
  expect([await stateOf(os, dispatched), await stateOf(os, later)]).toEqual(['dispatched', 'expired']);
  expect(await os.call('kernel.sched.gc_expired')).toEqual({ swept: 0 });
  const overdue = await enqueue(os, { pid, deadline: daemon.now - 1 });
  expect(await claimIds(os)).toEqual([]);
  expect(await stateOf(os, overdue)).toBe('expired');
});

proves('queue:claimed-once', async () => {
  const os = await daemon.workspace();
  const pids = [await create(os), await create(os), await create(os)];
  await os.batch(
    Array.from({ length: 200 }, (_, index) => ['kernel.sched.enqueue', { pid: pids[index % 3], priority: index % 2 }] as const),
  );
  const claimed = await Promise.all(
    Array.from({ length: 8 }, async (_, worker) => {
      const own: number[] = [];
      for (;;) {
        const ids = await claimIds(os, { worker_id: `w${worker}`, max_n: 3 });
        if (ids.length === 0) return own;
        expect(ids.length).toBeLessThanOrEqual(3);
        own.push(...ids);
      }
    }),
  );
  expect(claimed.flat().toSorted((one, other) => one - other)).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
});

proves('queue:claimed-once', 'a claim takes one unless it asks for more, and never more than a thousand', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  await os.batch(Array.from({ length: 900 }, () => ['kernel.sched.enqueue', { pid }] as const));
  await os.batch(Array.from({ length: 900 }, () => ['kernel.sched.enqueue', { pid }] as const));
  expect((await os.call('kernel.sched.claim', { worker_id: 'w' })).entries).toHaveLength(1);
  const { settings } = await os.call('workspace.update', { workspace: os.workspace, settings: { running_max: 5_000 } });
  expect(settings.running_max).toBe(5_000);
  expect(await claim(os, { max_n: 1e6 })).toHaveLength(1_000);
  expect(await claim(os, { max_n: 1e6 })).toHaveLength(799);
  for (const max_n of [0, -1]) {
    expect(await os.refused('kernel.sched.claim', { worker_id: 'w', max_n })).toEqual({
      code: -32133,
      data: { field: 'max_n', fault: 'queue_entry_invalid' },
    });
  }
  expect(await os.refused('kernel.sched.claim', { worker_id: '' })).toEqual({
    code: -32133,
    data: { field: 'worker_id', fault: 'queue_entry_invalid' },
  });
});

proves('queue:illegal-move', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  const sched_id = await enqueue(os, { pid });
  const complete = () => os.refused('kernel.sched.complete', { sched_id, exit_kind: 'completed' });
  const cancel = () => os.refused('kernel.sched.cancel', { sched_id });
  const illegal = (prev_state: string, op: string): Refusal => ({
    code: -32131,
    data: { sched_id, prev_state, op, fault: 'queue_illegal_transition' },
  });
  expect(await complete()).toEqual(illegal('queued', 'complete'));
  await claim(os);
  expect(await cancel()).toEqual(illegal('dispatched', 'cancel'));
  await os.call('kernel.sched.complete', { sched_id, exit_kind: 'completed' });
  expect([await complete(), await cancel()]).toEqual([illegal('completed', 'complete'), illegal('completed', 'cancel')]);
  const other = await enqueue(os, { pid });
  expect(await os.call('kernel.sched.cancel', { sched_id: other })).toEqual({ sched_id: other, prev_state: 'queued', state: 'cancelled' });
  expect(await claimIds(os)).toEqual([]);
  for (const method of ['kernel.sched.get', 'kernel.sched.cancel', 'kernel.sched.complete']) {
    const unknown = { code: -32132, data: { sched_id: 99, fault: 'queue_entry_not_found' } };
    expect(await os.refused(method, { sched_id: 99, exit_kind: 'completed' })).toEqual(unknown);
  }
});

proves('queue:refused', async () => {
  const os = await daemon.workspace();
  const [pid, dead] = [await create(os), await create(os)];
  await os.call('kernel.agent.terminate', { pid: dead, exit_kind: 'completed' });
  const refused = (params: Params) => os.refused('kernel.sched.enqueue', { pid, ...params });
  const invalid = (field: string): Refusal => ({ code: -32133, data: { field, fault: 'queue_entry_invalid' } });
  expect(await refused({ pid: dead })).toEqual(invalid('pid'));
  expect(await refused({ pid: 99 })).toEqual({ code: -32102, data: { pid: 99, fault: 'unknown_pid' } });
  expect(await refused({ runnable_at: 20, deadline: 10 })).toEqual(invalid('deadline'));
  expect(await refused({ trigger: '' })).toEqual(invalid('trigger'));
  expect(await refused({ runnable_at: -1 })).toEqual(invalid('runnable_at'));
  expect((await os.call('kernel.sched.list')).total).toBe(0);
  expect(await enqueue(os, { pid, runnable_at: 20, deadline: 20 })).toBe(1);
});

proves('queue:refused', 'work of a process that ends is cancelled with it', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  const sched_id = await enqueue(os, { pid });
  await os.call('kernel.agent.terminate', { pid, exit_kind: 'completed' });
  expect(await stateOf(os, sched_id)).toBe('cancelled');
});

proves('queue:admission', async () => {
  const os = await daemon.workspace();
  const [poor, rich] = [await create(os), await create(os)];
  await os.call('kernel.ledger.create', { pid: poor, grants: { tokens: 1, cpu_s: 5 } });
  await os.call('kernel.ledger.charge', { pid: poor, dim: 'tokens', amount: 2 });
  const [first, second] = [await enqueue(os, { pid: poor, priority: 9 }), await enqueue(os, { pid: poor, priority: 8 })];
  const other = await enqueue(os, { pid: rich });
  expect(await claimIds(os)).toEqual([other]);
  expect([await stateOf(os, first), await stateOf(os, second)]).toEqual(['queued', 'queued']);
  expect(await claimIds(os, { max_n: 1, admission_check: false })).toEqual([first]);
  expect(await claimIds(os)).toEqual([]);
  await os.call('kernel.ledger.update_grant', { pid: poor, dim: 'tokens', new_grant: 2 });
  expect(await claimIds(os)).toEqual([second]);
});

proves('runner:one-at-a-time', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  const [first, second] = [await enqueue(os, { pid }), await enqueue(os, { pid })];
  const start = () => claimIds(os, { starts_process: true });
  const state = async () => (await os.call('kernel.agent.get', { pid })).state;
  expect(await start()).toEqual([first]);
  expect(await state()).toBe('RUNNING');
  expect(await start()).toEqual([]);
  await os.call('kernel.sched.complete', { sched_id: first, exit_kind: 'completed' });
  expect(await state()).toBe('WAITING');
  expect(await start()).toEqual([second]);
  await os.call('kernel.sched.complete', { sched_id: second, exit_kind: 'completed', ends_process: true });
  expect(await os.call('kernel.agent.get', { pid })).toMatchObject({ state: 'DEAD', exit_kind: 'completed' });
  expect(await os.refused('kernel.sched.enqueue', { pid })).toMatchObject({ code: -32133, data: { field: 'pid' } });
});

proves('runner:one-at-a-time', 'nor is work handed out for a process that runs for somebody else', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  await os.call('kernel.agent.transition', { pid, target_state: 'RUNNING' });
  const sched_id = await enqueue(os, { pid });
  expect(await claimIds(os, { starts_process: true })).toEqual([]);
  await os.call('kernel.agent.transition', { pid, target_state: 'WAITING' });
  expect(await claimIds(os, { starts_process: true })).toEqual([sched_id]);
});

proves(
  'queue:leases',
  'work of a worker that died comes back, its attempts are counted, and the dead cannot speak for it any more',
  async () => {
    const os = await daemon.workspace();
    const pid = await create(os);
    const sched_id = await enqueue(os, { pid });
    const [taken] = await claim(os, { worker_id: 'mortal', lease_s: 5 });
    expect(taken).toMatchObject({ sched_id, attempts: 1, fence: 1, lease_until: daemon.now + 5 });
    await daemon.pass(4.9);
    expect([await claimIds(os), await stateOf(os, sched_id)]).toEqual([[], 'dispatched']);
    await daemon.pass(0.2);
    expect(await os.call('kernel.sched.get', { sched_id })).toMatchObject({
      state: 'queued',
      attempts: 1,
      error: 'the lease ran out',
      worker_id: null,
    });
    await daemon.pass(10);
    const [again] = await claim(os, { worker_id: 'next' });
    expect(again).toMatchObject({ sched_id, attempts: 2, fence: 2, worker_id: 'next' });
    expect(await os.refused('kernel.sched.complete', { sched_id, exit_kind: 'completed', fence: 1 })).toEqual({
      code: -32017,
      data: { sched_id, fence: 1, fault: 'lease_lost' },
    });
    expect(await os.call('kernel.sched.complete', { sched_id, exit_kind: 'completed', fence: 2 })).toMatchObject({ state: 'completed' });
  },
);

proves('queue:leases', 'what kills every worker is set aside, and can be tried again', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  const { sched_id } = await os.call('queue.enqueue', { pid, attempts_max: 3, backoff_ms: 0 });
  for (let attempt = 1; attempt <= 3; attempt++) {
    expect(await claimIds(os, { lease_s: 1 })).toEqual([sched_id]);
    await daemon.pass(2);
  }
  expect(await os.call('kernel.sched.get', { sched_id })).toMatchObject({ state: 'dead', attempts: 3, error: 'the lease ran out' });
  expect(await claimIds(os)).toEqual([]);
  expect((await os.call('kernel.sched.list', { state: 'dead' })).entries).toMatchObject([{ sched_id }]);
  await os.call('queue.retry', { sched_id });
  expect(await claim(os)).toMatchObject([{ sched_id, attempts: 1 }]);
});

proves('queue:leases', 'claims outlive the daemon', async () => {
  await using own = await Daemon.start();
  const sched_id = await enqueue(own.client, { pid: await create(own.client) });
  const [taken] = await claim(own.client, { lease_s: 60 });
  await own.pass(30);
  await own.restart();
  expect([await claimIds(own.client), await stateOf(own.client, sched_id)]).toEqual([[], 'dispatched']);
  const done = { sched_id, exit_kind: 'completed', fence: taken?.fence };
  expect(await own.client.call('kernel.sched.complete', done)).toMatchObject({ prev_state: 'dispatched' });
});

proves('queue:leases', 'two entries of one process both run, and at once if the workers say so', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  const ids = [await enqueue(os, { pid }), await enqueue(os, { pid })];
  expect(await claimIds(os)).toEqual(ids);
  for (const sched_id of ids) await os.call('kernel.sched.complete', { sched_id, exit_kind: 'completed' });
  expect((await os.call('kernel.sched.list', { state: 'completed' })).total).toBe(2);
});

proves('queue:leases', 'work of a suspended process waits for it', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  for (const target_state of ['RUNNING', 'SUSPENDED']) await os.call('kernel.agent.transition', { pid, target_state });
  const sched_id = await enqueue(os, { pid });
  for (const starts_process of [false, true]) expect(await claimIds(os, { starts_process })).toEqual([]);
  expect(await stateOf(os, sched_id)).toBe('queued');
  await os.call('kernel.agent.transition', { pid, target_state: 'READY' });
  expect(await claimIds(os)).toEqual([sched_id]);
});
