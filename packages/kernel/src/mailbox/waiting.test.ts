/** Waiting for mail, asking and answering: who is woken, by what, and what becomes of a message when the one it was for has gone. */
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createClock } from '../internal/clock.ts';
import type { Letter, Message } from './mail.ts';
import { openMailroom } from './mailroom.ts';
import { openTestMail, type TestMail } from './test-support/open-test-mail.ts';

const HELLO: Letter = { kind: 'hello' };
const MINUTE_MS = 60_000;

/** What a promise has become by now. */
function watch<T>(promise: Promise<T>): { readonly state: () => 'waits' | 'resolved' | 'rejected' } {
  let state: 'waits' | 'resolved' | 'rejected' = 'waits';
  promise.then(
    () => {
      state = 'resolved';
    },
    () => {
      state = 'rejected';
    },
  );
  return { state: () => state };
}

/** Resolves once everybody who waits has looked and found nothing: their looks were asked for before this one. */
async function settle({ mail }: TestMail, pid: number): Promise<void> {
  for (let round = 0; round < 3; round++) await mail.acknowledge(pid, []);
}

function ids(messages: readonly Message[]): readonly number[] {
  return messages.map(({ id }) => id);
}

describe('a receiver that waits', () => {
  it('is woken by what is sent, and by what is published', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    await test.mail.subscribe(pid, 'news.*');
    const first = test.mail.receive(pid, { waitMs: MINUTE_MS });
    await settle(test, pid);
    await test.mail.send(undefined, pid, HELLO);
    expect(ids(await first)).toEqual([1]);
    const second = test.mail.receive(pid, { waitMs: MINUTE_MS });
    await settle(test, pid);
    await test.mail.publish(undefined, 'news.today', HELLO);
    expect(ids(await second)).toEqual([2]);
  });

  it('hears of what was committed between its look and its wait', async () => {
    await using test = await openTestMail({ isRehearsing: false });
    const pid = await test.box();
    for (let round = 0; round < 50; round++) {
      const [got] = await Promise.all([test.mail.receive(pid, { waitMs: MINUTE_MS, limit: 1 }), test.mail.send(undefined, pid, HELLO)]);
      expect(got).toHaveLength(1);
    }
  });

  it('answers with nothing when its time is over', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    const waiting = test.mail.receive(pid, { waitMs: 1_000 });
    const { state } = watch(waiting);
    await settle(test, pid);
    await test.pass(999);
    await settle(test, pid);
    expect(state()).toBe('waits');
    await test.pass(1);
    expect(await waiting).toEqual([]);
  });

  it('is alone in getting a message, whoever else waits', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    const waiting = Array.from({ length: 5 }, () => test.mail.receive(pid, { waitMs: 1_000 }));
    await settle(test, pid);
    await test.mail.send(undefined, pid, HELLO);
    expect(ids(await Promise.race(waiting))).toEqual([1]);
    await test.pass(1_000);
    expect((await Promise.all(waiting)).map(ids).filter((each) => each.length > 0)).toEqual([[1]]);
  });

  it('leaves the rest to the next: as many messages wake as many', async () => {
    await using test = await openTestMail();
    const [pid, other] = [await test.box(), await test.box()];
    for (const each of [pid, other]) await test.mail.subscribe(each, 'news');
    const waiting = Array.from({ length: 3 }, () => test.mail.receive(pid, { waitMs: MINUTE_MS, limit: 1 }));
    await settle(test, pid);
    await Promise.all([
      test.mail.send(undefined, pid, HELLO),
      test.mail.publish(undefined, 'news', HELLO),
      test.mail.send(undefined, pid, HELLO),
    ]);
    const got = (await Promise.all(waiting)).flatMap(ids);
    expect(new Set(got).size).toBe(3);
  });

  it('of one topic is not woken by another, and keeps no message from who takes it', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    for (const topic of ['a', 'b']) await test.mail.subscribe(pid, topic);
    const [ofA, ofAny] = [test.mail.receive(pid, { waitMs: MINUTE_MS, topic: 'a' }), test.mail.receive(pid, { waitMs: MINUTE_MS })];
    const { state } = watch(ofA);
    await settle(test, pid);
    await test.mail.publish(undefined, 'b', HELLO);
    expect(ids(await ofAny)).toEqual([1]);
    expect(state()).toBe('waits');
    await test.mail.publish(undefined, 'a', HELLO);
    expect(ids(await ofA)).toEqual([2]);
  });

  it('is woken when hidden mail becomes visible again, exactly then, whoever had it', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    const [first, second] = [
      test.mail.receive(pid, { waitMs: MINUTE_MS, visibilityMs: 500 }),
      test.mail.receive(pid, { waitMs: MINUTE_MS }),
    ];
    await settle(test, pid);
    await test.mail.send(undefined, pid, HELLO);
    expect(ids(await first)).toEqual([1]);
    const { state } = watch(second);
    await test.pass(499);
    await settle(test, pid);
    expect(state()).toBe('waits');
    await test.pass(1);
    expect(await second).toMatchObject([{ id: 1, deliveries: 2 }]);
  });

  it('begins its wait with mail already hidden, and is woken when its time comes', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    await test.mail.send(undefined, pid, HELLO);
    await test.mail.receive(pid, { visibilityMs: 500 });
    await test.reopen();
    const waiting = test.mail.receive(pid, { waitMs: MINUTE_MS });
    await settle(test, pid);
    await test.pass(500);
    expect(ids(await waiting)).toEqual([1]);
  });

  it('takes part in the real time of the machine', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    const clock = createClock({ wall: () => test.test.clock.now() + performance.now(), monotonic: () => performance.now() });
    await using mailroom = openMailroom({ store: test.test.kernel.store, clock });
    expect(await mailroom.mail(DEFAULT_WORKSPACE).receive(pid, { waitMs: 5 })).toEqual([]);
  });

  it('ends with its box, its process and the kernel', async () => {
    await using test = await openTestMail();
    const [one, two, three] = [await test.box(), await test.box(), await test.box()];
    const waiting = [one, two, three].map((pid) => test.mail.receive(pid, { waitMs: MINUTE_MS }));
    for (const each of waiting) each.catch(() => {}); // Each is looked at below.
    await settle(test, three);
    await test.mail.deleteBox(one);
    await expect(waiting[0]).rejects.toMatchObject({ code: 'mailbox_not_found', details: { pid: one } });
    await test.test.mine.processes.end(two, 'completed');
    await expect(waiting[1]).rejects.toMatchObject({ code: 'mailbox_not_found', details: { pid: two } });
    await test.close();
    await expect(waiting[2]).rejects.toMatchObject({ code: 'aborted' });
    await expect(test.mail.receive(three, { waitMs: 1 })).rejects.toMatchObject({ code: 'aborted' });
  });

  it('is one of a thousand at most', async () => {
    await using test = await openTestMail({ isRehearsing: false });
    const pid = await test.box();
    const waiting = Array.from({ length: 1_000 }, () => test.mail.receive(pid, { waitMs: 5 }));
    await expect(test.mail.receive(pid, { waitMs: 5 })).rejects.toMatchObject({ code: 'busy', details: { pid } });
    await settle(test, pid);
    await test.pass(5);
    expect((await Promise.all(waiting)).flat()).toEqual([]);
    await test.pass(0);
    const again = test.mail.receive(pid, { waitMs: 5 });
    await settle(test, pid);
    await test.pass(5);
    expect(await again).toEqual([]);
  });
});

describe('a receiver that gives up', () => {
  it('before it began takes nothing', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    await test.mail.send(undefined, pid, HELLO);
    await expect(test.mail.receive(pid, {}, AbortSignal.abort('enough'))).rejects.toMatchObject({ code: 'aborted', cause: 'enough' });
    expect(await test.mail.findBox(pid)).toMatchObject({ pending: 1, delivered: 0 });
  });

  it('while it waits is out of the way of the others', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    const leaving = new AbortController();
    const [first, second] = [test.mail.receive(pid, { waitMs: MINUTE_MS }, leaving.signal), test.mail.receive(pid, { waitMs: MINUTE_MS })];
    await settle(test, pid);
    leaving.abort();
    await expect(first).rejects.toMatchObject({ code: 'aborted' });
    await test.mail.send(undefined, pid, HELLO);
    expect(ids(await second)).toEqual([1]);
  });

  it('after it was woken and before it looked leaves the message to the next', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    const leaving = new AbortController();
    const [first, second] = [test.mail.receive(pid, { waitMs: MINUTE_MS }, leaving.signal), test.mail.receive(pid, { waitMs: MINUTE_MS })];
    first.catch(() => {}); // Looked at below.
    await settle(test, pid);
    // The listener of the test comes after that of the mailroom, and before anybody who was woken goes on.
    using _ = test.test.kernel.store.onCommit((__, events) => {
      if (events.some(({ kind }) => kind === 'kernel.mail.sent')) leaving.abort();
    });
    await test.mail.send(undefined, pid, HELLO);
    await expect(first).rejects.toMatchObject({ code: 'aborted' });
    expect(ids(await second)).toEqual([1]);
  });

  it('while its message is on the way gives it back as it was, to whoever waits', async () => {
    await using test = await openTestMail();
    const pid = await test.box({ deliveriesMax: 1 });
    const leaving = new AbortController();
    await test.mail.send(undefined, pid, HELLO);
    using _ = test.test.kernel.store.onCommit((__, events) => {
      if (events.some(({ kind }) => kind === 'kernel.mail.received')) leaving.abort();
    });
    await expect(test.mail.receive(pid, { waitMs: MINUTE_MS }, leaving.signal)).rejects.toMatchObject({ code: 'aborted' });
    expect((await test.events()).at(-1)).toEqual({ kind: 'kernel.mail.returned', pid, payload: { count: 1, message_ids: [1] } });
    expect(await test.mail.receive(pid)).toMatchObject([{ id: 1, deliveries: 1 }]);
  });

  it('gives nothing back of a box that has gone meanwhile', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    const leaving = new AbortController();
    await test.mail.send(undefined, pid, HELLO);
    using _ = test.test.kernel.store.onCommit((__, events) => {
      if (events.some(({ kind }) => kind === 'kernel.mail.received')) leaving.abort();
    });
    const receiving = test.mail.receive(pid, {}, leaving.signal);
    const deleting = test.mail.deleteBox(pid);
    await expect(receiving).rejects.toMatchObject({ code: 'aborted' });
    expect(await deleting).toBe(1);
  });
});

describe('many senders and receivers', () => {
  it('lose nothing and give nothing twice, whoever leaves when', async () => {
    const plan = fc.record({
      receivers: fc.array(fc.record({ limit: fc.integer({ min: 1, max: 3 }), leavesAfter: fc.option(fc.nat(4)) }), {
        minLength: 1,
        maxLength: 6,
      }),
      bursts: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ receivers, bursts }) => {
        await using test = await openTestMail({ isRehearsing: false });
        const pid = await test.box();
        const got: number[] = [];
        const controllers = receivers.map(() => new AbortController());
        const work = receivers.map(async ({ limit }, index) => {
          for (;;) got.push(...ids(await test.mail.receive(pid, { limit, waitMs: MINUTE_MS }, controllers[index]?.signal)));
        });
        const ended = Promise.allSettled(work);
        for (const [round, count] of bursts.entries()) {
          const sending = Promise.all(Array.from({ length: count }, () => test.mail.send(undefined, pid, HELLO)));
          for (const [index, { leavesAfter }] of receivers.entries()) if (leavesAfter === round) controllers[index]?.abort();
          await sending;
        }
        const total = bursts.reduce((sum, each) => sum + each, 0);
        const isSomebodyThere = receivers.some(({ leavesAfter }) => leavesAfter === null || leavesAfter >= bursts.length);
        while (isSomebodyThere && got.length < total) await settle(test, pid); // Ends because whoever is there takes everything.
        const left = ids(await test.mail.receive(pid, { limit: 1_000 }));
        await settle(test, pid);
        expect([...got, ...left].sort((one, other) => one - other)).toEqual(Array.from({ length: total }, (_, index) => index + 1));
        for (const controller of controllers) controller.abort();
        await ended;
      }),
      { numRuns: 40 },
    );
  });
});

describe('a request', () => {
  it('is answered by a reply, which nobody else is handed and which is done with', async () => {
    await using test = await openTestMail();
    const [asker, answerer] = [await test.box(), await test.box()];
    const asking = test.mail.request(asker, answerer, { kind: 'sum', payload: { a: 1 }, timeoutMs: MINUTE_MS });
    const generic = test.mail.receive(asker, { waitMs: 10 });
    const [question] = await test.mail.receive(answerer, { waitMs: MINUTE_MS });
    expect(question).toMatchObject({ kind: 'sum', sender: asker, correlationId: expect.stringMatching(/./) });
    if (question === undefined) return;
    await test.mail.reply(answerer, question, { kind: 'sum.result', payload: { sum: 2 } });
    expect(await asking).toMatchObject({
      kind: 'sum.result',
      sender: answerer,
      payload: { sum: 2 },
      correlationId: question.correlationId,
    });
    await settle(test, asker);
    await test.pass(10);
    expect(await generic).toEqual([]);
    expect(await test.mail.findBox(asker)).toMatchObject({ pending: 0, delivered: 0, bytes: 0 });
  });

  it('may be answered by who was asked, whoever else may write to that box', async () => {
    await using test = await openTestMail();
    const [asker, answerer, stranger] = [await test.box({ senders: [] }), await test.box(), await test.box()];
    const asking = test.mail.request(asker, answerer, { ...HELLO, correlationId: 'c', timeoutMs: MINUTE_MS });
    await test.mail.receive(answerer, { waitMs: MINUTE_MS });
    const answer = { ...HELLO, correlationId: 'c' };
    await expect(test.mail.send(stranger, asker, answer)).rejects.toMatchObject({ code: 'permission_denied' });
    await expect(test.mail.send(answerer, asker, HELLO)).rejects.toMatchObject({ code: 'permission_denied' });
    await test.mail.send(answerer, asker, answer);
    expect(await asking).toMatchObject({ sender: answerer });
    await expect(test.mail.send(answerer, asker, answer)).rejects.toMatchObject({ code: 'permission_denied' });
  });

  it('that nobody answers ends at its deadline, and what comes later is mail like any other', async () => {
    await using test = await openTestMail();
    const [asker, answerer] = [await test.box(), await test.box()];
    const asking = test.mail.request(asker, answerer, { ...HELLO, correlationId: 'c', timeoutMs: 1_000 });
    asking.catch(() => {}); // Looked at below.
    await settle(test, asker);
    await test.pass(1_000);
    await expect(asking).rejects.toMatchObject({ code: 'deadline', details: { pid: asker, recipient: answerer, correlation_id: 'c' } });
    await test.mail.send(answerer, asker, { ...HELLO, correlationId: 'c' });
    expect(ids(await test.mail.receive(asker))).toHaveLength(1);
    expect((await test.test.mine.events.tail({})).events.find(({ kind }) => kind === 'kernel.mail.unanswered')).toMatchObject({
      pid: asker,
      correlationId: 'c',
    });
  });

  it('whose asker is gone with a restart leaves its answer to the box, once the time is over', async () => {
    await using test = await openTestMail();
    const [asker, answerer] = [await test.box(), await test.box()];
    const asking = test.mail.request(asker, answerer, { ...HELLO, correlationId: 'c', timeoutMs: 1_000 });
    asking.catch(() => {}); // The restart ends it.
    await settle(test, asker);
    await test.reopen();
    await test.mail.send(answerer, asker, { ...HELLO, correlationId: 'c' });
    const waiting = test.mail.receive(asker, { waitMs: MINUTE_MS });
    const { state } = watch(waiting);
    await settle(test, asker);
    expect(state()).toBe('waits');
    await test.pass(1_000);
    expect(await waiting).toHaveLength(1);
  });

  it('ends when its asker gives up, and can be made again', async () => {
    await using test = await openTestMail();
    const [asker, answerer] = [await test.box(), await test.box()];
    const leaving = new AbortController();
    const question = { ...HELLO, correlationId: 'c', timeoutMs: MINUTE_MS };
    const asking = test.mail.request(asker, answerer, question, leaving.signal);
    asking.catch(() => {}); // Looked at below.
    await settle(test, asker);
    await expect(test.mail.request(asker, answerer, question)).rejects.toMatchObject({ code: 'already_exists' });
    leaving.abort();
    await expect(asking).rejects.toMatchObject({ code: 'aborted' });
    await expect(test.mail.request(asker, answerer, question, leaving.signal)).rejects.toMatchObject({ code: 'aborted' });
    const again = test.mail.request(asker, answerer, question);
    await settle(test, asker);
    await test.mail.send(answerer, asker, { ...HELLO, correlationId: 'c' });
    expect(await again).toMatchObject({ sender: answerer });
  });

  it('whose time is over leaves alone what was asked anew under its correlation id', async () => {
    await using test = await openTestMail();
    const [asker, slow, quick] = [await test.box(), await test.box(), await test.box()];
    const late = test.mail.request(asker, slow, { ...HELLO, correlationId: 'c', timeoutMs: 1_000 });
    late.catch(() => {}); // Looked at below.
    await settle(test, asker);
    test.test.clock.advance(1_001); // Its timer has not noticed.
    const asking = test.mail.request(asker, quick, { ...HELLO, correlationId: 'c', timeoutMs: MINUTE_MS });
    await settle(test, asker);
    await test.mail.send(slow, asker, { ...HELLO, correlationId: 'c' });
    await expect(late).rejects.toMatchObject({ code: 'deadline' });
    await test.mail.send(quick, asker, { ...HELLO, correlationId: 'c' });
    expect(await asking).toMatchObject({ sender: quick });
  });

  it('is not answered by mail that was there before', async () => {
    await using test = await openTestMail();
    const [asker, answerer] = [await test.box(), await test.box()];
    await test.mail.send(answerer, asker, { ...HELLO, correlationId: 'c' });
    const asking = test.mail.request(asker, answerer, { ...HELLO, correlationId: 'c', timeoutMs: MINUTE_MS });
    const { state } = watch(asking);
    await settle(test, asker);
    expect(state()).toBe('waits');
    const id = await test.mail.send(answerer, asker, { ...HELLO, correlationId: 'c' });
    expect(await asking).toMatchObject({ id });
  });

  it('needs two boxes and a time, and there are a thousand open at most', async () => {
    await using test = await openTestMail({ isRehearsing: false });
    const [asker, answerer, nobody] = [await test.box(), await test.box(), await test.process()];
    const ask = (from: number, to: number, timeoutMs = 1_000) => test.mail.request(from, to, { ...HELLO, timeoutMs });
    await expect(ask(nobody, answerer)).rejects.toMatchObject({ code: 'mailbox_not_found', details: { pid: nobody } });
    await expect(ask(asker, nobody)).rejects.toMatchObject({ code: 'mailbox_not_found', details: { pid: nobody } });
    await expect(ask(asker, answerer, 0)).rejects.toMatchObject({ code: 'mail_invalid', details: { field: 'timeout_s' } });
    expect(await test.mail.findBox(answerer)).toMatchObject({ pending: 0 });
  });

  it('cannot be replied to when no process made it', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    await test.mail.send(undefined, pid, HELLO);
    const [message] = await test.mail.receive(pid);
    expect(message).toBeDefined();
    if (message !== undefined) await expect(test.mail.reply(pid, message, HELLO)).rejects.toMatchObject({ code: 'mail_invalid' });
  });
});
