import { expect, it } from 'vitest';
import { FailedLogins } from './failed-logins.ts';

function setUp() {
  let now = 0;
  const logins = new FailedLogins(1_000, () => now);
  const fail = (times: number, address = '10.0.0.1', token = 'wrong'): number[] =>
    Array.from({ length: times }, () => logins.failed(address, token));
  return { logins, fail, advance: (ms: number) => (now += ms) };
}

it('the first four wrong tokens cost nothing', () => {
  const { logins, fail } = setUp();
  expect(fail(4)).toEqual([0, 0, 0, 0]);
  expect(logins.waitMs('10.0.0.1', 'wrong')).toBe(0);
});

it('then the address waits, twice as long each time, at most a minute', () => {
  const { fail } = setUp();
  expect(fail(13).slice(4)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

it('while it waits no token from there is looked at, also a right one that is new; afterwards all are', () => {
  const { logins, fail, advance } = setUp();
  fail(5);
  expect(logins.waitMs('10.0.0.1', 'right')).toBe(1_000);
  advance(400);
  expect(logins.waitMs('10.0.0.1', 'right')).toBe(600);
  advance(600);
  expect(logins.waitMs('10.0.0.1', 'right')).toBe(0);
});

it('a token that was good from there before goes on, until it fails', () => {
  const { logins, fail } = setUp();
  logins.succeeded('10.0.0.1', 'good');
  fail(20);
  expect(logins.waitMs('10.0.0.1', 'good')).toBe(0);
  expect(logins.waitMs('10.0.0.2', 'wrong')).toBe(0);
  logins.failed('10.0.0.1', 'good');
  expect(logins.waitMs('10.0.0.1', 'good')).toBe(60_000);
});

it('a good token takes nothing back', () => {
  const { logins, fail } = setUp();
  fail(4);
  logins.succeeded('10.0.0.1', 'good');
  expect(fail(1)).toEqual([1_000]);
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
  expect(logins.waitMs('10.0.0.1', 'x')).toBe(1_000);
  fail(5, '2001:db8:0:1::1');
  expect(logins.waitMs('2001:db8:0:1:ffff:ffff:ffff:ffff', 'x')).toBe(1_000);
  expect(logins.waitMs('2001:db8:0:2::1', 'x')).toBe(0);
  expect(logins.waitMs('::1', 'x')).toBe(0);
});

it('a million addresses are not remembered', () => {
  const { logins } = setUp();
  for (let index = 0; index < 10_000; index++) logins.failed(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, 'x');
  expect(logins.addresses).toBe(4_096);
});
