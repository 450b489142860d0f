import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { expect, it } from 'vitest';
import { openTestGateway } from '../test-support/open-test-gateway.ts';
import { RequestRates } from './request-rates.ts';

const member = (name: string) =>
  ({ principal: { kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'viewer' }, name, token: 't' }) as const;

it('a caller may send so many at once, and then as many as flow in', () => {
  let now = 0;
  const rates = new RequestRates({ requestsPerSecond: 10, requestsAtOnce: 3 }, () => now);
  const take = (count: number, name = 'ann') => Array.from({ length: count }, () => rates.take(member(name)));
  expect(take(5)).toEqual([0, 0, 0, 100, 100]);
  expect(take(1, 'bob')).toEqual([0]);
  now += 250;
  expect(take(4)).toEqual([0, 0, 50, 50]);
  now += 60_000;
  expect(take(4)).toEqual([0, 0, 0, 100]);
  const operator = { principal: { kind: 'operator' }, name: undefined, token: undefined } as const;
  expect(Array.from({ length: 9 }, () => rates.take(operator))).toEqual(Array.from({ length: 9 }, () => 0));
});

it('a batch is all its requests: together or not at all, and one too large for ever is owed', () => {
  let now = 0;
  const rates = new RequestRates({ requestsPerSecond: 10, requestsAtOnce: 5 }, () => now);
  const batch = (count: number): number => rates.take(member('ann')) || rates.takeMore(member('ann'), count - 1);
  expect([batch(3), batch(3)]).toEqual([0, 200]); // The second has taken a place for its message.
  expect(rates.take(member('ann'))).toBe(0);
  now += 300;
  expect([batch(3), batch(1)]).toEqual([0, 100]);
  now += 500;
  expect(batch(1_000)).toBe(0);
  now += 99_000;
  expect(batch(1)).toBeGreaterThan(0);
  now += 1_000;
  expect(batch(1)).toBe(0);
});

it('a million callers are not remembered', () => {
  const rates = new RequestRates({ requestsPerSecond: 10, requestsAtOnce: 3 });
  for (let index = 0; index < 10_000; index++) rates.take(member(`m${index}`));
  expect(rates.callers).toBe(4_096);
});

it('over HTTP a batch is as many as there are in it, and is refused whole', async () => {
  await using on = await openTestGateway({ limits: { requestsPerSecond: 0.01, requestsAtOnce: 10 } });
  const { token } = await on.kernel.tokens.create({ kind: 'operator' }, { owner: 'ann' });
  const batch = (count: number) => {
    const calls = Array.from({ length: count }, (_, id) => ({
      jsonrpc: '2.0',
      id,
      method: 'workspace.create',
      params: { workspace: `w${id}` },
    }));
    return on.post(JSON.stringify(calls), { headers: { authorization: `Bearer ${token}` } });
  };
  expect((await batch(6)).status).toBe(200);
  const refused = await batch(8);
  expect([refused.status, Number(refused.headers['retry-after']) > 400]).toEqual([429, true]);
  expect((await on.call('workspace.list')).result?.['workspaces']).toHaveLength(7);
});

it('who sends too many is told when to come back, whatever token it takes, and nobody else is', async () => {
  await using on = await openTestGateway({ limits: { requestsPerSecond: 0.01, requestsAtOnce: 2 } });
  const tokens = on.kernel.tokens;
  const of = { kind: 'member', workspace: DEFAULT_WORKSPACE, role: 'viewer' } as const;
  const [one, other] = [await tokens.create(of, { owner: 'ann', label: 'a' }), await tokens.create(of, { owner: 'ann', label: 'b' })];
  const bobs = await tokens.create(of, { owner: 'bob', label: 'c' });
  const ask = (token: string) => on.send({ path: '/api/session', headers: { authorization: `Bearer ${token}` } });
  expect([(await ask(one.token)).status, (await ask(other.token)).status]).toEqual([200, 200]);
  const refused = await ask(one.token);
  expect([refused.status, refused.headers['content-type']]).toEqual([429, 'application/problem+json']);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(90);
  expect((await ask(bobs.token)).status).toBe(200);
  expect((await on.call('kernel.info')).result).toBeDefined();
});
