import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { untilItAnswers } from '../harness/daemon.ts';
import { interleave } from '../harness/interleave.ts';
import { McpConnection, type McpTarget } from '../harness/mcp-connection.ts';
import { anonymousPages } from '../harness/processes.ts';
import { ratePerSecond } from '../harness/rate.ts';
import { atLeast, atMost, measured, type Row, ratio } from '../harness/row.ts';
import type { RpcConnection } from '../harness/rpc-connection.ts';
import { temporaryDirectory } from '../harness/temporary-kernel.ts';

const CONNECTIONS = 64;
const IDLE = 500;
const WARREN = resolve(import.meta.dirname, '../../packages/cli/bin/warren.cjs');
const OFFICIAL = resolve(import.meta.dirname, '../comparators/official-mcp-server.ts');
/** As many as one process may have. */
const STREAMS_PER_PROCESS = 8;
/** Of the kernel's clock in /proc. */
const TICKS_PER_SECOND = 100;

export const mcp: Benchmark = {
  name: 'mcp',
  title: 'Tools over MCP',
  method:
    `\`system.echo\` of the shipped daemon, called over HTTP on ${CONNECTIONS} kept connections with the token of a process: every call is authenticated, decided by policy, held to grants, ` +
    'charged to the ledger, recorded in the journal before and after, and in the audit. The client writes a request and waits for its answer. Against the official server of TypeScript ' +
    'with a tool that answers the same and does nothing else, on node:http in a process of its own, taking turns. Processor time is that of the server, all threads. ' +
    `Then ${IDLE} sessions, each with its stream open: what the daemon has more of anonymous memory.`,
  run,
};

async function run(context: Context): Promise<readonly Row[]> {
  const state = temporaryDirectory();
  const daemon = spawn(process.execPath, [WARREN, 'serve', '--listen', 'tcp:127.0.0.1:0', '--state', state], { stdio: 'ignore' });
  const official = spawn(process.execPath, ['--conditions=warren-source', OFFICIAL], { stdio: ['pipe', 'pipe', 'ignore'] });
  const open: McpConnection[] = [];
  try {
    const rpc = await untilItAnswers(join(state, 'warren.sock'));
    const [target, ...targets] = await startAgents(rpc, 1 + Math.ceil(IDLE / STREAMS_PER_PROCESS));
    if (target === undefined) throw new Error('There is no agent');
    const [said] = (await once(official.stdout, 'data')) as [Buffer]; // What a stream of bytes gives.
    const connect = (to: McpTarget): McpConnection => {
      const connection = new McpConnection(to);
      open.push(connection);
      return connection;
    };
    const stateless = Array.from({ length: CONNECTIONS }, () => connect(target));
    const others = Array.from({ length: CONNECTIONS }, () => connect({ port: Number(said.toString()) }));
    const inSessions = Array.from({ length: CONNECTIONS }, () => connect(target));
    for (const connection of inSessions) await connection.beginSession();
    const count = context.isQuick ? 500 : 5_000;
    const subjects = [
      subject('without sessions', stateless, daemon, count),
      subject('in sessions', inSessions, daemon, count),
      subject('official', others, official, count),
    ] as const;
    const warmups = 2;
    const rates = await interleave(subjects, context.isQuick ? 3 : 10, context, { warmups });
    const cost = ({ processorMs }: (typeof subjects)[number]): readonly number[] => processorMs.slice(warmups);
    const [ours, sessions, theirs] = subjects;
    return [
      measured('Warren: calls, version without sessions', '/s', rates(ours), {
        bound: atLeast(2_000),
        ratio: ratio('this ÷ official', rates(ours), rates(theirs)),
      }),
      measured('Warren: calls in sessions', '/s', rates(sessions), {
        bound: atLeast(2_000),
        ratio: ratio('this ÷ official', rates(sessions), rates(theirs)),
      }),
      measured('official server, a tool that does nothing', '/s', rates(theirs)),
      measured('Warren: processor time of one call', 'ms', cost(ours), { ratio: ratio('official ÷ this', cost(theirs), cost(ours)) }),
      measured('official server: processor time of one call', 'ms', cost(theirs)),
      measured(`Warren: memory of ${IDLE} idle sessions with their streams`, 'MiB', [await idleMemory(daemon, targets, connect)], {
        bound: atMost(60),
      }),
    ];
  } finally {
    for (const connection of open) connection.close();
    await end(daemon);
    await end(official);
    rmSync(state, { recursive: true, force: true });
  }
}

function subject(name: string, connections: readonly McpConnection[], server: ChildProcess, count: number) {
  const processorMs: number[] = [];
  return {
    name,
    processorMs,
    async turn() {
      const before = processorTime(server);
      const rate = await ratePerSecond(count, CONNECTIONS, async (index, caller) => connections[caller]?.call(index));
      processorMs.push((processorTime(server) - before) / count);
      return rate;
    },
  };
}

/** Of all its threads, in milliseconds. */
function processorTime({ pid = 0 }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND; // utime and stime, see proc_pid_stat(5).
}

/** Each with a process and its token. */
async function startAgents(rpc: RpcConnection, count: number): Promise<readonly McpTarget[]> {
  const { addresses } = (await rpc.call('daemon.status', {})) as { readonly addresses: readonly string[] }; // By its contract.
  const port = Number(/^tcp:.*:(\d+)$/.exec(addresses.find((address) => address.startsWith('tcp:')) ?? '')?.[1]);
  const targets: McpTarget[] = [];
  for (let index = 0; index < count; index++) {
    const grants = { tool_grants: ['*'], fs_grants: [{ prefix: '/workspace', mode: 'rw' }], budgets: { tool_calls: 1_000_000_000 } };
    const { pid } = (await rpc.call('agent.start', { agent: `bench-${index}`, ...grants })) as { readonly pid: number }; // As above.
    const { token } = (await rpc.call('token.create', { workspace: 'default', pid })) as { readonly token: string }; // As above.
    targets.push({ port, token });
  }
  return targets;
}

async function idleMemory(daemon: ChildProcess, targets: readonly McpTarget[], connect: (to: McpTarget) => McpConnection): Promise<number> {
  const { pid = 0 } = daemon;
  await settled(pid);
  const before = anonymousPages(pid);
  for (let index = 0; index < IDLE; index++) {
    const connection = connect(targets[index % targets.length] as McpTarget); // There is one for each remainder.
    await connection.beginSession();
    await connection.openStream();
  }
  await settled(pid);
  return anonymousPages(pid) - before;
}

/** What the calls before left to collect is collected, or at least not grown, for a second. */
async function settled(pid: number): Promise<void> {
  for (let last = anonymousPages(pid), same = 0; same < 4; ) {
    await sleep(250);
    const now = anonymousPages(pid);
    same = Math.abs(now - last) < 0.5 ? same + 1 : 0;
    last = now;
  }
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
