import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { serve } from '../http/serve.ts';
import { openEventStream } from '../test-support/open-event-stream.ts';
import { openTestGateway } from '../test-support/open-test-gateway.ts';
import { openRaw, requestText } from '../test-support/raw-connection.ts';

it('closing ends who waits, with an answer, and streams, and takes no new connection', async () => {
  await using on = await openTestGateway();
  using stream = await openEventStream(on, '');
  const waiting = on.call('queue.claim', { worker_id: 'w', wait_ms: 60_000 });
  // In its order on the loop: the claim waits by the time this is answered.
  await on.call('kernel.info');
  await on.served.close();
  expect(await waiting).toMatchObject({ result: { claims: [] } });
  expect(await stream.ended()).toEqual([]);
  await expect(on.send({ path: '/health' })).rejects.toThrow();
  await expect(on.send({ path: '/health', port: on.port })).rejects.toThrow();
  expect(on.served.connections).toBe(0);
});

it('closing lets a request that has begun come to its end', async () => {
  await using on = await openTestGateway();
  using raw = await openRaw({ path: on.socketPath });
  const text = requestText('{"jsonrpc":"2.0","id":1,"method":"kernel.agent.create","params":{"name":"a","template":"t"}}');
  raw.send(text.slice(0, -10));
  // The server has begun to read it once another one is answered.
  await on.call('kernel.info');
  const closing = on.served.close();
  raw.send(text.slice(-10));
  expect(await raw.closed()).toMatch(/HTTP\/1.1 200 .*connection: close.*"pid":1/is);
  await closing;
  expect((await on.kernel.workspace(DEFAULT_WORKSPACE).processes.list()).total).toBe(1);
});

it.each(['return', 'wait'] as const)(
  'closing lets a call of a capability end and answers it (on_ask: %s), and refuses the next',
  async (on_ask) => {
    await using on = await openTestGateway({ policy: 'rules: [{ capability: "*", tier: autonomous }]' });
    const { pid } = (await on.call('agent.start', { agent: 'coder', tool_grants: ['system.*'] })).result as { readonly pid: number }; // It is started.
    const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const hooks = on.platform.hooks.workspace(DEFAULT_WORKSPACE);
    hooks.register('before_tool_call', async () => {
      begun.resolve();
      await end.promise;
      return undefined;
    });
    const make = { pid, capability: 'system.time', input: {}, on_ask };
    const answering = on.call('call.make', make);
    await begun.promise;
    const closing = on.served.close();
    expect((await on.call('call.make', make)).error).toMatchObject({ data: { fault: 'unavailable' } });
    expect(JSON.parse((await on.send({ path: '/health' })).text)).toMatchObject({ status: 'draining' });
    end.resolve();
    expect((await answering).result).toMatchObject({ state: 'done' });
    await closing;
  },
);

it('closing once more with less time cuts off calls, which say so', async () => {
  await using on = await openTestGateway({ policy: 'rules: [{ capability: "*", tier: autonomous }]' });
  const { pid } = (await on.call('agent.start', { agent: 'coder', tool_grants: ['system.*'] })).result as { readonly pid: number }; // It is started.
  const begun = Promise.withResolvers<void>();
  on.platform.hooks.workspace(DEFAULT_WORKSPACE).register('before_tool_call', () => {
    begun.resolve();
    return new Promise(() => {});
  });
  const answering = on.call('call.make', { pid, capability: 'system.time', input: {} });
  await begun.promise;
  const closing = on.served.close({ drainMs: 600_000 });
  await on.served.close({ drainMs: 0 });
  expect((await answering).error).toMatchObject({ data: { fault: 'unavailable' } });
  await closing;
});

it('closing cuts off what is not done in time', async () => {
  await using on = await openTestGateway();
  using raw = await openRaw({ path: on.socketPath });
  raw.send(requestText('{}').slice(0, -1));
  await on.call('kernel.info');
  await on.served.close({ drainMs: 50 });
  expect(await raw.closed()).toBe('');
  expect(on.logged.some((line) => line.startsWith('Stopping although'))).toBe(true);
});

it('closing says goodbye to WebSockets when their calls are answered', async () => {
  await using on = await openTestGateway();
  const socket = new WebSocket(`ws+unix:${on.socketPath}:/rpc`);
  const said: string[] = [];
  socket.on('message', (data) => said.push(String(data)));
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send('{"jsonrpc":"2.0","id":"waits","method":"queue.claim","params":{"worker_id":"w","wait_ms":60000}}');
  await new Promise((resolve) => {
    socket.send('{"jsonrpc":"2.0","id":"info","method":"kernel.info"}');
    socket.once('message', resolve);
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await on.served.close();
  expect(await closed).toBe(1001);
  expect(said.map((text) => JSON.parse(text).id)).toEqual(['info', 'waits']);
});

it('closing twice is closing once', async () => {
  await using on = await openTestGateway();
  await Promise.all([on.served.close(), on.served.close()]);
  await on.served.close();
});

it('a door that does not open closes those that did', async () => {
  await using on = await openTestGateway();
  const path = `${on.directory}/second.sock`;
  const opening = serve({
    kernel: on.kernel,
    version: '1',
    listen: [
      { kind: 'unix', path },
      { kind: 'tcp', host: '127.0.0.1', port: on.port },
    ],
  });
  await expect(opening).rejects.toMatchObject({ code: 'busy', message: expect.stringContaining(`tcp:127.0.0.1:${on.port}`) });
  await expect(openRaw({ path })).rejects.toThrow();
  const again = await serve({ kernel: on.kernel, version: '1', listen: [{ kind: 'unix', path }] });
  await again.close();
});

it.each([
  [{ kind: 'tcp', host: '203.0.113.1', port: 0 }, 'invalid_argument'],
  [{ kind: 'unix', path: '/proc/warren.sock' }, 'permission_denied'],
] as const)('an address this machine does not have, as %j, is refused in words', async (address, code) => {
  await using on = await openTestGateway();
  await expect(serve({ kernel: on.kernel, version: '1', listen: [address] })).rejects.toMatchObject({ code });
});
