import { expect, it } from 'vitest';
import { FailedLogins } from './failed-logins.ts';

function setUp() {
  let now = 0;
  const logins = new FailedLogins(1_000, () => now);
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

it('IPv4 in the clothes of IPv6 is the same address, and a whole IPv6 network is one', () => {
  const { logins, fail } = setUp();
  fail(5, '::ffff:10.0.0.1');
  expect(logins.waitMs('10.0.0.1')).toBe(1_000);
  fail(5, '2001:db8:0:1::1');
  expect(logins.waitMs('2001:db8:0:1:ffff:ffff:ffff:ffff')).toBe(1_000);
  expect(logins.waitMs('2001:db8:0:2::1')).toBe(0);
  expect(logins.waitMs('::1')).toBe(0);
});

it('a million addresses are not remembered', () => {
  const { logins } = setUp();
  for (let index = 0; index < 10_000; index++) logins.failed(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`);
  expect(logins.addresses).toBe(4_096);
});
