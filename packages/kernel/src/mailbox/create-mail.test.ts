import { describe, expect, it } from 'vitest';
import type { Letter } from './mail.ts';
import { openTestMail, type TestMail } from './test-support/open-test-mail.ts';

const HELLO: Letter = { kind: 'hello', payload: { text: 'hi' } };
const HOUR_MS = 3_600_000;

/** Sends so many, one after the other, from nobody. */
async function fill({ mail }: TestMail, pid: number, count: number, letter: Letter = HELLO): Promise<readonly number[]> {
  const ids: number[] = [];
  for (let index = 0; index < count; index++) ids.push(await mail.send(undefined, pid, letter));
  return ids;
}

async function receiveIds({ mail }: TestMail, pid: number, options: Parameters<typeof mail.receive>[1] = {}): Promise<readonly number[]> {
  return (await mail.receive(pid, options)).map(({ id }) => id);
}

async function replayIds({ mail }: TestMail, pid: number, options: Parameters<typeof mail.replay>[1] = {}): Promise<readonly number[]> {
  return (await mail.replay(pid, options)).messages.map(({ id }) => id);
}

describe('a box', () => {
  it('is made once, of a process that lives, with defaults', async () => {
    await using test = await openTestMail();
    const pid = await test.process();
    const box = await test.mail.createBox(pid);
    expect(box).toEqual({
      ...{ pid, capacity: 1_024, senderCapacity: 256, retentionMs: HOUR_MS, deliveriesMax: 16, senders: 'anyone' },
      ...{ pending: 0, delivered: 0, bytes: 0, createdAt: test.test.clock.now() },
    });
    expect(await test.mail.findBox(pid)).toEqual(box);
    await expect(test.mail.createBox(pid)).rejects.toMatchObject({ code: 'mailbox_exists', details: { pid } });
    await expect(test.mail.createBox(99)).rejects.toMatchObject({ code: 'unknown_pid', details: { pid: 99 } });
    expect((await test.mail.createBox(await test.process(), { capacity: 2 })).senderCapacity).toBe(2);
  });

  it('is not made of the dead, and goes with its process', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    await test.mail.subscribe(pid, 'news');
    await fill(test, pid, 2);
    const { eventId } = await test.test.mine.processes.end(pid, 'completed');
    expect([await test.mail.findBox(pid), await test.mail.listSubscriptions(pid)]).toEqual([undefined, []]);
    const [deleted] = await test.test.mine.events.newest({ kind: 'kernel.mail.box_deleted' });
    expect(deleted).toMatchObject({ pid, payload: { removed_messages: 2 }, causationId: eventId });
    await expect(test.mail.send(undefined, pid, HELLO)).rejects.toMatchObject({ code: 'mailbox_not_found', details: { pid } });
    expect(await test.mail.publish(undefined, 'news', HELLO)).toEqual({ delivered: 0, rejected: 0, messageIds: [] });
    await expect(test.mail.createBox(pid)).rejects.toMatchObject({ code: 'mail_invalid', details: { field: 'pid' } });
  });

  it('is deleted with its subscriptions, and says how many messages went', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    await test.mail.subscribe(pid, 'news');
    await fill(test, pid, 3);
    await test.mail.receive(pid, { limit: 1 });
    expect(await test.mail.deleteBox(pid)).toBe(3);
    expect(await test.mail.listSubscriptions(pid)).toEqual([]);
    await expect(test.mail.deleteBox(pid)).rejects.toMatchObject({ code: 'mailbox_not_found' });
    await test.mail.createBox(pid);
    expect([await replayIds(test, pid), await test.mail.send(undefined, pid, HELLO)]).toEqual([[], 4]);
  });

  it.each([
    ['queue_size', { capacity: 0 }],
    ['queue_size', { capacity: 1.5 }],
    ['queue_size', { capacity: '5' as unknown as number }],
    ['queue_size', { capacity: true as unknown as number }],
    ['retention_s', { retentionMs: -1 }],
    ['retention_s', { retentionMs: Number.NaN }],
    ['sender_capacity', { senderCapacity: 0 }],
    ['deliveries_max', { deliveriesMax: 0 }],
    ['senders', { senders: 'nobody' as unknown as 'anyone' }],
    ['senders', { senders: ['1'] as unknown as number[] }],
    ['senders', { senders: Array.from({ length: 257 }, (_, index) => index) }],
  ])('cannot have %s of %j', async (field, options) => {
    await using test = await openTestMail();
    const pid = await test.process();
    await expect(test.mail.createBox(pid, options)).rejects.toMatchObject({ code: 'mail_invalid', details: { field } });
  });
});

describe('sending', () => {
  it('fills a box up to its capacity, and has room again once something was received', async () => {
    await using test = await openTestMail();
    const pid = await test.box({ capacity: 2 });
    await fill(test, pid, 2);
    const full = { code: 'mailbox_full', details: { pid, queue_size: 2 } };
    await expect(test.mail.send(undefined, pid, HELLO)).rejects.toMatchObject(full);
    expect(await replayIds(test, pid, { limit: 1, marksDelivered: true })).toEqual([1]);
    expect(await test.mail.send(undefined, pid, HELLO)).toBe(3);
    await expect(test.mail.send(undefined, pid, HELLO)).rejects.toMatchObject(full);
    expect(await receiveIds(test, pid, { limit: 2 })).toEqual([1, 2]);
    expect(await test.mail.send(undefined, pid, HELLO)).toBe(4);
  });

  it('delivers what was sent', async () => {
    await using test = await openTestMail();
    const [from, to] = [await test.process(), await test.box()];
    const letter = { kind: 'k', payload: { a: [1, null, 'ü'] }, priority: 3, expiresAt: test.test.clock.now() + 5, correlationId: 'c' };
    const id = await test.mail.send(from, to, letter);
    const now = test.test.clock.now();
    expect(await test.mail.receive(to)).toEqual([
      { ...letter, id, sender: from, recipient: to, topic: undefined, postedAt: now, deliveredAt: now, deliveries: 1 },
    ]);
  });

  it('says who sent what to whom, and nothing of what is in it', async () => {
    await using test = await openTestMail();
    const [from, to] = [await test.process(), await test.box()];
    const id = await test.mail.send(from, to, HELLO);
    await test.mail.acknowledge(
      to,
      (await test.mail.receive(to)).map((message) => message.id),
    );
    const events = await test.events();
    expect(events.slice(1)).toEqual([
      { kind: 'kernel.mail.sent', pid: to, payload: { message_id: id, sender: from, recipient: to, kind: 'hello', topic: null } },
      { kind: 'kernel.mail.received', pid: to, payload: { count: 1, message_ids: [id], hidden_until: test.test.clock.now() + 30_000 } },
      { kind: 'kernel.mail.acknowledged', pid: to, payload: { count: 1, message_ids: [id] } },
    ]);
    expect(JSON.stringify(events)).not.toContain('hi"');
  });

  it('gives each of many at the same time its own id', async () => {
    await using test = await openTestMail({ isRehearsing: false });
    const boxes = await Promise.all([test.box(), test.box(), test.box(), test.box()]);
    const ids = await Promise.all(boxes.flatMap((pid) => Array.from({ length: 25 }, () => test.mail.send(undefined, pid, HELLO))));
    expect(new Set(ids).size).toBe(100);
    for (const pid of boxes) expect(await receiveIds(test, pid)).toHaveLength(25);
  });

  it('refuses a sender that is no process and a recipient without a box', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    await expect(test.mail.send(99, pid, HELLO)).rejects.toMatchObject({ code: 'unknown_pid', details: { pid: 99 } });
    await expect(test.mail.send(undefined, 99, HELLO)).rejects.toMatchObject({ code: 'mailbox_not_found', details: { pid: 99 } });
    await expect(test.mail.send(-1, pid, HELLO)).rejects.toMatchObject({ code: 'unknown_pid' });
  });

  it.each([
    ['kind', { kind: '' }],
    ['kind', { kind: 'a\nb' }],
    ['kind', { kind: 'x'.repeat(257) }],
    ['kind', { kind: 5 as unknown as string }],
    ['payload', { kind: 'k', payload: [1] as unknown as { [key: string]: null } }],
    ['payload', { kind: 'k', payload: 'text' as unknown as { [key: string]: null } }],
    ['priority', { kind: 'k', priority: 0.5 }],
    ['priority', { kind: 'k', priority: 2 ** 31 }],
    ['expires_at', { kind: 'k', expiresAt: 0 }],
    ['expires_at', { kind: 'k', expiresAt: Number.POSITIVE_INFINITY }],
    ['dedupe_key', { kind: 'k', dedupeKey: '' }],
    ['correlation_id', { kind: 'k', correlationId: '\ud800' }],
  ] as const)('refuses a bad %s: %j', async (field, letter) => {
    await using test = await openTestMail();
    const pid = await test.box();
    await expect(test.mail.send(undefined, pid, letter)).rejects.toMatchObject({ code: 'mail_invalid', details: { field } });
    await expect(test.mail.publish(undefined, 'a', letter)).rejects.toMatchObject({ code: 'mail_invalid', details: { field } });
  });

  it('takes a payload of a mebibyte and no more, and holds so many bytes of them in a box', async () => {
    await using test = await openTestMail({ isRehearsing: false });
    const pid = await test.box();
    const large = (bytes: number) => ({ kind: 'k', payload: { text: 'x'.repeat(bytes - 11) } });
    await expect(test.mail.send(undefined, pid, large(1_048_577))).rejects.toMatchObject({
      code: 'too_large',
      details: { field: 'payload' },
    });
    await fill(test, pid, 64, large(1_048_576));
    await expect(test.mail.send(undefined, pid, HELLO)).rejects.toMatchObject({
      code: 'mailbox_full',
      details: { pid, queue_size: 1_024, bytes: 67_108_864 },
    });
    await test.mail.acknowledge(pid, await receiveIds(test, pid, { limit: 1 }));
    await test.mail.send(undefined, pid, HELLO);
  });

  it('lets one sender have only so many waiting in a box, and the others still get in', async () => {
    await using test = await openTestMail();
    const [loud, quiet, to] = [await test.process(), await test.process(), await test.box({ capacity: 6, senderCapacity: 2 })];
    await test.mail.send(loud, to, HELLO);
    await test.mail.send(loud, to, HELLO);
    const refused = { code: 'mailbox_full', details: { pid: to, queue_size: 6, sender: loud, sender_capacity: 2 } };
    await expect(test.mail.send(loud, to, HELLO)).rejects.toMatchObject(refused);
    await test.mail.subscribe(to, 'news');
    expect(await test.mail.publish(loud, 'news', HELLO)).toMatchObject({ delivered: 0, rejected: 1 });
    expect(await test.mail.publish(quiet, 'news', HELLO)).toMatchObject({ delivered: 1, rejected: 0 });
    await test.mail.send(quiet, to, HELLO);
    await expect(test.mail.send(quiet, to, HELLO)).rejects.toMatchObject({ code: 'mailbox_full', details: { sender: quiet } });
    await fill(test, to, 2);
    await test.mail.receive(to, { limit: 1 });
    await test.mail.send(loud, to, HELLO);
    await expect(test.mail.send(loud, to, HELLO)).rejects.toMatchObject({ code: 'mailbox_full' });
  });

  it('is refused while four times the capacity is not acknowledged', async () => {
    await using test = await openTestMail();
    const pid = await test.box({ capacity: 1 });
    for (let index = 0; index < 4; index++) {
      await fill(test, pid, 1);
      await test.mail.receive(pid);
    }
    await expect(test.mail.send(undefined, pid, HELLO)).rejects.toMatchObject({
      code: 'mailbox_full',
      details: { pid, queue_size: 1, delivered: 4 },
    });
    await test.mail.acknowledge(pid, [2]);
    await test.mail.send(undefined, pid, HELLO);
  });

  it('makes room at the oldest when what is not acknowledged was only replayed', async () => {
    await using test = await openTestMail();
    const pid = await test.box({ capacity: 1 });
    for (let index = 0; index < 6; index++) {
      await fill(test, pid, 1);
      await test.mail.replay(pid, { marksDelivered: true });
    }
    expect(await test.mail.findBox(pid)).toMatchObject({ pending: 0, delivered: 2 });
    expect(await replayIds(test, pid)).toEqual([5, 6]);
  });

  it('may be limited to a family, or to some', async () => {
    await using test = await openTestMail();
    const root = await test.process();
    const [child, grandchild, stranger] = [await test.process(root), await test.process(await test.process(root)), await test.process()];
    await test.mail.createBox(child, { senders: 'family' });
    await test.mail.createBox(stranger, { senders: [root] });
    const sends = async (from: number | undefined, to: number) => {
      const sending = test.mail.send(from, to, HELLO);
      return await sending.then(() => 'sent', (error) => error.code); // biome-ignore format: one line
    };
    expect(await Promise.all([root, child, grandchild, stranger, undefined].map((from) => sends(from, child)))).toEqual([
      ...['sent', 'sent', 'sent', 'permission_denied', 'sent'],
    ]);
    expect(await Promise.all([root, child, stranger, undefined].map((from) => sends(from, stranger)))).toEqual([
      ...['sent', 'permission_denied', 'sent', 'sent'],
    ]);
    await expect(test.mail.send(child, stranger, HELLO)).rejects.toMatchObject({ details: { pid: stranger, sender: child } });
  });

  it('with a key that was used is the first letter again, for its sender and box and while it is kept', async () => {
    await using test = await openTestMail();
    const [one, other] = [await test.process(), await test.process()];
    const [here, there] = [await test.box(), await test.box()];
    const keyed = { ...HELLO, dedupeKey: 'order-5' };
    const first = await test.mail.send(one, here, keyed);
    expect(await test.mail.send(one, here, { ...keyed, payload: { another: true } })).toBe(first);
    expect(await test.mail.send(other, here, keyed)).not.toBe(first);
    expect(await test.mail.send(undefined, here, keyed)).not.toBe(first);
    expect(await test.mail.send(one, there, keyed)).not.toBe(first);
    await test.mail.acknowledge(here, await receiveIds(test, here));
    await test.reopen();
    expect(await test.mail.send(one, here, keyed)).toBe(first);
    expect(await receiveIds(test, here)).toEqual([]);
    await test.pass(HOUR_MS);
    expect(await test.mail.send(one, here, keyed)).not.toBe(first);
  });
});

describe('publishing', () => {
  it('reaches the boxes that subscribed, each with a copy of its own', async () => {
    await using test = await openTestMail();
    const [one, two, three] = [await test.box(), await test.box(), await test.box()];
    for (const pid of [one, two]) await test.mail.subscribe(pid, 'news');
    expect(await test.mail.publish(three, 'news', HELLO)).toEqual({ delivered: 2, rejected: 0, messageIds: [1, 2] });
    expect(await test.mail.publish(three, 'other', HELLO)).toEqual({ delivered: 0, rejected: 0, messageIds: [] });
    expect(await test.mail.receive(one)).toMatchObject([{ id: 1, topic: 'news', sender: three, recipient: one, payload: HELLO.payload }]);
    expect(await test.mail.acknowledge(one, [1])).toBe(1);
    expect([await receiveIds(test, two), await receiveIds(test, three)]).toEqual([[2], []]);
    expect((await test.events()).filter(({ kind }) => kind === 'kernel.mail.published')).toEqual([
      {
        kind: 'kernel.mail.published',
        pid: three,
        payload: {
          ...{ topic: 'news', kind: 'hello', sender: three, delivered: 2, rejected: 0 },
          ...{ first_message_id: 1, last_message_id: 2, recipients: [one, two] },
        },
      },
    ]);
  });

  it('goes past full boxes, or with failsOnFull to nobody', async () => {
    await using test = await openTestMail();
    const [full, free] = [await test.box({ capacity: 1 }), await test.box()];
    for (const pid of [full, free]) await test.mail.subscribe(pid, 'news');
    await fill(test, full, 1);
    await expect(test.mail.publish(undefined, 'news', { ...HELLO, failsOnFull: true })).rejects.toMatchObject({
      code: 'mailbox_full',
      details: { pid: full, queue_size: 1 },
    });
    expect(await receiveIds(test, free)).toEqual([]);
    expect(await test.mail.publish(undefined, 'news', HELLO)).toEqual({ delivered: 1, rejected: 1, messageIds: [2] });
    expect([await receiveIds(test, full), await receiveIds(test, free)]).toEqual([[1], [2]]);
  });

  it('reaches a box once, whatever of it matches', async () => {
    await using test = await openTestMail();
    const boxes = await Promise.all(['a.b', 'a.*', 'a.**', '*.b', '**', 'a.b.c', 'a', '*'].map(async (topic) => {
      const pid = await test.box();
      await test.mail.subscribe(pid, topic);
      return { pid, topic };
    })); // biome-ignore format: shorter
    const all = await test.box();
    for (const { topic } of boxes) await test.mail.subscribe(all, topic);
    const reached = async (topic: string) => {
      await test.mail.publish(undefined, topic, HELLO);
      const found: string[] = [];
      for (const box of boxes) if ((await receiveIds(test, box.pid)).length > 0) found.push(box.topic);
      return found;
    };
    expect(await reached('a.b')).toEqual(['a.b', 'a.*', 'a.**', '*.b', '**']);
    expect(await reached('a')).toEqual(['a.**', '**', 'a', '*']);
    expect(await reached('a.b.c')).toEqual(['a.**', '**', 'a.b.c']);
    expect(await reached('Größe')).toEqual([]);
    expect(await receiveIds(test, all)).toHaveLength(3);
  });

  it('asks each box whether it takes mail of this sender', async () => {
    await using test = await openTestMail();
    const [friend, stranger] = [await test.process(), await test.process()];
    const [shy, open] = [await test.box({ senders: [friend] }), await test.box()];
    for (const pid of [shy, open]) await test.mail.subscribe(pid, 'news');
    expect(await test.mail.publish(friend, 'news', HELLO)).toMatchObject({ delivered: 2, rejected: 0 });
    expect(await test.mail.publish(stranger, 'news', HELLO)).toMatchObject({ delivered: 1, rejected: 1 });
    await expect(test.mail.publish(stranger, 'news', { ...HELLO, failsOnFull: true })).rejects.toMatchObject({ code: 'permission_denied' });
  });

  it('with a key reaches whoever it did not reach before, and the others are told as before', async () => {
    await using test = await openTestMail();
    const [one, two, three] = [await test.box(), await test.box({ capacity: 1 }), await test.box()];
    for (const pid of [one, two]) await test.mail.subscribe(pid, 'news');
    await fill(test, two, 1);
    const keyed = { ...HELLO, dedupeKey: 'k' };
    expect(await test.mail.publish(undefined, 'news', keyed)).toEqual({ delivered: 1, rejected: 1, messageIds: [2] });
    await test.mail.receive(two);
    await test.mail.subscribe(three, 'news');
    expect(await test.mail.publish(undefined, 'news', keyed)).toEqual({ delivered: 3, rejected: 0, messageIds: [2, 3, 4] });
    expect(await test.mail.publish(undefined, 'news', keyed)).toEqual({ delivered: 3, rejected: 0, messageIds: [2, 3, 4] });
    expect([await receiveIds(test, one), await receiveIds(test, three)]).toEqual([[2], [4]]);
  });

  it('refuses an unknown sender and a pattern', async () => {
    await using test = await openTestMail();
    await expect(test.mail.publish(99, 'news', HELLO)).rejects.toMatchObject({ code: 'unknown_pid' });
    await expect(test.mail.publish(undefined, 'a.*', HELLO)).rejects.toMatchObject({ code: 'mail_invalid', details: { field: 'topic' } });
  });
});

describe('subscriptions', () => {
  it('are once each, and end', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    for (const topic of ['b', 'a.*', 'b', 'free form, as you like']) await test.mail.subscribe(pid, topic);
    expect(await test.mail.listSubscriptions(pid)).toEqual(['a.*', 'b', 'free form, as you like']);
    await test.mail.unsubscribe(pid, 'b');
    expect(await test.mail.publish(undefined, 'b', HELLO)).toMatchObject({ delivered: 0 });
    await expect(test.mail.unsubscribe(pid, 'b')).rejects.toMatchObject({ code: 'subscription_not_found', details: { pid, topic: 'b' } });
    expect((await test.events()).slice(1).map(({ kind, payload }) => [kind, payload])).toEqual([
      ['kernel.mail.subscribed', { topic: 'b' }],
      ['kernel.mail.subscribed', { topic: 'a.*' }],
      ['kernel.mail.subscribed', { topic: 'free form, as you like' }],
      ['kernel.mail.unsubscribed', { topic: 'b' }],
    ]);
  });

  it('need a box, and are bounded', async () => {
    await using test = await openTestMail({ isRehearsing: false });
    await expect(test.mail.subscribe(99, 'a')).rejects.toMatchObject({ code: 'mailbox_not_found' });
    const pid = await test.box();
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => test.mail.subscribe(pid, `t.${index}`)));
    await test.mail.subscribe(pid, 't.5');
    await expect(test.mail.subscribe(pid, 'more')).rejects.toMatchObject({
      code: 'quota_exceeded',
      details: { pid, dim: 'subscriptions', used: 1_000, hard_limit: 1_000 },
    });
  });
});

describe('receiving', () => {
  it('hides what it hands out, and hands it out again unless it is acknowledged', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    await fill(test, pid, 3);
    expect(await receiveIds(test, pid, { limit: 2 })).toEqual([1, 2]);
    expect(await receiveIds(test, pid)).toEqual([3]);
    expect(await test.mail.acknowledge(pid, [1, 1, 77])).toBe(1);
    expect(await receiveIds(test, pid)).toEqual([]);
    await test.pass(29_999);
    expect(await receiveIds(test, pid)).toEqual([]);
    await test.pass(1);
    expect(await test.mail.receive(pid, { visibilityMs: 5 })).toMatchObject([
      { id: 2, deliveries: 2 },
      { id: 3, deliveries: 2 },
    ]);
    await test.pass(5);
    await test.reopen();
    expect(await receiveIds(test, pid)).toEqual([2, 3]);
  });

  it('is by priority, and by age within one', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    for (const priority of [0, -1, 9, 0, 9]) await fill(test, pid, 1, { ...HELLO, priority });
    expect(await receiveIds(test, pid, { limit: 2 })).toEqual([3, 5]);
    expect(await receiveIds(test, pid)).toEqual([1, 4, 2]);
  });

  it('of one topic leaves everything else alone', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    for (const topic of ['a', 'b']) await test.mail.subscribe(pid, topic);
    await fill(test, pid, 1);
    for (const topic of ['a', 'b', 'a']) await test.mail.publish(undefined, topic, HELLO);
    expect(await receiveIds(test, pid, { topic: 'a' })).toEqual([2, 4]);
    expect(await receiveIds(test, pid)).toEqual([1, 3]);
  });

  it('makes a dead letter of what was handed out too often', async () => {
    await using test = await openTestMail();
    const [from, pid] = [await test.process(), await test.box({ deliveriesMax: 2 })];
    const id = await test.mail.send(from, pid, HELLO);
    await fill(test, pid, 1);
    for (let index = 0; index < 2; index++) {
      expect(await receiveIds(test, pid, { limit: 1, visibilityMs: 10 })).toEqual([id]);
      await test.pass(10);
    }
    expect(await receiveIds(test, pid, { limit: 1 })).toEqual([2]);
    expect(await test.mail.findBox(pid)).toMatchObject({ pending: 0, delivered: 1 });
    expect((await test.mail.listDead(pid)).messages).toMatchObject([{ id, sender: from, deliveries: 2, payload: HELLO.payload }]);
    expect((await test.events()).find(({ kind }) => kind === 'kernel.mail.dead')).toEqual({
      ...{ kind: 'kernel.mail.dead', pid },
      payload: { message_id: id, sender: from, kind: 'hello', topic: null, deliveries: 2 },
    });
    expect(await replayIds(test, pid)).toEqual([2]);
    await test.pass(HOUR_MS);
    await test.pass(1_000);
    expect((await test.mail.listDead(pid)).messages).toEqual([]);
  });

  it('can be rid of a dead letter', async () => {
    await using test = await openTestMail();
    const pid = await test.box({ deliveriesMax: 1 });
    await fill(test, pid, 2);
    await test.mail.receive(pid, { visibilityMs: 1 });
    await test.pass(1);
    expect(await receiveIds(test, pid)).toEqual([]);
    expect(await test.mail.listDead(pid, { limit: 1 })).toMatchObject({ messages: [{ id: 1 }], nextCursor: 1 });
    expect(await test.mail.acknowledge(pid, [1])).toBe(1);
    expect(await test.mail.listDead(pid, { since: 0 })).toMatchObject({ messages: [{ id: 2 }], nextCursor: 2 });
    expect(await test.mail.findBox(pid)).toMatchObject({ pending: 0, delivered: 0, bytes: 0 });
  });

  it.each([
    ['visibility_ms', { visibilityMs: 0 }],
    ['visibility_ms', { visibilityMs: 2.5 }],
    ['wait_ms', { waitMs: -1 }],
    ['topic', { topic: 'a.*' }],
  ])('refuses a bad %s: %j', async (field, options) => {
    await using test = await openTestMail();
    const pid = await test.box();
    await expect(test.mail.receive(pid, options)).rejects.toMatchObject({ code: 'mail_invalid', details: { field } });
  });

  it('needs a box, as acknowledging does, and ids that are ids', async () => {
    await using test = await openTestMail();
    await expect(test.mail.receive(99)).rejects.toMatchObject({ code: 'mailbox_not_found', details: { pid: 99 } });
    await expect(test.mail.acknowledge(99, [1])).rejects.toMatchObject({ code: 'mailbox_not_found', details: { pid: 99 } });
    const pid = await test.box();
    expect(await test.mail.acknowledge(pid, [])).toBe(0);
    for (const ids of [['1; DROP TABLE messages'] as unknown as number[], [1.5], Array.from({ length: 10_001 }, () => 1)]) {
      await expect(test.mail.acknowledge(pid, ids)).rejects.toMatchObject({ code: 'mail_invalid', details: { field: 'msg_ids' } });
    }
  });

  it('acknowledges nothing of another box', async () => {
    await using test = await openTestMail();
    const [mine, yours] = [await test.box(), await test.box()];
    const [id = 0] = await fill(test, mine, 1);
    expect(await test.mail.acknowledge(yours, [id])).toBe(0);
    expect(await receiveIds(test, mine)).toEqual([id]);
  });

  it('names many ids in an event by their ends', async () => {
    await using test = await openTestMail({ isRehearsing: false });
    const pid = await test.box();
    await fill(test, pid, 101);
    const ids = await receiveIds(test, pid, { limit: 1_000 });
    await test.mail.acknowledge(pid, ids);
    const payload = { count: 101, first_message_id: 1, last_message_id: 101 };
    expect((await test.events()).slice(-2).map((event) => event.payload)).toEqual([
      { ...payload, hidden_until: expect.any(Number) },
      payload,
    ]);
  });
});

describe('replaying', () => {
  it('goes on from a cursor, and looks without touching', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    await fill(test, pid, 3);
    const first = await test.mail.replay(pid, { limit: 2, marksDelivered: true });
    expect([first.messages.map(({ id }) => id), first.nextCursor]).toEqual([[1, 2], 2]);
    expect(first.messages[0]).toMatchObject({ deliveries: 1, deliveredAt: test.test.clock.now() });
    expect(await replayIds(test, pid, { since: first.nextCursor, marksDelivered: true })).toEqual([3]);
    expect(await test.mail.replay(pid, { since: 3 })).toEqual({ messages: [], nextCursor: 3 });
    await fill(test, pid, 1);
    const peeked = await test.mail.replay(pid);
    expect(peeked.messages.map(({ id, deliveredAt }) => [id, deliveredAt === undefined])).toEqual([[1, false], [2, false], [3, false], [4, true]]); // biome-ignore format: a table
    expect(await test.mail.findBox(pid)).toMatchObject({ pending: 1, delivered: 3 });
    await expect(test.mail.replay(99)).rejects.toMatchObject({ code: 'mailbox_not_found' });
  });

  it('counts as one delivery, however often, and keeps nothing from a receiver', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    await fill(test, pid, 2);
    for (let index = 0; index < 3; index++) await test.mail.replay(pid, { marksDelivered: true });
    expect(await test.mail.receive(pid)).toMatchObject([{ id: 1, deliveries: 2 }, { id: 2, deliveries: 2 }]); // biome-ignore format: one line
    expect(await replayIds(test, pid)).toEqual([1, 2]);
    await test.mail.acknowledge(pid, [1]);
    expect(await replayIds(test, pid, { marksDelivered: true })).toEqual([2]);
    expect((await test.events()).filter(({ kind }) => kind === 'kernel.mail.received')).toHaveLength(2);
  });
});

describe('what is past its time', () => {
  it('is given to nobody', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    await fill(test, pid, 1, { ...HELLO, expiresAt: test.test.clock.now() + 10 });
    expect(await replayIds(test, pid)).toEqual([1]);
    await test.pass(10);
    expect([await replayIds(test, pid), await receiveIds(test, pid)]).toEqual([[], []]);
    expect(await test.mail.expire()).toBe(1);
  });

  it('makes room for what is sent, at once', async () => {
    await using test = await openTestMail();
    const [from, pid] = [await test.process(), await test.box({ capacity: 4, senderCapacity: 1 })];
    await test.mail.subscribe(pid, 'news');
    const soon = { ...HELLO, expiresAt: test.test.clock.now() + 10 };
    await fill(test, pid, 3, soon);
    await test.mail.send(from, pid, soon);
    await expect(test.mail.send(undefined, pid, HELLO)).rejects.toMatchObject({ code: 'mailbox_full' });
    test.test.clock.advance(10);
    expect(await test.mail.send(from, pid, HELLO)).toBe(5);
    expect(await test.mail.publish(undefined, 'news', HELLO)).toMatchObject({ delivered: 1 });
    expect(await test.mail.findBox(pid)).toMatchObject({ pending: 2 });
    expect((await test.events()).filter(({ kind }) => kind === 'kernel.mail.expired')).toMatchObject([{ pid, payload: { count: 4 } }]);
  });

  it('is deleted when the caller says so: expired, delivered longer ago than it is kept, with a retention of nothing at once', async () => {
    await using test = await openTestMail();
    const [keeps, forgets] = [await test.box({ retentionMs: 1_000 }), await test.box({ retentionMs: 0 })];
    const now = test.test.clock.now();
    await fill(test, keeps, 2);
    await fill(test, keeps, 1, { ...HELLO, expiresAt: now + 500 });
    await fill(test, forgets, 2);
    for (const pid of [keeps, forgets]) await test.mail.replay(pid, { limit: 1, marksDelivered: true });
    expect(await test.mail.expire()).toBe(1);
    expect(await replayIds(test, forgets)).toEqual([5]);
    expect(await test.mail.expire(now + 999)).toBe(1);
    expect(await replayIds(test, keeps)).toEqual([1, 2]);
    expect(await test.mail.expire(now + 1_000)).toBe(1);
    expect(await replayIds(test, keeps)).toEqual([2]);
    expect(await test.mail.expire(now + 1_000_000)).toBe(0);
    await expect(test.mail.expire(Number.NaN)).rejects.toMatchObject({ code: 'mail_invalid' });
  });

  it('is not what somebody is working on: hidden mail is kept until it would be visible again', async () => {
    await using test = await openTestMail();
    const pid = await test.box({ retentionMs: 0 });
    await fill(test, pid, 1);
    await test.mail.receive(pid, { visibilityMs: 5_000 });
    await test.pass(4_999);
    expect(await replayIds(test, pid)).toEqual([1]);
    await test.pass(1_001);
    expect(await replayIds(test, pid)).toEqual([]);
  });

  it('is deleted by the kernel itself in time, also when it was down meanwhile, with an event', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    await fill(test, pid, 2, { ...HELLO, expiresAt: test.test.clock.now() + 10 });
    await fill(test, pid, 1, { ...HELLO, expiresAt: test.test.clock.now() + 20_000 });
    await test.pass(1_010);
    expect(await test.mail.findBox(pid)).toMatchObject({ pending: 1 });
    test.test.clock.advance(30_000);
    await test.reopen();
    await test.pass(0);
    expect(await test.mail.findBox(pid)).toMatchObject({ pending: 0, bytes: 0 });
    expect((await test.events()).filter(({ kind }) => kind === 'kernel.mail.expired')).toMatchObject([
      { pid, payload: { count: 2, dead_letters: 0 } },
      { pid, payload: { count: 1, dead_letters: 0 } },
    ]);
  });

  it('is deleted in steps, however much it is', async () => {
    await using test = await openTestMail({ isRehearsing: false });
    const pids = await Promise.all(Array.from({ length: 3 }, () => test.box()));
    const letter = { ...HELLO, expiresAt: test.test.clock.now() + 10 };
    await Promise.all(pids.flatMap((pid) => Array.from({ length: 400 }, () => test.mail.send(undefined, pid, letter))));
    expect(await test.mail.expire(test.test.clock.now() + 10)).toBe(1_200);
    const counts = (await test.events()).flatMap(({ kind, payload }) =>
      kind === 'kernel.mail.expired' ? [(payload as { count: number }).count] : [],
    ); // Its payload.
    expect(Math.max(...counts)).toBeLessThanOrEqual(500);
  });
});
