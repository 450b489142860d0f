import { expect, it } from 'vitest';
import { listenForReturn } from './listen-for-return.ts';

const NEVER = new AbortController().signal;

it('the browser comes back with the right state and nothing else counts', async () => {
  await using browser = await listenForReturn();
  const returned = browser.returned('right', NEVER);
  expect((await fetch(`${browser.address}?state=wrong&code=c`)).status).toBe(404);
  expect((await fetch(`${new URL(browser.address).origin}/?state=right&code=c`)).status).toBe(404);
  expect((await fetch(`${browser.address}?state=right&code=c&iss=i`)).status).toBe(200);
  expect(await returned).toEqual({ code: 'c', issuer: 'i' });
});

it('nobody waits who gave up, be it before or meanwhile', async () => {
  await using browser = await listenForReturn();
  const why = new Error('interrupted');
  await expect(browser.returned('right', AbortSignal.abort(why))).rejects.toBe(why);
  const ending = new AbortController();
  const returned = browser.returned('right', ending.signal);
  ending.abort(why);
  await expect(returned).rejects.toBe(why);
  const late = AbortSignal.abort(new DOMException('', 'TimeoutError'));
  await expect(browser.returned('right', late)).rejects.toMatchObject({ code: 'deadline' });
});
