/** The `Host` of the real process. Its streams are opened when first used: opening one costs a start some of its milliseconds. */
import { isUtf8 } from 'node:buffer';
import { fstatSync, readFileSync, type Stats } from 'node:fs';
import { isatty } from 'node:tty';
import { Fault } from '@warren/protocol';
import type { SignalName, TerminalSize } from '@warren/sandbox';
import { type Host, type Input, type Output, OutputClosed } from './host.ts';

export class ProcessHost implements Host {
  readonly env: Readonly<Record<string, string | undefined>> = process.env;
  readonly stdin: Input = new ProcessInput();
  readonly stdout: Output = new ProcessOutput(1, () => process.stdout);
  readonly stderr: Output = new ProcessOutput(2, () => process.stderr);

  cwd(): string {
    try {
      return process.cwd();
    } catch (cause) {
      throw new Fault('not_found', 'Cannot use the current directory: it does not exist any more', { cause });
    }
  }

  now(): number {
    return Date.now();
  }

  get hasExactWords(): boolean {
    // Only then can bytes be missing.
    if (!process.argv.some((word) => word.includes('\ufffd'))) return true;
    return isUtf8(readFileSync('/proc/self/cmdline'));
  }

  onSignal(signals: readonly SignalName[], listener: (signal: SignalName) => void): Disposable {
    // Node names the same signals as we do, but for SIGSTKFLT, which nobody asks for.
    const listening = signals.map((signal) => ({ signal: signal as NodeJS.Signals, call: () => listener(signal) }));
    for (const { signal, call } of listening) process.on(signal, call);
    return {
      [Symbol.dispose]: () => {
        for (const { signal, call } of listening) process.off(signal, call);
      },
    };
  }

  stop(): void {
    process.kill(process.pid, 'SIGSTOP');
  }

  exit(code: number): never {
    process.exit(code);
  }
}

class ProcessInput implements Input {
  /** What was never opened need not be closed, and opening it takes its time. */
  #isOpen = false;

  get isTerminal(): boolean {
    return isatty(0);
  }

  get isReadable(): boolean {
    return this.isTerminal ? isForeground() : !isNullDevice(0);
  }

  async *read(): AsyncIterable<Uint8Array> {
    this.#isOpen = true;
    if (statOf(0)?.isDirectory() === true) throw new Error('it is a directory'); // Node takes it for empty.
    try {
      yield* process.stdin;
    } catch (error) {
      // Closing it while a read waits is how `close` works.
      if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error; // Streams throw nothing but errors.
    }
  }

  close(): void {
    if (this.#isOpen) process.stdin.destroy();
  }

  raw(): Disposable {
    this.#isOpen = true;
    process.stdin.setRawMode(true);
    return {
      [Symbol.dispose]: () => {
        if (process.stdin.destroyed) return; // Then Node itself restores it when the process ends.
        process.stdin.setRawMode(false);
      },
    };
  }
}

class ProcessOutput implements Output {
  readonly #descriptor: number;
  readonly #open: () => NodeJS.WriteStream;
  #opened: NodeJS.WriteStream | undefined;
  #failure: Error | undefined;

  constructor(descriptor: number, open: () => NodeJS.WriteStream) {
    this.#descriptor = descriptor;
    this.#open = open;
  }

  get isTerminal(): boolean {
    return isatty(this.#descriptor);
  }

  get size(): TerminalSize | undefined {
    if (!this.isTerminal) return undefined;
    const { rows, columns } = this.#stream();
    return rows > 0 && columns > 0 ? { rows, columns } : undefined; // A serial line says 0 by 0.
  }

  onResize(listener: () => void): Disposable {
    const stream = this.#stream();
    stream.on('resize', listener);
    return { [Symbol.dispose]: () => void stream.off('resize', listener) };
  }

  write(content: Uint8Array | string): Promise<void> {
    return new Promise((resolve, reject) => {
      const hasRoom = this.#stream().write(content, (error) => {
        if (error) reject(this.#failure ?? explain(error));
        else resolve();
      });
      if (hasRoom && this.#failure === undefined) resolve();
    });
  }

  flush(): Promise<void> {
    if (this.#opened === undefined) return Promise.resolve();
    const stream = this.#opened;
    return new Promise((resolve, reject) => {
      stream.write('', (error) => (error ? reject(this.#failure ?? explain(error)) : resolve()));
    });
  }

  #stream(): NodeJS.WriteStream {
    if (this.#opened === undefined) {
      this.#opened = this.#open();
      // Each write reports its own failure; without a listener the first would also end the process.
      this.#opened.on('error', (error) => {
        this.#failure ??= explain(error);
      });
    }
    return this.#opened;
  }
}

/** EIO is what a terminal that has gone away says. */
function explain(error: Error & { readonly code?: string }): Error {
  const isClosed = ['EPIPE', 'EIO', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END'].includes(error.code ?? '');
  return isClosed ? new OutputClosed(error.message, { cause: error }) : error;
}

function isNullDevice(descriptor: number): boolean {
  const stat = statOf(descriptor);
  return stat?.isCharacterDevice() === true && stat.rdev === 0x103; // 1:3, see null(4).
}

function statOf(descriptor: number): Stats | undefined {
  try {
    return fstatSync(descriptor);
  } catch {
    return undefined; // Using it will say what is wrong.
  }
}

/**
 * Whether we are in the foreground of our terminal. A background job that reads is stopped (SIGTTIN): fair when the command wanted to read,
 * but we would read ahead for a command that does not. So a background job gets an empty input.
 */
function isForeground(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    // After the name in parentheses: state, parent, process group, session, terminal, foreground process group (proc_pid_stat(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[5] === '-1' || fields[2] === fields[5];
  } catch {
    return true; // No /proc: then as if in the foreground.
  }
}
