import { expect, it } from 'vitest';
import { GrowingDelays } from './growing-delays.ts';

function setUp() {
  let now = 0;
  const logins = new GrowingDelays(1_000, () => now);
  const fail = (times: number, address = '10.0.0.1'): number[] => Array.from({ length: times }, () => logins.failed(address));
  return { logins, fail, advance: (ms: number) => (now += ms) };
}

it('the first four wrong tokens cost nothing', () => {
  const { logins, fail } = setUp();
  expect(fail(4)).toEqual([0, 0, 0, 0]);
  expect(logins.waitMs('10.0.0.1')).toBe(0);
});

it('then the address waits, twice as long each time, at most a minute', () => {
  const { fail } = setUp();
  expect(fail(13).slice(4)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

it('it waits for as long as that, and then may guess again', () => {
  const { logins, fail, advance } = setUp();
  fail(5);
  expect(logins.waitMs('10.0.0.1')).toBe(1_000);
  advance(400);
  expect(logins.waitMs('10.0.0.1')).toBe(600);
  advance(600);
  expect(logins.waitMs('10.0.0.1')).toBe(0);
  expect(logins.waitMs('10.0.0.2')).toBe(0);
});

it('ten quiet minutes are forgiven', () => {
  const { fail, advance } = setUp();
  fail(10);
  advance(600_001);
  expect(fail(1)).toEqual([0]);
});

it('a guess that was right after all is taken back, and those before it count', () => {
  const { logins, fail } = setUp();
  fail(4);
  expect(fail(1)).toEqual([1_000]);
  logins.takeBack('10.0.0.1');
  expect(logins.waitMs('10.0.0.1')).toBe(0);
  expect(fail(1)).toEqual([1_000]);
  logins.takeBack('10.0.0.9');
});

it('a restart changes nothing, and no time that passed meanwhile is lost', () => {
  const { logins, fail, advance } = setUp();
  fail(7);
  fail(2, '10.0.0.2');
  advance(1_000);
  const after = new GrowingDelays(1_000, () => 50);
  after.restore(logins.kept(), 500);
  expect([after.waitMs('10.0.0.1'), after.waitMs('10.0.0.2')]).toEqual([2_500, 0]);
  expect(after.failed('10.0.0.1')).toBe(8_000);
  const late = new GrowingDelays(1_000, () => 50);
  late.restore(logins.kept(), 600_000);
  expect(late.keys).toBe(0);
});

it('a million addresses are not remembered', () => {
  const { logins } = setUp();
  for (let index = 0; index < 10_000; index++) logins.failed(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`);
  expect(logins.keys).toBe(4_096);
});
