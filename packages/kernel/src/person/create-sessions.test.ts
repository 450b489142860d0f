import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { expect, it } from 'vitest';
import { openTestKernel } from '../test-support/open-test-kernel.ts';
import type { TokenRecord } from '../token/tokens.ts';

const HOUR_MS = 3_600_000;
const ANN = { name: 'ann', workspace: DEFAULT_WORKSPACE, role: 'approver', groups: ['ops'] } as const;

async function signIn(on: Awaited<ReturnType<typeof openTestKernel>>, name = 'ann') {
  const made = await on.kernel.sessions.open(await on.kernel.people.get(name));
  if (made === undefined) throw new Error('There is no session');
  return made;
}

it('a session is a token of the person, with role and groups, for twelve hours', async () => {
  await using on = await openTestKernel();
  await on.kernel.people.create(ANN);
  const { token } = await signIn(on);
  expect(await on.kernel.tokens.identify(token)).toMatchObject({
    principal: { kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'approver' },
    ...{ person: 'ann', owner: 'ann', groups: ['ops'], label: 'session', expiresAt: on.clock.now() + 12 * HOUR_MS },
  });
  on.clock.advance(12 * HOUR_MS);
  expect(await on.kernel.tokens.identify(token)).toBeUndefined();
});

it('an operator who signs in is one', async () => {
  await using on = await openTestKernel();
  await on.kernel.people.create({ name: 'root' });
  expect((await signIn(on, 'root')).record.principal).toEqual({ kind: 'operator' });
});

it('use moves its end, once an hour and up to seven days', async () => {
  await using on = await openTestKernel();
  await on.kernel.people.create(ANN);
  await on.kernel.people.create({ name: 'root' });
  for (const name of ['ann', 'root']) {
    const start = on.clock.now();
    const { token, record } = await signIn(on, name);
    expect(await on.kernel.sessions.use(record)).toBe(record.expiresAt);
    on.clock.advance(HOUR_MS - 1);
    expect(await on.kernel.sessions.use(record)).toBe(start + 12 * HOUR_MS);
    let last: TokenRecord | undefined = record;
    for (let used = 0; last !== undefined && used < 100; used++) {
      on.clock.advance(11 * HOUR_MS);
      last = await on.kernel.tokens.identify(token);
      if (last !== undefined) await on.kernel.sessions.use(last);
    }
    expect(last).toBeUndefined();
    const { expiresAt } = await on.kernel.tokens.get(record.id);
    expect(expiresAt).toBe(start + 7 * 24 * HOUR_MS);
  }
});

it('a token that nobody signed in for, or that was revoked, is not moved', async () => {
  await using on = await openTestKernel();
  const { tokens, sessions, people } = on.kernel;
  const made = await tokens.create({ kind: 'operator' }, { expiresAt: on.clock.now() + HOUR_MS });
  expect(await sessions.use(made.record)).toBeUndefined();
  await people.create(ANN);
  const { record } = await signIn(on);
  await tokens.revoke(record.id);
  on.clock.advance(2 * HOUR_MS);
  expect(await sessions.use(record)).toBe(record.expiresAt);
  expect((await tokens.get(record.id)).expiresAt).toBe(record.expiresAt);
});

it('who was changed, disabled or deleted after showing who it is gets none', async () => {
  await using on = await openTestKernel();
  const { people, sessions, tokens } = on.kernel;
  const shown = await people.create(ANN);
  on.clock.advance(1);
  await people.update('ann', { passphrase: 'another passphrase' });
  expect(await sessions.open(shown)).toBeUndefined();
  expect((await tokens.list()).filter(({ revokedAt }) => revokedAt === undefined)).toEqual([]);
  const changed = await people.get('ann');
  await people.setDisabled('ann', true);
  await expect(sessions.open(changed)).rejects.toMatchObject({ code: 'illegal_transition' });
  await people.delete('ann');
  await expect(sessions.open(changed)).rejects.toMatchObject({ code: 'not_found' });
});

it('of more than 32 sessions of one person the oldest end, and nobody else is touched', async () => {
  await using on = await openTestKernel();
  const { tokens } = on.kernel;
  await on.kernel.people.create(ANN);
  await on.kernel.people.create({ ...ANN, name: 'bob' });
  const bobs = await signIn(on, 'bob');
  const made = [];
  for (let count = 0; count < 34; count++) {
    on.clock.advance(1);
    made.push(await signIn(on));
  }
  const isGood = await Promise.all([...made, bobs].map(async ({ token }) => (await tokens.identify(token)) !== undefined));
  expect(isGood).toEqual([false, false, ...Array.from({ length: 33 }, () => true)]);
});
