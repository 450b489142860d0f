/** `warren workspace`: which tenants there are. */
import type { Command } from 'commander';
import { type StateFlags, withDaemon, withJson } from './state-options.ts';

export type WorkspaceDeleteFlags = StateFlags & { readonly yes?: true };

export interface WorkspaceActions {
  workspaceCreate(id: string, flags: StateFlags): Promise<void>;
  workspaceList(flags: StateFlags): Promise<void>;
  workspaceShow(id: string, flags: StateFlags): Promise<void>;
  workspaceQuota(id: string, settings: readonly string[], flags: StateFlags): Promise<void>;
  workspaceDelete(id: string, flags: WorkspaceDeleteFlags): Promise<void>;
}

export function addWorkspace(program: Command, actions: WorkspaceActions): void {
  const workspace = program
    .command('workspace')
    .summary('make, look at and delete workspaces')
    .description('A workspace is a tenant: what is in one, nobody in another sees. The workspace "default" is there from the start.')
    .addHelpText('after', WORKSPACE_HELP);

  withJson(
    withDaemon(
      workspace
        .command('create')
        .summary('make a workspace')
        .description('Makes a workspace, through the daemon.')
        .argument('<id>', 'its name: letters, digits, _ and -'),
    ),
  ).action((id: string, flags: StateFlags) => actions.workspaceCreate(id, flags));

  withJson(
    withDaemon(
      workspace
        .command('list')
        .summary('list workspaces')
        .description('Lists workspaces and what they may use. Asks the daemon; without one it reads the store itself.'),
    ),
  ).action((flags: StateFlags) => actions.workspaceList(flags));

  withJson(
    withDaemon(
      workspace
        .command('show')
        .summary('show what a workspace has and may use')
        .description('Shows what a workspace has (agents, memories, files, sessions, secrets), and what it may use.')
        .argument('<id>', 'its name'),
    ),
  ).action((id: string, flags: StateFlags) => actions.workspaceShow(id, flags));

  withJson(
    withDaemon(
      workspace
        .command('quota')
        .summary('show or set what a workspace may use')
        .description(
          'Without settings it shows them. weight, running_max and file_bytes_max are bounds of the workspace; any other name is a dimension of its budget: tokens, cost_microdollars, calls.',
        )
        .argument('<id>', 'its name')
        .argument('[settings...]', 'NAME=NUMBER, as file_bytes_max=1000000000 or tokens=5000000'),
    ),
  ).action((id: string, settings: readonly string[], flags: StateFlags) => actions.workspaceQuota(id, settings, flags));

  withJson(
    withDaemon(
      workspace
        .command('delete')
        .summary('delete a workspace and everything of it')
        .description(
          'Ends what runs in a workspace, destroys its keys, and wipes its files, memories, sessions, secrets and policies. Nothing of it can be brought back. Asks for its name, or takes --yes.',
        )
        .argument('<id>', 'its name'),
    ),
  )
    .option('--yes', 'do not ask')
    .action((id: string, flags: WorkspaceDeleteFlags) => actions.workspaceDelete(id, flags));
}

const WORKSPACE_HELP = `
Examples:
  $ warren workspace create acme
  $ warren token create --workspace acme             for its programs
  $ warren workspace show acme
  $ warren workspace quota acme tokens=5000000
  $ warren workspace delete acme

What it may keep, and for how long, programs set with workspace.update: warren kernel methods workspace.update`;
