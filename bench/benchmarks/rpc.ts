import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { Daemon } from '../harness/daemon.ts';
import { interleave } from '../harness/interleave.ts';
import { ratePerSecond } from '../harness/rate.ts';
import { atLeast, atMost, measured, type Row, ratio } from '../harness/row.ts';
import { RpcConnection } from '../harness/rpc-connection.ts';
import { temporaryDirectory } from '../harness/temporary-kernel.ts';
import { timed } from '../harness/timed.ts';

const CONNECTIONS = 32;

export const rpc: Benchmark = {
  name: 'rpc',
  title: 'JSON-RPC over the unix socket of the shipped daemon',
  method:
    'Round trips of `kernel.info` (a read) and of `kernel.events.append` (answered when it is on disk), on one connection and on ' +
    `${CONNECTIONS}. The client does nothing but write a request and wait for its answer. Against a bare \`node:http\` server in this process that answers with the same bytes at once.`,
  run,
};

async function run(context: Context): Promise<readonly Row[]> {
  const state = temporaryDirectory();
  const bare = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.setHeader('content-type', 'application/json').end('{"jsonrpc":"2.0","id":1,"result":{}}'));
  });
  const barePath = join(state, 'bare.sock');
  bare.listen(barePath);
  try {
    await using daemon = await Daemon.start(state);
    const first = daemon.rpc;
    const { pid } = (await first.call('kernel.agent.create', { name: 'bench', template: 'bench' })) as { readonly pid: number }; // By its contract.
    const others = Array.from({ length: CONNECTIONS }, () => new RpcConnection(join(state, 'warren.sock')));
    const plain = new RpcConnection(barePath);
    const append = { pid, kind: 'bench.event', payload: { text: 'some text' } };
    const read = { name: 'read', turn: () => timed(() => first.call('kernel.info', {})) };
    const write = { name: 'write', turn: () => timed(() => first.call('kernel.events.append', append)) };
    const none = { name: 'bare', turn: () => timed(() => plain.call('x', {})) };
    const times = await interleave([read, write, none], context.isQuick ? 50 : 2_000, context, { restMs: 1 });
    const count = context.isQuick ? 1_000 : 10_000;
    const reads = {
      name: 'reads',
      turn: () => ratePerSecond(count, CONNECTIONS, async (_, caller) => others[caller]?.call('kernel.info', {})),
    };
    const writes = {
      name: 'writes',
      turn: () => ratePerSecond(count, CONNECTIONS, async (_, caller) => others[caller]?.call('kernel.events.append', append)),
    };
    const rates = await interleave([reads, writes], context.isQuick ? 2 : 15, context, { warmups: 2 });
    for (const connection of [plain, ...others]) connection.close();
    return [
      measured('Warren: a read, one connection', 'ms', times(read), { bound: atMost(0.6) }),
      measured('Warren: a durable write, one connection', 'ms', times(write)),
      measured('a bare server', 'ms', times(none), { ratio: ratio('a read of Warren ÷ this', times(read), times(none)) }),
      measured(`Warren: reads, ${CONNECTIONS} connections`, '/s', rates(reads), { bound: atLeast(8_000) }),
      measured(`Warren: durable writes, ${CONNECTIONS} connections`, '/s', rates(writes)),
    ];
  } finally {
    bare.close();
    bare.closeAllConnections();
    rmSync(state, { recursive: true, force: true });
  }
}
