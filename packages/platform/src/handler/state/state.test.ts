/** Values of sessions, of agents and of all: whose they are, and that they stay theirs. */
import type { WorkspaceId } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { createCommsHandlers } from '../comms/create-comms-handlers.ts';
import { HandlerHost } from '../test-support/handler-host.ts';
import { createStateHandlers } from './create-state-handlers.ts';

const open = () => HandlerHost.open(({ now }) => ({ ...createStateHandlers(), ...createCommsHandlers({ now }) }));
const NUL_KEYS = ['a\0b', 'a\nb', '\ud800', 'x'.repeat(513)];

describe('state', () => {
  it('of a session belongs to one process and ends with it', async () => {
    await using host = await open();
    const [ada, other] = [await host.start('ada'), await host.start('ada')];
    expect(await host.call(ada, 'state.session.set', { key: 'k', value: [1] })).toEqual({ previous_value: null, overwritten: false });
    expect(await host.call(ada, 'state.session.set', { key: 'k', value: null })).toEqual({ previous_value: [1], overwritten: true });
    expect(await host.call(ada, 'state.session.get', { key: 'k' })).toEqual({ value: null, found: true });
    expect(await host.call(other, 'state.session.get', { key: 'k' })).toEqual({ value: null, found: false });
    expect(await host.call(ada, 'state.session.list')).toEqual({ keys: ['k'], count: 1, next: null });
    expect(await host.call(ada, 'state.session.clear')).toEqual({ removed_count: 1 });
    expect(await host.call(ada, 'state.session.delete', { key: 'k' })).toEqual({ previous_value: null, deleted: false });
    await host.end(ada);
    expect(await host.errorOf(ada, 'state.session.set', { key: 'k', value: 1 })).toBe('SessionNotFound');
  });

  it('of an agent is for this agent in this workspace alone, survives a restart and keeps 100 versions', async () => {
    await using host = await open();
    const elsewhere = (await host.kernel.workspaces.create('acme' as WorkspaceId)).id;
    const [ada, bob, twin] = [await host.start('ada'), await host.start('bob'), await host.start('ada', elsewhere)];
    for (let n = 1; n <= 101; n++) await host.call(ada, 'state.persistent.set', { key: 'plan', value: n });
    await host.reopen();
    for (const stranger of [bob, twin]) {
      expect(await host.call(stranger, 'state.persistent.get', { key: 'plan' })).toMatchObject({ found: false, value: null, version: 0 });
      expect(await host.call(stranger, 'state.persistent.list')).toMatchObject({ entries: [], total_size_bytes: 0 });
      expect(await host.call(stranger, 'state.persistent.history', { key: 'plan' })).toEqual({ versions: [], count: 0 });
      expect(await host.call(stranger, 'state.persistent.query', { prefix: '' })).toMatchObject({ entries: [] });
    }
    const { versions } = await host.call(ada, 'state.persistent.history', { key: 'plan', limit: 100 });
    expect((versions as { version: number }[]).map(({ version }) => version)).toEqual(Array.from({ length: 100 }, (_, n) => 101 - n));
    expect(await host.call(ada, 'state.persistent.get', { key: 'plan', version: 2 })).toMatchObject({ value: 2, found: true });
    expect(await host.call(ada, 'state.persistent.delete', { key: 'plan' })).toEqual({ deleted: true });
    expect(await host.call(ada, 'state.persistent.delete', { key: 'plan' })).toEqual({ deleted: false });
    // As its definition says: what it was can still be read, and set again.
    expect(await host.call(ada, 'state.persistent.get', { key: 'plan' })).toMatchObject({ found: false, value: null });
    expect(await host.call(ada, 'state.persistent.get', { key: 'plan', version: 101 })).toMatchObject({ found: true, value: 101 });
  });

  it('goes when its time is over', async () => {
    await using host = await open();
    const ada = await host.start('ada');
    await host.call(ada, 'state.persistent.set', { key: 'p', value: 1, ttl_seconds: 60 });
    await host.call(ada, 'state.shared.set', { key: 's', value: 1, expected_version: 0, ttl_seconds: 60 });
    host.time += 59_999;
    expect(await host.call(ada, 'state.shared.get', { key: 's' })).toMatchObject({ found: true });
    host.time += 1;
    expect(await host.call(ada, 'state.persistent.get', { key: 'p' })).toMatchObject({ found: false });
    expect(await host.call(ada, 'state.shared.get', { key: 's' })).toMatchObject({ found: false });
    expect(await host.call(ada, 'state.shared.list')).toMatchObject({ count: 0 });
  });

  it('that is shared is changed by one of two who knew the same version', async () => {
    await using host = await open();
    const [ada, bob] = [await host.start('ada'), await host.start('bob')];
    const set = (who: typeof ada) =>
      host.ask(who, 'state.shared.set', { key: 'n', value: who.agent, expected_version: 0 }, new AbortController().signal);
    const answers = await Promise.all([set(ada), set(bob)]);
    expect(answers.map((answer) => (answer.kind === 'done' ? answer.output : answer.error.type))).toEqual([
      { version: 1 },
      'VersionConflict',
    ]);
    const conflict = answers[1];
    expect(conflict.kind === 'failed' && 'context' in conflict.error && conflict.error.context).toEqual({
      expected_version: 0,
      actual_version: 1,
    });
    expect(await host.errorOf(bob, 'state.shared.delete', { key: 'n', expected_version: 7 })).toBe('VersionConflict');
    expect(await host.call(bob, 'state.shared.delete', { key: 'n' })).toEqual({ deleted: true });
  });

  it('that is shared is closed to whom its owner does not name', async () => {
    await using host = await open();
    const [ada, bob] = [await host.start('ada'), await host.start('bob')];
    await host.call(ada, 'state.shared.set', {
      key: 'own',
      value: 'secret',
      expected_version: 0,
      access: { read: ['ada'], write: ['ada'] },
    });
    expect(await host.call(bob, 'state.shared.get', { key: 'own' })).toMatchObject({ found: false, value: null, owner_agent: null });
    expect(await host.call(bob, 'state.shared.list')).toMatchObject({ entries: [], total_size_bytes: 0 });
    expect(await host.errorOf(bob, 'state.shared.set', { key: 'own', value: 1, expected_version: 1 })).toBe('AccessDenied');
    expect(await host.errorOf(bob, 'state.shared.delete', { key: 'own', expected_version: 1 })).toBe('AccessDenied');
    expect(await host.call(bob, 'state.shared.delete', { key: 'own' })).toEqual({ deleted: false });
  });

  it('of Warren itself is out of reach, whatever an agent is called', async () => {
    await using host = await open();
    const ada = await host.start('ada');
    await host.start('bob').then((bob) => host.end(bob));
    await host.call(ada, 'comms.send', { to: 'bob', message: 'for bob' });
    for (const name of ['warren/mail', 'warren/mail/bob', 'mail/bob', 'own:mail/bob', 'watches', '__proto__']) {
      const squatter = await host.start(name);
      expect(await host.call(squatter, 'state.persistent.query', { prefix: '' })).toMatchObject({ entries: [] });
      await expect(host.mine().state.list({ kind: 'own', name: 'mail/bob' }, { by: name })).rejects.toMatchObject({
        code: 'permission_denied',
      });
      expect(await host.mine().state.get({ kind: 'own', name: 'mail/bob' }, 'call_00000001', { by: name })).toBeUndefined();
    }
    expect((await host.mine().state.quota({ kind: 'own', name: 'mail/bob' })).keys).toBe(1);
  });

  it('takes hostile keys and values for what they are', async () => {
    await using host = await open();
    const ada = await host.start('ada');
    for (const key of ['__proto__', 'constructor', '../..', '%00', "'; DROP TABLE state; --", '💥'.repeat(256)]) {
      const value = { constructor: { prototype: 1 }, toString: 1 };
      await host.call(ada, 'state.persistent.set', { key, value });
      expect(JSON.stringify((await host.call(ada, 'state.persistent.get', { key }))['value'])).toBe(JSON.stringify(value));
      expect(await host.call(ada, 'state.session.get', { key })).toMatchObject({ found: false });
    }
    const polluting = JSON.parse('{"__proto__":{"polluted":true}}');
    expect(await host.errorOf(ada, 'state.session.set', { key: 'k', value: polluting })).toBe('InvalidInput');
    for (const key of NUL_KEYS) {
      for (const name of ['state.session.set', 'state.persistent.set'])
        expect(await host.errorOf(ada, name, { key, value: 1 })).toBe('InvalidInput');
      expect(await host.errorOf(ada, 'state.shared.set', { key, value: 1, expected_version: 0 })).toBe('InvalidInput');
    }
    const deep = JSON.parse(`${'['.repeat(70)}${']'.repeat(70)}`);
    expect(await host.errorOf(ada, 'state.session.set', { key: 'deep', value: deep })).toBe('InvalidInput');
    expect(['QuotaExceeded', 'InvalidInput']).toContain(
      await host.errorOf(ada, 'state.session.set', { key: 'big', value: 'x'.repeat(1_048_577) }),
    );
    expect(await host.call(ada, 'state.session.list')).toMatchObject({ count: 0 });
    const nobody = await host.start('');
    expect(await host.errorOf(nobody, 'state.persistent.set', { key: 'k', value: 1 })).toBe('InvalidInput');
  });
});

describe('a watch of shared values', () => {
  it('tells of keys with its prefix that its process may read, on a channel of its own', async () => {
    await using host = await open();
    const [ada, bob, eve] = [await host.start('ada'), await host.start('bob'), await host.start('eve')];
    const { channel } = await host.call(bob, 'state.shared.watch', { prefix: 'jobs.' });
    for (const key of ['jobs.1', 'other']) await host.call(ada, 'state.shared.set', { key, value: 1, expected_version: 0 });
    await host.call(ada, 'state.shared.set', { key: 'jobs.hidden', value: 1, expected_version: 0, access: { read: ['ada'] } });
    await host.call(ada, 'state.shared.delete', { key: 'jobs.1' });
    const { messages } = await host.call(bob, 'comms.receive', { channel: String(channel) });
    const told = (messages as { message: string }[]).map(({ message }) => JSON.parse(message));
    expect(told).toEqual([
      { key: 'jobs.1', version: 1, change: 'set', by: 'ada' },
      { key: 'jobs.1', version: 1, change: 'deleted', by: 'ada' },
    ]);
    for (const name of ['comms.subscribe', 'comms.publish'])
      expect(await host.errorOf(eve, name, { channel: String(channel), ...(name === 'comms.publish' ? { message: 'forged' } : {}) })).toBe(
        'CommsError',
      );
    await host.call(eve, 'comms.subscribe', { channel: '**' });
    await host.call(ada, 'state.shared.set', { key: 'jobs.2', value: 1, expected_version: 0 });
    expect(await host.call(eve, 'comms.receive')).toMatchObject({ messages: [] });
  });

  it('ends with its subscription and with its process, and is forgotten', async () => {
    await using host = await open();
    const [ada, bob, eve] = [await host.start('ada'), await host.start('bob'), await host.start('eve')];
    const { channel } = await host.call(bob, 'state.shared.watch');
    await host.call(eve, 'state.shared.watch');
    await host.call(bob, 'comms.unsubscribe', { channel: String(channel) });
    await host.end(eve);
    await host.call(ada, 'state.shared.set', { key: 'k', value: 1, expected_version: 0 });
    expect(await host.call(bob, 'comms.receive')).toMatchObject({ messages: [] });
    expect((await host.mine().state.quota({ kind: 'own', name: 'watches' })).keys).toBe(0);
    for (let n = 0; n < 100; n++) await host.call(bob, 'state.shared.watch', { prefix: `${n}.` });
    expect(await host.errorOf(bob, 'state.shared.watch', { prefix: '100.' })).toBe('SubscriptionFailed');
    await host.call(bob, 'state.shared.watch', { prefix: '99.' });
  });
});
