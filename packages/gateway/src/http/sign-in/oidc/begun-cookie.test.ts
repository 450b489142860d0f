import { expect, it } from 'vitest';
import { BegunSignIns } from './begun-cookie.ts';

function setUp(usedMax: number) {
  let now = 0;
  const begun = new BegunSignIns(() => now, usedMax);
  const seal = (state: string): string => {
    const [cookie = ''] = begun.seal('corp', { state, nonce: 'n', verifier: 'v', returnTo: '/' }, false).split(';');
    return cookie;
  };
  const take = (cookie: string, state: string): boolean => begun.take({ headers: { cookie } }, 'corp', state, false) !== undefined;
  return { seal, take, advance: (ms: number) => (now += ms) };
}

it('what was begun is taken once', () => {
  const { seal, take, advance } = setUp(4);
  const cookie = seal('one');
  expect([take(cookie, 'two'), take(cookie, 'one'), take(cookie, 'one')]).toEqual([false, true, false]);
  advance(600_001);
  expect(take(cookie, 'one')).toBe(false);
});

it('however many were taken just now, they keep nobody out', () => {
  const { seal, take } = setUp(4);
  const states = Array.from({ length: 10 }, (_, index) => `state-${index}`);
  for (const state of states) expect([state, take(seal(state), state)]).toEqual([state, true]);
  for (const state of states.slice(-4)) expect([state, take(seal(state), state)]).toEqual([state, false]);
});
