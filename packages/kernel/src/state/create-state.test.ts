import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../internal/json.ts';
import { openTestKernel, type TestKernel } from '../test-support/open-test-kernel.ts';
import { createState } from './create-state.ts';
import { KEYS_MAX, QUOTAS_DEFAULT, type StateQuotas, VALUE_BYTES_MAX } from './limits.ts';
import type { StateScope } from './state.ts';

const ALICE: StateScope = { kind: 'agent', agent: 'alice' };
const SHARED: StateScope = { kind: 'shared' };

async function spawn({ mine }: TestKernel, agent?: string): Promise<number> {
  return (await mine.processes.create({ name: 'a', template: 't', agent })).pid;
}

async function events({ mine }: TestKernel) {
  const all = await mine.events.newest({ limit: 10_000 });
  return all
    .filter(({ kind }) => kind.startsWith('kernel.state.'))
    .map(({ kind, pid, payload }) => [kind.slice('kernel.state.'.length), pid, payload]);
}

/** How each ended. */
async function codes(attempts: readonly Promise<unknown>[]): Promise<readonly string[]> {
  const ended = await Promise.allSettled(attempts);
  return ended.map((each) => (each.status === 'rejected' ? String(each.reason.code) : 'done'));
}

function withQuotas({ kernel }: TestKernel, quotas: Partial<StateQuotas>) {
  return createState({ store: kernel.store.workspace(DEFAULT_WORKSPACE), quotas: { ...QUOTAS_DEFAULT, ...quotas } });
}

describe('state', () => {
  it('is any JSON, kept as it is, also over a restart', async () => {
    await using under = await openTestKernel();
    const values: JsonValue[] = [null, false, 0, -0.5, '', '\ud800\u0000', [], {}, JSON.parse('{"__proto__":{"a":1},"constructor":[]}')];
    for (const [index, value] of values.entries()) await under.mine.state.set(ALICE, `${index}`, value);
    await under.reopen();
    for (const [index, value] of values.entries()) {
      const found = await under.mine.state.get(ALICE, `${index}`);
      expect(JSON.stringify(found?.value)).toBe(JSON.stringify(value));
    }
  });

  it('is what it was when it was set, whatever becomes of the object', async () => {
    await using under = await openTestKernel({ isRehearsing: false });
    const value = { a: [1] };
    const setting = under.mine.state.set(ALICE, 'a', value);
    value.a.push(2);
    await setting;
    expect((await under.mine.state.get(ALICE, 'a'))?.value).toEqual({ a: [1] });
  });

  it('says what was there before, and counts on after a deletion', async () => {
    await using under = await openTestKernel();
    const { state } = under.mine;
    expect(await state.set(ALICE, 'a', 1)).toEqual({ version: 1, previousVersion: 0, previous: undefined });
    expect(await state.set(ALICE, 'a', 2)).toEqual({ version: 2, previousVersion: 1, previous: 1 });
    expect(await state.delete(ALICE, 'a')).toEqual({ isDeleted: true, previous: 2 });
    expect(await state.delete(ALICE, 'a')).toEqual({ isDeleted: false, previous: undefined });
    expect(await state.get(ALICE, 'a')).toBeUndefined();
    expect(await state.set(ALICE, 'a', null)).toEqual({ version: 4, previousVersion: 0, previous: undefined });
    expect(await state.clear(ALICE)).toBe(1);
    expect((await state.set(ALICE, 'a', 5)).version).toBe(5);
  });

  it('tells what changed in events, and of values only their size', async () => {
    await using under = await openTestKernel();
    const { mine, clock } = under;
    const pid = await spawn(under, 'alice');
    const session: StateScope = { kind: 'session', pid };
    await mine.state.set(session, 'a', 'secret', { by: 'alice' });
    await mine.state.set(SHARED, 'b', 'secret', { expectedVersion: 0, ttlMs: 10 });
    await mine.state.set(ALICE, 'c', 'secret');
    await mine.state.delete(ALICE, 'c', { by: 'alice' });
    await mine.state.clear(session);
    clock.advance(10);
    await under.kernel.purger.purge();
    const expiresAt = clock.now();
    expect(await events(under)).toEqual([
      ['set', pid, { scope: `session:${pid}`, key: 'a', version: 1, size_bytes: 8, expires_at: null, by: 'alice' }],
      ['set', undefined, { scope: 'shared', key: 'b', version: 1, size_bytes: 8, expires_at: expiresAt, by: null }],
      ['set', undefined, { scope: 'agent:alice', key: 'c', version: 1, size_bytes: 8, expires_at: null, by: null }],
      ['deleted', undefined, { scope: 'agent:alice', key: 'c', version: 2, size_bytes: 8, by: 'alice' }],
      ['cleared', pid, { scope: `session:${pid}`, keys: 1, by: null }],
      ['expired', undefined, { scope: 'shared', key: 'b', version: 1, size_bytes: 8 }],
    ]);
    expect(JSON.stringify(await mine.events.newest({ limit: 100 }))).not.toContain('secret');
  });

  it('refuses keys, values, scopes and options that are none, and writes nothing', async () => {
    await using under = await openTestKernel();
    const { state } = under.mine;
    const deep = JSON.parse(`${'['.repeat(66)}${']'.repeat(66)}`);
    const cycle: unknown[] = [];
    cycle.push(cycle);
    const any = (value: unknown) => value as never; // Hostile.
    const attempts: readonly (readonly [Promise<unknown>, string])[] = [
      ...['', 'a\u0000', 'a\n', 'a\u007f', '\u009b', '\ud800', 'x'.repeat(513), 'x'.repeat(10_000_000), any(5), any(null), any({ toString: () => 'a' })].flatMap(
        (key) => [[state.set(ALICE, key, 1), 'invalid_argument'], [state.get(ALICE, key), 'invalid_argument'], [state.delete(ALICE, key), 'invalid_argument'], [state.history(ALICE, key), 'invalid_argument']] as const,
      ),
      ...[undefined, Number.NaN, 1n, () => 1, Symbol('a'), [Number.POSITIVE_INFINITY], deep, cycle].map((value) => [state.set(ALICE, 'a', any(value)), 'invalid_argument'] as const),
      [state.set(ALICE, 'a', 'x'.repeat(VALUE_BYTES_MAX - 1)), 'too_large'],
      [state.set(ALICE, 'a', 'é'.repeat(VALUE_BYTES_MAX / 2)), 'too_large'],
      [state.set(ALICE, 'a', Array(100_001).fill(0)), 'too_large'],
      ...[{ kind: 'agent', agent: '' }, { kind: 'agent', agent: 'a\u0000' }, { kind: 'agent' }, { kind: 'session', pid: 0 }, { kind: 'session', pid: '1' }, { kind: '__proto__' }, {}, null].map(
        (scope) => [state.set(any(scope), 'a', 1), 'invalid_argument'] as const,
      ),
      ...[{ ttlMs: 0 }, { ttlMs: 0.5 }, { ttlMs: Number.POSITIVE_INFINITY }, { expectedVersion: -1 }, { expectedVersion: 1.5 }, { access: { read: [], write: [] } }, { by: any(7) }, { by: 'a\n' }].map(
        (options) => [state.set(ALICE, 'a', 1, options), 'invalid_argument'] as const,
      ),
      ...[{}, { read: ['*'] }, { read: [''], write: [] }, { read: '*', write: [] }, { read: Array(101).fill('a'), write: [] }, null].map(
        (access) => [state.set(SHARED, 'a', 1, { expectedVersion: 0, access: any(access) }), 'invalid_argument'] as const,
      ),
      [state.set(SHARED, 'a', 1), 'invalid_argument'],
      [state.delete(SHARED, 'a'), 'invalid_argument'],
      [state.list(ALICE, { prefix: '\ud800' }), 'invalid_argument'],
      [state.list(ALICE, { after: any(7) }), 'invalid_argument'],
      [state.set({ kind: 'session', pid: 99 }, 'a', 1), 'unknown_pid'],
    ]; // biome-ignore format: a table
    expect(await codes(attempts.map(([attempt]) => attempt))).toEqual(attempts.map(([, code]) => code));
    expect(await events(under)).toEqual([]);
  });

  it('takes keys and values of just the size that is allowed', async () => {
    await using under = await openTestKernel({ isRehearsing: false });
    const key = '\u{1f600}'.repeat(512);
    const value = 'x'.repeat(VALUE_BYTES_MAX - 2);
    await under.mine.state.set(ALICE, key, value);
    expect(await under.mine.state.get(ALICE, key)).toMatchObject({ value, sizeBytes: VALUE_BYTES_MAX });
  });

  it('of one workspace is not there for another', async () => {
    await using under = await openTestKernel();
    const other = under.kernel.workspace((await under.kernel.workspaces.create('other' as WorkspaceId)).id); // Valid.
    await under.mine.state.set(SHARED, 'a', 1, { expectedVersion: 0 });
    expect(await other.state.get(SHARED, 'a')).toBeUndefined();
    expect((await other.state.set(SHARED, 'a', 2, { expectedVersion: 0 })).version).toBe(1);
    expect((await under.mine.state.get(SHARED, 'a'))?.value).toBe(1);
  });
});

describe('state of a session', () => {
  it('ends with its process, at once for everybody, and its rows go', async () => {
    await using under = await openTestKernel({ isRehearsing: false });
    const { mine, kernel } = under;
    const pid = await spawn(under);
    const session: StateScope = { kind: 'session', pid };
    await Promise.all(Array.from({ length: 2_500 }, (_, index) => mine.state.set(session, `${index}`, index)));
    await mine.processes.end(pid, 'completed');
    expect(await mine.state.get(session, '1')).toBeUndefined();
    expect(await mine.state.list(session)).toEqual({ entries: [], next: undefined, totalBytes: 0, count: 0 });
    expect(await mine.state.history(session, '1')).toEqual([]);
    expect(await mine.state.quota(session)).toMatchObject({ usedBytes: 0, keys: 0 });
    expect(await mine.state.clear(session)).toBe(0);
    await expect(mine.state.set(session, '1', 1)).rejects.toMatchObject({ code: 'illegal_transition' });
    await expect(mine.state.delete(session, '1')).rejects.toMatchObject({ code: 'illegal_transition' });
    expect((await events(under)).at(-1)).toEqual(['cleared', pid, { scope: `session:${pid}`, keys: 2_500, by: null }]);
    await kernel.purger.purge();
    const rows = kernel.store.workspace(DEFAULT_WORKSPACE);
    expect(await rows.read(({ state }) => [state.size(`session:${pid}`), state.find(`session:${pid}`, '1'), state.nextDue()])).toEqual([{ bytes: 0, keys: 0 }, undefined, undefined]); // biome-ignore format: one line
  });

  it('that ended while the kernel was down is deleted after its start', async () => {
    await using under = await openTestKernel();
    const pid = await spawn(under);
    await under.mine.state.set({ kind: 'session', pid }, 'a', 1);
    await under.reopen({ recovery: 'end' as never });
    await under.mine.processes.end(pid, 'completed').catch(() => {}); // Or it has been.
    await under.kernel.purger.purge();
    expect(await under.kernel.store.workspace(DEFAULT_WORKSPACE).read(({ state }) => state.endedScopes(9))).toEqual([]);
  });

  it('is for its own agent alone', async () => {
    await using under = await openTestKernel();
    const { state } = under.mine;
    const pid = await spawn(under, 'alice');
    const nobodys = await spawn(under);
    const session: StateScope = { kind: 'session', pid };
    await state.set(session, 'a', 1, { by: 'alice' });
    for (const by of ['eve', '']) {
      expect(await state.get(session, 'a', { by })).toBeUndefined();
      expect(
        await codes([
          state.set(session, 'a', 2, { by }),
          state.delete(session, 'a', { by }),
          state.list(session, { by }),
          state.clear(session, { by }),
        ]),
      ).toEqual(Array(4).fill('permission_denied'));
    }
    await expect(state.set({ kind: 'session', pid: nobodys }, 'a', 1, { by: 'alice' })).rejects.toMatchObject({
      code: 'permission_denied',
    });
    expect((await state.set({ kind: 'session', pid: nobodys }, 'a', 1, { by: '' })).version).toBe(1);
  });
});

describe('state of an agent', () => {
  it('keeps a hundred versions of a key, deletions among them', async () => {
    await using under = await openTestKernel({ isRehearsing: false });
    const { state } = under.mine;
    for (let version = 1; version <= 120; version++) {
      if (version === 110) await state.delete(ALICE, 'a', { by: 'alice' });
      else await state.set(ALICE, 'a', version, { by: 'alice' });
    }
    const history = await state.history(ALICE, 'a');
    expect(history.map(({ version }) => version)).toEqual(Array.from({ length: 100 }, (_, index) => 120 - index));
    expect(history[10]).toMatchObject({ version: 110, isDeletion: true, value: undefined, by: 'alice' });
    expect((await state.history(ALICE, 'a', 2)).map(({ value }) => value)).toEqual([120, 119]);
    expect((await state.get(ALICE, 'a', { version: 21 }))?.value).toBe(21);
    expect(await Promise.all([20, 110, 121, 0, -1, 0.5].map((version) => state.get(ALICE, 'a', { version })))).toEqual(
      Array(6).fill(undefined),
    );
    await state.delete(ALICE, 'a');
    expect((await state.get(ALICE, 'a', { version: 120 }))?.value).toBe(120);
  });

  it('is for nobody else', async () => {
    await using under = await openTestKernel();
    const { state } = under.mine;
    await state.set(ALICE, 'a', 1, { by: 'alice' });
    for (const by of ['eve', '', 'Alice', 'alice*', '*']) {
      expect(await state.get(ALICE, 'a', { by })).toBeUndefined();
      expect(await state.get(ALICE, 'a', { by, version: 1 })).toBeUndefined();
      expect(
        await codes([
          state.set(ALICE, 'a', 2, { by }),
          state.delete(ALICE, 'a', { by }),
          state.list(ALICE, { by }),
          state.clear(ALICE, { by }),
        ]),
      ).toEqual(Array(4).fill('permission_denied'));
    }
    for (const agent of ['alic', 'alice:', 'al', 'alice\u0000'.slice(0, 5).toUpperCase()]) {
      expect(await state.get({ kind: 'agent', agent }, 'a')).toBeUndefined();
    }
  });
});

describe('shared state', () => {
  it('is changed by exactly one of many who know the same version', async () => {
    await using under = await openTestKernel({ isRehearsing: false });
    const { state } = under.mine;
    for (let round = 0; round < 5; round++) {
      const writers = Array.from({ length: 50 }, (_, index) => state.set(SHARED, 'a', index, { expectedVersion: round, by: `w${index}` }));
      const done = await Promise.allSettled(writers);
      const winner = done.findIndex(({ status }) => status === 'fulfilled');
      expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect((await state.get(SHARED, 'a'))?.value).toBe(winner);
      const lost = done.find(({ status }) => status === 'rejected') as PromiseRejectedResult; // 49 of them.
      expect(lost.reason).toMatchObject({ code: 'conflict', details: { expected_version: round, actual_version: round + 1 } });
    }
  });

  it('of a version that was deleted is not mistaken for what came after it', async () => {
    await using under = await openTestKernel();
    const { state } = under.mine;
    await state.set(SHARED, 'a', 1, { expectedVersion: 0 });
    await state.delete(SHARED, 'a', { expectedVersion: 1 });
    await expect(state.set(SHARED, 'a', 2, { expectedVersion: 1 })).rejects.toMatchObject({
      code: 'conflict',
      details: { actual_version: 0 },
    });
    expect((await state.set(SHARED, 'a', 2, { expectedVersion: 0 })).version).toBe(3);
    await expect(state.delete(SHARED, 'a', { expectedVersion: 1 })).rejects.toMatchObject({ code: 'conflict' });
    expect(await state.delete(SHARED, 'b', { expectedVersion: 0 })).toEqual({ isDeleted: false, previous: undefined });
  });

  it('is read and written by whom its owner lets, and by operators', async () => {
    await using under = await openTestKernel();
    const { state } = under.mine;
    const access = { read: ['read-*', 'both'], write: ['write-*', 'both'] };
    await state.set(SHARED, 'a', 'one', { expectedVersion: 0, by: 'alice', access });
    const reads = await Promise.all(
      ['alice', 'read-er', 'both', 'write-r', 'eve', '', 'xread-', undefined].map((by) => state.get(SHARED, 'a', { by })),
    );
    expect(reads.map((found) => found?.value)).toEqual(['one', 'one', 'one', undefined, undefined, undefined, undefined, 'one']);
    for (const by of ['read-er', 'eve', '']) {
      await expect(state.set(SHARED, 'a', 'x', { expectedVersion: 1, by })).rejects.toMatchObject({ code: 'permission_denied' });
      await expect(state.set(SHARED, 'a', 'x', { expectedVersion: 9, by })).rejects.toMatchObject({
        code: 'permission_denied',
        details: undefined,
      });
      await expect(state.delete(SHARED, 'a', { expectedVersion: 1, by })).rejects.toMatchObject({ code: 'permission_denied' });
    }
    expect(await state.set(SHARED, 'a', 'two', { expectedVersion: 1, by: 'write-r' })).toEqual({
      version: 2,
      previousVersion: 1,
      previous: undefined,
    });
    expect((await state.set(SHARED, 'a', 'three', { expectedVersion: 2, by: 'both' })).previous).toBe('two');
    expect(await state.get(SHARED, 'a')).toMatchObject({ owner: 'alice', access });
    const opening = { expectedVersion: 3, access: { read: ['*'], write: ['*'] } };
    await expect(state.set(SHARED, 'a', 'x', { ...opening, by: 'both' })).rejects.toMatchObject({ code: 'permission_denied' });
    await state.set(SHARED, 'a', 'four', { ...opening, by: 'alice' });
    expect((await state.get(SHARED, 'a', { by: 'eve' }))?.value).toBe('four');
  });

  it('of the operator is not owned by a process without an agent', async () => {
    await using under = await openTestKernel();
    const { state } = under.mine;
    const access = { read: ['alice'], write: ['alice'] };
    await state.set(SHARED, 'a', 1, { expectedVersion: 0, access });
    expect(await state.get(SHARED, 'a', { by: '' })).toBeUndefined();
    await expect(state.set(SHARED, 'a', 2, { expectedVersion: 1, by: '' })).rejects.toMatchObject({ code: 'permission_denied' });
  });

  it('in a list has no trace of keys that one may not read', async () => {
    await using under = await openTestKernel({ isRehearsing: false });
    const { state } = under.mine;
    const access = { read: [], write: ['*'] };
    for (let index = 0; index < 30; index++) {
      await state.set(SHARED, `k${String(index).padStart(2, '0')}`, index, {
        expectedVersion: 0,
        by: 'alice',
        ...(index % 3 > 0 && { access }),
      });
    }
    const pages: string[] = [];
    for (let after: string | undefined; ; ) {
      const { entries, next } = await state.list(SHARED, { by: 'eve', limit: 4, after });
      pages.push(entries.map(({ key }) => key).join());
      if (next === undefined) break;
      expect(entries.at(-1)?.key).toBe(next);
      after = next;
    }
    expect(pages).toEqual(['k00,k03,k06,k09', 'k12,k15,k18,k21', 'k24,k27']);
    expect(await state.list(SHARED, { by: 'eve', prefix: 'k01' })).toEqual({ entries: [], next: undefined, totalBytes: 0, count: 0 });
    expect((await state.list(SHARED, { by: 'alice' })).entries).toHaveLength(30);
    await expect(state.clear(SHARED, { by: 'alice' })).rejects.toMatchObject({ code: 'permission_denied' });
    expect(await state.clear(SHARED)).toBe(30);
  });
});

describe('what state may hold', () => {
  it('is counted to the byte, versions too, and what is refused changes nothing', async () => {
    await using under = await openTestKernel();
    const state = withQuotas(under, { sessionBytes: 20, agentBytes: 20, sharedBytes: 20 });
    const pid = await spawn(under);
    const text = (bytes: number) => 'x'.repeat(bytes - 2);
    for (const scope of [{ kind: 'session', pid }, SHARED] as const) {
      await state.set(scope, 'a', text(12), { expectedVersion: 0 });
      await state.set(scope, 'b', text(8), { expectedVersion: 0 });
      expect(await state.quota(scope)).toEqual({ usedBytes: 20, limitBytes: 20, keys: 2 });
      await expect(state.set(scope, 'c', 1, { expectedVersion: 0 })).rejects.toMatchObject({
        code: 'quota_exceeded',
        details: { dim: 'state_bytes', used: 20, hard_limit: 20 },
      });
      await expect(state.set(scope, 'a', text(13), { expectedVersion: 1 })).rejects.toMatchObject({ code: 'quota_exceeded' });
      await state.set(scope, 'a', text(12), { expectedVersion: 1 });
      await state.delete(scope, 'b', { expectedVersion: 1 });
      await state.set(scope, 'c', text(8), { expectedVersion: 0 });
      expect(await state.quota(scope)).toMatchObject({ usedBytes: 20, keys: 2 });
    }
    expect((await state.get(SHARED, 'a'))?.version).toBe(2);
  });

  it('goes to values before it goes to the history of the key that is set', async () => {
    await using under = await openTestKernel();
    const state = withQuotas(under, { agentBytes: 20 });
    for (const letter of ['a', 'b', 'c', 'd']) await state.set(ALICE, 'k', letter.repeat(4));
    expect((await state.history(ALICE, 'k')).map(({ version }) => version)).toEqual([4, 3, 2]);
    expect(await state.quota(ALICE)).toMatchObject({ usedBytes: 18 });
    await state.set(ALICE, 'k', 'e'.repeat(18));
    expect((await state.history(ALICE, 'k')).map(({ version }) => version)).toEqual([5]);
    await expect(state.set(ALICE, 'k', 'e'.repeat(19))).rejects.toMatchObject({ code: 'quota_exceeded' });
    await expect(state.set(ALICE, 'l', 1)).rejects.toMatchObject({ code: 'quota_exceeded' });
  });

  it('is free again the moment that something expires', async () => {
    await using under = await openTestKernel();
    const state = withQuotas(under, { agentBytes: 10 });
    await state.set(ALICE, 'a', 'x'.repeat(8), { ttlMs: 10 });
    await expect(state.set(ALICE, 'b', 1)).rejects.toMatchObject({ code: 'quota_exceeded' });
    under.clock.advance(10);
    await state.set(ALICE, 'b', 1);
    expect(await state.quota(ALICE)).toMatchObject({ usedBytes: 1, keys: 1 });
  });

  it('is so many keys in a scope', async () => {
    await using under = await openTestKernel({ isRehearsing: false });
    const store = under.kernel.store.workspace(DEFAULT_WORKSPACE);
    const row = { scope: 'agent:alice', value: 1, version: 1, sizeBytes: 1, createdAt: 1, updatedAt: 1, expiresAt: undefined, writer: '', owner: '', readers: undefined, writers: undefined }; // biome-ignore format: one line
    await store.write(({ state }) => {
      for (let index = 0; index < KEYS_MAX; index++) state.put({ ...row, key: `${index}` }, 0);
    });
    await expect(under.mine.state.set(ALICE, 'more', 1)).rejects.toMatchObject({
      code: 'quota_exceeded',
      details: { dim: 'state_keys', hard_limit: KEYS_MAX },
    });
    expect((await under.mine.state.set(ALICE, '7', 2)).version).toBe(2);
    expect(await under.mine.state.clear(ALICE)).toBe(KEYS_MAX);
  }, 60_000);
});

describe('what expires', () => {
  it('is deleted by the timer, and told of', async () => {
    await using under = await openTestKernel();
    await under.mine.state.set(ALICE, 'a', 1, { ttlMs: 1 });
    const told = new Promise<void>((resolve) => {
      under.kernel.store.onCommit((_, all) => {
        if (all.some(({ kind }) => kind === 'kernel.state.expired')) resolve();
      });
    });
    under.clock.advance(2_000);
    await under.mine.state.set(ALICE, 'b', 1, { ttlMs: 1 }); // The clock of a test moves no timer; this has it look again.
    await told;
    expect((await events(under)).filter(([kind]) => kind === 'expired')).toHaveLength(1);
  });

  it('lives as long as the last set says', async () => {
    await using under = await openTestKernel();
    const { mine, clock } = under;
    await mine.state.set(ALICE, 'a', 1, { ttlMs: 10 });
    clock.advance(9);
    await mine.state.set(ALICE, 'a', 2, { ttlMs: 10 });
    clock.advance(9);
    expect((await mine.state.get(ALICE, 'a'))?.expiresAt).toBe(clock.now() + 1);
    await mine.state.set(ALICE, 'a', 3);
    clock.advance(10);
    expect((await mine.state.get(ALICE, 'a'))?.value).toBe(3);
  });
});

it('lists keys by exactly their prefix', async () => {
  await using under = await openTestKernel();
  const { state } = under.mine;
  const keys = ['%', '%a', '_', '_a', 'a', 'a%', 'ab', 'ä', '\u{10ffff}', '\u{10ffff}a', '__proto__', 'constructor', "'; --"];
  for (const key of keys) await state.set(ALICE, key, 1);
  const list = async (prefix: string) => (await state.list(ALICE, { prefix })).entries.map(({ key }) => key);
  for (const prefix of ['', ...keys, 'zz']) {
    expect((await list(prefix)).toSorted()).toEqual(keys.filter((key) => key.startsWith(prefix)).toSorted());
  }
  expect(await state.list(ALICE, { limit: 3, prefix: '' })).toMatchObject({
    count: keys.length,
    totalBytes: keys.length,
    next: "'; --",
  });
});
