/** `exec` and `run` of the contract. */
import { Fault } from '@warren/protocol';
import type { Completed, ExecOptions, Execution, Exit, RunOptions, SignalName, TerminalSize } from '../contract.ts';
import { SIGNALS } from '../signals.ts';
import type { SignalScope } from './channel.ts';
import { CollectedOutput } from './collected-output.ts';
import { commandOptions, type GuestDefaults } from './command-options.ts';
import { CommandRun } from './command-run.ts';
import type { GuestClient } from './guest-client.ts';
import { quietly } from './input-feed.ts';
import { OutputStream } from './output-stream.ts';

/** What `run` collects when the caller sets no limit. */
export const RUN_OUTPUT_BYTES_MAX = 16_777_216;
const TREE_SIGNALS: readonly SignalName[] = ['SIGKILL', 'SIGSTOP', 'SIGCONT', 'SIGTERM'];

/** Starts a command. Throws `invalid_argument`, `too_large`, `busy`, or what ended the sandbox. */
export function startExecution(
  client: GuestClient,
  defaults: GuestDefaults,
  argv: readonly string[],
  options: ExecOptions = {},
): Execution {
  return new GuestExecution(client, defaults, argv, options);
}

/** Runs a command to its end. Rejects with what `startExecution` throws and `Execution.exit` rejects with. */
export async function runCommand(
  client: GuestClient,
  defaults: GuestDefaults,
  argv: readonly string[],
  options: RunOptions = {},
): Promise<Completed> {
  const output = new CollectedOutput();
  const { outputBytesMax = RUN_OUTPUT_BYTES_MAX } = options;
  const run = new CommandRun(commandOptions(defaults, argv, { ...options, outputBytesMax }), output);
  run.start(client);
  const exit = await run.exit;
  await output.whenEnded();
  return { exit, stdout: output.stdout.take(), stderr: output.stderr.take() };
}

class GuestExecution implements Execution {
  readonly stdout: AsyncIterable<Uint8Array>;
  readonly stderr: AsyncIterable<Uint8Array>;
  readonly exit: Promise<Exit>;
  readonly pid: Promise<number>;
  readonly #run: CommandRun;
  readonly #hasPipe: boolean;

  constructor(client: GuestClient, defaults: GuestDefaults, argv: readonly string[], options: ExecOptions) {
    const stdout = new OutputStream('stdout');
    const stderr = new OutputStream('stderr');
    this.#hasPipe = options.stdin === 'pipe';
    this.#run = new CommandRun(commandOptions(defaults, argv, options), { stdout, stderr });
    stdout.owner = this.#run;
    stderr.owner = this.#run;
    this.#run.start(client);
    this.stdout = stdout;
    this.stderr = stderr;
    this.exit = this.#run.exit;
    this.pid = this.#run.pid;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (!this.#hasPipe)
      return Promise.reject(new Fault('invalid_argument', "Cannot write to stdin: the command was not started with stdin: 'pipe'"));
    if (!(bytes instanceof Uint8Array)) return Promise.reject(new Fault('invalid_argument', 'Cannot write to stdin: this is not bytes'));
    const input = this.#run.channel?.input;
    if (input !== undefined) return input.write(bytes);
    return quietly(Promise.reject(new Fault('conflict', 'Cannot write to stdin: the command was stopped before it started')));
  }

  closeStdin(): void {
    if (this.#hasPipe) this.#run.channel?.input?.close();
  }

  kill(signal: SignalName, scope: SignalScope = 'process'): void {
    const number = SIGNALS[signal];
    if (number === undefined)
      throw new Fault('invalid_argument', `Cannot send the signal ${JSON.stringify(signal)}: there is none of this name`);
    if (scope !== 'process' && scope !== 'group' && scope !== 'tree') {
      throw new Fault('invalid_argument', `Cannot send a signal to ${JSON.stringify(scope)}: the scopes are process, group and tree`);
    }
    if (scope === 'tree' && !TREE_SIGNALS.includes(signal)) {
      throw new Fault('invalid_argument', `Cannot send ${signal} to the whole tree: only ${TREE_SIGNALS.join(', ')} reach it`);
    }
    this.#run.channel?.signal(number, scope);
  }

  resize(size: TerminalSize): void {
    for (const value of [size.rows, size.columns]) {
      if (!Number.isInteger(value) || value < 1 || value > 0xffff) {
        throw new Fault('invalid_argument', `Cannot resize the terminal to ${size.rows} rows and ${size.columns} columns`);
      }
    }
    this.#run.channel?.resize(size.rows, size.columns);
  }
}
