import { describe, expect, it } from 'vitest';
import { type BridgeMirror, createBridgeMirror, type OutboundMessage } from './bridge-mirror.ts';
import { openTestMail, type TestMail } from './test-support/open-test-mail.ts';

function bridge(test: TestMail, kind = 'telegram'): BridgeMirror {
  return createBridgeMirror({ mail: test.mail, kind, now: () => test.test.clock.now() });
}

/** What a sender did, and a promise for when it did so many. */
function recorder() {
  const seen: OutboundMessage[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  return {
    seen,
    add(message: OutboundMessage): void {
      seen.push(message);
      for (const { count, resolve } of waiting) if (seen.length >= count) resolve();
    },
    async reaches(count: number): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ count, resolve });
      if (seen.length >= count) resolve();
      await promise;
    },
  };
}

/** Resolves once the box has this many that were handed out and not acknowledged. */
async function delivered(test: TestMail, pid: number, count: number): Promise<void> {
  while ((await test.mail.findBox(pid))?.delivered !== count) await test.mail.acknowledge(pid, []);
}

describe('a mirrored bridge', () => {
  it.each(['', 'Telegram', '9x', 'a.b', 'a b', 'é', 'x'.repeat(65), '*'])('cannot be of the kind %j', async (kind) => {
    await using test = await openTestMail();
    expect(() => bridge(test, kind)).toThrow(expect.objectContaining({ code: 'mail_invalid', details: { field: 'kind' } }));
  });

  it('brings what comes in to everybody who subscribed, in a form that other programs know', async () => {
    await using test = await openTestMail();
    const mirror = bridge(test);
    const subscribers = [await test.box(), await test.box(), await test.box()];
    for (const pid of subscribers) await mirror.subscribeInbound(pid);
    const at = 1_700_000_000_500;
    const published = await mirror.mirrorInbound({ peer: '@ada', text: 'hello', metadata: { chat: 5 }, at });
    expect(published).toEqual({ delivered: 3, rejected: 0, messageIds: [1, 2, 3] });
    for (const pid of subscribers) {
      expect(await test.mail.receive(pid)).toMatchObject([
        {
          ...{ topic: 'bridge.telegram.inbound', kind: 'bridge.message', sender: undefined },
          payload: { kind: 'telegram', sender: '@ada', text: 'hello', direction: 'inbound', metadata: { chat: 5 }, ts: 1_700_000_000.5 },
        },
      ]);
    }
  });

  it('sends out what is queued, in order, with who it is for, and acknowledges it', async () => {
    await using test = await openTestMail();
    const mirror = bridge(test);
    const pid = await test.box();
    await mirror.subscribeOutbound(pid);
    const sent = recorder();
    await using _ = mirror.receiveOutbound({ pid, send: async (message) => sent.add(message) });
    await mirror.queueOutbound({ peer: '@ada', text: 'one', metadata: { reply: 1 }, at: 5_000 });
    await mirror.queueOutbound({ peer: '@bob', text: 'two' });
    await sent.reaches(2);
    expect(sent.seen).toEqual([
      { messageId: 1, peer: '@ada', text: 'one', metadata: { reply: 1 }, at: 5_000 },
      { messageId: 2, peer: '@bob', text: 'two', metadata: {}, at: test.test.clock.now() },
    ]);
    await delivered(test, pid, 0);
  });

  it('sends out nothing that is not its own, and leaves it where it is', async () => {
    await using test = await openTestMail();
    const mirror = bridge(test);
    const pid = await test.box();
    await mirror.subscribeOutbound(pid);
    await mirror.subscribeInbound(pid);
    const strange = { kind: 'telegram', sender: 5, text: 'x', direction: 'outbound', metadata: {}, ts: 0 };
    await mirror.mirrorInbound({ peer: '@ada', text: 'inbound' });
    await bridge(test, 'slack').queueOutbound({ peer: '@ada', text: 'another bridge' });
    await test.mail.send(undefined, pid, { kind: 'bridge.message', payload: { ...strange, sender: 'direct' } });
    await test.mail.publish(undefined, 'bridge.telegram.outbound', { kind: 'bridge.message', payload: strange });
    await test.mail.publish(undefined, 'bridge.telegram.outbound', { kind: 'other', payload: { ...strange, sender: 'a' } });
    await mirror.queueOutbound({ peer: '@ada', text: 'mine' });
    const sent = recorder();
    await using _ = mirror.receiveOutbound({ pid, send: async (message) => sent.add(message) });
    await sent.reaches(1);
    expect(sent.seen).toMatchObject([{ text: 'mine' }]);
    expect((await test.mail.receive(pid)).map(({ payload }) => payload['text'])).toEqual(['inbound', 'x']);
  });

  it('goes on when one cannot be sent, tells about it, and tries that one again', async () => {
    await using test = await openTestMail();
    const mirror = bridge(test);
    const pid = await test.box();
    await mirror.subscribeOutbound(pid);
    const [sent, failed] = [recorder(), recorder()];
    const send = async (message: OutboundMessage): Promise<void> => {
      if (message.text === 'bad' && failed.seen.length === 0) throw new Error('The chat is down');
      sent.add(message);
    };
    const onError = (error: unknown, message: OutboundMessage | undefined): void => {
      expect(error).toMatchObject({ message: 'The chat is down' });
      if (message !== undefined) failed.add(message);
    };
    for (const text of ['bad', 'good']) await mirror.queueOutbound({ peer: '@ada', text });
    await using _ = mirror.receiveOutbound({ pid, send, onError, visibilityMs: 1_000 });
    await sent.reaches(1);
    await delivered(test, pid, 1);
    expect([failed.seen.map(({ text }) => text), sent.seen.map(({ text }) => text)]).toEqual([['bad'], ['good']]);
    await test.pass(1_000);
    await sent.reaches(2);
    await delivered(test, pid, 0);
    expect(sent.seen.map(({ text }) => text)).toEqual(['good', 'bad']);
  });

  it('sends once what is handed out again because its acknowledgement failed', async () => {
    await using test = await openTestMail();
    const pid = await test.box();
    let failures = 1;
    const mail = {
      ...test.mail,
      acknowledge: async (...args: Parameters<typeof test.mail.acknowledge>) => {
        if (failures-- > 0) throw new Error('The disk is full');
        return await test.mail.acknowledge(...args);
      },
    };
    const mirror = createBridgeMirror({ mail, kind: 'telegram', now: () => test.test.clock.now() });
    await mirror.subscribeOutbound(pid);
    const [sent, failed] = [recorder(), recorder()];
    const onError = (_: unknown, message: OutboundMessage | undefined) => message !== undefined && failed.add(message);
    await using _ = mirror.receiveOutbound({ pid, send: async (message) => sent.add(message), onError });
    await mirror.queueOutbound({ peer: '@ada', text: 'once' });
    await failed.reaches(1);
    await test.pass(30_000);
    await delivered(test, pid, 0);
    expect(sent.seen).toHaveLength(1);
  });

  it('lets go of what it has not begun when it is disposed, which the next receiver sends', async () => {
    await using test = await openTestMail();
    const mirror = bridge(test);
    const pid = await test.box();
    await mirror.subscribeOutbound(pid);
    for (const text of ['one', 'two']) await mirror.queueOutbound({ peer: '@ada', text });
    const sent = recorder();
    const first = mirror.receiveOutbound({
      pid,
      send: async (message, signal) => {
        sent.add(message);
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
      },
    });
    await sent.reaches(1);
    await first[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
    await test.pass(30_000);
    await using _ = mirror.receiveOutbound({ pid, send: async (message) => sent.add(message) });
    await sent.reaches(3);
    expect(sent.seen.map(({ text }) => text)).toEqual(['one', 'one', 'two']);
  });

  it('stops by itself when its box is gone, and says so', async () => {
    await using test = await openTestMail();
    const mirror = bridge(test);
    const pid = await test.box();
    const errors: unknown[] = [];
    const receiver = mirror.receiveOutbound({ pid, send: async () => {}, onError: (error) => errors.push(error) });
    await test.mail.deleteBox(pid);
    await receiver.ended;
    expect(errors).toMatchObject([{ code: 'mailbox_not_found' }]);
  });
});
