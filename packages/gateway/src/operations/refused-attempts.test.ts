import type { AuditEntry } from '@warren/kernel';
import { Fault } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { type RefusedAttempt, RefusedAttempts, WINDOW_MS } from './refused-attempts.ts';

function open() {
  const state = { now: 0, isBroken: false };
  const entries: AuditEntry[] = [];
  const timers = new Map<object, { readonly at: number; readonly action: () => void }>();
  const refused = new RefusedAttempts({
    audit: {
      async append(entry) {
        if (state.isBroken) throw new Fault('store_failed', 'Cannot record in the audit: its directory was removed');
        entries.push(entry);
        return { seq: entries.length - 1, at: state.now, hash: '' };
      },
    },
    now: () => state.now,
    later(ms, action) {
      const key = {};
      timers.set(key, { at: state.now + ms, action });
      return () => void timers.delete(key);
    },
  });
  const advance = async (ms: number): Promise<void> => {
    state.now += ms;
    for (const [key, { at, action }] of [...timers]) {
      if (at > state.now) continue;
      timers.delete(key);
      action();
    }
    await new Promise(setImmediate);
  };
  return { ...{ state, entries, timers, refused, advance } };
}

function attempt(name: string, action = 'token.create'): RefusedAttempt {
  const error = { type: 'permission_denied', message: 'Cannot' };
  return { kind: 'operator', workspace: 'default', actor: { kind: 'member', name }, action, error };
}

describe('refused attempts', () => {
  it('are in the audit: the first at once, those of the next minute as a number', async () => {
    const { refused, entries, advance, timers } = open();
    for (let count = 0; count < 1_000; count += 1) await refused.add(attempt('mallory'));
    await refused.add(attempt('ann'));
    await refused.add(attempt('mallory', 'policy.reload'));
    expect(entries.map(({ action, outcome, details }) => [action, outcome, details])).toEqual([
      ['token.create', 'denied', undefined],
      ['token.create', 'denied', undefined],
      ['policy.reload', 'denied', undefined],
    ]);
    await advance(WINDOW_MS);
    expect(entries.slice(3)).toMatchObject([{ actor: { name: 'mallory' }, details: { attempts: 999, since: '1970-01-01T00:00:00.000Z' } }]);
    await advance(WINDOW_MS);
    expect([entries.length, timers.size]).toEqual([4, 0]);
  });

  it('of more kinds than are kept apart are counted together', async () => {
    const { refused, entries, timers } = open();
    for (let count = 0; count < 3_000; count += 1) await refused.add(attempt(`m${count}`));
    expect([entries.length, timers.size]).toEqual([1_025, 1_025]);
    await refused.close();
    expect(entries.slice(1_025)).toMatchObject([{ details: { attempts: 1_975 } }]);
    expect(timers.size).toBe(0);
  });

  it('that could not be written are counted until they can', async () => {
    const { refused, entries, advance, state } = open();
    state.isBroken = true;
    await refused.add(attempt('mallory'));
    await refused.add(attempt('mallory'));
    await advance(WINDOW_MS);
    expect(entries).toEqual([]);
    state.isBroken = false;
    await advance(WINDOW_MS);
    expect(entries).toMatchObject([{ details: { attempts: 2 } }]);
  });
});
