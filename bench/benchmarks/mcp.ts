import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { type CallsSubject, callsSubject } from '../harness/calls-subject.ts';
import { ComparatorProcess } from '../harness/comparator-process.ts';
import { Daemon } from '../harness/daemon.ts';
import { interleave } from '../harness/interleave.ts';
import { McpConnection, type McpTarget } from '../harness/mcp-connection.ts';
import { anonymousPages } from '../harness/processes.ts';
import { atLeast, atMost, measured, type Row, ratio } from '../harness/row.ts';
import { sustainedRows } from '../harness/sustained-rows.ts';
import { temporaryDirectory } from '../harness/temporary-kernel.ts';

const CONNECTIONS = 64;
const IDLE = 500;
const TARGET_PER_SECOND = 2_000;
/** As many as one process may have. */
const STREAMS_PER_PROCESS = 8;

export const mcp: Benchmark = {
  name: 'mcp',
  title: 'Tools over MCP',
  method:
    `\`system.echo\` of the shipped daemon, called over HTTP on ${CONNECTIONS} kept connections with the token of a process: every call is authenticated, decided by policy, held to grants, ` +
    'charged to the ledger, recorded in the journal before and after, and in the audit. The client writes a request and waits for its answer. Against the official server of TypeScript ' +
    'with a tool that answers the same and does nothing else, on node:http in a process of its own, taking turns. Processor time is that of the server, all threads. ' +
    `Then ${IDLE} sessions, each with its stream open: what the daemon has more of anonymous memory. With \`--sustain 5m\` the connections without sessions are kept busy for so long, at 80 % of ` +
    'what is to be reached, or was.',
  run,
};

async function run(context: Context): Promise<readonly Row[]> {
  const state = temporaryDirectory();
  const open: McpConnection[] = [];
  const connect = (to: McpTarget): McpConnection => {
    const connection = new McpConnection(to);
    open.push(connection);
    return connection;
  };
  try {
    await using daemon = await Daemon.start(state);
    await using official = await ComparatorProcess.start('official-mcp-server.ts');
    try {
      return await measure(daemon, official, connect, context);
    } finally {
      for (const connection of open) connection.close();
    }
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}

type Connect = (to: McpTarget) => McpConnection;

async function measure(daemon: Daemon, official: ComparatorProcess, connect: Connect, context: Context): Promise<readonly Row[]> {
  const target = await startTarget(daemon, 'bench');
  const stateless = Array.from({ length: CONNECTIONS }, () => connect(target));
  const others = Array.from({ length: CONNECTIONS }, () => connect({ port: official.port }));
  const inSessions = Array.from({ length: CONNECTIONS }, () => connect(target));
  for (const connection of inSessions) await connection.beginSession();
  const ours = callsOn('without sessions', stateless, daemon, context);
  const sessions = callsOn('in sessions', inSessions, daemon, context);
  const theirs = callsOn('official', others, official, context);
  const warmups = 2;
  const rates = await interleave([ours, sessions, theirs], context.isQuick ? 3 : 10, context, { warmups });
  const cost = ({ processorMs }: CallsSubject): readonly number[] => processorMs.slice(warmups);
  const rate = (name: string, subject: CallsSubject): Row =>
    measured(name, '/s', rates(subject), {
      bound: atLeast(TARGET_PER_SECOND),
      ratio: ratio('this ÷ official', rates(subject), rates(theirs)),
    });
  const sustained = { name: 'Warren', daemon, call: callOn(stateless), callers: CONNECTIONS, targetPerSecond: TARGET_PER_SECOND };
  return [
    rate('Warren: calls, version without sessions', ours),
    rate('Warren: calls in sessions', sessions),
    measured('official server, a tool that does nothing', '/s', rates(theirs)),
    measured('Warren: processor time of one call', 'ms', cost(ours), { ratio: ratio('official ÷ this', cost(theirs), cost(ours)) }),
    measured('official server: processor time of one call', 'ms', cost(theirs)),
    measured(`Warren: memory of ${IDLE} idle sessions with their streams`, 'MiB', [await idleMemory(daemon, connect)], {
      bound: atMost(60),
    }),
    ...(await sustainedRows({ ...sustained, rates: rates(ours) }, context)),
  ];
}

function callsOn(
  name: string,
  connections: readonly McpConnection[],
  server: { processorMs(): number },
  { isQuick }: Context,
): CallsSubject {
  return callsSubject({ name, call: callOn(connections), server, count: isQuick ? 500 : 5_000, callers: CONNECTIONS });
}

function callOn(connections: readonly McpConnection[]): (caller: number) => Promise<void> {
  let lastId = 0;
  return async (caller) => await connections[caller]?.call(++lastId);
}

async function startTarget(daemon: Daemon, agent: string): Promise<McpTarget> {
  const { token } = await daemon.startAgent(agent);
  return { port: await daemon.port(), token };
}

async function idleMemory(daemon: Daemon, connect: Connect): Promise<number> {
  const targets: McpTarget[] = [];
  while (targets.length < IDLE / STREAMS_PER_PROCESS) targets.push(await startTarget(daemon, `bench-${targets.length}`));
  const { pid } = daemon;
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
