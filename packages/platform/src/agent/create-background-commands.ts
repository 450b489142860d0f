/** Background commands of one sandbox: what they print goes into rings, so that a command never waits for somebody to read it. */
import { Fault } from '@warren/protocol';
import type { Execution, Exit, RunOptions, Sandbox, SignalName } from '@warren/sandbox';
import type { BackgroundCommand, BackgroundCommands, BackgroundState } from './background-commands.ts';
import { OutputRing } from './output-ring.ts';

export const BACKGROUND_LIMITS = {
  /** At once, in one sandbox. */
  runningMax: 64,
  /** Remembered after they ended; the oldest are forgotten first. */
  endedMax: 128,
  /** Of each stream of each command. */
  outputBytesMax: 1_048_576,
} as const;
export type BackgroundLimits = { readonly [Key in keyof typeof BACKGROUND_LIMITS]: number };

export type BackgroundParts = {
  readonly sandbox: Sandbox;
  readonly now: () => number;
  /** Gives a number that was never given before. */
  readonly nextId: () => number;
  readonly limits?: Partial<BackgroundLimits> | undefined;
};

/** Those a whole tree can be sent; others reach the command's process group. */
const TREE_SIGNALS: ReadonlySet<SignalName> = new Set(['SIGKILL', 'SIGSTOP', 'SIGCONT', 'SIGTERM']);

type Entry = {
  readonly id: string;
  readonly argv: readonly string[];
  readonly execution: Execution;
  readonly startedAt: number;
  readonly stdout: OutputRing;
  readonly stderr: OutputRing;
  /** Settles with the end, after the last output; never rejects. */
  readonly ended: Promise<void>;
  state: BackgroundState;
  endedAt: number | undefined;
  exit: Exit | undefined;
  isKilled: boolean;
};

export type LiveBackgroundCommands = BackgroundCommands & { readonly running: number };

export function createBackgroundCommands(parts: BackgroundParts): LiveBackgroundCommands {
  const limits = { ...BACKGROUND_LIMITS, ...parts.limits };
  const entries = new Map<string, Entry>();
  const running = (): number => [...entries.values()].filter(({ state }) => state === 'running').length;

  const get = (id: string): Entry => {
    const entry = entries.get(id);
    if (entry === undefined)
      throw new Fault('not_found', `Cannot find the command ${JSON.stringify(id.slice(0, 64))}: this sandbox has none of that id`);
    return entry;
  };

  const forgetOldest = (): void => {
    const ended = [...entries.values()].filter(({ state }) => state !== 'running');
    for (const { id } of ended.slice(0, Math.max(0, ended.length - limits.endedMax))) entries.delete(id);
  };

  const follow = async (entry: Omit<Entry, 'ended'>): Promise<void> => {
    const pump = async (stream: AsyncIterable<Uint8Array>, ring: OutputRing): Promise<void> => {
      for await (const chunk of stream) ring.push(chunk);
    };
    const pumps = [pump(entry.execution.stdout, entry.stdout), pump(entry.execution.stderr, entry.stderr)];
    const [exit] = await Promise.allSettled([entry.execution.exit, ...pumps]);
    entry.endedAt = parts.now();
    entry.exit = exit.status === 'fulfilled' ? exit.value : undefined;
    entry.state = stateOf(entry);
    forgetOldest();
  };

  return {
    get running() {
      return running();
    },

    async start(argv, options: RunOptions) {
      if (running() >= limits.runningMax) {
        throw new Fault('busy', `Cannot start a background command: ${running()} run, the limit is ${limits.runningMax}`);
      }
      const { signal, ...rest } = options;
      signal?.throwIfAborted(); // It outlives the call that starts it, so the call's signal means nothing later.
      const execution = parts.sandbox.exec(argv, rest);
      const entry: Omit<Entry, 'ended'> = {
        id: `proc_${parts.nextId()}`,
        argv: [...argv],
        execution,
        startedAt: parts.now(),
        stdout: new OutputRing(limits.outputBytesMax),
        stderr: new OutputRing(limits.outputBytesMax),
        state: 'running',
        endedAt: undefined,
        exit: undefined,
        isKilled: false,
      };
      const followed: Entry = Object.assign(entry, { ended: follow(entry) });
      entries.set(followed.id, followed);
      // One that cannot start has no pid; then its end says why.
      await Promise.race([
        execution.pid.then(
          () => {},
          () => followed.ended,
        ),
        followed.ended,
      ]);
      return viewOf(followed);
    },

    find(id) {
      const entry = entries.get(id);
      return entry === undefined ? undefined : viewOf(entry);
    },

    list: () => [...entries.values()].map(viewOf),

    output(id, stream, offset, bytesMax) {
      const ring = get(id)[stream];
      return { bytes: ring.read(offset, bytesMax), firstOffset: ring.firstOffset, totalBytes: ring.totalBytes };
    },

    async wait(id, waitMs, signal) {
      const entry = get(id);
      await settledWithin(entry.ended, waitMs, signal);
      return viewOf(entry);
    },

    async kill(id, signal: SignalName, forceAfterMs) {
      const entry = get(id);
      if (entry.state !== 'running') return viewOf(entry);
      entry.isKilled = true;
      entry.execution.kill(signal, TREE_SIGNALS.has(signal) ? 'tree' : 'group');
      if (forceAfterMs !== undefined) {
        await settledWithin(entry.ended, forceAfterMs, undefined);
        if (entry.state === 'running') {
          entry.execution.kill('SIGKILL', 'tree');
          await entry.ended;
        }
      }
      return viewOf(entry);
    },
  };
}

function stateOf({ exit, isKilled }: Pick<Entry, 'exit' | 'isKilled'>): BackgroundState {
  if (exit === undefined || exit.kind === 'not_started') return 'failed';
  if (exit.kind === 'stopped') return exit.by === 'deadline' ? 'timed_out' : 'killed';
  return exit.kind === 'signalled' && isKilled ? 'killed' : 'completed';
}

function viewOf({ id, argv, state, startedAt, endedAt, exit, stdout, stderr }: Entry): BackgroundCommand {
  const usage = exit === undefined || exit.kind === 'not_started' ? undefined : exit.usage;
  return { id, argv, state, startedAt, endedAt, exit, usage, stdoutBytes: stdout.totalBytes, stderrBytes: stderr.totalBytes };
}

/** Resolves when it is settled or the time is over; rejects when the signal fires. `settling` never rejects. */
async function settledWithin(settling: Promise<void>, waitMs: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, waitMs);
  const onAbort = (): void => reject(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([settling, promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}
