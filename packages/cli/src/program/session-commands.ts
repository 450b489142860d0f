/** `warren session`: conversations of agents. */
import { type Command, Option } from 'commander';
import { parseCount } from '../internal/number.ts';
import { type WorkspaceFlags, withJson, withWorkspace } from './state-options.ts';

const FORMATS = ['md', 'html', 'json', 'jsonl'] as const;
const VIEWS = ['path', 'context', 'all'] as const;

export type SessionListFlags = WorkspaceFlags & { readonly limit: number };
export type SessionShowFlags = WorkspaceFlags & { readonly view: (typeof VIEWS)[number] };
export type SessionExportFlags = WorkspaceFlags & { readonly format: (typeof FORMATS)[number] };
export type SessionBranchFlags = WorkspaceFlags & { readonly as?: string };
export type SessionCompactFlags = WorkspaceFlags & { readonly first?: string };

export interface SessionActions {
  sessionList(flags: SessionListFlags): Promise<void>;
  sessionShow(id: string, flags: SessionShowFlags): Promise<void>;
  sessionSearch(words: readonly string[], flags: SessionListFlags): Promise<void>;
  sessionBranch(id: string, entry: string, flags: SessionBranchFlags): Promise<void>;
  sessionCompact(id: string, summary: string, flags: SessionCompactFlags): Promise<void>;
  sessionExport(id: string, flags: SessionExportFlags): Promise<void>;
  sessionDelete(ids: readonly string[], flags: WorkspaceFlags): Promise<void>;
}

const LIMIT = ['--limit <n>', 'how many at most', (text: string) => parseCount(text, '--limit')] as const;

export function addSession(program: Command, actions: SessionActions): void {
  const session = program
    .command('session')
    .summary('conversations of agents')
    .description(
      'Conversations of the agents of a workspace, which outlive their processes: to read, search, go on from earlier, export and delete.',
    )
    .addHelpText('after', HELP);

  withJson(
    withWorkspace(
      session
        .command('list')
        .summary('list, the last written first')
        .description('Lists conversations, the one that was written to last first.'),
    ),
  )
    .option(...LIMIT, 20)
    .action((flags: SessionListFlags) => actions.sessionList(flags));

  withJson(
    withWorkspace(
      session
        .command('show')
        .summary('show what was said')
        .description('Shows a conversation from its beginning to its tip.')
        .argument('<id>', 'its id'),
    ),
  )
    .addOption(
      new Option('--view <view>', 'the way to the tip, what a model is told of it, or everything that was ever said')
        .choices(VIEWS)
        .default('path'),
    )
    .action((id: string, flags: SessionShowFlags) => actions.sessionShow(id, flags));

  withJson(
    withWorkspace(
      session
        .command('search')
        .summary('find entries by their words')
        .description('Finds entries that have all the words.')
        .argument('<words...>', 'words'),
    ),
  )
    .option(...LIMIT, 20)
    .action((words: string[], flags: SessionListFlags) => actions.sessionSearch(words, flags));

  withJson(
    withWorkspace(
      session
        .command('branch')
        .summary('go on from an earlier entry')
        .description('Goes on from an earlier entry. What came after it stays, and can be gone on from again.')
        .argument('<id>', 'of the conversation')
        .argument('<entry>', 'which, as `show --json` names it'),
    ),
  )
    .option('--as <id>', 'in a new conversation of this id; the other stays as it is')
    .action((id: string, entry: string, flags: SessionBranchFlags) => actions.sessionBranch(id, entry, flags));

  withJson(
    withWorkspace(
      session
        .command('compact')
        .summary('have a summary stand for what came before')
        .description('Has a summary stand for what came before. What was said is kept; models are told the summary.')
        .argument('<id>', 'of the conversation')
        .argument('<summary>', 'the text; - reads it from standard input'),
    ),
  )
    .option('--first <entry>', 'the first entry that it does not stand for (default: it stands for all)')
    .action((id: string, summary: string, flags: SessionCompactFlags) => actions.sessionCompact(id, summary, flags));

  withWorkspace(
    session
      .command('export')
      .summary('write one as a document')
      .description('Writes a conversation to standard output.')
      .argument('<id>', 'its id'),
  )
    .addOption(
      new Option('--format <format>', 'Markdown, HTML, one JSON document, or the lines of its file').choices(FORMATS).default('md'),
    )
    .action((id: string, flags: SessionExportFlags) => actions.sessionExport(id, flags));

  withJson(
    withWorkspace(
      session.command('delete').summary('delete for good').description('Deletes conversations for good.').argument('<ids...>', 'their ids'),
    ),
  ).action((ids: string[], flags: WorkspaceFlags) => actions.sessionDelete(ids, flags));
}

const HELP = `
Examples:
  $ warren session list
  $ warren session export support-42 --format html > support-42.html
  $ warren session branch support-42 entry_0b1c… --as support-42-again`;
