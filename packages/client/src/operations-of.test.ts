import { expect, it } from 'vitest';
import type { Client } from './client.ts';
import { operationsOf } from './operations-of.ts';

it('operations are methods, with the parameters and results of the contract', async () => {
  const calls: unknown[] = [];
  const client = { call: async (...args: readonly unknown[]) => calls.push(args) } as unknown as Pick<Client, 'call'>; // What it answers is not looked at.
  const { agent, kernel, token } = operationsOf(client);
  await agent.list();
  await kernel.agent.get({ pid: 7 }, { timeoutMs: 5 });
  // @ts-expect-error: which token is not said
  await token.revoke();
  // @ts-expect-error: a pid is a number
  await kernel.agent.get({ pid: 'seven' });
  // @ts-expect-error: there is no such operation
  kernel.agent.frobnicate;
  expect(calls.slice(0, 2)).toEqual([
    ['agent.list', {}, undefined],
    ['kernel.agent.get', { pid: 7 }, { timeoutMs: 5 }],
  ]);
});

it('a noun can be waited for, which gives the noun', async () => {
  const { agent } = operationsOf({ call: () => Promise.reject(new Error('This is not called')) });
  expect(await agent).toBe(agent);
});
