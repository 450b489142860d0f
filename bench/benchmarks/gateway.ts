import { rmSync } from 'node:fs';
import { openPlatform } from '@warren/platform';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { callsSubject } from '../harness/calls-subject.ts';
import { type BenchAgent, Daemon } from '../harness/daemon.ts';
import { interleave } from '../harness/interleave.ts';
import { atLeast, atMost, measured, type Row, ratio } from '../harness/row.ts';
import { RpcConnection } from '../harness/rpc-connection.ts';
import { SocketConnection } from '../harness/socket-connection.ts';
import { sustainedRows } from '../harness/sustained-rows.ts';
import { openTemporaryKernel, temporaryDirectory } from '../harness/temporary-kernel.ts';
import { timed } from '../harness/timed.ts';

const IN_FLIGHT = 64;
/** Each of a process of its own, with as many calls under way. */
const SOCKETS = 8;
const TARGET_PER_SECOND = 5_000;
const ECHO = { capability: 'system.echo', input: { text: 'hello' } };
const BUDGETS = { tool_calls: 1_000_000_000 };

export const gateway: Benchmark = {
  name: 'gateway',
  title: 'The gateway',
  method:
    `\`system.echo\` of the shipped daemon, over TCP with the tokens of ${SOCKETS} processes: every call is authenticated, decided by policy, held to grants, charged to the ledger, recorded in the ` +
    `journal before and after, and in the audit. ${IN_FLIGHT} calls are under way: on ${SOCKETS} WebSockets, or on as many kept connections of HTTP; the three take turns. Processor time is ` +
    'that of the daemon, all threads. A lone call takes turns with the same call in this process, on a store and an audit of its own on the same disk. With `--sustain 5m` WebSockets are kept ' +
    'busy for so long, at 80 % of what is to be reached, or was.',
  run,
};

async function run(context: Context): Promise<readonly Row[]> {
  const state = temporaryDirectory();
  try {
    return await measureCalls(state, context);
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}

async function measureCalls(state: string, context: Context): Promise<readonly Row[]> {
  await using daemon = await Daemon.start(state);
  const port = await daemon.port();
  const agents: BenchAgent[] = [];
  for (let index = 0; index < SOCKETS; index++) agents.push(await daemon.startAgent(`bench-${index}`));
  const of = (caller: number): BenchAgent => agents[caller % SOCKETS] as BenchAgent; // There is one for each remainder.
  const sockets = await Promise.all(agents.map(({ token }) => SocketConnection.open(port, token)));
  const connections = Array.from({ length: IN_FLIGHT }, (_, caller) => new RpcConnection({ port, token: of(caller).token }));
  const overSocket = async (caller: number): Promise<void> =>
    mustBeDone(await sockets[caller % SOCKETS]?.call('call.make', { pid: of(caller).pid, ...ECHO }));
  const overRpc = async (caller: number): Promise<void> =>
    mustBeDone(JSON.stringify(await connections[caller]?.call('call.make', { pid: of(caller).pid, ...ECHO })));
  const overApi = async (caller: number): Promise<void> =>
    mustBeDone(await connections[caller]?.post('/api/calls', JSON.stringify({ pid: of(caller).pid, ...ECHO })));
  try {
    const common = { server: daemon, count: context.isQuick ? 1_000 : 10_000, callers: IN_FLIGHT };
    const subjects = [
      callsSubject({ name: 'WebSocket', call: overSocket, ...common }),
      callsSubject({ name: '/rpc', call: overRpc, ...common }),
      callsSubject({ name: '/api', call: overApi, ...common }),
    ] as const;
    const warmups = 2;
    const rates = await interleave(subjects, context.isQuick ? 3 : 8, context, { warmups });
    const [first] = subjects;
    const rateRows = subjects.flatMap((each) => [
      measured(`${each.name}: calls`, '/s', rates(each), each === first ? { bound: atLeast(TARGET_PER_SECOND) } : {}),
      measured(`${each.name}: processor time of one call`, 'ms', each.processorMs.slice(warmups)),
    ]);
    const alone = await measureAlone(overSocket, context);
    const sustained = { name: 'WebSocket', daemon, call: overSocket, callers: IN_FLIGHT, targetPerSecond: TARGET_PER_SECOND };
    return [...rateRows, ...alone, ...(await sustainedRows({ ...sustained, rates: rates(first) }, context))];
  } finally {
    for (const connection of [...sockets, ...connections]) connection.close();
  }
}

async function measureAlone(call: (caller: number) => Promise<void>, context: Context): Promise<readonly Row[]> {
  await using opened = await openTemporaryKernel();
  const { kernel, mine, directory } = opened;
  const openSandboxes = (): Promise<never> => Promise.reject(new Error('No sandbox is needed here'));
  await using platform = await openPlatform({ kernel, directory, openSandboxes, isWatching: false });
  const { pid } = await mine.processes.create({ name: 'bench', template: 'bench', agent: 'bench' });
  await mine.grants.create(pid, { tools: ['*'], paths: [{ prefix: '/workspace', mode: 'rw' }] });
  await mine.ledger.create({ kind: 'process', pid }, BUDGETS);
  const inProcess = {
    name: 'in process',
    turn: () =>
      timed(async () => {
        const answer = await platform.gate.call(DEFAULT_WORKSPACE, { pid, ...ECHO });
        if (answer.kind !== 'done') throw new Error(`The call is ${JSON.stringify(answer)}`);
      }),
  };
  const overSocket = { name: 'WebSocket', turn: () => timed(() => call(0)) };
  const times = await interleave([inProcess, overSocket], context.isQuick ? 50 : 1_000, context, { restMs: 2 });
  const median = times(inProcess).toSorted((one, other) => one - other)[times(inProcess).length >> 1] ?? 0;
  const added = times(overSocket).map((ms) => ms - median);
  return [
    measured('WebSocket: one call alone', 'ms', times(overSocket), {
      ratio: ratio('this ÷ in process', times(overSocket), times(inProcess)),
    }),
    measured('in process: one call alone', 'ms', times(inProcess)),
    measured('WebSocket adds to a call', 'ms', added, { bound: atMost(1) }),
  ];
}

/** A call that was refused fast must not look like a fast call. */
function mustBeDone(answer: string | undefined): void {
  if (answer?.includes('"state":"done"') !== true) throw new Error(`The call is not done: ${answer}`);
}
