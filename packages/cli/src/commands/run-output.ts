/** From the command's output to ours, until it ends, at the pace of whoever reads. */
import type { Execution, Exit, SignalName } from '@warren/sandbox';
import { type Host, type Output, OutputClosed } from '../internal/host.ts';
import { NewlineKeeper } from '../internal/newlines.ts';
import type { SignalRelay } from '../internal/signal-relay.ts';

export type Ended = {
  readonly exit: Exit;
  /** The signal that ended it, when that was our doing and not the command's. */
  readonly because: SignalName | undefined;
  readonly stdout: readonly Uint8Array[];
  readonly stderr: readonly Uint8Array[];
};

export type OutputOptions = {
  readonly relay: SignalRelay;
  readonly ending: AbortSignal;
  readonly host: Host;
  /** Keeps the output, for a document, instead of passing it on. */
  readonly isCollected: boolean;
  /** The command has a terminal of its own. */
  readonly isTerminal: boolean;
};

/** How long a killed command may take to go, and a stopped one to have its last output read. */
export const LAST_WORDS_MS = 1_000;
/** How long a command whose reader has gone may take to notice, before it is killed. */
const BROKEN_PIPE_GRACE_MS = 500;

/** Waits for the end. Two things end the wait early: a kill, and a deadline whose output nobody reads. */
export async function passOutput(execution: Execution, { relay, ending, host, isCollected, isTerminal }: OutputOptions): Promise<Ended> {
  const abandon = Promise.withResolvers<undefined>();
  const abandonSoon = (): void => void setTimeout(() => abandon.resolve(undefined), LAST_WORDS_MS);
  ending.addEventListener('abort', abandonSoon, { once: true });
  using reader = new LostReader(execution);
  const stdout: Uint8Array[] = [];
  const stderr: Uint8Array[] = [];
  const onClosed = (): void => reader.left();
  const output = isCollected
    ? Promise.all([collect(execution.stdout, stdout), collect(execution.stderr, stderr)])
    : Promise.all([
        pass(isTerminal && host.stdout.isTerminal ? keepNewlines(execution.stdout) : execution.stdout, host.stdout, onClosed),
        pass(execution.stderr, host.stderr, onClosed),
      ]);
  output.catch(() => {}); // Awaited below, unless it is abandoned.
  try {
    // When our output fails for a reason of its own (a full disk), there is nobody left to run the command for.
    const exit = await Promise.race([execution.exit, abandon.promise, output.then(() => execution.exit)]);
    const because = relay.killedBy ?? reader.killedBy;
    // After a deadline a reader that does not read must not hold us; in any other case it decides when it wants the rest.
    if (exit?.kind === 'stopped' && exit.by === 'deadline') abandonSoon();
    await Promise.race([output, abandon.promise]);
    return { exit: exit ?? KILLED, because, stdout, stderr };
  } finally {
    ending.removeEventListener('abort', abandonSoon);
  }
}

/** Stands for the exit of a command that did not go within its last second. */
const KILLED: Exit = {
  kind: 'stopped',
  by: 'caller',
  detail: 'it was killed and did not end in time',
  usage: { userCpuMs: 0, systemCpuMs: 0, wallMs: 0, memoryBytesMax: 0 },
  limitsHit: [],
};

/** Does to a command whose reader has gone what the kernel does: SIGPIPE. One that ignores it would see its write fail; here it is killed. */
class LostReader implements Disposable {
  readonly #execution: Execution;
  #grace: NodeJS.Timeout | undefined;
  killedBy: SignalName | undefined;

  constructor(execution: Execution) {
    this.#execution = execution;
  }

  left(): void {
    if (this.#grace !== undefined) return;
    this.#execution.kill('SIGPIPE', 'group');
    this.#grace = setTimeout(() => {
      this.killedBy = 'SIGPIPE';
      this.#execution.kill('SIGKILL', 'tree');
    }, BROKEN_PIPE_GRACE_MS);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#grace);
  }
}

async function pass(source: AsyncIterable<Uint8Array>, sink: Output, onClosed: () => void): Promise<void> {
  let isOpen = true;
  const closing = (error: unknown): void => {
    if (!(error instanceof OutputClosed)) throw error;
    if (isOpen) onClosed();
    isOpen = false;
  };
  // What comes after the reader has left is read and dropped, so that the command gets to its end.
  for await (const chunk of source) if (isOpen) await sink.write(chunk).catch(closing);
  if (isOpen) await sink.flush().catch(closing);
}

async function* keepNewlines(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const keeper = new NewlineKeeper();
  for await (const chunk of source) yield keeper.translate(chunk);
}

async function collect(source: AsyncIterable<Uint8Array>, chunks: Uint8Array[]): Promise<void> {
  for await (const chunk of source) chunks.push(chunk);
}
