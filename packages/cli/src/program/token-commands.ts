/** `warren token`: who may call. */
import { type Command, Option } from 'commander';
import { parseLongDuration } from '../internal/duration.ts';
import { parseCount } from '../internal/number.ts';
import { type StateFlags, withDaemon, withJson } from './state-options.ts';

const ROLES = ['viewer', 'approver', 'admin'] as const;

export type TokenCreateFlags = StateFlags & {
  readonly workspace: string;
  readonly role?: (typeof ROLES)[number];
  readonly agent?: string;
  readonly pid?: number;
  readonly operator?: true;
  readonly expires?: number;
  readonly label?: string;
  readonly owner?: string;
  readonly group?: readonly string[];
};
export type TokenListFlags = StateFlags & { readonly workspace?: string };

export interface TokenActions {
  tokenCreate(flags: TokenCreateFlags): Promise<void>;
  tokenList(flags: TokenListFlags): Promise<void>;
  tokenRevoke(ids: readonly string[], flags: StateFlags): Promise<void>;
}

const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

export function addToken(program: Command, actions: TokenActions): void {
  const token = program
    .command('token')
    .summary('make, list and revoke tokens')
    .description('A token is how a program says over TCP who it is. It may do what it was made for and nothing else.');

  withJson(
    withDaemon(
      token
        .command('create')
        .summary('make a token and print it, once')
        .description(
          'Makes a token and prints it. It is not shown again: only a hash of it is kept. Without --role, --agent, --pid or --operator it acts as admin of the workspace.',
        ),
    )
      .option('--workspace <name>', 'it acts for this workspace', 'default')
      .addOption(new Option('--role <role>', 'what it may do there (default: admin)').choices(ROLES))
      .addOption(new Option('--agent <name>', 'it acts for this agent of the workspace only').conflicts(['role']))
      .addOption(
        new Option('--pid <pid>', 'it acts for this process of the workspace only')
          .argParser((text: string) => parseCount(text, '--pid'))
          .conflicts(['role', 'agent']),
      )
      .addOption(new Option('--operator', 'it may do everything, in every workspace').conflicts(['role', 'agent', 'pid']))
      .option('--expires <duration>', 'when it ends: 12h, 30d (default: never)', (text: string) => parseLongDuration(text, '--expires'))
      .option('--label <text>', 'what it is for, to know it again in the list; no two in use have the same')
      .option('--owner <name>', 'whose it is: all tokens of one person have one vote (default: the label)')
      .option('--group <name>', 'a group its holder is in, which says what they may approve; repeatable', collect)
      .addHelpText('after', CREATE_HELP),
  ).action((flags: TokenCreateFlags) => actions.tokenCreate(flags));

  withJson(
    withDaemon(
      token
        .command('list')
        .summary('list tokens')
        .description(
          'Lists tokens: who they act for, whose they are, in which groups, and since and until when. Never the tokens themselves.',
        ),
    ).option('--workspace <name>', 'only those of this workspace'),
  ).action((flags: TokenListFlags) => actions.tokenList(flags));

  withJson(
    withDaemon(
      token
        .command('revoke')
        .summary('make tokens worthless, at once')
        .description('Makes tokens worthless, at once.')
        .argument('<token...>', 'ids from `warren token list`'),
    ),
  ).action((ids: string[], flags: StateFlags) => actions.tokenRevoke(ids, flags));
}

const CREATE_HELP = `
Examples:
  $ warren token create --workspace acme --expires 30d --label ci > ci.token
  $ warren token create --role viewer --expires 12h > dashboard.token
  $ warren token create --label ada-laptop --owner ada --group maintainers
  $ curl -H "Authorization: Bearer $(cat ci.token)" -H 'Content-Type: application/json' \\
      -d '{"jsonrpc":"2.0","id":1,"method":"kernel.info"}' http://127.0.0.1:7700/rpc`;
