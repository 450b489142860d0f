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

it('a million callers are not remembered', () => {
  const rates = new RequestRates({ requestsPerSecond: 10, requestsAtOnce: 3 });
  for (let index = 0; index < 10_000; index++) rates.take(member(`m${index}`));
  expect(rates.callers).toBe(4_096);
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
