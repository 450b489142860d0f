/**
 * The inside of a running sandbox, as the contract offers it: commands and files over one guest connection. A backend makes the connection,
 * hands it over, and adds what only it knows (walls, limits, the end).
 */
import { Fault } from '@warren/protocol';
import type {
  Completed,
  Entry,
  ExecOptions,
  Execution,
  FileOptions,
  ReadOptions,
  RunOptions,
  SignalName,
  WriteOptions,
} from '../contract.ts';
import { SIGNALS } from '../signals.ts';
import type { GuestDefaults } from './command-options.ts';
import { runCommand, startExecution } from './execution.ts';
import type { Stop } from './exit-of.ts';
import { GuestFiles } from './files.ts';
import type { GuestClient } from './guest-client.ts';
import type { Source } from './source-feed.ts';

export class Guest {
  readonly client: GuestClient;
  readonly #defaults: GuestDefaults;
  readonly #files: GuestFiles;

  constructor(client: GuestClient, defaults: GuestDefaults) {
    this.client = client;
    this.#defaults = defaults;
    this.#files = new GuestFiles(client, defaults);
  }

  exec(argv: readonly string[], options?: ExecOptions): Execution {
    return startExecution(this.client, this.#defaults, argv, options);
  }

  run(argv: readonly string[], options?: RunOptions): Promise<Completed> {
    return runCommand(this.client, this.#defaults, argv, options);
  }

  readFile(path: string, options?: ReadOptions): AsyncIterable<Uint8Array> {
    return this.#files.readFile(path, options);
  }

  writeFile(path: string, content: Source, options?: WriteOptions): Promise<void> {
    return this.#files.writeFile(path, content, options);
  }

  list(path: string, options?: FileOptions): Promise<readonly Entry[]> {
    return this.#files.list(path, options);
  }

  stat(path: string, options?: FileOptions & { readonly follow?: boolean }): Promise<Entry> {
    return this.#files.stat(path, options);
  }

  remove(path: string, options?: FileOptions & { readonly recursive?: boolean }): Promise<void> {
    return this.#files.remove(path, options);
  }

  mkdir(path: string, options?: FileOptions & { readonly parents?: boolean; readonly mode?: number }): Promise<void> {
    return this.#files.mkdir(path, options);
  }

  /** Sends a signal to the main process of every running command. */
  signal(signal: SignalName): void {
    const number = SIGNALS[signal];
    if (number === undefined)
      throw new Fault('invalid_argument', `Cannot send the signal ${JSON.stringify(signal)}: there is none of this name`);
    this.client.signalCommands(number);
  }

  /**
   * Hangs up because the owner ends the sandbox: running commands exit as stopped for this reason, with their output cut off; file
   * operations throw `sandbox_gone`. Idempotent.
   */
  end(stop: Stop): void {
    // An end that was asked for: where the stack stood then explains nothing, and walking it costs more than the rest of this.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    const reason = new Fault('sandbox_gone', `Cannot go on in the sandbox: ${stop.detail}`);
    Error.stackTraceLimit = stackTraceLimit;
    this.client.destroy(reason, stop);
  }
}
