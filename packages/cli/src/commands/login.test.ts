import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TemporaryDirectory } from '@warren/testkit';
import { expect, it } from 'vitest';
import { Credentials } from '../internal/credentials.ts';
import { takeLockFile } from '../internal/take-lock-file.ts';
import { FakeHost } from '../test-support/fake-host.ts';
import { login } from './login.ts';

it.each(['http://127.example.org', 'http://127.0.0.1.example.org', 'http://localhost.example.org', 'http://192.0.2.1'])(
  'no passphrase goes to %s in plain text',
  async (server) => {
    const host = new FakeHost({ input: 'secret' });
    await expect(login({ server, name: 'ann' }, host)).rejects.toThrow('could be read on the way');
  },
);

const SESSION = { principal: { kind: 'operator' }, name: 'ann', role: null, groups: [] };

/** Signs everybody in, with `answer`. */
async function openServer(answer: object, onSignIn: () => void = () => {}) {
  const signedOut: string[] = [];
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      onSignIn();
      response.end(JSON.stringify(answer));
    } else if (request.method === 'GET')
      response.writeHead(401).end(JSON.stringify({ code: 'unauthenticated', detail: 'Cannot know you' }));
    else {
      signedOut.push(request.headers.authorization ?? '');
      response.writeHead(204).end();
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // It listens on TCP.
  return {
    signedOut,
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const hostAt = (config: string) => new FakeHost({ input: 'secret', env: { XDG_CONFIG_HOME: config } });

it.each([
  [SESSION],
  [{ ...SESSION, token: '' }],
  [{ ...SESSION, token: null }],
  [{ ...SESSION, token: { a: 1 } }],
  [{ token: 't', principal: null }],
])('what signs in with %j is no server of ours, and nothing is kept of it', async (answer) => {
  await using server = await openServer(answer);
  await using directory = await TemporaryDirectory.create();
  const host = hostAt(directory.path);
  await expect(login({ server: server.url, name: 'ann' }, host)).rejects.toMatchObject({ code: 'protocol_error' });
  expect(existsSync(new Credentials(host).path)).toBe(false);
});

it('who logs in on several servers at once is logged in on all of them', async () => {
  await using directory = await TemporaryDirectory.create();
  const credentials = new Credentials(hostAt(directory.path));
  const { signal } = new AbortController();
  const servers = Array.from({ length: 8 }, (_, index) => `https://server-${index}.example.org`);
  await Promise.all(servers.map((server) => credentials.save(server, { token: server }, signal)));
  expect(servers.map((server) => credentials.find(server)?.token)).toEqual(servers);
  expect(existsSync(`${credentials.path}.lock`)).toBe(false);
});

it('while another command writes, nobody else does', async () => {
  await using directory = await TemporaryDirectory.create();
  const credentials = new Credentials(hostAt(directory.path));
  const { signal } = new AbortController();
  await credentials.save('https://one', { token: '1' }, signal);
  const lock = await takeLockFile(`${credentials.path}.lock`, signal);
  await expect(takeLockFile(`${credentials.path}.lock`, signal, 30)).rejects.toMatchObject({ code: 'busy' });
  const saved = credentials.save('https://two', { token: '2' }, signal);
  // As the other command does, which read before we could.
  const other = { servers: { 'https://one': { token: '1' }, 'https://three': { token: '3' } } };
  writeFileSync(credentials.path, JSON.stringify(other));
  lock[Symbol.dispose]();
  await saved;
  expect(Object.keys((JSON.parse(readFileSync(credentials.path, 'utf8')) as typeof other).servers)).toEqual([
    ...['https://one', 'https://three', 'https://two'],
  ]);
  const gaveUp = AbortSignal.abort();
  await expect(credentials.save('https://four', { token: '4' }, gaveUp)).rejects.toThrow();
});

it('a session that cannot be kept is ended, and the fault says where', async () => {
  await using directory = await TemporaryDirectory.create();
  // Then there is a file where the directory has to be.
  await using server = await openServer({ ...SESSION, token: 'wrn_1' }, () => writeFileSync(directory.join('home'), ''));
  const host = hostAt(directory.join('home'));
  const refused = login({ server: server.url, name: 'ann' }, host);
  await expect(refused).rejects.toMatchObject({
    code: 'permission_denied',
    details: { path: `${directory.join('home')}/warren/credentials.json` },
  });
  expect(server.signedOut).toEqual(['Bearer wrn_1']);
});
