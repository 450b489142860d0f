import { cpSync, rmSync } from 'node:fs';
import { openKernel } from '@warren/kernel';
import { openPlatform } from '@warren/platform';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { timeBareServer } from '../comparators/bare-server.ts';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { Daemon, shippedEnvironment } from '../harness/daemon.ts';
import { interleave } from '../harness/interleave.ts';
import { ratePerSecond } from '../harness/rate.ts';
import { atMost, measured, type Row, ratio } from '../harness/row.ts';
import { timeProgram } from '../harness/run-program.ts';
import { temporaryDirectory } from '../harness/temporary-kernel.ts';

const EVENTS = 1_000_000;
const ENTRIES = 100_000;
const PROCESSES = 100;

export const start: Benchmark = {
  name: 'start',
  title: 'The daemon starts',
  method:
    'The bundle that ships, from spawn to the first answer over its unix socket, which is asked for every 2 ms. On a state with ' +
    `${EVENTS.toLocaleString('en')} events of ${PROCESSES} processes and ${ENTRIES.toLocaleString('en')} entries of the audit, after it was ended in order and after \`kill -9\`; and on an ` +
    'empty state. Processor time is that of all threads until the answer. Against a server of `node:http` that does nothing else, timed alike, and `node -e 0`, from spawn to exit.',
  run,
};

async function run(context: Context): Promise<readonly Row[]> {
  const [full, killed, empty] = [temporaryDirectory(), temporaryDirectory(), temporaryDirectory()];
  try {
    const share = context.isQuick ? 50 : 1;
    await fill(full, { events: EVENTS / share, entries: ENTRIES / share }, context);
    cpSync(full, killed, { recursive: true });
    const [onFull, onKilled, onEmpty] = [
      subject('full', full, 'SIGTERM'),
      subject('killed', killed, 'SIGKILL'),
      subject('empty', empty, 'SIGTERM'),
    ];
    const env = shippedEnvironment();
    const bare = { name: 'bare', turn: () => timeBareServer(empty, env) };
    const node = { name: 'node', turn: () => timeProgram(process.execPath, ['-e', '0'], { stdio: 'ignore', env }) };
    const warmups = 2;
    const times = await interleave([onFull, onKilled, onEmpty, bare, node], context.isQuick ? 5 : 30, context, { warmups });
    const note = context.isQuick ? { note: `a ${share}th of the events and entries` } : {};
    return [
      measured('Warren: a million events', 'ms', times(onFull), {
        ...{ bound: atMost(300), ratio: ratio('this ÷ an empty state', times(onFull), times(onEmpty)), ...note },
      }),
      measured('processor time of it', 'ms', onFull.processorMs.slice(warmups)),
      measured('Warren: the same, killed before', 'ms', times(onKilled), { bound: atMost(300) }),
      measured('Warren: an empty state', 'ms', times(onEmpty)),
      measured('processor time of it', 'ms', onEmpty.processorMs.slice(warmups)),
      measured('a bare server', 'ms', times(bare), { ratio: ratio('a million events ÷ this', times(onFull), times(bare)) }),
      measured('node -e 0', 'ms', times(node)),
    ];
  } finally {
    for (const directory of [full, killed, empty]) rmSync(directory, { recursive: true, force: true });
  }
}

function subject(name: string, state: string, signal: 'SIGTERM' | 'SIGKILL') {
  const processorMs: number[] = [];
  return {
    name,
    processorMs,
    async turn() {
      const daemon = await Daemon.start(state);
      processorMs.push(daemon.startProcessorMs);
      await daemon.end(signal);
      return daemon.startMs;
    },
  };
}

async function fill(directory: string, { events, entries }: { readonly events: number; readonly entries: number }, context: Context) {
  await using kernel = await openKernel({ directory });
  const mine = kernel.workspace(DEFAULT_WORKSPACE);
  const pids = await Promise.all(
    Array.from({ length: PROCESSES }, async () => (await mine.processes.create({ name: 'bench', template: 'bench' })).pid),
  );
  const pidOf = (index: number): number => pids[index % PROCESSES] ?? 0;
  context.say(`start: appending ${events} events and ${entries} entries`);
  await ratePerSecond(events, 1_000, (index) => {
    context.signal.throwIfAborted();
    return mine.events.append({
      pid: pidOf(index),
      kind: `bench.${index % 20}`,
      payload: { index, text: 'some text of the usual length' },
    });
  });
  const openSandboxes = (): Promise<never> => Promise.reject(new Error('No sandbox is needed here'));
  await using platform = await openPlatform({ kernel, directory, openSandboxes, isWatching: false });
  await ratePerSecond(entries, 1_000, (index) => {
    context.signal.throwIfAborted();
    return platform.audit.append({
      ...{ kind: 'syscall', workspace: DEFAULT_WORKSPACE, actor: { kind: 'process', pid: pidOf(index), agent: 'coder' } },
      ...{ action: 'filesystem.read', outcome: 'success', callId: `call-${index}`, input: { path: `/workspace/src/file-${index}.ts` } },
      ...{
        inputHash: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
        decision: { tier: 'autonomous' },
        durationMs: 1.5,
      },
    });
  });
}
