import { EXIT_KINDS, PROCESS_STATES, type ProcessState } from '@warren/kernel';
import { expect } from 'vitest';
import type { Client } from './client.ts';
import { Daemon, START, shareDaemon } from './daemon.ts';
import { proves } from './proves.ts';

const daemon = shareDaemon();

/** The way from READY to each state. */
const WAYS: Readonly<Record<ProcessState, readonly ProcessState[]>> = {
  READY: [],
  RUNNING: ['RUNNING'],
  WAITING: ['RUNNING', 'WAITING'],
  SUSPENDED: ['RUNNING', 'SUSPENDED'],
  DEAD: ['DEAD'],
};

const LEGAL: Readonly<Record<ProcessState, readonly ProcessState[]>> = {
  READY: ['RUNNING', 'DEAD'],
  RUNNING: ['WAITING', 'SUSPENDED', 'DEAD'],
  WAITING: ['RUNNING', 'SUSPENDED', 'DEAD'],
  SUSPENDED: ['READY', 'DEAD'],
  DEAD: [],
};

/** What the event of a new process says unless it was told otherwise. */
const CREATED = { name: 'a', template: 't', parent_pid: null, metadata: {}, agent: null, on_parent_end: 'end' };

async function create(os: Client, params: Readonly<Record<string, unknown>> = {}): Promise<number> {
  return (await os.call('kernel.agent.create', { name: 'a', template: 't', ...params })).pid;
}

async function createIn(os: Client, state: ProcessState): Promise<number> {
  const pid = await create(os);
  for (const target_state of WAYS[state]) await os.call('kernel.agent.transition', { pid, target_state });
  return pid;
}

proves('process:create', 'the first is pid 1, READY, and has every field', async () => {
  const os = await daemon.workspace();
  expect(await os.call('kernel.agent.create', { name: 'alice', template: 'coder', metadata: { a: [1, null] } })).toEqual({
    pid: 1,
    state: 'READY',
  });
  expect(await os.call('kernel.agent.get', { pid: 1 })).toEqual({
    pid: 1,
    parent_pid: null,
    name: 'alice',
    template: 'coder',
    agent: null,
    state: 'READY',
    state_reason: null,
    on_parent_end: 'end',
    pending_signal: null,
    created_at: daemon.now,
    updated_at: daemon.now,
    started_at: null,
    ended_at: null,
    exit_kind: null,
    exit_detail: null,
    metadata: { a: [1, null] },
    last_event_id: 1,
  });
  const { events, next_cursor } = await os.call('kernel.events.tail', { pid: 1 });
  expect([events.length, next_cursor]).toEqual([1, 1]);
  expect(events[0]).toEqual({
    event_id: 1,
    pid: 1,
    ts: daemon.now,
    kind: 'kernel.process.created',
    payload: { ...CREATED, name: 'alice', template: 'coder', metadata: { a: [1, null] } },
    causation_id: null,
    correlation_id: null,
  });
});

proves('process:create', 'pids ascend and are not given again, also after a restart, and names need not differ', async () => {
  await using own = await Daemon.start();
  const os = own.client;
  const pids = [await create(os), await create(os), await create(os)];
  await os.call('kernel.agent.terminate', { pid: 3, exit_kind: 'completed' });
  await own.restart();
  pids.push(await create(own.client));
  expect(pids).toEqual([1, 2, 3, 4]);
});

proves('process:create', 'null stands for what is left out, and a child knows its parent', async () => {
  const os = await daemon.workspace();
  const parent = await create(os, { parent_pid: null, metadata: null });
  const child = await create(os, { parent_pid: parent });
  expect(await os.call('kernel.agent.get', { pid: child })).toMatchObject({ parent_pid: parent, metadata: {} });
  const { agents, total } = await os.call('kernel.agent.list', { parent_pid: parent });
  expect([agents.map(({ pid }) => pid), total]).toEqual([[child], 1]);
});

proves('process:create', 'lists are by pid, of one state where that is given, and their bounds are brought into range', async () => {
  const os = await daemon.workspace();
  await os.batch(Array.from({ length: 120 }, () => ['kernel.agent.create', { name: 'a', template: 't' }] as const));
  await os.call('kernel.agent.transition', { pid: 5, target_state: 'RUNNING' });
  const pidsOf = async (
    params: Readonly<Record<string, unknown>>,
  ): Promise<readonly [first: number | undefined, count: number, total: number]> => {
    const { agents, total } = await os.call('kernel.agent.list', params);
    return [agents[0]?.pid, agents.length, total];
  };
  expect(await pidsOf({})).toEqual([1, 100, 120]);
  expect(await pidsOf({ limit: 3, offset: 7 })).toEqual([8, 3, 120]);
  expect(await pidsOf({ limit: '3', offset: '7' })).toEqual([8, 3, 120]);
  expect(await pidsOf({ limit: 0, offset: -5 })).toEqual([1, 1, 120]);
  expect(await pidsOf({ limit: 1e9 })).toEqual([1, 120, 120]);
  expect(await pidsOf({ limit: 'many', offset: null })).toEqual([1, 100, 120]);
  expect(await pidsOf({ state: 'RUNNING' })).toEqual([5, 1, 1]);
  expect(await pidsOf({ state: 'DEAD' })).toEqual([undefined, 0, 0]);
  expect(await os.refused('kernel.agent.list', { state: 'ready' })).toEqual({
    code: -32602,
    data: { field: 'state', fault: 'invalid_argument' },
  });
});

proves('process:create-refused', async () => {
  const os = await daemon.workspace();
  const refused = (params: Readonly<Record<string, unknown>>) => os.refused('kernel.agent.create', { name: 'a', template: 't', ...params });
  expect(await refused({ parent_pid: 99 })).toEqual({ code: -32102, data: { pid: 99, fault: 'unknown_pid' } });
  expect(await refused({ name: '' })).toEqual({ code: -32104, data: { field: 'name', fault: 'invalid_payload' } });
  expect(await refused({ template: '' })).toEqual({ code: -32104, data: { field: 'template', fault: 'invalid_payload' } });
  for (const [field, value] of [
    ['name', undefined],
    ['name', 7],
    ['template', 7],
    ['template', ['t']],
    ['parent_pid', '1'],
    ['parent_pid', true],
    ['parent_pid', 1.5],
    ['metadata', []],
    ['metadata', 'x'],
  ] as const) {
    expect(await refused({ [field]: value })).toEqual({ code: -32602, data: { field, fault: 'invalid_argument' } });
  }
  expect((await os.call('kernel.info')).agent_count).toBe(0);
});

proves('process:moves', async () => {
  const os = await daemon.workspace();
  const open: string[] = [];
  for (const from of PROCESS_STATES) {
    for (const to of PROCESS_STATES) {
      const pid = await createIn(os, from);
      if (LEGAL[from].includes(to)) {
        const moved = await os.call('kernel.agent.transition', { pid, target_state: to });
        expect(moved).toEqual({ pid, prev_state: from, state: to, event_id: (await os.call('kernel.agent.get', { pid })).last_event_id });
        open.push(`${from} to ${to}`);
      } else {
        const data = { pid, prev_state: from, target_state: to, fault: 'illegal_transition' };
        expect(await os.refused('kernel.agent.transition', { pid, target_state: to })).toEqual({ code: -32103, data });
      }
    }
  }
  expect(open).toHaveLength(10);
});

proves('process:moves', 'a process ends once, in whatever kind', async () => {
  const os = await daemon.workspace();
  for (const exit_kind of EXIT_KINDS) {
    const pid = await create(os);
    expect(await os.call('kernel.agent.terminate', { pid, exit_kind })).toMatchObject({ pid, prev_state: 'READY', state: 'DEAD' });
    const data = { pid, prev_state: 'DEAD', target_state: 'DEAD', fault: 'illegal_transition' };
    expect(await os.refused('kernel.agent.terminate', { pid, exit_kind })).toEqual({ code: -32103, data });
  }
});

proves('process:illegal-move', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  const before = await os.call('kernel.agent.get', { pid });
  expect(await os.refused('kernel.agent.transition', { pid, target_state: 'WAITING', reason: 'why not' })).toEqual({
    code: -32103,
    data: { pid, prev_state: 'READY', target_state: 'WAITING', fault: 'illegal_transition' },
  });
  expect(await os.refused('kernel.agent.transition', { pid, target_state: 'PAUSED' })).toEqual({
    code: -32602,
    data: { field: 'target_state', fault: 'invalid_argument' },
  });
  expect(await os.call('kernel.agent.get', { pid })).toEqual(before);
  expect((await os.call('kernel.events.tail', { pid })).events).toHaveLength(1);
});

proves('process:started-and-ended', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  const startedAt = daemon.now;
  await os.call('kernel.agent.transition', { pid, target_state: 'RUNNING', reason: 'go' });
  expect(await os.call('kernel.agent.get', { pid })).toMatchObject({
    state: 'RUNNING',
    state_reason: 'go',
    started_at: startedAt,
    ended_at: null,
  });
  await daemon.pass(2.5);
  for (const target_state of ['WAITING', 'RUNNING']) await os.call('kernel.agent.transition', { pid, target_state });
  await os.call('kernel.agent.terminate', { pid, exit_kind: 'failed', exit_detail: { err: 'oom' } });
  expect(await os.call('kernel.agent.get', { pid })).toMatchObject({
    state: 'DEAD',
    exit_kind: 'failed',
    exit_detail: { err: 'oom' },
    started_at: startedAt,
    ended_at: startedAt + 2.5,
    updated_at: startedAt + 2.5,
  });
});

proves('process:started-and-ended', 'a move to DEAD has no kind of exit, and an end without details has none', async () => {
  const os = await daemon.workspace();
  const [moved, ended] = [await create(os), await create(os)];
  await os.call('kernel.agent.transition', { pid: moved, target_state: 'DEAD' });
  await os.call('kernel.agent.terminate', { pid: ended, exit_kind: 'cancelled' });
  expect(await os.call('kernel.agent.get', { pid: moved })).toMatchObject({ exit_kind: null, exit_detail: null });
  expect(await os.call('kernel.agent.get', { pid: ended })).toMatchObject({ exit_kind: 'cancelled', exit_detail: null });
  expect(await os.refused('kernel.agent.terminate', { pid: 99, exit_kind: 'failed' })).toEqual({
    code: -32102,
    data: { pid: 99, fault: 'unknown_pid' },
  });
  const unknownKind = await os.refused('kernel.agent.terminate', { pid: ended, exit_kind: 'exploded' });
  expect(unknownKind).toEqual({ code: -32602, data: { field: 'exit_kind', fault: 'invalid_argument' } });
});

proves('process:started-and-ended', 'the end of a parent is the end of its descendants, but for those that were to stay', async () => {
  const os = await daemon.workspace();
  const parent = await create(os);
  const child = await create(os, { parent_pid: parent });
  const grandchild = await create(os, { parent_pid: child });
  const orphan = await create(os, { parent_pid: parent, on_parent_end: 'orphan' });
  await os.call('kernel.agent.terminate', { pid: parent, exit_kind: 'completed' });
  for (const [pid, above] of [
    [child, parent],
    [grandchild, child],
  ] as const) {
    expect(await os.call('kernel.agent.get', { pid })).toMatchObject({
      state: 'DEAD',
      state_reason: 'parent_ended',
      exit_kind: 'cancelled',
      exit_detail: { parent_pid: above },
    });
  }
  expect(await os.call('kernel.agent.get', { pid: orphan })).toMatchObject({ state: 'READY', parent_pid: parent });
  const late = { name: 'late', template: 'coder', parent_pid: parent };
  expect(await os.refused('kernel.agent.create', late)).toMatchObject({ code: -32103, data: { prev_state: 'DEAD' } });
});

proves('process:events', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  const { event_id: running } = await os.call('kernel.agent.transition', { pid, target_state: 'RUNNING', reason: 'go' });
  const { event_id: ended } = await os.call('kernel.agent.terminate', { pid, exit_kind: 'completed', exit_detail: { code: 0 } });
  const { events } = await os.call('kernel.events.tail', { pid });
  expect(events.map(({ event_id, kind, payload }) => [event_id, kind, payload])).toEqual([
    [1, 'kernel.process.created', CREATED],
    [running, 'kernel.process.transitioned', { prev_state: 'READY', new_state: 'RUNNING', reason: 'go' }],
    [
      ended,
      'kernel.process.terminated',
      { prev_state: 'RUNNING', new_state: 'DEAD', reason: null, exit_kind: 'completed', exit_detail: { code: 0 } },
    ],
  ]);
  expect([running, ended]).toEqual([2, 3]);
});

/** A process in each state; their pids are 1 to 5. */
async function createAll(os: Client): Promise<void> {
  for (const state of PROCESS_STATES) await createIn(os, state);
}

async function statesOf(os: Client): Promise<Readonly<Record<string, string>>> {
  const { agents } = await os.call('kernel.agent.list');
  return Object.fromEntries(agents.map(({ pid, state }) => [PROCESS_STATES[pid - 1] ?? pid, state]));
}

async function recoveriesIn(os: Client): Promise<readonly unknown[]> {
  const { events } = await os.call('kernel.events.tail', { kind: 'kernel.process.recovered' });
  return events.map(({ pid, payload }) => [PROCESS_STATES[(pid ?? 0) - 1], payload]);
}

proves('process:recovery', 'suspends what ran and what waited, once', async () => {
  await using own = await Daemon.start({ recovery: 'suspend' });
  await createAll(own.client);
  const payload = (prev_state: string) => ({ prev_state, new_state: 'SUSPENDED', policy: 'suspend', reason: 'daemon_restart' });
  for (let restarts = 0; restarts < 2; restarts++) {
    await own.restart();
    expect(await statesOf(own.client)).toEqual({
      READY: 'READY',
      RUNNING: 'SUSPENDED',
      WAITING: 'SUSPENDED',
      SUSPENDED: 'SUSPENDED',
      DEAD: 'DEAD',
    });
    expect(await recoveriesIn(own.client)).toEqual([
      ['RUNNING', payload('RUNNING')],
      ['WAITING', payload('WAITING')],
    ]);
    expect(await own.client.call('kernel.agent.get', { pid: 2 })).toMatchObject({ state_reason: 'daemon_restart', exit_kind: null });
  }
});

proves('process:recovery', 'ends what ran and what waited as crashed if that is asked for', async () => {
  await using own = await Daemon.start({ recovery: 'mark-dead' });
  await createAll(own.client);
  await own.restart();
  expect(await statesOf(own.client)).toEqual({ READY: 'READY', RUNNING: 'DEAD', WAITING: 'DEAD', SUSPENDED: 'SUSPENDED', DEAD: 'DEAD' });
  expect(await own.client.call('kernel.agent.get', { pid: 2 })).toMatchObject({
    exit_kind: 'crashed',
    state_reason: 'daemon_restart',
    ended_at: START,
  });
  expect(await recoveriesIn(own.client)).toHaveLength(2);
});

proves('process:recovery', 'leaves what waits and suspends what ran, unless told otherwise', async () => {
  await using own = await Daemon.start();
  await createAll(own.client);
  await own.restart();
  expect(await statesOf(own.client)).toEqual({
    READY: 'READY',
    RUNNING: 'SUSPENDED',
    WAITING: 'WAITING',
    SUSPENDED: 'SUSPENDED',
    DEAD: 'DEAD',
  });
});

proves('store:fresh', async () => {
  await using own = await Daemon.start();
  const nothing = {
    schema_version: 5,
    next_pid: 1,
    next_event_id: 1,
    agent_count: 0,
    event_count: 0,
    live_states: { READY: 0, RUNNING: 0, WAITING: 0, SUSPENDED: 0 },
  };
  expect(await own.client.call('kernel.info')).toEqual(nothing);
  const other = await own.workspace();
  await createAll(other);
  expect(await own.client.call('kernel.info')).toEqual(nothing);
  expect(await other.call('kernel.info')).toEqual({
    schema_version: 5,
    next_pid: 6,
    next_event_id: 12,
    agent_count: 5,
    event_count: 11,
    live_states: { READY: 1, RUNNING: 1, WAITING: 1, SUSPENDED: 1 },
  });
});
