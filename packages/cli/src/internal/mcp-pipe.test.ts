import { Fault, type JsonObject } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { McpPipe } from './mcp-pipe.ts';
import type { McpWireEvents, OpenMcpWire } from './mcp-wire.ts';

type Daemon = { readonly events: McpWireEvents; readonly got: JsonObject[]; until(count: number): Promise<void> };

/** A pipe between a client, whose part the test plays, and daemons that it starts one after the other. */
function createPipe() {
  const written: JsonObject[] = [];
  const said: string[] = [];
  const opened: Daemon[] = [];
  const watchers = new Set<() => void>();
  const wake = (): void => {
    for (const watcher of [...watchers]) watcher();
  };
  const when = (isThere: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!isThere()) return;
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      look();
    });
  const failures: Fault[] = [];
  const open: OpenMcpWire = async (events) => {
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
    const got: JsonObject[] = [];
    opened.push({ events, got, until: (count) => when(() => got.length >= count) });
    wake();
    return {
      send: async (text) => {
        got.push(JSON.parse(text) as JsonObject);
        wake();
      },
      pause: () => {},
      resume: () => {},
      close: () => events.onClose(''),
    };
  };
  const pipe = new McpPipe({
    open,
    write: async (text) => {
      expect(text).toMatch(/^[^\n]*\n$/);
      written.push(JSON.parse(text) as JsonObject);
      wake();
    },
    say: (text) => {
      said.push(text);
      wake();
    },
    signal: new AbortController().signal,
    sleep: async () => {},
  });
  const daemon = async (index: number): Promise<Daemon> => {
    await when(() => opened.length > index);
    return opened[index] as Daemon; // It is there by now.
  };
  return {
    pipe,
    written,
    said,
    failures,
    daemon,
    ...{
      untilWritten: (count: number) => when(() => written.length >= count),
      untilSaid: (count: number) => when(() => said.length >= count),
    },
  };
}

const INITIALIZE = { jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {} } };

describe('the pipe between a client and the daemon', () => {
  it('passes on what it does not understand, and answers what is not JSON', async () => {
    const { pipe, written, daemon } = createPipe();
    await pipe.begin();
    const first = await daemon(0);
    for (const message of [{ anything: 1 }, [1, 2], 5]) await pipe.take(JSON.stringify(message));
    await pipe.take('{');
    first.events.onMessage('{"jsonrpc":"2.0",\n"id":7,"result":{}}');
    expect(first.got).toEqual([{ anything: 1 }, [1, 2], 5]);
    expect(written).toEqual([
      { jsonrpc: '2.0', id: null, error: { code: -32700, message: expect.any(String) } },
      { jsonrpc: '2.0', id: 7, result: {} },
    ]);
  });

  it('begins the session again with another daemon, and answers what was under way', async () => {
    const { pipe, written, said, failures, daemon, untilWritten, untilSaid } = createPipe();
    await pipe.begin();
    const first = await daemon(0);
    await pipe.take(JSON.stringify(INITIALIZE));
    first.events.onMessage('{"jsonrpc":"2.0","id":0,"result":{}}');
    await pipe.take('{"jsonrpc":"2.0","method":"notifications/initialized"}');
    for (const uri of ['a', 'b'])
      await pipe.take(JSON.stringify({ jsonrpc: '2.0', id: uri, method: 'resources/subscribe', params: { uri } }));
    await pipe.take(JSON.stringify({ jsonrpc: '2.0', id: 'c', method: 'resources/unsubscribe', params: { uri: 'a' } }));
    for (const id of ['a', 'b', 'c']) first.events.onMessage(JSON.stringify({ jsonrpc: '2.0', id, result: {} }));
    await pipe.take('{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{}}');
    failures.push(new Fault('unavailable', 'Cannot connect'), new Fault('busy', 'Cannot connect'));
    written.length = 0;
    first.events.onClose('');
    await untilWritten(1);
    expect(written).toEqual([{ jsonrpc: '2.0', id: 5, error: { code: -32000, message: expect.stringContaining('not known') } }]);
    const second = await daemon(1);
    // What the client asks meanwhile waits for its turn.
    await pipe.take('{"jsonrpc":"2.0","id":6,"method":"tools/list"}');
    await second.until(1);
    const [initialize] = second.got;
    expect(initialize).toEqual({ ...INITIALIZE, id: expect.stringMatching(/^warren-mcp-/) });
    second.events.onMessage(JSON.stringify({ jsonrpc: '2.0', id: initialize?.['id'] ?? null, result: {} }));
    await second.until(3);
    expect(second.got.slice(1)).toEqual([
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', id: expect.stringMatching(/^warren-mcp-/), method: 'resources/subscribe', params: { uri: 'b' } },
    ]);
    second.events.onMessage(JSON.stringify({ jsonrpc: '2.0', id: second.got[2]?.['id'] ?? null, result: {} }));
    await second.until(4);
    expect(second.got[3]).toEqual({ jsonrpc: '2.0', id: 6, method: 'tools/list' });
    expect(written.slice(1)).toEqual([{ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }]);
    await untilSaid(2);
    expect(said).toEqual(['the connection to the daemon was lost', 'connected to the daemon again']);
  });

  it('ends when there is no such agent any more', async () => {
    const { pipe, failures, daemon } = createPipe();
    await pipe.begin();
    failures.push(new Fault('not_found', 'Cannot act as agent "builder": it has no live process'));
    (await daemon(0)).events.onClose('');
    await expect(pipe.failed).rejects.toThrow(/no live process/);
  });

  it('knows when everything is answered', async () => {
    const { pipe, daemon } = createPipe();
    await pipe.begin();
    await pipe.idle();
    await pipe.take('{"jsonrpc":"2.0","id":"1","method":"ping"}');
    let isIdle = false;
    const idle = pipe.idle().then(() => {
      isIdle = true;
    });
    const { events } = await daemon(0);
    events.onMessage('{"jsonrpc":"2.0","id":1,"result":{}}');
    events.onMessage('{"jsonrpc":"2.0","id":"1","method":"elicitation/create"}');
    await Promise.resolve();
    expect(isIdle).toBe(false);
    events.onMessage('{"jsonrpc":"2.0","id":"1","result":{}}');
    await idle;
  });
});
