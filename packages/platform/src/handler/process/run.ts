/** `process.run`: a command, waited for or left in the background. Either way it has an id, and what it prints is kept within bounds. */

import type { Usage as Charges } from '@warren/kernel';
import { isFault, type JsonObject } from '@warren/protocol';
import type { RunOptions, Usage } from '@warren/sandbox';
import type { AgentSandbox } from '../../agent/agent-sandboxes.ts';
import type { BackgroundCommand } from '../../agent/background-commands.ts';
import { CapabilityError, type HandlerContext, type HandlerResult } from '../../capability/handler.ts';
import { checkEnvironment } from './check-environment.ts';
import { durationOf, exitCodeOf, usageOf } from './command-view.ts';
import { tailOf } from './output-tail.ts';
import { resourceExhausted } from './resource-exhausted.ts';
import { tellProgress } from './tell-progress.ts';

export type RunInput = JsonObject & {
  readonly command: string;
  readonly args?: readonly string[];
  readonly working_directory?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeout?: number;
  readonly background?: boolean;
  readonly stdin?: string;
  readonly cpu_limit?: number;
  readonly memory_limit?: number;
  readonly stdout_lines?: number;
};

const TIMEOUT_S_DEFAULT = 300;
const TIMEOUT_S_MAX = 3_600;
const LINES_DEFAULT = 100;
/** Past its timeout, for SIGTERM, SIGKILL and the end of a tree that is large. */
const END_MS = 15_000;

export async function run(input: RunInput, context: HandlerContext): Promise<HandlerResult> {
  const argv = checkArguments(input);
  const seconds = Math.min(input.timeout ?? TIMEOUT_S_DEFAULT, TIMEOUT_S_MAX);
  const env = checkEnvironment(input.environment ?? {});
  const agent = await context.sandbox();
  checkLimits(input, agent);
  const options: RunOptions = {
    cwd: input.working_directory ?? '/workspace',
    env,
    timeoutMs: seconds * 1_000,
    // What is left in the background on purpose keeps what it starts; of a command that was waited for, nobody would know what it left.
    endsTree: input.background !== true,
    ...(input.stdin === undefined || input.background === true ? {} : { stdin: input.stdin }),
    signal: context.signal,
  };
  const command = await start(agent, argv, options);
  const isLeft = input.background === true && command.state === 'running';
  const ended = isLeft ? command : await waitFor(agent, command.id, seconds * 1_000 + END_MS, context);
  throwUnlessStarted(ended, input);
  return answer(agent, ended, seconds, input);
}

function answer(agent: AgentSandbox, command: BackgroundCommand, seconds: number, input: RunInput): HandlerResult {
  const lines = input.stdout_lines ?? LINES_DEFAULT;
  const output = {
    exit_code: exitCodeOf(command),
    stdout_summary: tailOf(agent.background, command.id, 'stdout', lines),
    stderr_summary: tailOf(agent.background, command.id, 'stderr', lines),
    duration_ms: durationOf(command, command.startedAt),
    process_id: command.id,
    state: command.state,
    timeout: seconds,
    leftovers_ended: leftoversOf(command),
    resource_usage: usageOf(command.usage),
  };
  const usage = chargesOf(command.usage);
  const details = { process_id: output.process_id, exit_code: output.exit_code, stderr_summary: output.stderr_summary.slice(-2_000) };
  const error = command.exit === undefined ? undefined : resourceExhausted(command.exit, agent.sandbox.spec.limits, details);
  if (error === undefined) return { output, usage };
  throw new CapabilityError(error.type, error.message, { context: error.context, usage });
}

function leftoversOf({ exit }: BackgroundCommand): number | null {
  return exit === undefined || exit.kind === 'not_started' ? null : (exit.leftoversEnded ?? null);
}

async function start(agent: AgentSandbox, argv: readonly string[], options: RunOptions): Promise<BackgroundCommand> {
  try {
    return await agent.background.start(argv, options);
  } catch (error) {
    if (isFault(error, 'busy')) {
      throw new CapabilityError('ResourceExhausted', error.message, { context: { resource: 'commands' }, cause: error });
    }
    if (isFault(error, 'too_large') || isFault(error, 'invalid_argument')) {
      throw new CapabilityError('InvalidInput', error.message, { context: { field: 'args' }, cause: error });
    }
    throw error;
  }
}

/** Whoever gives up waiting in the foreground gives up the command. */
async function waitFor(agent: AgentSandbox, id: string, waitMs: number, context: HandlerContext): Promise<BackgroundCommand> {
  const { background } = agent;
  using _signs = tellProgress(agent, id, context);
  try {
    const command = await background.wait(id, waitMs, context.signal);
    return command.state === 'running' ? await background.kill(id, 'SIGKILL', END_MS) : command;
  } catch (error) {
    await background.kill(id, 'SIGKILL', 0);
    throw error;
  }
}

function throwUnlessStarted({ exit, state, id }: BackgroundCommand, { command, working_directory }: RunInput): void {
  if (exit?.kind === 'not_started') {
    const shown = JSON.stringify(command.slice(0, 200));
    const context = { process_id: id, errno: exit.errno };
    if (exit.stage === 'cwd') {
      throw new CapabilityError(
        'DirectoryNotFound',
        `Cannot run ${shown} in ${JSON.stringify(working_directory)}: ${exit.call} says ${exit.errno}`,
        {
          context: { ...context, path: working_directory ?? '/workspace' },
        },
      );
    }
    if (exit.code === 127)
      throw new CapabilityError('CommandNotFound', `Cannot run ${shown}: the sandbox has no such program`, { context });
    throw new CapabilityError('SpawnFailed', `Cannot run ${shown}: ${exit.call} says ${exit.errno}`, { context });
  }
  if (state === 'failed') throw new CapabilityError('ServiceUnavailable', 'Cannot finish the command: its sandbox ended');
}

function checkArguments({ command, args = [] }: RunInput): readonly string[] {
  const isNamed = command !== '' && (!command.includes('/') || command.startsWith('/'));
  if (!isNamed) {
    throw new CapabilityError(
      'InvalidInput',
      `Cannot run ${JSON.stringify(command.slice(0, 200))}: it is neither a name nor an absolute path`,
      {
        agentMessage: 'command is one program: a name as "python3" or an absolute path as "/workspace/configure". Arguments go into args.',
        context: { field: 'command' },
      },
    );
  }
  for (const [index, argument] of [command, ...args].entries()) {
    if (!argument.includes('\0')) continue;
    throw new CapabilityError('InvalidInput', 'Cannot run the command: an argument holds a NUL', {
      context: { field: index === 0 ? 'command' : `args[${index - 1}]` },
    });
  }
  return [command, ...args];
}

/** Limits are the sandbox's, for all of an agent's commands together. One that is not smaller than what was asked for holds it; a smaller one cannot be held for a tree of processes. */
function checkLimits({ cpu_limit, memory_limit }: RunInput, { sandbox }: AgentSandbox): void {
  const { cpus, memoryBytes } = sandbox.spec.limits;
  if (cpu_limit !== undefined && (cpus === null || cpus > cpu_limit)) throw limitUnavailable('cpu_limit', cpu_limit, cpus, 'cores');
  if (memory_limit !== undefined && (memoryBytes === null || memoryBytes > memory_limit)) {
    throw limitUnavailable('memory_limit', memory_limit, memoryBytes, 'bytes');
  }
}

function limitUnavailable(field: string, asked: number, standing: number | null, unit: string): CapabilityError {
  const there = standing === null ? 'none' : `${standing} ${unit}`;
  return new CapabilityError(
    'ResourceLimitUnavailable',
    `Cannot hold one command to ${field} ${asked}: the sandbox limits its commands together, and its limit is ${there}`,
    { context: { field, asked, limit: standing } },
  );
}

function chargesOf(usage: Usage | undefined): Charges {
  if (usage === undefined) return {};
  return {
    cpu_s: Math.ceil((usage.userCpuMs + usage.systemCpuMs) / 1_000),
    memory_bytes: usage.memoryBytesMax,
  };
}
