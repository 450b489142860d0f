/** A sandbox that runs a function of the test in place of a command, for what the command line does around one. Not a model of the walls. */
import { Fault } from '@warren/protocol';
import {
  type ExecOptions,
  type Execution,
  type Exit,
  type Limits,
  PROFILES,
  type ResolvedSpec,
  type Sandbox,
  type Sandboxes,
  type SandboxSpec,
  type SignalName,
  type TerminalSize,
  type Usage,
} from '@warren/sandbox';

export const USAGE: Usage = { userCpuMs: 1, systemCpuMs: 2, wallMs: 3, memoryBytesMax: 4 };

/** What a command of a test can do. */
export interface FakeProcess {
  readonly argv: readonly string[];
  readonly options: ExecOptions;
  out(text: string | Uint8Array): void;
  err(text: string | Uint8Array): void;
  /** Everything written to stdin, once it is closed. */
  input(): Promise<string>;
  /** Resolves with the next signal. */
  signal(): Promise<string>;
  /** Resolves with the next size. */
  resized(): Promise<TerminalSize>;
}

export type FakeCommand = (process: FakeProcess) => Promise<Exit> | Exit;

export const exited = (code: number): Exit => ({ kind: 'exited', code, usage: USAGE, limitsHit: [] });
export const signalled = (signal: SignalName): Exit => ({ kind: 'signalled', signal, usage: USAGE, limitsHit: [] });

export class FakeSandboxes {
  readonly events: string[] = [];
  readonly specs: SandboxSpec[] = [];
  readonly execs: ExecOptions[] = [];
  /** Limits of the profile that this host cannot hold. */
  missingLimits: readonly (keyof Limits)[] = [];
  /** When set, starting waits for it. */
  startsAfter: Promise<void> | undefined;
  readonly #command: FakeCommand;

  constructor(command: FakeCommand) {
    this.#command = command;
  }

  open(): Promise<Sandboxes> {
    const sandboxes: Partial<Sandboxes> = {
      start: (spec, signal) => this.#start(spec, signal),
      [Symbol.asyncDispose]: async () => void this.events.push('sandboxes disposed'),
    };
    return Promise.resolve(sandboxes as Sandboxes); // What `run` does not use is not there, and a test that came to need it would say so.
  }

  async #start(spec: SandboxSpec, signal: AbortSignal | undefined): Promise<Sandbox> {
    this.specs.push(spec);
    if (this.startsAfter !== undefined) {
      const aborted = Promise.withResolvers<never>();
      signal?.addEventListener('abort', () => aborted.reject(new Fault('aborted', 'Cannot start the sandbox: aborted')));
      await Promise.race([this.startsAfter, aborted.promise]);
    }
    const missing = Object.fromEntries(this.missingLimits.map((name) => [name, null]));
    const resolved: Partial<ResolvedSpec> = { limits: { ...PROFILES[spec.profile ?? 'moderate'].limits, ...missing, ...spec.limits } };
    const sandbox: Partial<Sandbox> = {
      spec: resolved as ResolvedSpec, // The rest of it is not looked at.
      exec: (argv, options = {}) => this.#exec(argv, options),
      pause: async () => void this.events.push('paused'),
      resume: async () => void this.events.push('resumed'),
      [Symbol.asyncDispose]: async () => void this.events.push('sandbox disposed'),
    };
    return sandbox as Sandbox; // As for the sandboxes.
  }

  #exec(argv: readonly string[], options: ExecOptions): Execution {
    this.execs.push(options);
    const stdout = new Stream<Uint8Array>();
    const stderr = new Stream<Uint8Array>();
    const signals = new Stream<string>();
    const sizes = new Stream<TerminalSize>();
    const input: Uint8Array[] = [];
    const closed = Promise.withResolvers<void>();
    if (options.stdin === undefined) closed.resolve();
    const killed = Promise.withResolvers<Exit>();
    const ended = this.#command({
      argv,
      options,
      out: (text) => stdout.push(Buffer.from(text)),
      err: (text) => stderr.push(Buffer.from(text)),
      input: () => closed.promise.then(() => Buffer.concat(input).toString()),
      signal: () => signals.next(),
      resized: () => sizes.next(),
    });
    const exit = Promise.race([Promise.resolve(ended), killed.promise]).finally(() => {
      stdout.end();
      stderr.end();
    });
    return {
      stdout,
      stderr,
      exit,
      pid: Promise.resolve(2),
      write: async (bytes) => void input.push(bytes),
      closeStdin: () => closed.resolve(),
      kill: (signal, scope = 'process') => {
        this.events.push(`${signal} to the ${scope}`);
        if (signal === 'SIGKILL') killed.resolve(signalled('SIGKILL'));
        else signals.push(signal);
      },
      resize: (size) => sizes.push(size),
    };
  }
}

class Stream<Item> implements AsyncIterable<Item> {
  readonly #items: Item[] = [];
  #isEnded = false;
  #wake = Promise.withResolvers<void>();

  push(item: Item): void {
    this.#items.push(item);
    this.#wake.resolve();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake.resolve();
  }

  async next(): Promise<Item> {
    for await (const item of this) return item;
    throw new Error('The stream has ended');
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Item> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) yield item;
      else if (this.#isEnded) return;
      else {
        this.#wake = Promise.withResolvers();
        await this.#wake.promise;
      }
    }
  }
}
