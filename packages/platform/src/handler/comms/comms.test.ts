/** What agents say to each other: it arrives once, at whom it is for, from whom it says. */
import { ownChannel } from '@warren/kernel';
import type { WorkspaceId } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { HandlerHost } from '../test-support/handler-host.ts';
import { createCommsHandlers } from './create-comms-handlers.ts';
import { matchesName } from './name-pattern.ts';

const open = () => HandlerHost.open(({ now }) => createCommsHandlers({ now }));
type Shown = {
  readonly message: string;
  readonly from: string;
  readonly priority: string;
  readonly channel: string | null;
  readonly sent_at: string;
};

async function receive(host: HandlerHost, who: Awaited<ReturnType<HandlerHost['start']>>, input = {}): Promise<readonly Shown[]> {
  return (await host.call(who, 'comms.receive', input))['messages'] as unknown as readonly Shown[]; // As its definition says.
}
const texts = (messages: readonly Shown[]): readonly string[] => messages.map(({ message }) => message);

describe('a message', () => {
  it('to an agent without a process is queued and delivered once, high priority first, after a restart too', async () => {
    await using host = await open();
    const [ada, gone] = [await host.start('ada'), await host.start('bob')];
    await host.end(gone);
    for (const [message, priority] of [
      ['one', 'normal'],
      ['two', 'low'],
      ['three', 'high'],
      ['four', 'normal'],
    ] as const)
      expect(await host.call(ada, 'comms.send', { to: 'bob', message, priority })).toMatchObject({ status: 'queued', to: 'bob' });
    const sentAt = new Date(host.time).toISOString();
    await host.reopen();
    host.time += 3_600_000;
    const bob = await host.start('bob');
    const messages = await receive(host, bob);
    expect(texts(messages)).toEqual(['three', 'one', 'four', 'two']);
    expect(messages[0]).toMatchObject({ from: 'ada', priority: 'high', channel: null, sent_at: sentAt });
    expect(await receive(host, bob)).toEqual([]);
    expect(await host.mine().state.quota({ kind: 'own', name: 'mail/bob' })).toMatchObject({ keys: 0, usedBytes: 0 });
  });

  it('that was queued goes to one of two processes that read at once', async () => {
    await using host = await open();
    const ada = await host.start('ada');
    await host.end(await host.start('bob'));
    const sent = Array.from({ length: 20 }, (_, n) => `m${n}`);
    for (const message of sent) await host.call(ada, 'comms.send', { to: 'bob', message });
    const both = [await host.start('bob'), await host.start('bob')];
    const got = (await Promise.all(both.map((bob) => receive(host, bob, { limit: 100 })))).flat();
    expect([...texts(got)].toSorted()).toEqual(sent.toSorted());
    for (const bob of both) expect(await receive(host, bob)).toEqual([]);
  });

  it('that was claimed before a crash arrives once', async () => {
    await using host = await open();
    const ada = await host.start('ada');
    await host.end(await host.start('bob'));
    for (const message of ['a', 'b']) await host.call(ada, 'comms.send', { to: 'bob', message });
    const bob = await host.start('bob');
    const { state, mail } = host.mine();
    const scope = { kind: 'own', name: 'mail/bob' } as const;
    const [first] = (await state.list(scope)).entries;
    if (first === undefined) throw new Error('nothing was kept');
    // As a kill leaves it: claimed and put into the box, and not yet deleted.
    const value = first.value as { readonly kind: string; readonly payload: Record<string, string>; readonly priority: number };
    await state.set(scope, first.key, { ...value, claimedBy: bob.pid });
    await mail.createBox(bob.pid);
    await mail.send(undefined, bob.pid, { kind: value.kind, payload: value.payload, priority: value.priority, dedupeKey: first.key });
    await host.reopen();
    const other = await host.start('bob');
    expect(texts(await receive(host, other))).toEqual(['b']);
    expect(texts(await receive(host, bob))).toEqual(['a']);
  });

  it('that is only looked at is there again, however often', async () => {
    await using host = await open();
    const [ada, bob] = [await host.start('ada'), await host.start('bob')];
    for (const [message, priority] of [
      ['low', 'low'],
      ['high', 'high'],
    ] as const)
      await host.call(ada, 'comms.send', { to: 'bob', message, priority });
    for (let n = 0; n < 40; n++) expect(texts(await receive(host, bob, { acknowledge: false }))).toEqual(['high', 'low']);
    expect(await host.call(bob, 'comms.receive', { acknowledge: false, limit: 1 })).toMatchObject({ remaining: 1 });
    expect(await host.call(bob, 'comms.receive', { limit: 1 })).toMatchObject({ messages: [{ message: 'high' }], remaining: 1 });
    expect(texts(await receive(host, bob))).toEqual(['low']);
  });

  it('says who sent it, whatever it says itself', async () => {
    await using host = await open();
    const [eve, bob] = [await host.start('eve'), await host.start('bob')];
    await host.mine().mail.createBox(bob.pid);
    const payload = { from: 'ada', message: 'obey', sent_at: 1e300 };
    await host.mine().mail.send(eve.pid, bob.pid, { kind: 'comms.message', payload });
    await host.mine().mail.send(undefined, bob.pid, { kind: 'other', payload: { a: 1 } });
    await host.mine().mail.send(undefined, bob.pid, { kind: 'comms.message', payload });
    expect(await receive(host, bob)).toMatchObject([
      { from: 'eve', message: 'obey' },
      { from: '', message: '{"kind":"other","payload":{"a":1}}' },
      {},
    ]);
  });

  it('reaches nobody in another workspace, and no agent that never was', async () => {
    await using host = await open();
    const { id } = await host.kernel.workspaces.create('acme' as WorkspaceId);
    const [ada, bob] = [await host.start('ada'), await host.start('bob', id)];
    for (const to of ['bob', '__proto__', 'constructor', '*', 'mail/ada'])
      expect(await host.errorOf(ada, 'comms.send', { to, message: 'x' })).toBe('RecipientNotFound');
    for (const to of ['a\0b', 'x'.repeat(129)]) expect(await host.errorOf(ada, 'comms.send', { to, message: 'x' })).toBe('InvalidInput');
    expect(await host.call(ada, 'comms.broadcast', { message: 'all' })).toMatchObject({ delivery_count: 0 });
    await host.call(bob, 'comms.subscribe', { channel: 'news' });
    expect(await host.call(ada, 'comms.publish', { channel: 'news', message: 'x' })).toMatchObject({ delivery_count: 0 });
    expect(await receive(host, bob)).toEqual([]);
  });

  it('may hold anything, but not more than a box takes', async () => {
    await using host = await open();
    const [ada, bob] = [await host.start('ada'), await host.start('bob')];
    for (const message of ['\0', '__proto__', '\u202e💥', 'x'.repeat(262_144)]) {
      await host.call(ada, 'comms.send', { to: 'bob', message });
      expect(texts(await receive(host, bob))).toEqual([message]);
    }
    expect(await host.errorOf(ada, 'comms.send', { to: 'bob', message: '\0'.repeat(262_144) })).toBe('CommsError');
    for (let n = 0; n < 256; n++) await host.call(ada, 'comms.send', { to: 'bob', message: `${n}` });
    expect(await host.errorOf(ada, 'comms.send', { to: 'bob', message: 'one more' })).toBe('MailboxFull');
    await host.end(await host.start('cy'));
    expect(await host.call(ada, 'comms.broadcast', { message: 'all' })).toMatchObject({ delivery_count: 1, delivered: 0, queued: 1 });
  });
});

describe('a broadcast', () => {
  it('goes to those that match, running or not, and not to its sender', async () => {
    await using host = await open();
    const ada = await host.start('builder-0');
    const [one, two] = [await host.start('builder-1'), await host.start('reviewer')];
    await host.end(await host.start('builder-2'));
    expect(await host.call(ada, 'comms.broadcast', { message: 'hi', filter: { name_pattern: 'builder-*' } })).toMatchObject({
      ...{ delivery_count: 2, delivered: 1, queued: 1 },
    });
    expect(texts(await receive(host, one))).toEqual(['hi']);
    expect(await receive(host, two)).toEqual([]);
    expect(await receive(host, ada)).toEqual([]);
    expect(texts(await receive(host, await host.start('builder-2')))).toEqual(['hi']);
    expect(await host.call(ada, 'comms.broadcast', { message: 'hi', filter: { policy_group: 'x' } })).toMatchObject({ delivery_count: 0 });
  });

  it('takes a pattern for what it says, in linear time', () => {
    const cases = [
      ['*', '', true],
      ['a*', 'ab', true],
      ['*b', 'ab', true],
      ['a*a', 'a', false],
      ['a*b*c', 'axbxc', true],
      ['ab', 'abc', false],
      ['', '', true],
    ] as const;
    for (const [pattern, name, isMatch] of cases) expect([pattern, matchesName(pattern, name)]).toEqual([pattern, isMatch]);
    expect(matchesName(`${'*a'.repeat(64)}b`, 'a'.repeat(128))).toBe(false);
  });
});

describe('a channel', () => {
  it('brings what is published to those that subscribed, until they end it', async () => {
    await using host = await open();
    const [ada, bob] = [await host.start('ada'), await host.start('bob')];
    expect(await host.call(bob, 'comms.subscribe', { channel: 'builds' })).toMatchObject({ channel: 'builds' });
    expect(await host.call(ada, 'comms.publish', { channel: 'builds', message: 'green' })).toMatchObject({ delivery_count: 1 });
    await host.call(ada, 'comms.send', { to: 'bob', message: 'direct' });
    expect(await receive(host, bob, { channel: 'builds' })).toMatchObject([{ message: 'green', channel: 'builds', from: 'ada' }]);
    expect(texts(await receive(host, bob))).toEqual(['direct']);
    expect(await host.call(bob, 'comms.unsubscribe', { channel: 'builds' })).toEqual({ unsubscribed: true, channel: 'builds' });
    expect(await host.call(bob, 'comms.unsubscribe', { channel: 'builds' })).toEqual({ unsubscribed: false, channel: 'builds' });
    expect(await host.call(ada, 'comms.publish', { channel: 'builds', message: 'red' })).toMatchObject({ delivery_count: 0 });
    for (const channel of ['a\0b', '\ud800'])
      expect(await host.errorOf(ada, 'comms.publish', { channel, message: 'x' })).toBe('InvalidInput');
    expect(await host.errorOf(ada, 'comms.publish', { channel: '*', message: 'x' })).toBe('CommsError');
  });

  it('of Warren itself is neither heard nor spoken on by any other', async () => {
    await using host = await open();
    const [ada, bob] = [await host.start('ada'), await host.start('bob')];
    const acme = await host.start('ada', (await host.kernel.workspaces.create('acme' as WorkspaceId)).id);
    for (const what of ['watch', 'shared']) {
      const channel = ownChannel(what, bob.pid, 'watch_1');
      await host
        .mine()
        .mail.createBox(bob.pid)
        .catch(() => {}); // The second time it is there.
      await host.mine().mail.subscribe(bob.pid, channel);
      for (const pattern of ['**', '*']) await host.call(ada, 'comms.subscribe', { channel: pattern });
      for (const pattern of ['warren:**', `warren:${what}:*`, `warren:${what}:**`, channel])
        expect([pattern, await host.errorOf(ada, 'comms.subscribe', { channel: pattern })]).toEqual([pattern, 'CommsError']);
      for (const who of [ada, bob, acme])
        expect(await host.errorOf(who, 'comms.publish', { channel, message: 'forged' })).toBe('CommsError');
      await host.mine().mail.publish(undefined, channel, { kind: 'filesystem.watch', payload: { path: '/workspace/secret-name' } });
      expect(await receive(host, ada)).toEqual([]);
      expect(await receive(host, acme)).toEqual([]);
      expect(texts(await receive(host, bob, { channel }))).toEqual([
        '{"kind":"filesystem.watch","payload":{"path":"/workspace/secret-name"}}',
      ]);
    }
  });

  it('wakes who waits, also who only looks', async () => {
    await using host = await open();
    const [ada, bob] = [await host.start('ada'), await host.start('bob')];
    await host.call(bob, 'comms.subscribe', { channel: 'builds' });
    for (const acknowledge of [false, true]) {
      const waiting = receive(host, bob, { channel: 'builds', wait: 300, acknowledge });
      await host.call(ada, 'comms.publish', { channel: 'builds', message: 'green' });
      expect(texts(await waiting)).toContain('green');
    }
  });

  it('lets a wait be given up, and loses nothing by it', async () => {
    await using host = await open();
    const [ada, bob] = [await host.start('ada'), await host.start('bob')];
    for (const acknowledge of [false, true]) {
      const abort = new AbortController();
      const waiting = host.call(bob, 'comms.receive', { wait: 300, acknowledge }, abort.signal);
      abort.abort();
      await expect(waiting).rejects.toThrow();
      await expect(host.call(bob, 'comms.receive', { wait: 300, acknowledge }, abort.signal)).rejects.toThrow();
    }
    await host.call(ada, 'comms.send', { to: 'bob', message: 'still here' });
    expect(texts(await receive(host, bob))).toEqual(['still here']);
  });
});
