/** A command that takes its time tells how far it is: over MCP, and over JSON-RPC on a WebSocket. It ends when that was told. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { GateDaemon } from '../../packages/cli/src/e2e/gate-daemon.ts';
import { PATIENCE_MS } from '../../packages/cli/src/e2e/warren.ts';
import { connectFirst, type OfficialClient } from './official-clients.ts';

vi.setConfig({ testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS });

const TOLD = /^\d+ s, 8 bytes printed: working$/;
let gate: GateDaemon;
let pid: number;

beforeAll(async () => {
  gate = await GateDaemon.start(['--listen', 'tcp:127.0.0.1:0']);
  pid = await gate.startAgent('builder');
});
afterAll(async () => await gate?.[Symbol.asyncDispose]());

/** Runs until there is a file of this name. */
function untilThere(file: string): { readonly command: string; readonly args: readonly string[] } {
  return { command: 'sh', args: ['-c', `echo working; until [ -e ${file} ]; do sleep 0.05; done`] };
}

async function letGo(file: string): Promise<void> {
  expect(await gate.call(pid, 'filesystem.write', { path: file, content: '' })).toMatchObject({ state: 'done' });
}

type ProgressClient = OfficialClient & {
  callTool(
    call: object,
    schema: undefined,
    options: { readonly onprogress: (progress: { readonly message?: string }) => void },
  ): Promise<object>;
};

it('over MCP to who gives a progressToken', async () => {
  const { token } = await gate.client.call('token.create', { workspace: 'default', pid });
  const headers = { authorization: `Bearer ${token}` };
  const client = (await connectFirst({ kind: 'http', url: `${gate.daemon.url}/mcp`, headers })) as ProgressClient; // By its documentation.
  try {
    const told: (string | undefined)[] = [];
    let went: Promise<void> | undefined;
    const onprogress = ({ message }: { readonly message?: string }): void => {
      if (told.push(message) === 1) went = letGo('by-mcp');
    };
    const result = await client.callTool({ name: 'process__run', arguments: untilThere('by-mcp') }, undefined, { onprogress });
    await went;
    expect(result).toMatchObject({ structuredContent: { exit_code: 0 } });
    expect(told[0]).toMatch(TOLD);
  } finally {
    await client.close();
  }
});

it('over JSON-RPC to who gives a progress_token, before the answer; to nobody else', async () => {
  const socket = new WebSocket(`ws+unix:${gate.path('warren.sock')}:/rpc`);
  const messages: { readonly id?: number; readonly method?: string; readonly params?: { readonly message: string } }[] = [];
  let went: Promise<void> | undefined;
  const answered = new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (data) => {
      messages.push(JSON.parse(String(data)));
      if (messages.some(({ method }) => method === 'call.progress')) went ??= letGo('by-rpc');
      if (messages.filter(({ id }) => id !== undefined).length === 2) resolve();
    });
  });
  socket.on('open', () => {
    const make = (id: number, more: object) => ({
      ...{ jsonrpc: '2.0', id, method: 'call.make' },
      params: { pid, capability: 'process.run', input: untilThere('by-rpc'), ...more },
    });
    socket.send(JSON.stringify(make(1, { progress_token: 'mine' })));
    socket.send(JSON.stringify(make(2, {})));
  });
  try {
    await answered;
    await went;
    const told = messages.filter(({ method }) => method !== undefined);
    expect(told[0]).toEqual({
      ...{ jsonrpc: '2.0', method: 'call.progress' },
      params: { progress_token: 'mine', message: expect.stringMatching(TOLD), share: null },
    });
    expect(told.every(({ params }) => JSON.stringify(params).includes('"mine"'))).toBe(true);
    expect(messages.findIndex(({ method }) => method === 'call.progress')).toBeLessThan(messages.findIndex(({ id }) => id === 1));
  } finally {
    socket.terminate();
  }
});
