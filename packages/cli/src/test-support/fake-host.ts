/** A `Host` that a test owns: what is typed, what was printed, which signals arrive. */
import type { SignalName, TerminalSize } from '@warren/sandbox';
import { type Host, type Input, type Output, OutputClosed } from '../internal/host.ts';

export class FakeHost implements Host {
  readonly env: Record<string, string | undefined>;
  readonly directory: string;
  readonly stdin: FakeInput;
  readonly stdout: FakeOutput;
  readonly stderr: FakeOutput;
  /** Everything that happened to the process and its terminal, in order. */
  readonly events: string[] = [];
  hasExactWords = true;
  nowMs = 1_700_000_000_000;
  readonly #listeners = new Set<{ readonly signals: readonly SignalName[]; readonly call: (signal: SignalName) => void }>();

  constructor(
    options: {
      readonly cwd?: string;
      readonly env?: Record<string, string>;
      readonly input?: string;
      readonly terminal?: TerminalSize;
    } = {},
  ) {
    this.directory = options.cwd ?? '/';
    this.env = { ...options.env };
    this.stdin = new FakeInput(this.events, options.input, options.terminal !== undefined);
    this.stdout = new FakeOutput(options.terminal);
    this.stderr = new FakeOutput(options.terminal);
  }

  cwd(): string {
    return this.directory;
  }

  now(): number {
    return this.nowMs;
  }

  onSignal(signals: readonly SignalName[], call: (signal: SignalName) => void): Disposable {
    const listener = { signals, call };
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** True when somebody listened; otherwise the system would have done what it does. */
  send(signal: SignalName): boolean {
    const called = [...this.#listeners].filter(({ signals }) => signals.includes(signal));
    for (const { call } of called) call(signal);
    return called.length > 0;
  }

  get listeners(): number {
    return this.#listeners.size + this.stdout.listeners + this.stderr.listeners;
  }

  stop(): void {
    this.events.push('stopped');
  }

  exit(code: number): never {
    this.events.push(`left with ${code}`);
    throw new Error(`left with ${code}`);
  }
}

export class FakeInput implements Input {
  readonly isTerminal: boolean;
  readonly isReadable: boolean;
  readonly #events: string[];
  readonly #text: string | undefined;
  readonly #closed = Promise.withResolvers<void>();

  /** Without text there is nothing to read, as from the null device; a terminal never ends. */
  constructor(events: string[], text: string | undefined, isTerminal: boolean) {
    this.#events = events;
    this.#text = text;
    this.isTerminal = isTerminal;
    this.isReadable = isTerminal || text !== undefined;
  }

  async *read(): AsyncIterable<Uint8Array> {
    if (this.#text !== undefined) yield Buffer.from(this.#text);
    if (this.isTerminal) await this.#closed.promise;
  }

  close(): void {
    this.#events.push('input closed');
    this.#closed.resolve();
  }

  raw(): Disposable {
    this.#events.push('terminal raw');
    return { [Symbol.dispose]: () => void this.#events.push('terminal restored') };
  }
}

export class FakeOutput implements Output {
  size: TerminalSize | undefined;
  readonly isTerminal: boolean;
  readonly chunks: Buffer[] = [];
  /** When set, writing waits for it. */
  room: Promise<void> | undefined;
  isClosed = false;
  readonly #resizing = new Set<() => void>();

  constructor(size: TerminalSize | undefined) {
    this.size = size;
    this.isTerminal = size !== undefined;
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }

  get listeners(): number {
    return this.#resizing.size;
  }

  onResize(listener: () => void): Disposable {
    this.#resizing.add(listener);
    return { [Symbol.dispose]: () => void this.#resizing.delete(listener) };
  }

  resizeTo(size: TerminalSize): void {
    this.size = size;
    for (const listener of this.#resizing) listener();
  }

  async write(content: Uint8Array | string): Promise<void> {
    await this.room;
    if (this.isClosed) throw new OutputClosed('write EPIPE');
    this.chunks.push(Buffer.from(content));
  }

  async flush(): Promise<void> {
    await this.room;
    if (this.isClosed) throw new OutputClosed('write EPIPE');
  }
}
