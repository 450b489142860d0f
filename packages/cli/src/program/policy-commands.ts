/** `warren policy`: what agents may do. */
import type { Command } from 'commander';
import { parseLongDuration } from '../internal/duration.ts';
import { parseCount } from '../internal/number.ts';
import { type StateFlags, type WorkspaceFlags, withDaemon, withJson, withState, withWorkspace } from './state-options.ts';

export type PolicyExplainFlags = WorkspaceFlags & {
  readonly as: string;
  readonly input?: string;
  readonly taint?: readonly string[];
  readonly at?: string;
};
export type PolicySimulateFlags = StateFlags & { readonly workspace?: string; readonly last?: number; readonly limit: number };
export type PolicyImportFlags = { readonly json?: true; readonly out?: string };

export interface PolicyActions {
  policyShow(flags: WorkspaceFlags): Promise<void>;
  policyReload(flags: StateFlags): Promise<void>;
  policyCheck(path: string | undefined, flags: StateFlags): Promise<void>;
  policyExplain(capability: string, words: readonly string[], flags: PolicyExplainFlags): Promise<void>;
  policyTest(path: string | undefined, flags: StateFlags): Promise<void>;
  policySimulate(path: string, flags: PolicySimulateFlags): Promise<void>;
  policyDiff(path: string, other: string | undefined, flags: StateFlags): Promise<void>;
  policyImport(file: string, flags: PolicyImportFlags): Promise<void>;
  policyInit(template: string | undefined, flags: StateFlags): Promise<void>;
}

const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

export function addPolicy(program: Command, actions: PolicyActions): void {
  const policy = program
    .command('policy')
    .summary('decide what agents may do')
    .description(
      'Policies are YAML files below policies/ in the state directory; a change is in force at once, a mistake keeps what was in force before.',
    )
    .addHelpText('after', HELP);

  withJson(
    withWorkspace(
      policy
        .command('show')
        .summary('what is in force')
        .description('Shows which files are in force for a workspace, and what is wrong with those that are not.'),
    ),
  ).action((flags: WorkspaceFlags) => actions.policyShow(flags));

  withJson(
    withState(
      policy
        .command('init')
        .summary('begin with a template')
        .description('Writes a policy to begin with: the names of the templates without one.')
        .argument('[template]', 'personal-permissive, team-moderate or enterprise-restrictive'),
    ),
  ).action((template: string | undefined, flags: StateFlags) => actions.policyInit(template, flags));

  withJson(
    withDaemon(
      policy
        .command('reload')
        .summary('read the files again')
        .description('Reads the files again. The daemon does so by itself when they change; files that are gone go out of force only so.'),
    ),
  ).action((flags: StateFlags) => actions.policyReload(flags));

  withJson(
    withState(
      policy
        .command('check')
        .summary('find mistakes')
        .description('Checks a policy file or folder (default: that of the state directory) without bringing it into force.')
        .argument('[path]', 'a file or a folder'),
    ),
  ).action((path: string | undefined, flags: StateFlags) => actions.policyCheck(path, flags));

  withJson(
    withWorkspace(
      policy
        .command('explain')
        .summary('what would be decided, and by which rule')
        .description('Says what would be decided about a call, by which rule, in which file and line, and what each layer says.')
        .argument('<capability>', 'its name')
        .argument('[arguments...]', 'key=value, as for `warren call`'),
    )
      .requiredOption('--as <agent>', 'who calls')
      .option('--input <json>', 'all arguments as one JSON object')
      .option('--taint <label>', 'what the arguments come from; repeatable', collect)
      .option('--at <time>', 'when, as 2026-11-21T22:00Z (default: now)'),
  ).action((capability: string, words: string[], flags: PolicyExplainFlags) => actions.policyExplain(capability, words, flags));

  withJson(
    withState(
      policy
        .command('test')
        .summary('run the tests in policy files')
        .description('Runs the `tests:` of policy files.')
        .argument('[path]', 'a file or a folder (default: that of the state directory)'),
    ),
  ).action((path: string | undefined, flags: StateFlags) => actions.policyTest(path, flags));

  withJson(
    withDaemon(
      policy
        .command('simulate')
        .summary('what other policies would have done')
        .description('Decides recorded calls again under the policies in a folder, and shows which would have gone another way.')
        .argument('<path>', 'a folder of policies, or one file'),
    )
      .option('--last <duration>', 'calls of this time (default: 7d)', (text: string) => parseLongDuration(text, '--last'))
      .option('--workspace <name>', 'only calls of this workspace')
      .option('--limit <number>', 'changes to show', (text: string) => parseCount(text, '--limit'), 50),
  ).action((path: string, flags: PolicySimulateFlags) => actions.policySimulate(path, flags));

  withJson(
    withState(
      policy
        .command('diff')
        .summary('compare two sets of policies')
        .description(
          'Shows rule by rule what would be different: with one path, if it came in place of the policies of the state directory; with two, if the second came in place of the first. A file beside a folder is compared with that file of the folder.',
        )
        .argument('<path>', 'a file or folder: alone, what would come after; of two, what was before')
        .argument('[after]', 'a file or folder'),
    ),
  ).action((path: string, after: string | undefined, flags: StateFlags) => actions.policyDiff(path, after, flags));

  withJson(
    policy
      .command('import')
      .summary('take over a policy of an earlier system')
      .description('Translates a policy file and prints it; what cannot be said here is said on standard error.')
      .argument('<file>', 'the file'),
  )
    .option('--out <file>', 'write it there instead')
    .action((file: string, flags: PolicyImportFlags) => actions.policyImport(file, flags));
}

const HELP = `
Examples:
  $ warren policy init team-moderate
  $ warren policy explain filesystem.delete path=/workspace/src --as builder
  $ warren policy diff ./new-policies
  $ warren policy simulate ./new-policies --last 7d`;
