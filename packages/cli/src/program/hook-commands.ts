/** `warren hook`: what happens at points of agents' lives. */
import { type Command, Option } from 'commander';
import { type StateFlags, type WorkspaceFlags, withDaemon, withJson, withWorkspace } from './state-options.ts';

const POINTS = ['before_tool_call', 'after_tool_call', 'approval_requested', 'approval_decided', 'budget_breached'] as const;

export type HookTestFlags = WorkspaceFlags & { readonly at?: (typeof POINTS)[number]; readonly as?: string };

export interface HookActions {
  hookList(flags: StateFlags): Promise<void>;
  hookTest(name: string, capability: string | undefined, fields: readonly string[], flags: HookTestFlags): Promise<void>;
}

export function addHook(program: Command, actions: HookActions): void {
  const hook = program
    .command('hook')
    .summary('what happens before and after calls')
    .description(
      'Commands and webhooks of hooks.yaml in the state directory, which see calls before they are decided, and may change or veto them, or hear of them afterwards.',
    )
    .addHelpText('after', HELP);

  withJson(
    withDaemon(hook.command('list').summary('list hooks').description('Lists the hooks that are in force, first what runs first.')),
  ).action((flags: StateFlags) => actions.hookList(flags));

  withJson(
    withWorkspace(
      hook
        .command('test')
        .summary('run one without a call')
        .description('Runs one hook as if there were such a call, which is not made, and says what it would make of it.')
        .argument('<name>', 'its name in hooks.yaml')
        .argument('[capability]', 'of the call')
        .argument('[fields...]', 'arguments of the call: field=text, or field:=JSON'),
    ),
  )
    .addOption(new Option('--at <point>', 'where, if it stands at several points').choices(POINTS))
    .option('--as <agent>', 'whose call it is')
    .action((name: string, capability: string | undefined, fields: string[], flags: HookTestFlags) =>
      actions.hookTest(name, capability, fields, flags),
    );
}

const HELP = `
Examples:
  $ warren hook list
  $ warren hook test no-force-push git.push force:=true --as builder

Exit codes of test: 0 nothing or other arguments, 1 it vetoes or fails, 2 wrong usage`;
