import { expect, it } from 'vitest';
import { Semaphore } from './semaphore.ts';

it('lets so many in, and the others in their order as places become free', async () => {
  const semaphore = new Semaphore(2, 10);
  const order: number[] = [];
  const [first, second] = [await semaphore.acquire('go'), await semaphore.acquire('go')];
  const waiting = [3, 4, 5].map(async (number) => {
    using _place = await semaphore.acquire('go');
    order.push(number);
  });
  await Promise.resolve();
  expect(order).toEqual([]);
  first[Symbol.dispose]();
  second[Symbol.dispose]();
  await Promise.all(waiting);
  expect(order).toEqual([3, 4, 5]);
});

it('refuses who comes when too many wait', async () => {
  const semaphore = new Semaphore(1, 1);
  using place = await semaphore.acquire('go');
  const waiting = semaphore.acquire('go');
  await expect(semaphore.acquire('go')).rejects.toMatchObject({ code: 'busy' });
  place[Symbol.dispose]();
  (await waiting)[Symbol.dispose]();
});

it('a place is given back once, however often that is said', async () => {
  const semaphore = new Semaphore(1, 1);
  const place = await semaphore.acquire('go');
  place[Symbol.dispose]();
  place[Symbol.dispose]();
  using _one = await semaphore.acquire('go');
  let isIn = false;
  const waiting = semaphore.acquire('go').then((held) => {
    isIn = true;
    return held;
  });
  await Promise.resolve();
  expect(isIn).toBe(false);
  _one[Symbol.dispose]();
  (await waiting)[Symbol.dispose]();
});
