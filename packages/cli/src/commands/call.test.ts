import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { Credentials } from '../internal/credentials.ts';
import { FakeHost } from '../test-support/fake-host.ts';
import { call } from './call.ts';

/** A daemon that goes away while it carries out a call. */
async function openBreaking() {
  const server = createServer(async (request, response) => {
    const { id, method } = JSON.parse(await text(request)) as { readonly id: number; readonly method: string };
    if (method === 'call.make') request.socket.destroy();
    else response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id, result: { input_schema: {} } }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // It listens on TCP.
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

it.each([
  [
    undefined,
    /it may be carried out or not$/,
    'before you call again: warren audit search --action git.push --limit 1 --workspace acme --server ',
  ],
  ['deploy-7', /is not done twice$/, 'the same command again'],
])('a call with the key %s whose connection breaks says what is known of it', async (key, message, fix) => {
  await using server = await openBreaking();
  await using directory = await TemporaryDirectory.create();
  const host = new FakeHost({ env: { XDG_CONFIG_HOME: directory.path } });
  await new Credentials(host).save(server.url, { token: 'wrn_1' }, new AbortController().signal);
  const flags = { pid: 7, workspace: 'acme', server: server.url, ...(key !== undefined && { key }) };
  await expect(call('git.push', [], flags as Parameters<typeof call>[2], host)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(message),
    details: { is_sent: true, outcome: 'unknown', fix: key === undefined ? `${fix}${server.url}` : fix },
  });
});
