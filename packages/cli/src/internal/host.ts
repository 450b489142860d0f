/**
 * What a command may touch of the process it runs in. The real one is `process-host.ts`; tests hand in their own, so that they own the
 * terminal, the clock and the signals.
 */
import type { SignalName, TerminalSize } from '@warren/sandbox';

export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The current directory, without symbolic links. Throws the fault `not_found` when it is gone. */
  cwd(): string;
  now(): number;
  /** Whether the words we were started with are UTF-8. If not, Node has replaced bytes in them, and nobody knows what was meant. */
  readonly hasExactWords: boolean;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Calls `listener` for each of these signals, instead of what the system would do. Dispose to stop. */
  onSignal(signals: readonly SignalName[], listener: (signal: SignalName) => void): Disposable;
  /** Stops this process as Ctrl-Z does; returns when it is continued. */
  stop(): void;
  /** Ends this process at once. The launcher notices and destroys every sandbox. */
  exit(code: number): never;
}

export interface Input {
  readonly isTerminal: boolean;
  /** Whether there can be anything to read: not the null device, and not a terminal that belongs to somebody else just now. */
  readonly isReadable: boolean;
  /** Yields until the end of the input. `close` ends a read that waits. */
  read(): AsyncIterable<Uint8Array>;
  close(): void;
  /** Gives keys one by one, uninterpreted, until disposed. Only a terminal can. */
  raw(): Disposable;
}

export interface Output {
  readonly isTerminal: boolean;
  /** Undefined when this is no terminal. */
  readonly size: TerminalSize | undefined;
  onResize(listener: () => void): Disposable;
  /** Resolves when there is room for more, which is how a slow reader slows us. Rejects with `OutputClosed` when nobody reads any more. */
  write(content: Uint8Array | string): Promise<void>;
  /** Resolves when everything written has left this process. Rejects as `write`. */
  flush(): Promise<void>;
}

/** Whoever read our output has gone, as `head` does. Not an error of ours. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}
