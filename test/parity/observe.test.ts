import { expect } from 'vitest';
import type { Client } from './client.ts';
import { Daemon, START, shareDaemon, VERSION } from './daemon.ts';
import { proves } from './proves.ts';

const daemon = shareDaemon();

async function create(os: Client): Promise<number> {
  return (await os.call('kernel.agent.create', { name: 'a', template: 't' })).pid;
}

/** Something of every kind, around two processes. */
async function fill(os: Client): Promise<void> {
  const [one, other] = [await create(os), await create(os)];
  await os.call('kernel.agent.transition', { pid: one, target_state: 'RUNNING' });
  await os.call('kernel.cap.create', { pid: one, tool_grants: ['Read'] });
  await os.call('kernel.ledger.create', { pid: one, grants: { tokens: 5 }, on_breach: 'deny' });
  await os.call('kernel.ledger.charge', { pid: one, dim: 'tokens', amount: 6 });
  await os.call('kernel.mbox.create', { pid: one, queue_size: 9 });
  for (const topic of ['b', 'a']) await os.call('kernel.mbox.subscribe', { pid: one, topic });
  await os.call('kernel.mbox.send', { recipient_pid: one, kind: 'note' });
  for (const pid of [one, one, other]) await os.call('kernel.sched.enqueue', { pid });
  await os.call('kernel.sched.cancel', { sched_id: 2 });
  await os.call('kernel.fs.write', { pid: one, path: '/a', content: 'eHl6' });
  for (const name of ['n', 'm']) await os.call('kernel.registry.register', { name, pid: one });
}

const NO_QUEUE = { queued: 0, dispatched: 0, completed: 0, expired: 0, cancelled: 0, dead: 0 };

proves('observe:views', 'a view of a process is whole, also of one there never was', async () => {
  const os = await daemon.workspace();
  expect(await os.call('kernel.observe.proc', { pid: 99 })).toEqual({
    process: null,
    capability: null,
    ledger: [],
    mailbox: { exists: false, queue_size: 0, pending: 0, subscriptions: [] },
    scheduler: NO_QUEUE,
    fs: { object_count: 0, total_bytes: 0 },
    registry: { names: [] },
    recent_events: [],
  });
  await fill(os);
  const view = await os.call('kernel.observe.proc', { pid: 1 });
  expect({ ...view, recent_events: [] }).toEqual({
    process: await os.call('kernel.agent.get', { pid: 1 }),
    capability: await os.call('kernel.cap.get', { pid: 1 }),
    ledger: (await os.call('kernel.ledger.get', { pid: 1 })).entries,
    mailbox: { exists: true, queue_size: 9, pending: 1, subscriptions: ['a', 'b'] },
    scheduler: { ...NO_QUEUE, queued: 1, cancelled: 1 },
    fs: { object_count: 1, total_bytes: 3 },
    registry: { names: ['m', 'n'] },
    recent_events: [],
  });
  const events = (await os.call('kernel.events.tail', { pid: 1 })).events;
  expect(view.recent_events).toEqual(events.slice(-20));
});

proves('observe:views', 'of many events the newest twenty are shown, oldest first', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  await os.batch(Array.from({ length: 30 }, (_, index) => ['kernel.events.append', { pid, kind: 'tick', payload: { index } }] as const));
  const { recent_events } = await os.call('kernel.observe.proc', { pid });
  expect(recent_events.map(({ payload }) => payload['index'])).toEqual(Array.from({ length: 20 }, (_, index) => index + 10));
});

proves('observe:views', 'the summary and the metrics count what there is', async () => {
  await using own = await Daemon.start();
  await fill(own.client);
  await own.pass(12.5);
  const { next_event_id } = await own.client.call('kernel.info');
  const summary = await own.client.call('kernel.observe.summary');
  expect(summary).toEqual({
    kernel_version: VERSION,
    schema_version: 5,
    started_at: START,
    uptime_s: 12.5,
    agents: { READY: 1, RUNNING: 1, WAITING: 0, SUSPENDED: 0, DEAD: 0, total: 2 },
    events: { total: next_event_id - 1, max_event_id: next_event_id - 1 },
    scheduler: { ...NO_QUEUE, queued: 2, cancelled: 1 },
    mailbox: { mailboxes: 1, pending_messages: 1 },
    ledger: { agents_with_budgets: 1, breached: 1 },
    fs: { objects: 1, total_bytes: 3 },
    registry: { entries: 2 },
  });

  const { text } = await own.client.call('kernel.observe.prometheus');
  expect(text.endsWith('\n')).toBe(true);
  const comment = /^# (?:HELP [a-z_]+ \S.*|TYPE [a-z_]+ (?:counter|gauge|histogram))$/;
  const sample = /^[a-z_]+(?:\{[a-z_]+="(?:[^"\\]|\\.)*"(?:,[a-z_]+="(?:[^"\\]|\\.)*")*\})? -?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|\+Inf)$/;
  for (const line of text.trimEnd().split('\n')) expect(line).toMatch(line.startsWith('#') ? comment : sample);
  const values = Object.fromEntries(
    text.split('\n').map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]),
  );
  for (const [name, value] of Object.entries({
    schema_version: 5,
    uptime_seconds: 12.5,
    'agents{state="READY"}': 1,
    'agents{state="RUNNING"}': 1,
    'agents{state="DEAD"}': 0,
    events_total: next_event_id - 1,
    'scheduler_queue{state="queued"}': 2,
    'scheduler_queue{state="cancelled"}': 1,
    ledger_breached: 1,
    mailbox_pending: 1,
    fs_objects: 1,
    fs_bytes: 3,
    registry_entries: 2,
  })) {
    expect([name, values[`cheetahclaws_kernel_${name}`]]).toEqual([name, `${value}`]);
  }
  const types = [...text.matchAll(/^# TYPE cheetahclaws_kernel_(\w+) (\w+)$/gm)].map(([, name, type]) => `${name} ${type}`);
  expect(types).toEqual([
    'schema_version gauge',
    'uptime_seconds counter',
    'agents gauge',
    'events_total counter',
    'scheduler_queue gauge',
    'ledger_breached gauge',
    'mailbox_pending gauge',
    'fs_objects gauge',
    'fs_bytes gauge',
    'registry_entries gauge',
  ]);
});

proves('observe:views', 'a trace goes from an event to what led to it, as far as it is asked to', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  const ids: number[] = [];
  for (let index = 0; index < 6; index++) {
    ids.push((await os.call('kernel.events.append', { pid, kind: 'step', payload: {}, causation_id: ids.at(-1) })).event_id);
  }
  const trace = async (event_id: number, depth?: unknown) => {
    const answer = await os.call('kernel.observe.trace', { event_id, depth });
    return [answer.events.map((event) => event.event_id), answer.depth, answer.truncated];
  };
  expect(await trace(ids[2] ?? 0)).toEqual([[ids[2], ids[1], ids[0]], 10, false]);
  expect(await trace(ids[5] ?? 0, 2)).toEqual([[ids[5], ids[4]], 2, true]);
  expect(await trace(ids[5] ?? 0, '6')).toEqual([ids.toReversed(), 6, false]);
  expect(await trace(ids[5] ?? 0, 0)).toEqual([ids.toReversed(), 10, false]);
  expect(await trace(ids[5] ?? 0, 1e6)).toEqual([ids.toReversed(), 100, false]);
  expect(await trace(9_999)).toEqual([[], 10, true]);
  const { event_id } = await os.call('kernel.events.append', { pid, kind: 'step', payload: {}, causation_id: 9_999 });
  expect(await trace(event_id)).toEqual([[event_id], 10, true]);
});

proves('observe:views', 'the kernel itself says what led to what', async () => {
  const os = await daemon.workspace();
  const pid = await create(os);
  await os.call('kernel.agent.create', { name: 'child', template: 't', parent_pid: pid });
  const { event_id } = await os.call('kernel.agent.terminate', { pid, exit_kind: 'completed' });
  const { last_event_id } = await os.call('kernel.agent.get', { pid: 2 });
  const { events } = await os.call('kernel.observe.trace', { event_id: last_event_id });
  expect(events.map((event) => [event.event_id, event.kind])).toEqual([
    [last_event_id, 'kernel.process.terminated'],
    [event_id, 'kernel.process.terminated'],
  ]);
});
