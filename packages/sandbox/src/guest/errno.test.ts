import { constants } from 'node:os';
import { expect, it } from 'vitest';
import { errnoName } from './errno.ts';

it('errnoName agrees with the C library on every error that both know', () => {
  const aliases: Readonly<Record<string, string>> = { EWOULDBLOCK: 'EAGAIN', ENOTSUP: 'EOPNOTSUPP', EDEADLOCK: 'EDEADLK' };
  for (const [name, number] of Object.entries(constants.errno)) expect(errnoName(number)).toBe(aliases[name] ?? name);
});

it('errnoName reaches to the end of the table and says the number of what is not in it', () => {
  expect([errnoName(133), errnoName(132), errnoName(122), errnoName(40)]).toEqual(['EHWPOISON', 'ERFKILL', 'EDQUOT', 'ELOOP']);
  expect([errnoName(0), errnoName(41), errnoName(134), errnoName(-1), errnoName(99_999)]).toEqual(
    [0, 41, 134, -1, 99_999].map((number) => `errno ${number}`),
  );
});
