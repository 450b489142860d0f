/** From the words of a command line to an exit code: parses, loads the code of the one command that was asked for, reports what failed. */
import { Fault, isFault } from '@warren/protocol';
import type { Sandboxes } from '@warren/sandbox';
import { type Command, CommanderError } from 'commander';
import { daemonActions } from './daemon-actions.ts';
import { OWN_FAILURE, USAGE_FAILURE } from './internal/exit-code.ts';
import { describeFailure, failureDocument, formatFailure } from './internal/failure.ts';
import { type Host, OutputClosed } from './internal/host.ts';
import { safeJson } from './internal/safe-text.ts';
import { storeExitCode } from './internal/store-exit-code.ts';
import { type Actions, buildProgram } from './program.ts';

/** As a shell reports a program that SIGPIPE ended: `warren diff | head`. */
const READER_LEFT = 141;

/** `words` are the arguments after the program; `openSandboxes` is for a caller who opens them already. Never throws. */
export async function runCli(
  words: readonly string[],
  host: Host,
  openSandboxes?: (caFile?: string) => Promise<Sandboxes>,
): Promise<number> {
  let code = 0;
  let help = '';
  const review = (): Promise<typeof import('./parts/review.ts')> => import('./parts/review.ts');
  const sandboxes = (): Promise<typeof import('./parts/sandboxes.ts')> => import('./parts/sandboxes.ts');
  const actions: Actions = {
    run: async (command, flags) => {
      const { run } = await import('./commands/run.ts');
      // Opened by `run`, once it has found nothing wrong with what it was asked.
      code = await run(command, flags, host, {
        openSandboxes: openSandboxes ?? (async (caFile) => (await sandboxes()).openRunSandboxes(caFile)),
        openRecords: async () => (await review()).openRecords(host),
        openNetwork: async (request, signal) => (await import('./parts/run-network.ts')).openRunNetwork(flags, host, request, signal),
      });
    },
    diff: async (run, paths, flags) => {
      const [{ diff }, { openParts }] = await Promise.all([import('./commands/diff.ts'), review()]);
      code = await diff(run, paths, flags, host, openParts(host));
    },
    apply: async (run, paths, flags) => {
      const [{ apply }, { openParts }] = await Promise.all([import('./commands/apply.ts'), review()]);
      code = await apply(run, paths, flags, host, openParts(host));
    },
    undo: async (run, flags) => {
      const [{ undo }, { openParts }] = await Promise.all([import('./commands/undo.ts'), review()]);
      code = await undo(run, flags, host, openParts(host));
    },
    runs: async (flags) => {
      const [{ runs }, { openParts }] = await Promise.all([import('./commands/runs.ts'), review()]);
      code = await runs(flags, host, openParts(host));
    },
    remove: async (ids, flags) => {
      const [{ remove }, { openParts }] = await Promise.all([import('./commands/remove.ts'), review()]);
      code = await remove(ids, flags, host, openParts(host));
    },
    ...daemonActions(host, (ended) => {
      code = ended;
    }),
    doctor: async (flags) => {
      if (flags.store === true) {
        const [{ storeDoctor }, { examine, uid }] = await Promise.all([import('./commands/store-doctor.ts'), import('./parts/store.ts')]);
        code = await storeDoctor(flags, host, { examine, uid: uid() });
        return;
      }
      const [{ doctor }, parts] = await Promise.all([import('./commands/doctor.ts'), import('./parts/doctor.ts')]);
      code = await doctor(flags, host, parts);
    },
    completion: async (shell) => {
      const { completion } = await import('./commands/completion.ts');
      code = await completion(shell, buildProgram(actions, write), host);
    },
  };
  const write = (text: string): void => {
    help += text;
  };
  const program = buildProgram(actions, write, words[0]);
  try {
    if (!host.hasExactWords) throw new Fault('unsupported', 'Cannot take words that are not UTF-8: some of these are not');
    await program.parseAsync(words, { from: 'user' });
    // `run` has done so itself, as far as anybody reads.
    if (words[0] !== 'run') await flush(host);
    return code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return await print(help, host); // Help or version, asked for.
    if (error instanceof CommanderError && error.code === 'commander.help') {
      await host.stderr.write(help).catch(() => {}); // No command: nobody to tell is no worse.
      return USAGE_FAILURE;
    }
    return await report(error, words, host, program);
  }
}

async function flush(host: Host): Promise<void> {
  await host.stdout.flush();
  await host.stderr.flush().catch(() => {}); // Remarks that nobody wants.
}

async function print(text: string, host: Host): Promise<number> {
  try {
    await host.stdout.write(text);
    await host.stdout.flush();
    return 0;
  } catch {
    return READER_LEFT; // `warren --help | head`.
  }
}

async function report(caught: unknown, words: readonly string[], host: Host, program: Command): Promise<number> {
  if (caught instanceof OutputClosed) return READER_LEFT;
  const error = caught instanceof CommanderError ? usageFault(caught, words, program) : caught;
  const failure = describeFailure(error);
  const stack = host.env['WARREN_DEBUG'] === '1' && error instanceof Error ? `${error.stack ?? ''}\n` : '';
  try {
    if (wantsJson(words)) await host.stdout.write(`${safeJson(failureDocument(failure), 2)}\n`);
    else await host.stderr.write(formatFailure(failure));
    if (stack !== '') await host.stderr.write(stack);
    await flush(host);
  } catch {
    // Nobody listens to what failed; the exit code still says that it did.
  }
  if (words[0] === 'run') return OWN_FAILURE;
  return isFault(error, 'invalid_argument') ? USAGE_FAILURE : (storeExitCode(words[0], error) ?? 1);
}

/** Commander says `error: unknown option '--x'` and, on a second line, `(Did you mean --y?)`. */
function usageFault(error: CommanderError, words: readonly string[], program: Command): Fault {
  const message = error.message.replace(/^error: /, '').replace('\n', ' ');
  return new Fault('invalid_argument', message, { details: { fix: ['warren', ...commandIn(words, program), '--help'].join(' ') } });
}

/** The names of the command that the words begin with: `kernel events`. */
function commandIn(words: readonly string[], program: Command): readonly string[] {
  const [name, ...rest] = words.filter((word) => !word.startsWith('-'));
  const command = program.commands.find((each) => each.name() === name);
  return command === undefined ? [] : [command.name(), ...commandIn(rest, command)];
}

/** Read from the words themselves, because parsing them may be what failed. After `--` they belong to somebody else. */
function wantsJson(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return words.slice(0, end < 0 ? undefined : end).includes('--json');
}
