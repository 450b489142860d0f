/** A command as agents are shown it. */
import type { JsonObject } from '@warren/protocol';
import { type Exit, SIGNALS, type Usage } from '@warren/sandbox';
import type { BackgroundCommand, BackgroundCommands } from '../../agent/background-commands.ts';
import { CapabilityError } from '../../capability/handler.ts';

const COMMAND_LENGTH_MAX = 1_000;

export function findCommand(background: BackgroundCommands, id: string): BackgroundCommand {
  const command = background.find(id);
  if (command !== undefined) return command;
  throw new CapabilityError(
    'ProcessNotFound',
    `Cannot find the command ${JSON.stringify(id.slice(0, 64))}: this agent has none of that id`,
  );
}

export function viewCommand(command: BackgroundCommand, now: number): JsonObject {
  return {
    process_id: command.id,
    command: describeArguments(command.argv),
    state: command.state,
    exit_code: exitCodeOf(command),
    duration_ms: durationOf(command, now),
    resource_usage: usageOf(command.usage),
    started_at: new Date(command.startedAt).toISOString(),
  };
}

export function summarizeCommand(command: BackgroundCommand, now: number): JsonObject {
  const { resource_usage: _, ...summary } = viewCommand(command, now);
  return summary;
}

/** As a shell would say it; null while it runs and when it was stopped. */
export function exitCodeOf({ exit, state }: Pick<BackgroundCommand, 'exit' | 'state'>): number | null {
  if (exit === undefined || state === 'running' || state === 'killed' || state === 'timed_out') return null;
  return codeOf(exit);
}

export function durationOf({ startedAt, endedAt, usage }: BackgroundCommand, now: number): number {
  return Math.max(0, Math.round(usage?.wallMs ?? (endedAt ?? now) - startedAt));
}

/** The kernel counts what is read and written only where its io controller is on, which sandboxes do not need. */
export function usageOf(usage: Usage | undefined): JsonObject {
  return {
    cpu_ms: Math.round((usage?.userCpuMs ?? 0) + (usage?.systemCpuMs ?? 0)),
    memory_peak_bytes: usage?.memoryBytesMax ?? 0,
    io_read_bytes: null,
    io_write_bytes: null,
  };
}

function codeOf(exit: Exit): number | null {
  switch (exit.kind) {
    case 'exited':
    case 'not_started':
      return exit.code;
    case 'signalled':
      return 128 + SIGNALS[exit.signal];
    case 'stopped':
      return null;
    default:
      return exit satisfies never;
  }
}

function describeArguments(argv: readonly string[]): string {
  let text = '';
  for (const argument of argv) {
    if (text.length > COMMAND_LENGTH_MAX) break;
    const word = /^[\w@%+=:,./-]+$/.test(argument) ? argument : JSON.stringify(argument.slice(0, COMMAND_LENGTH_MAX));
    text += text === '' ? word : ` ${word}`;
  }
  return text.length > COMMAND_LENGTH_MAX ? `${text.slice(0, COMMAND_LENGTH_MAX)}…` : text;
}
