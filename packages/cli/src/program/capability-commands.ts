/** `warren capability`: what can be called, and packs of others. */
import type { ToolFormat } from '@warren/protocol/contract';
import { type Command, Option } from 'commander';
import { type StateFlags, type WorkspaceFlags, withDaemon, withJson, withState, withWorkspace } from './state-options.ts';

export type CapabilityDescribeFlags = WorkspaceFlags & { readonly names?: true };
export type CapabilityListFlags = WorkspaceFlags & { readonly category?: string; readonly as?: string; readonly names?: true };
export type CapabilityExportFlags = WorkspaceFlags & { readonly format: ToolFormat; readonly as: string; readonly category?: string };
export type CapabilityNewFlags = { readonly dir?: string; readonly language: 'python' | 'sh' | 'node'; readonly json?: true };
export type CapabilityInstallFlags = StateFlags & { readonly sha256?: string };

export interface CapabilityActions {
  capabilityList(flags: CapabilityListFlags): Promise<void>;
  capabilityExport(flags: CapabilityExportFlags): Promise<void>;
  capabilityDescribe(name: string, flags: CapabilityDescribeFlags): Promise<void>;
  capabilityTest(target: string | undefined, flags: { readonly json?: true }): Promise<void>;
  capabilityNew(name: string, flags: CapabilityNewFlags): Promise<void>;
  capabilityInstall(source: string, flags: CapabilityInstallFlags): Promise<void>;
  capabilityRemove(name: string, flags: StateFlags): Promise<void>;
  capabilityReload(flags: StateFlags): Promise<void>;
}

/** As the contract has them, which would cost the start of every command. */
const FORMATS = ['anthropic', 'openai', 'openai-responses', 'gemini', 'mcp'] as const satisfies readonly ToolFormat[];

export function addCapability(program: Command, actions: CapabilityActions): void {
  const capability = program
    .command('capability')
    .summary('see what agents can call, and add to it')
    .description(
      'A capability is a named operation with typed arguments that an agent can call; policy, grants and budgets hold for each call.',
    )
    .addHelpText('after', HELP);

  withJson(
    withWorkspace(
      capability
        .command('list')
        .summary('list capabilities')
        .description('Lists capabilities and what happens to a call when no policy says anything.'),
    )
      .option('--category <name>', 'only those of this category: filesystem, git, …')
      .option('--as <agent>', 'those this agent may call, with the tier it gets')
      .option('--names', 'only their names, one on a line'),
  ).action((flags: CapabilityListFlags) => actions.capabilityList(flags));

  withJson(
    withWorkspace(
      capability
        .command('export')
        .summary('print them as functions of a model')
        .description(
          'Prints what an agent may call as the interface of a vendor takes it: a list to put into a request as its `tools`. Calls that the model makes of them go to `tool.call`.',
        ),
    ),
  )
    .addOption(new Option('--format <format>', 'whose interface').choices(FORMATS).makeOptionMandatory())
    .requiredOption('--as <agent>', 'what this agent may call')
    .option('--category <name>', 'only those of this category: filesystem, git, …')
    .action((flags: CapabilityExportFlags) => actions.capabilityExport(flags));

  withJson(
    withWorkspace(
      capability
        .command('describe')
        .summary('show everything about one')
        .description('Shows when to use it, its arguments, results and errors.')
        .argument('<capability>', 'its name'),
    ).option('--names', 'only its arguments, as `warren call` takes them, one on a line'),
  ).action((name: string, flags: CapabilityDescribeFlags) => actions.capabilityDescribe(name, flags));

  withJson(
    capability
      .command('test')
      .summary('check definitions and run their examples')
      .description(
        'Checks the definitions of a pack, or without one those of Warren itself, and runs their examples in a workspace of their own.',
      )
      .argument('[pack]', 'the folder of a pack'),
  ).action((target: string | undefined, flags: { readonly json?: true }) => actions.capabilityTest(target, flags));

  withJson(
    capability
      .command('new')
      .summary('begin a pack')
      .description('Makes a folder with a definition and an executable to begin with.')
      .argument('<name>', 'the name of the pack: small letters and digits'),
  )
    .option('--dir <directory>', 'where (default: a folder of that name here)')
    .addOption(new Option('--language <name>', 'what the executable is written in').choices(['python', 'sh', 'node']).default('python'))
    .action((name: string, flags: CapabilityNewFlags) => actions.capabilityNew(name, flags));

  withJson(
    withState(
      capability
        .command('install')
        .summary('install a pack')
        .description('Copies a pack into the state directory and brings it into force.')
        .argument('<source>', 'a folder, or a .tar.gz'),
    ).option('--sha256 <hex>', 'what an archive must be'),
  ).action((source: string, flags: CapabilityInstallFlags) => actions.capabilityInstall(source, flags));

  withJson(
    withState(capability.command('remove').summary('remove a pack').description('Removes a pack.').argument('<name>', 'its name')),
  ).action((name: string, flags: StateFlags) => actions.capabilityRemove(name, flags));

  withJson(
    withDaemon(
      capability
        .command('reload')
        .summary('read packs and definitions again')
        .description('Reads packs and definitions again; the daemon does so by itself when they change.'),
    ),
  ).action((flags: StateFlags) => actions.capabilityReload(flags));
}

const HELP = `
Examples:
  $ warren capability list --category filesystem
  $ warren capability describe filesystem.edit
  $ warren capability new weather && warren capability test weather && warren capability install weather`;
