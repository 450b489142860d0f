import { serve } from '@warren/gateway';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { expect } from 'vitest';
import { shareAgents } from './agents.ts';
import { Client } from './client.ts';
import { provesGate } from './proves-gate.ts';

const agents = shareAgents();

async function connect() {
  const { kernel, platform, directory } = agents();
  const path = directory.join('run', 'warren.sock');
  const served = await serve({ kernel, platform, version: '1.2.3', listen: [{ kind: 'unix', path }] });
  return { client: new Client(path, DEFAULT_WORKSPACE), [Symbol.asyncDispose]: () => served.close() };
}

provesGate('connection:batch', async () => {
  await using connected = await connect();
  const { pid } = await agents().agent();
  const echo = (text: string) => ['call.make', { pid, capability: 'system.echo', input: { text } }] as const;
  expect(await connected.client.batch([echo('one'), echo('two')])).toMatchObject([
    { output: { text: 'one' } },
    { output: { text: 'two' } },
  ]);
});

provesGate('connection:protocol-errors', async () => {
  await using connected = await connect();
  expect(await connected.client.refused('nothing.here')).toMatchObject({ code: -32601 });
  expect(JSON.parse((await connected.client.post('{"jsonrpc": ')).text)).toMatchObject({ error: { code: -32700 } });
});
