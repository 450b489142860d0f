/** `warren approvals`: questions about calls, and answers. */
import { type Command, Option } from 'commander';
import { parseLongDuration } from '../internal/duration.ts';
import { parseCount } from '../internal/number.ts';
import { type WorkspaceFlags, withJson, withWorkspace } from './state-options.ts';

export type ApprovalListFlags = WorkspaceFlags & {
  readonly all?: true;
  readonly agent?: string;
  readonly before?: string;
  readonly each?: true;
  readonly limit: number;
};
export type ApproveFlags = WorkspaceFlags & {
  readonly note?: string;
  readonly reason?: string;
  readonly input?: string;
  readonly always?: 'exact' | 'capability';
  readonly for?: number;
};
export type RejectFlags = WorkspaceFlags & { readonly reason?: string; readonly note?: string };

export interface ApprovalActions {
  approvalsList(flags: ApprovalListFlags): Promise<void>;
  approvalsShow(id: string, flags: WorkspaceFlags): Promise<void>;
  approvalsApprove(id: string, flags: ApproveFlags): Promise<void>;
  approvalsReject(id: string, flags: RejectFlags): Promise<void>;
  approvalsWatch(flags: WorkspaceFlags): Promise<void>;
  approvalsRules(flags: WorkspaceFlags & { readonly all?: true }): Promise<void>;
  approvalsRevoke(id: string, flags: WorkspaceFlags): Promise<void>;
}

export function addApprovals(program: Command, actions: ApprovalActions): void {
  const approvals = program
    .command('approvals')
    .summary('see what agents want to do, and say yes or no')
    .description('Where policy says that a person has to approve, the call waits here with its exact arguments.')
    .addHelpText('after', HELP);

  withJson(
    withWorkspace(
      approvals
        .command('list')
        .summary('list what waits')
        .description('Lists what waits for an answer, the newest first; more than 20 by agent and capability.'),
    )
      .option('--all', 'also what was decided')
      .option('--agent <name>', 'only those of this agent')
      .option('--each', 'one by one, also when they are many')
      .option('--before <id>', 'those behind this one: the next page')
      .option('--limit <number>', 'how many', (text: string) => parseCount(text, '--limit'), 50),
  ).action((flags: ApprovalListFlags) => actions.approvalsList(flags));

  withJson(
    withWorkspace(
      approvals
        .command('show')
        .summary('show one, with its arguments')
        .description('Shows a question: who, what exactly, why, and who decided.')
        .argument('<id>', 'its id'),
    ),
  ).action((id: string, flags: WorkspaceFlags) => actions.approvalsShow(id, flags));

  withJson(
    withWorkspace(
      approvals
        .command('approve')
        .summary('say yes')
        .description('Says yes. The call is then carried out once, with exactly the arguments shown or, with --input, those given.')
        .argument('<id>', 'its id'),
    )
      .option('--note <text>', 'kept with the answer')
      .option('--reason <text>', 'the same as --note')
      .option('--input <json>', 'other arguments; they are checked and recorded as yours')
      .addOption(
        new Option('--always <scope>', 'do not ask again: about the same arguments, or about this capability of this agent').choices([
          'exact',
          'capability',
        ]),
      )
      .option('--for <duration>', 'how long --always holds (default: 30d)', (text: string) => parseLongDuration(text, '--for')),
  ).action((id: string, flags: ApproveFlags) => actions.approvalsApprove(id, flags));

  withJson(
    withWorkspace(approvals.command('reject').summary('say no').description('Says no; the agent is told why.').argument('<id>', 'its id'))
      .option('--reason <text>', 'why, in words for the agent')
      .option('--note <text>', 'the same as --reason'),
  ).action((id: string, flags: RejectFlags) => actions.approvalsReject(id, flags));

  withJson(
    withWorkspace(
      approvals
        .command('watch')
        .summary('wait for questions and answer them')
        .description('Shows questions as they come. On a terminal: a approves, r rejects, s skips, q ends.'),
    ),
  ).action((flags: WorkspaceFlags) => actions.approvalsWatch(flags));

  const rules = approvals.command('rules').summary('what is allowed without asking').description('What somebody said "always" to.');
  withJson(
    withWorkspace(rules.command('list').summary('list them').description('Lists them, the newest first.')).option(
      '--all',
      'also those that are over',
    ),
  ).action((flags: WorkspaceFlags & { readonly all?: true }) => actions.approvalsRules(flags));
  withJson(
    withWorkspace(rules.command('revoke').summary('take one back').description('Takes one back, at once.').argument('<id>', 'its id')),
  ).action((id: string, flags: WorkspaceFlags) => actions.approvalsRevoke(id, flags));
}

const HELP = `
Examples:
  $ warren approvals list
  $ warren approvals approve approval_… --always exact --for 7d
  $ warren approvals reject approval_… --reason 'use the staging branch'`;
