/** `warren workspace`: which tenants there are. */
import type { Command } from 'commander';
import { type StateFlags, withDaemon, withJson } from './state-options.ts';

export interface WorkspaceActions {
  workspaceCreate(id: string, flags: StateFlags): Promise<void>;
  workspaceList(flags: StateFlags): Promise<void>;
}

export function addWorkspace(program: Command, actions: WorkspaceActions): void {
  const workspace = program
    .command('workspace')
    .summary('make and list workspaces')
    .description('A workspace is a tenant: what is in one, nobody in another sees. The workspace "default" is there from the start.')
    .addHelpText('after', WORKSPACE_HELP);

  withJson(
    withDaemon(
      workspace
        .command('create')
        .summary('make a workspace')
        .description('Makes a workspace, through the daemon.')
        .argument('<id>', 'its name: small letters, digits and hyphens'),
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
}

const WORKSPACE_HELP = `
Examples:
  $ warren workspace create acme
  $ warren token create --workspace acme             for its programs
  $ warren kernel summary --workspace acme

Programs call workspace.create and workspace.update, which sets shares and bounds: warren kernel methods workspace.update`;
