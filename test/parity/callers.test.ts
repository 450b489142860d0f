import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Daemon } from './daemon.ts';
import { proves } from './proves.ts';

const INFO = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'kernel.info', params: {} });

/** The status of a call over TCP, each on a connection of its own. */
async function statusWith(own: Daemon, token: string | undefined): Promise<number> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const headers = { host: `127.0.0.1:${own.port}`, 'warren-workspace': 'default', ...authorization };
  return (await own.client.send({ method: 'POST', path: '/rpc', port: own.port, headers }, INFO)).status;
}

/** Guesses until that is refused unseen. Each failure beyond the free ones doubles the time to wait, so a slow machine only needs a few more. */
async function guess(own: Daemon): Promise<readonly number[]> {
  const statuses: number[] = [];
  while (statuses.at(-1) !== 429 && statuses.length < 30) statuses.push(await statusWith(own, `wrong-${statuses.length}`));
  return statuses;
}

proves('wire:wrong-tokens', 'an address that guesses is locked out, over all its connections', async () => {
  await using own = await Daemon.start();
  const tokenOfMember = async () => (await own.client.call('token.create', {})).token;
  const known = await tokenOfMember();
  expect([await statusWith(own, undefined), await statusWith(own, known)]).toEqual([401, 200]);
  const [free, locked] = [(await guess(own)).slice(0, -1), await guess(own)];
  expect([new Set(free), free.length > 2, locked.at(-1)]).toEqual([new Set([401]), true, 429]);
  // Nobody else from there waits for it: neither who was known before, nor a token that was never seen, nor the unix socket.
  const fresh = await tokenOfMember();
  const others = [await statusWith(own, known), await statusWith(own, fresh), (await own.client.post(INFO)).status];
  expect(others).toEqual([200, 200, 200]);
});

/** Every file of a directory and its size. */
function sizesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${path} ${statSync(path).size}`)
    .toSorted();
}

proves('wire:wrong-tokens', 'callers who name themselves, or do not, leave nothing behind', async () => {
  await using own = await Daemon.start();
  await own.client.call('kernel.info');
  const before = sizesBelow(own.directory.path);
  for (let index = 0; index < 100; index++) {
    const { status, headers } = await own.client.post(INFO, index % 2 === 0 ? {} : { 'x-client-id': `client-${index}` });
    expect([status, headers['x-client-id']]).toEqual([200, index % 2 === 0 ? undefined : `client-${index}`]);
  }
  expect(sizesBelow(own.directory.path)).toEqual(before);
});
