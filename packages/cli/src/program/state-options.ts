/** Options that many commands share. */
import type { Command } from 'commander';

/** `server`: of commands that a daemon elsewhere answers as well. */
export type StateFlags = { readonly state?: string; readonly server?: string; readonly json?: true };
export type WorkspaceFlags = StateFlags & { readonly workspace: string };

export function withState(command: Command): Command {
  return command.option('--state <directory>', 'state directory (default: as WARREN_STATE says)');
}

export function withServer(command: Command): Command {
  return command.option('--server <url>', 'a daemon elsewhere, after `warren login` (default: as WARREN_SERVER says)');
}

/** For what a daemon answers, here or elsewhere. */
export function withDaemon(command: Command): Command {
  return withServer(withState(command));
}

export function withJson(command: Command): Command {
  return command.option('--json', 'one JSON document');
}

export function withWorkspace(command: Command): Command {
  return withWorkspaceName(withDaemon(command));
}

export function withWorkspaceName(command: Command): Command {
  return command.option('--workspace <name>', 'which workspace', 'default');
}
