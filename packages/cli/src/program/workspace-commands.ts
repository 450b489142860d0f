/** `warren workspace`: which tenants there are. */
import type { Command } from 'commander';
import { type StateFlags, withDaemon, withJson, withState } from './state-options.ts';

export type WorkspaceFileFlags = Omit<StateFlags, 'server'> & {
  readonly passphraseFile?: string;
  readonly keyFile?: string;
  readonly vaultPassphraseFile?: string;
  readonly withoutSecrets?: true;
};
export type WorkspaceExportFlags = WorkspaceFileFlags;
export type WorkspaceImportFlags = WorkspaceFileFlags & { readonly as?: string };
export type WorkspaceDeleteFlags = StateFlags & { readonly yes?: true };

export type WorkspaceListFlags = StateFlags & { readonly names?: true };

export interface WorkspaceActions {
  workspaceCreate(id: string, flags: StateFlags): Promise<void>;
  workspaceList(flags: WorkspaceListFlags): Promise<void>;
  workspaceShow(id: string, flags: StateFlags): Promise<void>;
  workspaceQuota(id: string, settings: readonly string[], flags: StateFlags): Promise<void>;
  workspaceExport(id: string, file: string, flags: WorkspaceExportFlags): Promise<void>;
  workspaceImport(file: string, flags: WorkspaceImportFlags): Promise<void>;
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
  )
    .option('--names', 'only their names, one on a line')
    .action((flags: WorkspaceListFlags) => actions.workspaceList(flags));

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
          'Without settings it shows them. weight, running_max, file_bytes_max (what it keeps with file.*) and stored_bytes_max (everything it stores) are bounds of the workspace; any other name is a dimension of its budget: tokens, cost_microdollars, calls.',
        )
        .argument('<id>', 'its name')
        .argument('[settings...]', 'NAME=NUMBER, as file_bytes_max=1000000000 or tokens=5000000'),
    ),
  ).action((id: string, settings: readonly string[], flags: StateFlags) => actions.workspaceQuota(id, settings, flags));

  withSecret(
    workspace
      .command('export')
      .summary('write a workspace into one sealed file')
      .description(
        'Writes rows, memories, files, sessions, policies and secrets of a workspace into a file that only its passphrase or key opens. Tokens and people stay here. No daemon may run.',
      )
      .argument('<id>', 'its name')
      .argument('<file>', 'which is made'),
  ).action((id: string, file: string, flags: WorkspaceExportFlags) => actions.workspaceExport(id, file, flags));

  withSecret(
    workspace
      .command('import')
      .summary('make a workspace of such a file')
      .description(
        'Makes a workspace of an exported one, all of it or nothing. Its secrets are sealed anew, in the vault here. No daemon may run.',
      )
      .argument('<file>', 'which was exported by this version'),
  )
    .option('--as <name>', 'under another name')
    .action((file: string, flags: WorkspaceImportFlags) => actions.workspaceImport(file, flags));

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

function withSecret(command: Command): Command {
  return withJson(withState(command))
    .option('--passphrase-file <file>', 'what locks the file: the passphrase in it')
    .option('--key-file <file>', 'or a key of 32 bytes and more')
    .option('--vault-passphrase-file <file>', 'what unlocks the vault here, where a passphrase does; - is standard input')
    .option('--without-secrets', 'leave its secrets out');
}

const WORKSPACE_HELP = `
Examples:
  $ warren workspace create acme
  $ warren token create --workspace acme             for its programs
  $ warren workspace show acme
  $ warren workspace quota acme tokens=5000000
  $ warren workspace export acme acme.warren --passphrase-file passphrase
  $ warren workspace delete acme

What it may keep, and for how long, programs set with workspace.update: warren kernel methods workspace.update`;
