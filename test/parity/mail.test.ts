import { expect } from 'vitest';
import type { Client, Refusal } from './client.ts';
import { shareDaemon } from './daemon.ts';
import { proves } from './proves.ts';

const daemon = shareDaemon();

type Params = Readonly<Record<string, unknown>>;

/** A process with a mailbox. */
async function createBox(os: Client, box: Params = {}): Promise<number> {
  const { pid } = await os.call('kernel.agent.create', { name: 'a', template: 't' });
  await os.call('kernel.mbox.create', { pid, ...box });
  return pid;
}

async function send(os: Client, recipient_pid: number, more: Params = {}): Promise<number> {
  return (await os.call('kernel.mbox.send', { recipient_pid, kind: 'note', ...more })).msg_id;
}

async function receive(os: Client, pid: number, more: Params = {}): Promise<readonly number[]> {
  return (await os.call('kernel.mbox.recv', { pid, ...more })).messages.map(({ msg_id }) => msg_id);
}

async function peek(os: Client, pid: number, more: Params = {}): Promise<readonly number[]> {
  return (await os.call('kernel.mbox.peek', { pid, ...more })).messages.map(({ msg_id }) => msg_id);
}

proves('mail:full', async () => {
  const os = await daemon.workspace();
  const pid = await createBox(os, { queue_size: '2' });
  const sent = [await send(os, pid), await send(os, pid)];
  const full: Refusal = { code: -32143, data: { pid, queue_size: 2, fault: 'mailbox_full' } };
  expect(await os.refused('kernel.mbox.send', { recipient_pid: pid, kind: 'note' })).toEqual(full);
  expect(await receive(os, pid)).toEqual(sent);
  expect(await receive(os, pid, { since_msg_id: await send(os, pid) })).toEqual([]);
});

proves('mail:full', 'who reads and never acknowledges can go on for ever, and the box does not grow', async () => {
  const os = await daemon.workspace();
  const pid = await createBox(os, { queue_size: 2 });
  let cursor = 0;
  for (let round = 0; round < 30; round++) {
    const sent = [await send(os, pid), await send(os, pid)];
    expect(await receive(os, pid, { since_msg_id: cursor })).toEqual(sent);
    cursor = sent[1] ?? cursor;
  }
  const kept = await receive(os, pid);
  expect([kept.length <= 8, kept.at(-1)]).toEqual([true, cursor]);
});

proves('mail:full', 'a mailbox is made once, for a process that lives, and of a size that makes sense', async () => {
  const os = await daemon.workspace();
  const pid = await createBox(os);
  const refused = (params: Params) => os.refused('kernel.mbox.create', params);
  expect(await refused({ pid })).toEqual({ code: -32142, data: { pid, fault: 'mailbox_exists' } });
  expect(await refused({ pid: 99 })).toEqual({ code: -32102, data: { pid: 99, fault: 'unknown_pid' } });
  const { pid: other } = await os.call('kernel.agent.create', { name: 'b', template: 't' });
  const invalid = (field: string): Refusal => ({ code: -32144, data: { field, fault: 'mail_invalid' } });
  expect(await refused({ pid: other, queue_size: 0 })).toEqual(invalid('queue_size'));
  expect(await refused({ pid: other, queue_size: 1e9 })).toEqual(invalid('queue_size'));
  expect(await refused({ pid: other, retention_s: -1 })).toEqual(invalid('retention_s'));
  expect(await refused({ pid: other, queue_size: 'big' })).toEqual({
    code: -32602,
    data: { field: 'queue_size', fault: 'invalid_argument' },
  });
  expect((await os.call('kernel.observe.proc', { pid })).mailbox).toEqual({
    exists: true,
    queue_size: 1_024,
    pending: 0,
    subscriptions: [],
  });
});

proves('mail:full', 'what is expired takes no room', async () => {
  const os = await daemon.workspace();
  const pid = await createBox(os, { queue_size: 1 });
  await send(os, pid, { expires_at: daemon.now + 1 });
  await daemon.pass(2);
  expect(await peek(os, pid)).toEqual([]);
  const fresh = await send(os, pid);
  expect(await receive(os, pid)).toEqual([fresh]);
});

proves('mail:publish', async () => {
  const os = await daemon.workspace();
  const [one, two, three] = [await createBox(os), await createBox(os, { queue_size: 1 }), await createBox(os)];
  for (const pid of [one, two]) await os.call('kernel.mbox.subscribe', { pid, topic: 'news.local' });
  const publish = (more: Params = {}) => os.call('kernel.mbox.publish', { topic: 'news.local', kind: 'item', payload: { n: 1 }, ...more });
  expect(await publish({ sender_pid: three })).toEqual({ delivered: 2, rejected: 0, msg_ids: [1, 2] });
  expect(await peek(os, three)).toEqual([]);
  expect((await os.call('kernel.mbox.peek', { pid: one })).messages).toEqual([
    {
      msg_id: 1,
      sender_pid: three,
      recipient_pid: one,
      topic: 'news.local',
      kind: 'item',
      payload: { n: 1 },
      priority: 0,
      posted_at: daemon.now,
      delivered_at: null,
      deliveries: 0,
      expires_at: null,
      correlation_id: null,
    },
  ]);
  expect(await publish()).toEqual({ delivered: 1, rejected: 1, msg_ids: [3] });
  const full = await os.refused('kernel.mbox.publish', { topic: 'news.local', kind: 'item', fail_on_full: true });
  expect(full).toEqual({ code: -32143, data: { pid: two, queue_size: 1, fault: 'mailbox_full' } });
  expect([await peek(os, one), await peek(os, two)]).toEqual([[1, 3], [2]]);
  expect(await publish({ topic: 'news.else' })).toEqual({ delivered: 0, rejected: 0, msg_ids: [] });
  expect(await publish({ topic: 'news' })).toEqual({ delivered: 0, rejected: 0, msg_ids: [] });
  expect(await publish({ topic: 'NEWS.local' })).toEqual({ delivered: 0, rejected: 0, msg_ids: [] });
});

proves('mail:receive', async () => {
  const os = await daemon.workspace();
  const pid = await createBox(os);
  const sent = [await send(os, pid), await send(os, pid, { payload: { n: 2 } }), await send(os, pid)];
  expect(await peek(os, pid, { limit: 2 })).toEqual(sent.slice(0, 2));
  expect((await os.call('kernel.mbox.peek', { pid })).messages.map(({ delivered_at }) => delivered_at)).toEqual([null, null, null]);
  const { messages, next_cursor } = await os.call('kernel.mbox.recv', { pid, limit: 2 });
  expect(messages.map(({ msg_id, delivered_at }) => [msg_id, delivered_at])).toEqual(sent.slice(0, 2).map((id) => [id, daemon.now]));
  expect(next_cursor).toBe(sent[1]);
  expect(await os.call('kernel.mbox.recv', { pid, since_msg_id: `${next_cursor}`, mark_delivered: false })).toMatchObject({
    messages: [{ msg_id: sent[2], delivered_at: null, sender_pid: null, topic: null, payload: {} }],
    next_cursor: sent[2],
  });
  expect(await os.call('kernel.mbox.recv', { pid, since_msg_id: sent[2] })).toEqual({ messages: [], next_cursor: sent[2] });
  for (const method of ['kernel.mbox.recv', 'kernel.mbox.peek']) {
    expect(await os.refused(method, { pid: 99 })).toEqual({ code: -32141, data: { pid: 99, fault: 'mailbox_not_found' } });
  }
});

proves('mail:receive', 'what expired is never seen, and swept', async () => {
  const os = await daemon.workspace();
  const pid = await createBox(os);
  const [mortal, lasting] = [
    await send(os, pid, { expires_at: daemon.now + 5 }),
    await send(os, pid, { expires_at: `${daemon.now + 500}` }),
  ];
  expect(await peek(os, pid)).toEqual([mortal, lasting]);
  await daemon.pass(5);
  expect([await peek(os, pid), await receive(os, pid)]).toEqual([[lasting], [lasting]]);
  expect(await os.call('kernel.mbox.gc_expired', { now: daemon.now + 1 })).toEqual({ purged: 1 });
  expect(await os.call('kernel.mbox.gc_expired', {})).toEqual({ purged: 0 });
  expect(await os.refused('kernel.mbox.send', { recipient_pid: pid, kind: 'note', expires_at: 0 })).toEqual({
    code: -32144,
    data: { field: 'expires_at', fault: 'mail_invalid' },
  });
});

proves('mail:receive', 'what was delivered is swept when its box keeps it no longer', async () => {
  const os = await daemon.workspace();
  const [forgetful, keeping] = [await createBox(os, { retention_s: 0 }), await createBox(os, { retention_s: 10.5 })];
  for (const pid of [forgetful, keeping]) await send(os, pid);
  expect(await os.call('kernel.mbox.gc_expired', { now: daemon.now + 1 })).toEqual({ purged: 0 });
  for (const pid of [forgetful, keeping]) await receive(os, pid);
  expect(await os.call('kernel.mbox.gc_expired', { now: daemon.now + 1 })).toEqual({ purged: 1 });
  expect(await os.call('kernel.mbox.gc_expired', { now: daemon.now + 10.4 })).toEqual({ purged: 0 });
  expect(await os.call('kernel.mbox.gc_expired', { now: daemon.now + 11 })).toEqual({ purged: 1 });
});

proves('mail:box', async () => {
  const os = await daemon.workspace();
  const pid = await createBox(os);
  expect(await os.call('kernel.mbox.subscribe', { pid, topic: 'b' })).toEqual({ pid, topic: 'b' });
  expect(await os.call('kernel.mbox.subscribe', { pid, topic: 'b' })).toEqual({ pid, topic: 'b' });
  await os.call('kernel.mbox.subscribe', { pid, topic: 'a' });
  expect(await os.call('kernel.mbox.list_subscriptions', { pid })).toEqual({ topics: ['a', 'b'] });
  expect(await os.call('kernel.mbox.publish', { topic: 'b', kind: 'k' })).toMatchObject({ delivered: 1 });
  expect(await os.call('kernel.mbox.unsubscribe', { pid, topic: 'b' })).toEqual({ pid, topic: 'b' });
  const missing: Refusal = { code: -32145, data: { pid, topic: 'b', fault: 'subscription_not_found' } };
  expect(await os.refused('kernel.mbox.unsubscribe', { pid, topic: 'b' })).toEqual(missing);
  await send(os, pid);
  expect(await os.call('kernel.mbox.delete', { pid })).toEqual({ pid, removed_messages: 2 });
  expect(await os.call('kernel.mbox.list_subscriptions', { pid })).toEqual({ topics: [] });
  expect(await os.call('kernel.mbox.list_subscriptions', { pid: 99 })).toEqual({ topics: [] });
  const noBox: Refusal = { code: -32141, data: { pid, fault: 'mailbox_not_found' } };
  expect(await os.refused('kernel.mbox.delete', { pid })).toEqual(noBox);
  expect(await os.refused('kernel.mbox.send', { recipient_pid: pid, kind: 'note' })).toEqual(noBox);
  expect(await os.refused('kernel.mbox.subscribe', { pid, topic: 'a' })).toEqual(noBox);
  expect(await os.call('kernel.mbox.publish', { topic: 'a', kind: 'k' })).toEqual({ delivered: 0, rejected: 0, msg_ids: [] });
  await os.call('kernel.mbox.create', { pid });
  expect(await peek(os, pid)).toEqual([]);
});

proves('mail:box', 'a mailbox goes with its process', async () => {
  const os = await daemon.workspace();
  const pid = await createBox(os);
  await send(os, pid);
  await os.call('kernel.agent.terminate', { pid, exit_kind: 'completed' });
  const noBox: Refusal = { code: -32141, data: { pid, fault: 'mailbox_not_found' } };
  expect(await os.refused('kernel.mbox.send', { recipient_pid: pid, kind: 'note' })).toEqual(noBox);
  expect(await os.refused('kernel.mbox.recv', { pid })).toEqual(noBox);
  expect(await os.refused('kernel.mbox.create', { pid })).toEqual({ code: -32144, data: { field: 'pid', fault: 'mail_invalid' } });
});

proves('mail:box', 'messages that are sent at once have ids of their own, in one order for all', async () => {
  const os = await daemon.workspace();
  const pid = await createBox(os);
  const ids = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const own: number[] = [];
      for (let index = 0; index < 25; index++) own.push(await send(os, pid));
      return own;
    }),
  );
  expect(new Set(ids.flat()).size).toBe(100);
  expect(await receive(os, pid)).toEqual(ids.flat().toSorted((one, other) => one - other));
});

proves('mail:box', 'what is no message is refused', async () => {
  const os = await daemon.workspace();
  const pid = await createBox(os);
  const refused = (params: Params) => os.refused('kernel.mbox.send', { recipient_pid: pid, kind: 'note', ...params });
  expect(await refused({ kind: '' })).toEqual({ code: -32144, data: { field: 'kind', fault: 'mail_invalid' } });
  for (const payload of [[], 'x', 1])
    expect(await refused({ payload })).toEqual({ code: -32602, data: { field: 'payload', fault: 'invalid_argument' } });
  expect(await refused({ sender_pid: 99 })).toEqual({ code: -32102, data: { pid: 99, fault: 'unknown_pid' } });
  const noTopic = await os.refused('kernel.mbox.publish', { topic: '', kind: 'note' });
  expect(noTopic).toEqual({ code: -32144, data: { field: 'topic', fault: 'mail_invalid' } });
});

proves('mail:acknowledge', 'reading again brings what is not acknowledged and nothing that is', async () => {
  const os = await daemon.workspace();
  const pid = await createBox(os);
  const [done = 0, open = 0] = [await send(os, pid), await send(os, pid)];
  expect(await receive(os, pid)).toEqual([done, open]);
  expect(await receive(os, pid)).toEqual([done, open]);
  expect(await os.call('mail.ack', { pid, msg_ids: [done, 99] })).toEqual({ acknowledged: 1 });
  expect(await receive(os, pid)).toEqual([open]);
  expect(await os.call('mail.ack', { pid, msg_ids: [done] })).toEqual({ acknowledged: 0 });
});

proves('mail:acknowledge', 'mail that was taken and not dealt with is handed out again', async () => {
  const os = await daemon.workspace();
  const pid = await createBox(os);
  const msg_id = await send(os, pid);
  const take = async () =>
    (await os.call('mail.receive', { pid, visibility_ms: 10_000 })).messages.map((message) => [message.msg_id, message.deliveries]);
  expect(await take()).toEqual([[msg_id, 1]]);
  expect(await take()).toEqual([]);
  await daemon.pass(10);
  expect(await take()).toEqual([[msg_id, 2]]);
  await os.call('mail.ack', { pid, msg_ids: [msg_id] });
  await daemon.pass(10);
  expect(await take()).toEqual([]);
});

proves('mail:acknowledge', 'a payload has a largest size, and nothing of a larger one is kept', async () => {
  const os = await daemon.workspace();
  const pid = await createBox(os);
  const tooLarge: Refusal = { code: -32009, data: { field: 'payload', fault: 'too_large' } };
  expect(await os.refused('kernel.mbox.send', { recipient_pid: pid, kind: 'note', payload: { text: 'x'.repeat(1_048_576) } })).toEqual(
    tooLarge,
  );
  expect(await peek(os, pid)).toEqual([]);
  await send(os, pid, { payload: { text: 'x'.repeat(1_000_000) } });
});

const INBOUND = 'bridge.telegram.inbound';
const OUTBOUND = 'bridge.telegram.outbound';

function bridged(text: string, direction: string): Params {
  return { kind: 'bridge.message', payload: { kind: 'telegram', sender: 'ann', text, direction, metadata: {}, ts: 1.5 } };
}

proves('bridge:mirror', 'each subscriber of a chat gets a copy, and of other chats none', async () => {
  const os = await daemon.workspace();
  const pids = [await createBox(os), await createBox(os), await createBox(os)];
  for (const pid of pids) await os.call('kernel.mbox.subscribe', { pid, topic: INBOUND });
  expect(await os.call('kernel.mbox.publish', { topic: INBOUND, ...bridged('hello', 'inbound') })).toMatchObject({
    delivered: 3,
    rejected: 0,
  });
  await os.call('kernel.mbox.publish', { topic: 'bridge.slack.inbound', ...bridged('not here', 'inbound') });
  for (const pid of pids) {
    const { messages } = await os.call('kernel.mbox.recv', { pid });
    expect(messages).toMatchObject([{ topic: INBOUND, kind: 'bridge.message', payload: { text: 'hello', sender: 'ann' } }]);
  }
});

proves('bridge:mirror', 'a topic that is no topic is refused, and one pattern hears every chat', async () => {
  const os = await daemon.workspace();
  const pid = await createBox(os);
  for (const topic of ['', 'bridge.\n.inbound', 'x'.repeat(257)]) {
    expect((await os.refused('kernel.mbox.publish', { topic, ...bridged('x', 'inbound') })).code).toBe(-32144);
  }
  await os.call('kernel.mbox.subscribe', { pid, topic: 'bridge.*.inbound' });
  for (const chat of ['telegram', 'slack', 'discord'])
    await os.call('kernel.mbox.publish', { topic: `bridge.${chat}.inbound`, ...bridged(chat, 'inbound') });
  const { messages } = await os.call('kernel.mbox.recv', { pid });
  expect(messages.map(({ topic }) => topic)).toEqual(['bridge.telegram.inbound', 'bridge.slack.inbound', 'bridge.discord.inbound']);
});

proves('bridge:mirror', 'what cannot be delivered comes again and holds up nothing, and what is not for delivery is skipped', async () => {
  const os = await daemon.workspace();
  const pid = await createBox(os);
  for (const topic of [INBOUND, OUTBOUND]) await os.call('kernel.mbox.subscribe', { pid, topic });
  await send(os, pid, { kind: 'chat', payload: { text: 'foreign' } });
  await os.call('kernel.mbox.publish', { topic: INBOUND, ...bridged('from outside', 'inbound') });
  for (const text of ['one', 'broken', 'two']) await os.call('kernel.mbox.publish', { topic: OUTBOUND, ...bridged(text, 'outbound') });

  const delivered: unknown[] = [];
  const deliver = (text: unknown): void => {
    if (text === 'broken' && !delivered.includes('two')) throw new Error('The chat does not answer');
    delivered.push(text);
  };
  const drain = async (): Promise<void> => {
    const { messages } = await os.call('mail.receive', { pid, visibility_ms: 1_000 });
    for (const { msg_id, kind, payload } of messages) {
      try {
        if (kind === 'bridge.message' && payload['direction'] === 'outbound') deliver(payload['text']);
      } catch {
        continue; // It is not acknowledged, so it comes again.
      }
      await os.call('mail.ack', { pid, msg_ids: [msg_id] });
    }
  };
  await drain();
  expect(delivered).toEqual(['one', 'two']);
  await daemon.pass(1);
  await drain();
  expect(delivered).toEqual(['one', 'two', 'broken']);
  expect(await peek(os, pid)).toEqual([]);
});
