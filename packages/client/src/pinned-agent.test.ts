import { once } from 'node:events';
import { request } from 'node:https';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { connect } from './connect.ts';
import { PinnedAgent, readFingerprint } from './pinned-agent.ts';

const FINGERPRINT = 'ab'.repeat(32);

/** Takes connections, and says nothing. */
async function silentServer() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // It listens on TCP.
  return {
    port,
    url: `https://127.0.0.1:${port}`,
    taken: async () => {
      const [socket] = (await once(server, 'connection')) as [Socket];
      const closed = once(socket.on('error', () => {}).resume(), 'close');
      return { closed };
    },
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

it('what a caller gives up ends while the certificate was not seen', async () => {
  await using server = await silentServer();
  await using client = connect({ url: server.url, token: 't', fingerprint: FINGERPRINT, attemptsMax: 1 });
  const gaveUp = new AbortController();
  const taken = server.taken();
  const call = client.call('kernel.info', {}, { signal: gaveUp.signal });
  const { closed } = await taken;
  gaveUp.abort();
  await expect(call).rejects.toMatchObject({ code: 'aborted' });
  await closed;
  await expect(client.call('kernel.info', {}, { signal: gaveUp.signal })).rejects.toMatchObject({ code: 'aborted' });
});

it('so does a call that takes too long, and one whose client is closed', async () => {
  await using server = await silentServer();
  const hasty = connect({ url: server.url, token: 't', fingerprint: FINGERPRINT, attemptsMax: 1, timeoutMs: 50 });
  const first = server.taken();
  await expect(hasty.call('kernel.info', {})).rejects.toMatchObject({ code: 'deadline' });
  await (await first).closed;
  await hasty.close();

  const patient = connect({ url: server.url, token: 't', fingerprint: FINGERPRINT, attemptsMax: 1, timeoutMs: 0 });
  const second = server.taken();
  const call = expect(patient.call('kernel.info', {})).rejects.toMatchObject({
    code: 'unavailable',
  });
  const { closed } = await second;
  await patient.close();
  await call;
  await closed;
});

it('and nobody waits for a certificate forever', async () => {
  await using server = await silentServer();
  const agent = new PinnedAgent(readFingerprint(FINGERPRINT), {}, 50);
  const taken = server.taken();
  const asked = request({ host: '127.0.0.1', port: server.port, agent }).end();
  await expect(once(asked, 'response')).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  await (await taken).closed;
  agent.destroy();
});
