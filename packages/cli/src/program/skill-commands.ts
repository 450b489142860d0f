/** `warren skill`: folders with instructions and a program, which agents run. */
import type { SkillLanguage } from '@warren/platform';
import { type Command, Option } from 'commander';
import { parseDuration } from '../internal/duration.ts';
import { type StateFlags, type WorkspaceFlags, withDaemon, withJson, withWorkspace } from './state-options.ts';

/** As the library has them, which would cost the start of every command. */
const LANGUAGES = ['python', 'javascript', 'shell'] as const satisfies readonly SkillLanguage[];

export type SkillNewFlags = { readonly dir?: string; readonly language: SkillLanguage; readonly json?: true };
export type SkillListFlags = WorkspaceFlags & { readonly names?: true };
export type SkillApproveFlags = StateFlags & { readonly hash?: string };
export type SkillTestFlags = WorkspaceFlags & { readonly params?: string };
export type SkillRunFlags = SkillTestFlags & {
  readonly as?: string;
  readonly key?: string;
  readonly wait?: number | true;
  readonly timeout?: number;
};

export interface SkillActions {
  skillNew(name: string, flags: SkillNewFlags): Promise<void>;
  skillTest(target: string, flags: SkillTestFlags): Promise<void>;
  skillAdd(folder: string, flags: StateFlags): Promise<void>;
  skillList(flags: SkillListFlags): Promise<void>;
  skillShow(name: string, flags: WorkspaceFlags): Promise<void>;
  skillApprove(name: string, flags: SkillApproveFlags): Promise<void>;
  skillEnable(name: string, flags: WorkspaceFlags): Promise<void>;
  skillDisable(name: string, flags: WorkspaceFlags): Promise<void>;
  skillRemove(name: string, flags: StateFlags): Promise<void>;
  skillRun(name: string, flags: SkillRunFlags): Promise<void>;
}

const NAME = ['<skill>', 'its name: `warren skill list`'] as const;
const PARAMS = ['--params <json>', 'what it reads, one JSON object; - reads it from standard input, @FILE too'] as const;

export function addSkill(program: Command, actions: SkillActions): void {
  const skill = program
    .command('skill')
    .summary('folders with instructions and a program, which agents run')
    .description(
      'A skill is a folder with a SKILL.md and, if it does more than instruct, a program in any language. Agents of the workspaces where it is enabled run it, each time in a sandbox of its own with what its SKILL.md declares and nothing else.',
    )
    .addHelpText('after', HELP);
  const command = (name: string, summary: string, description: string): Command =>
    skill.command(name).summary(summary).description(description);

  withJson(
    command('new', 'begin a skill', 'Makes a folder with a SKILL.md and a program that works, to begin with.').argument(
      '<name>',
      'small letters and digits, with - between them',
    ),
  )
    .option('--dir <directory>', 'where (default: a folder of that name here)')
    .addOption(new Option('--language <name>', 'what the program is written in').choices(LANGUAGES).default('python'))
    .action((name: string, flags: SkillNewFlags) => actions.skillNew(name, flags));

  withJson(
    withWorkspace(
      command(
        'test',
        'run one to see whether it works',
        'Runs a skill once and prints what it answers. A folder (with a / in it, as ./invoice) is tried without a daemon, in an empty workspace without secrets; a name is one that was added, with the files and secrets of the workspace, enabled or not.',
      ).argument('<skill>', 'a folder, or the name of one that was added'),
    ),
  )
    .option(...PARAMS)
    .action((target: string, flags: SkillTestFlags) => actions.skillTest(target, flags));

  withJson(
    withDaemon(
      command(
        'add',
        'add one, or a new version of it',
        'Copies a folder, in place of the skill of that name if there is one, and approves it as it is. With --server the folder is on the machine of the daemon.',
      ).argument('<folder>', 'with a SKILL.md in it'),
    ),
  ).action((folder: string, flags: StateFlags) => actions.skillAdd(folder, flags));

  withJson(withWorkspace(command('list', 'list skills', 'Lists the skills there are, and which of them agents of the workspace may use.')))
    .option('--names', 'only their names, one on a line')
    .action((flags: SkillListFlags) => actions.skillList(flags));

  withJson(
    withWorkspace(
      command('show', 'show one', 'Shows the instructions of a skill, what it declares, and what is wrong with it.').argument(...NAME),
    ),
  ).action((name: string, flags: WorkspaceFlags) => actions.skillShow(name, flags));

  withJson(
    withDaemon(
      command(
        'approve',
        'approve one that was changed',
        'Approves a skill that was changed, or put there by hand, by the hash of its files, so that it may run. Look at the files first.',
      ).argument(...NAME),
    ),
  )
    .requiredOption('--hash <hex>', 'of its files, as show prints it')
    .action((name: string, flags: SkillApproveFlags) => actions.skillApprove(name, flags));

  withJson(
    withWorkspace(
      command('enable', 'let agents use one', 'Lets the agents of the workspace use a skill. Their policies hold all the same.').argument(
        ...NAME,
      ),
    ),
  ).action((name: string, flags: WorkspaceFlags) => actions.skillEnable(name, flags));

  withJson(
    withWorkspace(command('disable', 'let no agent use one', 'Lets no agent of the workspace use a skill any more.').argument(...NAME)),
  ).action((name: string, flags: WorkspaceFlags) => actions.skillDisable(name, flags));

  withJson(withDaemon(command('remove', 'remove one', 'Removes a skill, from all workspaces.').argument(...NAME))).action(
    (name: string, flags: StateFlags) => actions.skillRemove(name, flags),
  );

  withJson(
    withWorkspace(
      command(
        'run',
        'run one as an agent',
        'Runs a skill as an agent: a call of `skill.run`, decided by policy, held to grants and budgets, and recorded. Prints what the skill answers, as JSON.',
      ).argument(...NAME),
    ),
  )
    .option('--as <agent>', 'the agent that runs it: its newest process, which begins when there is none')
    .option(...PARAMS)
    .option('--key <text>', 'the same key is the same run: it is carried out once')
    .option('--wait [duration]', 'where a person has to approve: wait for it, at most so long (default: an hour)', (text: string) =>
      parseDuration(text, '--wait'),
    )
    .option('--timeout <duration>', 'how long it may take', (text: string) => parseDuration(text, '--timeout'))
    .action((name: string, flags: SkillRunFlags) => actions.skillRun(name, flags));
}

const HELP = `
Examples:
  $ warren skill new greet --language shell && warren skill test ./greet --params '{"name":"Ada"}'
  $ warren skill add ./greet && warren skill enable greet --workspace acme
  $ warren skill run greet --as builder --workspace acme --params '{"name":"Ada"}'
  $ warren skill show greet                     what it may use, and whether it is as it was approved

Exit codes of test and run: 0 done, 1 not done (the error is printed), 2 used wrongly, 3 a person has to approve first.`;
