import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSandboxes, type Sandboxes } from '@warren/sandbox';
import { Bubblewrap } from '../comparators/bubblewrap.ts';
import { atOnce } from '../harness/at-once.ts';
import type { Benchmark, Context } from '../harness/benchmark.ts';
import { interleave, type Subject } from '../harness/interleave.ts';
import { atMost, measured, notMeasured, type Row, ratio } from '../harness/row.ts';
import { summarize } from '../harness/statistics.ts';
import { missingLimits } from '../harness/warren.ts';

const COUNT = 100;
const ECHO = ['/bin/echo', 'here'] as const;
/** After each burst, for the kernel to free what the last one had. */
const REST_MS = 300;

export const burst: Benchmark = {
  name: 'burst',
  title: `A burst of ${COUNT} sandboxes, to the first output`,
  method:
    `${COUNT} starts are asked for at once, and each sandbox runs \`echo\` when it stands. Timed from the first call to the first byte of output, ` +
    'of the last sandbox and of the half. Then all are destroyed, untimed. bubblewrap: as many spawned from Node at once.',
  run,
};

async function run(context: Context): Promise<readonly Row[]> {
  await using sandboxes = await openSandboxes();
  const bubblewrap = Bubblewrap.open(context);
  const warren = new Bursts('Warren', () => burstOfWarren(sandboxes));
  const other = 'note' in bubblewrap ? undefined : new Bursts('bubblewrap', () => burstOfProcesses(bubblewrap));
  const samplesOf = await interleave(other === undefined ? [warren] : [warren, other], context.isQuick ? 2 : 15, context, {
    warmups: 1,
    restMs: REST_MS,
  });
  const last = samplesOf(warren);
  return [
    measured(`Warren: the last of ${COUNT}`, 'ms', last, { bound: atMost(400), ...missingLimits(sandboxes) }),
    measured('  half of them', 'ms', warren.halves.slice(-last.length)),
    other === undefined
      ? notMeasured(`bubblewrap: the last of ${COUNT}`, 'ms', 'note' in bubblewrap ? bubblewrap.note : '')
      : measured(`bubblewrap: the last of ${COUNT}`, 'ms', samplesOf(other), {
          ratio: ratio('this ÷ Warren', samplesOf(other), last),
        }),
  ];
}

class Bursts implements Subject {
  readonly name: string;
  readonly halves: number[] = [];
  readonly #burst: () => Promise<readonly number[]>;

  constructor(name: string, once: () => Promise<readonly number[]>) {
    this.name = name;
    this.#burst = once;
  }

  async turn(): Promise<number> {
    const firstBytesMs = await this.#burst();
    this.halves.push(summarize(firstBytesMs).p50);
    return Math.max(...firstBytesMs);
  }
}

async function burstOfWarren(sandboxes: Sandboxes): Promise<readonly number[]> {
  await using stack = new AsyncDisposableStack();
  const startedAt = performance.now();
  return await atOnce(COUNT, COUNT, async () => {
    const sandbox = stack.use(await sandboxes.start({}));
    const execution = sandbox.exec(ECHO);
    const firstByteMs = (await readFirst(execution.stdout)) - startedAt;
    await execution.exit;
    return firstByteMs;
  });
}

/** Reads to the end; returns when the first bytes came. */
async function readFirst(stream: AsyncIterable<Uint8Array>): Promise<number> {
  let firstAt: number | undefined;
  for await (const _ of stream) firstAt ??= performance.now();
  if (firstAt === undefined) throw new Error(`${ECHO.join(' ')} in a sandbox said nothing`);
  return firstAt;
}

async function burstOfProcesses(bubblewrap: Bubblewrap): Promise<readonly number[]> {
  const children: ChildProcess[] = [];
  const startedAt = performance.now();
  try {
    return await atOnce(COUNT, COUNT, async () => {
      const child = spawn(bubblewrap.path, bubblewrap.argv(ECHO), { stdio: ['ignore', 'pipe', 'ignore'] });
      children.push(child);
      const ended = once(child, 'close');
      await once(child.stdout, 'data');
      const firstByteMs = performance.now() - startedAt;
      await ended;
      return firstByteMs;
    });
  } finally {
    for (const child of children) child.kill('SIGKILL'); // Those that have ended already do not mind.
  }
}
