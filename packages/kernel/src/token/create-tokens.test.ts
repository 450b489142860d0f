import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_WORKSPACE, type WorkspaceId } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTestKernel } from '../test-support/open-test-kernel.ts';
import { createTokens } from './create-tokens.ts';
import type { Principal, TokenRecord } from './tokens.ts';

const OPERATOR: Principal = { kind: 'operator' };
const MEMBER: Principal = { kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'admin' };
const process = (pid: number): Principal => ({ kind: 'process', workspace: DEFAULT_WORKSPACE, pid });

async function openTokens() {
  const on = await openTestKernel();
  return { on, tokens: createTokens({ store: on.kernel.store }), [Symbol.asyncDispose]: () => on[Symbol.asyncDispose]() };
}

describe('a token', () => {
  it('speaks for whom it was made, an operator, a member or a process', async () => {
    await using with_ = await openTokens();
    const { pid } = await with_.on.mine.processes.create({ name: 'a', template: 't' });
    for (const principal of [OPERATOR, MEMBER, process(pid)]) {
      const { token, record } = await with_.tokens.create(principal);
      expect(token).toMatch(/^wrn_[A-Za-z0-9_-]{43}$/);
      expect(await with_.tokens.authenticate(token)).toEqual(principal);
      expect(record.principal).toEqual(principal);
    }
  });

  it('goes on speaking after a restart', async () => {
    await using with_ = await openTokens();
    const { token } = await with_.tokens.create(OPERATOR);
    await with_.on.reopen();
    expect(await createTokens({ store: with_.on.kernel.store }).authenticate(token)).toEqual(OPERATOR);
  });

  it('is nowhere on disk', async () => {
    await using with_ = await openTokens();
    const { token } = await with_.tokens.create(MEMBER, { label: 'laptop' });
    await with_.on.kernel.store.close();
    const bytes = readFileSync(join(with_.on.directory, 'kernel.db'));
    expect(bytes.includes('laptop')).toBe(true);
    expect(bytes.includes(token.slice(4))).toBe(false);
    expect(bytes.includes(Buffer.from(token.slice(4), 'base64url'))).toBe(false);
  });

  it('ends when it expires', async () => {
    await using with_ = await openTokens();
    const { token } = await with_.tokens.create(MEMBER, { expiresAt: with_.on.clock.now() + 1_000 });
    with_.on.clock.advance(999);
    expect(await with_.tokens.authenticate(token)).toEqual(MEMBER);
    with_.on.clock.advance(1);
    expect(await with_.tokens.authenticate(token)).toBeUndefined();
  });

  it('ends when it is revoked, once', async () => {
    await using with_ = await openTokens();
    for (const principal of [OPERATOR, MEMBER]) {
      const { token, record } = await with_.tokens.create(principal);
      expect(await with_.tokens.revoke(record.id)).toEqual([record.id]);
      expect(await with_.tokens.revoke(record.id)).toEqual([]);
      expect(await with_.tokens.authenticate(token)).toBeUndefined();
      expect(await with_.tokens.get(record.id)).toMatchObject({ revokedAt: with_.on.clock.now() });
    }
  });

  it('ends with its process', async () => {
    await using with_ = await openTokens();
    const { pid } = await with_.on.mine.processes.create({ name: 'a', template: 't' });
    const { token } = await with_.tokens.create(process(pid));
    await with_.on.mine.processes.end(pid, 'completed');
    expect(await with_.tokens.authenticate(token)).toBeUndefined();
  });

  it.each(['', 'wrn_', 'x', `wrn_${'A'.repeat(42)}`, `wrn_${'A'.repeat(44)}`, `wrn_${'A'.repeat(43)}\n`, 'A'.repeat(1_000_000)])(
    'is nobody when it is %j',
    async (text) => {
      await using with_ = await openTokens();
      expect(await with_.tokens.authenticate(text)).toBeUndefined();
    },
  );

  it('that ended is known all the same, and one that never was is not', async () => {
    await using with_ = await openTokens();
    const { pid } = await with_.on.mine.processes.create({ name: 'a', template: 't' });
    const good = await with_.tokens.create(MEMBER);
    const expired = await with_.tokens.create(MEMBER, { expiresAt: with_.on.clock.now() + 1 });
    const revoked = await with_.tokens.create(OPERATOR);
    const ofDead = await with_.tokens.create(process(pid));
    with_.on.clock.advance(1);
    await with_.tokens.revoke(revoked.record.id);
    await with_.on.mine.processes.end(pid, 'completed');
    for (const { token } of [good, expired, revoked, ofDead]) expect(await with_.tokens.isKnown(token)).toBe(true);
    for (const text of ['', 'x', `wrn_${'A'.repeat(43)}`, `${good.token}x`]) expect(await with_.tokens.isKnown(text)).toBe(false);
  });

  it('is nobody when one character differs', async () => {
    await using with_ = await openTokens();
    const { token } = await with_.tokens.create(OPERATOR);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 4, max: 45 }), fc.constantFrom(...'ABab01_-'), async (at, character) => {
        const other = token.slice(0, at) + character + token.slice(at + 1);
        expect(await with_.tokens.authenticate(other)).toEqual(other === token ? OPERATOR : undefined);
      }),
      { numRuns: 50 },
    );
  });
});

describe('creating a token', () => {
  it('is recorded in its workspace without the token, and so is revoking it', async () => {
    await using with_ = await openTokens();
    const { pid } = await with_.on.mine.processes.create({ name: 'a', template: 't' });
    const { record, token } = await with_.tokens.create(process(pid), { label: 'worker' });
    await with_.tokens.revoke(record.id);
    const events = (await with_.on.mine.events.newest({ limit: 2 })).map(({ pid, kind, payload }) => ({ pid, kind, payload }));
    expect(events).toEqual([
      {
        pid,
        kind: 'kernel.token.created',
        payload: { token_id: record.id, principal: 'process', label: 'worker', expires_at: null },
      },
      { pid, kind: 'kernel.token.revoked', payload: { token_id: record.id, principal: 'process' } },
    ]);
    expect(JSON.stringify(events)).not.toContain(token.slice(4));
  });

  it('for an operator leaves no event in any workspace', async () => {
    await using with_ = await openTokens();
    const before = await with_.on.mine.events.extent();
    const { record } = await with_.tokens.create(OPERATOR);
    await with_.tokens.revoke(record.id);
    expect(await with_.on.mine.events.extent()).toEqual(before);
  });

  it('is refused for a workspace or a process that does not exist, or is DEAD', async () => {
    await using with_ = await openTokens();
    const nobody = 'nobody' as WorkspaceId; // Valid, and there is none.
    await expect(with_.tokens.create({ kind: 'member', workspace: nobody, role: 'admin' })).rejects.toMatchObject({ code: 'not_found' });
    await expect(with_.tokens.create(process(7))).rejects.toMatchObject({ code: 'unknown_pid', details: { pid: 7 } });
    const { pid } = await with_.on.mine.processes.create({ name: 'a', template: 't' });
    await with_.on.mine.processes.end(pid, 'completed');
    await expect(with_.tokens.create(process(pid))).rejects.toMatchObject({ code: 'illegal_transition' });
  });

  it.each([0, -1, 1_800_000_000_000, Number.NaN, Number.POSITIVE_INFINITY, 1e300, 1_900_000_000_000.5])(
    'is refused when it shall expire at %d',
    async (expiresAt) => {
      await using with_ = await openTokens();
      await expect(with_.tokens.create(OPERATOR, { expiresAt })).rejects.toMatchObject({
        code: 'invalid_argument',
        details: { field: 'expires_at' },
      });
    },
  );

  it.each(['a\nb', '\0', 'x'.repeat(257), '\ud800'])('is refused with the label %j', async (label) => {
    await using with_ = await openTokens();
    await expect(with_.tokens.create(MEMBER, { label })).rejects.toMatchObject({ code: 'invalid_argument', details: { field: 'label' } });
  });

  it('is refused beyond the limit, until some ended', async () => {
    await using with_ = await openTokens();
    const { store } = with_.on.kernel;
    const expiresAt = with_.on.clock.now() + 1;
    await store.workspace(DEFAULT_WORKSPACE).write(({ tokens }) => {
      for (let index = 0; index < 10_000; index++) {
        tokens.insert({
          id: `token ${index}`,
          hash: `hash ${index}`,
          pid: undefined,
          agent: undefined,
          person: undefined,
          role: undefined,
          label: '',
          owner: `token ${index}`,
          madeBy: undefined,
          groups: [],
          expiresAt,
        });
      }
    });
    await expect(with_.tokens.create(MEMBER)).rejects.toMatchObject({ code: 'too_large', details: { limit: 10_000 } });
    await expect(with_.tokens.create(OPERATOR)).resolves.toBeDefined();
    with_.on.clock.advance(1);
    const { token } = await with_.tokens.create(MEMBER);
    expect(await with_.tokens.authenticate(token)).toEqual(MEMBER);
  });
});

describe('the list of tokens', () => {
  it('has those of one workspace or all, and never the tokens themselves', async () => {
    await using with_ = await openTokens();
    const other = 'other' as WorkspaceId; // Valid.
    await with_.on.kernel.workspaces.create(other);
    const made = [await with_.tokens.create(OPERATOR), await with_.tokens.create(MEMBER, { label: 'laptop' })];
    const ofOther = await with_.tokens.create({ kind: 'member', workspace: other, role: 'admin' });
    expect((await with_.tokens.list(DEFAULT_WORKSPACE)).map(({ label }) => label)).toEqual(['laptop']);
    expect((await with_.tokens.list(other)).map(({ id }) => id)).toEqual([ofOther.record.id]);
    const all = await with_.tokens.list();
    expect(new Set(all.map(({ id }) => id))).toEqual(new Set([...made, ofOther].map(({ record }) => record.id)));
    for (const { token } of made) expect(JSON.stringify(all)).not.toContain(token.slice(4));
  });

  it('does not have what is not there to get', async () => {
    await using with_ = await openTokens();
    await expect(with_.tokens.get('token_0000000000000000')).rejects.toMatchObject({ code: 'not_found' });
    expect(await with_.tokens.revoke('token_0000000000000000')).toEqual([]);
  });
});

describe('a token that a member makes', () => {
  it('is of the same person, in the same groups, and ends no later', async () => {
    await using with_ = await openTokens();
    const { tokens } = with_;
    const expiresAt = with_.on.clock.now() + 1_000;
    const { record: maker } = await tokens.create(MEMBER, { label: 'mallory', groups: ['ops', 'law'], expiresAt });
    expect(maker).toMatchObject({ owner: 'mallory', madeBy: undefined });
    const { record: second } = await tokens.create(MEMBER, { label: 'alice', maker });
    expect(second).toMatchObject({ label: 'alice', owner: 'mallory', madeBy: maker.id, groups: ['ops', 'law'], expiresAt });
    const { record: third } = await tokens.create(MEMBER, { maker: second, groups: ['law'], owner: 'mallory', expiresAt: expiresAt - 1 });
    expect(third).toMatchObject({ owner: 'mallory', madeBy: second.id, groups: ['law'], expiresAt: expiresAt - 1 });
    expect((await tokens.list(DEFAULT_WORKSPACE)).map(({ owner }) => owner)).toEqual(['mallory', 'mallory', 'mallory']);
  });

  it.each([
    ['owner', { owner: 'alice' }],
    ['groups', { groups: ['ops', 'law'] }],
    ['expires_at', { expiresAt: Number.MAX_SAFE_INTEGER }],
  ])('is refused when it would be more: %s', async (field, more) => {
    await using with_ = await openTokens();
    const expiresAt = with_.on.clock.now() + 1_000;
    const { record: maker } = await with_.tokens.create(MEMBER, { label: 'mallory', groups: ['ops'], expiresAt });
    await expect(with_.tokens.create(MEMBER, { ...more, maker })).rejects.toMatchObject({ code: 'permission_denied', details: { field } });
    expect(await with_.tokens.list(DEFAULT_WORKSPACE)).toHaveLength(1);
  });
});

describe('a token that was made with one that is revoked', () => {
  it('is worthless too, and what was made with it, and no other', async () => {
    await using with_ = await openTokens();
    const { tokens, on } = with_;
    const make = async (maker?: TokenRecord) => await tokens.create(MEMBER, { maker });
    const [leaked, other] = [await make(), await make()];
    const [one, two] = [await make(leaked.record), await make(leaked.record)];
    const three = await make(one.record);
    const kept = await make(other.record);
    expect(new Set(await tokens.revoke(leaked.record.id))).toEqual(new Set([leaked, one, two, three].map(({ record }) => record.id)));
    for (const { token } of [leaked, one, two, three]) expect(await tokens.authenticate(token)).toBeUndefined();
    for (const { token } of [other, kept]) expect(await tokens.authenticate(token)).toEqual(MEMBER);
    expect(await on.mine.events.newest({ kind: 'kernel.token.revoked', limit: 10 })).toHaveLength(4);
  });

  it('is not made, also when that was presented before', async () => {
    await using with_ = await openTokens();
    const { tokens } = with_;
    const { record: maker } = await tokens.create(MEMBER);
    await tokens.revoke(maker.id);
    await expect(tokens.create(MEMBER, { maker })).rejects.toMatchObject({ code: 'permission_denied' });
    expect(await tokens.list(DEFAULT_WORKSPACE)).toHaveLength(1);
  });
});

describe('the label of a token', () => {
  it('is that of no other that people can use, and free again when that has ended', async () => {
    await using with_ = await openTokens();
    const { tokens, on } = with_;
    const taken = { code: 'conflict', details: { field: 'label' } };
    const { record } = await tokens.create(MEMBER, { label: 'ada' });
    await expect(tokens.create(MEMBER, { label: 'ada' })).rejects.toMatchObject(taken);
    await tokens.create(OPERATOR, { label: 'ada' });
    await expect(tokens.create(OPERATOR, { label: 'ada' })).rejects.toMatchObject(taken);
    await tokens.revoke(record.id);
    const again = await tokens.create(MEMBER, { label: 'ada', expiresAt: on.clock.now() + 1 });
    expect(again.record.owner).toBe(record.owner);
    on.clock.advance(1);
    await tokens.create(MEMBER, { label: 'ada' });
    for (let each = 0; each < 2; each++) await tokens.create(MEMBER);
  });
});
