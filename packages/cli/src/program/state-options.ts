/** Options that many commands share. */
import type { Command } from 'commander';

export type StateFlags = { readonly state?: string; readonly json?: true };
export type WorkspaceFlags = StateFlags & { readonly workspace: string };

export function withState(command: Command): Command {
  return command.option('--state <directory>', 'state directory (default: as WARREN_STATE says)');
}

export function withJson(command: Command): Command {
  return command.option('--json', 'one JSON document');
}

export function withWorkspace(command: Command): Command {
  return withState(command).option('--workspace <name>', 'which workspace', 'default');
}
